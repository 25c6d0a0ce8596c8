//! A zkey, judged alone or against its circuit and powers of tau.

use std::io;
use std::path::Path;

use formats::digest::hash_source;
use formats::ptau::{Ptau, published};
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{ContributionName, ZKey};
use phase2::check::{ChainReport, CheckError, CircuitHashRule, check_chain, check_key};

use crate::checklist::{Checklist, Outcome};
use crate::cli::CheckArgs;
use crate::error::CliError;
use crate::printer::Printer;
use crate::words::{self, chain};
use crate::work::WorkDisplay;

/// Contributions shown one by one; the first and the last ones of a long list.
const SHOWN: usize = 5;

/// Judges the key; every result goes to the list.
pub(super) fn check(
    args: &CheckArgs,
    printer: &Printer,
    list: &mut Checklist<'_>,
) -> Result<(), CliError> {
    let title = "well-formed Groth16 zkey";
    let zkey = match ZKey::open(open(&args.file)?) {
        Ok(zkey) => zkey,
        Err(error) => {
            list.add("zkey-format", title, &Outcome::Failed(chain(&error)));
            return Ok(());
        }
    };
    let header = zkey.header();
    let seen = format!(
        "{}, {} wires, {} public signals, domain {}",
        header.curve.name(),
        header.n_vars,
        header.n_public,
        header.domain_size
    );
    list.add("zkey-format", title, &Outcome::Passed(seen));
    let mut challenge_key = [0; 32];
    getrandom::fill(&mut challenge_key).map_err(CliError::Randomness)?;
    if let (Some(r1cs), Some(ptau)) = (&args.r1cs, &args.ptau) {
        against_circuit(&zkey, r1cs, ptau, &challenge_key, printer, list)
    } else {
        alone(&zkey, &challenge_key, printer, list);
        Ok(())
    }
}

fn alone(
    zkey: &ZKey<FileSource>,
    challenge_key: &[u8; 32],
    printer: &Printer,
    list: &mut Checklist<'_>,
) {
    let work = WorkDisplay::new(printer);
    let checked = check_chain(zkey, challenge_key, &work);
    work.finish();
    match checked {
        Ok(report) => contributions(&report, printer, list),
        Err(error) => refused(&error, list),
    }
    list.add(
        "zkey-circuit",
        "the key belongs to its circuit and powers of tau",
        &Outcome::NotChecked("--r1cs and --ptau not given".into()),
    );
}

fn against_circuit(
    zkey: &ZKey<FileSource>,
    r1cs: &Path,
    ptau: &Path,
    challenge_key: &[u8; 32],
    printer: &Printer,
    list: &mut Checklist<'_>,
) -> Result<(), CliError> {
    let title = "well-formed r1cs and ptau";
    let inputs = (R1cs::open(open(r1cs)?), Ptau::open(open(ptau)?));
    let (r1cs, opened) = match inputs {
        (Ok(r1cs), Ok(ptau)) => (r1cs, ptau),
        (Err(error), _) => {
            list.add("check-inputs", title, &Outcome::Failed(chain(&error)));
            return Ok(());
        }
        (_, Err(error)) => {
            list.add("check-inputs", title, &Outcome::Failed(chain(&error)));
            return Ok(());
        }
    };
    list.add("check-inputs", title, &Outcome::Passed(String::new()));
    let work = WorkDisplay::new(printer);
    let digests = hash_source(opened.source(), &work).map_err(|source| read_error(ptau, source))?;
    let outcome = match published::lookup(&digests) {
        Some(file) => Outcome::Passed(format!("{} of family {}", file.file_name, file.family)),
        None => Outcome::NotChecked(
            "its digest is in no published table: nothing vouches for this phase 1".into(),
        ),
    };
    let checked = check_key(&r1cs, &opened, zkey, challenge_key, &work);
    work.finish();
    list.add(
        "phase1-published",
        "powers of tau of a published phase 1",
        &outcome,
    );
    match checked {
        Ok(report) => {
            contributions(&report.chain, printer, list);
            let rule = match report.circuit_hash_rule {
                CircuitHashRule::Current => String::new(),
                CircuitHashRule::Before07 => {
                    "circuit hash by the rule of snarkjs before 0.7.0".to_owned()
                }
            };
            let title = "the key belongs to its circuit and powers of tau";
            list.add("zkey-circuit", title, &Outcome::Passed(rule));
        }
        Err(error) => refused(&error, list),
    }
    Ok(())
}

fn contributions(report: &ChainReport, printer: &Printer, list: &mut Checklist<'_>) {
    let all = &report.contributions;
    let beacon = if report.ends_with_beacon() {
        ", the last one a beacon"
    } else {
        ""
    };
    list.add(
        "zkey-contributions",
        "phase 2 was done: every contribution follows from the one before",
        &Outcome::Passed(format!("{} contributions{beacon}", all.len())),
    );
    for (index, contribution) in all.iter().enumerate() {
        if index >= SHOWN && index.saturating_add(SHOWN) < all.len() {
            if index == SHOWN {
                printer.result("               …");
            }
            continue;
        }
        let name = contribution
            .unauthenticated_name
            .as_ref()
            .map(ContributionName::to_text);
        let name = words::one_line(&name.unwrap_or_default());
        let number = index.saturating_add(1);
        printer.result(&format!(
            "               {number}: {} name (unauthenticated): {name:?}",
            contribution.hash
        ));
        let (hash, beacon) = (contribution.hash.to_string(), contribution.beacon.is_some());
        printer.object(&crate::json::Contribution {
            number,
            hash: &hash,
            beacon,
            unauthenticated_name: &name,
        });
    }
}

fn refused(error: &CheckError, list: &mut Checklist<'_>) {
    let text = format!("{} [{}]", chain(error), error.code());
    list.add(
        "zkey-contributions",
        "phase 2 was done and every point is sound",
        &Outcome::Failed(text),
    );
}

fn open(path: &Path) -> Result<FileSource, CliError> {
    FileSource::open(path).map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: io::Error) -> CliError {
    CliError::File {
        action: "read",
        path: path.into(),
        source,
    }
}
