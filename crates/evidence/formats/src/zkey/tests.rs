use std::io::Write;

use ark_ec::AffineRepr;

use super::*;
use crate::curve::Bn128;
use crate::r1cs::Matrix;

type G1 = ark_bn254::G1Affine;
type G2 = ark_bn254::G2Affine;

const G1_BYTES: usize = 64;

fn key_points() -> KeyPoints<Bn128> {
    let (g1, g2) = (G1::generator(), G2::generator());
    KeyPoints {
        alpha1: g1,
        beta1: g1,
        beta2: g2,
        gamma2: g2,
        delta1: g1,
        delta2: g2,
    }
}

fn record(kind: ContributionKind, name: &str) -> Contribution<Bn128> {
    Contribution {
        delta_after: G1::generator(),
        g1_s: G1::generator(),
        g1_sx: G1::generator(),
        g2_spx: G2::generator(),
        transcript: [7; 64],
        kind,
        name: ContributionName::new(name.as_bytes()).unwrap(),
    }
}

/// A file of the right layout: 3 wires, 1 public, domain 2, one coefficient. Not a sound key.
struct File {
    header: Vec<u8>,
    coefficients: Vec<u8>,
    c_points: Vec<u8>,
    contributions: Vec<u8>,
}

impl File {
    fn new(records: &[Contribution<Bn128>]) -> Self {
        let header = ZKeyHeader::new(3, 1, 2, &key_points()).unwrap();
        let coefficient = Coefficient {
            matrix: Matrix::A,
            constraint: 1,
            signal: 2,
            value: double_montgomery(ark_bn254::Fr::from(5u64)),
        };
        let mut coefficients = 1u32.to_le_bytes().to_vec();
        coefficients.extend(coefficient.to_bytes());
        let mut contributions = vec![9; 64];
        contributions.extend(u32::try_from(records.len()).unwrap().to_le_bytes());
        contributions.extend(records.iter().flat_map(Contribution::to_bytes));
        let mut c_points = Vec::new();
        G1::generator().append_lem(&mut c_points);
        Self {
            header: header.to_bytes(),
            coefficients,
            c_points,
            contributions,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut writer = ZKeyWriter::new(Vec::new()).unwrap();
        let mut section = |section, bytes: &[u8]| {
            writer
                .begin(section, u64::try_from(bytes.len()).unwrap())
                .unwrap();
            writer.write_all(bytes).unwrap();
            writer.end().unwrap();
        };
        section(ZKeySection::Header, &self.header);
        section(ZKeySection::Ic, &[0; 2 * G1_BYTES]);
        section(ZKeySection::Coefficients, &self.coefficients);
        section(ZKeySection::A, &[0; 3 * G1_BYTES]);
        section(ZKeySection::B1, &[0; 3 * G1_BYTES]);
        section(ZKeySection::B2, &[0; 3 * 128]);
        section(ZKeySection::C, &self.c_points);
        section(ZKeySection::H, &[0; 2 * G1_BYTES]);
        section(ZKeySection::Contributions, &self.contributions);
        writer.finish().unwrap()
    }

    fn open(&self) -> Result<ZKey<Vec<u8>>, ZKeyError> {
        ZKey::open(self.bytes())
    }

    fn contributions_error(&self) -> ZKeyError {
        let zkey = self.open().unwrap();
        zkey.contributions::<Bn128>()
            .unwrap()
            .find_map(Result::err)
            .unwrap()
    }
}

/// Offset of the counts in the header, after `n8q | q | n8r | r`.
const COUNTS: usize = 4 + 32 + 4 + 32;
/// Offset of the first record in section 10.
const RECORDS: usize = 64 + 4;
/// Offset of the type in a record.
const TYPE: usize = RECORDS + 3 * 64 + 128 + 64;

fn beacon() -> ContributionKind {
    ContributionKind::Beacon(BeaconParams::new(10, &[1, 2, 3]).unwrap())
}

#[test]
fn what_is_written_is_read_back() {
    let records = [
        record(ContributionKind::Ordinary, "name"),
        record(beacon(), ""),
    ];
    let file = File::new(&records);
    let zkey = file.open().unwrap();
    assert_eq!(zkey.header().to_bytes(), file.header);
    assert_eq!(zkey.header().power(), 1);
    assert_eq!(zkey.key_points::<Bn128>().unwrap(), key_points());
    assert_eq!(zkey.circuit_hash().as_bytes(), &[9; 64]);
    assert_eq!((zkey.n_contributions(), zkey.n_coefficients()), (2, 1));
    let read: Vec<_> = zkey
        .contributions::<Bn128>()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(read, records);
    let coefficient = zkey.coefficients().unwrap().next().unwrap().unwrap();
    assert_eq!(coefficient.to_bytes(), file.coefficients[4..]);
    assert_eq!(zkey.g1_points::<Bn128>(ZKeySection::C).unwrap().count(), 1);
    assert!(
        zkey.b2_points::<Bn128>()
            .unwrap()
            .all(|p| p.unwrap().is_zero())
    );
    assert!(zkey.g1_range::<Bn128>(ZKeySection::A, 2, 2).is_err());
    assert!(zkey.g1_points::<Bn128>(ZKeySection::B2).is_err());
    assert!(matches!(
        zkey.key_points::<crate::curve::Bls12381>(),
        Err(ZKeyError::WrongCurve {
            got: Curve::Bn128,
            ..
        })
    ));
}

#[test]
fn headers_that_cannot_be() {
    let with = |at: usize, bytes: &[u8]| {
        let mut file = File::new(&[]);
        file.header[at..at + bytes.len()].copy_from_slice(bytes);
        file.open().unwrap_err()
    };
    assert!(matches!(
        with(0, &[31]),
        ZKeyError::UnknownCurve { n8q: 31, .. }
    ));
    assert!(matches!(with(4, &[0]), ZKeyError::UnknownCurve { .. }));
    assert!(matches!(
        with(36, &[31]),
        ZKeyError::UnknownCurve { n8q: 32, n8r: 31 }
    ));
    assert!(matches!(with(40, &[0]), ZKeyError::UnknownCurve { .. }));
    assert!(matches!(
        with(COUNTS, &[0]),
        ZKeyError::TooManyPublic {
            n_vars: 0,
            n_public: 1
        }
    ));
    assert!(matches!(
        with(COUNTS + 4, &[3]),
        ZKeyError::TooManyPublic {
            n_vars: 3,
            n_public: 3
        }
    ));
    for bad in [0, 1, 3, u32::MAX, 1 << 29] {
        assert!(matches!(
            with(COUNTS + 8, &bad.to_le_bytes()),
            ZKeyError::BadDomain { got, max_power: 28 } if got == bad
        ));
    }
    assert!(matches!(
        with(COUNTS + 8, &[4]),
        ZKeyError::Container(BinfileError::WrongSectionSize {
            id: 9,
            expected: 256,
            got: 128
        })
    ));
    assert!(matches!(
        with(COUNTS, &[0xff; 4]),
        ZKeyError::Container(BinfileError::WrongSectionSize { .. })
    ));
    assert!(matches!(
        with(COUNTS + 12, &[0xff; 32]),
        ZKeyError::HeaderPoint {
            name: "alpha1",
            source: PointError::NotCanonical
        }
    ));
    assert!(matches!(
        with(COUNTS + 12 + 2 * 64, &[1]),
        ZKeyError::HeaderPoint {
            name: "beta2",
            source: PointError::NotOnCurve
        }
    ));
}

#[test]
fn counts_are_bounded_by_the_section() {
    let mut file = File::new(&[]);
    file.contributions[64..68].fill(0xff);
    assert!(matches!(
        file.open(),
        Err(ZKeyError::TooManyContributions {
            got: u32::MAX,
            max: 0
        })
    ));
    let mut file = File::new(&[]);
    file.coefficients[..4].fill(0xff);
    assert!(matches!(
        file.open(),
        Err(ZKeyError::Container(BinfileError::WrongSectionSize {
            id: 4,
            ..
        }))
    ));
    let mut file = File::new(&[]);
    file.contributions.push(0);
    assert!(matches!(
        file.open(),
        Err(ZKeyError::BytesAfterContributions { count: 1 })
    ));
    let mut file = File::new(&[record(ContributionKind::Ordinary, "")]);
    file.contributions.push(0);
    assert!(matches!(
        file.contributions_error(),
        ZKeyError::BytesAfterContributions { count: 1 }
    ));
}

#[test]
fn coefficients_out_of_range() {
    for (at, byte) in [(4, 2), (8, 2), (12, 3), (16 + 31, 0xff)] {
        let mut file = File::new(&[]);
        file.coefficients[at] = byte;
        let zkey = file.open().unwrap();
        let error = zkey.coefficients().unwrap().find_map(Result::err).unwrap();
        assert!(
            matches!(error, ZKeyError::BadCoefficient { index: 0 }),
            "byte {at}"
        );
    }
}

#[test]
fn contribution_records_that_cannot_be() {
    let with = |record_kind: ContributionKind, at: usize, bytes: &[u8]| {
        let mut file = File::new(&[record(record_kind, "n")]);
        file.contributions[at..at + bytes.len()].copy_from_slice(bytes);
        file.contributions_error()
    };
    let ordinary = || ContributionKind::Ordinary;
    assert!(matches!(
        with(ordinary(), RECORDS, &[1]),
        ZKeyError::ContributionPoint {
            index: 0,
            name: "deltaAfter",
            source: PointError::NotOnCurve
        }
    ));
    assert!(matches!(
        with(ordinary(), TYPE, &[2]),
        ZKeyError::UnknownContributionType { index: 0, got: 2 }
    ));
    assert!(matches!(
        with(ordinary(), TYPE, &[1]),
        ZKeyError::IncompleteBeacon { index: 0 }
    ));
    assert!(matches!(
        with(beacon(), TYPE, &[0]),
        ZKeyError::RelabelledBeacon { index: 0 }
    ));
    // Parameters: 1 | 1 | n | 2 | exponent | 3 | 3 | 1 2 3
    let params = TYPE + 8;
    assert!(matches!(
        with(ordinary(), TYPE + 4, &[0xff; 4]),
        ZKeyError::BadContributionParams { index: 0 }
    ));
    assert!(matches!(
        with(ordinary(), params + 1, &[2]),
        ZKeyError::BadContributionParams { index: 0 }
    ));
    assert!(matches!(
        with(beacon(), params, &[4]),
        ZKeyError::BadContributionParams { index: 0 }
    ));
    assert!(matches!(
        with(beacon(), params + 3, &[1]),
        ZKeyError::BadContributionParams { index: 0 }
    ));
    assert!(matches!(
        with(beacon(), params + 6, &[0]),
        ZKeyError::BadContributionParams { index: 0 }
    ));
}

#[test]
fn r19_beacon_exponents_out_of_range_are_refused() {
    let exponent_at = TYPE + 8 + 3 + 1;
    for bad in [0, 9, 64, 255] {
        let mut file = File::new(&[record(beacon(), "n")]);
        file.contributions[exponent_at] = bad;
        assert!(matches!(
            file.contributions_error(),
            ZKeyError::BeaconParams { index: 0, source: BeaconParamsError::Exponent { got } } if got == bad
        ));
    }
    assert_eq!(
        BeaconParams::new(10, &[]),
        Err(BeaconParamsError::Length { got: 0 })
    );
    assert_eq!(
        BeaconParams::new(10, &[0; 256]),
        Err(BeaconParamsError::Length { got: 256 })
    );
    assert!(BeaconParams::new(63, &[0; 255]).is_ok());
}

#[test]
fn another_protocol_is_named() {
    let mut bytes = File::new(&[]).bytes();
    bytes[24] = 2;
    assert!(matches!(
        ZKey::open(bytes),
        Err(ZKeyError::NotGroth16 { protocol: 2 })
    ));
}

#[test]
fn r18_an_off_curve_point_is_named() {
    let mut file = File::new(&[]);
    file.c_points[0] ^= 1;
    let zkey = file.open().unwrap();
    let error = zkey
        .g1_points::<Bn128>(ZKeySection::C)
        .unwrap()
        .find_map(Result::err)
        .unwrap();
    assert!(matches!(
        error,
        PointsError::Point {
            section: 8,
            index: 0,
            source: PointError::NotOnCurve
        }
    ));
}
