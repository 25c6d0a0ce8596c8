//! Small files that the project makes itself, so that a plain clone tests every path.

use formats::{binfile::Writer, curve::Curve, progress::NoProgress};

/// A development ptau of this power, SIMULATION only. Empty when the power is impossible.
#[must_use]
pub fn development_ptau(power: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    match devptau::write(power, &mut bytes, &NoProgress) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// [`small_r1cs_over`] bn128.
#[must_use]
pub fn small_r1cs(constraints: u32) -> Vec<u8> {
    small_r1cs_over(Curve::Bn128, constraints)
}

/// An r1cs: one output, one public input, one private input, and `constraints` rows
/// whose coefficients are 1, -1, powers of two, and numbers of full length. Wires that occur in one
/// matrix only, and one that occurs nowhere, are among them.
#[must_use]
pub fn small_r1cs_over(curve: Curve, constraints: u32) -> Vec<u8> {
    let minus = |value| minus(curve, value);
    // One wire for each row beside the constant, the three inputs and outputs, and an unused one.
    let wires = constraints.saturating_add(5);
    let mut rows = Vec::new();
    for row in 0..constraints {
        let new = row.saturating_add(4);
        let before = if row == 0 { 3 } else { new.saturating_sub(1) };
        let mut a = vec![
            (before, number(1)),
            (0, number(u64::from(row).wrapping_add(7))),
        ];
        if row % 3 == 0 {
            a.push((2, minus(1)));
        }
        let b = match row % 4 {
            0 => vec![(before, large(row))],
            1 => vec![(2, number(1 << 40)), (3, minus(5))],
            // An empty linear combination: the product is zero.
            2 => vec![],
            _ => vec![(0, number(1))],
        };
        let c = if row.saturating_add(1) == constraints {
            vec![(1, number(1)), (new, minus(1))]
        } else {
            vec![(new, number(1)), (new, number(0))]
        };
        for combination in [a, b, c] {
            rows.extend(u32::try_from(combination.len()).unwrap_or(0).to_le_bytes());
            for (wire, coefficient) in combination {
                rows.extend(wire.to_le_bytes());
                rows.extend(coefficient);
            }
        }
    }
    let mut header = 32_u32.to_le_bytes().to_vec();
    header.extend(curve.scalar_modulus());
    for count in [wires, 1, 1, 1] {
        header.extend(count.to_le_bytes());
    }
    header.extend(u64::from(wires).to_le_bytes());
    header.extend(constraints.to_le_bytes());
    let labels: Vec<u8> = (0..u64::from(wires)).flat_map(u64::to_le_bytes).collect();

    // circom's order: constraints, header, labels. Writing to memory does not fail.
    let write = || -> std::io::Result<Vec<u8>> {
        let mut file = Writer::new(Vec::new(), *b"r1cs", 1, 3)?;
        file.section(2, &rows)?;
        file.section(1, &header)?;
        file.section(3, &labels)?;
        file.finish()
    };
    write().unwrap_or_default()
}

fn number(value: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(value.to_le_bytes()) {
        *to = from;
    }
    bytes
}

/// The modulus less a small value.
fn minus(curve: Curve, value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(curve.scalar_modulus()) {
        *to = from;
    }
    // The moduli end in 0x01: borrow from what is above.
    let mut borrow = value;
    for byte in &mut bytes {
        let (difference, overflow) = byte.overflowing_sub(borrow);
        *byte = difference;
        borrow = u8::from(overflow);
    }
    bytes
}

/// A number of full length, different in each row, below the modulus.
fn large(row: u32) -> [u8; 32] {
    let digest = formats::digest::Sha256Digest::of(&row.to_le_bytes());
    let mut bytes = *digest.as_bytes();
    if let Some(top) = bytes.last_mut() {
        *top &= 0x1f;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use formats::{ptau::Ptau, r1cs::R1cs};

    use super::*;

    #[test]
    fn the_fixtures_are_well_formed() {
        let r1cs = R1cs::open(small_r1cs(6)).unwrap();
        assert_eq!(r1cs.header().power(), 4);
        let terms: Result<Vec<_>, _> = r1cs.terms().unwrap().collect();
        assert!(terms.unwrap().len() > 12);
        let other = R1cs::open(small_r1cs_over(Curve::Bls12381, 6)).unwrap();
        assert!(other.terms().unwrap().all(|term| term.is_ok()));
        assert_eq!(Ptau::open(development_ptau(4)).unwrap().power(), 4);
    }
}
