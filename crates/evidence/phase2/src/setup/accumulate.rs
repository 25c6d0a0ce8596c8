//! Sums of multiples of points, one sum per signal, for a range of signals.

use std::ops::Range;

use ark_ec::{
    AffineRepr, CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, Zero};
use rayon::prelude::*;

/// `coefficient · base[row]` belongs to the sum of `signal`.
#[derive(Clone, Copy)]
pub(super) struct Term<F> {
    /// Index of the base point in its chunk.
    pub(super) row: usize,
    /// Signal, counted from the start of the range.
    pub(super) signal: usize,
    pub(super) coefficient: F,
}

/// The sums of a range of signals.
pub(super) struct Sums<P: SWCurveConfig> {
    range: Range<u64>,
    sums: Vec<Projective<P>>,
}

impl<P: SWCurveConfig> Sums<P> {
    /// Zero for every signal of the range. Allocates one projective point per signal.
    pub(super) fn new(range: Range<u64>) -> Self {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        Self {
            range,
            sums: vec![Projective::ZERO; length],
        }
    }

    /// Bytes that one signal takes.
    pub(super) const fn bytes_per_signal() -> usize {
        size_of::<Projective<P>>()
    }

    /// Position of a signal in the range, `None` outside it.
    pub(super) fn position(&self, signal: u32) -> Option<usize> {
        let signal = u64::from(signal);
        if !self.range.contains(&signal) {
            return None;
        }
        usize::try_from(signal - self.range.start).ok()
    }

    /// Adds the terms, whose rows index `bases` and are in ascending order. Terms with a row or a
    /// position out of bounds would be lost, so callers take positions from [`Sums::position`] and
    /// rows from the same chunk.
    pub(super) fn add(&mut self, bases: &[Affine<P>], terms: &[Term<P::ScalarField>]) {
        let products: Vec<Vec<Product<P>>> = rows(terms)
            .into_par_iter()
            .map(|terms| multiples(bases, terms))
            .collect();
        let shards = rayon::current_num_threads().max(1);
        let shard = self.sums.len().div_ceil(shards).max(1);
        self.sums
            .par_chunks_mut(shard)
            .enumerate()
            .for_each(|(index, sums)| {
                let start = index * shard;
                for (term, product) in terms.iter().zip(products.iter().flatten()) {
                    let own = term.signal.checked_sub(start).and_then(|i| sums.get_mut(i));
                    if let Some(sum) = own {
                        match product {
                            Product::Affine(point) => *sum += point,
                            Product::Projective(point) => *sum += point,
                        }
                    }
                }
            });
    }

    /// The sums in affine coordinates, in pieces, in signal order.
    pub(super) fn into_affine_chunks(
        self,
        chunk: usize,
    ) -> impl Iterator<Item = (Range<u64>, Vec<Affine<P>>)> {
        let start = self.range.start;
        let mut done = 0;
        std::iter::from_fn(move || {
            let end = self.sums.len().min(done + chunk);
            let part = self.sums.get(done..end).filter(|part| !part.is_empty())?;
            let step = part.len().div_ceil(rayon::current_num_threads().max(1));
            let points: Vec<Vec<Affine<P>>> = part
                .par_chunks(step)
                .map(Projective::normalize_batch)
                .collect();
            let offset = |index: usize| start + u64::try_from(index).unwrap_or(u64::MAX);
            let range = offset(done)..offset(end);
            done = end;
            Some((range, points.concat()))
        })
    }
}

enum Product<P: SWCurveConfig> {
    Affine(Affine<P>),
    Projective(Projective<P>),
}

/// Runs of terms with the same row.
fn rows<F: PrimeField>(terms: &[Term<F>]) -> Vec<&[Term<F>]> {
    terms.chunk_by(|a, b| a.row == b.row).collect()
}

