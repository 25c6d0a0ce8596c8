//! The file, section after section, in fixed buffers.

use std::io::Write;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{
    PrimeGroup,
    scalar_mul::{BatchMulPreprocessing, ScalarMul},
};
use ark_ff::Field;
use formats::{
    binfile,
    curve::Curve,
    points::LemPoint,
    progress::{ProgressSink, Unit},
};

use crate::{
    error::DevPtauError,
    lagrange::{Basis, powers},
    secrets::KnownSecrets,
};

/// Largest power: section 12 has a block of twice the size, and 2^28 is the largest domain.
pub const MAX_POWER: u32 = 27;

/// Points computed at a time.
const CHUNK: u64 = 1 << 13;
/// Tables are sized for at most this many multiplications, which keeps each below 50 MB.
const TABLE_SCALARS: u64 = 1 << 20;

const G1_BYTES: u64 = 64;
const G2_BYTES: u64 = 128;
const MAGIC: [u8; 4] = *b"ptau";
const VERSION: u32 = 1;
const SECTIONS: u32 = 11;

/// Bytes of a file of this power.
pub fn file_size(power: u32) -> Result<u64, DevPtauError> {
    let sections: u64 = Layout::of(power)?
        .points()
        .iter()
        .map(|(_, points, width)| points * width)
        .sum();
    Ok(12 + 12 * u64::from(SECTIONS) + 44 + 4 + sections)
}

/// Writes a prepared ptau of the given power. Deterministic: the same bytes on every machine.
///
/// Memory: two tables of at most 50 MB each and buffers of [`CHUNK`] points, for every power.
/// Progress: one step, in points. SIMULATION ONLY: see [`KnownSecrets`].
pub fn write<W: Write>(
    power: u32,
    out: &mut W,
    progress: &dyn ProgressSink,
) -> Result<(), DevPtauError> {
    let layout = Layout::of(power)?;
    let total = layout.points().iter().map(|(_, points, _)| points).sum();
    progress.step("development ptau", Unit::Points, Some(total));

    let KnownSecrets { tau, alpha, beta } = KnownSecrets::published();
    let one = Fr::ONE;
    let mut g1 = Group::new(G1Projective::generator(), total, progress);
    let mut g2 = Group::new(G2Projective::generator(), layout.size * 3, progress);
    let mut file = binfile::Writer::new(out, MAGIC, VERSION, SECTIONS)?;

    file.section(1, &header(power))?;
    g1.powers(&mut file, 2, tau, one, 2 * layout.size - 1)?;
    g2.powers(&mut file, 3, tau, one, layout.size)?;
    g1.powers(&mut file, 4, tau, alpha, layout.size)?;
    g1.powers(&mut file, 5, tau, beta, layout.size)?;
    g2.powers(&mut file, 6, tau, beta, 1)?;
    file.section(7, &0_u32.to_le_bytes())?;
    g1.lagrange(&mut file, 12, tau, one, power, Some(power + 1))?;
    g2.lagrange(&mut file, 13, tau, one, power, None)?;
    g1.lagrange(&mut file, 14, tau, alpha, power, None)?;
    g1.lagrange(&mut file, 15, tau, beta, power, None)?;
    file.finish()?;
    Ok(())
}

/// Sizes that follow from the power.
struct Layout {
    /// 2^power
    size: u64,
}

impl Layout {
    fn of(power: u32) -> Result<Self, DevPtauError> {
        if (1..=MAX_POWER).contains(&power) {
            Ok(Self { size: 1 << power })
        } else {
            Err(DevPtauError::PowerOutOfRange {
                power,
                max: MAX_POWER,
            })
        }
    }

    /// Section, points, bytes of a point.
    fn points(&self) -> [(u32, u64, u64); 9] {
        let size = self.size;
        [
            (2, 2 * size - 1, G1_BYTES),
            (3, size, G2_BYTES),
            (4, size, G1_BYTES),
            (5, size, G1_BYTES),
            (6, 1, G2_BYTES),
            (12, 4 * size - 1, G1_BYTES),
            (13, 2 * size - 1, G2_BYTES),
            (14, 2 * size - 1, G1_BYTES),
            (15, 2 * size - 1, G1_BYTES),
        ]
    }
}

