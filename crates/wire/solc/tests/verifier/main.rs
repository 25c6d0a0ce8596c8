//! The verifier contract, compiled by the pinned module and run by an EVM.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod evm;
mod groth16;
mod loading;
mod modules;
mod snarkjs;

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr as _;
use ark_ff::{BigInteger as _, Field as _, PrimeField};
use manifest::solidity::{MAX_DEPLOYED_CODE, keccak256, standard_json, verifier_source};
use solc::CompiledContract;

use self::evm::{Chain, Outcome};
use self::groth16::{Circuit, Proof, Setup};

/// A proof and its signals as the words of a call.
fn words(proof: &Proof, signals: &[Fr]) -> Vec<[u8; 32]> {
    let [a, c] = [proof.a, proof.c].map(g1_words);
    let b = g2_words(proof.b);
    let mut words: Vec<[u8; 32]> = a.into_iter().chain(b).chain(c).collect();
    words.extend(signals.iter().map(|signal| be(*signal)));
    words
}

fn be<F: PrimeField>(value: F) -> [u8; 32] {
    value.into_bigint().to_bytes_be().try_into().unwrap()
}

fn g1_words(point: G1Affine) -> [[u8; 32]; 2] {
    point
        .xy()
        .map_or([[0; 32]; 2], |(x, y)| [be::<Fq>(x), be::<Fq>(y)])
}

/// x.c1, x.c0, y.c1, y.c0.
fn g2_words(point: G2Affine) -> [[u8; 32]; 4] {
    let (x, y) = point.xy().unwrap();
    [be(x.c1), be(x.c0), be(y.c1), be(y.c0)]
}

/// `verifyProof` with this many signals and these words.
fn call_data(signals: usize, words: &[[u8; 32]]) -> Vec<u8> {
    let last = match signals {
        0 => String::new(),
        n => format!(",uint256[{n}]"),
    };
    let signature = format!("verifyProof(uint256[2],uint256[2][2],uint256[2]{last})");
    let mut data = keccak256(signature.as_bytes())[..4].to_vec();
    data.extend(words.concat());
    data
}

fn compile(setup: &Setup) -> Option<CompiledContract> {
    let input = standard_json(&verifier_source(&setup.verifier_key()));
    Some(modules::solc()?.compile_verifier(&input).unwrap())
}

