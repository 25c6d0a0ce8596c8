//! Attestation documents, against the AWS root.
#![no_main]

use attestation::{Anchor, PcrPolicy, RawDocument};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let verdict = RawDocument(data.to_vec()).validate(&Anchor::AwsNitroG1, &PcrPolicy::unpinned());
    std::hint::black_box(verdict.is_ok());
});
