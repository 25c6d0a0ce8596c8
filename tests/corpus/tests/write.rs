//! Writes the corpus of parsers whose files are made by this project's own code:
//! `cargo test --release --workspace --test write -- --ignored`.
//!
//! Each file gets the name that the verdict over it demands, so what is new must be looked at
//! before it is committed: the replay holds names and verdicts together only from then on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::PathBuf;

use attestation::cose::Envelope;
use attestation::{SecurityModule, UnixMillis};
use corpus::{Accepted, find};
use drand::Round;
use formats::digest::Sha256Digest;
use local_beacon::LocalChain;
use prost::Message;
use protocol::pb;
use simulation::document::MapForm;
use simulation::{FixedClock, SimulatedNsm};

type Files = Vec<(&'static str, Vec<u8>)>;

fn folder(parser: &str) -> PathBuf {
    testkit::workspace_root().join("tests/vectors").join(parser)
}

/// `tests/vectors/PARSER/VERDICT-LABEL.EXTENSION`.
fn write(parser: &str, extension: &str, files: Files) {
    let parse = find(parser).unwrap().parse;
    std::fs::create_dir_all(folder(parser)).unwrap();
    for (label, bytes) in files {
        let verdict = match parse(&bytes) {
            Ok(Accepted::Read | Accepted::Written(_)) => "accepted".to_owned(),
            Err(code) => code,
        };
        let name = format!("{verdict}-{label}.{extension}");
        std::fs::write(folder(parser).join(name), bytes).unwrap();
    }
}

fn changed(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = byte;
    bytes
}

fn cut(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 1].to_vec()
}

fn with(kind: u8, bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    std::iter::once(kind).chain(bytes).collect()
}

#[test]
#[ignore = "writes the corpus"]
fn write_the_corpus() {
    binfile();
    documents();
    drand();
    texts();
    protocol();
    run_store();
}

/// The documents have keys of their own, which nobody keeps: new ones come with a new root, and
/// what was made from the old ones must be written anew after the next build.
#[test]
#[ignore = "writes new documents and their root"]
fn write_new_documents() {
    let clock = FixedClock(UnixMillis(1_790_000_000_000));
    let mut module = SimulatedNsm::new([[1; 48], [2; 48], [3; 48]], clock).unwrap();
    std::fs::create_dir_all(folder("attestation")).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder("attestation").join(name), bytes).unwrap();
    };
    write("root.der", module.root_der());
    for (name, form) in [
        ("accepted-indefinite.cbor", MapForm::Indefinite),
        ("accepted-definite.cbor", MapForm::Definite),
    ] {
        module = module.with_map_form(form);
        let document = module.attest(Some(&[9; 32]), Some(b"user data"), None);
        write(name, &document.unwrap());
    }
}

fn binfile() {
    let mut table = b"zkey".to_vec();
    table.extend(1_u32.to_le_bytes());
    table.extend(2_u32.to_le_bytes());
    for (id, content) in [(7_u32, b"first".as_slice()), (9, b"")] {
        table.extend(id.to_le_bytes());
        table.extend(u64::try_from(content.len()).unwrap().to_le_bytes());
        table.extend(content);
    }
    let mut trailing = table.clone();
    trailing.push(0);
    let files = vec![
        ("two-sections", table.clone()),
        ("other-magic", changed(&table, 0, b'Z')),
        ("version-2", changed(&table, 4, 2)),
        ("three-sections-announced", changed(&table, 8, 3)),
        ("section-twice", changed(&table, 29, 7)),
        ("section-beyond-end", changed(&table, 23, 1)),
        ("byte-behind", trailing),
        ("empty", Vec::new()),
    ];
    write("binfile", "bin", files);
}