/// The products of one row. Doublings of the base are computed once for all its terms, which is
/// what a decomposition into bits needs.
fn multiples<P: SWCurveConfig>(
    bases: &[Affine<P>],
    terms: &[Term<P::ScalarField>],
) -> Vec<Product<P>> {
    let base = terms
        .first()
        .and_then(|term| bases.get(term.row))
        .copied()
        .unwrap_or(Affine::identity());
    let mut doublings = Doublings::new(base);
    terms
        .iter()
        .map(|term| {
            let (negative, size) = signed(term.coefficient);
            if size == P::ScalarField::ONE.into_bigint() {
                return Product::Affine(if negative { -base } else { base });
            }
            let product = doublings.multiple(&size);
            Product::Projective(if negative { -product } else { product })
        })
        .collect()
}

/// Sign and size of the representative of least absolute value: circuits are full of small
/// negative coefficients.
fn signed<F: PrimeField>(value: F) -> (bool, F::BigInt) {
    let size = value.into_bigint();
    if size > F::MODULUS_MINUS_ONE_DIV_TWO {
        (true, (-value).into_bigint())
    } else {
        (false, size)
    }
}

/// 1, 2, 4, … times a point, as far as they were needed.
struct Doublings<P: SWCurveConfig> {
    powers: Vec<Projective<P>>,
}

impl<P: SWCurveConfig> Doublings<P> {
    fn new(base: Affine<P>) -> Self {
        Self {
            powers: vec![base.into_group()],
        }
    }

    fn multiple<B: BigInteger>(&mut self, size: &B) -> Projective<P> {
        let mut sum = Projective::zero();
        for (bit, digit) in size.find_wnaf(2).into_iter().flatten().enumerate() {
            if digit == 0 {
                continue;
            }
            while let (true, Some(last)) = (self.powers.len() <= bit, self.powers.last()) {
                let next = last.double();
                self.powers.push(next);
            }
            if let Some(power) = self.powers.get(bit) {
                if digit < 0 {
                    sum -= power;
                } else {
                    sum += power;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G1Projective, g1};
    use ark_ec::PrimeGroup;

    use super::*;

    #[test]
    fn sums_agree_with_the_library() {
        let bases: Vec<G1Affine> = (1..=5_u64)
            .map(|i| (G1Projective::generator() * Fr::from(i * 31)).into_affine())
            .chain([G1Affine::identity()])
            .collect();
        let coefficients = [
            Fr::from(0),
            Fr::from(1),
            -Fr::from(1),
            Fr::from(2),
            -Fr::from(6),
            Fr::from(1_u64 << 40),
            Fr::from(3).inverse().unwrap(),
            -Fr::from(2_u64).pow([200]),
        ];
        let mut terms = Vec::new();
        for row in 0..bases.len() {
            for (i, coefficient) in coefficients.iter().enumerate() {
                terms.push(Term {
                    row,
                    signal: (row * 3 + i) % 4,
                    coefficient: *coefficient,
                });
            }
        }
        let mut expected = vec![G1Projective::ZERO; 4];
        for term in &terms {
            expected[term.signal] += bases[term.row] * term.coefficient;
        }
        let mut sums = Sums::<g1::Config>::new(10..14);
        sums.add(&bases, &terms);
        let points: Vec<G1Affine> = sums
            .into_affine_chunks(3)
            .flat_map(|(_, points)| points)
            .collect();
        assert_eq!(points, G1Projective::normalize_batch(&expected));
    }

    #[test]
    fn chunks_cover_the_range_in_order() {
        let sums = Sums::<g1::Config>::new(7..17);
        assert_eq!(sums.position(6), None);
        assert_eq!(sums.position(7), Some(0));
        assert_eq!(sums.position(16), Some(9));
        assert_eq!(sums.position(17), None);
        let ranges: Vec<_> = sums.into_affine_chunks(4).map(|(range, _)| range).collect();
        assert_eq!(ranges, [7..11, 11..15, 15..17]);
    }
}
