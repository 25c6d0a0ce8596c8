//! Groth16 in the exponent: a setup whose toxic waste is known, so that proofs need no prover.
//!
//! The constraint rows are products of single wires: `wire[a] * wire[b] = wire[c]`. Wire 0 is the
//! constant 1, then come the public signals. Row i belongs to the domain point i + 1.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup as _, PrimeGroup as _};
use ark_ff::{Field as _, One as _, Zero as _};
use manifest::solidity::{G1Point, G2Point, VerifierKey};

use crate::{g1_words, g2_words};

/// Toxic waste, for everyone to see.
const TAU: u64 = 1_000_003;
const ALPHA: u64 = 2_000_003;
const BETA: u64 = 3_000_017;
const GAMMA: u64 = 1;
const DELTA: u64 = 5_000_011;

/// A circuit with its witness.
pub(crate) struct Circuit {
    rows: Vec<[usize; 3]>,
    wires: Vec<Fr>,
    signals: usize,
}

impl Circuit {
    /// x, x^2, x^4, … : `signals` squarings whose results are public, of a private x. Without
    /// signals one squaring whose result is private too.
    pub(crate) fn squarings(signals: usize) -> Self {
        let x = Fr::from(7);
        let mut wires = vec![Fr::one()];
        let mut power = x;
        for _ in 0..signals {
            power.square_in_place();
            wires.push(power);
        }
        let private = wires.len();
        wires.push(x);
        let mut rows = vec![];
        for signal in 1..=signals {
            let from = if signal == 1 { private } else { signal - 1 };
            rows.push([from, from, signal]);
        }
        if signals == 0 {
            wires.push(x.square());
            rows.push([private, private, private + 1]);
        }
        Self {
            rows,
            wires,
            signals,
        }
    }

    /// The same with one more public signal that no row uses: its key point is infinity.
    pub(crate) fn squarings_and_an_unused_signal(signals: usize) -> Self {
        let mut circuit = Self::squarings(signals);
        let at = signals + 1;
        circuit.wires.insert(at, Fr::from(12_345));
        for wire in circuit.rows.iter_mut().flatten() {
            if *wire >= at {
                *wire += 1;
            }
        }
        circuit.signals += 1;
        circuit
    }

    /// The public signals of the witness.
    pub(crate) fn signals(&self) -> &[Fr] {
        &self.wires[1..=self.signals]
    }
}

/// A proof.
#[derive(Clone)]
pub(crate) struct Proof {
    pub(crate) a: G1Affine,
    pub(crate) b: G2Affine,
    pub(crate) c: G1Affine,
}

/// The setup of a circuit.
pub(crate) struct Setup {
    circuit: Circuit,
    /// The wires' polynomials at tau, on the three sides.
    at_tau: Vec<[Fr; 3]>,
}

impl Setup {
    pub(crate) fn new(circuit: Circuit) -> Self {
        let mut at_tau = vec![[Fr::zero(); 3]; circuit.wires.len()];
        for (row, wires) in circuit.rows.iter().enumerate() {
            let lagrange = lagrange(row, circuit.rows.len());
            for (side, wire) in wires.iter().enumerate() {
                at_tau[*wire][side] += lagrange;
            }
        }
        Self { circuit, at_tau }
    }

    pub(crate) fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    pub(crate) fn verifier_key(&self) -> VerifierKey {
        let g1 = |scalar: Fr| {
            let [x, y] = g1_words(g1(scalar));
            G1Point::from_be_bytes(x, y).unwrap()
        };
        let g2 = |scalar: u64| {
            let [x1, x0, y1, y0] = g2_words(g2(Fr::from(scalar)));
            G2Point::from_be_bytes([x0, x1], [y0, y1]).unwrap()
        };
        let gamma = Fr::from(GAMMA).inverse().unwrap();
        let input = (0..=self.circuit.signals)
            .map(|wire| g1(self.linear(wire) * gamma))
            .collect();
        VerifierKey::new(g1(Fr::from(ALPHA)), g2(BETA), g2(GAMMA), g2(DELTA), input).unwrap()
    }

    /// A proof of the circuit's witness, blinded by r and s.
    pub(crate) fn prove(&self, r: u64, s: u64) -> Proof {
        let [r, s] = [r, s].map(Fr::from);
        let delta = Fr::from(DELTA);
        let mut sides = [Fr::zero(); 3];
        let mut private = Fr::zero();
        for (wire, value) in self.circuit.wires.iter().enumerate() {
            for (sum, at_tau) in sides.iter_mut().zip(self.at_tau[wire]) {
                *sum += *value * at_tau;
            }
            if wire > self.circuit.signals {
                private += *value * self.linear(wire);
            }
        }
        let [u, v, w] = sides;
        let a = Fr::from(ALPHA) + u + r * delta;
        let b = Fr::from(BETA) + v + s * delta;
        let quotient = u * v - w;
        let c = (private + quotient) / delta + s * a + r * b - r * s * delta;
        Proof {
            a: g1(a),
            b: g2(b),
            c: g1(c),
        }
    }

    fn linear(&self, wire: usize) -> Fr {
        let [u, v, w] = self.at_tau[wire];
        Fr::from(BETA) * u + Fr::from(ALPHA) * v + w
    }
}

/// Lagrange polynomial of row `row` over the points 1..=rows, at tau.
fn lagrange(row: usize, rows: usize) -> Fr {
    let point = |i: usize| Fr::from(u64::try_from(i + 1).unwrap());
    (0..rows)
        .filter(|other| *other != row)
        .map(|other| (Fr::from(TAU) - point(other)) / (point(row) - point(other)))
        .product()
}

fn g1(scalar: Fr) -> G1Affine {
    (G1Projective::generator() * scalar).into_affine()
}

fn g2(scalar: Fr) -> G2Affine {
    (G2Projective::generator() * scalar).into_affine()
}
