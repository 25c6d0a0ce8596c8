use std::{
    fmt::Write as _,
    io::{self, Cursor},
    sync::Mutex,
};

use ark_ff::{BigInteger, Field, PrimeField};
use formats::{
    progress::{NoProgress, ProgressSink, Unit},
    ptau::Ptau,
    r1cs::R1cs,
};
use phase2::{
    contribution::ContributionError,
    rng::ChaChaRng,
    sampling::Sample,
    setup::{SetupOptions, new_initial_key},
};
use testkit::{development_ptau, small_r1cs};

use super::*;
use crate::entropy::{EntropySource, OperatingSystem, SourceFailed};

fn initial_key() -> ZKey<Vec<u8>> {
    let r1cs = R1cs::open(small_r1cs(5)).unwrap();
    let ptau = Ptau::open(development_ptau(3)).unwrap();
    let mut out = Cursor::new(Vec::new());
    new_initial_key(
        &r1cs,
        &ptau,
        &mut out,
        &SetupOptions::default(),
        &NoProgress,
    )
    .unwrap();
    ZKey::open(out.into_inner()).unwrap()
}

/// Known bytes in place of randomness: only tests of this crate can make one.
struct Pinned(u64);

impl EntropySource for Pinned {
    fn name(&self) -> &'static str {
        "pinned"
    }

    fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed> {
        for chunk in out.chunks_mut(64) {
            chunk.copy_from_slice(blake2b_simd::blake2b(&self.0.to_le_bytes()).as_bytes());
            self.0 += 1;
        }
        Ok(out.len())
    }
}

/// Keeps everything that the progress sink is told.
#[derive(Default)]
struct Log(Mutex<String>);

impl ProgressSink for Log {
    fn step(&self, name: &'static str, unit: Unit, total: Option<u64>) {
        writeln!(self.0.lock().unwrap(), "{name} {unit:?} {total:?}").unwrap();
    }

    fn advance(&self, n: u64) {
        writeln!(self.0.lock().unwrap(), "{n}").unwrap();
    }
}

fn pinned_contribution(
    previous: &ZKey<Vec<u8>>,
    out: &mut (impl Write + Send),
    progress: &dyn ProgressSink,
) -> Result<Summary, ContributeError> {
    let name = ContributionName::new(b"test").unwrap();
    let mut sources = Sources {
        module: &mut Pinned(0),
        system: &mut Pinned(1000),
        requester: b"from the requester",
        context: b"ceremony id",
    };
    contribute(previous, &mut sources, name, out, progress)
}

#[test]
fn the_result_is_a_key_with_one_more_contribution() {
    let previous = initial_key();
    let mut out = Vec::new();
    let summary = pinned_contribution(&previous, &mut out, &NoProgress).unwrap();
    assert_eq!(summary.n_contributions, 1);
    assert_eq!(summary.size, u64::try_from(out.len()).unwrap());
    let after = ZKey::open(out).unwrap();
    let record = after
        .contributions::<Bn128>()
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(record.name.unwrap().as_bytes(), b"test");
    assert_eq!(
        record.delta_after,
        after.key_points::<Bn128>().unwrap().delta1
    );
}

#[test]
fn r22_no_form_of_the_secret_is_in_anything_that_leaves() {
    let previous = initial_key();
    let mut out = Vec::new();
    let log = Log::default();
    let summary = pinned_contribution(&previous, &mut out, &log).unwrap();

    let seed = entropy::seed(&mut Sources {
        module: &mut Pinned(0),
        system: &mut Pinned(1000),
        requester: b"from the requester",
        context: b"ceremony id",
    })
    .unwrap();
    let scalar = ark_bn254::Fr::from_rng(&mut ChaChaRng::from_seed(&seed));
    // The search would find it: the new delta is the old one times this scalar.
    let after = ZKey::open(out.clone())
        .unwrap()
        .key_points::<Bn128>()
        .unwrap();
    assert_eq!(
        previous.key_points::<Bn128>().unwrap().delta1 * scalar,
        after.delta1
    );

    let failed = pinned_contribution(&ZKey::open(out.clone()).unwrap(), &mut Vec::new(), &log);
    let mut public = out;
    for text in [
        log.0.into_inner().unwrap(),
        format!("{summary:?}"),
        format!("{failed:?}"),
        failed.unwrap_err().to_string(),
    ] {
        public.extend_from_slice(text.as_bytes());
    }
    for (what, bytes) in forms(&seed, scalar) {
        assert!(!contains(&public, &bytes), "{what} is in the output");
    }
    assert!(contains(&public, b"test"));
}

/// The seed, the scalar, its inverse and its negative: canonical and Montgomery, both byte orders,
/// as hex and as decimal text.
fn forms(seed: &[u8; 32], scalar: ark_bn254::Fr) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![("seed".to_owned(), seed.to_vec())];
    for (name, value) in [
        ("scalar", scalar),
        ("inverse", scalar.inverse().unwrap()),
        ("negative", -scalar),
    ] {
        for (form, integer) in [("canonical", value.into_bigint()), ("montgomery", value.0)] {
            for (order, bytes) in [("le", integer.to_bytes_le()), ("be", integer.to_bytes_be())] {
                let hex = hex::encode(&bytes);
                found.push((format!("{name} {form} {order}"), bytes));
                found.push((
                    format!("{name} {form} {order} hex"),
                    hex.clone().into_bytes(),
                ));
                found.push((
                    format!("{name} {form} {order} HEX"),
                    hex.to_uppercase().into_bytes(),
                ));
            }
            found.push((
                format!("{name} {form} decimal"),
                integer.to_string().into_bytes(),
            ));
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn r27_reused_randomness_is_refused() {
    let mut out = Vec::new();
    pinned_contribution(&initial_key(), &mut out, &NoProgress).unwrap();
    let next = ZKey::open(out).unwrap();
    assert!(matches!(
        pinned_contribution(&next, &mut Vec::new(), &NoProgress),
        Err(ContributeError::Contribution(
            ContributionError::ReusedKey { index: 0 }
        ))
    ));
}

#[test]
fn r21_two_runs_never_give_the_same_contribution() {
    let previous = initial_key();
    let run = || {
        let mut sources = Sources {
            // The same module bytes both times: the system alone makes the difference.
            module: &mut Pinned(0),
            system: &mut OperatingSystem,
            requester: b"",
            context: b"",
        };
        contribute(&previous, &mut sources, None, &mut Vec::new(), &NoProgress)
            .unwrap()
            .hash
    };
    assert_ne!(run(), run());
}

/// Takes so many bytes, then fails like a full disk.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(buf.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_strikes() {
    let previous = initial_key();
    for room in [0, 100, 1000, 3000] {
        assert!(matches!(
            pinned_contribution(&previous, &mut Full(room), &NoProgress),
            Err(ContributeError::Contribution(ContributionError::Write(error)))
                if error.kind() == io::ErrorKind::StorageFull
        ));
    }
}
