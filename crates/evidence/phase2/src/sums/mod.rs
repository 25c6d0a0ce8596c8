//! Sums of points, one per target, for many targets at a time.
//!
//! What belongs to one target is added up as a tree: all additions of a level are independent, so
//! they share inversions in affine coordinates, however unevenly the points fall on the targets.

mod backend;
mod buckets;
mod shard;

pub(crate) use backend::{
    Addition, Backend, BadPoint, Portable, check_points, differences, with_backend,
};
#[cfg(target_arch = "x86_64")]
pub(crate) use backend::{VectorG1, VectorG2};
pub(crate) use buckets::{BadSide, BucketSums, Scalar, Use, Windows, bucket_sums, total};
pub(crate) use shard::{Item, Shard};
