//! `host.json`: what the controller tells a machine, `infra/README.md`. The machine's tags name its SHA-256.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// First field of the object.
const FORMAT: &str = "ceremony-host v1";
/// Largest object taken, bytes.
const LIMIT: usize = 16 << 10;

/// The files that a machine fetches, each by its SHA-256.
pub const ARTIFACTS: [&str; 5] = [
    "host-agent",
    "host-agent.service",
    "enclave.eif",
    "circom.wasm",
    "solc.wasm",
];

/// PCR0 to PCR2 of the enclave image, SHA-384 each.
pub type Pcrs = [[u8; 48]; 3];

/// The object, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Name of the run, `[a-z0-9][a-z0-9-]{0,31}`.
    pub run: String,
    /// Memory of the enclave, MiB.
    pub enclave_memory_mib: u32,
    /// Processors of the enclave.
    pub enclave_cpus: u32,
    /// What the enclave image must measure.
    pub pcrs: Pcrs,
    /// Memory for making the initial key, MiB.
    pub host_memory_mib: u32,
    /// Bucket of powers of tau whose reader pays.
    pub ptau_mirror: Option<String>,
    /// SHA-256 of each of [`ARTIFACTS`].
    pub artifacts: BTreeMap<String, [u8; 32]>,
}

/// Why an object is not a `host.json`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostConfigError {
    /// Larger than any such object.
    #[error("host.json has {got} bytes, at most {LIMIT} are taken")]
    TooLarge {
        /// Bytes given.
        got: usize,
    },
    /// Not JSON.
    #[error("host.json is not JSON")]
    Json(#[from] serde_json::Error),
    /// A field is missing, unknown, or not of its form.
    #[error("host.json: {field} {problem}")]
    Field {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl HostConfigError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Json(_) | Self::Field { .. } => "host_config",
        }
    }
}

/// Bytes that claim to be a `host.json`.
#[derive(Debug, Clone)]
pub struct RawHostConfig(pub Vec<u8>);

impl RawHostConfig {
    /// Checks every field; unknown ones are refused.
    pub fn validate(self) -> Result<HostConfig, HostConfigError> {
        if self.0.len() > LIMIT {
            return Err(HostConfigError::TooLarge { got: self.0.len() });
        }
        let value: Value = serde_json::from_slice(&self.0)?;
        let root = Fields::of(
            &value,
            "",
            &[
                "format",
                "run",
                "enclave",
                "host_memory_mib",
                "ptau_mirror",
                "artifacts",
            ],
        )?;
        if root.text("format")? != FORMAT {
            return Err(root.wrong("format", "is not \"ceremony-host v1\""));
        }
        let enclave = Fields::of(
            root.get("enclave")?,
            "enclave.",
            &["memory_mib", "cpu_count", "pcr0", "pcr1", "pcr2"],
        )?;
        let files = Fields::of(root.get("artifacts")?, "artifacts.", &ARTIFACTS)?;
        let mut artifacts = BTreeMap::new();
        for name in ARTIFACTS {
            artifacts.insert(name.to_owned(), files.digest::<32>(name)?);
        }
        let run = root.text("run")?;
        if !is_run(run) {
            return Err(root.wrong("run", "is not the name of a run"));
        }
        let ptau_mirror = match root.get("ptau_mirror")? {
            Value::Null => None,
            Value::String(bucket) if is_bucket(bucket) => Some(bucket.clone()),
            _ => return Err(root.wrong("ptau_mirror", "is neither null nor the name of a bucket")),
        };
        Ok(HostConfig {
            run: run.to_owned(),
            enclave_memory_mib: enclave.number("memory_mib", 64..=16 << 20)?,
            enclave_cpus: enclave.number("cpu_count", 1..=1024)?,
            pcrs: [
                enclave.digest("pcr0")?,
                enclave.digest("pcr1")?,
                enclave.digest("pcr2")?,
            ],
            host_memory_mib: root.number("host_memory_mib", 1..=16 << 20)?,
            ptau_mirror,
            artifacts,
        })
    }
}

impl HostConfig {
    /// The object's bytes: what is written to the bucket.
    pub fn to_json(&self) -> Vec<u8> {
        let [pcr0, pcr1, pcr2] = self.pcrs.map(hex::encode);
        let artifacts: Map<String, Value> = self
            .artifacts
            .iter()
            .map(|(name, sha256)| (name.clone(), hex::encode(sha256).into()))
            .collect();
        let value = json!({
            "format": FORMAT,
            "run": self.run,
            "enclave": {
                "memory_mib": self.enclave_memory_mib,
                "cpu_count": self.enclave_cpus,
                "pcr0": pcr0,
                "pcr1": pcr1,
                "pcr2": pcr2,
            },
            "host_memory_mib": self.host_memory_mib,
            "ptau_mirror": self.ptau_mirror,
            "artifacts": artifacts,
        });
        format!("{value:#}\n").into_bytes()
    }

