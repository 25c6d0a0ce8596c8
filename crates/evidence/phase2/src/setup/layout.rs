//! Where the sections of an initial key lie: 1, 2, 4, 3, 9, 8, 5, 6, 7, 10, as snarkjs orders them.

use formats::{curve::CurveParams, r1cs::R1csHeader};

const FILE_HEADER: u64 = 12;
const SECTION_HEADER: u64 = 12;
/// `u32 matrix | u32 constraint | u32 signal | 32-byte value`
pub(super) const COEFFICIENT_BYTES: u64 = 44;
/// The same as a length.
pub(super) const COEFFICIENT: usize = 44;

/// Section number, position of its first byte, and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: u32,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// All sections of one key.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) protocol: Place,
    pub(super) header: Place,
    pub(super) coefficients: Place,
    pub(super) ic: Place,
    pub(super) h: Place,
    pub(super) c: Place,
    pub(super) a: Place,
    pub(super) b1: Place,
    pub(super) b2: Place,
    pub(super) contributions: Place,
    pub(super) file_size: u64,
}

impl Layout {
    pub(super) fn new<C: CurveParams>(circuit: &R1csHeader, n_coefficients: u32) -> Self {
        let bytes = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let g1 = bytes(C::CURVE.g1_bytes());
        let g2 = bytes(C::CURVE.g2_bytes());
        let n8 = bytes(C::CURVE.n8q()) + bytes(C::CURVE.n8r());
        let wires = u64::from(circuit.n_wires);
        let public = u64::from(circuit.n_public()) + 1;
        let domain = 1_u64 << circuit.power();

        let mut next = FILE_HEADER;
        let mut place = |id, size| {
            let offset = next + SECTION_HEADER;
            next = offset + size;
            Place { id, offset, size }
        };
        // Struct fields are evaluated in the order written here.
        let layout = Self {
            protocol: place(1, 4),
            header: place(2, 2 * 4 + n8 + 3 * 4 + 3 * g1 + 3 * g2),
            coefficients: place(4, 4 + COEFFICIENT_BYTES * u64::from(n_coefficients)),
            ic: place(3, g1 * public),
            h: place(9, g1 * domain),
            c: place(8, g1 * (wires - public)),
            a: place(5, g1 * wires),
            b1: place(6, g1 * wires),
            b2: place(7, g2 * wires),
            contributions: place(10, 64 + 4),
            file_size: 0,
        };
        Self {
            file_size: next,
            ..layout
        }
    }

    /// All sections in file order.
    pub(super) fn places(&self) -> [Place; 10] {
        [
            self.protocol,
            self.header,
            self.coefficients,
            self.ic,
            self.h,
            self.c,
            self.a,
            self.b1,
            self.b2,
            self.contributions,
        ]
    }
}

#[cfg(test)]
mod tests {
    use formats::curve::{Bn128, Curve};

    use super::*;

    #[test]
    fn sections_follow_each_other() {
        let circuit = R1csHeader {
            curve: Curve::Bn128,
            n_wires: 6,
            n_outputs: 1,
            n_public_inputs: 1,
            n_private_inputs: 2,
            n_labels: 6,
            n_constraints: 3,
        };
        let layout = Layout::new::<Bn128>(&circuit, 10);
        let places = layout.places();
        assert_eq!(
            places.map(|place| place.id),
            [1, 2, 4, 3, 9, 8, 5, 6, 7, 10]
        );
        assert_eq!(layout.header.size, 660);
        let mut next = 12;
        for place in places {
            assert_eq!(place.offset, next + 12);
            next = place.offset + place.size;
        }
        assert_eq!(layout.file_size, next);
    }
}
