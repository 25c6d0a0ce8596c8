//! Phase 1: that the ptau is one of the published files, and the right one.

use formats::digest::FileDigests;
use formats::ptau::published::{self, PtauFamily};
use manifest::ArtifactRecord;
use manifest::manifest::Phase1Facts;
use manifest::spec::Phase1Family;

use crate::error::CeremonyError;

/// What the agent hands in after it hashed the ptau and checked its structure.
#[derive(Debug)]
pub struct Phase1File {
    /// The file in the store, digests computed while it was received.
    pub record: ArtifactRecord,
    /// Power from its header.
    pub power: u32,
}

/// Evidence: the ptau's digest stands in the compiled-in table of published files, under the
/// family that the spec names, with the smallest published power that holds the circuit.
///
/// SIMULATION: for the family `development` the table is not asked.
///
/// Cannot be made outside this crate:
///
/// ```compile_fail
/// let forged = ceremony::Phase1Pinned { facts: todo!(), record: todo!() };
/// ```
///
/// Cannot be used twice:
///
/// ```compile_fail
/// fn twice(token: ceremony::Phase1Pinned) -> [ceremony::Phase1Pinned; 2] {
///     [token.clone(), token]
/// }
/// ```
#[derive(Debug)]
pub struct Phase1Pinned {
    facts: Phase1Facts,
    record: ArtifactRecord,
}

impl Phase1Pinned {
    /// The only way to the token. That `development` is refused in production was judged when the
    /// ceremony was opened.
    pub(crate) fn mint(
        family: Phase1Family,
        needed: u32,
        file: Phase1File,
    ) -> Result<Self, CeremonyError> {
        if let Some(published_family) = published_family(family) {
            judge_published(published_family, needed, &file)?;
        } else if file.power < needed {
            return Err(CeremonyError::Phase1Power {
                expected: needed,
                got: file.power,
            });
        }
        Ok(Self {
            facts: Phase1Facts {
                family,
                power: file.power,
            },
            record: file.record,
        })
    }

    /// Family and power.
    pub fn facts(&self) -> Phase1Facts {
        self.facts
    }

    /// The file.
    pub fn record(&self) -> &ArtifactRecord {
        &self.record
    }
}

fn judge_published(
    family: PtauFamily,
    needed: u32,
    file: &Phase1File,
) -> Result<(), CeremonyError> {
    let unknown = || CeremonyError::Phase1Unknown {
        size: file.record.size,
        sha256: file.record.sha256,
    };
    let digests = FileDigests {
        size: file.record.size,
        sha256: file.record.sha256,
        blake2b512: file.record.blake2b512.ok_or_else(unknown)?,
    };
    let entry = published::lookup(&digests).ok_or_else(unknown)?;
    if entry.family != family {
        return Err(CeremonyError::Phase1Family {
            expected: family.name(),
            got: entry.family.name(),
        });
    }
    if entry.power != file.power {
        return Err(CeremonyError::Phase1Power {
            expected: entry.power,
            got: file.power,
        });
    }
    // The power enters the key from 2^15 on, so the host gets no choice: the smallest that fits.
    let expected = published::table()
        .iter()
        .filter(|other| other.family == family && other.power >= needed)
        .map(|other| other.power)
        .min()
        .ok_or(CeremonyError::CircuitTooLarge { power: needed })?;
    if file.power == expected {
        Ok(())
    } else {
        Err(CeremonyError::Phase1Power {
            expected,
            got: file.power,
        })
    }
}

fn published_family(family: Phase1Family) -> Option<PtauFamily> {
    match family {
        Phase1Family::Hermez => Some(PtauFamily::Hermez),
        Phase1Family::Ppot0080 => Some(PtauFamily::Ppot0080),
        Phase1Family::Development => None,
    }
}
