//! What may come in, in which stage, and how large it may be. Sizes follow from what has been
//! proved so far; nothing is allocated from an announced size.

use ceremony::Ceremony;
use formats::curve::Curve;
use formats::ptau::prepared_len;
use formats::ptau::published::{self, PtauFamily};
use manifest::manifest::CircuitFacts;
use manifest::sources::MAX_BUNDLE_BYTES;
use manifest::spec::Phase1Family;
use manifest::{ArtifactKind, InitialSpec};

use crate::error::AgentError;
use crate::store::Store;

/// An r1cs given compiled: far beyond what circom can make.
const MAX_R1CS_BYTES: u64 = 256 << 30;
/// Room for headers and section tables.
const SLACK_BYTES: u64 = 64 << 10;
/// Room for the records of 10,000 contributions, each with a name.
const MOST_CONTRIBUTIONS_BYTES: u64 = 10_000 << 10;
/// Least power that a development ptau is allowed room for. SIMULATION only.
const DEVELOPMENT_POWER: u32 = 10;

/// The most bytes that `kind` may have now; refuses a kind that is not taken in this stage.
pub(crate) fn most_bytes(
    ceremony: &Ceremony,
    store: &Store,
    kind: ArtifactKind,
) -> Result<u64, AgentError> {
    let not_taken = || AgentError::ArtifactNotTaken {
        kind,
        stage: ceremony.stage(),
    };
    match (ceremony, kind) {
        (Ceremony::Opened(stage), _)
            if kind == ceremony::circuit::handed_in(stage.spec().circuit.input()) =>
        {
            Ok(match kind {
                ArtifactKind::CircuitBundle => MAX_BUNDLE_BYTES,
                _ => MAX_R1CS_BYTES,
            })
        }
        (Ceremony::Compiled(stage), ArtifactKind::Ptau) => {
            let power = stage.circuit().facts().power;
            most_ptau_bytes(stage.opened().spec().phase1_family, power).ok_or_else(not_taken)
        }
        (Ceremony::Phase1Ready(stage), ArtifactKind::InitialZkey) => {
            let r1cs = store.record(ArtifactKind::R1cs)?;
            let contributions = match stage.opened().spec().initial {
                InitialSpec::Fresh => 0,
                InitialSpec::Chain { .. } => MOST_CONTRIBUTIONS_BYTES,
            };
            Ok(most_initial_key_bytes(stage.circuit().facts(), r1cs.size)
                .saturating_add(contributions))
        }
        _ => Err(not_taken()),
    }
}

/// The published size for the power that belongs to the circuit: the one that [`ceremony`] will
/// insist on.
fn most_ptau_bytes(family: Phase1Family, power: u32) -> Option<u64> {
    let published = |family: PtauFamily| {
        published::table()
            .iter()
            .filter(|entry| entry.family == family && entry.power >= power)
            .min_by_key(|entry| entry.power)
            .map(|entry| entry.size)
    };
    match family {
        Phase1Family::Hermez => published(PtauFamily::Hermez),
        Phase1Family::Ppot0080 => published(PtauFamily::Ppot0080),
        Phase1Family::Development => {
            prepared_len(Curve::Bn128, power.max(DEVELOPMENT_POWER), SLACK_BYTES)
        }
    }
}

/// From the r1cs: points per wire and per element of the domain are fixed; the number of
/// coefficients cannot exceed what the r1cs has room for.
fn most_initial_key_bytes(circuit: &CircuitFacts, r1cs_bytes: u64) -> u64 {
    let wires = u64::from(circuit.wires);
    let public = u64::from(circuit.outputs) + u64::from(circuit.public_inputs);
    // A term of the r1cs takes 4 + 32 bytes there and 12 + 32 here; each public signal adds one.
    let terms = (r1cs_bytes / 36).saturating_add(public).saturating_add(1);
    let domain = 1_u64.checked_shl(circuit.power).unwrap_or(u64::MAX);
    terms
        .saturating_mul(44)
        .saturating_add(wires.saturating_mul(64 * 3 + 128))
        .saturating_add(public.saturating_add(1).saturating_mul(64))
        .saturating_add(domain.saturating_mul(64))
        .saturating_add(SLACK_BYTES)
}
