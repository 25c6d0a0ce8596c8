//! Instance types that run enclaves, and their prices.
//!
//! US dollars an hour, us-east-1, on demand, from price lists stored in 2026: r8g.4xlarge 0.94,
//! r7i.2xlarge 0.53 and r7i.16xlarge 4.23, the others in proportion. A bill is the authority.

use crate::costs::{Arithmetic, IFMA, PLAIN};

/// An instance type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceType {
    /// Name at EC2.
    pub name: &'static str,
    /// Virtual processors.
    pub vcpus: u32,
    /// Whether two of them share a core.
    pub threads_share_cores: bool,
    /// Memory in bytes.
    pub memory: u64,
    /// Sustained clock of a busy processor, in Hz.
    pub clock: f64,
    /// What the engine finds there.
    pub arithmetic: Arithmetic,
    /// US dollars an hour.
    pub usd_hour: f64,
}

const GIB: u64 = 1 << 30;

const fn r7i(name: &'static str, vcpus: u32, memory_gib: u64, usd_hour: f64) -> InstanceType {
    InstanceType {
        name,
        vcpus,
        threads_share_cores: true,
        memory: memory_gib * GIB,
        clock: 3.0e9,
        arithmetic: IFMA,
        usd_hour,
    }
}

const fn r8g(name: &'static str, vcpus: u32, memory_gib: u64, usd_hour: f64) -> InstanceType {
    InstanceType {
        name,
        vcpus,
        threads_share_cores: false,
        memory: memory_gib * GIB,
        clock: 2.8e9,
        arithmetic: PLAIN,
        usd_hour,
    }
}

/// Those that are estimated, in the order of their price.
pub const TYPES: [InstanceType; 6] = [
    r7i("r7i.xlarge", 4, 32, 0.265),
    r7i("r7i.2xlarge", 8, 64, 0.53),
    r8g("r8g.4xlarge", 16, 128, 0.94),
    r7i("r7i.4xlarge", 16, 128, 1.06),
    r8g("r8g.16xlarge", 64, 512, 3.77),
    r7i("r7i.16xlarge", 64, 512, 4.23),
];

/// The one of a name.
#[must_use]
pub fn named(name: &str) -> Option<InstanceType> {
    TYPES.into_iter().find(|instance| instance.name == name)
}

/// A gp3 volume: US dollars for a GiB an hour, and for a MiB/s above the first 125 an hour.
pub const VOLUME_GIB_USD_HOUR: f64 = 0.08 / 730.0;
/// See [`VOLUME_GIB_USD_HOUR`].
pub const VOLUME_MIB_S_USD_HOUR: f64 = 0.04 / 730.0;
/// A public IPv4 address.
pub const ADDRESS_USD_HOUR: f64 = 0.005;
