//! beacon.json of a bundle.
#![no_main]

use manifest::beacon_json::BeaconJson;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    std::hint::black_box(BeaconJson::parse(data).is_ok());
});
