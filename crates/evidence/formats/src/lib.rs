//! The iden3 binary formats (r1cs, ptau, zkey): read and write the bytes, judge nothing.
