//! A verification key as snarkjs exports it (`verification_key.json`), judged on its own.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use manifest::solidity::FieldElement;
use serde_json::Value;

use super::key::{Key, g1_point, g2_point, judge};
use crate::checklist::Checklist;

/// Judges the text; every result goes to the list.
pub(super) fn check(text: &[u8], list: &mut Checklist<'_>) {
    judge(parse(text), list);
}

fn parse(text: &[u8]) -> Result<Key, String> {
    let value: Value = serde_json::from_slice(text).map_err(|e| format!("not JSON: {e}"))?;
    expect(&value, "protocol", "groth16")?;
    expect(&value, "curve", "bn128")?;
    let inputs = array(&value, "IC")?
        .iter()
        .enumerate()
        .map(|(i, point)| g1(point).map_err(|e| format!("IC[{i}]: {e}")))
        .collect::<Result<Vec<_>, _>>()?;
    let n_public = value
        .get("nPublic")
        .and_then(Value::as_u64)
        .ok_or("nPublic is not a number")?;
    let points = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
    if n_public.checked_add(1) != Some(points) {
        return Err(format!("nPublic is {n_public}, but IC has {points} points"));
    }
    Ok(Key {
        alpha: point(&value, "vk_alpha_1", g1)?,
        beta: point(&value, "vk_beta_2", g2)?,
        gamma: point(&value, "vk_gamma_2", g2)?,
        delta: point(&value, "vk_delta_2", g2)?,
        inputs,
    })
}

fn expect(value: &Value, field: &str, expected: &str) -> Result<(), String> {
    match value.get(field).and_then(Value::as_str) {
        Some(got) if got == expected => Ok(()),
        Some(got) => Err(format!(
            "{field} is {:?}, {expected:?} is needed",
            crate::words::one_line(got)
        )),
        None => Err(format!("no {field}")),
    }
}

fn array<'v>(value: &'v Value, field: &str) -> Result<&'v Vec<Value>, String> {
    value
        .get(field)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("no list {field}"))
}

fn point<P>(
    value: &Value,
    field: &str,
    parse: fn(&Value) -> Result<P, String>,
) -> Result<P, String> {
    let inner = value.get(field).ok_or_else(|| format!("no {field}"))?;
    parse(inner).map_err(|e| format!("{field}: {e}"))
}

/// `[x, y, z]` in decimal, z = 1, or z = 0 for the identity.
fn g1(value: &Value) -> Result<G1Affine, String> {
    let [x, y, z] = triple(value)?;
    let (x, y, z) = (fq(x)?, fq(y)?, fq(z)?);
    if z == Fq::ZERO {
        return Ok(G1Affine::identity());
    }
    if z != Fq::ONE {
        return Err("z is neither 0 nor 1".into());
    }
    g1_point(x, y)
}

fn g2(value: &Value) -> Result<G2Affine, String> {
    let [x, y, z] = triple(value)?;
    let (x, y, z) = (fq2(x)?, fq2(y)?, fq2(z)?);
    if z == Fq2::ZERO {
        return Ok(G2Affine::identity());
    }
    if z != Fq2::ONE {
        return Err("z is neither 0 nor 1".into());
    }
    g2_point(x, y)
}

fn triple(value: &Value) -> Result<&[Value; 3], String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.try_into().map_err(|_| "not three coordinates".into())
}

fn fq2(value: &Value) -> Result<Fq2, String> {
    match value.as_array().map(Vec::as_slice) {
        Some([c0, c1]) => Ok(Fq2::new(fq(c0)?, fq(c1)?)),
        _ => Err("not two coefficients".into()),
    }
}

/// A decimal text below the field's modulus, in its only spelling.
fn fq(value: &Value) -> Result<Fq, String> {
    let text = value.as_str().ok_or("a coordinate is not a text")?;
    let element = FieldElement::from_decimal(text).map_err(|e| e.to_string())?;
    Ok(Fq::from_be_bytes_mod_order(&element.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use ark_ec::AffineRepr;

    use super::*;

    fn decimal(x: Fq) -> Value {
        Value::String(x.into_bigint().to_string())
    }

    fn g1_json(p: G1Affine) -> Value {
        Value::Array(vec![decimal(p.x), decimal(p.y), Value::String("1".into())])
    }

    fn g2_json(p: G2Affine) -> Value {
        let pair = |x: Fq2| Value::Array(vec![decimal(x.c0), decimal(x.c1)]);
        let one = Value::Array(vec![Value::String("1".into()), Value::String("0".into())]);
        Value::Array(vec![pair(p.x), pair(p.y), one])
    }

    fn times2(k: u64) -> G2Affine {
        (G2Affine::generator() * ark_bn254::Fr::from(k)).into()
    }

    fn times1(k: u64) -> G1Affine {
        (G1Affine::generator() * ark_bn254::Fr::from(k)).into()
    }

    fn good() -> Value {
        serde_json::json!({
            "protocol": "groth16", "curve": "bn128", "nPublic": 1,
            "vk_alpha_1": g1_json(times1(3)), "vk_beta_2": g2_json(times2(5)),
            "vk_gamma_2": g2_json(G2Affine::generator()), "vk_delta_2": g2_json(times2(7)),
            "IC": [g1_json(times1(11)), g1_json(times1(13))],
        })
    }

    fn outcome(value: &Value) -> String {
        let args = crate::cli::OutputArgs {
            json: false,
            quiet: true,
            verbose: 0,
            no_progress: true,
        };
        let printer = crate::Printer::new(&args, true);
        let mut list = Checklist::new(&printer);
        check(value.to_string().as_bytes(), &mut list);
        list.counts()
    }

    #[test]
    fn a_sound_key_passes_and_says_what_it_cannot_tell() {
        assert_eq!(outcome(&good()), "3 passed, 1 not checked");
    }

    #[test]
    fn r36_r37_each_single_change_is_refused_by_its_own_check() {
        let mut delta_gamma = good();
        delta_gamma["vk_delta_2"] = delta_gamma["vk_gamma_2"].clone();
        assert_eq!(
            outcome(&delta_gamma),
            "2 passed, 1 failed (vkey-delta), 1 not checked"
        );

        let mut generator = good();
        generator["vk_gamma_2"] = g2_json(times2(9));
        generator["vk_delta_2"] = g2_json(G2Affine::generator());
        assert_eq!(
            outcome(&generator),
            "2 passed, 1 failed (vkey-delta), 1 not checked"
        );

        let mut identity = good();
        identity["vk_alpha_1"][2] = Value::String("0".into());
        assert_eq!(
            outcome(&identity),
            "2 passed, 1 failed (vkey-identity), 1 not checked"
        );

        for (field, index, value) in [
            ("vk_alpha_1", 0, "2"),
            ("vk_alpha_1", 1, "01"),
            ("vk_alpha_1", 2, "2"),
            // The modulus itself.
            (
                "vk_alpha_1",
                0,
                "21888242871839275222246405745257275088696311157297823662689037894645226208583",
            ),
        ] {
            let mut changed = good();
            changed[field][index] = Value::String(value.into());
            assert_eq!(
                outcome(&changed),
                "0 passed, 1 failed (vkey-points)",
                "{field}[{index}] = {value}"
            );
        }
        for (field, value) in [
            ("protocol", serde_json::json!("plonk")),
            ("curve", serde_json::json!("bls12381")),
            ("nPublic", serde_json::json!(2)),
            ("IC", serde_json::json!([])),
        ] {
            let mut changed = good();
            changed[field] = value;
            assert_eq!(
                outcome(&changed),
                "0 passed, 1 failed (vkey-points)",
                "{field}"
            );
        }
    }
}
