//! The two hashes of a key: its circuit hash and the transcript of its contributions.
//!
//! Points are hashed in U form (`formats::points`), integers as big-endian `u32`, all under
//! BLAKE2b-512 without a key.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use formats::{
    curve::{CurveParams, G1Affine},
    digest::Blake2b512Digest,
    points::{LemPoint, PointError},
    zkey::Contribution,
};

use crate::sums::append_u;

/// First byte of the point at infinity by the older rule.
const FLAG: u8 = 0x40;

/// How the point at infinity is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfinityRule {
    /// As zero bytes: snarkjs 0.7.0 and later.
    Zeros,
    /// With the flag bit 0x40 in its first byte: snarkjs up to 0.6.11.
    Flagged,
}

/// BLAKE2b-512 over points and counts.
#[derive(Clone)]
pub struct PointHasher {
    state: blake2b_simd::State,
    rule: InfinityRule,
    buffer: Vec<u8>,
}

impl PointHasher {
    /// An empty hash.
    #[must_use]
    pub fn new(rule: InfinityRule) -> Self {
        Self {
            state: blake2b_simd::State::new(),
            rule,
            buffer: Vec::new(),
        }
    }

    /// One point in U form.
    pub fn point<P: LemPoint>(&mut self, point: &P) {
        self.buffer.clear();
        point.append_u(&mut self.buffer);
        if self.rule == InfinityRule::Flagged
            && self.buffer.iter().all(|byte| *byte == 0)
            && let Some(first) = self.buffer.first_mut()
        {
            *first = FLAG;
        }
        self.state.update(&self.buffer);
    }

    /// Several points, one after the other.
    pub fn points<P: LemPoint>(&mut self, points: &[P]) {
        for point in points {
            self.point(point);
        }
    }

    /// Points in file form. Only their encoding is checked: whoever computed or read them has checked
    /// the rest.
    ///
    /// # Errors
    /// A coordinate that is not canonical.
    pub fn file_points<P>(&mut self, bytes: &[u8]) -> Result<(), PointError>
    where
        P: SWCurveConfig,
        Affine<P>: LemPoint,
    {
        self.buffer.clear();
        append_u::<P>(bytes, &mut self.buffer)?;
        if self.rule == InfinityRule::Flagged {
            // Infinity, and nothing else, is zeros in this form too.
            for point in self.buffer.chunks_mut(<Affine<P> as LemPoint>::BYTES) {
                if point.iter().all(|byte| *byte == 0)
                    && let Some(first) = point.first_mut()
                {
                    *first = FLAG;
                }
            }
        }
        self.state.update(&self.buffer);
        Ok(())
    }

    /// A count, big-endian.
    pub fn count(&mut self, count: u32) {
        self.state.update(&count.to_be_bytes());
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
    }

    /// The digest of everything so far.
    #[must_use]
    pub fn digest(&self) -> Blake2b512Digest {
        Blake2b512Digest::new(*self.state.finalize().as_array())
    }
}

/// The hash of a key's circuit and of the contributions so far, from which the next contribution's
/// challenge is drawn.
#[derive(Clone)]
pub struct ChainTranscript {
    hasher: PointHasher,
}

impl ChainTranscript {
    /// Before the first contribution.
    #[must_use]
    pub fn new(circuit_hash: &Blake2b512Digest) -> Self {
        let mut hasher = PointHasher::new(InfinityRule::Zeros);
        hasher.bytes(circuit_hash.as_bytes());
        Self { hasher }
    }

    /// The transcript of the next contribution, which begins with these two points.
    #[must_use]
    pub fn challenge<P: LemPoint>(&self, g1_s: &P, g1_sx: &P) -> [u8; 64] {
        let mut hasher = self.hasher.clone();
        hasher.point(g1_s);
        hasher.point(g1_sx);
        *hasher.digest().as_bytes()
    }

    /// Goes on to the contribution after this one.
    pub fn absorb<C: CurveParams>(&mut self, record: &Contribution<C>) {
        absorb(&mut self.hasher, record);
    }
}

/// The hash that identifies a contribution, as snarkjs prints it.
#[must_use]
pub fn contribution_hash<C: CurveParams>(record: &Contribution<C>) -> Blake2b512Digest {
    let mut hasher = PointHasher::new(InfinityRule::Zeros);
    absorb(&mut hasher, record);
    hasher.digest()
}

fn absorb<C: CurveParams>(hasher: &mut PointHasher, record: &Contribution<C>) {
    hasher.points::<G1Affine<C>>(&[record.delta_after, record.g1_s, record.g1_sx]);
    hasher.point(&record.g2_spx);
    hasher.bytes(&record.transcript);
}

#[cfg(test)]
mod tests {
    use ark_bn254::G1Affine;
    use ark_ec::AffineRepr;

    use super::*;

    #[test]
    fn the_rules_differ_at_infinity_only() {
        let digest = |rule, point: &G1Affine| {
            let mut hasher = PointHasher::new(rule);
            hasher.point(point);
            hasher.digest()
        };
        let generator = G1Affine::generator();
        assert_eq!(
            digest(InfinityRule::Zeros, &generator),
            digest(InfinityRule::Flagged, &generator)
        );
        let mut flagged = [0; 64];
        assert_eq!(
            digest(InfinityRule::Zeros, &G1Affine::identity()),
            Blake2b512Digest::of(&flagged)
        );
        flagged[0] = 0x40;
        assert_eq!(
            digest(InfinityRule::Flagged, &G1Affine::identity()),
            Blake2b512Digest::of(&flagged)
        );
    }

    #[test]
    fn counts_are_big_endian() {
        let mut hasher = PointHasher::new(InfinityRule::Zeros);
        hasher.count(0x0102_0304);
        hasher.bytes(b"x");
        assert_eq!(hasher.digest(), Blake2b512Digest::of(b"\x01\x02\x03\x04x"));
    }
}
