//! The seed of the secret, mixed from independent sources so that it is unpredictable if any one
//! of them is.
//!
//! Two draws of 256 bytes from the security module and one from the operating system, each tested,
//! and what the requester sent, if anything. HKDF-SHA-512 (RFC 5869) mixes them: the requester's
//! bytes can add to the others and cannot take anything away.

use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::{error::ContributeError, health};

/// Bytes of one draw.
pub const DRAW_BYTES: usize = 256;
/// Most bytes that a requester can mix in.
pub const MAX_REQUESTER_BYTES: usize = 1024;

const SALT: &[u8] = b"attested-ceremony/v1/contribution entropy";

/// A source that gave nothing; the reason is the source's own and never holds random bytes.
pub type SourceFailed = Box<dyn std::error::Error + Send + Sync>;

/// Where random bytes come from: the enclave's security module, or a test's fixed bytes.
pub trait EntropySource {
    /// Name for errors.
    fn name(&self) -> &'static str;

    /// Fills the beginning of `out` and returns how many bytes it filled.
    fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed>;
}

/// The operating system's generator, blocking until it is seeded.
pub struct OperatingSystem;

impl EntropySource for OperatingSystem {
    fn name(&self) -> &'static str {
        "operating system"
    }

    fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed> {
        getrandom::fill(out).map_err(SystemRandomError)?;
        Ok(out.len())
    }
}

/// The operating system's own error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct SystemRandomError(getrandom::Error);

/// What the secret is derived from. Holds no secret itself.
pub struct Sources<'a> {
    /// The security module; drawn from twice.
    pub module: &'a mut dyn EntropySource,
    /// The operating system.
    pub system: &'a mut dyn EntropySource,
    /// Bytes from the requester, possibly none, at most [`MAX_REQUESTER_BYTES`].
    pub requester: &'a [u8],
    /// What this draw is for (the ceremony id): two ceremonies never share a seed.
    pub context: &'a [u8],
}

type Draw = Zeroizing<[u8; DRAW_BYTES]>;

/// Draws from all sources, tests the draws, and mixes them into the seed of one contribution.
pub(crate) fn seed(sources: &mut Sources<'_>) -> Result<Zeroizing<[u8; 32]>, ContributeError> {
    if sources.requester.len() > MAX_REQUESTER_BYTES {
        return Err(ContributeError::RequesterEntropyTooLong {
            got: sources.requester.len(),
            max: MAX_REQUESTER_BYTES,
        });
    }
    let first = tested_draw(sources.module)?;
    let second = tested_draw(sources.module)?;
    let third = tested_draw(sources.system)?;
    for (a, b, name) in [
        (&first, &second, sources.module.name()),
        (&first, &third, sources.system.name()),
        (&second, &third, sources.system.name()),
    ] {
        if a.as_slice() == b.as_slice() {
            return Err(ContributeError::EqualDraws { name });
        }
    }
    mix(
        &[&first, &second, &third],
        sources.requester,
        sources.context,
    )
}

fn tested_draw(source: &mut dyn EntropySource) -> Result<Draw, ContributeError> {
    let name = source.name();
    let mut draw: Draw = Zeroizing::new([0; DRAW_BYTES]);
    let got = source
        .draw(draw.as_mut_slice())
        .map_err(|source| ContributeError::SourceFailed { name, source })?;
    if got != DRAW_BYTES {
        return Err(ContributeError::ShortDraw {
            name,
            expected: DRAW_BYTES,
            got,
        });
    }
    health::test(&draw).map_err(|source| ContributeError::Unhealthy { name, source })?;
    Ok(draw)
}

