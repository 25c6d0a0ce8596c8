//! Our engine and snarkjs 0.7.6 on the same circuits, in both directions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::panic,
    reason = "test code"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use contribute::entropy::{EntropySource, OperatingSystem, SourceFailed, Sources};
use e2e::circuits::{self, SHAPES};
use e2e::referee::Snarkjs;
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{BeaconParams, ContributionKind, ContributionName, ZKey};
use phase2::check::{Method, check_initial_key_by, check_key_by};
use phase2::contribution::{self, ContributionKey, Secrecy};
use phase2::setup::{SetupOptions, new_initial_key};

const BEACON: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

struct Case {
    folder: PathBuf,
    r1cs: PathBuf,
    ptau: PathBuf,
}

impl Case {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The whole phase 2 of one circuit, each step done by one side and judged by the other.
fn compare(snarkjs: &Snarkjs, case: &Case) {
    let ours = case.file("ours_0000.zkey");
    let theirs = case.file("theirs_0000.zkey");
    initial_key(case, &ours);
    let printed = snarkjs.setup(&case.r1cs, &case.ptau, &theirs);
    assert!(
        same(&ours, &theirs),
        "0000.zkey differs from snarkjs's; it printed {printed}"
    );

    let contributed = case.file("ours_0001.zkey");
    contribute_secretly(&ours, &contributed);
    assert!(
        snarkjs.accepts(&case.r1cs, &case.ptau, &contributed),
        "snarkjs refuses 0001.zkey"
    );

    let ours_final = case.file("ours_final.zkey");
    let theirs_final = case.file("theirs_final.zkey");
    beacon(&contributed, &ours_final);
    let printed = snarkjs.run(&[
        "zkey".as_ref(),
        "beacon".as_ref(),
        contributed.as_os_str(),
        theirs_final.as_os_str(),
        BEACON.as_ref(),
        "10".as_ref(),
        "-n=final beacon".as_ref(),
    ]);
    assert!(
        same(&ours_final, &theirs_final),
        "beacon differs from snarkjs's; it printed {printed}"
    );
    assert!(
        snarkjs.accepts(&case.r1cs, &case.ptau, &ours_final),
        "snarkjs refuses final.zkey"
    );

    let undone = case.file("undone.zkey");
    phase2::beacon::undo_beacon(
        &zkey(&ours_final),
        &mut File::create(&undone).unwrap(),
        &NoProgress,
    )
    .unwrap();
    assert!(
        same(&undone, &contributed),
        "undoing the beacon does not give 0001.zkey back"
    );

    let theirs_vkey = case.file("theirs_vkey.json");
    snarkjs.run(&[
        "zkey".as_ref(),
        "export".as_ref(),
        "verificationkey".as_ref(),
        ours_final.as_os_str(),
        theirs_vkey.as_os_str(),
    ]);
    let ours_vkey = phase2::export::verification_key_json(&zkey(&ours_final)).unwrap();
    assert_eq!(ours_vkey, fs::read_to_string(&theirs_vkey).unwrap());
}

fn initial_key(case: &Case, out: &Path) {
    let r1cs = R1cs::open(FileSource::open(&case.r1cs).unwrap()).unwrap();
    let ptau = Ptau::open(FileSource::open(&case.ptau).unwrap()).unwrap();
    let mut file = File::create(out).unwrap();
    new_initial_key(
        &r1cs,
        &ptau,
        &mut file,
        &SetupOptions::default(),
        &NoProgress,
    )
    .unwrap();
}

fn contribute_secretly(previous: &Path, out: &Path) {
    struct Module;
    impl EntropySource for Module {
        fn name(&self) -> &'static str {
            "test module"
        }
        fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed> {
            OperatingSystem.draw(out)
        }
    }
    let mut sources = Sources {
        module: &mut Module,
        system: &mut OperatingSystem,
        requester: b"",
        context: b"e2e",
    };
    let name = ContributionName::new(b"enclave").unwrap();
    let mut file = File::create(out).unwrap();
    contribute::contribute(&zkey(previous), &mut sources, name, &mut file, &NoProgress).unwrap();
}

fn beacon(previous: &Path, out: &Path) {
    let params = BeaconParams::new(10, &hex(BEACON)).unwrap();
    let name = ContributionName::new(b"final beacon").unwrap();
    let mut file = File::create(out).unwrap();
    phase2::beacon::apply_beacon(&zkey(previous), &params, name, &mut file, &NoProgress).unwrap();
}

fn zkey(path: &Path) -> ZKey<FileSource> {
    ZKey::open(FileSource::open(path).unwrap()).unwrap()
}

