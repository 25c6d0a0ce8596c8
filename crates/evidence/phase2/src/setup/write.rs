//! The initial key as a file.

use std::{
    io::{self, Seek, SeekFrom, Write},
    num::NonZeroUsize,
};

use formats::{
    curve::{Bls12381, Bn128, Curve},
    digest::Blake2b512Digest,
    progress::ProgressSink,
    ptau::Ptau,
    r1cs::R1cs,
    source::Source,
    zkey::ZKeySection,
};

use super::{
    coefficients,
    error::SetupError,
    layout::{Layout, Place},
    produce::{Setup, Steps},
    sink::{Part, PartSink},
};
use crate::{EngineCurve, threads, transcript::InfinityRule};

/// How much of the machine to use.
#[derive(Clone, Copy, Debug)]
pub struct SetupOptions {
    /// Memory for the whole computation, in bytes. Less memory means more passes over the files;
    /// 124 MiB beside them and a thousand signals a pass are the least.
    pub memory_bytes: u64,
    /// Threads for the additions; `None` for one per core.
    pub threads: Option<NonZeroUsize>,
}

impl Default for SetupOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            threads: None,
        }
    }
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialKeySummary {
    /// csHash of the key.
    pub circuit_hash: Blake2b512Digest,
    /// Power of the evaluation domain.
    pub power: u32,
    /// Coefficients in section 4.
    pub n_coefficients: u32,
    /// Bytes of the key.
    pub size: u64,
}

/// Writes `0000.zkey` for a circuit, from position 0 of `out`.
///
/// The file is not complete before this returns `Ok`: sections are written in the order of the
/// circuit hash, not of the file.
pub fn new_initial_key<S, T, W>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    out: &mut W,
    options: &SetupOptions,
    progress: &dyn ProgressSink,
) -> Result<InitialKeySummary, SetupError>
where
    S: Source,
    T: Source,
    W: Write + Seek + Send,
{
    let (curve, ptau_curve) = (r1cs.header().curve, ptau.curve());
    if curve != ptau_curve {
        return Err(SetupError::DifferentCurves {
            r1cs: curve,
            ptau: ptau_curve,
        });
    }
    let (needed, got) = (r1cs.header().power(), ptau.power());
    if needed > got {
        return Err(SetupError::PtauTooSmall { needed, got });
    }
    if needed > curve.two_adicity() {
        return Err(SetupError::CircuitTooLarge {
            needed,
            max: curve.two_adicity(),
        });
    }
    let setup = Setup {
        r1cs: &r1cs.as_dyn(),
        ptau: &ptau.as_dyn(),
        memory_bytes: options.memory_bytes,
        progress,
        steps: STEPS,
    };
    write(&setup, options.threads, out)
}

const STEPS: Steps = Steps {
    sums: |section| match section {
        ZKeySection::A => "initial key: A",
        ZKeySection::B1 => "initial key: B1",
        ZKeySection::B2 => "initial key: B2",
        _ => "initial key: IC and C",
    },
    h: "initial key: H",
};

/// Where sections can be written in any order.
trait WriteSeek: Write + Seek + Send {}

impl<W: Write + Seek + Send> WriteSeek for W {}

fn write(
    setup: &Setup<'_, &dyn Source, &dyn Source>,
    threads: Option<NonZeroUsize>,
    out: &mut dyn WriteSeek,
) -> Result<InitialKeySummary, SetupError> {
    threads::run(threads, || match setup.r1cs.header().curve {
        Curve::Bn128 => write_on::<Bn128>(setup, out),
        Curve::Bls12381 => write_on::<Bls12381>(setup, out),
    })
    .map_err(|threads| SetupError::Threads { threads })?
}

fn write_on<C: EngineCurve>(
    setup: &Setup<'_, &dyn Source, &dyn Source>,
    out: &mut dyn WriteSeek,
) -> Result<InitialKeySummary, SetupError> {
    let circuit = setup.r1cs.header();
    let n_coefficients = coefficients::count(setup.r1cs, setup.progress)?;
    let layout = Layout::new::<C>(circuit, n_coefficients);
    let mut out = Output { out, layout };
    out.begin(n_coefficients)?;
    let circuit_hash = setup.whole::<C, _>(InfinityRule::Zeros, &mut out)?;
    out.finish(&circuit_hash)?;
    Ok(InitialKeySummary {
        circuit_hash,
        power: circuit.power(),
        n_coefficients,
        size: out.layout.file_size,
    })
}

/// The file being written, its sections where the layout has them.
struct Output<'a> {
    out: &'a mut dyn WriteSeek,
    layout: Layout,
}

impl Output<'_> {
    /// Whatever has its place before the sections are filled.
    fn begin(&mut self, n_coefficients: u32) -> Result<(), SetupError> {
        let mut header = Vec::from(b"zkey");
        for word in [1_u32, 10] {
            header.extend_from_slice(&word.to_le_bytes());
        }
        self.write_at(0, &header)?;
        for place in self.layout.places() {
            let mut bytes = Vec::from(place.id.to_le_bytes());
            bytes.extend_from_slice(&place.size.to_le_bytes());
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.write_at(place.offset.saturating_sub(length), &bytes)?;
        }
        self.write_at(self.layout.protocol.offset, &1_u32.to_le_bytes())?;
        let count = n_coefficients.to_le_bytes();
        self.write_at(self.layout.coefficients.offset, &count)
    }

    fn finish(&mut self, circuit_hash: &Blake2b512Digest) -> Result<(), SetupError> {
        let mut contributions = circuit_hash.as_bytes().to_vec();
        contributions.extend_from_slice(&0_u32.to_le_bytes());
        self.write_at(self.layout.contributions.offset, &contributions)?;
        self.out.flush().map_err(SetupError::Write)
    }

    fn place(&self, section: ZKeySection) -> Place {
        let layout = &self.layout;
        match section {
            ZKeySection::Protocol => layout.protocol,
            ZKeySection::Header => layout.header,
            ZKeySection::Ic => layout.ic,
            ZKeySection::Coefficients => layout.coefficients,
            ZKeySection::A => layout.a,
            ZKeySection::B1 => layout.b1,
            ZKeySection::B2 => layout.b2,
            ZKeySection::C => layout.c,
            ZKeySection::H => layout.h,
            ZKeySection::Contributions => layout.contributions,
        }
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), SetupError> {
        let mut write = || -> io::Result<()> {
            self.out.seek(SeekFrom::Start(offset))?;
            self.out.write_all(bytes)
        };
        write().map_err(SetupError::Write)
    }
}

impl PartSink for Output<'_> {
    type Error = SetupError;

    fn take(&mut self, part: &Part) -> Result<(), SetupError> {
        let place = self.place(part.section);
        let length = u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
        if part.offset.saturating_add(length) > place.size {
            // The circuit is another one than when its terms were counted.
            let source = io::Error::other("a section is longer than its place");
            return Err(SetupError::Write(source));
        }
        self.write_at(place.offset + part.offset, &part.bytes)
    }
}
