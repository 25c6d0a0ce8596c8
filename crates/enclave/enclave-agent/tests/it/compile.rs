//! `CompileCircuit` from sources over a Unix socket: what is bound, and what is refused.

use std::time::Duration;

use crate::common::{Host, has_modules};
use ceremony::outputs::record;
use circom::Limits;
use formats::digest::Sha256Digest;
use formats::r1cs::R1cs;
use manifest::receipt::Records;
use manifest::sources::{SourceBundle, SourcePath};
use manifest::spec::{CircuitInput, CircuitSpec};
use manifest::{ReceiptChain, ReceiptStage, Spec};
use protocol::RemoteError;
use protocol::backing::is_held;
use protocol::pb::{self, ArtifactKind, Stage};

const LIBRARY: &str = "pragma circom 2.0.0; template Sum() { signal input a; signal output b; \
    signal c; signal d; c <== a + 1; d <== c + 2; b <== a * d; }";
const MAIN: &str =
    "pragma circom 2.0.0; include \"sum.circom\"; component main {public [a]} = Sum();";

fn path(text: &str) -> SourcePath {
    SourcePath::new(text).unwrap()
}

/// A main file and one library folder.
fn sources(main: &str, library: &str) -> SourceBundle {
    SourceBundle::builder(path("circuit/main.circom"))
        .file(path("circuit/main.circom"), main.as_bytes().to_vec())
        .library(path("lib0"))
        .file(path("lib0/sum.circom"), library.as_bytes().to_vec())
        .build()
        .unwrap()
}

impl Host {
    fn sources_spec(&self, bundle: &SourceBundle, options: &str) -> Spec {
        self.spec_for(CircuitSpec::Sources {
            sha256: Sha256Digest::of(&bundle.encode()),
            main: bundle.main().clone(),
            libraries: bundle.libraries().to_vec(),
            options: options.parse().unwrap(),
            compiler: circom::MODULE_SHA256.parse().unwrap(),
        })
    }

    /// A file that the agent made: with the host, or in its own store.
    fn stored(&self, kind: manifest::ArtifactKind) -> Vec<u8> {
        if is_held(kind) {
            return self.files.get(kind);
        }
        std::fs::read(self.folder.path().join("work").join(kind.name())).unwrap()
    }

    async fn compile_sources(
        &mut self,
        bundle: &SourceBundle,
        options: &str,
    ) -> Result<pb::Receipt, RemoteError> {
        let spec = self.sources_spec(bundle, options);
        self.open(&spec).await.unwrap();
        self.put(ArtifactKind::CircuitBundle, &bundle.encode())
            .await
            .unwrap();
        self.compile().await
    }

    /// Nothing follows a refused circuit: every later command and transfer is refused, and the
    /// reason stays.
    async fn assert_ended(&mut self, code: &str) {
        assert_eq!(self.stage().await, Stage::Failed, "{code}");
        let failure = self.describe().await.failure;
        assert!(failure.contains(code), "{failure}");
        for refused in [
            self.compile().await,
            self.check_phase1().await,
            self.check_initial_key().await,
            self.contribute().await,
        ] {
            assert_eq!(refused.unwrap_err().code, "wrong_stage");
        }
        let put = self.put(ArtifactKind::Ptau, b"ptau").await;
        assert_eq!(put.unwrap_err().code(), "artifact_not_taken");
        assert_eq!(self.stage().await, Stage::Failed);
    }
}

