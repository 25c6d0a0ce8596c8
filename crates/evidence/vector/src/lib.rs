//! BN254 arithmetic, on vector units and without: many points times one scalar, and batches of additions.
//!
//! Phase 2 multiplies millions of G1 points by the same scalar. Every point then goes through the
//! same sequence of doublings and additions, so eight points share a vector and thousands share each
//! field inversion (Montgomery's trick). This crate executes such a sequence; which sequence a scalar
//! needs is decided by its caller, once for all points.
//!
//! * [`Level`]: the ways to multiply that a processor can have; the fastest is found at run time.
//! * [`Chain`], [`Table`], [`Step`], [`Term`]: the sequence of group operations.
//! * [`Kernel`]: working memory for a block of points; [`Kernel::apply`] runs the chain over it.
//! * [`G1Adder`], [`G2Adder`]: many independent additions.
//! * [`G1Ladder`]: many points times the powers of a number of norm three, and their images.
//! * [`Uncompressed`]: many points in the form that is hashed.
//!
//! Inside, from the group down: `group` and `additions` (over `coordinates`) know points, `field` and
//! its three forms know the prime, `register` and its modules know instructions. Each layer is
//! written once; levels are its instances.
//!
//! Sources: P. Montgomery, *Speeding the Pollard and elliptic curve methods*, 1987, for the shared
//! inversion; Gallant, Lambert, Vanstone, CRYPTO 2001, for the endomorphism; the fields name theirs.
//!
//! This is the only crate of the workspace with unsafe code: vector instructions, and writes that erase.
//! Each has its argument beside it, and every result is compared with the library's arithmetic in the
//! tests, at every level that the processor has and in plain models of all.

mod additions;
mod chain;
mod coordinates;
mod field;
mod group;
mod invert;
mod kernel;
mod ladder;
mod level;
mod limbs;
mod measure;
mod packed;
mod points;
mod prime;
mod quadratic;
mod register;
#[cfg(test)]
mod tests;
mod uncompressed;

pub use additions::{Addition, PositionError, Summand};
pub use chain::{Chain, ChainError, Step, TABLE_SIZE, Table, Term};
pub use kernel::{Kernel, POINT_BYTES, PointFault};
pub use ladder::G1Ladder;
pub use level::Level;
pub use measure::Operation;
pub use points::{G1Adder, G1Point, G2Adder, G2Point};
pub use uncompressed::Uncompressed;
