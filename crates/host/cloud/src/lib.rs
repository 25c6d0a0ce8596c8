//! The object store between controller and host-agent, and the cloud behind traits.
//!
//! * [`ObjectKey`]: a name that cannot leave the store, checked once.
//! * [`ObjectStore`]: objects are written once, whole, and never changed.
//! * [`FolderStore`]: the store in a local folder.
//! * [`Shelf`]: a store whose objects are for people: types for browsers, links that end.
//! * [`run`]: which objects a run has (`docs/formats/run-store.md`), typed.
//! * [`Account`] leads to [`Stacks`], [`Compute`] and [`Buckets`] of a region: everything the controller
//!   does in a cloud (`docs/adr/0008-the-cloud-behind-traits.md`). [`CloudError`] says by class what failed.
//! * [`names`], [`tags`]: how the resources of a run are called and found again. [`Clock`]: time.

mod account;
mod buckets;
mod clock;
mod compute;
mod error;
mod failure;
mod folder;
mod key;
pub mod names;
pub mod run;
mod shelf;
mod stacks;
mod store;
pub mod tags;

pub use account::{Account, Caller, Services};
pub use buckets::{BucketInfo, BucketSettings, Buckets};
pub use clock::{Clock, SystemClock, Timestamp};
pub use compute::{Architecture, Compute, Instance, InstanceState, TypeInfo, Volume, Which};
pub use error::StoreError;
pub use failure::{CloudError, ErrorClass};
pub use folder::FolderStore;
pub use key::{KeyError, ObjectKey, RunId};
pub use names::{
    AccountId, BucketName, InstanceId, InstanceType, Region, StackId, StackName, TopicArn,
    VolumeId, Zone,
};
pub use shelf::{PresignedUrl, Shelf};
pub use stacks::{NewStack, Stack, StackFailure, StackRef, StackState, Stacks};
pub use store::ObjectStore;
pub use tags::Tags;
