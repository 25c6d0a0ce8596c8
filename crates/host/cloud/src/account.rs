//! An account of a cloud, and its services in one region.

use std::fmt::Debug;

use crate::{AccountId, Buckets, CloudError, Compute, Region, Stacks};

/// One account, reached with one identity.
///
/// Everything the controller does in a cloud goes through this trait and the traits it leads to. Calls
/// block. None retries on its own account for longer than a few seconds: the caller decides by
/// [`ErrorClass`](crate::ErrorClass). A call that was answered with an error of class `Transient` may
/// have been done; every method says what doing it twice means.
pub trait Account: Debug + Send + Sync {
    /// Who is calling. AWS: `sts:GetCallerIdentity`. Reads.
    fn caller(&self) -> Result<Caller, CloudError>;

    /// The regions this account can use. AWS: `ec2:DescribeRegions` without `AllRegions`. Reads.
    fn regions(&self) -> Result<Vec<Region>, CloudError>;

    /// Seconds by which this machine's clock is ahead of the service's; negative if it is behind. AWS: the date of
    /// any answer, a refusal too. Reads.
    fn clock_ahead(&self) -> Result<i64, CloudError>;

    /// The services of one region. Makes no call.
    fn services(&self, region: &Region) -> Services;
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that pays.
    pub account: AccountId,
    /// Identity, an ARN; shown to people only.
    pub arn: String,
}

/// The services of one region.
#[derive(Debug)]
pub struct Services {
    /// The region.
    pub region: Region,
    /// CloudFormation.
    pub stacks: Box<dyn Stacks>,
    /// EC2.
    pub compute: Box<dyn Compute>,
    /// S3.
    pub buckets: Box<dyn Buckets>,
}
