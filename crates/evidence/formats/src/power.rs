//! The ptau power that a circuit needs.

/// Power of the evaluation domain: `floor(log2(constraints + public inputs + outputs)) + 1`.
///
/// The domain has to hold one row per constraint and one per public signal, and one to spare: a
/// total that is a power of two already takes the next one. The smallest ptau of this power is the
/// one to use (snarkjs's circuit hash depends on the ptau's power from 2^15 on).
pub fn required_power(n_constraints: u32, n_public_inputs: u32, n_outputs: u32) -> u32 {
    let rows = u64::from(n_constraints) + u64::from(n_public_inputs) + u64::from(n_outputs);
    rows.checked_ilog2().unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::required_power;

    #[test]
    fn r11_power_at_the_edges() {
        for k in 1..=31 {
            let n = 1u32 << k;
            assert_eq!(required_power(n - 1, 0, 0), k, "2^{k} - 1");
            assert_eq!(required_power(n, 0, 0), k + 1, "2^{k}");
            assert_eq!(required_power(n + 1, 0, 0), k + 1, "2^{k} + 1");
            assert_eq!(required_power(n - 2, 1, 0), k, "a public input counts");
            assert_eq!(required_power(n - 2, 1, 1), k + 1, "an output counts");
        }
        assert_eq!(required_power(0, 0, 0), 1);
        assert_eq!(required_power(1, 0, 0), 1);
        assert_eq!(required_power(u32::MAX, u32::MAX, u32::MAX), 34);
    }
}
