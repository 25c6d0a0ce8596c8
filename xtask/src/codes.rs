//! `xtask codes`: docs/error-codes.md, the table of every stable error code, from the sources.
//!
//! A code is a literal in the body of a function `code`; its meaning is the `#[error]` message of the
//! variants it stands beside. Both are read as text: rustfmt gives them one shape.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const OUT: &str = "docs/error-codes.md";
const HEAD: &str = "\
# Error codes

Written by `xtask codes`. Every refusal carries one of these codes: `--json` prints it as `code`, the run store keeps it
in `JobFailure.code`, gRPC carries it as the metadata `ceremony-code` (protocol.md). A code keeps its meaning; the
messages may change. What to do is said by the `hint:` printed with it, and in operations.md.

| code | message | crate |
|---|---|---|
";

/// The messages of a code and the crates it comes from.
type Table = BTreeMap<String, BTreeMap<String, String>>;

/// Writes the table.
pub(crate) fn write() -> Result<String, String> {
    let text = page()?;
    fs::write(root().join(OUT), &text).map_err(|error| format!("{OUT}: {error}"))?;
    Ok(format!("{OUT}: {} lines", text.lines().count()))
}

/// Compares the table with the sources.
pub(crate) fn check() -> Result<String, String> {
    let kept = fs::read_to_string(root().join(OUT)).map_err(|error| format!("{OUT}: {error}"))?;
    if kept == page()? {
        return Ok(format!("{OUT} is what the sources say"));
    }
    Err(format!(
        "{OUT} is not what the sources say\nhint: run `cargo run --release -p xtask -- codes`"
    ))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

fn page() -> Result<String, String> {
    let mut table = Table::new();
    let crates = root().join("crates");
    for file in sources(&crates)? {
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        // crates/ROOM/NAME/src/…
        let place = file.strip_prefix(&crates).unwrap_or(&file);
        let owner = place.components().nth(1).map_or_else(String::new, |part| {
            part.as_os_str().to_string_lossy().into_owned()
        });
        collect(&text, &owner, &mut table);
    }
    let misspelt: Vec<&String> = table.keys().filter(|code| !is_spelt(code)).collect();
    if !misspelt.is_empty() {
        return Err(format!("not lower case with underscores: {misspelt:?}"));
    }
    let rows = table.iter().flat_map(|(code, uses)| {
        uses.iter()
            .map(move |(owner, message)| format!("| `{code}` | {message} | {owner} |\n"))
    });
    Ok(format!("{HEAD}{}", rows.collect::<String>()))
}

fn is_spelt(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_lowercase())
        && code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The services' own source files, in order.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["tests", "gen", "benches"].contains(&name.as_ref()) {
                found.extend(sources(&path)?);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Adds the codes of one file.
fn collect(text: &str, owner: &str, table: &mut Table) {
    // The unit tests of a file stand at its end.
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let messages = messages(text);
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if !line.contains("fn code(") || line.ends_with(';') {
            continue;
        }
        let indent = line.len().saturating_sub(line.trim_start().len());
        let end = format!("{}}}", " ".repeat(indent));
        let body = lines
            .iter()
            .skip(at)
            .skip(1)
            .take_while(|line| **line != end);
        let mut variants: Vec<&str> = Vec::new();
        for line in body {
            let line = line.trim();
            variants.extend(line.split("Self::").skip(1).map(|rest| {
                rest.split(|c: char| !c.is_ascii_alphanumeric())
                    .next()
                    .unwrap_or_default()
            }));
            if let Some(code) = literal(line) {
                let mut words: Vec<&str> = variants
                    .iter()
                    .filter_map(|variant| messages.get(*variant).map(String::as_str))
                    .collect();
                words.dedup();
                table
                    .entry(code.to_owned())
                    .or_default()
                    .entry(owner.to_owned())
                    .or_insert_with(|| words.join("; "));
            }
            // `=> error.code(),` names no code of its own: the arm is over.
            if line.ends_with(',') || line == "}" {
                variants.clear();
            }
        }
    }
}

/// The code that an arm answers with.
fn literal(line: &str) -> Option<&str> {
    let answer = line.split("=> ").last()?.trim_end_matches(',');
    let code = answer.strip_prefix('"')?.strip_suffix('"')?;
    (!code.contains(' ')).then_some(code)
}

/// Variant names and their `#[error]` messages.
fn messages(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("#[error(") {
        let Some((attribute, after)) = after.split_once(")]\n") else {
            break;
        };
        let variant = after
            .trim_start()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let message = attribute
            .split('"')
            .nth(1)
            .map_or("the message of its cause", |message| message);
        found.insert(
            variant.to_owned(),
            message.replace("\\n", " ").replace('|', "\\|"),
        );
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
enum E {
    #[error("no {name} | here")]
    Absent { name: String },
    #[error(
        "twice"
    )]
    Twice,
    #[error(transparent)]
    Inner(#[from] F),
}
impl E {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent { .. } | Self::Twice => "absent",
            Self::Inner(error) if error.is_full() => {
                "full"
            }
            Self::Inner(error) => error.code(),
        }
    }
}
fn other() -> &'static str { "none" }
"#;

    #[test]
    fn codes_come_with_the_messages_of_their_variants() {
        let mut table = Table::new();
        collect(FILE, "x", &mut table);
        let got: Vec<_> = table
            .iter()
            .flat_map(|(code, uses)| {
                uses.iter()
                    .map(move |(o, m)| (code.as_str(), o.as_str(), m.as_str()))
            })
            .collect();
        assert_eq!(
            got,
            [
                ("absent", "x", "no {name} \\| here; twice"),
                ("full", "x", "the message of its cause")
            ]
        );
    }

    #[test]
    fn codes_are_lower_case_with_underscores() {
        assert!(is_spelt("ptau_hash"));
        assert!(!is_spelt("ptau-hash"));
        assert!(!is_spelt("ptau.hash"));
        assert!(!is_spelt("_x"));
    }
}
