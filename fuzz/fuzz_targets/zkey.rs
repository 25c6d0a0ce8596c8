//! Proving keys: header, coefficients, contributions.
#![no_main]

use formats::curve::Bn128;
use formats::zkey::ZKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(zkey) = ZKey::open(data) else { return };
    if let Ok(records) = zkey.contributions::<Bn128>() {
        for record in records {
            if record.is_err() {
                break;
            }
        }
    }
});
