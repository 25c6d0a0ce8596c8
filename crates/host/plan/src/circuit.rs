//! What is known of a circuit.

use formats::{curve::Curve, progress::ProgressSink, r1cs::R1cs, source::Source};
use phase2::setup::{Additions, SetupError, Shape};

/// The counts that decide what a ceremony takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Curve of the key.
    pub curve: Curve,
    /// Constraints.
    pub constraints: u64,
    /// Wires, the constant included.
    pub wires: u64,
    /// Outputs and public inputs.
    pub public: u64,
    /// Bytes of the r1cs.
    pub r1cs_bytes: u64,
    /// Terms and the additions that they take.
    pub shape: Shape,
    /// Whether host and enclave compile it from sources.
    pub from_sources: bool,
}

impl Circuit {
    /// Reads the counts off a circuit, in one walk over its constraints.
    ///
    /// # Errors
    /// A malformed r1cs; the progress sink asked to stop.
    pub fn read<S: Source>(
        r1cs: &R1cs<S>,
        r1cs_bytes: u64,
        from_sources: bool,
        progress: &dyn ProgressSink,
    ) -> Result<Self, SetupError> {
        let header = r1cs.header();
        Ok(Self {
            curve: header.curve,
            constraints: u64::from(header.n_constraints),
            wires: u64::from(header.n_wires),
            public: u64::from(header.n_public()),
            r1cs_bytes,
            shape: Shape::of(r1cs, progress)?,
            from_sources,
        })
    }

    /// A circuit that fills a domain of 2^`power` and is like one of hashes compiled with `--O1`:
    /// 5.6 terms a constraint in A, B and C, nine tenths of them ±1 or short (docs/scale.md).
    #[must_use]
    pub fn typical(power: u32) -> Self {
        const PUBLIC: u64 = 2;
        let constraints = 1_u64
            .checked_shl(power)
            .map_or(u64::MAX / 1024, |rows| rows.saturating_sub(PUBLIC + 1));
        let tenths = |tenths: u64| constraints / 10 * tenths;
        let terms = [tenths(34), tenths(10), tenths(12)];
        let additions = Additions {
            digits: [tenths(60), tenths(11), tenths(14)],
            doublings: [tenths(40), tenths(2), tenths(4)],
            doublings_a_b: tenths(41),
        };
        Self {
            curve: Curve::Bn128,
            constraints,
            wires: constraints,
            public: PUBLIC,
            r1cs_bytes: 12 * constraints + 36 * terms.iter().sum::<u64>() + 8 * constraints,
            shape: Shape {
                terms,
                base_two: additions,
                with_endomorphism: additions,
                scalar_digits: [tenths(130), tenths(120), tenths(120)],
            },
            from_sources: false,
        }
    }

    /// Power of the evaluation domain: the smallest one above constraints and public signals.
    #[must_use]
    pub fn power(&self) -> u32 {
        let rows = self.constraints.saturating_add(self.public);
        rows.checked_ilog2().map_or(1, |power| power + 1)
    }

    /// Records in section 4 of the key.
    #[must_use]
    pub fn coefficients(&self) -> u64 {
        let [a, b, _] = self.shape.terms;
        a + b + self.public + 1
    }

    /// Points that a contribution multiplies: sections 8 and 9.
    #[must_use]
    pub fn multiplied_points(&self) -> u64 {
        let private = self.wires.saturating_sub(self.public + 1);
        private.saturating_add(self.domain())
    }

    /// Rows of the evaluation domain.
    #[must_use]
    pub fn domain(&self) -> u64 {
        1_u64.checked_shl(self.power()).unwrap_or(u64::MAX)
    }
}
