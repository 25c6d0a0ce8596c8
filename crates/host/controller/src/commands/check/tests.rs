//! The same key as a source, as another template's source and as code, and changed.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};

use super::*;
use crate::cli::OutputArgs;

struct Points {
    alpha: G1Affine,
    g2: [G2Affine; 3],
    inputs: [G1Affine; 2],
}

fn g1(k: u64) -> G1Affine {
    (G1Affine::generator() * Fr::from(k)).into()
}

fn g2(k: u64) -> G2Affine {
    (G2Affine::generator() * Fr::from(k)).into()
}

fn good() -> Points {
    Points {
        alpha: g1(3),
        g2: [g2(5), g2(1), g2(7)],
        inputs: [g1(11), g1(13)],
    }
}

impl Points {
    fn numbers(&self) -> Vec<Fq> {
        let [beta, gamma, delta] = self.g2;
        let of2 = |p: G2Affine| [p.x.c1, p.x.c0, p.y.c1, p.y.c0];
        let of1 = |p: G1Affine| [p.x, p.y];
        let mut numbers = of1(self.alpha).to_vec();
        numbers.extend([beta, gamma, delta].into_iter().flat_map(of2));
        numbers.extend(self.inputs.into_iter().flat_map(of1));
        numbers
    }

    /// The template whose constants are called alphax, betax1 and so on.
    fn named(&self) -> String {
        let names = "alphax alphay betax1 betax2 betay1 betay2 gammax1 gammax2 gammay1 gammay2 \
                     deltax1 deltax2 deltay1 deltay2 IC0x IC0y IC1x IC1y";
        let lines = names
            .split_whitespace()
            .zip(self.numbers())
            .map(|(name, number)| format!("uint256 constant {name} = {number};\n"));
        format!(
            "pragma solidity ^0.8.0;\ncontract V {{\n{}}}\n",
            lines.collect::<String>()
        )
    }

    /// A template with constructors of points in place of names.
    fn other_template(&self) -> String {
        let numbers: Vec<String> = self.numbers().iter().map(Fq::to_string).collect();
        format!(
            "pragma solidity ^0.6.0;\nlibrary P {{ f({}); }}\n",
            numbers.join(", ")
        )
    }

    /// Code that stores every number: PUSH32 value, PUSH2 offset, MSTORE.
    fn code(&self) -> String {
        let stores = self.numbers().into_iter().map(|number| {
            let value = hex::encode(number.into_bigint().to_bytes_be());
            format!("7f{value}61018052")
        });
        format!("0x6080604052{}00", stores.collect::<String>())
    }
}

fn outcome(text: &str) -> String {
    let args = OutputArgs {
        json: false,
        quiet: true,
        verbose: 0,
        no_progress: true,
    };
    let printer = Printer::new(&args, true);
    let mut list = Checklist::new(&printer);
    let judged = check_text(text.as_bytes(), Path::new("file"), &mut list).unwrap();
    format!("{judged}: {}", list.counts())
}

#[test]
fn a_sound_key_passes_in_every_form() {
    assert!(is_text(good().named().as_bytes()));
    assert!(is_text(good().code().as_bytes()));
    assert!(!is_text(b"zkey\x01\0\0\0"));
    assert_eq!(outcome(&good().named()), "true: 3 passed, 1 not checked");
    let other = good().other_template();
    assert_eq!(outcome(&other), "true: 2 passed, 1 not checked");
    let code = good().code();
    assert_eq!(outcome(&code), "true: 2 passed, 1 not checked");
    let artifact = format!("{{\"deployedBytecode\": {{\"object\": \"{code}\"}}}}");
    assert_eq!(outcome(&artifact), "true: 2 passed, 1 not checked");
}

#[test]
fn r36_a_contract_without_a_phase_2_is_refused_in_every_form() {
    let mut delta_is_gamma = good();
    delta_is_gamma.g2[2] = delta_is_gamma.g2[1];
    let mut delta_is_minus_gamma = good();
    delta_is_minus_gamma.g2[2] = -delta_is_minus_gamma.g2[1];
    let mut delta_is_generator = good();
    delta_is_generator.g2[1..].reverse();
    for points in [delta_is_gamma, delta_is_minus_gamma, delta_is_generator] {
        assert_eq!(
            outcome(&points.named()),
            "true: 2 passed, 1 failed (vkey-delta), 1 not checked"
        );
        for text in [points.other_template(), points.code()] {
            assert_eq!(
                outcome(&text),
                "true: 1 passed, 1 failed (contract-delta), 1 not checked"
            );
        }
    }
}

#[test]
fn r37_a_named_point_that_is_none_is_refused_and_an_unnamed_one_is_not_passed() {
    let mut off_curve = good();
    off_curve.g2[2].y += Fq2::from(1);
    let mut infinite = good();
    infinite.g2[2] = G2Affine::new_unchecked(Fq2::from(0), Fq2::from(0));
    assert_eq!(
        outcome(&off_curve.named()),
        "true: 0 passed, 1 failed (vkey-points)"
    );
    assert_eq!(
        outcome(&infinite.named()),
        "true: 2 passed, 1 failed (vkey-identity), 1 not checked"
    );
    for points in [off_curve, infinite] {
        for text in [points.other_template(), points.code()] {
            assert_eq!(outcome(&text), "false: 0 passed, 1 not checked");
        }
    }
}

#[test]
fn a_missing_constant_is_named() {
    let text = good().named().replace("gammay2", "other");
    assert_eq!(outcome(&text), "true: 0 passed, 1 failed (vkey-points)");
}

#[test]
fn cut_code_is_not_passed() {
    let code = good().code();
    assert_eq!(
        outcome(&code[..code.len() / 4 * 2]),
        "false: 0 passed, 1 not checked"
    );
}
