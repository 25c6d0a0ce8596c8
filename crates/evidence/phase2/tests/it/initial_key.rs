//! `new_initial_key` against files that snarkjs wrote, and against itself.

use std::{io::Cursor, path::Path};

use formats::{progress::NoProgress, ptau::Ptau, r1cs::R1cs, source::FileSource};
use phase2::setup::{InitialKeySummary, SetupError, SetupOptions, new_initial_key};
use testkit::shared_data;

fn made(r1cs: &Path, ptau: &Path, options: &SetupOptions) -> (Vec<u8>, InitialKeySummary) {
    let r1cs = R1cs::open(FileSource::open(r1cs).unwrap()).unwrap();
    let ptau = Ptau::open(FileSource::open(ptau).unwrap()).unwrap();
    let mut out = Cursor::new(Vec::new());
    let summary = new_initial_key(&r1cs, &ptau, &mut out, options, &NoProgress).unwrap();
    (out.into_inner(), summary)
}

/// (r1cs, ptau, key that snarkjs made of them), in the folder of foreign files.
const GOLDEN: [(&str, &str, &str); 10] = [
    (
        "phase2/three.r1cs",
        "phase2/dev05.ptau",
        "phase2/three.0.zkey",
    ),
    (
        "phase2/pubonly.r1cs",
        "phase2/dev05.ptau",
        "phase2/pubonly.0.zkey",
    ),
    (
        "phase2/unusedpriv.r1cs",
        "phase2/dev05.ptau",
        "phase2/unusedpriv.0.zkey",
    ),
    (
        "phase2/lzero.r1cs",
        "phase2/dev05.ptau",
        "phase2/lzero.0.zkey",
    ),
    (
        "phase2/bls/three.r1cs",
        "phase2/b.ptau",
        "phase2/bls/three.0.zkey",
    ),
    (
        "zkey/tampered/poseidon2.r1cs",
        "ptau/powersOfTau28_hez_final_08.ptau",
        "zkey/tampered/poseidon2_0000.zkey",
    ),
    (
        "zkey/p0tion/circuit.r1cs",
        "ptau/powersOfTau28_hez_final_02.ptau",
        "zkey/p0tion/circuit_0000.zkey",
    ),
    (
        "zkey/p0tion/notcircuit.r1cs",
        "ptau/powersOfTau28_hez_final_02.ptau",
        "zkey/p0tion/notcircuit_0000.zkey",
    ),
    (
        "zkey/storyform_b.r1cs",
        "ptau/powersOfTau28_hez_final_11.ptau",
        "zkey/storyform_b_0.zkey",
    ),
    (
        "zkey/unirep_alpha4_epochKeyLite.r1cs",
        "ptau/powersOfTau28_hez_final_10.ptau",
        "zkey/unirep_alpha4_epochKeyLite_0contrib.zkey",
    ),
];

/// Keys of snarkjs up to 0.6.11 have another circuit hash; all other bytes are the same.
fn has_old_circuit_hash(key: &str) -> bool {
    ["p0tion", "storyform", "alpha4"]
        .iter()
        .any(|part| key.contains(part))
}

#[test]
fn equals_keys_made_by_snarkjs_byte_for_byte() {
    for (r1cs, ptau, key) in GOLDEN {
        let paths = [r1cs, ptau, key].map(shared_data);
        let [Some(r1cs), Some(ptau), Some(golden)] = paths else {
            continue;
        };
        let (made, summary) = made(&r1cs, &ptau, &SetupOptions::default());
        let golden = std::fs::read(golden).unwrap();
        assert_eq!(made.len(), golden.len(), "{key}");
        assert_eq!(u64::try_from(made.len()).unwrap(), summary.size);
        let tail = made.len() - 68;
        let first_difference = made.iter().zip(&golden).position(|(a, b)| a != b);
        if has_old_circuit_hash(key) {
            assert!(
                first_difference.unwrap() >= tail,
                "{key}: {first_difference:?}"
            );
        } else {
            assert_eq!(first_difference, None, "{key}");
        }
    }
}

#[test]
fn memory_and_threads_do_not_change_the_bytes() {
    let paths = [
        "zkey/storyform_b.r1cs",
        "ptau/powersOfTau28_hez_final_11.ptau",
    ]
    .map(shared_data);
    let [Some(r1cs), Some(ptau)] = paths else {
        return;
    };
    let (whole, _) = made(&r1cs, &ptau, &SetupOptions::default());
    let options = SetupOptions {
        // Less than the buffers: 1000 signals a pass.
        memory_bytes: 0,
        threads: std::num::NonZeroUsize::new(1),
    };
    assert!(whole == made(&r1cs, &ptau, &options).0);
}

#[test]
fn a_small_ptau_is_refused() {
    let paths = [
        "zkey/storyform_b.r1cs",
        "ptau/powersOfTau28_hez_final_10.ptau",
    ]
    .map(shared_data);
    let [Some(r1cs), Some(ptau)] = paths else {
        return;
    };
    let r1cs = R1cs::open(FileSource::open(r1cs).unwrap()).unwrap();
    let ptau = Ptau::open(FileSource::open(ptau).unwrap()).unwrap();
    let mut out = Cursor::new(Vec::new());
    assert!(matches!(
        new_initial_key(
            &r1cs,
            &ptau,
            &mut out,
            &SetupOptions::default(),
            &NoProgress
        ),
        Err(SetupError::PtauTooSmall {
            needed: 11,
            got: 10
        })
    ));
    assert!(out.into_inner().is_empty());
}
