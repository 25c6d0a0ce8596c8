//! The iden3 binary formats (r1cs, ptau, zkey): read and write the bytes, judge nothing.
//!
//! Every reader works on positional reads with buffers of fixed size: memory does not depend on the
//! file. Every count and length is checked against the file's size before anything is done with it.

pub mod binfile;
pub mod curve;
pub mod digest;
pub mod points;
pub mod power;
pub mod progress;
pub mod ptau;
pub mod r1cs;
pub mod source;
pub mod zkey;
