//! `xtask image-lines`: how many lines of this project's own code run inside the enclave.
//!
//! The crates are those of `enclave-image/dependencies.txt` that belong to this workspace. A line counts if
//! it is neither empty nor a comment, and not part of a test. The table in docs/image.md stands for
//! hundreds of lines: it is out of date when a count is more than a fifth beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use cargo_metadata::camino::Utf8Path;

const PAGE: &str = "docs/image.md";
const BEGIN: &str = "<!-- written by `xtask image-lines` -->\n";
const END: &str = "<!-- end -->\n";

/// A crate and its lines.
type Count = (String, usize);

/// Writes the table into the page.
pub(crate) fn write() -> Result<String, String> {
    let (root, counts) = count()?;
    let page = read(&root.join(PAGE))?;
    let (before, _, after) = split(&page)?;
    let text = format!("{before}{BEGIN}{}{END}{after}", table(&counts));
    std::fs::write(root.join(PAGE), text).map_err(|error| format!("{PAGE}: {error}"))?;
    Ok(format!("{PAGE}: {} lines", total(&counts)))
}

/// Compares the table with the sources.
pub(crate) fn check() -> Result<String, String> {
    let (root, counts) = count()?;
    let page = read(&root.join(PAGE))?;
    let (_, written, _) = split(&page)?;
    let wrong = differences(&written_counts(written), &counts);
    if wrong.is_empty() {
        return Ok(format!("{PAGE}: {} own lines run inside", total(&counts)));
    }
    Err(format!(
        "{PAGE} does not say what runs inside:\n{}\nhint: run `cargo run --release -p xtask -- image-lines`",
        wrong.join("\n")
    ))
}

fn differences(written: &[Count], counts: &[Count]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, lines) in counts {
        match written.iter().find(|(other, _)| other == name) {
            Some((_, said)) if said.abs_diff(*lines) <= 200.max(lines / 5) => {}
            Some((_, said)) => wrong.push(format!("  {name}: {lines} lines, {said} written")),
            None => wrong.push(format!("  {name} is not in the table")),
        }
    }
    for (name, _) in written {
        if !counts.iter().any(|(other, _)| other == name) {
            wrong.push(format!("  {name} does not run inside"));
        }
    }
    wrong
}

fn count() -> Result<(PathBuf, Vec<Count>), String> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let root = metadata.workspace_root.as_std_path();
    let list = read(&root.join("enclave-image/dependencies.txt"))?;
    let mut counts = Vec::new();
    for package in &metadata.packages {
        let runs_inside = list
            .lines()
            .any(|line| line.split(' ').next() == Some(package.name.as_str()));
        if !runs_inside {
            continue;
        }
        let folder = package.manifest_path.with_file_name("src");
        let name = folder
            .strip_prefix(root)
            .map_or(package.name.as_str(), |path| {
                path.parent().map_or("", Utf8Path::as_str)
            });
        let lines = lines_below(folder.as_std_path())?;
        counts.push((name.trim_start_matches("crates/").to_owned(), lines));
    }
    if counts.is_empty() {
        return Err("no crate of this workspace runs inside: the list was not understood".into());
    }
    counts.sort();
    Ok((root.to_owned(), counts))
}

/// Lines of every source file that is no test.
fn lines_below(folder: &Path) -> Result<usize, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_test = path
            .file_stem()
            .is_some_and(|stem| matches!(stem.to_str(), Some("tests" | "fixtures" | "whole")));
        if path.is_dir() {
            sum += lines_below(&path)?;
        } else if !is_test && path.extension().is_some_and(|extension| extension == "rs") {
            sum += lines(&read(&path)?);
        }
    }
    Ok(sum)
}

/// Lines of code before the tests, which stand at a file's end or in a file of their own.
fn lines(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            match lines.next() {
                Some(elsewhere) if elsewhere.ends_with(';') => {}
                _ => break,
            }
        } else if !line.is_empty() && !line.starts_with("//") {
            count += 1;
        }
    }
    count
}

fn total(counts: &[Count]) -> usize {
    counts.iter().map(|(_, lines)| lines).sum()
}

fn table(counts: &[Count]) -> String {
    let rounded = |lines: usize| lines.div_ceil(100) * 100;
    let mut text = "| crate | lines, at most |\n|---|---|\n".to_owned();
    for (name, lines) in counts {
        // Writing to a String cannot fail.
        writeln!(text, "| `{name}` | {} |", rounded(*lines)).ok();
    }
    writeln!(text, "| together | {} |", rounded(total(counts))).ok();
    text
}

fn written_counts(table: &str) -> Vec<Count> {
    table
        .lines()
        .filter_map(|line| {
            let (name, lines) = line.strip_prefix("| `")?.split_once("` | ")?;
            let lines = lines.strip_suffix(" |")?.parse().ok()?;
            Some((name.to_owned(), lines))
        })
        .collect()
}

/// Before, between and after the marks.
fn split(page: &str) -> Result<(&str, &str, &str), String> {
    let marks = || format!("{PAGE} has not the marks around the table");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(marks)?;
    let (written, after) = rest.split_once(END).ok_or_else(marks)?;
    Ok((before, written, after))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_empty_lines_and_tests_do_not_count() {
        let text = "//! A file.\n\n#[cfg(test)]\nmod fixtures;\nfn a() {\n    // why\n    b(); // c\n}\n\n#[cfg(test)]\nmod tests {\n    x\n}\n";
        assert_eq!(lines(text), 3);
    }

    #[test]
    fn a_count_far_beside_the_table_is_named() {
        let named = |name: &str, lines| (name.to_owned(), lines);
        let counts = [named("a", 950), named("b", 2000)];
        let written = written_counts(&table(&counts));
        assert_eq!(written, [named("a", 1000), named("b", 2000)]);
        assert!(differences(&written, &counts).is_empty());
        let now = [named("a", 950), named("b", 2600), named("c", 1)];
        assert_eq!(
            differences(&written, &now),
            ["  b: 2600 lines, 2000 written", "  c is not in the table"]
        );
        assert_eq!(
            differences(&written, &now[..1]),
            ["  b does not run inside"]
        );
    }
}
