//! Bundles 1, 2, … of ceremonies in sequence: each by itself, then that each continues the one before.

use std::path::Path;

use manifest::ArtifactKind;
use owo_colors::OwoColorize;
use verify::sequence::check_link;

use super::{manifest, one};
use crate::cli::VerifyArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words::{chain, one_line};

/// How many bundles the folder holds, if it is one of bundles: `1`, `2`, … and nothing else.
pub(super) fn count(folder: &Path) -> Result<Option<usize>, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: folder.into(),
        source,
    };
    if folder.join(ArtifactKind::Manifest.name()).exists() || !folder.join("1").is_dir() {
        return Ok(None);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    for number in 1..=names.len() {
        if !names.iter().any(|name| *name == *number.to_string()) {
            return Err(CliError::Usage {
                what: format!(
                    "{} holds bundle 1, but not exactly the bundles 1 to {}",
                    folder.display(),
                    names.len()
                ),
                hint: Some("name one bundle, or a folder with nothing but bundles 1, 2, …"),
            });
        }
    }
    Ok(Some(names.len()))
}

/// Verifies all bundles and their links.
pub(super) fn run(args: &VerifyArgs, count: usize, printer: &Printer) -> Result<Exit, CliError> {
    if args.nonce.is_some() {
        return Err(CliError::Usage {
            what: "--nonce names one ceremony, the folder holds several".to_owned(),
            hint: Some("verify the bundles one by one"),
        });
    }
    let mut worst = Exit::Success;
    for number in 1..=count {
        printer.result(&format!("bundle {number} of {count}"));
        worst = worse(
            worst,
            one(args, &args.bundle.join(number.to_string()), printer)?,
        );
    }
    Ok(worse(worst, links(&args.bundle, count, printer)?))
}

/// Checks the links alone; the bundles have been verified.
pub(in crate::commands) fn links(
    folder: &Path,
    count: usize,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let mut exit = Exit::Success;
    let mut before = manifest(&folder.join("1"))?;
    for number in 2..=count {
        let after = manifest(&folder.join(number.to_string()))?;
        let (id, title) = (
            format!("link:{number}"),
            format!(
                "bundle {number} continues bundle {}",
                number.saturating_sub(1)
            ),
        );
        let (status, word, detail) = match check_link(&before, &after) {
            Ok(()) => {
                let before = after.predecessors.len();
                let detail = format!("contributions before the enclave's: {before}");
                ("passed", "passed".green().to_string(), detail)
            }
            Err(error) => {
                exit = Exit::False;
                let detail = format!("{} [{}]", chain(&error), error.code());
                ("failed", "FAILED".red().bold().to_string(), detail)
            }
        };
        let detail = one_line(&detail);
        printer.result(&format!("  {word} {title}"));
        printer.result(&format!("               {}", detail.dimmed()));
        printer.object(&json::Step {
            id: &id,
            title: &title,
            status,
            detail: &detail,
        });
        before = after;
    }
    let summary = match exit {
        Exit::Success => format!("{count} bundles, each continues the one before"),
        _ => format!("FALSE: {count} bundles that are not one sequence"),
    };
    printer.result(&summary);
    printer.object(&json::Verdict {
        verdict: if exit == Exit::Success {
            "holds"
        } else {
            "false"
        },
        summary: &summary,
        exit_code: exit.code(),
    });
    Ok(exit)
}

/// What is false outweighs what could not be checked, and that what holds under simulation only.
fn worse(a: Exit, b: Exit) -> Exit {
    let order = [Exit::False, Exit::Incomplete, Exit::SimulationOnly];
    order
        .into_iter()
        .find(|exit| *exit == a || *exit == b)
        .unwrap_or(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_two_counts() {
        let order = [
            Exit::Success,
            Exit::SimulationOnly,
            Exit::Incomplete,
            Exit::False,
        ];
        for (i, a) in order.into_iter().enumerate() {
            for (j, b) in order.into_iter().enumerate() {
                assert_eq!(worse(a, b), order[i.max(j)]);
            }
        }
    }

    #[test]
    fn only_a_folder_of_bundles_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(count(path).unwrap(), None);
        for name in ["1", "2", "3"] {
            std::fs::create_dir(path.join(name)).unwrap();
        }
        assert_eq!(count(path).unwrap(), Some(3));
        std::fs::write(path.join("notes.txt"), b"").unwrap();
        assert_eq!(count(path).unwrap_err().exit(), Exit::Usage);
        std::fs::write(path.join("manifest"), b"").unwrap();
        assert_eq!(count(path).unwrap(), None);
    }
}
