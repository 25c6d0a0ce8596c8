//! r1cs, ptau and zkey files.

use std::path::Path;

use formats::curve::{Bls12381, Bn128, Curve, CurveParams};
use formats::digest::{FileDigests, hash_source};
use formats::progress::NoProgress;
use formats::ptau::{Ptau, published};
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{ContributionKind, ZKey};

use super::Findings;
use crate::checklist::Outcome;
use crate::error::CliError;
use crate::exit::Exit;
use crate::words::chain;

/// Contributions shown one by one.
const SHOWN: u32 = 10;

pub(super) fn r1cs(path: &Path, findings: &mut Findings<'_>) -> Result<Exit, CliError> {
    let title = "well-formed r1cs that Groth16 can use";
    match R1cs::open(open(path)?) {
        Ok(r1cs) => {
            let header = r1cs.header();
            findings.fact("file", "r1cs");
            findings.fact("curve", header.curve.name());
            findings.fact("constraints", header.n_constraints);
            findings.fact("wires", header.n_wires);
            findings.fact("outputs", header.n_outputs);
            findings.fact("public inputs", header.n_public_inputs);
            findings.fact("private inputs", header.n_private_inputs);
            findings.fact("powers of tau needed", format!("2^{}", header.power()));
            digests(path, findings)?;
            findings
                .list
                .add("r1cs-format", title, &Outcome::Passed(String::new()));
        }
        Err(error) => findings
            .list
            .add("r1cs-format", title, &Outcome::Failed(chain(&error))),
    }
    Ok(Exit::Success)
}

pub(super) fn ptau(path: &Path, findings: &mut Findings<'_>) -> Result<Exit, CliError> {
    let title = "well-formed ptau";
    match Ptau::open(open(path)?) {
        Ok(ptau) => {
            findings.fact("file", "ptau");
            findings.fact("curve", ptau.curve().name());
            findings.fact("power", ptau.power());
            findings.fact("ceremony power", ptau.ceremony_power());
            findings.fact("contributions", ptau.n_contributions());
            findings.fact(
                "prepared for phase 2",
                if ptau.is_prepared() { "yes" } else { "no" },
            );
            findings
                .list
                .add("ptau-format", title, &Outcome::Passed(String::new()));
        }
        Err(error) => findings
            .list
            .add("ptau-format", title, &Outcome::Failed(chain(&error))),
    }
    let digests = digests(path, findings)?;
    let title = "published file of a known phase 1";
    findings.list.add(
        "ptau-published",
        title,
        &match published::lookup(&digests) {
            Some(file) => Outcome::Passed(format!("{} of family {}", file.file_name, file.family)),
            None => Outcome::Failed("its digest is in no published table".into()),
        },
    );
    Ok(Exit::Success)
}

pub(super) fn zkey(path: &Path, findings: &mut Findings<'_>) -> Result<Exit, CliError> {
    let title = "well-formed Groth16 zkey";
    match ZKey::open(open(path)?) {
        Ok(zkey) => {
            let header = zkey.header();
            findings.fact("file", "zkey");
            findings.fact("curve", header.curve.name());
            findings.fact("wires", header.n_vars);
            findings.fact("public signals", header.n_public);
            findings.fact("domain", header.domain_size);
            findings.fact("circuit hash", zkey.circuit_hash());
            findings.fact("contributions", zkey.n_contributions());
            match zkey.curve() {
                Curve::Bn128 => contributions::<Bn128>(&zkey, findings),
                Curve::Bls12381 => contributions::<Bls12381>(&zkey, findings),
            }
            digests(path, findings)?;
            findings
                .list
                .add("zkey-format", title, &Outcome::Passed(String::new()));
        }
        Err(error) => findings
            .list
            .add("zkey-format", title, &Outcome::Failed(chain(&error))),
    }
    findings.list.add(
        "zkey-phase2",
        "phase 2 was done",
        &Outcome::NotChecked("controller check looks at the contributions".into()),
    );
    Ok(Exit::Success)
}

fn contributions<C: CurveParams>(zkey: &ZKey<FileSource>, findings: &Findings<'_>) {
    let Ok(reader) = zkey.contributions::<C>() else {
        return;
    };
    for (number, contribution) in (1..=SHOWN).zip(reader) {
        let Ok(contribution) = contribution else {
            return;
        };
        let name = contribution
            .name
            .map_or_else(String::new, |name| name.to_text());
        let kind = match contribution.kind {
            ContributionKind::Ordinary => String::new(),
            ContributionKind::Beacon(beacon) => format!(
                " beacon {} 2^{}",
                hex::encode(beacon.value()),
                beacon.iterations_exp()
            ),
        };
        findings.fact(
            &format!("contribution {number}"),
            format!("name (unauthenticated) {name:?}{kind}"),
        );
    }
}

fn digests(path: &Path, findings: &Findings<'_>) -> Result<FileDigests, CliError> {
    let digests = hash_source(&open(path)?, &NoProgress).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    findings.fact("size", digests.size);
    findings.fact("sha256", digests.sha256);
    findings.fact("blake2b512", digests.blake2b512);
    Ok(digests)
}

fn open(path: &Path) -> Result<FileSource, CliError> {
    FileSource::open(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}
