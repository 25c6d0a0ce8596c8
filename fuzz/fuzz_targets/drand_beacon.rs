//! drand beacons: round number, then signature and previous signature.
#![no_main]

use drand::{QUICKNET, RawBeacon};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((round, rest)) = data.split_first_chunk::<8>() else { return };
    let (signature, previous) = rest.split_at(rest.len().min(48));
    let raw = RawBeacon {
        round: u64::from_be_bytes(*round),
        signature: signature.to_vec(),
        previous_signature: previous.to_vec(),
    };
    std::hint::black_box(raw.validate(&QUICKNET).is_ok());
});
