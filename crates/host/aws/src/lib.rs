//! The object store and the provider traits of `cloud` on AWS: the only crate with the SDKs in it.
//!
//! * [`Session`]: credentials and region by AWS's own chain, one client configuration for all services.
//! * [`AwsAccount`]: the account behind the credentials, and through it stacks, machines and buckets.
//! * [`S3Location`], [`S3Store`]: a bucket and a prefix in it as an object store.
//!
//! Calls block. They run on threads of their own, so that they may be made from anywhere, also from inside
//! an asynchronous program.

mod account;
mod buckets;
mod clock;
mod compute;
mod driver;
mod fault;
mod location;
mod s3;
mod session;
mod stacks;

pub use account::AwsAccount;
pub use location::{LocationError, S3Location};
pub use s3::S3Store;
pub use session::{Session, SessionError, Settings};
