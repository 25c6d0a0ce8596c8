//! Machines and their disks: AWS EC2.

use std::fmt::Debug;

use crate::{CloudError, InstanceId, InstanceType, RunId, Tags, Timestamp, VolumeId, Zone};

/// Machines of one region. Instances are made by stacks only.
pub trait Compute: Debug + Send + Sync {
    /// What is known of these types; types the region does not know are left out. AWS:
    /// `ec2:DescribeInstanceTypes` with the filter `instance-type`, which does not fail on unknown names.
    /// Reads.
    fn instance_types(&self, types: &[InstanceType]) -> Result<Vec<TypeInfo>, CloudError>;

    /// The zones that offer the type, by name. AWS: `ec2:DescribeInstanceTypeOfferings` with
    /// `LocationType` = `availability-zone`. Reads.
    fn zones_offering(&self, instance_type: &InstanceType) -> Result<Vec<Zone>, CloudError>;

    /// How many virtual processors the account's machines of the standard families may have together; those that run count.
    /// AWS: `servicequotas:GetServiceQuota`, quota `L-1216C47A` of `ec2`. Reads.
    fn vcpu_quota(&self) -> Result<u32, CloudError>;

    /// Every instance that the filter names, in any state. AWS: all pages of `ec2:DescribeInstances` with
    /// filters (an unknown id is no error then). Reads. New instances may be missing for some seconds;
    /// terminated ones are seen for about an hour.
    fn instances(&self, which: Which<'_>) -> Result<Vec<Instance>, CloudError>;

    /// The last of what the instance wrote to its console, at most 64 KiB; `None` if there is nothing
    /// yet. AWS: `ec2:GetConsoleOutput` with `Latest` where the type has it. Reads. Foreign text.
    fn console_output(&self, id: &InstanceId) -> Result<Option<String>, CloudError>;

    /// Ends an instance for good. AWS: `ec2:TerminateInstances`. Twice, or on one that is gone: success.
    fn terminate(&self, id: &InstanceId) -> Result<(), CloudError>;

    /// Every volume that the filter names. AWS: all pages of `ec2:DescribeVolumes` with filters. Reads.
    fn volumes(&self, which: Which<'_>) -> Result<Vec<Volume>, CloudError>;

    /// Removes a volume that no instance uses. AWS: `ec2:DeleteVolume`. Twice, or on one that is gone:
    /// success.
    fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError>;
}

/// Which resources.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those with the tag [`tags::RUN`](crate::tags::RUN) of this run.
    OfRun(&'a RunId),
    /// Those with the tag [`tags::RUN`](crate::tags::RUN), whatever its value.
    OfAnyRun,
    /// The instance with this id, or the volumes that are attached to it.
    Instance(&'a InstanceId),
}

/// What is known of an instance type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// The type.
    pub name: InstanceType,
    /// Its processor.
    pub architecture: Architecture,
    /// Whether it can run Nitro Enclaves (`NitroEnclavesSupport` = `supported`).
    pub enclaves: bool,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// Processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// `x86_64`
    X86_64,
    /// `arm64`
    Arm64,
}

impl Architecture {
    /// As EC2 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// An instance as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its type.
    pub instance_type: InstanceType,
    /// Its zone.
    pub zone: Zone,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Why it left the state before, in the service's words, if it says.
    pub reason: Option<String>,
    /// When it was started.
    pub launched: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Being started.
    Pending,
    /// Running.
    Running,
    /// Being stopped, to be started again.
    Stopping,
    /// Stopped: it costs its disks.
    Stopped,
    /// Being ended for good.
    ShuttingDown,
    /// Gone; costs nothing.
    Terminated,
}

impl InstanceState {
    /// As EC2 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }
}

/// A volume as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// Size in GiB.
    pub size_gib: u32,
    /// Whether an instance uses it.
    pub in_use: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
}
