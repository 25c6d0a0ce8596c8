//! How large the machine has to be, and what it costs: from the size model to candidates.

use std::time::Duration;

use cloud::InstanceType;
use plan::machine::{self, ADDRESS_USD_HOUR, VOLUME_GIB_USD_HOUR, VOLUME_MIB_S_USD_HOUR};
use plan::{Estimate, costs};
use saga::{Candidate, Usd, Volume};

use crate::error::CliError;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// `nitro-cli` wants this many times an image's size as memory of the enclave (E26).
const IMAGE_TIMES: u64 = 4;
/// Memory of an enclave is asked for in steps of this many MiB.
const MEMORY_STEP_MIB: u64 = 256;
/// Least memory of an enclave, MiB.
const LEAST_ENCLAVE_MIB: u64 = 1024;
/// For the host's system, MiB.
const SYSTEM_MIB: u64 = 1024;
/// Budget for making the initial key, MiB: less means more passes, more is of no use.
const HOST_MIB: (u64, u64) = (256, 8192);
/// Of the disk, for the host's system.
const SYSTEM_GIB: u64 = 16;
/// Largest volume that the template takes.
const LARGEST_GIB: u64 = 16_384;
/// Processors that the host keeps: a whole core.
const HOST_VCPUS: u32 = 2;
/// So many types are tried one after the other where none was named.
const TYPES: usize = 3;
/// Data out to the internet, US dollars for a GB; the bundle is fetched once.
const OUT_GB_USD: f64 = 0.09;
/// Objects, US dollars for a GB and month.
const STORED_GB_USD: f64 = 0.023;
/// Requests of a run, US dollars: some thousands.
const REQUESTS_USD: f64 = 0.05;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Sizing {
    /// Machines that are large enough, the preferred one first.
    pub(super) candidates: Vec<Candidate>,
    /// The disk.
    pub(super) volume: Volume,
    /// Memory of the enclave, MiB.
    pub(super) enclave_mib: u32,
    /// Processors of the enclave: what the smallest candidate has.
    pub(super) enclave_cpus: u32,
    /// Memory for making the initial key, MiB.
    pub(super) host_mib: u32,
    /// How long the machine may run, unless something else was said.
    pub(super) patience: Duration,
    /// Beside the machine, an hour: disk and address.
    hourly: f64,
    /// Beside the machine, once: what is stored and fetched.
    once: f64,
}

impl Sizing {
    /// `image_bytes`: the enclave's image. `stored`: bytes of the inputs. `typed`: types that were named.
    pub(super) fn of(
        estimate: &Estimate,
        image_bytes: u64,
        stored: u64,
        typed: &[String],
    ) -> Result<Self, CliError> {
        let enclave_mib = (estimate.memory.enclave.saturating_mul(3) / 2)
            .max(image_bytes.saturating_mul(IMAGE_TIMES))
            .div_ceil(MIB)
            .max(LEAST_ENCLAVE_MIB)
            .next_multiple_of(MEMORY_STEP_MIB);
        let host_mib = estimate.memory.host.div_ceil(MIB).max(HOST_MIB.0);
        let needed = enclave_mib + host_mib + SYSTEM_MIB;
        let mut on: Vec<_> = estimate
            .instances
            .iter()
            .filter_map(|on| Some((on, machine::named(on.instance)?)))
            .filter(|(_, machine)| machine.memory / MIB >= needed)
            .collect();
        if typed.is_empty() {
            on.sort_by(|(a, _), (b, _)| a.usd.total_cmp(&b.usd));
        } else {
            on = typed
                .iter()
                .map(|name| {
                    let found = on.iter().find(|(on, _)| on.instance == *name);
                    found.copied().ok_or_else(|| not_possible(name, needed))
                })
                .collect::<Result<_, _>>()?;
        }
        let mut candidates = Vec::new();
        let (mut vcpus, mut memory) = (u32::MAX, u64::MAX);
        for (on, machine) in on {
            candidates.push(Candidate {
                instance_type: name(machine.name)?,
                hourly: usd(machine.usd_hour),
                expected: Duration::from_secs_f64(on.seconds),
            });
            vcpus = vcpus.min(machine.vcpus);
            memory = memory.min(machine.memory / MIB);
        }
        let gib = (estimate.disk.div_ceil(GIB) + SYSTEM_GIB).min(LARGEST_GIB);
        let throughput = costs::DISK_BYTES_S / 1_048_576.0;
        let left = memory.saturating_sub(enclave_mib + SYSTEM_MIB);
        let host_mib = (left / 2).clamp(HOST_MIB.0, HOST_MIB.1);
        let kept = estimate.bundle.saturating_add(stored);
        Ok(Self {
            volume: Volume {
                gib: small(gib),
                iops: 3000,
                throughput: 500,
            },
            enclave_mib: small(enclave_mib),
            enclave_cpus: vcpus.saturating_sub(HOST_VCPUS).max(2),
            host_mib: small(host_mib),
            patience: patience(&candidates),
            hourly: f64::from(small(gib)) * VOLUME_GIB_USD_HOUR
                + (throughput - 125.0) * VOLUME_MIB_S_USD_HOUR
                + ADDRESS_USD_HOUR,
            once: gigabytes(estimate.bundle) * OUT_GB_USD
                + gigabytes(kept) * STORED_GB_USD
                + REQUESTS_USD,
            candidates,
        })
    }

