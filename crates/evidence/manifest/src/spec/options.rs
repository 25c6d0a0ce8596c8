//! circom's options that shape the r1cs: typed, with one canonical text.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::canonical::Spelling;

/// How far circom simplifies the constraints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Simplification {
    /// `--O0`: none.
    O0,
    /// `--O1`: signal to signal and signal to constant. What circom does when nothing is said.
    #[default]
    O1,
    /// `--O2`: all linear constraints, until nothing changes.
    O2,
    /// `--O2round N`: as `--O2`, at most N rounds.
    O2Round(NonZeroU32),
}

/// Options of one compilation. Part of the ceremony's spec: another option makes another r1cs.
///
/// The text form is canonical: `--O1 --prime bn128`, options in this order, `--O2round N` in the
/// place of the level, ` --use_old_simplification_heuristics` last where it is set. The prime is
/// always that of bn128: Groth16 ceremonies are over that curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircomOptions {
    /// Level of simplification.
    pub simplification: Simplification,
    /// `--use_old_simplification_heuristics`, for keys of older circuits.
    pub old_heuristics: bool,
}

/// A text that is not a canonical option list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical list of circom options")]
pub struct OptionsError;

impl OptionsError {
    /// Stable code of this error.
    #[must_use]
    pub fn code(self) -> &'static str {
        "circom_options"
    }
}

impl CircomOptions {
    /// The options as arguments of circom.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.to_string().split(' ').map(str::to_owned).collect()
    }
}

impl fmt::Display for CircomOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.simplification {
            Simplification::O0 => formatter.write_str("--O0")?,
            Simplification::O1 => formatter.write_str("--O1")?,
            Simplification::O2 => formatter.write_str("--O2")?,
            Simplification::O2Round(rounds) => write!(formatter, "--O2round {rounds}")?,
        }
        formatter.write_str(" --prime bn128")?;
        if self.old_heuristics {
            formatter.write_str(" --use_old_simplification_heuristics")?;
        }
        Ok(())
    }
}

impl FromStr for CircomOptions {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let mut words = text.split(' ');
        let simplification = match words.next() {
            Some("--O0") => Simplification::O0,
            Some("--O1") => Simplification::O1,
            Some("--O2") => Simplification::O2,
            Some("--O2round") => {
                let rounds = words.next().and_then(|word| word.parse().ok());
                Simplification::O2Round(rounds.ok_or(OptionsError)?)
            }
            _ => return Err(OptionsError),
        };
        let options = Self {
            simplification,
            old_heuristics: text.ends_with(" --use_old_simplification_heuristics"),
        };
        // One spelling only.
        if options.to_string() == text {
            Ok(options)
        } else {
            Err(OptionsError)
        }
    }
}

impl Spelling for CircomOptions {
    const EXPECTED: &'static str = "`--O0`, `--O1`, `--O2` or `--O2round N`, then ` --prime bn128`, \
        then perhaps ` --use_old_simplification_heuristics`";
    fn read(value: &str) -> Option<Self> {
        value.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_text_round_trips() {
        for text in [
            "--O0 --prime bn128",
            "--O1 --prime bn128",
            "--O2 --prime bn128",
            "--O2round 3 --prime bn128",
            "--O2 --prime bn128 --use_old_simplification_heuristics",
        ] {
            let options: CircomOptions = text.parse().unwrap();
            assert_eq!(options.to_string(), text);
            assert_eq!(options.arguments().join(" "), text);
        }
        assert_eq!(CircomOptions::default().to_string(), "--O1 --prime bn128");
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in [
            "",
            "--O1",
            "--O3 --prime bn128",
            "--O1  --prime bn128",
            "--prime bn128 --O1",
            "--O1 --prime bls12381",
            "--O1 --prime bn128 ",
            "--O1 --prime bn128 --sym",
            "--O2round 0 --prime bn128",
            "--O2round 03 --prime bn128",
            "--O2round +3 --prime bn128",
            "--O2round --prime bn128",
            "--O1 --prime bn128 -o /tmp --use_old_simplification_heuristics",
        ] {
            assert_eq!(text.parse::<CircomOptions>(), Err(OptionsError), "{text}");
        }
    }
}
