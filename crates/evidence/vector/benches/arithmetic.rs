//! `cargo bench -p vector`: time per point of the kernel and of batches of additions. Nothing is asserted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros; a benchmark that cannot start has no result"
)]

use ark_bn254::{G1Projective, G2Projective};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use vector::{Addition, Chain, G1Adder, G2Adder, Kernel, Step, Term};

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

/// 32 windows of four bits for both halves of a scalar, as the engine's regular recoding makes them.
fn schedule(secret: bool) -> Chain {
    let term = |index: u8, endomorphism| Term {
        index: index % 8,
        negative: index.is_multiple_of(3),
        endomorphism,
    };
    let mut steps = vec![Step::Add(term(5, false)), Step::Add(term(2, true))];
    for window in 1..32 {
        steps.extend([Step::Double, Step::Double, Step::Double]);
        steps.push(Step::DoubleAdd(term(window, false)));
        steps.push(Step::Add(term(window * 5, true)));
    }
    Chain::new(steps, secret).unwrap()
}

fn kernel(c: &mut Criterion) {
    let Some(mut kernel) = Kernel::new(BLOCK) else {
        return;
    };
    let bytes = file::<G1Projective>();
    let mut group = c.benchmark_group("one scalar times every point");
    group.throughput(Throughput::Elements(POINTS.into()));
    for (name, secret) in [("secret", true), ("public", false)] {
        let chain = schedule(secret);
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || bytes.clone(),
                |bytes| kernel.apply(&chain, bytes).unwrap(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn additions(c: &mut Criterion) {
    let (Some(mut g1), Some(mut g2)) = (G1Adder::new(), G2Adder::new()) else {
        return;
    };
    let half = POINTS / 2;
    let pairs: Vec<Addition> = (0..half)
        .map(|left| Addition {
            left,
            right: half + (left * 5) % half,
        })
        .collect();
    let (first, second) = (file::<G1Projective>(), file::<G2Projective>());
    let mut group = c.benchmark_group("read and check");
    group.throughput(Throughput::Elements(POINTS.into()));
    group.bench_function("G1", |b| b.iter(|| g1.import(&first).unwrap()));
    group.bench_function("G2", |b| b.iter(|| g2.import(&second).unwrap()));
    group.finish();
    let mut group = c.benchmark_group("additions");
    group.throughput(Throughput::Elements(half.into()));
    let mut points = g1.import(&first).unwrap();
    group.bench_function("G1", |b| b.iter(|| g1.add(&mut points, &pairs).unwrap()));
    let mut points = g2.import(&second).unwrap();
    group.bench_function("G2", |b| b.iter(|| g2.add(&mut points, &pairs).unwrap()));
    group.finish();
}

criterion_group!(benches, kernel, additions);
criterion_main!(benches);