    /// Goes on with these candidates; the three cheapest of them, unless they were typed.
    pub(super) fn keep(&mut self, fitting: Vec<Candidate>, typed: bool) {
        self.candidates = fitting;
        if !typed {
            self.candidates.truncate(TYPES);
        }
        let kept: Vec<_> = self
            .candidates
            .iter()
            .filter_map(|c| machine::named(c.instance_type.as_str()))
            .collect();
        if let Some(vcpus) = kept.iter().map(|machine| machine.vcpus).min() {
            self.enclave_cpus = vcpus.saturating_sub(HOST_VCPUS).max(2);
        }
        self.patience = patience(&self.candidates);
    }

    /// What a run costs beside its machine, if it lasts so long.
    pub(super) fn other_costs(&self, lasts: Duration) -> Usd {
        usd(self.hourly * lasts.as_secs_f64() / 3600.0 + self.once)
    }
}

/// Three times what the slowest is expected to take, and half an hour: the model is rough.
fn patience(candidates: &[Candidate]) -> Duration {
    let slowest = candidates.iter().map(|c| c.expected).max();
    let patience = slowest.unwrap_or_default() * 3 + Duration::from_mins(30);
    patience.min(Duration::from_hours(24))
}

fn not_possible(name: &str, needed_mib: u64) -> CliError {
    let what = if let Some(machine) = machine::named(name) {
        let has = machine.memory / MIB;
        format!("{name} is too small: {needed_mib} MiB of memory are needed, it has {has}")
    } else {
        let known = machine::TYPES.map(|known| known.name).join(", ");
        format!("speed and price of {name:?} are not known; known are {known}")
    };
    CliError::Usage { what, hint: None }
}

fn name(text: &str) -> Result<InstanceType, CliError> {
    text.parse()
        .map_err(|error| saga::SagaError::Name(error).into())
}

/// Dollars to a millionth; not a number or too many of them are the most there can be.
fn usd(dollars: f64) -> Usd {
    format!("{dollars:.6}").parse().unwrap_or(Usd(u64::MAX))
}

/// Gigabytes, to a thousandth.
fn gigabytes(bytes: u64) -> f64 {
    f64::from(small(bytes / 1_000_000)) / 1000.0
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use plan::{Circuit, estimate};

    use super::*;

    fn sizing(power: u32, typed: &[&str]) -> Result<Sizing, CliError> {
        let typed: Vec<String> = typed.iter().map(ToString::to_string).collect();
        let estimate = estimate(&Circuit::typical(power));
        Sizing::of(&estimate, 50 << 20, 100 << 20, &typed)
    }

    fn names(sizing: &Sizing) -> Vec<&str> {
        let types = sizing.candidates.iter();
        types.map(|c| c.instance_type.as_str()).collect()
    }

    #[test]
    fn the_cheapest_that_are_large_enough_come_first() {
        let mut sizing = sizing(15, &[]).unwrap();
        let mut fitting = sizing.candidates.clone();
        fitting.retain(|c| c.instance_type.as_str().starts_with("r7i"));
        assert!(fitting.len() > TYPES);
        sizing.keep(fitting, false);
        assert_eq!(sizing.candidates.len(), TYPES);
        assert_eq!(names(&sizing)[0], "r7i.xlarge");
        assert_eq!(sizing.enclave_cpus, 2, "of the smallest");
        assert!(sizing.candidates[0].hourly == Usd(265_000));
        assert!(sizing.enclave_mib >= 1024);
        assert!(sizing.volume.gib >= 17);
        assert!(sizing.patience >= Duration::from_mins(30));
        let (short, long) = (Duration::from_hours(1), Duration::from_hours(24));
        assert!(sizing.other_costs(short) < sizing.other_costs(long));
    }

    #[test]
    fn types_are_taken_as_they_were_typed() {
        let mut sizing = sizing(15, &["r7i.16xlarge", "r7i.2xlarge"]).unwrap();
        let all = sizing.candidates.clone();
        sizing.keep(all, true);
        assert_eq!(names(&sizing), ["r7i.16xlarge", "r7i.2xlarge"]);
        assert_eq!(sizing.enclave_cpus, 6);
    }

    #[test]
    fn a_type_that_will_not_do_is_named() {
        let unknown = sizing_error(15, "t3.micro", 1 << 20);
        assert!(unknown.contains("not known"), "{unknown}");
        let small = sizing_error(15, "r7i.xlarge", 20 << 30);
        assert!(small.contains("too small"), "{small}");
    }

    fn sizing_error(power: u32, name: &str, image_bytes: u64) -> String {
        let estimate = estimate(&Circuit::typical(power));
        let sizing = Sizing::of(&estimate, image_bytes, 0, &[name.to_owned()]);
        sizing.unwrap_err().to_string()
    }

    #[test]
    fn a_larger_circuit_gets_a_larger_disk_and_more_time() {
        let (small, large) = (sizing(15, &[]).unwrap(), sizing(26, &[]).unwrap());
        assert!(large.volume.gib > small.volume.gib);
        assert!(large.patience > small.patience);
        assert!(large.other_costs(Duration::ZERO) > small.other_costs(Duration::ZERO));
        assert!(large.patience <= Duration::from_hours(24));
    }
}
