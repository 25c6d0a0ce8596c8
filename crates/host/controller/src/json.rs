//! The objects of `--json`, one a line: `docs/cli.md` documents them, `v` is their version.

use serde::Serialize;

/// Version of every object below.
pub(crate) const VERSION: u32 = 1;

/// Something that is written under `--json`.
pub trait Object: Serialize {
    /// Value of `type`.
    const TYPE: &'static str;
}

/// `v` and `type` before the object's own fields.
#[derive(Debug)]
pub(crate) struct Envelope<'a, T>(&'a T);

impl<'a, T: Object> Envelope<'a, T> {
    pub(crate) fn of(object: &'a T) -> Self {
        Self(object)
    }
}

impl<T: Object> Serialize for Envelope<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeMap};
        let value = serde_json::to_value(self.0).map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("v", &VERSION)?;
        map.serialize_entry("type", T::TYPE)?;
        if let serde_json::Value::Object(fields) = value {
            for (key, field) in &fields {
                map.serialize_entry(key, field)?;
            }
        }
        map.end()
    }
}

/// A run begins.
#[derive(Debug, Serialize)]
pub struct Started<'a> {
    /// Name of the run in the store.
    pub run: &'a str,
    /// Ceremony id, hex.
    pub ceremony: &'a str,
    /// Whether any part is simulated.
    pub simulation: bool,
}

impl Object for Started<'_> {
    const TYPE: &'static str = "started";
}

/// Work moved on.
#[derive(Debug, Serialize)]
pub struct Progress<'a> {
    /// Name of the work.
    pub step: &'a str,
    /// Units done.
    pub done: u64,
    /// Units in all, 0 if not known.
    pub total: u64,
    /// `bytes`, `points`, `constraints` or `steps`.
    pub unit: &'a str,
}

impl Object for Progress<'_> {
    const TYPE: &'static str = "progress";
}

/// The enclave reached a stage.
#[derive(Debug, Serialize)]
pub struct StageReached<'a> {
    /// Name of the stage.
    pub stage: &'a str,
}

impl Object for StageReached<'_> {
    const TYPE: &'static str = "stage";
}

/// A service said something.
#[derive(Debug, Serialize)]
pub struct Note<'a> {
    /// What it said.
    pub text: &'a str,
}

impl Object for Note<'_> {
    const TYPE: &'static str = "note";
}

/// One thing that a file says; nothing about it has been verified.
#[derive(Debug, Serialize)]
pub struct Fact<'a> {
    /// Name.
    pub name: &'a str,
    /// Value as text.
    pub value: &'a str,
}

impl Object for Fact<'_> {
    const TYPE: &'static str = "fact";
}

/// Measurements of an enclave image. `verify --pcrs` reads this object too.
#[derive(Debug, Serialize)]
pub struct Pcrs<'a> {
    /// The whole image, hex.
    #[serde(rename = "PCR0")]
    pub pcr0: &'a str,
    /// Kernel, command line and ramdisk, hex.
    #[serde(rename = "PCR1")]
    pub pcr1: &'a str,
    /// Further ramdisks, hex.
    #[serde(rename = "PCR2")]
    pub pcr2: &'a str,
    /// The kernel's command line.
    pub command_line: &'a str,
    /// Whether the kernel is a bzImage that says where it ends, so that the PCRs determine the sections.
    pub kernel_end_declared: bool,
}

impl Object for Pcrs<'_> {
    const TYPE: &'static str = "pcrs";
}

/// What a ceremony takes.
#[derive(Debug, Serialize)]
pub struct Plan<'a> {
    /// Curve of the circuit.
    pub curve: &'a str,
    /// Constraints.
    pub constraints: u64,
    /// Wires.
    pub wires: u64,
    /// Outputs and public inputs.
    pub public: u64,
    /// Sizes, memory, disk, and time and cost by instance type: bytes, seconds, US dollars.
    #[serde(flatten)]
    pub estimate: &'a plan::Estimate,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(circuit: &plan::Circuit, estimate: &'a plan::Estimate) -> Self {
        Self {
            curve: circuit.curve.name(),
            constraints: circuit.constraints,
            wires: circuit.wires,
            public: circuit.public,
            estimate,
        }
    }
}

