//! Names and numbers for people.

use protocol::pb;

/// Name of a stage.
pub(crate) fn stage(stage: pb::Stage) -> &'static str {
    match stage {
        pb::Stage::Unspecified => "unknown",
        pb::Stage::Booted => "booted",
        pb::Stage::Opened => "opened",
        pb::Stage::Compiled => "compiled",
        pb::Stage::Phase1Ready => "phase1-ready",
        pb::Stage::InitialReady => "initial-ready",
        pb::Stage::Contributed => "contributed",
        pb::Stage::Committed => "committed",
        pb::Stage::RoundAssigned => "round-assigned",
        pb::Stage::Finalized => "finalized",
        pb::Stage::Sealed => "sealed",
        pb::Stage::Failed => "failed",
    }
}

/// Name of a unit.
pub(crate) fn unit(unit: pb::Unit) -> &'static str {
    match unit {
        pb::Unit::Bytes => "bytes",
        pb::Unit::Points => "points",
        pb::Unit::Constraints => "constraints",
        pb::Unit::Steps | pb::Unit::Unspecified => "steps",
    }
}

/// An amount with its unit; nothing for bare steps.
pub(crate) fn amount(amount: u64, unit: pb::Unit) -> String {
    match unit {
        pb::Unit::Bytes => bytes(amount),
        pb::Unit::Points => format!("{amount} points"),
        pb::Unit::Constraints => format!("{amount} constraints"),
        pb::Unit::Steps | pb::Unit::Unspecified => String::new(),
    }
}

/// A size in binary units, one decimal.
pub(crate) fn bytes(size: u64) -> String {
    indicatif::BinaryBytes(size).to_string()
}

/// Text of another process on one line, without control characters, bounded.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

/// Text of another process, lines kept, other control characters gone, bounded.
pub(crate) fn lines(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .take(8000)
        .collect()
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some errors repeat their cause in their own words.
        let inner = error.to_string();
        if !text.ends_with(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_processes_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc"), "a [2Jb c");
        assert_eq!(lines("a\x1b[2Jb\nc\r"), "a[2Jb\nc");
    }
}
