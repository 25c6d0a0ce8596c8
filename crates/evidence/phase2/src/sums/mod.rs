//! Sums of points, one per target, for many targets at a time.
//!
//! What belongs to one target is added up as a tree: all additions of a level are independent, so
//! they share inversions in affine coordinates, however unevenly the points fall on the targets.

mod backend;
mod buckets;
mod shard;
mod windows;

pub(crate) use backend::{
    Backend, BadPoint, Portable, VectorG1, VectorG2, append_u, check_points, differences,
    has_endomorphism, with_backend,
};
pub(crate) use buckets::{BadSide, BucketSums, Use, bucket_sums, total};
pub(crate) use shard::{Item, Shard};
pub(crate) use windows::{Scalar, Windows};
