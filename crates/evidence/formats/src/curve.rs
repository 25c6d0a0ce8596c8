//! The two curves whose keys exist in these formats, and what differs between them.

use std::fmt;

use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{Field, PrimeField};

use crate::points::{Coordinate, LemField};

/// Curve of a file, found by the moduli in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// BN254, called `bn128` in the trade: the curve of the EVM's precompiles.
    Bn128,
    /// BLS12-381.
    Bls12381,
}

impl Curve {
    const ALL: [Self; 2] = [Self::Bn128, Self::Bls12381];

    /// The name that circom and snarkjs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bn128 => "bn128",
            Self::Bls12381 => "bls12381",
        }
    }

    /// Bytes of a base field element.
    pub const fn n8q(self) -> usize {
        match self {
            Self::Bn128 => 32,
            Self::Bls12381 => 48,
        }
    }

    /// Bytes of a scalar field element: 32 on both curves.
    pub const fn n8r(self) -> usize {
        32
    }

    /// Bytes of an affine G1 point.
    pub const fn g1_bytes(self) -> usize {
        2 * self.n8q()
    }

    /// Bytes of an affine G2 point.
    pub const fn g2_bytes(self) -> usize {
        4 * self.n8q()
    }

    /// The largest s for which the scalar field has a root of unity of order 2^s.
    pub const fn two_adicity(self) -> u32 {
        match self {
            Self::Bn128 => 28,
            Self::Bls12381 => 32,
        }
    }

    /// The modulus of the base field, little-endian.
    pub fn base_modulus(self) -> Vec<u8> {
        match self {
            Self::Bn128 => modulus_le::<ark_bn254::Fq>(),
            Self::Bls12381 => modulus_le::<ark_bls12_381::Fq>(),
        }
    }

    /// The modulus of the scalar field, little-endian: the prime of the r1cs.
    pub fn scalar_modulus(self) -> Vec<u8> {
        match self {
            Self::Bn128 => modulus_le::<ark_bn254::Fr>(),
            Self::Bls12381 => modulus_le::<ark_bls12_381::Fr>(),
        }
    }

    /// The curve with this base field modulus (little-endian, exact length).
    pub fn from_base_modulus(modulus: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|curve| curve.base_modulus() == modulus)
    }

    /// The curve with this scalar field modulus (little-endian, exact length).
    pub fn from_scalar_modulus(modulus: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|curve| curve.scalar_modulus() == modulus)
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn modulus_le<F: PrimeField>() -> Vec<u8> {
    F::MODULUS
        .as_ref()
        .iter()
        .flat_map(|limb| limb.to_le_bytes())
        .collect()
}

/// Types and constants of one curve, for code that is generic over it.
pub trait CurveParams: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Which one it is.
    const CURVE: Curve;

    /// Width of random digits, in bits, for which a random linear combination with independent
    /// digits finds any G1 point outside the prime-order subgroup with probability 1 - 2^-bits:
    /// every prime factor of the cofactor exceeds 2^bits. `None`: the cofactor is 1, there is no
    /// such point. `Some(0)`: a small factor, test each point.
    const G1_SUBGROUP_DIGIT_BITS: Option<u32>;

    /// The same for G2.
    const G2_SUBGROUP_DIGIT_BITS: Option<u32>;

    /// Base field.
    type Fq: LemField;
    /// Coordinates of G2.
    type Fq2: Coordinate;
    /// Scalar field.
    type Fr: LemField;
    /// G1.
    type G1Config: SWCurveConfig<BaseField = Self::Fq, ScalarField = Self::Fr>;
    /// G2.
    type G2Config: SWCurveConfig<BaseField = Self::Fq2, ScalarField = Self::Fr>;
    /// The pairing of the two.
    type Pairing: Pairing<
            BaseField = Self::Fq,
            ScalarField = Self::Fr,
            G1 = Projective<Self::G1Config>,
            G1Affine = Affine<Self::G1Config>,
            G2 = Projective<Self::G2Config>,
            G2Affine = Affine<Self::G2Config>,
        >;

    /// The root of unity of order 2^log2 that the iden3 tools use: a power of `5^t` with
    /// r - 1 = 2^s t, 5 being the smallest non-residue on both curves. On BLS12-381 this is not
    /// arkworks's root. `None` when the field has no such root.
    fn root_of_unity(log2: u32) -> Option<Self::Fr> {
        let steps = Self::CURVE.two_adicity().checked_sub(log2)?;
        let mut root = Self::Fr::from(5u64).pow(Self::Fr::TRACE);
        for _ in 0..steps {
            root.square_in_place();
        }
        Some(root)
    }
}

