//! The compiler in its sandbox, on circuits written here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod common;

use std::fs::OpenOptions;
use std::time::{Duration, Instant};

use circom::{Circom, CircomError, CircomOptions, Limits, Output, Outputs};
use common::{bundle, compile, compile_with, compiler, content, modules, single};
use sha2::{Digest as _, Sha256};

const SQUARE: &str = "pragma circom 2.0.0;\n\
    template Square() { signal input a; signal output b; b <== a * a; }\n";
const MAIN: &str = "component main = Square();\n";

/// One constraint, three wires.
fn square() -> String {
    format!("{SQUARE}{MAIN}")
}

macro_rules! needs_compiler {
    () => {
        if compiler().is_none() {
            return;
        }
    };
}

#[test]
fn a_circuit_compiles_to_the_same_bytes_each_time() {
    needs_compiler!();
    let first = compile(&single(&square())).unwrap();
    let second = compile(&single(&square())).unwrap();
    assert_eq!(&first.r1cs[..4], b"r1cs");
    assert_eq!(&first.wasm[..4], b"\0asm");
    assert_eq!(first.r1cs, second.r1cs);
    assert_eq!(first.wasm, second.wasm);
    assert!(
        first
            .report
            .printed
            .as_str()
            .contains("non-linear constraints: 1")
    );
    assert!(first.report.memory_peak > 1 << 16);
}

#[test]
fn the_place_and_name_of_the_main_file_do_not_change_the_r1cs() {
    needs_compiler!();
    let expected = compile(&single(&square())).unwrap().r1cs;
    for name in [
        "-dash.circom",
        "a b/é.circom",
        "m.n.circom",
        "main",
        ".hidden",
        "x_js/x.circom",
    ] {
        let other = bundle(&[(name, &square())], &[]);
        assert_eq!(compile(&other).unwrap().r1cs, expected, "{name}");
    }
}

#[test]
fn what_an_output_held_before_is_gone() {
    needs_compiler!();
    let expected = compile(&single(&square())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [r1cs, wasm] = ["r1cs", "wasm"].map(|name| folder.path().join(name));
    for path in [&r1cs, &wasm] {
        std::fs::write(path, vec![7; 1 << 20]).unwrap();
    }
    let open = |path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap()
    };
    let outputs = Outputs {
        r1cs: open(&r1cs),
        wasm: open(&wasm),
    };
    let (options, limits) = (CircomOptions::default(), Limits::default());
    let circuit = single(&square());
    compiler()
        .unwrap()
        .compile(&circuit, &options, &limits, outputs, &|| false)
        .unwrap();
    assert_eq!(content(&mut open(&r1cs)), expected.r1cs);
    assert_eq!(content(&mut open(&wasm)), expected.wasm);
}

#[test]
fn includes_are_found_beside_the_file_and_then_in_the_libraries_in_order() {
    needs_compiler!();
    let expected = compile(&single(&square())).unwrap().r1cs;
    let main = format!("include \"x/a.circom\"; include \"../shared/b.circom\"; {MAIN}");
    let files = [
        ("circuit/main.circom", main.as_str()),
        (
            "circuit/x/a.circom",
            "include \"./../t.circom\"; include \"u.circom\";",
        ),
        ("circuit/t.circom", "include \"square.circom\";"),
        ("shared/b.circom", "include \"sub/../square.circom\";"),
        ("lib0/u.circom", ""),
        ("lib0/square.circom", SQUARE),
        ("lib1/u.circom", "this is not circom"),
        ("lib1/square.circom", "this is not circom"),
    ];
    let found = compile(&bundle(&files, &["lib0", "lib1"])).unwrap();
    assert_eq!(found.r1cs, expected);
    let error = compile(&bundle(&files, &["lib1", "lib0"])).err().unwrap();
    assert!(
        matches!(error, CircomError::CompileFailed { .. }),
        "{error}"
    );
}

#[test]
fn r15_an_include_cannot_leave_the_bundle() {
    needs_compiler!();
    for target in [
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "../../out:/main.r1cs",
        "out:/main.r1cs",
        "/proc/self/environ",
        "nowhere.circom",
    ] {
        let main = format!("pragma circom 2.0.0;\ninclude \"{target}\";\n{MAIN}");
        let error = compile(&single(&main)).err().unwrap();
        let CircomError::IncludeNotFound { diagnostics } = &error else {
            panic!("{target}: {error}");
        };
        assert!(!diagnostics.as_str().contains("root:"), "{diagnostics}");
    }
}

