//! The deepest look: circuit and contract compiled again, the key against r1cs and ptau.

use formats::curve::Bn128;
use formats::digest::{FileDigests, Sha256Digest, hash_source};
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::Source;
use manifest::manifest::Manifest;
use manifest::solidity::{VerifierKey, standard_json, verifier_source};
use manifest::spec::CircuitSpec;
use manifest::{ArtifactKind, ArtifactRecord};
use phase2::check::{CircuitHashRule, check_key};
use phase2::export::VerificationKey;

use crate::artifacts::source_bundle;
use crate::checklist::{Checklist, GIVEN_COMPILED, Outcome, StepId, Why, fact};
use crate::contract::code;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::key::open_key;
use crate::opening::Opened;
use crate::options::{CircuitCompiler, ContractCompiler, Depth, VerifyOptions};

pub(crate) fn check(
    folder: &Folder,
    opened: &Opened,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    let manifest = &opened.manifest;
    if options.depth < Depth::Full {
        for step in [
            StepId::Recompile,
            StepId::KeyAgainstCircuit,
            StepId::RecompileContract,
        ] {
            list.skip(step, Why::Depth);
        }
        return;
    }
    match (&manifest.spec.circuit, options.circuit_compiler) {
        (CircuitSpec::R1cs { .. }, _) => {
            list.skip(StepId::Recompile, Why::DoesNotApply(GIVEN_COMPILED));
        }
        (CircuitSpec::Sources { .. }, None) => {
            list.skip(StepId::Recompile, Why::NotGiven("the circom module"));
        }
        (CircuitSpec::Sources { .. }, Some(circom)) => {
            list.record(StepId::Recompile, recompile(folder, manifest, circom));
        }
    }
    match options.ptau {
        None => list.skip(StepId::KeyAgainstCircuit, Why::NotGiven("the ptau")),
        Some(ptau) => {
            list.record(
                StepId::KeyAgainstCircuit,
                against(folder, manifest, ptau, options),
            );
        }
    }
    match options.contract_compiler {
        None => list.skip(StepId::RecompileContract, Why::NotGiven("the solc module")),
        Some(solc) => {
            list.record(
                StepId::RecompileContract,
                recompile_contract(folder, manifest, solc),
            );
        }
    }
}

/// the attested sources, options and compiler give the attested r1cs and witness generator.
fn recompile(folder: &Folder, manifest: &Manifest, circom: &dyn CircuitCompiler) -> Outcome {
    let CircuitSpec::Sources {
        options, compiler, ..
    } = &manifest.spec.circuit
    else {
        return Err(Failure::NotImplemented);
    };
    same_module("circom", *compiler, circom.module())?;
    let sources = source_bundle(folder, manifest)?;
    let compiled = circom
        .compile(&sources, options)
        .map_err(|source| Failure::Compiler {
            compiler: "circom",
            source,
        })?;
    for (kind, digests) in [
        (ArtifactKind::R1cs, compiled.r1cs),
        (ArtifactKind::WitnessWasm, compiled.wasm),
    ] {
        same_record(kind, manifest.record(kind), &digests)?;
    }
    Ok(vec![
        fact("r1cs sha256", &compiled.r1cs.sha256),
        fact("options", options),
    ])
}

fn same_module(
    compiler: &'static str,
    expected: Sha256Digest,
    got: Sha256Digest,
) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    let (expected, got) = (expected.to_string(), got.to_string());
    Err(Failure::OtherCompiler {
        compiler,
        expected,
        got,
    })
}

fn same_record(
    kind: ArtifactKind,
    expected: Option<&ArtifactRecord>,
    digests: &FileDigests,
) -> Result<(), Failure> {
    let got = ArtifactRecord::new(kind, digests);
    match expected {
        Some(expected) if *expected == got => Ok(()),
        expected => Err(Failure::Record {
            path: kind.name().to_owned(),
            what: "record of the file made here",
            expected: expected.map_or_else(|| "absent".to_owned(), ToString::to_string),
            got: got.to_string(),
        }),
    }
}

/// The key belongs to the r1cs and to the very ptau that the manifest names.
fn against(
    folder: &Folder,
    manifest: &Manifest,
    ptau: &dyn Source,
    options: &VerifyOptions<'_>,
) -> Outcome {
    let digests = hash_source(ptau, options.progress).map_err(|source| Failure::Unreadable {
        path: "the ptau".to_owned(),
        source,
    })?;
    same_record(ArtifactKind::Ptau, Some(&manifest.ptau), &digests)?;
    let ptau = Ptau::open(ptau)?;
    let r1cs = R1cs::open(folder.open(ArtifactKind::R1cs.name())?)?;
    let key = open_key(folder)?;
    let report = check_key(
        &r1cs,
        &ptau,
        &key,
        &options.challenge("key"),
        options.progress,
    )?;
    if report.circuit_hash_rule != CircuitHashRule::Current {
        return Err(Failure::OutdatedCircuitHash);
    }
    Ok(vec![
        fact("ptau sha256", &digests.sha256),
        fact("contributions", &report.chain.contributions.len()),
        fact("circuit hash", &report.chain.circuit_hash),
    ])
}

fn recompile_contract(
    folder: &Folder,
    manifest: &Manifest,
    solc: &dyn ContractCompiler,
) -> Outcome {
    same_module("solc", manifest.spec.compiler_solc, solc.module())?;
    let key = VerificationKey::<Bn128>::from_zkey(&open_key(folder)?)?;
    let contract_key =
        VerifierKey::from_points(&key.alpha1, &key.beta2, &key.gamma2, &key.delta2, &key.ic)?;
    let compiled = solc
        .compile(&standard_json(&verifier_source(&contract_key)))
        .map_err(|source| Failure::Compiler {
            compiler: "solc",
            source,
        })?;
    for (kind, expected) in [
        (ArtifactKind::VerifierCreation, &compiled.creation),
        (ArtifactKind::VerifierRuntime, &compiled.runtime),
    ] {
        if code(folder, kind)? != *expected {
            return Err(Failure::NotDerived {
                path: kind.name(),
                from: "verifier.input.json",
            });
        }
    }
    Ok(vec![fact("bytes of runtime code", &compiled.runtime.len())])
}
