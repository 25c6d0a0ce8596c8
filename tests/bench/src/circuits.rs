//! Circuits and powers of tau of a wanted size.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;
use formats::{curve::Curve, progress::NoProgress, r1cs::R1cs, source::FileSource};

use crate::error::BenchError;

/// Families of circuits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    /// Each signal is the product of the two before: three terms a constraint.
    Multiplier,
    /// Poseidon hashes of pairs in a row: dense linear combinations with large coefficients.
    Poseidon,
    /// SHA-256 compressions in a row: bits, small coefficients.
    Sha256,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Multiplier => "multiplier",
            Self::Poseidon => "poseidon",
            Self::Sha256 => "sha256",
        }
    }

    /// A circuit whose domain is 2^`power`, nearly filled; made once and kept.
    pub(crate) fn circuit(
        self,
        power: u32,
        work: &Path,
        npm: &Path,
    ) -> Result<PathBuf, BenchError> {
        let path = work.join(format!("{}{power}.r1cs", self.name()));
        if path.exists() {
            return Ok(path);
        }
        match self {
            Self::Multiplier => multiplier_chain(power, &path)?,
            Self::Poseidon | Self::Sha256 => self.hash_chain(power, &path, work, npm)?,
        }
        Ok(path)
    }

    /// Tries one and two links to see what a link costs, then takes as many as fit.
    fn hash_chain(
        self,
        power: u32,
        path: &Path,
        work: &Path,
        npm: &Path,
    ) -> Result<(), BenchError> {
        let one = self.compile(1, work, npm)?;
        let two = self.compile(2, work, npm)?;
        let first = u64::from(constraints(&one)?);
        let link = u64::from(constraints(&two)?).saturating_sub(first).max(1);
        // The domain holds the constraints, one row per public signal, and one more.
        let room = (1_u64 << power).saturating_sub(first + 4);
        let compiled = self.compile(1 + room / link, work, npm)?;
        let header = *R1cs::open(open(&compiled)?)
            .map_err(BenchError::engine)?
            .header();
        if header.power() != power {
            return Err(BenchError::NoSuchCircuit {
                circuit: self.name().into(),
                power,
            });
        }
        fs::rename(&compiled, path).map_err(BenchError::io(path.to_string_lossy()))
    }

    fn compile(self, links: u64, work: &Path, npm: &Path) -> Result<PathBuf, BenchError> {
        let name = format!("{}_{links}_links", self.name());
        // The npm package's sandbox does not see every folder, but it sees the one it runs in.
        let library = work.join("circomlib");
        if !library.exists() {
            copy_folder(&npm.join("circomlib/circuits"), &library)?;
        }
        let source = work.join(format!("{name}.circom"));
        fs::write(&source, self.source(links)).map_err(BenchError::io(source.to_string_lossy()))?;
        let output = Command::new("node")
            .arg(npm.join("circom2/cli.js"))
            .arg(format!("{name}.circom"))
            .args(["--r1cs", "--O1", "-l", "circomlib"])
            .current_dir(work)
            .output()
            .map_err(BenchError::io("node"))?;
        let r1cs = work.join(format!("{name}.r1cs"));
        if r1cs.exists() {
            return Ok(r1cs);
        }
        Err(BenchError::Failed {
            program: "circom".into(),
            step: name,
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn source(self, links: u64) -> String {
        match self {
            Self::Multiplier => String::new(),
            Self::Poseidon => format!(
                "pragma circom 2.0.0;\n\
                 include \"poseidon.circom\";\n\
                 template Chain(n) {{\n  \
                   signal input a; signal input b; signal output out;\n  \
                   component h[n];\n  \
                   for (var i = 0; i < n; i++) {{\n    \
                     h[i] = Poseidon(2);\n    \
                     h[i].inputs[0] <== i == 0 ? a : h[i-1].out;\n    \
                     h[i].inputs[1] <== b;\n  }}\n  \
                   out <== h[n-1].out;\n}}\n\
                 component main = Chain({links});\n"
            ),
            Self::Sha256 => format!(
                "pragma circom 2.0.0;\n\
                 include \"sha256/sha256.circom\";\n\
                 template Chain(n) {{\n  \
                   signal input in[256]; signal output out;\n  \
                   component h[n];\n  \
                   for (var i = 0; i < n; i++) {{\n    \
                     h[i] = Sha256(256);\n    \
                     for (var j = 0; j < 256; j++) {{\n      \
                       h[i].in[j] <== i == 0 ? in[j] : h[i-1].out[j];\n    }}\n  }}\n  \
                   var sum = 0;\n  \
                   for (var j = 0; j < 253; j++) {{ sum += h[n-1].out[j] * (1 << j); }}\n  \
                   out <== sum;\n}}\n\
                 component main = Chain({links});\n"
            ),
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), BenchError> {
    let failed = |path: &Path| BenchError::io(path.to_string_lossy().into_owned());
    fs::create_dir_all(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let path = entry.map_err(failed(from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(failed(&path))?;
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<FileSource, BenchError> {
    FileSource::open(path).map_err(BenchError::io(path.to_string_lossy()))
}

/// Number of constraints of a compiled circuit.
pub(crate) fn constraints(path: &Path) -> Result<u32, BenchError> {
    let r1cs = R1cs::open(open(path)?).map_err(BenchError::engine)?;
    Ok(r1cs.header().n_constraints)
}

/// A development ptau of the wanted power, made once and kept.
pub(crate) fn ptau_file(power: u32, work: &Path) -> Result<PathBuf, BenchError> {
    let path = work.join(format!("dev{power}.ptau"));
    if !path.exists() {
        let partial = work.join(format!("dev{power}.ptau.part"));
        ptau(power, &partial)?;
        fs::rename(&partial, &path).map_err(BenchError::io(path.to_string_lossy()))?;
    }
    Ok(path)
}

pub(crate) fn ptau(power: u32, path: &Path) -> Result<(), BenchError> {
    let file = File::create(path).map_err(BenchError::io(path.to_string_lossy()))?;
    devptau::write(power, &mut BufWriter::new(file), &NoProgress).map_err(BenchError::engine)
}

/// x\[i+2\] = x\[i\]·x\[i+1\], one output and one public input, filling a domain of 2^`power`.
pub(crate) fn multiplier_chain(power: u32, path: &Path) -> Result<(), BenchError> {
    let too_small = || BenchError::NoSuchCircuit {
        circuit: "multiplier".into(),
        power,
    };
    // Rows of the domain: the constraints, the public signals, the constant.
    let constraints = 1_u32
        .checked_shl(power)
        .and_then(|rows| rows.checked_sub(3))
        .ok_or_else(too_small)?;
    let file = File::create(path).map_err(BenchError::io(path.to_string_lossy()))?;
    write_chain(constraints, &mut BufWriter::new(file))
        .map_err(BenchError::io(path.to_string_lossy()))
}

/// Signals: 0 the constant, 1 the output, 2 the public input, 3 a private one, then the products.
fn write_chain(constraints: u32, out: &mut impl Write) -> io::Result<()> {
    const TERM: u64 = 4 + 32;
    let prime = Curve::Bn128.scalar_modulus();
    let wires = constraints + 3;
    let mut header = Vec::new();
    header.extend_from_slice(&32_u32.to_le_bytes());
    header.extend_from_slice(&prime);
    for count in [wires, 1, 1, 1] {
        header.extend_from_slice(&count.to_le_bytes());
    }
    header.extend_from_slice(&u64::from(wires).to_le_bytes());
    header.extend_from_slice(&constraints.to_le_bytes());

    out.write_all(b"r1cs")?;
    for word in [1_u32, 3] {
        out.write_all(&word.to_le_bytes())?;
    }
    begin(out, 2, u64::from(constraints) * 3 * (4 + TERM))?;
    let mut one = [0_u8; 32];
    if let Some(low) = one.first_mut() {
        *low = 1;
    }
    for row in 0..constraints {
        // The last product is the output.
        let product = if row + 1 == constraints { 1 } else { row + 4 };
        for signal in [row + 2, row + 3, product] {
            out.write_all(&1_u32.to_le_bytes())?;
            out.write_all(&signal.to_le_bytes())?;
            out.write_all(&one)?;
        }
    }
    begin(out, 1, u64::try_from(header.len()).unwrap_or(u64::MAX))?;
    out.write_all(&header)?;
    begin(out, 3, 8 * u64::from(wires))?;
    for label in 0..u64::from(wires) {
        out.write_all(&label.to_le_bytes())?;
    }
    out.flush()
}

fn begin(out: &mut impl Write, id: u32, size: u64) -> io::Result<()> {
    out.write_all(&id.to_le_bytes())?;
    out.write_all(&size.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_fills_its_domain() {
        let folder = tempfile::tempdir().unwrap();
        for power in [3, 10] {
            let path = folder.path().join(format!("{power}.r1cs"));
            multiplier_chain(power, &path).unwrap();
            let r1cs = R1cs::open(FileSource::open(&path).unwrap()).unwrap();
            assert_eq!(r1cs.header().power(), power);
            assert_eq!(r1cs.header().n_constraints, (1 << power) - 3);
            let mut terms = r1cs.terms().unwrap();
            let mut count = 0;
            while terms.next_term().unwrap().is_some() {
                count += 1;
            }
            assert_eq!(count, 3 * ((1 << power) - 3));
        }
    }
}
