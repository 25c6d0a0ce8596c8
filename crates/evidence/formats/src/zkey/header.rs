//! Section 2: counts and the single points of the key.

use super::{ZKeyError, ZKeySection, io};
use crate::binfile::SectionTable;
use crate::curve::{Bls12381, Bn128, Curve, CurveParams, G1Affine, G2Affine};
use crate::points::LemPoint;
use crate::source::Source;

/// Counts of the key, and its single points still as bytes (already checked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZKeyHeader {
    /// Curve of the key.
    pub curve: Curve,
    /// Wires of the circuit, the constant one included.
    pub n_vars: u32,
    /// Public signals, without the constant; below `n_vars`.
    pub n_public: u32,
    /// Size of the evaluation domain: a power of two.
    pub domain_size: u32,
    points: Vec<u8>,
}

/// The single points of a key. Each is canonical, on its curve and in the subgroup of prime order;
/// each may still be the point at infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPoints<C: CurveParams> {
    /// alpha in G1.
    pub alpha1: G1Affine<C>,
    /// beta in G1.
    pub beta1: G1Affine<C>,
    /// beta in G2.
    pub beta2: G2Affine<C>,
    /// gamma in G2.
    pub gamma2: G2Affine<C>,
    /// delta in G1.
    pub delta1: G1Affine<C>,
    /// delta in G2.
    pub delta2: G2Affine<C>,
}

impl<C: CurveParams> KeyPoints<C> {
    fn read(bytes: &[u8]) -> Result<Self, ZKeyError> {
        fn next<P: LemPoint>(rest: &mut &[u8], name: &'static str) -> Result<P, ZKeyError> {
            let (point, after) = rest.split_at_checked(P::BYTES).unwrap_or((*rest, &[]));
            *rest = after;
            P::from_lem_in_subgroup(point).map_err(|source| ZKeyError::HeaderPoint { name, source })
        }
        let mut rest = bytes;
        Ok(Self {
            alpha1: next(&mut rest, "alpha1")?,
            beta1: next(&mut rest, "beta1")?,
            beta2: next(&mut rest, "beta2")?,
            gamma2: next(&mut rest, "gamma2")?,
            delta1: next(&mut rest, "delta1")?,
            delta2: next(&mut rest, "delta2")?,
        })
    }

    fn append_lem(&self, out: &mut Vec<u8>) {
        self.alpha1.append_lem(out);
        self.beta1.append_lem(out);
        self.beta2.append_lem(out);
        self.gamma2.append_lem(out);
        self.delta1.append_lem(out);
        self.delta2.append_lem(out);
    }
}

impl ZKeyHeader {
    /// A header to be written. The counts are checked as when read.
    pub fn new<C: CurveParams>(
        n_vars: u32,
        n_public: u32,
        domain_size: u32,
        key_points: &KeyPoints<C>,
    ) -> Result<Self, ZKeyError> {
        let mut points = Vec::new();
        key_points.append_lem(&mut points);
        let header = Self {
            curve: C::CURVE,
            n_vars,
            n_public,
            domain_size,
            points,
        };
        header.check_counts()?;
        Ok(header)
    }

    /// The same counts with other points.
    pub fn with_points<C: CurveParams>(&self, points: &KeyPoints<C>) -> Result<Self, ZKeyError> {
        Self::new(self.n_vars, self.n_public, self.domain_size, points)
    }