#[test]
fn r15_a_loop_without_end_stops_at_the_limit() {
    needs_compiler!();
    let endless = "template T() { signal input a; signal output b; var i = 0; \
        while (i >= 0) { i = 0; } b <== a * a; } component main = T();";
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let started = Instant::now();
    let error = compile_with(&single(endless), CircomOptions::default(), &limits);
    let error = error.err().unwrap();
    assert!(matches!(error, CircomError::Timeout { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn r15_a_template_without_end_stops() {
    needs_compiler!();
    let endless = "template T(n) { signal input a; signal output b; component c = T(n + 1); \
        c.a <== a; b <== c.b; } component main = T(0);";
    let error = compile(&single(endless)).err().unwrap();
    assert!(matches!(error, CircomError::StackExhausted), "{error}");
}

#[test]
fn r15_memory_is_limited() {
    needs_compiler!();
    let large = "template T() { signal input a; signal output b; signal z[4000000]; \
        for (var i = 0; i < 4000000; i++) { z[i] <== a; } b <== a * a; } component main = T();";
    let limits = Limits {
        memory_bytes: 64 << 20,
        ..Limits::default()
    };
    let error = compile_with(&single(large), CircomOptions::default(), &limits);
    let error = error.err().unwrap();
    let CircomError::OutOfMemory { limit, wanted } = error else {
        panic!("{error}");
    };
    assert_eq!(limit, 64 << 20);
    assert!(wanted.unwrap() > limit);
}

#[test]
fn r15_outputs_are_limited() {
    needs_compiler!();
    let limits = Limits {
        output_bytes: 100,
        ..Limits::default()
    };
    let error = compile_with(&single(&square()), CircomOptions::default(), &limits);
    let error = error.err().unwrap();
    assert!(
        matches!(
            error,
            CircomError::OutputTooLarge {
                output: Output::R1cs,
                limit: 100
            }
        ),
        "{error}"
    );
}

#[test]
fn a_full_disk_is_said_to_be_one() {
    needs_compiler!();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let outputs = Outputs {
        r1cs: tempfile::tempfile().unwrap(),
        wasm: full,
    };
    let (options, limits) = (CircomOptions::default(), Limits::default());
    let circuit = single(&square());
    let error = compiler()
        .unwrap()
        .compile(&circuit, &options, &limits, outputs, &|| false)
        .unwrap_err();
    assert!(
        matches!(
            error,
            CircomError::OutputIo {
                output: Output::Wasm,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_compilation_can_be_cancelled() {
    needs_compiler!();
    let endless = "template T() { var i = 0; while (i >= 0) { i = 0; } } component main = T();";
    let outputs = Outputs {
        r1cs: tempfile::tempfile().unwrap(),
        wasm: tempfile::tempfile().unwrap(),
    };
    let (options, limits) = (CircomOptions::default(), Limits::default());
    let circuit = single(endless);
    let error = compiler()
        .unwrap()
        .compile(&circuit, &options, &limits, outputs, &|| true)
        .unwrap_err();
    assert!(matches!(error, CircomError::Cancelled), "{error}");
}

#[test]
fn two_compilations_at_once_do_not_disturb_each_other() {
    needs_compiler!();
    let expected = compile(&single(&square())).unwrap().r1cs;
    let endless = "template T() { var i = 0; while (i >= 0) { i = 0; } } component main = T();";
    let limits = Limits {
        time: Duration::from_millis(200),
        ..Limits::default()
    };
    std::thread::scope(|scope| {
        let other =
            scope.spawn(|| compile_with(&single(endless), CircomOptions::default(), &limits));
        for _ in 0..3 {
            assert_eq!(compile(&single(&square())).unwrap().r1cs, expected);
        }
        let error = other.join().unwrap().err().unwrap();
        assert!(matches!(error, CircomError::Timeout { .. }), "{error}");
    });
}

#[test]
fn r13_every_file_and_option_is_bound() {
    needs_compiler!();
    let library = "template Sum() { signal input a; signal output b; signal c; signal d; \
        c <== a + 1; d <== c + 2; b <== a * d; }";
    let main = "pragma circom 2.0.0; include \"l.circom\"; component main = Sum();";
    let original = bundle(
        &[("circuit/m.circom", main), ("lib0/l.circom", library)],
        &["lib0"],
    );
    let compiled = |level: &str| {
        let options: CircomOptions = format!("{level} --prime bn128").parse().unwrap();
        Sha256::digest(
            compile_with(&original, options, &Limits::default())
                .unwrap()
                .r1cs,
        )
    };
    assert_ne!(compiled("--O0"), compiled("--O1"));
    assert_ne!(compiled("--O1"), compiled("--O2"));
    assert_eq!(compiled("--O2"), compiled("--O2round 100"));
    let changed = bundle(
        &[
            ("circuit/m.circom", main),
            ("lib0/l.circom", &library.replace("+ 2", "+ 3")),
        ],
        &["lib0"],
    );
    assert_ne!(original.sha256(), changed.sha256());
    assert_ne!(
        compile(&original).unwrap().r1cs,
        compile(&changed).unwrap().r1cs
    );
}

#[test]
fn r13_another_module_is_not_loaded() {
    let Some(folder) = modules() else { return };
    let other = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(folder.join(circom::MODULE_FILE)).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(other.path().join(circom::MODULE_FILE), &bytes).unwrap();
    let error = Circom::load(other.path()).err().unwrap();
    assert!(matches!(error, CircomError::ModuleDigest { .. }), "{error}");
    let error = Circom::load(&other.path().join("nowhere")).err().unwrap();
    assert!(matches!(error, CircomError::ModuleRead { .. }), "{error}");
}

#[test]
fn what_a_key_cannot_hold_is_refused() {
    needs_compiler!();
    let custom = "pragma circom 2.0.6; pragma custom_templates; \
        template custom Gate() { signal input a; signal output b; b <-- a * a; } \
        template A() { signal input a; signal input x; signal output b; component g = Gate(); \
        g.a <== a; b <== g.b * x; } component main = A();";
    let error = compile(&single(custom)).err().unwrap();
    assert!(matches!(error, CircomError::CustomGates), "{error:?}");
    let empty = "template A() { signal input a; signal output b; b <-- a * a; } \
        component main = A();";
    let error = compile(&single(empty)).err().unwrap();
    assert!(matches!(error, CircomError::ZeroConstraints), "{error:?}");
}
