//! Eight-lane BN254 arithmetic with AVX-512 IFMA: many points times one scalar.
//!
//! Phase 2 multiplies millions of G1 points by the same scalar. Every point then goes through the
//! same sequence of doublings and additions, so eight points share a vector register and thousands
//! share each field inversion (Montgomery's trick). This crate executes such a sequence; which
//! sequence a scalar needs is decided by its caller, once for all points.
//!
//! * [`available`]: does this processor have what the kernel needs?
//! * [`Chain`], [`Step`], [`Term`]: the sequence of group operations.
//! * [`Kernel`]: working memory for a block of points; [`Kernel::apply`] runs the chain over it.
//!
//! Sources: N. Drucker, S. Gueron, *Fast modular squaring with AVX512IFMA*, eprint 2018/335, for the
//! radix-2^52 form; P. Montgomery, *Speeding the Pollard and elliptic curve methods*, 1987, for the
//! shared inversion; Gallant, Lambert, Vanstone, CRYPTO 2001, for the endomorphism.
//!
//! This is the only crate of the workspace with unsafe code: calls across the processor-feature
//! border and vector loads and stores. Each has its argument beside it, and every result is compared
//! with the library's arithmetic in the tests.

#[cfg(target_arch = "x86_64")]
mod additions;
mod chain;
#[cfg(target_arch = "x86_64")]
mod field;
#[cfg(target_arch = "x86_64")]
mod group;
#[cfg(target_arch = "x86_64")]
mod invert;
mod kernel;
mod limbs;
#[cfg(target_arch = "x86_64")]
mod packed;
#[cfg(target_arch = "x86_64")]
mod prime;
#[cfg(target_arch = "x86_64")]
mod quadratic;

#[cfg(target_arch = "x86_64")]
pub use additions::{Addition, G1Adder, G1Point, G2Adder, G2Point, PositionError};
pub use chain::{Chain, ChainError, Step, TABLE_SIZE, Term};
pub use kernel::{Kernel, POINT_BYTES, PointFault, available};
