//! All steps of all programs on all circuits, turn by turn.

use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    circuits::{self, Family},
    engine::Step,
    error::BenchError,
    measure::Run,
    peers::{Peers, Program},
    report,
};

/// Options of the table.
#[derive(Args)]
pub(crate) struct TableOptions {
    /// Powers of the circuits' domains.
    #[arg(long, value_delimiter = ',', default_value = "15")]
    powers: Vec<u32>,
    /// Families of circuits.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "multiplier,poseidon,sha256"
    )]
    circuits: Vec<Family>,
    /// Rounds; of each program and step the run with the least processor time counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Steps that the peers run as well; our engine runs all of them.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "new,contribute,beacon,verify"
    )]
    steps: Vec<Step>,
    /// Run our engine alone.
    #[arg(long)]
    alone: bool,
    /// node_modules with snarkjs, circom2 and circomlib.
    #[arg(long, default_value = "node_modules")]
    npm: PathBuf,
    /// The snarkrs program; left out of the table where it is missing.
    #[arg(long)]
    snarkrs: Option<PathBuf>,
    /// Folder for circuits, powers of tau and keys; several times the size of the largest ptau.
    #[arg(long)]
    work: PathBuf,
    /// The report. Its rows for circuits measured now are replaced, the others are kept.
    #[arg(long)]
    report: PathBuf,
}

/// The best run of one program.
#[derive(Clone)]
pub(crate) struct Measured {
    pub(crate) program: Program,
    pub(crate) step: Step,
    pub(crate) run: Run,
}

/// One circuit's part of the table.
pub(crate) struct CircuitTable {
    pub(crate) family: Family,
    pub(crate) power: u32,
    pub(crate) constraints: u32,
    pub(crate) key_bytes: u64,
    pub(crate) rounds: u32,
    pub(crate) measured: Vec<Measured>,
}

pub(crate) fn run(options: &TableOptions) -> Result<(), BenchError> {
    if !options.alone {
        report::check(&options.report)?;
    }
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(BenchError::io(path.to_string_lossy()));
    let (work, npm) = (absolute(&options.work)?, absolute(&options.npm)?);
    fs::create_dir_all(&work).map_err(BenchError::io(work.to_string_lossy()))?;
    let peers = Peers {
        snarkjs: npm.join("snarkjs/build/cli.cjs"),
        snarkrs: options.snarkrs.clone().filter(|path| path.exists()),
    };
    if peers.snarkrs.is_none() {
        anstream::eprintln!("bench: snarkrs is missing, the table goes without it");
    }
    for power in &options.powers {
        let ptau = circuits::ptau_file(*power, &work)?;
        for family in &options.circuits {
            let r1cs = match family.circuit(*power, &work, &npm) {
                Ok(r1cs) => r1cs,
                Err(error) => {
                    anstream::eprintln!("bench: SKIPPED {} 2^{power}: {error}", family.name());
                    continue;
                }
            };
            let bench = Bench {
                peers: &peers,
                peers_steps: if options.alone { &[] } else { &options.steps },
                rounds: options.rounds.max(1),
                r1cs: &r1cs,
                ptau: &ptau,
                work: &work,
            };
            let (measured, key_bytes) = bench.measure()?;
            let table = CircuitTable {
                family: *family,
                power: *power,
                constraints: circuits::constraints(&r1cs)?,
                key_bytes,
                rounds: bench.rounds,
                measured,
            };
            report::print(&table);
            if !options.alone {
                report::write(&options.report, &table)?;
            }
        }
    }
    Ok(())
}

/// A short step says little: within a round a program's step is run again until so many seconds are spent on it,
const SHORT_SECONDS: f64 = 3.0;
/// but no more often than this.
const SHORT_RUNS: u32 = 5;

struct Bench<'a> {
    peers: &'a Peers,
    peers_steps: &'a [Step],
    rounds: u32,
    r1cs: &'a Path,
    ptau: &'a Path,
    work: &'a Path,
}

impl Bench<'_> {
    fn measure(&self) -> Result<(Vec<Measured>, u64), BenchError> {
        let mut best: Vec<Measured> = Vec::new();
        for _ in 0..self.rounds {
            for step in Step::ALL {
                for program in self.peers.programs() {
                    if !program.is_ours() && !self.peers_steps.contains(&step) {
                        continue;
                    }
                    let mut spent = 0.0;
                    for _ in 0..SHORT_RUNS {
                        let run = self.step(program, step)?;
                        spent += run.wall;
                        keep_best(&mut best, Measured { program, step, run });
                        if spent >= SHORT_SECONDS {
                            break;
                        }
                    }
                }
                self.compare(step)?;
            }
        }
        let key = self.key(Program::Ours, Step::New);
        let key_bytes = key
            .metadata()
            .map_err(BenchError::io(key.to_string_lossy()))?
            .len();
        Ok((best, key_bytes))
    }

    fn key(&self, program: Program, step: Step) -> PathBuf {
        self.work
            .join(format!("{}-{}.zkey", program.tag(), step.name()))
    }

    /// Every program gets the same input: our key of the step before.
    fn step(&self, program: Program, step: Step) -> Result<Run, BenchError> {
        let before = |step| self.key(Program::Ours, step);
        let out = self.key(program, step);
        match step {
            Step::New => self.peers.run(program, step, &[self.r1cs, self.ptau, &out]),
            Step::Contribute => self.peers.run(program, step, &[&before(Step::New), &out]),
            Step::Beacon => self
                .peers
                .run(program, step, &[&before(Step::Contribute), &out]),
            Step::Verify => {
                let key = before(Step::Beacon);
                self.peers.run(program, step, &[self.r1cs, self.ptau, &key])
            }
        }
    }

    /// Initial keys and beacons are deterministic: ours must be snarkjs's, whatever the arithmetic.
    fn compare(&self, step: Step) -> Result<(), BenchError> {
        if !matches!(step, Step::New | Step::Beacon) {
            return Ok(());
        }
        let left = self.key(Program::Ours, step);
        for program in self.peers.programs() {
            let wanted = match program {
                Program::At(_) => true,
                Program::Snarkjs => self.peers_steps.contains(&step),
                Program::Ours | Program::Snarkrs => false,
            };
            let right = self.key(program, step);
            if wanted && !same_bytes(&left, &right)? {
                return Err(BenchError::Differ { left, right });
            }
        }
        Ok(())
    }
}

/// Of all runs of a program's step the one with the least processor time.
fn keep_best(best: &mut Vec<Measured>, now: Measured) {
    match best
        .iter_mut()
        .find(|old| old.program == now.program && old.step == now.step)
    {
        Some(old) if now.run.user < old.run.user => *old = now,
        Some(_) => {}
        None => best.push(now),
    }
}

fn same_bytes(left: &Path, right: &Path) -> Result<bool, BenchError> {
    let open = |path: &Path| {
        File::open(path)
            .map(BufReader::new)
            .map_err(BenchError::io(path.to_string_lossy()))
    };
    let (mut a, mut b) = (open(left)?, open(right)?);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    loop {
        first.clear();
        second.clear();
        for (file, chunk) in [(&mut a, &mut first), (&mut b, &mut second)] {
            file.take(1 << 20)
                .read_to_end(chunk)
                .map_err(BenchError::io("compare keys"))?;
        }
        if first != second {
            return Ok(false);
        }
        if first.is_empty() {
            return Ok(true);
        }
    }
}
