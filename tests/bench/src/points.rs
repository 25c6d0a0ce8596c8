//! Files in the form of a ptau, for measuring memory where making powers of tau would take hours.
//!
//! Point i of a section is (start + i) times the generator: on the curve, all different, and no powers of
//! anything. Keys made from such a file fit it in every check, and prove nothing at all.

use std::io::Write;

use ark_bn254::{Fr, g1, g2};
use ark_ec::{
    AffineRepr, CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use formats::{binfile, curve::Curve, points::LemPoint};
use rayon::prelude::*;

use crate::error::BenchError;

/// Points that share an inversion.
const SHARE: u64 = 1 << 12;
/// Shares computed before they are written.
const SHARES: u64 = 64;

/// Writes the file. SIMULATION ONLY.
pub(crate) fn write(power: u32, out: &mut impl Write) -> Result<(), BenchError> {
    let size = 1_u64
        .checked_shl(power)
        .filter(|_| (1..=27).contains(&power))
        .ok_or(BenchError::NoSuchCircuit {
            circuit: "powers of tau".into(),
            power,
        })?;
    sections(power, size, out).map_err(BenchError::io("write points"))
}

fn sections(power: u32, size: u64, out: &mut impl Write) -> std::io::Result<()> {
    let mut header = 32_u32.to_le_bytes().to_vec();
    header.extend(Curve::Bn128.base_modulus());
    header.extend(power.to_le_bytes());
    header.extend(power.to_le_bytes());
    let mut file = binfile::Writer::new(out, *b"ptau", 1, 11)?;
    let (g1, g2) = (Run::<g1::Config>::new(), Run::<g2::Config>::new());
    file.section(1, &header)?;
    g1.section(&mut file, 2, 2 * size - 1)?;
    g2.section(&mut file, 3, size)?;
    g1.section(&mut file, 4, size)?;
    g1.section(&mut file, 5, size)?;
    g2.section(&mut file, 6, 1)?;
    file.section(7, &0_u32.to_le_bytes())?;
    g1.section(&mut file, 12, 4 * size - 1)?;
    g2.section(&mut file, 13, 2 * size - 1)?;
    g1.section(&mut file, 14, 2 * size - 1)?;
    g1.section(&mut file, 15, 2 * size - 1)?;
    file.finish()?;
    Ok(())
}

/// The first multiples of a generator.
struct Run<P: SWCurveConfig> {
    table: Vec<Affine<P>>,
}

impl<P: SWCurveConfig<ScalarField = Fr>> Run<P>
where
    Affine<P>: LemPoint,
{
    fn new() -> Self {
        let generator = Affine::<P>::generator();
        let mut next = Projective::<P>::default();
        let multiples: Vec<_> = (0..SHARE)
            .map(|_| {
                let own = next;
                next += generator;
                own
            })
            .collect();
        Self {
            table: Projective::normalize_batch(&multiples),
        }
    }

    fn section<W: Write>(
        &self,
        file: &mut binfile::Writer<W>,
        id: u32,
        count: u64,
    ) -> std::io::Result<()> {
        let width = u64::try_from(<Affine<P> as LemPoint>::BYTES).unwrap_or(u64::MAX);
        // Far apart: no section begins with another's points.
        let first = u64::from(id) << 40;
        file.begin_sized(id, count * width)?;
        let mut done = 0;
        while done < count {
            let starts: Vec<u64> = (done..count)
                .step_by(usize::try_from(SHARE).unwrap_or(usize::MAX))
                .take(usize::try_from(SHARES).unwrap_or(usize::MAX))
                .collect();
            let shares: Vec<Vec<u8>> = starts
                .into_par_iter()
                .map(|start| self.share(first + start, SHARE.min(count - start)))
                .collect();
            for share in shares {
                file.write_all(&share)?;
            }
            done += SHARE * SHARES;
        }
        file.end_sized()
    }

    fn share(&self, start: u64, count: u64) -> Vec<u8> {
        let base = Affine::<P>::generator() * Fr::from(start);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let sums: Vec<_> = self
            .table
            .iter()
            .take(count)
            .map(|point| base + point)
            .collect();
        let mut bytes = Vec::with_capacity(count * <Affine<P> as LemPoint>::BYTES);
        for point in Projective::normalize_batch(&sums) {
            point.append_lem(&mut bytes);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use formats::ptau::{MonomialG1, Ptau};

    use super::*;

    #[test]
    fn the_file_reads_as_powers_of_tau_and_is_none() {
        let mut bytes = Vec::new();
        write(3, &mut bytes).unwrap();
        let ptau = Ptau::open(bytes).unwrap();
        assert_eq!(ptau.power(), 3);
        let points: Vec<_> = ptau
            .monomial_g1::<formats::curve::Bn128>(MonomialG1::AlphaTau, 0, 8)
            .unwrap()
            .map(|point| point.unwrap())
            .collect();
        let step = (points[1] - points[0]).into_affine();
        assert_eq!(step, ark_bn254::G1Affine::generator());
        assert_eq!((points[7] - points[6]).into_affine(), step);
    }
}
