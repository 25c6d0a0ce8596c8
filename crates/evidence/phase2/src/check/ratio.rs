//! Equations between a pair of G1 points and a pair of G2 points.

use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::Affine;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, One};
use formats::curve::{CurveParams, G1Affine, G1Projective, G2Affine};
use rayon::prelude::*;

/// Whether e(a, b) = e(c, d).
pub(super) fn pairings_equal<C: CurveParams>(
    a: &G1Projective<C>,
    b: &G2Affine<C>,
    c: &G1Projective<C>,
    d: &G2Affine<C>,
) -> bool {
    product_is_one::<C>(&[(a.into_affine(), *b), ((-*c).into_affine(), *d)])
}

/// Whether the product of all pairings is one.
pub(super) fn product_is_one<C: CurveParams>(pairs: &[(G1Affine<C>, G2Affine<C>)]) -> bool {
    /// Pairs per Miller loop: they share its squarings.
    const CHUNK: usize = 32;
    let miller = pairs
        .par_chunks(CHUNK)
        .map(|pairs| {
            let (g1, g2): (Vec<_>, Vec<_>) = pairs
                .iter()
                .filter(|(a, b)| !is_infinity(a) && !is_infinity(b))
                .copied()
                .unzip();
            C::Pairing::multi_miller_loop(g1, g2).0
        })
        .reduce(<C::Pairing as Pairing>::TargetField::one, |a, b| a * b);
    C::Pairing::final_exponentiation(ark_ec::pairing::MillerLoopOutput(miller))
        .is_some_and(|product| product.0 == <C::Pairing as Pairing>::TargetField::ONE)
}

fn is_infinity<P: ark_ec::short_weierstrass::SWCurveConfig>(point: &Affine<P>) -> bool {
    point.is_zero()
}
