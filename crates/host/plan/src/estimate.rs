//! Memory, disk, time and cost of a ceremony.

use serde::Serialize;

use crate::{
    Circuit, Sizes,
    costs::{self, Arithmetic},
    machine::{self, InstanceType},
};

/// What a ceremony takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Power of the powers of tau that are needed.
    pub power: u32,
    /// Bytes of the files.
    pub sizes: Sizes,
    /// Memory.
    pub memory: Memory,
    /// Bytes of disk on the host: powers of tau, circuit, and three keys and a partial one.
    pub disk: u64,
    /// Bytes of the bundle.
    pub bundle: u64,
    /// Why no instance type will do, if none will.
    pub impossible: Option<&'static str>,
    /// Time and cost by instance type, cheapest type first; those that are too small are left out.
    pub instances: Vec<OnInstance>,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Of the enclave.
    pub enclave: u64,
    /// Of the host's programs.
    pub host: u64,
}

/// A ceremony on one instance type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnInstance {
    /// Its name.
    pub instance: &'static str,
    /// The engine's arithmetic there.
    pub arithmetic: &'static str,
    /// Stages in order.
    pub stages: Vec<StageTime>,
    /// Seconds in all.
    pub seconds: f64,
    /// US dollars: machine, volume and address.
    pub usd: f64,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageTime {
    /// What is done.
    pub stage: &'static str,
    /// Where: `host` or `enclave`.
    pub place: &'static str,
    /// Seconds.
    pub seconds: f64,
}

/// Works out what a circuit's ceremony takes.
#[must_use]
pub fn estimate(circuit: &Circuit) -> Estimate {
    let sizes = Sizes::of(circuit);
    let memory = memory(circuit, &sizes);
    // Powers of tau, circuit, 0000, 0001 and final.zkey, and what is written before it is whole.
    let disk = sizes.ptau + 2 * sizes.r1cs + 4 * sizes.zkey;
    let instances = machine::TYPES
        .into_iter()
        .filter(|instance| memory.enclave.saturating_add(memory.host) <= instance.memory)
        .map(|instance| on_instance(circuit, &sizes, disk, &instance))
        .collect();
    Estimate {
        power: circuit.power(),
        sizes,
        memory,
        disk,
        // Final key, circuit, and small files.
        bundle: sizes.zkey + sizes.r1cs + (4 << 20),
        impossible: impossible(circuit),
        instances,
    }
}

fn impossible(circuit: &Circuit) -> Option<&'static str> {
    const LARGEST_PUBLISHED: u32 = 28;
    if circuit.power() > circuit.curve.two_adicity().min(LARGEST_PUBLISHED) {
        Some("no powers of tau are large enough: split the circuit")
    } else if circuit.from_sources && circom_bytes(circuit) > costs::CIRCOM_MOST_BYTES {
        Some("circom needs more than the 4 GiB of its sandbox: give the circuit compiled (.r1cs)")
    } else {
        None
    }
}

fn circom_bytes(circuit: &Circuit) -> u64 {
    costs::CIRCOM_BASE_BYTES + costs::CIRCOM_CONSTRAINT_BYTES * circuit.constraints
}

fn memory(circuit: &Circuit, sizes: &Sizes) -> Memory {
    let compilers = if circuit.from_sources {
        circom_bytes(circuit).max(costs::SOLC_BYTES)
    } else {
        costs::SOLC_BYTES
    };
    let largest = costs::ENGINE_BYTES.max(compilers);
    // The compiled circuit lies in the enclave's folder, which is memory, until it is whole.
    let folder = if circuit.from_sources { sizes.r1cs } else { 0 };
    let kept = sizes.ptau + sizes.r1cs + 3 * sizes.zkey;
    let digests = kept.div_ceil(costs::CHUNK_BYTES) * costs::CHUNK_DIGEST_BYTES;
    Memory {
        enclave: costs::ENCLAVE_BASE_BYTES + largest + folder + digests,
        host: costs::ENGINE_BYTES.max(if circuit.from_sources {
            circom_bytes(circuit)
        } else {
            0
        }),
    }
}

