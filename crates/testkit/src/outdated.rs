//! An initial key as programs before snarkjs 0.7.0 wrote it.

use std::error::Error;

use formats::curve::Bn128;
use formats::points::{LemPoint, PointReader};
use formats::ptau::Ptau;
use formats::source::Source;
use formats::zkey::{ZKey, ZKeySection};
use phase2::setup::hash_h_differences;
use phase2::transcript::{InfinityRule, PointHasher};

/// `initial` (bn128, with a point at infinity in it) with the circuit hash of the old rule, which
/// hashes such points with a flag bit. Empty when `initial` and `ptau` are not such files.
#[must_use]
pub fn outdated_initial_key(initial: &[u8], ptau: &[u8]) -> Vec<u8> {
    rewrite(initial, ptau).unwrap_or_default()
}

fn rewrite(initial: &[u8], ptau: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = ZKey::open(initial)?;
    let points = key.key_points::<Bn128>()?;
    let mut hasher = PointHasher::new(InfinityRule::Flagged);
    hasher.points(&[points.alpha1, points.beta1]);
    hasher.points(&[points.beta2, points.gamma2]);
    hasher.point(&points.delta1);
    hasher.point(&points.delta2);
    run(&mut hasher, key.g1_points::<Bn128>(ZKeySection::Ic)?)?;
    hash_h_differences::<Bn128, _>(&Ptau::open(ptau)?, key.header().power(), &mut hasher)?;
    for section in [ZKeySection::C, ZKeySection::A, ZKeySection::B1] {
        run(&mut hasher, key.g1_points::<Bn128>(section)?)?;
    }
    run(&mut hasher, key.b2_points::<Bn128>()?)?;

    // The hash is the first field of the contributions' section.
    let section = key.table().get(10)?;
    let start = usize::try_from(section.offset)?;
    let mut bytes = initial.to_vec();
    let field = bytes.get_mut(start..).and_then(|rest| rest.get_mut(..64));
    let field = field.ok_or("no circuit hash")?;
    field.copy_from_slice(hasher.digest().as_bytes());
    Ok(bytes)
}

fn run<S: Source, P: LemPoint>(
    hasher: &mut PointHasher,
    mut reader: PointReader<'_, S, P>,
) -> Result<(), Box<dyn Error>> {
    hasher.count(u32::try_from(reader.remaining())?);
    let mut points = Vec::new();
    while reader.remaining() > 0 {
        reader.read_chunk(&mut points, 1 << 10)?;
        hasher.points(&points);
    }
    Ok(())
}