/// Affine G1 points of a curve.
pub type G1Affine<C> = Affine<<C as CurveParams>::G1Config>;
/// Affine G2 points of a curve.
pub type G2Affine<C> = Affine<<C as CurveParams>::G2Config>;
/// Projective G1 points of a curve.
pub type G1Projective<C> = Projective<<C as CurveParams>::G1Config>;
/// Projective G2 points of a curve.
pub type G2Projective<C> = Projective<<C as CurveParams>::G2Config>;

/// BN254.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bn128;

impl CurveParams for Bn128 {
    const CURVE: Curve = Curve::Bn128;
    const G1_SUBGROUP_DIGIT_BITS: Option<u32> = None;
    // The cofactor is 10069 * 5864401 * (a large factor), and 2^13 < 10069.
    const G2_SUBGROUP_DIGIT_BITS: Option<u32> = Some(13);
    type Fq = ark_bn254::Fq;
    type Fq2 = ark_bn254::Fq2;
    type Fr = ark_bn254::Fr;
    type G1Config = ark_bn254::g1::Config;
    type G2Config = ark_bn254::g2::Config;
    type Pairing = ark_bn254::Bn254;
}

/// BLS12-381.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bls12381;

impl CurveParams for Bls12381 {
    const CURVE: Curve = Curve::Bls12381;
    const G1_SUBGROUP_DIGIT_BITS: Option<u32> = Some(0);
    const G2_SUBGROUP_DIGIT_BITS: Option<u32> = Some(0);
    type Fq = ark_bls12_381::Fq;
    type Fq2 = ark_bls12_381::Fq2;
    type Fr = ark_bls12_381::Fr;
    type G1Config = ark_bls12_381::g1::Config;
    type G2Config = ark_bls12_381::g2::Config;
    type Pairing = ark_bls12_381::Bls12_381;
}

#[cfg(test)]
mod tests {
    use ark_ff::{FftField, One};

    use super::*;

    #[test]
    fn constants_agree_with_the_fields() {
        for curve in Curve::ALL {
            assert_eq!(curve.base_modulus().len(), curve.n8q());
            assert_eq!(curve.scalar_modulus().len(), curve.n8r());
            assert_eq!(Curve::from_base_modulus(&curve.base_modulus()), Some(curve));
            assert_eq!(
                Curve::from_scalar_modulus(&curve.scalar_modulus()),
                Some(curve)
            );
        }
        assert_eq!(
            Curve::from_scalar_modulus(&Curve::Bn128.base_modulus()),
            None
        );
        assert_eq!(ark_bn254::Fr::TWO_ADICITY, Curve::Bn128.two_adicity());
        assert_eq!(
            ark_bls12_381::Fr::TWO_ADICITY,
            Curve::Bls12381.two_adicity()
        );
    }

    #[test]
    fn roots_have_their_order() {
        fn check<C: CurveParams>() {
            for log2 in 0..=C::CURVE.two_adicity() {
                let root = C::root_of_unity(log2).unwrap();
                assert!(root.pow([1u64 << log2]).is_one());
                assert!(log2 == 0 || root.pow([1u64 << (log2 - 1)]) == -C::Fr::one());
            }
            assert_eq!(C::root_of_unity(C::CURVE.two_adicity() + 1), None);
        }
        check::<Bn128>();
        check::<Bls12381>();
        assert_eq!(
            Bn128::root_of_unity(28),
            ark_bn254::Fr::get_root_of_unity(1 << 28)
        );
        assert_ne!(
            Bls12381::root_of_unity(32),
            ark_bls12_381::Fr::get_root_of_unity(1 << 32)
        );
    }
}
