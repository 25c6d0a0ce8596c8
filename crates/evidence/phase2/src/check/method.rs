//! Two ways to compare a key with its circuit, and which one is cheaper.

use super::linear::coefficient_digits;
use crate::setup::{Additions, Shape};

/// How the sections that depend on the circuit are compared with it. Both ways refuse the same keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every point is computed anew and compared byte for byte. What contributions multiply (sections
    /// 8 and 9) is compared by a random linear combination of both keys' points.
    Recompute,
    /// Random linear combinations of the key's points and of the powers of tau: one multiplication for
    /// all of a constraint's terms.
    Combine,
}

/// Which keys are checked: of an initial key all sections can be compared byte for byte; the circuit
/// hash of a finished one needs section 8 computed anew by either method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Initial,
    Finished,
}

/// Price of an addition in G2, in additions in G1. Eight-lane code and the library agree on it.
const G2: u64 = 3;

impl Method {
    /// The one with fewer additions, G1 with its endomorphism or without. All else that the methods do is
    /// small beside them.
    pub(super) fn cheaper(shape: &Shape, wires: u64, stage: Stage, endomorphism: bool) -> Self {
        if recompute(shape, stage, endomorphism) <= combine(shape, wires, stage) {
            Self::Recompute
        } else {
            Self::Combine
        }
    }
}

/// Additions in G1 to compute the points anew, without those that either method takes.
fn recompute(shape: &Shape, stage: Stage, endomorphism: bool) -> u64 {
    let Additions {
        digits: [a, b, c],
        doublings: [a2, b2, c2],
        doublings_a_b,
    } = if endomorphism {
        shape.with_endomorphism
    } else {
        shape.base_two
    };
    let [_, b_in_g2, _] = shape.base_two.digits;
    let [_, b2_in_g2, _] = shape.base_two.doublings;
    let a_and_b = a + b + doublings_a_b + G2 * (b_in_g2 + b2_in_g2);
    match stage {
        Stage::Finished => a_and_b,
        // K = β·A + α·B + C.
        Stage::Initial => a_and_b + a + b + c + a2 + b2 + c2,
    }
}

/// Additions in G1 for the combinations on the side of the powers of tau, and on the side of the key:
/// A, B1 and B2, of an initial one K too.
fn combine(shape: &Shape, wires: u64, stage: Stage) -> u64 {
    let [a, b, c] = shape.scalar_digits;
    let (powers, sections) = match stage {
        Stage::Finished => (a + (1 + G2) * b, 2 + G2),
        Stage::Initial => (2 * a + (2 + G2) * b + c, 3 + G2),
    };
    powers + wires * sections * coefficient_digits(wires)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(terms: u64, digits: u64, doublings: u64) -> Shape {
        let additions = Additions {
            digits: [digits; 3],
            doublings: [doublings; 3],
            doublings_a_b: doublings,
        };
        Shape {
            terms: [terms; 3],
            base_two: additions,
            with_endomorphism: Additions::default(),
            scalar_digits: [254_u64.div_ceil(12); 3],
        }
    }

    #[test]
    fn sparse_circuits_are_computed_anew_and_dense_ones_combined() {
        for stage in [Stage::Initial, Stage::Finished] {
            let method = |shape| Method::cheaper(&shape, 1, stage, false);
            assert_eq!(method(shape(1, 1, 0)), Method::Recompute);
            assert_eq!(method(shape(3, 3, 8)), Method::Recompute);
            assert_eq!(method(shape(60, 60 * 85, 254)), Method::Combine);
            // In G2 there is no endomorphism: what is dear there stays so.
            let dense = shape(60, 60 * 85, 254);
            assert_eq!(Method::cheaper(&dense, 1, stage, true), Method::Combine);
            let mut in_g1_alone = dense;
            in_g1_alone.base_two = Additions::default();
            assert_eq!(
                Method::cheaper(&in_g1_alone, 1, stage, true),
                Method::Recompute
            );
        }
    }
}
