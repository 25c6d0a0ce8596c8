//! Powers of tau: header, section table, sizes.
#![no_main]

use formats::ptau::Ptau;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(ptau) = Ptau::open(data) {
        std::hint::black_box((ptau.power(), ptau.is_prepared()));
    }
});
