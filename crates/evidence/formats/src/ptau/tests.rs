use ark_ec::AffineRepr;

use super::*;
use crate::binfile::Writer;
use crate::curve::Bn128;
use crate::points::PointError;

/// A file of the right layout whose points are all the generator: the reader does not judge.
struct File {
    header: Vec<u8>,
    sections: Vec<(u32, Vec<u8>)>,
}

const POWER: u32 = 2;

fn generator_bytes<P: LemPoint>(point: &P) -> Vec<u8> {
    let mut out = Vec::new();
    point.append_lem(&mut out);
    out
}

impl File {
    fn new() -> Self {
        let mut header = 32u32.to_le_bytes().to_vec();
        header.extend(Curve::Bn128.base_modulus());
        header.extend(POWER.to_le_bytes());
        header.extend(POWER.to_le_bytes());
        let g1 = generator_bytes(&ark_bn254::G1Affine::generator());
        let g2 = generator_bytes(&ark_bn254::G2Affine::generator());
        let sections = [2, 3, 4, 5, 6, 7, 12, 13, 14, 15]
            .into_iter()
            .map(|id| match id {
                CONTRIBUTIONS => (id, vec![0; 4]),
                TAU_G2 | BETA_G2 | LAGRANGE_TAU_G2 => (
                    id,
                    g2.repeat(usize::try_from(point_count(id, POWER).unwrap()).unwrap()),
                ),
                _ => (
                    id,
                    g1.repeat(usize::try_from(point_count(id, POWER).unwrap()).unwrap()),
                ),
            })
            .collect();
        Self { header, sections }
    }

    fn bytes(&self) -> Vec<u8> {
        let n = 1 + u32::try_from(self.sections.len()).unwrap();
        let mut writer = Writer::new(Vec::new(), MAGIC, 1, n).unwrap();
        writer.section(HEADER, &self.header).unwrap();
        for (id, bytes) in &self.sections {
            writer.section(*id, bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    fn section(&mut self, id: u32) -> &mut Vec<u8> {
        &mut self.sections.iter_mut().find(|(i, _)| *i == id).unwrap().1
    }

    fn open(&self) -> Result<Ptau<Vec<u8>>, PtauError> {
        Ptau::open(self.bytes())
    }
}

#[test]
fn layout_and_blocks() {
    let file = File::new();
    assert_eq!(
        u64::try_from(file.bytes().len()).unwrap(),
        prepared_len(Curve::Bn128, POWER, 4).unwrap()
    );
    let ptau = file.open().unwrap();
    assert_eq!(
        (ptau.power(), ptau.ceremony_power(), ptau.n_contributions()),
        (2, 2, 0)
    );
    assert!(ptau.is_prepared());
    assert_eq!(
        ptau.monomial_g1::<Bn128>(MonomialG1::Tau, 0, 7)
            .unwrap()
            .count(),
        7
    );
    assert_eq!(
        ptau.lagrange_g1::<Bn128>(LagrangeG1::Tau, 3, 0, 8)
            .unwrap()
            .count(),
        8
    );
    assert_eq!(ptau.lagrange_g2::<Bn128>(2, 1, 3).unwrap().count(), 3);
    assert_eq!(
        ptau.beta_g2::<Bn128>().unwrap(),
        ark_bn254::G2Affine::generator()
    );
}

#[test]
fn ranges_outside_a_section_or_block_are_refused() {
    let ptau = File::new().open().unwrap();
    assert!(matches!(
        ptau.monomial_g1::<Bn128>(MonomialG1::Tau, 7, 1).err(),
        Some(PtauError::NoSuchPoints {
            section: 2,
            first: 7,
            end: 8
        })
    ));
    // Inside the section, but beyond the block.
    assert!(matches!(
        ptau.lagrange_g1::<Bn128>(LagrangeG1::Tau, 1, 1, 2).err(),
        Some(PtauError::NoSuchPoints { .. })
    ));
    assert!(
        ptau.lagrange_g1::<Bn128>(LagrangeG1::AlphaTau, 3, 0, 1)
            .is_err()
    );
    assert!(
        ptau.lagrange_g1::<Bn128>(LagrangeG1::Tau, 200, 0, 1)
            .is_err()
    );
    assert!(matches!(
        ptau.monomial_g1::<crate::curve::Bls12381>(MonomialG1::Tau, 0, 1)
            .err(),
        Some(PtauError::WrongCurve {
            got: Curve::Bn128,
            ..
        })
    ));
}

#[test]
fn headers_that_cannot_be() {
    let with = |at: usize, byte: u8| {
        let mut file = File::new();
        file.header[at] = byte;
        file.open().unwrap_err()
    };
    assert!(matches!(
        with(0, 33),
        PtauError::UnknownBaseField { n8q: 33 }
    ));
    assert!(matches!(
        with(4, 0),
        PtauError::UnknownBaseField { n8q: 32 }
    ));
    assert!(matches!(
        with(36, 0),
        PtauError::BadPower { power: 0, max: 28 }
    ));
    assert!(matches!(
        with(36, 29),
        PtauError::BadPower { power: 29, max: 28 }
    ));
    assert!(matches!(
        with(40, 1),
        PtauError::PowerAboveCeremony {
            power: 2,
            ceremony_power: 1
        }
    ));
}

#[test]
fn every_section_has_its_exact_size() {
    for id in MONOMIAL.into_iter().chain(LAGRANGE) {
        let mut file = File::new();
        file.section(id).pop();
        assert!(matches!(
            file.open().unwrap_err(),
            PtauError::Container(BinfileError::WrongSectionSize { id: got, .. }) if got == id
        ));
        let mut file = File::new();
        file.sections.retain(|(i, _)| *i != id);
        assert!(matches!(
            file.open().unwrap_err(),
            PtauError::Container(BinfileError::MissingSection { id: got }) if got == id
        ));
    }
}

#[test]
fn an_unprepared_file_opens_but_has_no_lagrange_bases() {
    let mut file = File::new();
    file.sections.retain(|(id, _)| *id < 12);
    let ptau = file.open().unwrap();
    assert!(!ptau.is_prepared());
    assert!(matches!(
        ptau.lagrange_g1::<Bn128>(LagrangeG1::Tau, 1, 0, 1).err(),
        Some(PtauError::NotPrepared)
    ));
}

#[test]
fn r18_an_off_curve_point_is_named() {
    let mut file = File::new();
    file.section(13)[128 * 3] ^= 1;
    let ptau = file.open().unwrap();
    let error = ptau
        .lagrange_g2::<Bn128>(2, 0, 4)
        .unwrap()
        .find_map(Result::err)
        .unwrap();
    assert!(matches!(
        error,
        PointsError::Point {
            section: 13,
            index: 3,
            source: PointError::NotOnCurve
        }
    ));
}