fn documents() {
    let read = |name: &str| std::fs::read(folder("attestation").join(name)).unwrap();
    let document = read("accepted-definite.cbor");
    let root = read("root.der");
    let tagged = with(0xd2, document.clone());
    let mut files = vec![
        ("tag-in-front", tagged.clone()),
        ("cut", cut(&document)),
        ("other-signature", changed(&document, document.len() - 1, 0)),
        ("other-algorithm", changed(&document, 5, 0x21)),
    ];
    write("attestation", "cbor", files.clone());
    files.push(("definite", document.clone()));
    write("cose", "cbor", files);

    let payload = Envelope::parse(&document).unwrap().payload.to_vec();
    let files = vec![
        ("definite", payload.clone()),
        ("cut", cut(&payload)),
        ("byte-behind", payload.iter().copied().chain([0]).collect()),
        (
            "one-entry-more-announced",
            changed(&payload, 0, payload[0] + 1),
        ),
        ("key-renamed", changed(&payload, 2, b'x')),
    ];
    write("nsm_payload", "cbor", files);

    let files = vec![
        ("root", root.clone()),
        ("cut", cut(&root)),
        ("byte-behind", root.iter().copied().chain([0]).collect()),
        ("version-1", changed(&root, 12, 0)),
        ("empty", Vec::new()),
    ];
    write("certificate", "der", files);
}

fn drand() {
    let chain = LocalChain::from_seed([5; 32], 1_790_000_000, 3).unwrap();
    let signature = hex::encode(chain.sign(Round::new(1000).unwrap()).signature);
    let text = |round: &str, signature: &str| format!("{round}\n{signature}").into_bytes();
    let files = vec![
        ("round-1000", text("1000", &signature)),
        ("next-round", text("1001", &signature)),
        ("round-0", text("0", &signature)),
        ("round-with-sign", text("+1000", &signature)),
        ("round-too-large", text("18446744073709551616", &signature)),
        ("upper-case", text("1000", &signature.to_uppercase())),
        ("short-signature", text("1000", &signature[2..])),
        ("not-a-point", text("1000", &"ff".repeat(48))),
        (
            "previous",
            text("1000", &format!("{signature}\n{signature}")),
        ),
    ];
    write("drand_beacon", "txt", files);

    let info = chain.chain_info();
    let mut chain = info.hash().to_vec();
    chain.extend(Sha256Digest::of(info.public_key().as_bytes()).as_bytes());
    chain.extend(info.period_s().to_be_bytes());
    chain.extend(info.genesis_s().to_be_bytes());
    chain.extend(info.public_key().as_bytes());
    let files = vec![
        ("local", chain.clone()),
        ("other-hash", changed(&chain, 0, chain[0] ^ 1)),
        ("no-period", changed(&chain, 71, 0)),
        ("long-period", changed(&chain, 64, 1)),
        ("cut", cut(&chain)),
        ("short", chain[..40].to_vec()),
    ];
    write("drand_chain", "bin", files);
}

