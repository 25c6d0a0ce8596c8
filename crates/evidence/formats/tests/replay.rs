//! The committed corpus of each parser, and thousands of mutations of it: no panic, no hang, no
//! allocation that the input's size does not cover.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use formats::curve::{Bls12381, Bn128, Curve, CurveParams};
use formats::ptau::{LagrangeG1, Ptau};
use formats::r1cs::R1cs;
use formats::zkey::{ZKey, ZKeySection};

/// Reads everything that opens; whether it does.
fn r1cs(bytes: &[u8]) -> bool {
    R1cs::open(bytes).is_ok_and(|r1cs| r1cs.terms().is_ok_and(|mut terms| terms.all(|t| t.is_ok())))
}

fn ptau(bytes: &[u8]) -> bool {
    Ptau::open(bytes).is_ok_and(|ptau| {
        let power = ptau.power();
        ptau.lagrange_g1::<Bn128>(LagrangeG1::Tau, power, 0, 1 << power)
            .is_ok_and(|mut points| points.all(|p| p.is_ok()))
    })
}

fn zkey(bytes: &[u8]) -> bool {
    fn read<C: CurveParams>(zkey: &ZKey<&[u8]>) -> bool {
        let g1 = [
            ZKeySection::Ic,
            ZKeySection::A,
            ZKeySection::B1,
            ZKeySection::C,
            ZKeySection::H,
        ];
        g1.into_iter().all(|s| {
            zkey.g1_points::<C>(s)
                .is_ok_and(|mut p| p.all(|p| p.is_ok()))
        }) && zkey
            .b2_points::<C>()
            .is_ok_and(|mut p| p.all(|p| p.is_ok()))
            && zkey.coefficients().is_ok_and(|mut c| c.all(|c| c.is_ok()))
            && zkey
                .contributions::<C>()
                .is_ok_and(|mut c| c.all(|c| c.is_ok()))
    }
    ZKey::open(bytes).is_ok_and(|zkey| match zkey.curve() {
        Curve::Bn128 => read::<Bn128>(&zkey),
        Curve::Bls12381 => read::<Bls12381>(&zkey),
    })
}

fn corpus(parser: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = testkit::workspace_root().join("tests/vectors").join(parser);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(
        files.iter().any(|(name, _)| name.starts_with("good")),
        "{parser}: no good file"
    );
    files
}

/// Files called `good…` are accepted, all others refused; then mutations, from a fixed stream.
fn replay(parser: &str, accepts: fn(&[u8]) -> bool) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for (name, bytes) in corpus(parser) {
        assert_eq!(accepts(&bytes), name.starts_with("good"), "{parser}/{name}");
        for _ in 0..2000 {
            let mut mutated = bytes.clone();
            let len = u64::try_from(mutated.len()).unwrap();
            for _ in 0..=next() % 3 {
                // Half of the changes hit the first bytes, where magic, counts and sizes are.
                let reach = if next() % 2 == 0 { len.min(128) } else { len };
                let at = usize::try_from(next() % reach).unwrap();
                mutated[at] = match next() % 4 {
                    0 => 0xff,
                    1 => 0,
                    2 => mutated[at] ^ 1,
                    _ => u8::try_from(next() % 256).unwrap(),
                };
            }
            if next() % 8 == 0 {
                mutated.truncate(usize::try_from(next() % len).unwrap());
            }
            accepts(&mutated);
        }
    }
}

#[test]
fn r1cs_corpus() {
    replay("r1cs", r1cs);
}

#[test]
fn ptau_corpus() {
    replay("ptau", ptau);
}

#[test]
fn zkey_corpus() {
    replay("zkey", zkey);
}
