//! Points of a verification key among the numbers of a contract, whoever wrote it.
//!
//! A number is on a curve with another by chance with a probability of about 2^-254, so what is
//! found is what the contract holds. The precompile at address 8 (EIP-197) reads the coefficient of
//! u first; some templates keep the constants the other way round, so both orders are tried.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use manifest::solidity::FieldElement;

use super::key::{g1_point, g2_point};
use crate::checklist::{Checklist, Outcome};

/// A key has three points in G2: beta, gamma and delta.
const G2_POINTS: usize = 3;

/// The points found, in the order of the contract.
pub(super) struct Found {
    g1: Vec<G1Affine>,
    g2: Vec<G2Affine>,
}

/// Looks for points among big-endian numbers of 32 bytes.
pub(super) fn find(words: &[[u8; 32]]) -> Found {
    // What is no coordinate (a modulus, a mask) may stand between two of them.
    let numbers: Vec<Fq> = words.iter().filter_map(coordinate).collect();
    let (mut g1, mut g2) = (Vec::new(), Vec::new());
    let mut rest = numbers.as_slice();
    while let Some((_, tail)) = rest.split_first() {
        rest = if let [a, b, c, d, after @ ..] = rest
            && let Some(point) = in_g2(*a, *b, *c, *d)
        {
            g2.push(point);
            after
        } else if let [x, y, after @ ..] = rest
            && let Ok(point) = g1_point(*x, *y)
        {
            g1.push(point);
            after
        } else {
            tail
        };
    }
    Found { g1, g2 }
}

/// A number that can be a coordinate: canonical, and large. Small ones are lengths and offsets; the
/// coordinates of the generator of G1 are the only small ones of a point anyone uses.
fn coordinate(word: &[u8; 32]) -> Option<Fq> {
    let is_large = word.iter().take(8).any(|byte| *byte != 0);
    let element = FieldElement::from_be_bytes(*word).ok()?;
    is_large.then(|| ark_ff::PrimeField::from_be_bytes_mod_order(&element.to_be_bytes()))
}

fn in_g2(a: Fq, b: Fq, c: Fq, d: Fq) -> Option<G2Affine> {
    let evm = g2_point(Fq2::new(b, a), Fq2::new(d, c));
    evm.or_else(|_| g2_point(Fq2::new(a, b), Fq2::new(c, d)))
        .ok()
}

impl Found {
    /// Judges the points; true if there were enough of them to judge.
    pub(super) fn judge(&self, list: &mut Checklist<'_>) -> bool {
        let title = "the points of a Groth16 verification key";
        let seen = format!("{} points in G1, {} in G2", self.g1.len(), self.g2.len());
        let [one, two, three] = self.g2.as_slice() else {
            let reason = format!("{seen} found, {G2_POINTS} in G2 needed: beta, gamma, delta");
            list.add("contract-points", title, &Outcome::NotChecked(reason));
            return false;
        };
        list.add("contract-points", title, &Outcome::Passed(seen));
        let same = |a: &G2Affine, b: &G2Affine| a == b || *a == -*b;
        let outcome = if same(one, two) || same(two, three) || same(one, three) {
            let reason = "two of beta, gamma and delta are equal or opposite: no contribution was \
                          ever made, anyone can forge proofs";
            Outcome::Failed(reason.into())
        } else if same(three, &G2Affine::generator()) {
            let reason = "the third of them, delta in every known template, is the generator: its \
                          secret is 1, anyone can forge proofs";
            Outcome::Failed(reason.into())
        } else {
            Outcome::Passed(String::new())
        };
        let title = "phase 2 was done: beta, gamma and delta are three different points";
        list.add("contract-delta", title, &outcome);
        let reason = "a contract does not record them; check the zkey".into();
        list.add(
            "vkey-contributions",
            "contributions",
            &Outcome::NotChecked(reason),
        );
        true
    }
}