fn texts() {
    let owned = |files: &[(&'static str, &str)]| -> Files {
        files
            .iter()
            .map(|(label, text)| (*label, text.as_bytes().to_vec()))
            .collect()
    };
    let files = owned(&[
        ("plain", "circuit/main.circom"),
        ("encoded", "lib0/a%20b.circom"),
        ("needless-encoding", "lib0/%61.circom"),
        ("parent", "../main.circom"),
        ("absolute", "/main.circom"),
        ("double-slash", "a//b"),
        ("half-a-code", "a%2"),
        ("empty", ""),
    ]);
    write("source_path", "txt", files);
    let files = owned(&[
        ("default", "--O1 --prime bn128"),
        ("rounds", "--O2round 3 --prime bn128"),
        (
            "old",
            "--O2 --prime bn128 --use_old_simplification_heuristics",
        ),
        ("leading-zero", "--O2round 03 --prime bn128"),
        ("other-prime", "--O1 --prime bls12381"),
        ("more", "--O1 --prime bn128 --inspect"),
    ]);
    write("circom_options", "txt", files);
    let modulus = "21888242871839275222246405745257275088696311157297823662689037894645226208583";
    let files = owned(&[
        ("zero", "0"),
        ("largest", &modulus.replace("583", "582")),
        ("modulus", modulus),
        ("leading-zero", "01"),
        ("sign", "-1"),
        ("empty", ""),
        ("long", &"9".repeat(200)),
    ]);
    write("decimal_field", "txt", files);
}

fn protocol() {
    let spec = std::fs::read(folder("spec").join("accepted-sources.txt")).unwrap();
    let describe = |nonce: Vec<u8>| pb::DescribeRequest {
        nonce: nonce.into(),
    };
    let certificates = |count: usize, size: usize| pb::SubmitCertificatesRequest {
        certificates: vec![vec![7; size].into(); count],
    };
    let beacon = |length: usize| pb::ApplyBeaconRequest {
        round: 1000,
        signature: vec![7; length].into(),
        previous_signature: Vec::new().into(),
    };
    let get = |kind| pb::GetArtifactRequest { kind, offset: 3 };
    let files = vec![
        (
            "describe",
            with(b'd', describe(vec![1; 32]).encode_to_vec()),
        ),
        (
            "short-nonce",
            with(b'd', describe(vec![1; 31]).encode_to_vec()),
        ),
        ("open", with(b'o', open(&spec))),
        ("open-cut-spec", with(b'o', open(&cut(&spec)))),
        (
            "certificates",
            with(b'c', certificates(5, 600).encode_to_vec()),
        ),
        (
            "nine-certificates",
            with(b'c', certificates(9, 1).encode_to_vec()),
        ),
        (
            "long-certificate",
            with(b'c', certificates(1, 1025).encode_to_vec()),
        ),
        ("beacon", with(b'b', beacon(96).encode_to_vec())),
        ("long-signature", with(b'b', beacon(97).encode_to_vec())),
        ("get", with(b'g', get(2).encode_to_vec())),
        ("unknown-kind", with(b'g', get(99).encode_to_vec())),
        (
            "cut-message",
            with(b'd', cut(&describe(vec![1; 32]).encode_to_vec())),
        ),
        ("unknown-request", vec![b'z']),
        ("backing", with(b'a', backing(b"abc"))),
        ("backing-cut", with(b'a', cut(&backing(b"abc")))),
        ("put", with(b'p', put(6, &[(0, b"abc"), (3, b"def")]))),
        ("put-gap", with(b'p', put(6, &[(0, b"abc"), (4, b"ef")]))),
        ("put-beyond", with(b'p', put(6, &[(0, b"abcdefg")]))),
        ("put-empty-chunk", with(b'p', put(6, &[(0, b"")]))),
        (
            "put-overflow",
            with(b'p', put(u64::MAX, &[(u64::MAX, b"abc")])),
        ),
    ];
    write("protocol", "bin", files);
}

fn open(spec: &[u8]) -> Vec<u8> {
    let spec = spec.to_vec().into();
    pb::OpenRequest { spec }.encode_to_vec()
}

fn backing(data: &[u8]) -> Vec<u8> {
    let data = data.to_vec().into();
    let what = Some(pb::backing_answer::What::Data(data));
    pb::BackingAnswer { id: 5, what }.encode_to_vec()
}

/// A header and chunks, each with its length before it.
fn put(size: u64, chunks: &[(u64, &[u8])]) -> Vec<u8> {
    use pb::put_artifact_request::Part;
    let header = Part::Header(pb::PutHeader { kind: 2, size });
    let chunks = chunks.iter().map(|(offset, data)| {
        Part::Chunk(pb::Chunk {
            offset: *offset,
            data: data.to_vec().into(),
        })
    });
    std::iter::once(header)
        .chain(chunks)
        .flat_map(|part| {
            pb::PutArtifactRequest { part: Some(part) }.encode_length_delimited_to_vec()
        })
        .collect()
}

fn run_store() {
    let done = pb::JobDone::default().encode_to_vec();
    let status = pb::Status {
        sequence: 7,
        ..pb::Status::default()
    };
    let status = status.encode_to_vec();
    let files = vec![
        ("job", with(b'j', pb::Job::default().encode_to_vec())),
        ("status", with(b's', status.clone())),
        ("status-cut", with(b's', cut(&status))),
        ("wrong-wire-type", with(b's', changed(&status, 0, 0x0b))),
        ("done", with(b'd', done)),
        (
            "endless-length",
            with(b'd', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ),
        ("key", with(b'k', *b"runs/a-1/status/0000000001")),
        ("key-parent", with(b'k', *b"runs/../x")),
        ("key-absolute", with(b'k', *b"/runs")),
        ("run-id", with(b'i', *b"20261121T091019Z-92aa431e")),
        ("run-id-slash", with(b'i', *b"a/b")),
        ("unknown", vec![b'z', 0]),
    ];
    write("run_store", "bin", files);
}