/// Draws have a fixed length and come first, so no two inputs share an encoding.
fn mix(
    draws: &[&Draw; 3],
    requester: &[u8],
    context: &[u8],
) -> Result<Zeroizing<[u8; 32]>, ContributeError> {
    let mut material = Zeroizing::new(Vec::with_capacity(
        draws.len() * DRAW_BYTES + requester.len(),
    ));
    for draw in draws {
        material.extend_from_slice(draw.as_slice());
    }
    material.extend_from_slice(requester);
    let key = Hkdf::<Sha512>::new(Some(SALT), &material);
    let mut seed = Zeroizing::new([0; 32]);
    key.expand(context, seed.as_mut_slice())
        .map_err(|_| ContributeError::KeyDerivation)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::HealthError;

    /// Gives SHAKE-like bytes from a counter; each fault breaks one thing.
    struct Fake {
        next: u64,
        fault: Fault,
    }

    #[derive(PartialEq, Clone, Copy)]
    enum Fault {
        None,
        Fails,
        Short,
        Constant,
        Repeats,
    }

    impl EntropySource for Fake {
        fn name(&self) -> &'static str {
            "fake"
        }

        fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed> {
            if self.fault == Fault::Fails {
                return Err("no device".into());
            }
            for chunk in out.chunks_mut(64) {
                if self.fault == Fault::Constant {
                    chunk.fill(0);
                    continue;
                }
                let digest = blake2b_simd::blake2b(&self.next.to_le_bytes());
                chunk.copy_from_slice(digest.as_bytes());
                self.next += 1;
            }
            if self.fault == Fault::Repeats {
                self.next -= 4;
            }
            Ok(out.len() - usize::from(self.fault == Fault::Short))
        }
    }

    fn fake(start: u64, fault: Fault) -> Fake {
        Fake { next: start, fault }
    }

    fn seed_of(
        module: (u64, Fault),
        system: (u64, Fault),
        requester: &[u8],
        context: &[u8],
    ) -> Result<[u8; 32], ContributeError> {
        seed(&mut Sources {
            module: &mut fake(module.0, module.1),
            system: &mut fake(system.0, system.1),
            requester,
            context,
        })
        .map(|seed| *seed)
    }

    const GOOD: (u64, Fault) = (0, Fault::None);
    const OTHER: (u64, Fault) = (1000, Fault::None);

    #[test]
    fn r21_every_source_counts() {
        let base = seed_of(GOOD, OTHER, b"", b"id").unwrap();
        assert_eq!(base, seed_of(GOOD, OTHER, b"", b"id").unwrap());
        for changed in [
            seed_of((1, Fault::None), OTHER, b"", b"id"),
            seed_of(GOOD, (1001, Fault::None), b"", b"id"),
            seed_of(GOOD, OTHER, b"x", b"id"),
            seed_of(GOOD, OTHER, b"", b"ie"),
        ] {
            assert_ne!(base, changed.unwrap());
        }
    }

    #[test]
    fn r21_a_failing_source_stops_the_draw() {
        for (module, system) in [((0, Fault::Fails), OTHER), (GOOD, (1000, Fault::Fails))] {
            assert!(matches!(
                seed_of(module, system, b"", b""),
                Err(ContributeError::SourceFailed { name: "fake", .. })
            ));
        }
    }

    #[test]
    fn r21_a_short_draw_stops_the_draw() {
        assert!(matches!(
            seed_of((0, Fault::Short), OTHER, b"", b""),
            Err(ContributeError::ShortDraw {
                got: 255,
                expected: 256,
                ..
            })
        ));
        assert!(matches!(
            seed_of(GOOD, (1000, Fault::Short), b"", b""),
            Err(ContributeError::ShortDraw { .. })
        ));
    }

    #[test]
    fn r21_constant_output_stops_the_draw() {
        for (module, system) in [
            ((0, Fault::Constant), OTHER),
            (GOOD, (1000, Fault::Constant)),
        ] {
            assert!(matches!(
                seed_of(module, system, b"", b""),
                Err(ContributeError::Unhealthy {
                    source: HealthError::Constant,
                    ..
                })
            ));
        }
    }

    #[test]
    fn r21_equal_draws_stop_the_draw() {
        assert!(matches!(
            seed_of((0, Fault::Repeats), OTHER, b"", b""),
            Err(ContributeError::EqualDraws { .. })
        ));
        // The system repeats the module's first draw.
        assert!(matches!(
            seed_of(GOOD, GOOD, b"", b""),
            Err(ContributeError::EqualDraws { .. })
        ));
    }

    #[test]
    fn too_much_from_the_requester_is_refused() {
        assert!(matches!(
            seed_of(GOOD, OTHER, &[0; MAX_REQUESTER_BYTES + 1], b""),
            Err(ContributeError::RequesterEntropyTooLong {
                got: 1025,
                max: 1024
            })
        ));
    }

    #[test]
    fn the_operating_system_passes_its_tests() {
        let first = tested_draw(&mut OperatingSystem).unwrap();
        assert_ne!(first, tested_draw(&mut OperatingSystem).unwrap());
    }
}
