//! Spec and manifest texts.
#![no_main]

use manifest::{RawManifest, RawSpec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    std::hint::black_box(RawSpec(data.to_vec()).validate().is_ok());
    std::hint::black_box(RawManifest(data.to_vec()).validate().is_ok());
});