/// How fast one side of a machine is.
struct Side {
    place: &'static str,
    /// Cycles a second, all its processors at work.
    cycles: f64,
    /// Cycles a second of one.
    one: f64,
    /// Bytes a second of the files.
    files: f64,
}

impl Side {
    fn new(place: &'static str, instance: &InstanceType, vcpus: u32, files: f64) -> Self {
        let threads = f64::from(vcpus);
        let cores = if instance.threads_share_cores {
            threads / 2.0 * (1.0 + costs::SECOND_THREAD)
        } else {
            threads
        };
        Self {
            place,
            cycles: cores * instance.clock,
            one: instance.clock,
            files,
        }
    }

    /// A stage that ends when the slowest of three does: all processors, one stream, the files.
    fn stage(&self, stage: &'static str, parallel: f64, serial: f64, bytes: f64) -> StageTime {
        let seconds = (parallel / self.cycles)
            .max(serial / self.one)
            .max(bytes / self.files);
        StageTime {
            stage,
            place: self.place,
            seconds,
        }
    }
}

fn on_instance(circuit: &Circuit, sizes: &Sizes, disk: u64, instance: &InstanceType) -> OnInstance {
    // The host keeps one core; new and preflight run before the enclave has its own.
    let host = Side::new("host", instance, instance.vcpus, costs::DISK_BYTES_S);
    let enclave_vcpus = instance.vcpus.saturating_sub(2).max(2);
    let enclave = Side::new("enclave", instance, enclave_vcpus, costs::VSOCK_BYTES_S);
    let work = Work::of(circuit, &instance.arithmetic);
    let Sizes { r1cs, ptau, zkey } = *sizes;
    let [r1cs, ptau, zkey] = [r1cs, ptau, zkey].map(real);
    // What new reads of the powers of tau: sections 2 and 12 to 15 for the circuit's domain.
    let read = ptau / 2.0;
    let compile = if circuit.from_sources {
        real(costs::CIRCOM_CONSTRAINT) * real(circuit.constraints)
    } else {
        0.0
    };
    let fixed = |stage, seconds| StageTime {
        stage,
        place: "host",
        seconds,
    };
    let hash = |bytes: f64| bytes * costs::BLAKE2B_BYTE;
    let stages = vec![
        fixed("start machine and enclave", costs::BOOT_S),
        host.stage("compile circuit", 0.0, compile, r1cs),
        fixed("fetch powers of tau", ptau / costs::NETWORK_BYTES_S),
        host.stage("hash powers of tau", 0.0, hash(ptau), ptau),
        host.stage("make initial key", work.new, hash(work.hashed), read + zkey),
        enclave.stage("compile circuit again", 0.0, compile, r1cs),
        enclave.stage("take powers of tau", 0.0, hash(ptau), ptau),
        enclave.stage("take initial key", 0.0, hash(zkey), zkey),
        enclave.stage(
            "check initial key",
            work.new,
            hash(work.hashed),
            r1cs + read + zkey,
        ),
        enclave.stage("contribute", work.contribute, hash(zkey), 2.0 * zkey),
        enclave.stage("check contribution", work.check, 0.0, 2.0 * zkey),
        fixed("wait for the beacon", costs::BEACON_WAIT_S),
        enclave.stage("apply beacon", work.beacon, hash(zkey), 2.0 * zkey),
        enclave.stage("check beacon", work.check, 0.0, 2.0 * zkey),
        enclave.stage("compile contract, seal", 0.0, real(costs::SOLC), 0.0),
        fixed("store bundle", (zkey + r1cs) / costs::NETWORK_BYTES_S),
    ];
    let seconds = stages.iter().map(|stage| stage.seconds).sum();
    let gib = real(disk) / real(1 << 30) + 16.0;
    let throughput = costs::DISK_BYTES_S / 1_048_576.0 - 125.0;
    let usd_hour = instance.usd_hour
        + gib * machine::VOLUME_GIB_USD_HOUR
        + throughput * machine::VOLUME_MIB_S_USD_HOUR
        + machine::ADDRESS_USD_HOUR;
    OnInstance {
        instance: instance.name,
        arithmetic: instance.arithmetic.name,
        stages,
        seconds,
        usd: seconds / 3600.0 * usd_hour,
    }
}

