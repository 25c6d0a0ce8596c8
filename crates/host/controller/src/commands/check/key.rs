//! What a Groth16 verification key says about its own phase 2, however it was written down.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;

use crate::checklist::{Checklist, Outcome};

/// Title of the check that a parser reports before a [`Key`] exists.
const POINTS: &str = "points are canonical, on the curve and in the subgroup";

/// The points of a verification key, each on its curve and in its group.
pub(super) struct Key {
    /// alpha in G1.
    pub(super) alpha: G1Affine,
    /// beta in G2.
    pub(super) beta: G2Affine,
    /// gamma in G2.
    pub(super) gamma: G2Affine,
    /// delta in G2.
    pub(super) delta: G2Affine,
    /// IC: one point more than there are public signals.
    pub(super) inputs: Vec<G1Affine>,
}

/// A point of G1 with these coordinates.
pub(super) fn g1_point(x: Fq, y: Fq) -> Result<G1Affine, String> {
    // G1 of this curve has prime order: on the curve is in the subgroup.
    Some(G1Affine::new_unchecked(x, y))
        .filter(G1Affine::is_on_curve)
        .ok_or_else(|| "not on the curve".into())
}

/// A point of G2 with these coordinates.
pub(super) fn g2_point(x: Fq2, y: Fq2) -> Result<G2Affine, String> {
    let point = G2Affine::new_unchecked(x, y);
    if !point.is_on_curve() {
        return Err("not on the curve".into());
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err("not in the subgroup of prime order".into());
    }
    Ok(point)
}

/// Judges what a parser made of a key; every result goes to the list.
pub(super) fn judge(parsed: Result<Key, String>, list: &mut Checklist<'_>) {
    let key = match parsed {
        Ok(key) => {
            let seen = format!("{} public signals", key.inputs.len().saturating_sub(1));
            list.add("vkey-points", POINTS, &Outcome::Passed(seen));
            key
        }
        Err(reason) => {
            list.add("vkey-points", POINTS, &Outcome::Failed(reason));
            return;
        }
    };
    let identities: Vec<&str> = [
        ("alpha", key.alpha.is_zero()),
        ("beta", key.beta.is_zero()),
        ("gamma", key.gamma.is_zero()),
        ("delta", key.delta.is_zero()),
    ]
    .into_iter()
    .filter_map(|(name, zero)| zero.then_some(name))
    .collect();
    let title = "alpha, beta, gamma and delta are not the identity";
    list.add(
        "vkey-identity",
        title,
        &match identities.as_slice() {
            [] => Outcome::Passed(unused_inputs(&key)),
            names => Outcome::Failed(format!("identity: {}", names.join(", "))),
        },
    );
    let title = "phase 2 was done: delta is neither gamma nor the generator";
    list.add(
        "vkey-delta",
        title,
        &if key.delta == key.gamma || key.delta == -key.gamma {
            Outcome::Failed(
                "delta = gamma up to sign: no contribution was ever made, anyone can forge proofs"
                    .into(),
            )
        } else if key.delta == G2Affine::generator() || key.delta == -G2Affine::generator() {
            Outcome::Failed(
                "delta is the generator up to sign: its secret is known, anyone can forge proofs"
                    .into(),
            )
        } else {
            Outcome::Passed(String::new())
        },
    );
    list.add(
        "vkey-contributions",
        "contributions",
        &Outcome::NotChecked("a verification key does not record them; check the zkey".into()),
    );
}

fn unused_inputs(key: &Key) -> String {
    match key.inputs.iter().filter(|point| point.is_zero()).count() {
        0 => String::new(),
        n => format!("{n} IC points are the identity: public signals that no constraint uses"),
    }
}
