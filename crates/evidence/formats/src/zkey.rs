//! The zkey file of Groth16: proving key, verification key and the record of phase 2.
//!
//! Section 1: `u32 1` (Groth16). Section 2 (header): `u32 n8q | q | u32 n8r | r | u32 nVars | u32 nPublic |
//! u32 domainSize | alpha1 | beta1 | beta2 | gamma2 | delta1 | delta2`. 3 IC: nPublic + 1 G1 points. 4: the
//! coefficients of A and B. 5 A, 6 B1: nVars G1 points. 7 B2: nVars G2 points. 8 C (also called L): nVars -
//! nPublic - 1 G1 points. 9 H: domainSize G1 points. 10: circuit hash and contributions.

mod coefficients;
mod contributions;
mod header;
mod writer;

use std::io;

use crate::binfile::{self, BinfileError, SectionTable};
use crate::curve::{Curve, CurveParams, G1Affine, G2Affine};
use crate::digest::Blake2b512Digest;
use crate::points::{LemPoint, PointError, PointReader, PointsError};
use crate::source::{RangeReader, Source};

pub use coefficients::{Coefficient, CoefficientReader, double_montgomery};
pub use contributions::{
    BeaconParams, BeaconParamsError, Contribution, ContributionKind, ContributionName,
    ContributionReader, MAX_BEACON_EXPONENT, MIN_BEACON_EXPONENT, NameTooLong,
};
pub use header::{KeyPoints, ZKeyHeader};
pub use writer::{ZKeyWriter, contributions_section_len};

/// First bytes of the file.
pub const MAGIC: [u8; 4] = *b"zkey";

/// Sections of a zkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZKeySection {
    /// Which proof system.
    Protocol,
    /// Counts and single points.
    Header,
    /// Public input points.
    Ic,
    /// Coefficients of A and B.
    Coefficients,
    /// A.
    A,
    /// B in G1.
    B1,
    /// B in G2.
    B2,
    /// C, also called L.
    C,
    /// H.
    H,
    /// Circuit hash and contributions.
    Contributions,
}

impl ZKeySection {
    /// All sections by id.
    pub const ALL: [Self; 10] = [
        Self::Protocol,
        Self::Header,
        Self::Ic,
        Self::Coefficients,
        Self::A,
        Self::B1,
        Self::B2,
        Self::C,
        Self::H,
        Self::Contributions,
    ];

    /// Section id.
    pub const fn id(self) -> u32 {
        match self {
            Self::Protocol => 1,
            Self::Header => 2,
            Self::Ic => 3,
            Self::Coefficients => 4,
            Self::A => 5,
            Self::B1 => 6,
            Self::B2 => 7,
            Self::C => 8,
            Self::H => 9,
            Self::Contributions => 10,
        }
    }

    /// Name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Header => "header",
            Self::Ic => "IC",
            Self::Coefficients => "coefficients",
            Self::A => "A",
            Self::B1 => "B1",
            Self::B2 => "B2",
            Self::C => "C",
            Self::H => "H",
            Self::Contributions => "contributions",
        }
    }
}