/// The receipt that must be given for these bytes, told independently of the agent.
fn expected_receipt(spec: &Spec, bundle: &[u8], r1cs: &[u8], wasm: &[u8]) -> Vec<u8> {
    use manifest::ArtifactKind as Kind;
    let records = |files: &[(Kind, &[u8])]| -> Records {
        files
            .iter()
            .map(|(kind, bytes)| (*kind, record(*kind, bytes)))
            .collect()
    };
    let mut chain = ReceiptChain::new(spec.id(), CircuitInput::Sources);
    chain
        .append(ReceiptStage::Opened, Records::new(), Records::new())
        .unwrap();
    let inputs = records(&[(Kind::CircuitBundle, bundle)]);
    let outputs = records(&[(Kind::R1cs, r1cs), (Kind::WitnessWasm, wasm)]);
    chain
        .append(ReceiptStage::Compiled, inputs, outputs)
        .unwrap()
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_the_receipt_binds_sources_and_what_the_options_made_of_them() {
    if !has_modules() {
        return;
    }
    let bundle = sources(MAIN, LIBRARY);
    let mut seen = Vec::new();
    for (options, constraints) in [("--O1 --prime bn128", 3), ("--O2 --prime bn128", 1)] {
        let mut host = Host::start().await;
        let spec = host.sources_spec(&bundle, options);
        let receipt = host.compile_sources(&bundle, options).await.unwrap();
        assert_eq!(receipt.stage(), Stage::Compiled);
        assert_eq!(host.stage().await, Stage::Compiled);
        let [r1cs, wasm] = [
            manifest::ArtifactKind::R1cs,
            manifest::ArtifactKind::WitnessWasm,
        ]
        .map(|kind| host.stored(kind));
        let expected = expected_receipt(&spec, &bundle.encode(), &r1cs, &wasm);
        assert_eq!(receipt.text, expected);
        let header = *R1cs::open(r1cs.as_slice()).unwrap().header();
        assert_eq!(header.n_constraints, constraints, "{options}");
        // The options are in the spec, whose digest is the ceremony id in each receipt.
        seen.push((spec.id(), Sha256Digest::of(&r1cs)));
    }
    assert_ne!(seen[0].0, seen[1].0);
    assert_ne!(seen[0].1, seen[1].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_other_sources_than_the_spec_s_end_the_ceremony() {
    if !has_modules() {
        return;
    }
    let bundle = sources(MAIN, LIBRARY);
    let mut host = Host::start().await;
    let spec = host.sources_spec(&bundle, "--O1 --prime bn128");
    host.open(&spec).await.unwrap();
    let other = sources(MAIN, &LIBRARY.replace("+ 2", "+ 3"));
    host.put(ArtifactKind::CircuitBundle, &other.encode())
        .await
        .unwrap();
    assert_eq!(host.compile().await.unwrap_err().code, "circuit_digest");
    host.assert_ended("circuit_digest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_the_spec_s_main_file_and_libraries_are_those_of_the_bundle() {
    if !has_modules() {
        return;
    }
    let bundle = sources(MAIN, LIBRARY);
    for (main, libraries, code) in [
        ("lib0/sum.circom", vec![path("lib0")], "circuit_main"),
        ("circuit/main.circom", vec![], "circuit_libraries"),
    ] {
        let mut host = Host::start().await;
        let spec = host.spec_for(CircuitSpec::Sources {
            sha256: Sha256Digest::of(&bundle.encode()),
            main: path(main),
            libraries,
            options: circom::CircomOptions::default(),
            compiler: circom::MODULE_SHA256.parse().unwrap(),
        });
        host.open(&spec).await.unwrap();
        host.put(ArtifactKind::CircuitBundle, &bundle.encode())
            .await
            .unwrap();
        assert_eq!(host.compile().await.unwrap_err().code, code);
        host.assert_ended(code).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_circuit_that_is_none_is_refused_with_its_reason() {
    if !has_modules() {
        return;
    }
    let custom = "pragma circom 2.0.6; pragma custom_templates; \
        template custom Gate() { signal input a; signal output b; b <-- a * a; } \
        template A() { signal input a; signal input x; signal output b; component g = Gate(); \
        g.a <== a; b <== g.b * x; } component main = A();";
    let empty = "pragma circom 2.0.0; template A() { signal input a; signal output b; \
        b <-- a * a; } component main = A();";
    let nested = "pragma circom 2.0.0; template T(n) { signal input a; signal output b; \
        component c = T(n + 1); c.a <== a; b <== c.b; } component main = T(0);";
    for (main, code) in [
        (custom, "circuit_custom_gates"),
        (empty, "circuit_zero_constraints"),
        ("template T( { }", "circuit_refused"),
        (LIBRARY, "circuit_no_main"),
        (
            &MAIN.replace("sum.circom", "missing.circom"),
            "circuit_include_not_found",
        ),
        (
            &MAIN.replace("sum.circom", "../../../../../etc/passwd"),
            "circuit_include_not_found",
        ),
        (
            &MAIN.replace("sum.circom", "/etc/passwd"),
            "circuit_include_not_found",
        ),
        (nested, "circuit_stack_exhausted"),
    ] {
        let mut host = Host::start().await;
        let refused = host
            .compile_sources(&sources(main, LIBRARY), "--O1 --prime bn128")
            .await
            .unwrap_err();
        assert_eq!(refused.code, code, "{main}");
        assert!(!refused.message.contains("root:"), "{}", refused.message);
        host.assert_ended(code).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_loop_without_end_ends_at_the_agent_s_time_limit() {
    if !has_modules() {
        return;
    }
    let endless = "pragma circom 2.0.0; template T() { signal input a; signal output b; \
        var i = 0; while (i >= 0) { i = 0; } b <== a * a; } component main = T();";
    let mut host = Host::start_with(Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let refused = host
        .compile_sources(&sources(endless, LIBRARY), "--O1 --prime bn128")
        .await
        .unwrap_err();
    assert_eq!(refused.code, "circuit_timeout");
    host.assert_ended("circuit_timeout").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_bundle_that_is_not_one_never_reaches_the_compiler() {
    let bundle = sources(MAIN, LIBRARY).encode();
    let text = String::from_utf8(bundle.clone()).unwrap();
    for (bytes, code) in [
        (bundle[..bundle.len() - 1].to_vec(), "truncated"),
        (text.replace("lib0/sum", "../sum").into_bytes(), "path"),
    ] {
        let mut host = Host::start().await;
        let good = sources(MAIN, LIBRARY);
        let spec = host.sources_spec(&good, "--O1 --prime bn128");
        host.open(&spec).await.unwrap();
        host.put(ArtifactKind::CircuitBundle, &bytes).await.unwrap();
        let refused = host.compile().await.unwrap_err();
        assert!(refused.code.contains(code), "{} for {code}", refused.code);
        host.assert_ended(&refused.code).await;
    }
}
