//! Scalars of the sections, chunk by chunk.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, FftField, Field, batch_inversion};

/// factor·base^start, factor·base^(start+1), …
pub(crate) fn powers(base: Fr, factor: Fr, start: u64, count: usize) -> Vec<Fr> {
    let mut next = factor * base.pow([start]);
    (0..count)
        .map(|_| {
            let current = next;
            next *= base;
            current
        })
        .collect()
}

/// The Lagrange basis of one domain of 2^k roots of unity, evaluated at tau.
pub(crate) struct Basis {
    tau: Fr,
    root: Fr,
    /// (tau^N - 1) / N
    scale: Fr,
    /// tau^(N-1) / N where the basis lacks the highest power, else zero.
    missing: Fr,
}

impl Basis {
    /// `None` when the field has no root of unity of order 2^k.
    pub(crate) fn new(tau: Fr, k: u32, lacks_top_power: bool) -> Option<Self> {
        let size = 1_u64.checked_shl(k)?;
        let root = Fr::get_root_of_unity(size)?;
        let inverse_size = Fr::from(size).inverse()?;
        let missing = if lacks_top_power {
            tau.pow([size - 1]) * inverse_size
        } else {
            Fr::ZERO
        };
        Some(Self {
            tau,
            root,
            scale: (tau.pow([size]) - Fr::ONE) * inverse_size,
            missing,
        })
    }

    /// factor·L_i(tau) for `count` values of i from `start`: L_i = scale·ω^i / (tau - ω^i).
    pub(crate) fn values(&self, factor: Fr, start: u64, count: usize) -> Vec<Fr> {
        let roots = powers(self.root, Fr::ONE, start, count);
        let mut values: Vec<Fr> = roots.iter().map(|root| self.tau - root).collect();
        batch_inversion(&mut values);
        for (value, root) in values.iter_mut().zip(&roots) {
            *value = factor * *root * (self.scale * *value - self.missing);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basis_interpolates_powers_of_tau() {
        let tau = Fr::from(12_345_678_901_u64);
        for k in 0..6 {
            let size = 1_u64 << k;
            let basis = Basis::new(tau, k, false).unwrap();
            let values = basis.values(Fr::ONE, 0, usize::try_from(size).unwrap());
            for exponent in 0..size {
                let root = Fr::get_root_of_unity(size).unwrap();
                let sum: Fr = (0_u64..)
                    .zip(&values)
                    .map(|(i, value)| root.pow([i * exponent]) * value)
                    .sum();
                assert_eq!(sum, tau.pow([exponent]), "k = {k}");
            }
        }
    }

    #[test]
    fn the_short_basis_sends_the_top_power_to_zero() {
        let tau = Fr::from(987_654_321_u64);
        let size = 16_u64;
        let root = Fr::get_root_of_unity(size).unwrap();
        let values = Basis::new(tau, 4, true).unwrap().values(Fr::ONE, 0, 16);
        let at = |exponent: u64| -> Fr {
            (0_u64..)
                .zip(&values)
                .map(|(i, value)| root.pow([i * exponent]) * value)
                .sum()
        };
        assert_eq!(at(14), tau.pow([14]));
        assert_eq!(at(15), Fr::ZERO);
    }

    #[test]
    fn chunks_join() {
        let basis = Basis::new(Fr::from(99), 5, true).unwrap();
        let whole = basis.values(Fr::from(3), 0, 32);
        let joined: Vec<Fr> = [(0, 5), (5, 20), (25, 7)]
            .into_iter()
            .flat_map(|(start, count)| basis.values(Fr::from(3), start, count))
            .collect();
        assert_eq!(whole, joined);
    }
}
