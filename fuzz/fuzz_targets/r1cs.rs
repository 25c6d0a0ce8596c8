//! Constraint systems: header and every term.
#![no_main]

use formats::r1cs::R1cs;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(r1cs) = R1cs::open(data) else { return };
    let Ok(mut terms) = r1cs.terms() else { return };
    while let Ok(Some(term)) = terms.next_term() {
        std::hint::black_box(&term);
    }
});
