//! `cargo bench -p vector`: first a table of cycles next to each level's limit, then times by criterion:
//! per point of the kernel and of batches of additions. Nothing is asserted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "criterion's macros; a benchmark that cannot start has no result"
)]

use ark_bn254::{G1Projective, G2Projective};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::{hint::black_box, time::Instant};
use vector::{
    Addition, Chain, G1Adder, G2Adder, Kernel, Level, Operation, Step, Summand, Table, Term,
};

const POINTS: u32 = 4096;
/// Points of a block of the kernel, as the engine uses it.
const BLOCK: usize = 1024;

/// Multiples of the generator, in file form.
fn file<G>() -> Vec<u8>
where
    G: PrimeGroup + CurveGroup,
    G::Affine: Coordinates,
{
    let step = G::generator();
    let mut next = step;
    let points: Vec<G> = (0..POINTS)
        .map(|_| {
            let point = next;
            next += step;
            point
        })
        .collect();
    G::normalize_batch(&points)
        .iter()
        .flat_map(Coordinates::words)
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// The words of a point in a file.
trait Coordinates {
    fn words(&self) -> Vec<u64>;
}

impl<P: SWCurveConfig<BaseField: Words>> Coordinates for Affine<P> {
    fn words(&self) -> Vec<u64> {
        let (x, y) = self.xy().unwrap();
        [x.words(), y.words()].concat()
    }
}

/// The words of a coordinate.
trait Words {
    fn words(&self) -> Vec<u64>;
}

impl Words for ark_bn254::Fq {
    fn words(&self) -> Vec<u64> {
        self.0.0.to_vec()
    }
}

impl Words for ark_bn254::Fq2 {
    fn words(&self) -> Vec<u64> {
        [self.c0.words(), self.c1.words()].concat()
    }
}

/// 64 windows of two bits for both halves of a scalar, as the engine's recoding of secrets makes them.
fn schedule(secret: bool) -> Chain {
    let term = |index: u8| Term {
        index: index % 8,
        negative: index.is_multiple_of(3),
        endomorphism: false,
    };
    let mut steps = vec![Step::Add(term(5))];
    for window in 1..64 {
        steps.extend([Step::Double, Step::DoubleAdd(term(window % 8 * 5))]);
    }
    Chain::over(Table::Joint, steps, secret).unwrap()
}

/// The levels of this processor.
fn levels() -> impl Iterator<Item = Level> {
    Level::all()
}

fn kernel(c: &mut Criterion) {
    let bytes = file::<G1Projective>();
    let mut group = c.benchmark_group("one scalar times every point");
    group.throughput(Throughput::Elements(POINTS.into()));
    for level in levels() {
        let mut kernel = Kernel::new(level, BLOCK);
        for (name, secret) in [("secret", true), ("public", false)] {
            let chain = schedule(secret);
            group.bench_function(BenchmarkId::new(level.name(), name), |b| {
                b.iter_batched_ref(
                    || bytes.clone(),
                    |bytes| kernel.apply(&chain, bytes).unwrap(),
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

fn additions(c: &mut Criterion) {
    let half = POINTS / 2;
    let pairs: Vec<Addition> = (0..half)
        .map(|left| Addition {
            left: Summand::own(left),
            right: Summand::own(half + (left * 5) % half),
            to: left,
        })
        .collect();
    let (first, second) = (file::<G1Projective>(), file::<G2Projective>());
    for level in levels() {
        let mut g1 = G1Adder::new(level);
        let mut g2 = G2Adder::new(level);
        let mut group = c.benchmark_group("read and check");
        group.throughput(Throughput::Elements(POINTS.into()));
        group.bench_function(BenchmarkId::new(level.name(), "G1"), |b| {
            b.iter(|| g1.import(&first).unwrap());
        });
        group.bench_function(BenchmarkId::new(level.name(), "G2"), |b| {
            b.iter(|| g2.import(&second).unwrap());
        });
        group.finish();
        let mut group = c.benchmark_group("additions");
        group.throughput(Throughput::Elements(half.into()));
        let mut points = g1.import(&first).unwrap();
        group.bench_function(BenchmarkId::new(level.name(), "G1"), |b| {
            b.iter(|| g1.add(&mut points, &[], &pairs).unwrap());
        });
        let mut points = g2.import(&second).unwrap();
        group.bench_function(BenchmarkId::new(level.name(), "G2"), |b| {
            b.iter(|| g2.add(&mut points, &[], &pairs).unwrap());
        });
        group.finish();
    }
}

/// What a level needs at least for a vector of eight: the instructions of products alone, on the two
/// ports that run them (`docs/engine.md` counts them).
fn limits(level: Level) -> (f64, f64) {
    match level {
        // Multiply-adds: 100 and 80.
        #[cfg(target_arch = "x86_64")]
        Level::Ifma(_) => (50.0, 40.0),
        // All instructions of products run on the same two ports: 209 and 161.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => (104.5, 80.5),
        // Floating point alone, in two halves: 151 and 119 each; additions of integers have another port.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => (151.0, 119.0),
        // Products of words, on one port: 36 and 30 a lane.
        _ => (288.0, 240.0),
    }
}

/// Products and squares of a point under the secret schedule (`docs/engine.md` counts them).
const PRODUCTS: f64 = 942.0;
const SQUARES: f64 = 267.0;

/// The shortest of many runs, which others did not interrupt.
fn shortest(mut work: impl FnMut()) -> f64 {
    (0..200)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

/// Cycles a second, from a chain of multiplications (three cycles each on all current x86 processors)
/// and exclusive ors (one cycle each) that depend on each other.
fn clock() -> f64 {
    const LINKS: u32 = 1 << 17;
    let (factor, mask) = (black_box(0x9e37_79b9_7f4a_7c15_u64), black_box(0x5555_u64));
    let seconds = shortest(|| {
        let mut value = black_box(1_u64);
        for _ in 0..LINKS {
            value = value.wrapping_mul(factor) ^ mask;
        }
        black_box(value);
    });
    4.0 * f64::from(LINKS) / seconds
}

fn table(_: &mut Criterion) {
    let hertz = clock();
    let bytes = file::<G1Projective>();
    let chain = schedule(true);
    println!(
        "clock {:.2} GHz; cycles, limit, share of the limit reached",
        hertz / 1e9
    );
    for level in levels() {
        let (product_limit, square_limit) = limits(level);
        let row = |what: &str, cycles: f64, limit: f64| {
            println!(
                "{:13} {what:8} {cycles:9.1} {limit:9.1} {:5.0} %",
                level.name(),
                100.0 * limit / cycles
            );
        };
        for (what, operation, limit) in [
            ("product", Operation::Product, product_limit),
            ("square", Operation::Square, square_limit),
        ] {
            let (count, _) = level.run(operation, 4096);
            let seconds = shortest(|| {
                black_box(level.run(operation, 4096));
            });
            let count = f64::from(u32::try_from(count).unwrap());
            row(what, hertz * seconds / count, limit / 8.0);
        }
        let mut kernel = Kernel::new(level, BLOCK);
        let seconds = (0..20)
            .map(|_| {
                let mut bytes = bytes.clone();
                let start = Instant::now();
                kernel.apply(&chain, &mut bytes).unwrap();
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        let limit = (PRODUCTS * product_limit + SQUARES * square_limit) / 8.0;
        row("point", hertz * seconds / f64::from(POINTS), limit);
    }
}

criterion_group!(benches, table, kernel, additions);
criterion_main!(benches);
