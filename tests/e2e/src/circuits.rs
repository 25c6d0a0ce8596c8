//! Circuits of our own, compiled by the pinned circom.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use circom::{Circom, CircomOptions, Limits, Outputs};

/// A circuit by name and source; every one exercises another shape of the key.
#[derive(Clone, Copy, Debug)]
pub struct Circuit {
    /// For messages and file names.
    pub name: &'static str,
    /// circom source.
    pub source: &'static str,
}

/// Small shapes: counts at the edges, missing kinds of signals, unused ones, large coefficients.
pub const SHAPES: [Circuit; 6] = [
    Circuit {
        name: "product_with_output",
        source: "pragma circom 2.1.9;
template T() { signal input a; signal input b; signal output c; c <== a * b; }
component main = T();
",
    },
    Circuit {
        name: "no_public_signal",
        source: "pragma circom 2.1.9;
template T() { signal input a; signal b; b <== a * a; b * a === 27; }
component main = T();
",
    },
    Circuit {
        name: "public_inputs_and_outputs",
        source: "pragma circom 2.1.9;
template T(n) {
    signal input a[n]; signal input k; signal output out[n];
    for (var i = 0; i < n; i++) { out[i] <== (a[i] + i) * (k - 3 * i); }
}
component main {public [a]} = T(5);
",
    },
    Circuit {
        name: "bits_and_large_coefficients",
        source: "pragma circom 2.1.9;
template Bits(n) {
    signal input in; signal output out[n]; var sum = 0;
    for (var i = 0; i < n; i++) {
        out[i] <-- (in >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        sum += out[i] * (1 << i);
    }
    sum === in;
}
template T() {
    signal input x; signal input unused; signal output y;
    component bits = Bits(64);
    bits.in <== x;
    y <== (bits.out[3] * 7237005577332262213973186563042994240829374041602535252466099000494570602493 + x) * (bits.out[63] - 21888242871839275222246405745257275088548364400416034343698204186575808495616);
}
component main {public [unused]} = T();
",
    },
    Circuit {
        // 14 constraints and 1 + 1 public signals: 2^4 exactly, so the domain doubles.
        name: "exactly_a_power_of_two",
        source: "pragma circom 2.1.9;
template T(n) {
    signal input a; signal output out; signal s[n];
    s[0] <== a * a;
    for (var i = 1; i < n; i++) { s[i] <== s[i-1] * s[i-1] + a; }
    out <== s[n-1] * a;
}
component main {public [a]} = T(13);
",
    },
    Circuit {
        name: "linear_constraints_kept",
        source: "pragma circom 2.1.9;
template T() {
    signal input a; signal input b; signal output c; signal d; signal e;
    d <== a + b; e <== d - 5 * a; c <== d * e;
}
component main = T();
",
    },
];

/// A multiplication chain of `n` constraints with one output.
#[must_use]
pub fn chain(n: usize) -> String {
    format!(
        "pragma circom 2.1.9;
template T(n) {{
    signal input a; signal output out; signal s[n];
    s[0] <== a * a + a;
    for (var i = 1; i < n; i++) {{ s[i] <== s[i-1] * s[i-1] + i; }}
    out <== s[n-1];
}}
component main = T({n});
"
    )
}

/// The modules folder, if `scripts/setup` has filled it.
#[must_use]
pub fn modules() -> Option<PathBuf> {
    testkit::modules(&[circom::MODULE_FILE])
}

/// Compiles `source` and returns the path of the r1cs in `folder`.
pub fn compile(modules: &Path, folder: &Path, name: &str, source: &str, options: &str) -> PathBuf {
    let main = folder.join(format!("{name}.circom"));
    fs::write(&main, source).unwrap();
    let libraries: [PathBuf; 0] = [];
    let bundle = circom::sources::collect(&main, &libraries).unwrap();
    let r1cs = folder.join(format!("{name}.r1cs"));
    let file = |path: &Path| {
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap()
    };
    let outputs = Outputs {
        r1cs: file(&r1cs),
        wasm: file(&folder.join(format!("{name}.wasm"))),
    };
    let options: CircomOptions = options.parse().unwrap();
    let compiler = Circom::load(modules).unwrap();
    compiler
        .compile(&bundle, &options, &Limits::default(), outputs, &|| false)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    r1cs
}