/// `u32 n8q | q | u32 power | u32 ceremonyPower`
fn header(power: u32) -> Vec<u8> {
    let modulus = Curve::Bn128.base_modulus();
    let mut bytes = Vec::with_capacity(44);
    bytes.extend_from_slice(&32_u32.to_le_bytes());
    bytes.extend_from_slice(&modulus);
    bytes.extend_from_slice(&power.to_le_bytes());
    bytes.extend_from_slice(&power.to_le_bytes());
    bytes
}

/// Multiples of a group's generator, written as sections.
struct Group<'a, G: ScalarMul> {
    table: BatchMulPreprocessing<G>,
    progress: &'a dyn ProgressSink,
    buffer: Vec<u8>,
}

impl<'a, G> Group<'a, G>
where
    G: ScalarMul<ScalarField = Fr>,
    G::MulBase: LemPoint,
{
    fn new(generator: G, scalars: u64, progress: &'a dyn ProgressSink) -> Self {
        let scalars = usize::try_from(scalars.min(TABLE_SCALARS)).unwrap_or(usize::MAX);
        Self {
            table: BatchMulPreprocessing::new(generator, scalars),
            progress,
            buffer: Vec::new(),
        }
    }

    /// factor·tau^i·G for i below `points`.
    fn powers<W: Write>(
        &mut self,
        file: &mut binfile::Writer<W>,
        id: u32,
        tau: Fr,
        factor: Fr,
        points: u64,
    ) -> Result<(), DevPtauError> {
        file.begin_sized(id, points * Self::point_bytes())?;
        self.chunks(file, points, |start, count| {
            powers(tau, factor, start, count)
        })?;
        file.end_sized()?;
        Ok(())
    }

    /// factor·L_i(tau)·G for the domains of 1, 2, …, 2^power points and, where a `top` domain is
    /// given, for that one without its highest power.
    fn lagrange<W: Write>(
        &mut self,
        file: &mut binfile::Writer<W>,
        id: u32,
        tau: Fr,
        factor: Fr,
        power: u32,
        top: Option<u32>,
    ) -> Result<(), DevPtauError> {
        let domains = (0..=power)
            .map(|k| (k, false))
            .chain(top.map(|k| (k, true)));
        let points: u64 = domains.clone().map(|(k, _)| 1_u64 << k).sum();
        file.begin_sized(id, points * Self::point_bytes())?;
        for (k, lacks_top_power) in domains {
            let basis =
                Basis::new(tau, k, lacks_top_power).ok_or(DevPtauError::PowerOutOfRange {
                    power,
                    max: MAX_POWER,
                })?;
            self.chunks(file, 1 << k, |start, count| {
                basis.values(factor, start, count)
            })?;
        }
        file.end_sized()?;
        Ok(())
    }

    fn chunks<W: Write>(
        &mut self,
        file: &mut W,
        points: u64,
        scalars: impl Fn(u64, usize) -> Vec<Fr>,
    ) -> Result<(), DevPtauError> {
        let mut start = 0;
        while start < points {
            if self.progress.is_cancelled() {
                return Err(DevPtauError::Cancelled);
            }
            let count = CHUNK.min(points - start);
            let scalars = scalars(start, usize::try_from(count).unwrap_or(usize::MAX));
            self.buffer.clear();
            for point in self.table.batch_mul(&scalars) {
                point.append_lem(&mut self.buffer);
            }
            file.write_all(&self.buffer)?;
            self.progress.advance(count);
            start += count;
        }
        Ok(())
    }

    fn point_bytes() -> u64 {
        u64::try_from(<G::MulBase as LemPoint>::BYTES).unwrap_or(u64::MAX)
    }
}
