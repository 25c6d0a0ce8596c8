//! Source bundles.
#![no_main]

use manifest::sources::RawSourceBundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    std::hint::black_box(RawSourceBundle(data).validate().is_ok());
});
