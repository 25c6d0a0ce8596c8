//! From the wire's types to ours: what a peer sends is checked for form here.

use bytes::Bytes;
use drand::RawBeacon;
use manifest::ArtifactKind;

use crate::pb;

/// Most certificates in one submission.
pub const MAX_CERTIFICATES: usize = 8;
/// Most bytes of one certificate.
pub const MAX_CERTIFICATE_BYTES: usize = 1024;
/// Most bytes of a beacon's signature.
const MAX_SIGNATURE_BYTES: usize = 96;

/// A field of a message that does not have its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A number that is none of the artifact kinds.
    #[error("artifact kind {got} is unknown")]
    Kind {
        /// The number.
        got: i32,
    },
    /// A byte string of another length.
    #[error("{field} has {got} bytes, expected {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// Its length.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// A byte string or list beyond its limit.
    #[error("{field} has length {got}, at most {limit} is allowed")]
    TooLong {
        /// The field.
        field: &'static str,
        /// The limit.
        limit: usize,
        /// What came.
        got: usize,
    },
}

impl ConvertError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "artifact_kind",
            Self::Length { .. } => "field_length",
            Self::TooLong { .. } => "field_too_long",
        }
    }
}

/// The kind for a number on the wire; 0 and unknown numbers are refused.
pub fn kind_from_pb(number: i32) -> Result<ArtifactKind, ConvertError> {
    ArtifactKind::ALL
        .into_iter()
        .find(|kind| i32::from(kind_to_pb(*kind)) == number)
        .ok_or(ConvertError::Kind { got: number })
}

/// The kind on the wire.
pub fn kind_to_pb(kind: ArtifactKind) -> pb::ArtifactKind {
    match kind {
        ArtifactKind::CircuitBundle => pb::ArtifactKind::CircuitBundle,
        ArtifactKind::R1cs => pb::ArtifactKind::R1cs,
        ArtifactKind::WitnessWasm => pb::ArtifactKind::WitnessWasm,
        ArtifactKind::Ptau => pb::ArtifactKind::Ptau,
        ArtifactKind::InitialZkey => pb::ArtifactKind::InitialZkey,
        ArtifactKind::ContributionZkey => pb::ArtifactKind::ContributionZkey,
        ArtifactKind::FinalZkey => pb::ArtifactKind::FinalZkey,
        ArtifactKind::VerificationKey => pb::ArtifactKind::VerificationKey,
        ArtifactKind::VerifierSol => pb::ArtifactKind::VerifierSol,
        ArtifactKind::VerifierInput => pb::ArtifactKind::VerifierInput,
        ArtifactKind::VerifierCreation => pb::ArtifactKind::VerifierCreation,
        ArtifactKind::VerifierRuntime => pb::ArtifactKind::VerifierRuntime,
        ArtifactKind::Attestation1 => pb::ArtifactKind::Attestation1,
        ArtifactKind::Attestation2 => pb::ArtifactKind::Attestation2,
        ArtifactKind::Beacon => pb::ArtifactKind::Beacon,
        ArtifactKind::Manifest => pb::ArtifactKind::Manifest,
        ArtifactKind::Receipts => pb::ArtifactKind::Receipts,
    }
}

/// A byte string of exactly `N` bytes.
pub fn exact<const N: usize>(field: &'static str, bytes: &Bytes) -> Result<[u8; N], ConvertError> {
    bytes.as_ref().try_into().map_err(|_| ConvertError::Length {
        field,
        expected: N,
        got: bytes.len(),
    })
}

impl TryFrom<pb::ApplyBeaconRequest> for RawBeacon {
    type Error = ConvertError;

    fn try_from(request: pb::ApplyBeaconRequest) -> Result<Self, ConvertError> {
        Ok(Self {
            round: request.round,
            signature: at_most("signature", MAX_SIGNATURE_BYTES, &request.signature)?,
            previous_signature: at_most(
                "previous_signature",
                MAX_SIGNATURE_BYTES,
                &request.previous_signature,
            )?,
        })
    }
}

/// The certificates of a submission, counted and measured before they are looked at.
pub fn certificates(request: &pb::SubmitCertificatesRequest) -> Result<Vec<Vec<u8>>, ConvertError> {
    let got = request.certificates.len();
    if got > MAX_CERTIFICATES {
        return Err(ConvertError::TooLong {
            field: "certificates",
            limit: MAX_CERTIFICATES,
            got,
        });
    }
    request
        .certificates
        .iter()
        .map(|certificate| at_most("certificate", MAX_CERTIFICATE_BYTES, certificate))
        .collect()
}

fn at_most(field: &'static str, limit: usize, bytes: &Bytes) -> Result<Vec<u8>, ConvertError> {
    if bytes.len() > limit {
        return Err(ConvertError::TooLong {
            field,
            limit,
            got: bytes.len(),
        });
    }
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_goes_over_the_wire_and_back() {
        for kind in ArtifactKind::ALL {
            assert_eq!(kind_from_pb(kind_to_pb(kind).into()), Ok(kind));
        }
    }

    #[test]
    fn unknown_kinds_are_refused() {
        for number in [0, -1, 18, i32::MAX] {
            assert_eq!(
                kind_from_pb(number),
                Err(ConvertError::Kind { got: number })
            );
        }
    }

    #[test]
    fn lists_and_strings_beyond_their_limits_are_refused() {
        let request = pb::SubmitCertificatesRequest {
            certificates: vec![Bytes::new(); 9],
        };
        assert!(matches!(
            certificates(&request),
            Err(ConvertError::TooLong { got: 9, .. })
        ));
        let request = pb::SubmitCertificatesRequest {
            certificates: vec![vec![0; 1025].into()],
        };
        assert!(matches!(
            certificates(&request),
            Err(ConvertError::TooLong { got: 1025, .. })
        ));
        let beacon = pb::ApplyBeaconRequest {
            round: 1,
            signature: vec![0; 97].into(),
            previous_signature: Bytes::new(),
        };
        assert!(matches!(
            RawBeacon::try_from(beacon),
            Err(ConvertError::TooLong {
                field: "signature",
                ..
            })
        ));
    }
}