fn same(a: &Path, b: &Path) -> bool {
    match (fs::read(a), fs::read(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn development_ptau(folder: &Path, power: u32) -> PathBuf {
    let path = folder.join(format!("dev_{power:02}.ptau"));
    devptau::write(power, &mut File::create(&path).unwrap(), &NoProgress).unwrap();
    path
}

#[test]
fn six_circuits_agree_with_snarkjs_at_every_step() {
    let (Some(modules), Some(snarkjs)) = (circuits::modules(), Snarkjs::find()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for circuit in SHAPES {
        eprintln!("{}", circuit.name);
        for options in [
            "--O0 --prime bn128",
            "--O1 --prime bn128",
            "--O2 --prime bn128",
        ] {
            let name = format!("{}_{}", circuit.name, options.get(2..4).unwrap());
            let r1cs = circuits::compile(&modules, folder.path(), &name, circuit.source, options);
            let power = R1cs::open(FileSource::open(&r1cs).unwrap())
                .unwrap()
                .header()
                .power();
            let own = folder.path().join(&name);
            fs::create_dir(&own).unwrap();
            let ptau = development_ptau(&own, power.max(2));
            let case = Case {
                folder: own,
                r1cs,
                ptau,
            };
            if options.contains("O1") {
                compare(&snarkjs, &case);
            } else {
                // The other levels change the r1cs only: the initial key shows it.
                let ours = case.file("ours.zkey");
                let theirs = case.file("theirs.zkey");
                initial_key(&case, &ours);
                snarkjs.setup(&case.r1cs, &case.ptau, &theirs);
                assert!(
                    same(&ours, &theirs),
                    "{name}: 0000.zkey differs from snarkjs's"
                );
            }
        }
    }
}

/// The other curve of snarkjs goes through the same code: powers of tau made by snarkjs, a circuit with
/// all kinds of coefficients, and every step of phase 2 judged by the other side.
#[test]
fn bls12_381_agrees_with_snarkjs_at_every_step() {
    let Some(snarkjs) = Snarkjs::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let case = Case {
        folder: folder.path().to_owned(),
        r1cs: folder.path().join("small.r1cs"),
        ptau: folder.path().join("prepared.ptau"),
    };
    let curve = formats::curve::Curve::Bls12381;
    fs::write(&case.r1cs, testkit::small_r1cs_over(curve, 20)).unwrap();
    let (fresh, mixed) = (case.file("fresh.ptau"), case.file("mixed.ptau"));
    let ptau = |arguments: &[&std::ffi::OsStr]| {
        snarkjs.run(&[&["powersoftau".as_ref()], arguments].concat())
    };
    ptau(&[
        "new".as_ref(),
        "bls12381".as_ref(),
        "5".as_ref(),
        fresh.as_ref(),
    ]);
    ptau(&[
        "beacon".as_ref(),
        fresh.as_ref(),
        mixed.as_ref(),
        BEACON.as_ref(),
        "10".as_ref(),
    ]);
    ptau(&[
        "prepare".as_ref(),
        "phase2".as_ref(),
        mixed.as_ref(),
        case.ptau.as_ref(),
    ]);

    let (ours, theirs) = (case.file("ours_0000.zkey"), case.file("theirs_0000.zkey"));
    initial_key(&case, &ours);
    let printed = snarkjs.setup(&case.r1cs, &case.ptau, &theirs);
    assert!(
        same(&ours, &theirs),
        "0000.zkey differs; snarkjs printed {printed}"
    );

    let (first, last) = (case.file("0001.zkey"), case.file("final.zkey"));
    let key = ContributionKey::<formats::curve::Bls12381>::from_seed(&[5; 32]);
    contribution::apply(
        &zkey(&ours),
        &key,
        Secrecy::Secret,
        ContributionKind::Ordinary,
        ContributionName::new(b"someone").unwrap(),
        &mut File::create(&first).unwrap(),
        &NoProgress,
    )
    .unwrap();
    beacon(&first, &last);
    for made in [&first, &last] {
        assert!(
            snarkjs.accepts(&case.r1cs, &case.ptau, made),
            "snarkjs refuses {}",
            made.display()
        );
    }
    let r1cs = R1cs::open(FileSource::open(&case.r1cs).unwrap()).unwrap();
    let ptau = Ptau::open(FileSource::open(&case.ptau).unwrap()).unwrap();
    for method in [Method::Recompute, Method::Combine] {
        let by = Some(method);
        drop(check_initial_key_by(&r1cs, &ptau, &zkey(&ours), &[1; 32], &NoProgress, by).unwrap());
        let report = check_key_by(&r1cs, &ptau, &zkey(&last), &[2; 32], &NoProgress, by).unwrap();
        assert_eq!(report.chain.contributions.len(), 2);
        let refused = check_key_by(&r1cs, &ptau, &zkey(&ours), &[3; 32], &NoProgress, by);
        assert!(refused.is_err(), "a key without contributions");
    }
    let undone = case.file("undone.zkey");
    let mut out = File::create(&undone).unwrap();
    phase2::beacon::undo_beacon(&zkey(&last), &mut out, &NoProgress).unwrap();
    assert!(same(&undone, &first));

    let vkey = case.file("vkey.json");
    snarkjs.run(&[
        "zkey".as_ref(),
        "export".as_ref(),
        "verificationkey".as_ref(),
        last.as_os_str(),
        vkey.as_os_str(),
    ]);
    let ours = phase2::export::verification_key_json(&zkey(&last)).unwrap();
    assert_eq!(ours, fs::read_to_string(&vkey).unwrap());
}

/// From 2^15 on, snarkjs's circuit hash covers one point too many, which it reads past the end of the
/// section when the ptau is the smallest sufficient one: both cases must give its bytes.
#[test]
fn the_circuit_hash_of_large_domains_agrees_with_snarkjs() {
    let (Some(modules), Some(snarkjs)) = (circuits::modules(), Snarkjs::find()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let source = circuits::chain(16_500);
    let r1cs = circuits::compile(
        &modules,
        folder.path(),
        "chain",
        &source,
        "--O1 --prime bn128",
    );
    for power in [15, 16] {
        let own = folder.path().join(format!("{power}"));
        fs::create_dir(&own).unwrap();
        let ptau = development_ptau(&own, power);
        let case = Case {
            folder: own,
            r1cs: r1cs.clone(),
            ptau,
        };
        let (ours, theirs) = (case.file("ours.zkey"), case.file("theirs.zkey"));
        initial_key(&case, &ours);
        snarkjs.setup(&case.r1cs, &case.ptau, &theirs);
        assert!(
            same(&ours, &theirs),
            "power {power}: 0000.zkey differs from snarkjs's"
        );
    }
}