/// `word + modulus`, another spelling of the same number of the field. It must fit 32 bytes.
fn plus(word: [u8; 32], modulus: [u8; 32]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut carry = 0;
    for i in (0..32).rev() {
        let sum = u16::from(word[i]) + u16::from(modulus[i]) + carry;
        [_, out[i]] = sum.to_be_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    out
}

fn modulus<F: PrimeField>() -> [u8; 32] {
    F::MODULUS.to_bytes_be().try_into().unwrap()
}

/// Single changes to the words of a call, each of which makes the proof false.
fn bad_words(good: &[[u8; 32]]) -> Vec<(String, Vec<[u8; 32]>)> {
    let mut cases = vec![];
    for (index, word) in good.iter().enumerate() {
        let mut case = |name: &str, value: [u8; 32]| {
            let mut words = good.to_vec();
            words[index] = value;
            cases.push((format!("word {index}: {name}"), words));
        };
        let mut flipped = *word;
        flipped[31] ^= 1;
        case("lowest bit flipped", flipped);
        case("largest number", [0xff; 32]);
        if index < 8 {
            case(
                "plus the base field's modulus",
                plus(*word, modulus::<Fq>()),
            );
            case("zero", [0; 32]);
        } else {
            case("plus the group order", plus(*word, modulus::<Fr>()));
            case("the group order", modulus::<Fr>());
        }
    }
    let mut case = |name: &str, from: usize, values: &[[u8; 32]]| {
        let mut words = good.to_vec();
        words[from..from + values.len()].copy_from_slice(values);
        cases.push((name.to_owned(), words));
    };
    case("A at infinity", 0, &[[0; 32]; 2]);
    case("B at infinity", 2, &[[0; 32]; 4]);
    case("C at infinity", 6, &[[0; 32]; 2]);
    case("A replaced by C", 0, &good[6..8]);
    case(
        "B with its halves swapped",
        2,
        &[good[3], good[2], good[5], good[4]],
    );
    case("B on the curve, outside the group", 2, &outside_the_group());
    cases
}

/// A point of the twist that is not in the group of order r.
fn outside_the_group() -> [[u8; 32]; 4] {
    let point = (1_u64..)
        .find_map(|x| G2Affine::get_point_from_x_unchecked(x.into(), false))
        .unwrap();
    assert!(point.is_on_curve() && !point.is_in_correct_subgroup_assuming_on_curve());
    g2_words(point)
}

#[test]
fn the_deployed_code_is_the_runtime_code() {
    let setup = Setup::new(Circuit::squarings(3));
    let Some(contract) = compile(&setup) else {
        return;
    };
    let chain = Chain::deploy(contract.creation());
    assert_eq!(chain.code(), contract.runtime());
    assert_eq!(chain.code_hash(), contract.runtime_keccak256());
    assert!(contract.creation().ends_with(contract.runtime()));
}

#[test]
fn a_real_proof_holds_and_a_changed_one_does_not() {
    for signals in [0, 1, 3] {
        let setup = Setup::new(Circuit::squarings(signals));
        let Some(contract) = compile(&setup) else {
            return;
        };
        let mut chain = Chain::deploy(contract.creation());
        for (r, s) in [(11, 13), (0, 0), (17, 0)] {
            let good = words(&setup.prove(r, s), setup.circuit().signals());
            assert!(chain.call(&call_data(signals, &good)).verdict());
        }
        let good = words(&setup.prove(11, 13), setup.circuit().signals());
        for (name, bad) in bad_words(&good) {
            let outcome = chain.call(&call_data(signals, &bad));
            assert!(!outcome.verdict(), "{signals} signals, {name}");
        }
    }
}

#[test]
fn a_signal_whose_key_point_is_infinity_is_free_but_in_range() {
    let setup = Setup::new(Circuit::squarings_and_an_unused_signal(1));
    assert_eq!(
        setup.verifier_key().input()[2],
        manifest::solidity::G1Point::INFINITY
    );
    let Some(contract) = compile(&setup) else {
        return;
    };
    let mut chain = Chain::deploy(contract.creation());
    let good = words(&setup.prove(11, 13), setup.circuit().signals());
    assert!(chain.call(&call_data(2, &good)).verdict());
    let mut other = good.clone();
    other[9] = [1; 32];
    assert!(chain.call(&call_data(2, &other)).verdict());
    other[9] = modulus::<Fr>();
    assert!(!chain.call(&call_data(2, &other)).verdict());
}

#[test]
fn a_proof_of_another_key_does_not_hold() {
    let setup = Setup::new(Circuit::squarings(1));
    let Some(contract) = compile(&setup) else {
        return;
    };
    let mut chain = Chain::deploy(contract.creation());
    let other = Setup::new(Circuit::squarings_and_an_unused_signal(0));
    let foreign = words(&other.prove(11, 13), other.circuit().signals());
    assert!(!chain.call(&call_data(1, &foreign)).verdict());
}

#[test]
fn a_call_of_another_shape_fails() {
    let setup = Setup::new(Circuit::squarings(1));
    let Some(contract) = compile(&setup) else {
        return;
    };
    let mut chain = Chain::deploy(contract.creation());
    let good = words(&setup.prove(11, 13), setup.circuit().signals());
    assert_eq!(chain.call(&call_data(1, &good[..8])), Outcome::Failed);
    assert_eq!(chain.call(&call_data(2, &good)), Outcome::Failed);
    assert_eq!(chain.call(&[]), Outcome::Failed);
}

#[test]
fn too_little_gas_never_reads_as_true() {
    let setup = Setup::new(Circuit::squarings(1));
    let Some(contract) = compile(&setup) else {
        return;
    };
    let mut chain = Chain::deploy(contract.creation());
    let data = call_data(1, &words(&setup.prove(11, 13), setup.circuit().signals()));
    let Outcome::Returned(_, enough) = chain.call(&data) else {
        panic!("no verdict");
    };
    // 181,000 for four pairs, 6,150 for the signal; the rest is calldata and the contract's own.
    assert!(enough < 225_000, "{enough} gas");
    for gas in (40_000..enough - 5_000).step_by(2_000) {
        match chain.call_with_gas(&data, gas) {
            Outcome::Failed => {}
            outcome @ Outcome::Returned(..) => assert!(!outcome.verdict(), "{gas} gas"),
        }
    }
}

#[test]
fn a_chain_without_the_precompiles_accepts_nothing() {
    // A.x is odd: were the answer's place not cleared, this proof would read as true.
    let setup = Setup::new(Circuit::squarings(0));
    let Some(contract) = compile(&setup) else {
        return;
    };
    let mut chain = Chain::deploy(contract.creation()).without_curve();
    for r in 0..8 {
        let good = words(&setup.prove(r, 13), &[]);
        assert!(!chain.call(&call_data(0, &good)).verdict());
    }
}

#[test]
fn two_hundred_signals_fit_a_contract() {
    let setup = Setup::new(Circuit::squarings(200));
    let Some(contract) = compile(&setup) else {
        return;
    };
    assert!(contract.runtime().len() <= MAX_DEPLOYED_CODE);
    let mut chain = Chain::deploy(contract.creation());
    let mut good = words(&setup.prove(11, 13), setup.circuit().signals());
    assert!(chain.call(&call_data(200, &good)).verdict());
    good[207][31] ^= 1;
    assert!(!chain.call(&call_data(200, &good)).verdict());
}

#[test]
fn snarkjs_s_contract_gives_the_same_verdicts() {
    for signals in [1, 3] {
        let setup = Setup::new(Circuit::squarings(signals));
        let key = setup.verifier_key();
        let (Some(ours), Some(source)) = (compile(&setup), snarkjs::exported_source(&key)) else {
            return;
        };
        let theirs = modules::solc()
            .unwrap()
            .compile_verifier(&standard_json(&source))
            .unwrap();
        let mut ours = Chain::deploy(ours.creation());
        let mut theirs = Chain::deploy(theirs.creation());
        let good = words(&setup.prove(11, 13), setup.circuit().signals());
        let mut cases = bad_words(&good);
        cases.push(("unchanged".to_owned(), good));
        for (name, case) in cases {
            let data = call_data(signals, &case);
            let verdict = theirs.call(&data).verdict();
            assert_eq!(verdict, name == "unchanged", "snarkjs: {name}");
            assert_eq!(ours.call(&data).verdict(), verdict, "{name}");
        }
    }
}

#[test]
fn a_second_spelling_of_a_point_that_snarkjs_s_contract_takes_is_refused() {
    let setup = Setup::new(Circuit::squarings(1));
    let key = setup.verifier_key();
    let (Some(ours), Some(source)) = (compile(&setup), snarkjs::exported_source(&key)) else {
        return;
    };
    let theirs = modules::solc()
        .unwrap()
        .compile_verifier(&standard_json(&source))
        .unwrap();
    // q - y wraps at 2^256, so y + (2^256 mod q) + q is negated to -y as well.
    let wrap = be(Fq::from(2).pow([256]));
    let mut words = words(&setup.prove(11, 13), setup.circuit().signals());
    words[1] = plus(plus(words[1], wrap), modulus::<Fq>());
    let data = call_data(1, &words);
    assert!(Chain::deploy(theirs.creation()).call(&data).verdict());
    assert!(!Chain::deploy(ours.creation()).call(&data).verdict());
}

#[test]
fn the_unpacked_module_is_the_pinned_one() {
    let Some(script) = modules::soljson() else {
        return;
    };
    let module = solc::unpack::unpack(&script).unwrap();
    assert_eq!(module.len(), solc::unpack::SOLC_WASM_SIZE);
    assert!(module.starts_with(b"\0asm"));
}
