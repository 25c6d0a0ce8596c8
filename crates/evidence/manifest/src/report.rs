//! `report.html`: the bundle for people. A function of the manifest and the two documents.
//!
//! The page proves nothing and says so: whoever can change the bundle can change the page. It is
//! recomputed by `verify`, which refuses any other text. [`render_published`] is the same page with
//! links, for beside a published bundle.

mod links;

use std::fmt::{Display, Write as _};

use attestation::AttestationError;
use attestation::cose::Envelope;
use attestation::payload::Payload;
use formats::digest::Sha256Digest;

use crate::artifact::ArtifactKind;
use crate::manifest::Manifest;
use crate::spec::{BeaconChain, CircuitSpec, Phase1Family};
use crate::sums::{SOURCES_FOLDER, SUMS_FILE};

pub use self::links::{Href, HrefError, Links};

/// File name of the page.
pub const REPORT_FILE: &str = "report.html";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}\
th{width:15rem;font-weight:600}\
td{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere}\
.simulation{background:#b00020;color:#fff;padding:1rem;font-weight:700}\
.note{border-left:4px solid #888;padding-left:1rem}";

/// The page. Fails when a document is not well-formed; nothing about it is verified here.
pub fn render(
    manifest: &Manifest,
    attestation_1: &[u8],
    attestation_2: &[u8],
) -> Result<String, AttestationError> {
    write(manifest, attestation_1, attestation_2, None)
}

/// The same page with links, as it lies beside a published bundle. It is no file of the bundle.
pub fn render_published(
    manifest: &Manifest,
    attestation_1: &[u8],
    attestation_2: &[u8],
    links: &Links,
) -> Result<String, AttestationError> {
    write(manifest, attestation_1, attestation_2, Some(links))
}

fn write(
    manifest: &Manifest,
    attestation_1: &[u8],
    attestation_2: &[u8],
    links: Option<&Links>,
) -> Result<String, AttestationError> {
    let mut page = Page::default();
    page.head(manifest, links.is_some());
    let link = |path: &str| links.and_then(|links| links.files.get(path).cloned());
    if let Some(links) = links {
        page.table("To fetch", &fetch_rows(links));
    }
    page.table("The key", &key_rows(manifest));
    if !manifest.predecessors.is_empty() {
        page.table(
            "Contributions before the enclave's",
            &predecessor_rows(manifest),
        );
    }
    page.table("The circuit", &circuit_rows(manifest));
    page.table("The ceremony", &ceremony_rows(manifest));
    page.table(
        "Document 1: the contribution",
        &document_rows(attestation_1)?,
    );
    page.table("Document 2: the manifest", &document_rows(attestation_2)?);
    let checks = manifest
        .self_checks
        .iter()
        .map(|(name, check)| row(name, check));
    page.table("Self-checks of the enclave", &checks.collect::<Vec<_>>());
    let files = manifest
        .artifacts
        .iter()
        .map(|(kind, record)| row(kind.name(), record).linked(link(kind.name())));
    page.table("Files", &files.collect::<Vec<_>>());
    let unshipped = [
        row(initial_name(manifest), &manifest.initial_zkey),
        row(contribution_name(manifest), &manifest.contribution_zkey),
        row("ptau", &manifest.ptau),
    ];
    page.table("Used, not shipped", &unshipped);
    let sources = manifest.sources.iter().map(|(path, source)| {
        let value = format!("{} sha256:{}", source.size, source.sha256);
        row(path, value).linked(link(&format!("{SOURCES_FOLDER}/{path}")))
    });
    page.table("Sources", &sources.collect::<Vec<_>>());
    page.text.push_str("</body>\n</html>\n");
    Ok(page.text)
}

/// A name with its value; the name may lead somewhere.
struct Row {
    name: String,
    value: String,
    link: Option<Href>,
}

impl Row {
    fn linked(mut self, link: Option<Href>) -> Self {
        self.link = link;
        self
    }
}

fn row(name: impl Display, value: impl Display) -> Row {
    Row {
        name: name.to_string(),
        value: value.to_string(),
        link: None,
    }
}

/// What the other tables do not list, and for how long.
fn fetch_rows(links: &Links) -> Vec<Row> {
    let mut rows = Vec::new();
    for (text, href) in &links.others {
        rows.push(row(text, "").linked(Some(href.clone())));
    }
    for name in [
        ArtifactKind::Manifest.name(),
        ArtifactKind::Attestation2.name(),
        SUMS_FILE,
        REPORT_FILE,
    ] {
        if let Some(href) = links.files.get(name) {
            rows.push(row(name, "of the bundle").linked(Some(href.clone())));
        }
    }
    if let Some(until) = links.until() {
        rows.push(row("The links of this page end", until));
    }
    rows
}

fn key_rows(manifest: &Manifest) -> Vec<Row> {
    let mut rows = vec![
        row("Curve", manifest.spec.curve),
        row("Circuit hash (csHash)", manifest.circuit_hash),
        row("Contribution hash", manifest.contribution.hash),
        row(
            "Contribution name (unauthenticated)",
            &manifest.spec.contribution_name,
        ),
        row("Beacon hash", manifest.contribution.beacon_hash),
        row(
            "Keccak-256 of the runtime code",
            hex::encode(manifest.runtime_keccak256),
        ),
    ];
    let phase1 = &manifest.phase1;
    let simulated = match phase1.family {
        Phase1Family::Development => " (SIMULATION: its tau is known to everybody)",
        Phase1Family::Hermez | Phase1Family::Ppot0080 => "",
    };
    rows.push(row(
        "Phase 1",
        format!("{}, power {}{simulated}", phase1.family, phase1.power),
    ));
    rows
}

/// File names as a chain of contributions is usually kept.
fn initial_name(manifest: &Manifest) -> String {
    format!("{:04}.zkey", manifest.predecessors.len())
}

fn contribution_name(manifest: &Manifest) -> String {
    format!("{:04}.zkey", manifest.predecessors.len().saturating_add(1))
}

fn predecessor_rows(manifest: &Manifest) -> Vec<Row> {
    let mut rows = vec![row(
        "Whose they are",
        "not attested: their proofs were checked, their names are what their makers wrote",
    )];
    for (number, predecessor) in manifest.predecessors.iter().enumerate() {
        let name = String::from_utf8_lossy(&predecessor.unauthenticated_name);
        let name: String = name
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        let said = if name.is_empty() {
            String::new()
        } else {
            format!(", name (unauthenticated): {name}")
        };
        rows.push(row(
            format!("{} {}", number.saturating_add(1), predecessor.kind),
            format!("{}{said}", predecessor.hash),
        ));
    }
    rows
}

fn circuit_rows(manifest: &Manifest) -> Vec<Row> {
    let facts = &manifest.circuit;
    let mut rows = vec![row("Given as", manifest.spec.circuit.input())];
    match &manifest.spec.circuit {
        CircuitSpec::Sources {
            main,
            options,
            compiler,
            sha256,
            ..
        } => {
            rows.push(row("Main file", main));
            rows.push(row("Source bundle", format!("sha256:{sha256}")));
            rows.push(row("circom options", options));
            rows.push(row("circom module", format!("sha256:{compiler}")));
        }
        CircuitSpec::R1cs { sha256 } => {
            rows.push(row("r1cs", format!("sha256:{sha256}")));
            rows.push(row(
                "Sources",
                "not part of this ceremony: only the r1cs is attested",
            ));
        }
    }
    rows.push(row("Constraints", facts.constraints));
    rows.push(row("Wires", facts.wires));
    rows.push(row("Public outputs", facts.outputs));
    rows.push(row("Public inputs", facts.public_inputs));
    rows.push(row("Private inputs", facts.private_inputs));
    rows.push(row("Domain", format!("2^{}", facts.power)));
    rows
}

fn ceremony_rows(manifest: &Manifest) -> Vec<Row> {
    let simulated = match manifest.spec.beacon.chain {
        BeaconChain::Local => " (SIMULATION: its key is on the same machine)",
        BeaconChain::Quicknet | BeaconChain::Default => "",
    };
    vec![
        row("Ceremony id", manifest.spec.id()),
        row(
            "Requester's nonce",
            hex::encode(manifest.spec.requester_nonce),
        ),
        row(
            "Agent",
            format!("{}, mode {}", manifest.agent_version, manifest.agent_mode),
        ),
        row(
            "Contribution attested at",
            utc(manifest.contribution.attested_time_ms),
        ),
        row("Margin", format!("{} ms", manifest.spec.beacon.margin_ms)),
        row(
            "Beacon chain",
            format!("{}{simulated}", manifest.spec.beacon.chain),
        ),
        row("Beacon round", manifest.beacon.round),
        row("Published at", utc(manifest.beacon.round_time_ms)),
        row("Randomness", hex::encode(manifest.beacon.randomness)),
        row(
            "solc module",
            format!("sha256:{}", manifest.spec.compiler_solc),
        ),
        row("Last receipt", format!("sha256:{}", manifest.receipts_head)),
    ]
}

fn document_rows(document: &[u8]) -> Result<Vec<Row>, AttestationError> {
    let envelope = Envelope::parse(document).map_err(AttestationError::Envelope)?;
    let payload = Payload::parse(envelope.payload)?;
    let module = payload.module_id.as_str();
    let simulated = if payload.module_id.is_simulated() {
        " (SIMULATION: no hardware)"
    } else {
        ""
    };
    let mut rows = vec![
        row("Module", format!("{module}{simulated}")),
        row("Signed at", utc(payload.timestamp.0)),
        row("SHA-256 of the file", Sha256Digest::of(document)),
    ];
    for (index, value) in &payload.pcrs {
        if *value != [0; 48] {
            rows.push(row(format!("PCR{index}"), hex::encode(value)));
        }
    }
    Ok(rows)
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, manifest: &Manifest, published: bool) {
        let banner = if manifest.is_simulation() {
            "<p class=\"simulation\">SIMULATION: at least one part of this ceremony is simulated. \
             The key must not be used to protect anything.</p>\n"
        } else {
            ""
        };
        self.text
            .push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.text
            .push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
        if published {
            // A signed link is for whoever holds this page, not for the sites that it leads to.
            self.text
                .push_str("<meta name=\"referrer\" content=\"no-referrer\">\n");
        }
        let title = if published && manifest.is_simulation() {
            "SIMULATION: "
        } else {
            ""
        };
        let _infallible = write!(
            self.text,
            "<title>{title}Attested phase-2 ceremony</title>\n<style>"
        );
        self.text.push_str(STYLE);
        self.text
            .push_str("</style>\n</head>\n<body>\n<h1>Attested phase-2 ceremony</h1>\n");
        self.text.push_str(banner);
        self.text.push_str(
            "<p class=\"note\">This page only repeats what the manifest and the attestation documents \
             say. It proves nothing by itself: run <code>controller verify</code> on this folder with \
             a copy of the tool and measurements (PCRs) that you obtained independently.</p>\n",
        );
    }

    fn table(&mut self, title: &str, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        // Writing to a String cannot fail.
        let _infallible = writeln!(self.text, "<h2>{}</h2>\n<table>", escape(title));
        for Row { name, value, link } in rows {
            let (mut name, value) = (escape(name), escape(value));
            if let Some(link) = link {
                name = format!("<a href=\"{}\">{name}</a>", escape(link.reveal()));
            }
            let _infallible = writeln!(self.text, "<tr><th>{name}</th><td>{value}</td></tr>");
        }
        self.text.push_str("</table>\n");
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `YYYY-MM-DD HH:MM:SS.mmm UTC` of milliseconds since the Unix epoch, in the Gregorian calendar.
pub fn utc(unix_ms: u64) -> String {
    let (seconds, ms) = (unix_ms / 1000, unix_ms % 1000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03} UTC")
}

/// Year, month and day of a number of days since 1970-01-01. Counts in years that begin in March, so
/// that the leap day is the last one; 719,468 days lie between 0000-03-01 and the epoch.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{builder, spec_fields};
    use crate::manifest::AgentMode;
    use crate::spec::CircuitInput;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00.000 UTC"),
            (951_782_399_999, "2000-02-28 23:59:59.999 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00.000 UTC"),
            (1_692_803_367_000, "2023-08-23 15:09:27.000 UTC"),
            (1_770_065_027_502, "2026-02-02 20:43:47.502 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000 UTC"),
        ] {
            assert_eq!(utc(ms), text);
        }
    }

    #[test]
    fn text_from_outside_is_escaped() {
        let mut spec = spec_fields(CircuitInput::R1cs);
        spec.contribution_name = "<script>alert('&\"')".to_owned();
        let mut builder = builder(CircuitInput::R1cs);
        builder.spec = spec.validate().unwrap();
        let rows = key_rows(&builder.build().unwrap());
        let mut page = Page::default();
        page.table("<b>", &rows);
        assert!(
            page.text
                .contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)")
        );
        assert!(page.text.contains("<h2>&lt;b&gt;</h2>"));
        assert!(!page.text.contains("<script"));
    }

    #[test]
    fn r52_only_names_that_have_a_link_lead_somewhere() {
        let mut page = Page::default();
        let href = Href::https("https://b.example/a?x=1&y=2").unwrap();
        page.table("t", &[row("<a>", "v").linked(Some(href)), row("b", "w")]);
        let linked =
            "<tr><th><a href=\"https://b.example/a?x=1&amp;y=2\">&lt;a&gt;</a></th><td>v</td></tr>";
        assert!(page.text.contains(linked), "{}", page.text);
        assert!(page.text.contains("<tr><th>b</th><td>w</td></tr>"));
        assert_eq!(page.text.matches("href").count(), 1);
    }

    #[test]
    fn simulation_is_said_at_the_top() {
        for mode in [AgentMode::Production, AgentMode::Simulation] {
            let mut builder = builder(CircuitInput::Sources);
            builder.agent_mode = mode;
            let mut page = Page::default();
            page.head(&builder.build().unwrap(), true);
            let title = page.text.contains("<title>SIMULATION: ");
            assert_eq!(title, mode == AgentMode::Simulation);
            let banner = page.text.contains("class=\"simulation\">SIMULATION");
            assert_eq!(banner, mode == AgentMode::Simulation);
        }
    }
}