/// Why bytes are not a Groth16 zkey.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZKeyError {
    /// The container is malformed.
    #[error(transparent)]
    Container(#[from] BinfileError),
    /// A point of a section could not be read.
    #[error(transparent)]
    Points(#[from] PointsError),
    /// The key is for another proof system.
    #[error("protocol {protocol} instead of 1 (groth16)")]
    NotGroth16 {
        /// Protocol number in section 1.
        protocol: u32,
    },
    /// The fields are not those of a known curve.
    #[error("fields of {n8q} and {n8r} bytes are not those of bn128 or bls12381")]
    UnknownCurve {
        /// Bytes of the base field's modulus.
        n8q: u32,
        /// Bytes of the scalar field's modulus.
        n8r: u32,
    },
    /// Another curve was asked for than the file has.
    #[error("zkey is on {got}, not on {expected}")]
    WrongCurve {
        /// Curve asked for.
        expected: Curve,
        /// Curve of the file.
        got: Curve,
    },
    /// Public signals do not fit among the wires.
    #[error("{n_public} public signals among {n_vars} wires")]
    TooManyPublic {
        /// Wires.
        n_vars: u32,
        /// Public signals, without the constant.
        n_public: u32,
    },
    /// The domain is no power of two of the scalar field.
    #[error("domain size {got} is not a power of two between 2 and 2^{max_power}")]
    BadDomain {
        /// Domain size in the header.
        got: u32,
        /// The scalar field's two-adicity.
        max_power: u32,
    },
    /// A point of the header is malformed.
    #[error("{name} in the header: {source}")]
    HeaderPoint {
        /// Name of the point.
        name: &'static str,
        /// What is wrong with it.
        source: PointError,
    },
    /// A coefficient record is out of range.
    #[error("coefficient {index} is malformed")]
    BadCoefficient {
        /// Index of the record, from 0.
        index: u64,
    },
    /// More contributions announced than section 10 has bytes for.
    #[error("{got} contributions announced, section 10 has room for {max}")]
    TooManyContributions {
        /// Announced.
        got: u32,
        /// Shortest records that fit.
        max: u64,
    },
    /// A point of a contribution record is malformed.
    #[error("contribution {index}, {name}: {source}")]
    ContributionPoint {
        /// Index of the contribution, from 0.
        index: u32,
        /// Name of the point.
        name: &'static str,
        /// What is wrong with it.
        source: PointError,
    },
    /// A contribution is neither ordinary (0) nor a beacon (1).
    #[error("contribution {index} has unknown type {got}")]
    UnknownContributionType {
        /// Index of the contribution, from 0.
        index: u32,
        /// The type.
        got: u32,
    },
    /// The parameters of a contribution would not be written back as they are.
    #[error("contribution {index} has malformed parameters")]
    BadContributionParams {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A beacon without its value or its number of iterations.
    #[error("contribution {index} is a beacon without beacon value or iterations")]
    IncompleteBeacon {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// The record says ordinary contribution, but carries a beacon's parameters: a relabelled beacon.
    #[error("contribution {index} is labelled ordinary, but has a beacon's parameters")]
    RelabelledBeacon {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A beacon's parameters are out of range.
    #[error("contribution {index}: {source}")]
    BeaconParams {
        /// Index of the contribution, from 0.
        index: u32,
        /// What is wrong.
        source: BeaconParamsError,
    },
    /// Bytes are left in section 10 after the last contribution.
    #[error("{count} bytes after the last contribution")]
    BytesAfterContributions {
        /// How many.
        count: u64,
    },
}

impl ZKeyError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(error) => error.code(),
            Self::Points(error) => error.code(),
            Self::NotGroth16 { .. } => "zkey_not_groth16",
            Self::UnknownCurve { .. } => "zkey_unknown_curve",
            Self::WrongCurve { .. } => "zkey_wrong_curve",
            Self::TooManyPublic { .. } => "zkey_too_many_public",
            Self::BadDomain { .. } => "zkey_bad_domain",
            Self::HeaderPoint { .. } => "zkey_header_point",
            Self::BadCoefficient { .. } => "zkey_bad_coefficient",
            Self::TooManyContributions { .. } => "zkey_too_many_contributions",
            Self::ContributionPoint { .. } => "zkey_contribution_point",
            Self::UnknownContributionType { .. } => "zkey_contribution_type",
            Self::BadContributionParams { .. } => "zkey_contribution_params",
            Self::IncompleteBeacon { .. } => "zkey_incomplete_beacon",
            Self::RelabelledBeacon { .. } => "zkey_relabelled_beacon",
            Self::BeaconParams { source, .. } => source.code(),
            Self::BytesAfterContributions { .. } => "zkey_bytes_after_contributions",
        }
    }
}

fn io(what: &'static str) -> impl Fn(io::Error) -> ZKeyError {
    move |source| ZKeyError::Container(BinfileError::Io { what, source })
}

/// An opened zkey: layout and header checked, points to be streamed.
#[derive(Debug)]
pub struct ZKey<S> {
    source: S,
    header: ZKeyHeader,
    n_coefficients: u32,
    circuit_hash: Blake2b512Digest,
    n_contributions: u32,
    table: SectionTable,
}

impl<S: Source> ZKey<S> {
    /// Reads section table and header, and checks every section's size against the header's counts
    /// and the header's points for encoding, curve and subgroup. Reads about a kilobyte, whatever
    /// the file's size.
    pub fn open(source: S) -> Result<Self, ZKeyError> {
        let table = SectionTable::read(&source, MAGIC, 1)?;
        let section = table.get_sized(ZKeySection::Protocol.id(), 4);
        // Keys of other protocols number their sections differently: name the protocol first.
        let first = table.get(ZKeySection::Protocol.id())?;
        let mut reader = first.reader(&source, "zkey protocol")?;
        let protocol = binfile::read_u32(&mut reader, "zkey protocol")?;
        if protocol != 1 {
            return Err(ZKeyError::NotGroth16 { protocol });
        }
        section?;
        table.refuse_unknown(&ZKeySection::ALL.map(ZKeySection::id))?;
        table.refuse_trailing_bytes()?;

        let header = ZKeyHeader::read(&source, &table)?;
        for (section, count) in header.point_counts() {
            let size = count * header.point_bytes(section);
            table.get_sized(section.id(), size)?;
        }
        let n_coefficients = coefficients::read_count(&source, &table)?;
        let (circuit_hash, n_contributions) =
            contributions::read_prefix(&source, &table, header.curve)?;
        Ok(Self {
            source,
            header,
            n_coefficients,
            circuit_hash,
            n_contributions,
            table,
        })
    }

    /// The same key by reference, in one type for all sources: code for it is compiled once.
    pub fn as_dyn(&self) -> ZKey<&dyn Source> {
        ZKey {
            source: &self.source,
            header: self.header.clone(),
            n_coefficients: self.n_coefficients,
            circuit_hash: self.circuit_hash,
            n_contributions: self.n_contributions,
            table: self.table.clone(),
        }
    }

    /// Counts and the header's points.
    pub fn header(&self) -> &ZKeyHeader {
        &self.header
    }

    /// Curve of the key.
    pub fn curve(&self) -> Curve {
        self.header.curve
    }

    /// The header's points on the curve `C`.
    pub fn key_points<C: CurveParams>(&self) -> Result<KeyPoints<C>, ZKeyError> {
        self.header.key_points()
    }

    /// The circuit hash ("csHash") that the first contribution's transcript starts from.
    pub fn circuit_hash(&self) -> Blake2b512Digest {
        self.circuit_hash
    }

    /// Records in section 4.
    pub fn n_coefficients(&self) -> u32 {
        self.n_coefficients
    }

    /// Records in section 10, the beacon's included.
    pub fn n_contributions(&self) -> u32 {
        self.n_contributions
    }

    /// The bytes.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Where the sections are.
    pub fn table(&self) -> &SectionTable {
        &self.table
    }

    /// Points in a section; 0 for sections that hold none.
    pub fn n_points(&self, section: ZKeySection) -> u64 {
        self.header
            .point_counts()
            .into_iter()
            .find_map(|(s, count)| (s == section).then_some(count))
            .unwrap_or(0)
    }

    /// Reader of a section's raw bytes.
    pub fn section_bytes(&self, section: ZKeySection) -> Result<RangeReader<'_, S>, ZKeyError> {
        Ok(self
            .table
            .get(section.id())?
            .reader(&self.source, section.name())?)
    }

    /// All points of a G1 section (IC, A, B1, C, H).
    pub fn g1_points<C: CurveParams>(
        &self,
        section: ZKeySection,
    ) -> Result<PointReader<'_, S, G1Affine<C>>, ZKeyError> {
        self.points::<C, _>(section, 0, self.n_points(section))
    }

    /// Points `first .. first + count` of a G1 section.
    pub fn g1_range<C: CurveParams>(
        &self,
        section: ZKeySection,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, G1Affine<C>>, ZKeyError> {
        self.points::<C, _>(section, first, count)
    }

    /// All points of B2.
    pub fn b2_points<C: CurveParams>(&self) -> Result<PointReader<'_, S, G2Affine<C>>, ZKeyError> {
        self.points::<C, _>(ZKeySection::B2, 0, self.n_points(ZKeySection::B2))
    }

    /// The coefficient records, in file order.
    pub fn coefficients(&self) -> Result<CoefficientReader<'_, S>, ZKeyError> {
        CoefficientReader::new(self)
    }

    /// The contributions, in order.
    pub fn contributions<C: CurveParams>(&self) -> Result<ContributionReader<'_, S, C>, ZKeyError> {
        ContributionReader::new(self)
    }

    fn points<C: CurveParams, P: LemPoint>(
        &self,
        section: ZKeySection,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, P>, ZKeyError> {
        if C::CURVE != self.curve() {
            return Err(ZKeyError::WrongCurve {
                expected: C::CURVE,
                got: self.curve(),
            });
        }
        let found = self.table.get(section.id())?;
        let size = u64::try_from(P::BYTES).unwrap_or(u64::MAX);
        let end = first.saturating_add(count);
        let is_whole = self.n_points(section).checked_mul(size) == Some(found.size);
        if !is_whole || end > self.n_points(section) {
            // A section of other points than asked for, or a range beyond it.
            let expected = end.saturating_mul(size);
            let (id, got) = (section.id(), found.size);
            return Err(BinfileError::WrongSectionSize { id, expected, got }.into());
        }
        Ok(PointReader::new(
            &self.source,
            section.id(),
            found.offset,
            first,
            count,
        )?)
    }
}

#[cfg(test)]
mod tests;