impl Object for Plan<'_> {
    const TYPE: &'static str = "plan";
}

/// What is about to be made in the cloud.
#[derive(Debug, Serialize)]
pub struct CloudPlan<'a> {
    /// The run.
    pub run: &'a str,
    /// Ceremony id, hex.
    pub ceremony: &'a str,
    /// Whether any part is simulated.
    pub simulation: bool,
    /// Who pays.
    pub account: &'a str,
    /// Where.
    pub region: &'a str,
    /// `x86_64` or `arm64`.
    pub architecture: &'a str,
    /// Machines in the order in which they are tried.
    pub places: Vec<CloudPlace<'a>>,
    /// Memory of the enclave, MiB.
    pub enclave_mib: u32,
    /// Processors of the enclave.
    pub enclave_cpus: u32,
    /// Disk, GiB.
    pub volume_gib: u32,
    /// When everything ends, RFC 3339.
    pub deadline: &'a str,
    /// Seconds that are expected.
    pub expected_s: u64,
    /// US dollars that are expected.
    pub expected_usd: &'a str,
    /// US dollars until the deadline.
    pub most_usd: &'a str,
    /// Days after which objects end.
    pub keep_days: u32,
}

/// A machine that may be taken.
#[derive(Debug, Serialize)]
pub struct CloudPlace<'a> {
    /// Its type.
    pub instance_type: &'a str,
    /// Its zone.
    pub zone: &'a str,
    /// Its price.
    pub usd_per_hour: String,
}

impl Object for CloudPlan<'_> {
    const TYPE: &'static str = "cloud-plan";
}

/// One step of a checklist.
#[derive(Debug, Serialize)]
pub struct Step<'a> {
    /// Stable name of the step.
    pub id: &'a str,
    /// What it checks.
    pub title: &'a str,
    /// `passed`, `failed` or `not-checked`.
    pub status: &'a str,
    /// What was seen, why it failed, or why it was not checked.
    pub detail: &'a str,
}

impl Object for Step<'_> {
    const TYPE: &'static str = "step";
}

/// One contribution of a checked key.
#[derive(Debug, Serialize)]
pub struct Contribution<'a> {
    /// From 1.
    pub number: usize,
    /// Contribution hash, BLAKE2b-512 as snarkjs prints it.
    pub hash: &'a str,
    /// Whether it is a beacon.
    pub beacon: bool,
    /// The recorded name, which nothing vouches for.
    pub unauthenticated_name: &'a str,
}

impl Object for Contribution<'_> {
    const TYPE: &'static str = "contribution";
}

/// A change in the cloud is about to be made, or is waited for.
#[derive(Debug, Serialize)]
pub struct CloudStep<'a> {
    /// What.
    pub step: &'a str,
    /// To what.
    pub detail: &'a str,
}

impl Object for CloudStep<'_> {
    const TYPE: &'static str = "cloud-step";
}

/// The host-agent has been silent; this is what was found.
#[derive(Debug, Serialize)]
pub struct Silent<'a> {
    /// What its machine does.
    pub finding: &'a str,
    /// When it last wrote, RFC 3339; null if it never did.
    pub last_record: Option<&'a str>,
    /// The end of the machine's console: foreign text.
    pub console: Option<&'a str>,
}

impl Object for Silent<'_> {
    const TYPE: &'static str = "silent";
}

/// One thing that `doctor` looked at.
#[derive(Debug, Serialize)]
pub struct Health<'a> {
    /// Stable name.
    pub id: &'a str,
    /// What it is.
    pub title: &'a str,
    /// `ok`, `warning`, `failed` or `not-checked` (it could not be asked).
    pub status: &'a str,
    /// What was seen.
    pub detail: &'a str,
    /// What to do.
    pub hint: Option<&'a str>,
}

impl Object for Health<'_> {
    const TYPE: &'static str = "health";
}

/// A bundle was published.
#[derive(Debug, Serialize)]
pub struct Published<'a> {
    /// Where, as it was typed.
    pub to: &'a str,
    /// Whether any part of the ceremony is simulated.
    pub simulated: bool,
    /// Files there.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files written now.
    pub written: usize,
    /// Files that were there with the same bytes.
    pub already: usize,
    /// Address of the page, if an address was given.
    pub public: Option<&'a str>,
    /// Whether page and list of digests were read there as they were published; not if nothing could be read.
    pub public_read: Option<bool>,
    /// File with the page of signed links, which are secrets: never the links themselves.
    pub page: Option<&'a str>,
    /// How long they last.
    pub link_hours: Option<u16>,
}

