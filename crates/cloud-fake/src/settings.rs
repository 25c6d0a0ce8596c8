//! How a fake cloud behaves.

use std::time::Duration;

use cloud::{AccountId, Architecture, InstanceType, Region, TypeInfo, Zone};
use protocol::pb;

/// How a fake cloud behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose it is.
    pub account: AccountId,
    /// Its regions.
    pub regions: Vec<Region>,
    /// Its instance types with their price in millionths of a dollar an hour. Every zone `REGIONa`,
    /// `REGIONb`, `REGIONc` offers all of them.
    pub types: Vec<(TypeInfo, u64)>,
    /// Virtual processors that its machines may have together; told only, not kept to.
    pub vcpu_quota: u32,
    /// So many seconds the caller's clock is ahead of the service's.
    pub clock_ahead_s: i64,
    /// Readers see the world as it was this long ago.
    pub lag: Duration,
    /// Where there is no machine to be had.
    pub no_capacity: Vec<(InstanceType, Zone)>,
    /// Which layers against orphans work.
    pub layers: Layers,
    /// What a host-agent does.
    pub agent: AgentPlan,
    /// So many removals of a stack fail first, and leave its machine alone.
    pub stack_delete_failures: u32,
    /// Disks stay when their machine ends.
    pub volumes_survive: bool,
    /// Tags cannot be found by: lists are empty, as for an identity that may not list.
    pub tags_are_blind: bool,
}

/// The layers that end a machine when nobody asks for it.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is switched off alone; there are no states"
)]
pub struct Layers {
    /// The host-agent's unit powers off when it ends, done or failed.
    pub agent_poweroff: bool,
    /// The machine powers off at the deadline in its tag, and a day after it booted.
    pub boot_shutdown: bool,
    /// systemd ends the unit, which powers off, when it ran longer than `RuntimeMaxSec`.
    pub systemd_limit: bool,
    /// The one-time schedule terminates the machine at the deadline.
    pub schedule: bool,
}

impl Layers {
    /// All of them.
    pub const ALL: Self = Self {
        agent_poweroff: true,
        boot_shutdown: true,
        systemd_limit: true,
        schedule: true,
    };
    /// None of them.
    pub const NONE: Self = Self {
        agent_poweroff: false,
        boot_shutdown: false,
        systemd_limit: false,
        schedule: false,
    };
}

/// What a host-agent does.
#[derive(Debug, Clone)]
pub struct AgentPlan {
    /// How long the ceremony takes.
    pub work: Duration,
    /// How often it writes a record.
    pub interval: Duration,
    /// What it makes.
    pub artifacts: Vec<(pb::ArtifactKind, Vec<u8>)>,
    /// How it ends.
    pub behaviour: Behaviour,
}

/// How a host-agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It does its work.
    Works,
    /// It fails halfway and says so.
    Fails,
    /// It falls silent halfway; the machine stays.
    Hangs,
    /// It never says a word; the machine stays.
    NeverStarts,
    /// Its machine is lost halfway.
    MachineLost,
    /// It does its work, and says something else than it did in the commit marker.
    Lies,
    /// It does its work, and the last artifact that its commit marker names is not in the bucket.
    Loses,
}

impl Default for Settings {
    /// Two regions, two types of both processors, ten seconds of lag, and everything works.
    fn default() -> Self {
        let type_info = |name: &str, architecture, price| {
            let info = TypeInfo {
                name: parse(name),
                architecture,
                enclaves: true,
                vcpus: 8,
                memory_mib: 64 << 10,
            };
            (info, price)
        };
        Self {
            account: parse("123456789012"),
            regions: vec![parse("eu-central-1"), parse("us-east-1")],
            types: vec![
                type_info("r8g.2xlarge", Architecture::Arm64, 470_000),
                type_info("r7i.2xlarge", Architecture::X86_64, 530_000),
                type_info("m7i.2xlarge", Architecture::X86_64, 400_000),
            ],
            vcpu_quota: 32,
            clock_ahead_s: 0,
            lag: Duration::from_secs(10),
            no_capacity: Vec::new(),
            layers: Layers::ALL,
            agent: AgentPlan {
                work: Duration::from_mins(5),
                interval: Duration::from_mins(1),
                artifacts: vec![
                    (pb::ArtifactKind::Manifest, b"manifest".to_vec()),
                    (pb::ArtifactKind::FinalZkey, vec![7; 1000]),
                ],
                behaviour: Behaviour::Works,
            },
            stack_delete_failures: 0,
            volumes_survive: false,
            tags_are_blind: false,
        }
    }
}

/// A name that is written in this crate.
#[expect(
    clippy::panic,
    reason = "a wrong name in this crate is found by the first test"
)]
fn parse<T: std::str::FromStr>(name: &str) -> T {
    name.parse()
        .unwrap_or_else(|_| panic!("{name:?} is no name of its kind"))
}