/// Cycles of the engine's steps, and bytes that the circuit hash takes.
struct Work {
    new: f64,
    hashed: f64,
    contribute: f64,
    beacon: f64,
    check: f64,
}

impl Work {
    fn of(circuit: &Circuit, arithmetic: &Arithmetic) -> Self {
        /// Additions for a point times a 128-bit coefficient.
        const DIGITS: u64 = 10;
        let shape = circuit.shape;
        let in_g1 = if arithmetic.endomorphism {
            shape.with_endomorphism
        } else {
            shape.base_two
        };
        let [a, b, c] = in_g1.digits;
        let [a2, b2, c2] = in_g1.doublings;
        // A, B1, K = beta A + alpha B + C, and B2; each sum begins with a copy.
        let g1 = (2 * a + 2 * b + c + in_g1.doublings_a_b + a2 + b2 + c2)
            .saturating_sub(3 * circuit.wires)
            + circuit.domain();
        let [_, b, _] = shape.base_two.digits;
        let [_, b2, _] = shape.base_two.doublings;
        let g2 = (b + b2).saturating_sub(circuit.wires);
        let terms: u64 = shape.terms.iter().sum();
        let points = 6 * circuit.wires + 3 * circuit.domain();
        let multiplied = circuit.multiplied_points();
        let [g1_bytes, g2_bytes] = [circuit.curve.g1_bytes(), circuit.curve.g2_bytes()]
            .map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        Self {
            new: real(
                g1 * arithmetic.addition_g1
                    + g2 * arithmetic.addition_g2
                    + 3 * terms * costs::TERM
                    + points * costs::POINT,
            ),
            hashed: real(circuit.wires * (3 * g1_bytes + g2_bytes) + circuit.domain() * g1_bytes),
            contribute: real(multiplied * arithmetic.contribution_point),
            beacon: real(multiplied * arithmetic.beacon_point),
            // Both keys, the same coefficients.
            check: real(multiplied * (2 * DIGITS * arithmetic.addition_g1 + 2 * costs::CHALLENGE)),
        }
    }
}

/// As near as a float comes.
fn real(n: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0));
    half(n >> 32) * 4_294_967_296.0 + half(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_twice_the_size_takes_more_of_everything() {
        let mut before: Option<Estimate> = None;
        for power in 10..=28 {
            let now = estimate(&Circuit::typical(power));
            assert_eq!(now.power, power);
            assert_eq!(now.impossible, None);
            assert!(!now.instances.is_empty());
            if let Some(before) = before {
                assert!(now.sizes.ptau > 2 * before.sizes.ptau - (1 << 10));
                assert!(now.disk > before.disk);
                assert!(now.memory.enclave >= before.memory.enclave);
                for (now, before) in now.instances.iter().zip(&before.instances) {
                    assert_eq!(now.instance, before.instance);
                    assert!(now.seconds > before.seconds && now.usd > before.usd);
                }
            }
            before = Some(now);
        }
    }

    #[test]
    fn the_enclave_stays_small_whatever_the_circuit() {
        let memory = |power| estimate(&Circuit::typical(power)).memory.enclave;
        assert!(memory(26) - memory(10) < 16 << 20);
        assert!(memory(28) < 1 << 30);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        assert!(estimate(&Circuit::typical(29)).impossible.is_some());
        let mut sources = Circuit::typical(22);
        sources.from_sources = true;
        let hint = estimate(&sources).impossible;
        assert!(hint.is_some_and(|hint| hint.contains(".r1cs")), "{hint:?}");
    }

    #[test]
    fn stages_add_up_and_each_says_where_it_runs() {
        for on in estimate(&Circuit::typical(20)).instances {
            let sum: f64 = on.stages.iter().map(|stage| stage.seconds).sum();
            assert!((sum - on.seconds).abs() < 1e-6);
            assert!(
                on.stages
                    .iter()
                    .all(|stage| ["host", "enclave"].contains(&stage.place))
            );
            assert_eq!(
                machine::named(on.instance).map(|i| i.name),
                Some(on.instance)
            );
        }
    }
}
