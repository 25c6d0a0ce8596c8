//! `verification_key.json`, byte for byte as snarkjs exports it.

use ark_ec::{
    AffineRepr,
    pairing::Pairing,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, Field};
use formats::{
    curve::{Bls12381, Bn128, Curve, CurveParams, G1Affine, G2Affine},
    points::Coordinate,
    source::Source,
    zkey::{ZKey, ZKeyError, ZKeySection},
};

/// What a verifier of proofs needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationKey<C: CurveParams> {
    /// alpha·G1
    pub alpha1: G1Affine<C>,
    /// beta·G2
    pub beta2: G2Affine<C>,
    /// gamma·G2, the generator
    pub gamma2: G2Affine<C>,
    /// delta·G2
    pub delta2: G2Affine<C>,
    /// One point for the constant and one per public signal: outputs, then public inputs.
    pub ic: Vec<G1Affine<C>>,
}

impl<C: CurveParams> VerificationKey<C> {
    /// The verification key inside a proving key. Reads header and section 3 only.
    pub fn from_zkey<S: Source>(zkey: &ZKey<S>) -> Result<Self, ZKeyError> {
        let points = zkey.key_points::<C>()?;
        let ic = zkey
            .g1_points::<C>(ZKeySection::Ic)?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            alpha1: points.alpha1,
            beta2: points.beta2,
            gamma2: points.gamma2,
            delta2: points.delta2,
            ic,
        })
    }

    /// Number of public signals.
    #[must_use]
    pub fn n_public(&self) -> usize {
        self.ic.len().saturating_sub(1)
    }

    /// The JSON text: indented by one space, no final newline. Coordinates are decimal strings, the
    /// third one is 1, or (0, 1, 0) for infinity; quadratic elements are `[c0, c1]`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let pairing = C::Pairing::pairing(self.alpha1, self.beta2).0;
        let ic = Value::List(self.ic.iter().map(point).collect());
        let entries = [
            ("protocol", Value::Text("groth16".to_owned())),
            ("curve", Value::Text(C::CURVE.name().to_owned())),
            ("nPublic", Value::Number(self.n_public())),
            ("vk_alpha_1", point(&self.alpha1)),
            ("vk_beta_2", point(&self.beta2)),
            ("vk_gamma_2", point(&self.gamma2)),
            ("vk_delta_2", point(&self.delta2)),
            ("vk_alphabeta_12", target(&pairing)),
            ("IC", ic),
        ];
        let mut out = String::from("{");
        for (index, (name, value)) in entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            out.push_str(comma);
            out.push_str("\n \"");
            out.push_str(name);
            out.push_str("\": ");
            value.write(&mut out, 1);
        }
        out.push_str("\n}");
        out
    }
}

/// `verification_key.json` of a key on either curve.
pub fn verification_key_json<S: Source>(zkey: &ZKey<S>) -> Result<String, ZKeyError> {
    Ok(match zkey.curve() {
        Curve::Bn128 => VerificationKey::<Bn128>::from_zkey(zkey)?.to_json(),
        Curve::Bls12381 => VerificationKey::<Bls12381>::from_zkey(zkey)?.to_json(),
    })
}

/// The little of JSON that the file has.
enum Value {
    Number(usize),
    Text(String),
    List(Vec<Value>),
}

impl Value {
    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "\n" } else { ",\n" });
                    out.push_str(&" ".repeat(depth + 1));
                    item.write(out, depth + 1);
                }
                out.push('\n');
                out.push_str(&" ".repeat(depth));
                out.push(']');
            }
        }
    }
}

fn point<P>(point: &Affine<P>) -> Value
where
    P: SWCurveConfig<BaseField: Coordinate>,
{
    let (x, y, z) = match point.xy() {
        Some((x, y)) => (x, y, P::BaseField::ONE),
        None => (P::BaseField::ZERO, P::BaseField::ONE, P::BaseField::ZERO),
    };
    Value::List([x, y, z].iter().map(element).collect())
}

/// A base field element as one string, a quadratic one as a list of two.
fn element<F: Field>(value: &F) -> Value {
    let mut parts: Vec<Value> = value
        .to_base_prime_field_elements()
        .map(|part| Value::Text(part.to_string()))
        .collect();
    match (parts.len(), parts.pop()) {
        (1, Some(single)) => single,
        (_, last) => {
            parts.extend(last);
            Value::List(parts)
        }
    }
}

/// A target field element as [2][3][2].
fn target<F: Field>(value: &F) -> Value {
    let parts: Vec<String> = value
        .to_base_prime_field_elements()
        .map(|part| part.to_string())
        .collect();
    let quadratic = |pair: &[String]| Value::List(pair.iter().cloned().map(Value::Text).collect());
    let sextic = |six: &[String]| Value::List(six.chunks(2).map(quadratic).collect());
    Value::List(parts.chunks(6).map(sextic).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_infinity() {
        let key = VerificationKey::<Bn128> {
            alpha1: G1Affine::<Bn128>::generator(),
            beta2: G2Affine::<Bn128>::generator(),
            gamma2: G2Affine::<Bn128>::generator(),
            delta2: G2Affine::<Bn128>::identity(),
            ic: vec![G1Affine::<Bn128>::identity()],
        };
        let text = key.to_json();
        assert!(text.starts_with("{\n \"protocol\": \"groth16\",\n \"curve\": \"bn128\",\n"));
        assert!(
            text.contains(" \"nPublic\": 0,\n \"vk_alpha_1\": [\n  \"1\",\n  \"2\",\n  \"1\"\n ],")
        );
        assert!(text.ends_with("\"IC\": [\n  [\n   \"0\",\n   \"1\",\n   \"0\"\n  ]\n ]\n}"));
        assert!(text.contains(
            "\"vk_delta_2\": [\n  [\n   \"0\",\n   \"0\"\n  ],\n  [\n   \"1\",\n   \"0\"\n  ],\n  [\n   \"0\",\n   \"0\"\n  ]\n ],"
        ));
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["vk_alphabeta_12"].as_array().unwrap().len(), 2);
        assert_eq!(parsed["vk_alphabeta_12"][1][2].as_array().unwrap().len(), 2);
    }
}