    pub(super) fn read<S: Source>(source: &S, table: &SectionTable) -> Result<Self, ZKeyError> {
        const WHAT: &str = "zkey header";
        let section = table.get(ZKeySection::Header.id())?;
        let mut reader = section.reader(source, WHAT)?;
        let n8q = reader.read_u32().map_err(io(WHAT))?;
        let mut q = match n8q {
            32 => vec![0; 32],
            48 => vec![0; 48],
            _ => return Err(ZKeyError::UnknownCurve { n8q, n8r: 0 }),
        };
        reader.read_exact(&mut q).map_err(io(WHAT))?;
        let n8r = reader.read_u32().map_err(io(WHAT))?;
        let unknown = || ZKeyError::UnknownCurve { n8q, n8r };
        if n8r != 32 {
            return Err(unknown());
        }
        let mut r = [0; 32];
        reader.read_exact(&mut r).map_err(io(WHAT))?;
        let curve = Curve::from_base_modulus(&q).ok_or_else(unknown)?;
        if Curve::from_scalar_modulus(&r) != Some(curve) {
            return Err(unknown());
        }
        let points_len = 3 * curve.g1_bytes() + 3 * curve.g2_bytes();
        let len = 4 + u64::from(n8q) + 4 + u64::from(n8r) + 12;
        table.get_sized(
            ZKeySection::Header.id(),
            len + u64::try_from(points_len).unwrap_or(u64::MAX),
        )?;
        let mut u32 = || reader.read_u32().map_err(io(WHAT));
        let (n_vars, n_public, domain_size) = (u32()?, u32()?, u32()?);
        let mut points = vec![0; points_len];
        reader.read_exact(&mut points).map_err(io(WHAT))?;

        let header = Self {
            curve,
            n_vars,
            n_public,
            domain_size,
            points,
        };
        header.check_counts()?;
        match curve {
            Curve::Bn128 => KeyPoints::<Bn128>::read(&header.points).map(drop)?,
            Curve::Bls12381 => KeyPoints::<Bls12381>::read(&header.points).map(drop)?,
        }
        Ok(header)
    }

    fn check_counts(&self) -> Result<(), ZKeyError> {
        let (n_vars, n_public) = (self.n_vars, self.n_public);
        if n_public >= n_vars {
            return Err(ZKeyError::TooManyPublic { n_vars, n_public });
        }
        let max_power = self.curve.two_adicity();
        let power_of_two = self.domain_size.is_power_of_two();
        if !power_of_two || self.power() == 0 || self.power() > max_power {
            return Err(ZKeyError::BadDomain {
                got: self.domain_size,
                max_power,
            });
        }
        Ok(())
    }

    /// Power of the domain: `domain_size` is 2^power.
    pub fn power(&self) -> u32 {
        self.domain_size.trailing_zeros()
    }

    /// The single points, for the right curve.
    pub fn key_points<C: CurveParams>(&self) -> Result<KeyPoints<C>, ZKeyError> {
        if C::CURVE != self.curve {
            return Err(ZKeyError::WrongCurve {
                expected: C::CURVE,
                got: self.curve,
            });
        }
        KeyPoints::read(&self.points)
    }

    /// The bytes of section 2.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for modulus in [self.curve.base_modulus(), self.curve.scalar_modulus()] {
            out.extend(
                u32::try_from(modulus.len())
                    .unwrap_or(u32::MAX)
                    .to_le_bytes(),
            );
            out.extend(modulus);
        }
        for count in [self.n_vars, self.n_public, self.domain_size] {
            out.extend(count.to_le_bytes());
        }
        out.extend(&self.points);
        out
    }

    /// The sections of points and how many each has.
    pub fn point_counts(&self) -> [(ZKeySection, u64); 6] {
        let (n_vars, n_public) = (u64::from(self.n_vars), u64::from(self.n_public));
        [
            (ZKeySection::Ic, n_public + 1),
            (ZKeySection::A, n_vars),
            (ZKeySection::B1, n_vars),
            (ZKeySection::B2, n_vars),
            (ZKeySection::C, n_vars.saturating_sub(n_public + 1)),
            (ZKeySection::H, u64::from(self.domain_size)),
        ]
    }

    /// Bytes of one point of a section.
    pub fn point_bytes(&self, section: ZKeySection) -> u64 {
        let bytes = match section {
            ZKeySection::B2 => self.curve.g2_bytes(),
            _ => self.curve.g1_bytes(),
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