    /// The value of the template's parameter `ParametersSha256`: SHA-256 of [`to_json`](Self::to_json), hex.
    pub fn parameters_sha256(&self) -> String {
        hex::encode(Sha256::digest(self.to_json()))
    }
}

/// Whether a text is the name of a run in the cloud: it becomes part of bucket, stack and tag.
pub fn is_run(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(is_lower_digit_hyphen)
}

fn is_bucket(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text.bytes().all(is_lower_digit_hyphen)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_lower_digit_hyphen(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

/// An object with exactly the known fields.
struct Fields<'v> {
    object: &'v Map<String, Value>,
    path: &'static str,
}

impl<'v> Fields<'v> {
    fn of(value: &'v Value, path: &'static str, known: &[&str]) -> Result<Self, HostConfigError> {
        let wrong = |field: String, problem| HostConfigError::Field { field, problem };
        let object = value
            .as_object()
            .ok_or_else(|| wrong(path.trim_end_matches('.').to_owned(), "is not an object"))?;
        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(wrong(
                format!("{path}{}", key.chars().take(40).collect::<String>()),
                "is not known",
            )),
            None => Ok(Self { object, path }),
        }
    }

    fn wrong(&self, field: &str, problem: &'static str) -> HostConfigError {
        HostConfigError::Field {
            field: format!("{}{field}", self.path),
            problem,
        }
    }

    fn get(&self, field: &str) -> Result<&'v Value, HostConfigError> {
        self.object
            .get(field)
            .ok_or_else(|| self.wrong(field, "is missing"))
    }

    fn text(&self, field: &str) -> Result<&'v str, HostConfigError> {
        self.get(field)?
            .as_str()
            .ok_or_else(|| self.wrong(field, "is not a text"))
    }

    fn number(
        &self,
        field: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, HostConfigError> {
        self.get(field)?
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| range.contains(n))
            .ok_or_else(|| self.wrong(field, "is not a number in its range"))
    }

    fn digest<const N: usize>(&self, field: &str) -> Result<[u8; N], HostConfigError> {
        let text = self.text(field)?;
        let mut digest = [0; N];
        if text.bytes().any(|b| b.is_ascii_uppercase())
            || hex::decode_to_slice(text, &mut digest).is_err()
        {
            return Err(self.wrong(field, "is not a digest in lower-case hex"));
        }
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Value);

    fn config() -> HostConfig {
        HostConfig {
            run: "run-0123456789abcdef".to_owned(),
            enclave_memory_mib: 8192,
            enclave_cpus: 6,
            pcrs: [[0xaa; 48], [0xbb; 48], [0xcc; 48]],
            host_memory_mib: 2048,
            ptau_mirror: Some("ptau-mirror".to_owned()),
            artifacts: ARTIFACTS
                .iter()
                .map(|name| ((*name).to_owned(), [7; 32]))
                .collect(),
        }
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Result<HostConfig, String> {
        let mut value: Value = serde_json::from_slice(&config().to_json()).unwrap();
        change(&mut value);
        RawHostConfig(value.to_string().into_bytes())
            .validate()
            .map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let read = RawHostConfig(config().to_json()).validate().unwrap();
        assert_eq!(read, config());
        assert_eq!(read.parameters_sha256(), config().parameters_sha256());
        assert_eq!(read.parameters_sha256().len(), 64);
    }

    #[test]
    fn r55_every_field_is_checked() {
        assert!(changed(|_| {}).is_ok());
        let cases: [(Change, &str); 11] = [
            (
                |v| v["format"] = "v2".into(),
                "format is not \"ceremony-host v1\"",
            ),
            (
                |v| v["run"] = "$(reboot)".into(),
                "run is not the name of a run",
            ),
            (|v| v["run"] = "a\nb".into(), "run is not the name of a run"),
            (|v| v["extra"] = 1.into(), "extra is not known"),
            (
                |v| v["enclave"]["debug"] = true.into(),
                "enclave.debug is not known",
            ),
            (
                |v| v["enclave"]["cpu_count"] = 0.into(),
                "enclave.cpu_count is not a number in its range",
            ),
            (
                |v| v["enclave"]["memory_mib"] = "1; id".into(),
                "enclave.memory_mib is not a number in its range",
            ),
            (
                |v| v["enclave"]["pcr0"] = "00".into(),
                "enclave.pcr0 is not a digest in lower-case hex",
            ),
            (
                |v| v["ptau_mirror"] = "a/../b".into(),
                "ptau_mirror is neither null nor the name of a bucket",
            ),
            (
                |v| v["artifacts"]["../x"] = "00".into(),
                "artifacts.../x is not known",
            ),
            (
                |v| drop(v["artifacts"].as_object_mut().unwrap().remove("solc.wasm")),
                "artifacts.solc.wasm is missing",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(
                changed(change).unwrap_err(),
                format!("host.json: {expected}")
            );
        }
        let large = RawHostConfig(vec![b' '; LIMIT + 1]).validate();
        assert!(matches!(large, Err(HostConfigError::TooLarge { .. })));
    }
}
