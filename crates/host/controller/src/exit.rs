//! Exit codes, documented in `docs/cli.md` and in the long help.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; everything that was checked holds.
    Success,
    /// It was checked, and it is false.
    False,
    /// Wrong usage.
    Usage,
    /// It could not be checked or completed.
    Incomplete,
    /// Cloud resources exist or may exist that cost money; they were named.
    ResourcesMayExist,
    /// Everything holds, but under a simulated trust anchor: proves nothing about a production key.
    SimulationOnly,
    /// Interrupted by the user.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::False => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::ResourcesMayExist => 4,
            Self::SimulationOnly => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let all = [
            Exit::Success,
            Exit::False,
            Exit::Usage,
            Exit::Incomplete,
            Exit::ResourcesMayExist,
            Exit::SimulationOnly,
            Exit::Interrupted,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 5, 130]);
        let documented = include_str!("../../../../docs/cli.md");
        for exit in all {
            assert!(
                documented.contains(&format!("| {} |", exit.code())),
                "{exit:?}"
            );
        }
    }
}
