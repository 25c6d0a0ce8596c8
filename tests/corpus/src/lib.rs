//! Every parser of foreign bytes behind one signature.
//!
//! The fuzz targets (`fuzz/`) feed them with libFuzzer's inputs; the test `replay` with the files of
//! `tests/vectors/PARSER/` and thousands of mutations of them. A parser without a folder there, or
//! without a fuzz target, fails that test.

mod files;
mod image;
mod texts;
mod trust;
mod wire;

/// What a parser made of some bytes.
pub type Verdict = Result<Accepted, String>;

/// Bytes that a parser took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// They were read.
    Read,
    /// They were read, and this is how the same content is written: a format with one spelling
    /// takes no others.
    Written(Vec<u8>),
}

/// A parser: its name, and the function. A refusal is told by its stable code.
#[derive(Debug, Clone, Copy)]
pub struct Parser {
    /// Name of the fuzz target and of the folder below `tests/vectors`.
    pub name: &'static str,
    /// Parses and reads everything there is to read.
    pub parse: fn(&[u8]) -> Verdict,
}

/// All of them.
pub const PARSERS: [Parser; 21] = [
    parser("binfile", files::binfile),
    parser("r1cs", files::r1cs),
    parser("ptau", files::ptau),
    parser("zkey", files::zkey),
    parser("attestation", trust::attestation),
    parser("cose", trust::cose),
    parser("nsm_payload", trust::payload),
    parser("certificate", trust::certificate),
    parser("drand_beacon", trust::drand_beacon),
    parser("drand_chain", trust::drand_chain),
    parser("spec", texts::spec),
    parser("manifest", texts::manifest),
    parser("receipts", texts::receipts),
    parser("beacon_json", texts::beacon_json),
    parser("sources", texts::sources),
    parser("source_path", texts::source_path),
    parser("circom_options", texts::circom_options),
    parser("decimal_field", texts::decimal_field),
    parser("protocol", wire::protocol),
    parser("run_store", wire::run_store),
    parser("eif", image::eif),
];

const fn parser(name: &'static str, parse: fn(&[u8]) -> Verdict) -> Parser {
    Parser { name, parse }
}

/// The parser of this name.
#[must_use]
pub fn find(name: &str) -> Option<Parser> {
    PARSERS.into_iter().find(|parser| parser.name == name)
}

/// What a fuzz target runs: parses, and demands that what is accepted is spelt the one way.
///
/// # Panics
/// No parser has this name, or one accepted a second spelling.
pub fn fuzz(name: &str, bytes: &[u8]) {
    let parser = find(name);
    assert!(parser.is_some(), "no parser {name}");
    if let Some(parser) = parser
        && let Ok(Accepted::Written(written)) = (parser.parse)(bytes)
    {
        assert!(written == bytes, "{name} accepts a second spelling");
    }
}