impl Object for Published<'_> {
    const TYPE: &'static str = "published";
}

/// Where a run in the cloud stands.
#[derive(Debug, Serialize)]
pub struct Standing<'a> {
    /// The run.
    pub run: &'a str,
    /// The last record, in words.
    pub last: &'a str,
    /// Its age in seconds.
    pub age_s: Option<u64>,
    /// Whether the host-agent has been silent for too long.
    pub silent: bool,
    /// What its machine does.
    pub machine: &'a str,
    /// Whether the commit marker is there.
    pub committed: bool,
    /// When everything of it has to be gone, RFC 3339.
    pub deadline: &'a str,
    /// What its machines have cost so far, by the plan's prices.
    pub spent_usd: &'a str,
}

impl Object for Standing<'_> {
    const TYPE: &'static str = "standing";
}

/// The deadline was moved.
#[derive(Debug, Serialize)]
pub struct Deadline<'a> {
    /// The run.
    pub run: &'a str,
    /// To when, RFC 3339.
    pub deadline: &'a str,
}

impl Object for Deadline<'_> {
    const TYPE: &'static str = "deadline";
}

/// Something exists or may exist in the cloud, although it should not.
#[derive(Debug, Serialize)]
pub struct LeftInCloud<'a> {
    /// `stack`, `instance`, `volume`, `bucket`, or `unknown`: it could not be asked for.
    pub kind: &'a str,
    /// Its id or name.
    pub id: &'a str,
    /// Where.
    pub region: &'a str,
    /// Its state, or why it is not known.
    pub why: &'a str,
    /// Its price, if it is known.
    pub usd_per_hour: Option<&'a str>,
}

impl Object for LeftInCloud<'_> {
    const TYPE: &'static str = "left";
}

/// Something was removed, and is proved to be gone.
#[derive(Debug, Serialize)]
pub struct Removed<'a> {
    /// Kind and id.
    pub thing: &'a str,
}

impl Object for Removed<'_> {
    const TYPE: &'static str = "removed";
}

/// Something is within its deadline and was left alone.
#[derive(Debug, Serialize)]
pub struct NotDue<'a> {
    /// Kind and id.
    pub thing: &'a str,
    /// Until when, RFC 3339.
    pub deadline: &'a str,
}

impl Object for NotDue<'_> {
    const TYPE: &'static str = "not-due";
}

/// A run that is known.
#[derive(Debug, Serialize)]
pub struct KnownRun<'a> {
    /// Its id.
    pub run: &'a str,
    /// Where its bucket is; null if it has none.
    pub region: Option<&'a str>,
    /// Its deadline, RFC 3339.
    pub deadline: Option<&'a str>,
}

impl Object for KnownRun<'_> {
    const TYPE: &'static str = "run";
}

/// How a command ended.
#[derive(Debug, Serialize)]
pub struct Verdict<'a> {
    /// `verified`, `holds`, `holds_under_simulation`, `false` or `incomplete`.
    pub verdict: &'a str,
    /// In words.
    pub summary: &'a str,
    /// Exit code of the program.
    pub exit_code: u8,
}

impl Object for Verdict<'_> {
    const TYPE: &'static str = "verdict";
}

/// The command failed.
#[derive(Debug, Serialize)]
pub struct Failure<'a> {
    /// Stable code.
    pub code: &'a str,
    /// What failed, and where.
    pub message: &'a str,
    /// Why, outermost first.
    pub causes: &'a [String],
    /// What to do.
    pub hint: Option<&'a str>,
}

impl Object for Failure<'_> {
    const TYPE: &'static str = "error";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_begin_with_version_and_type() {
        let step = Step {
            id: "manifest",
            title: "t",
            status: "passed",
            detail: "d",
        };
        let text = serde_json::to_string(&Envelope::of(&step)).unwrap();
        assert!(text.starts_with(r#"{"v":1,"type":"step","#), "{text}");
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["id"], "manifest");
        assert_eq!(back["status"], "passed");
    }
}
