//! The measured constants of the model, in processor cycles of one core. `docs/scale.md` says how each
//! was measured, and what the model leaves out.

/// Arithmetic that the engine finds on a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Its name in `docs/engine.md`.
    pub name: &'static str,
    /// A point of a contribution: a secret schedule.
    pub contribution_point: u64,
    /// A point of the beacon: the shortest schedule.
    pub beacon_point: u64,
    /// An addition in a sum of many points of G1, sorting and copying included.
    pub addition_g1: u64,
    /// The same in G2.
    pub addition_g2: u64,
    /// Whether long coefficients in G1 go to the base θ.
    pub endomorphism: bool,
}

/// Eight lanes of 52 bits. Worked out from the table of `scripts/bench` on an AMD EPYC of family 26 at 4.3 GHz, reading and
/// writing included; additions in G2 cost as many times those in G1 as bare ones do.
pub const IFMA: Arithmetic = Arithmetic {
    name: "AVX-512 IFMA",
    contribution_point: 12_000,
    beacon_point: 10_300,
    addition_g1: 250,
    addition_g2: 600,
    endomorphism: true,
};

/// Plain code, for processors without a vector unit that the engine knows. Measured on an Intel Xeon of family 6,
/// model 85; additions with what the other level takes beside the bare ones.
pub const PLAIN: Arithmetic = Arithmetic {
    name: "no vector unit",
    contribution_point: 131_000,
    beacon_point: 108_000,
    addition_g1: 1_000,
    addition_g2: 2_600,
    endomorphism: true,
};

/// BLAKE2b-512, one stream, for each byte. Measured on the same machine.
pub const BLAKE2B_BYTE: f64 = 3.3;
/// Reading a term of the circuit and handing it on.
pub const TERM: u64 = 50;
/// What a point costs beside the additions: reading, checking, converting, hashing, writing.
pub const POINT: u64 = 350;
/// BLAKE2b for a random coefficient, and cutting it into digits.
pub const CHALLENGE: u64 = 400;

/// circom in its sandbox, for each constraint: cycles, and bytes of memory above [`CIRCOM_BASE_BYTES`].
/// From multiplier chains of 32,000 and 262,000 constraints; a circuit that is simplified much takes more.
pub const CIRCOM_CONSTRAINT: u64 = 150_000;
/// See [`CIRCOM_CONSTRAINT`].
pub const CIRCOM_CONSTRAINT_BYTES: u64 = 2_010;
/// What circom takes for no constraint at all.
pub const CIRCOM_BASE_BYTES: u64 = 63 << 20;
/// The sandbox's limit.
pub const CIRCOM_MOST_BYTES: u64 = 4 << 30;
/// solc's compile of the contract: cycles and memory, whatever the circuit.
pub const SOLC: u64 = 5_000_000_000;
/// See [`SOLC`].
pub const SOLC_BYTES: u64 = 220 << 20;

/// Memory of the engine's steps at most, whatever the circuit: `--memory` and its buffers.
pub const ENGINE_BYTES: u64 = 256 << 20;
/// The enclave's programs and kernel, its image in memory, and the chunks of files under way.
pub const ENCLAVE_BASE_BYTES: u64 = 192 << 20;
/// A file that the host keeps leaves this much in the enclave for each chunk of a MiB.
pub const CHUNK_DIGEST_BYTES: u64 = 32;
/// See [`CHUNK_DIGEST_BYTES`].
pub const CHUNK_BYTES: u64 = 1 << 20;

/// Bytes a second between host and enclave. ASSUMED: no figure of real hardware is known that could be
/// relied on (a forum post has 106 MB/s, others speak of 400).
pub const VSOCK_BYTES_S: f64 = 200e6;
/// Bytes a second from where the powers of tau are published. ASSUMED.
pub const NETWORK_BYTES_S: f64 = 100e6;
/// Bytes a second of the volume, as `infra/run.yaml` orders it.
pub const DISK_BYTES_S: f64 = 500.0 * 1_048_576.0;
/// Seconds to start the machine, allot the enclave's memory and boot it. ASSUMED.
pub const BOOT_S: f64 = 180.0;
/// Seconds from the attested contribution to the beacon round: margin and one period of quicknet.
pub const BEACON_WAIT_S: f64 = 33.0;

/// Share of a second core that a second thread on the same one adds.
pub const SECOND_THREAD: f64 = 0.25;
