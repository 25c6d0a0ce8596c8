//! `nitro-cli`: JSON on standard output, words and error codes on standard error.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::NitroError;

/// Largest answer that is looked at, bytes.
const ANSWER_LIMIT: usize = 64 << 10;
/// Most of its words that are passed on, characters.
const WORDS_LIMIT: usize = 600;

/// The program.
#[derive(Debug, Clone)]
pub struct NitroCli {
    program: PathBuf,
    patience: Duration,
}

/// An enclave as `run-enclave` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// `i-…-enc…`
    pub id: String,
    /// Where it is reached over vsock.
    pub cid: u32,
}

/// An enclave as `describe-enclaves` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `i-…-enc…`
    pub id: String,
    /// Where it is reached over vsock.
    pub cid: u32,
    /// `RUNNING`, `TERMINATING` or `EMPTY`.
    pub state: String,
    /// `NONE` or `DEBUG_MODE`.
    pub flags: String,
    /// PCR0 to PCR2 as the image measured when it was started.
    pub pcrs: [[u8; 48]; 3],
}

impl NitroCli {
    /// The program, for an enclave of this much memory. (`nitro-cli` itself waits for a boot 90 s per started 6 GiB of image and
    /// 90 s per started 100 GiB of memory; setting memory aside comes before.)
    pub fn new(program: PathBuf, memory_mib: u32) -> Self {
        let hundreds_of_gib = u64::from(memory_mib.div_ceil(100 << 10));
        Self {
            program,
            patience: Duration::from_secs(hundreds_of_gib.saturating_mul(90).saturating_add(210)),
        }
    }

    /// Starts an enclave, never in debug mode.
    pub async fn run_enclave(
        &self,
        image: &Path,
        cpus: u32,
        memory_mib: u32,
    ) -> Result<Started, NitroError> {
        let call = "run-enclave";
        let (cpus, memory) = (cpus.to_string(), memory_mib.to_string());
        let arguments: [&OsStr; 7] = [
            call.as_ref(),
            "--eif-path".as_ref(),
            image.as_os_str(),
            "--cpu-count".as_ref(),
            cpus.as_ref(),
            "--memory".as_ref(),
            memory.as_ref(),
        ];
        let answer = Fields {
            call,
            value: self.ask(call, &arguments).await?,
        };
        Ok(Started {
            id: answer.id()?,
            cid: answer.cid()?,
        })
    }

    /// Every enclave of this machine.
    pub async fn describe_enclaves(&self) -> Result<Vec<Described>, NitroError> {
        let call = "describe-enclaves";
        let Value::Array(list) = self.ask(call, &[call.as_ref()]).await? else {
            return Err(NitroError::Answer {
                call,
                problem: "no list",
            });
        };
        list.into_iter()
            .map(|value| {
                let fields = Fields { call, value };
                Ok(Described {
                    id: fields.id()?,
                    cid: fields.cid()?,
                    state: fields.text("State", "no State")?,
                    flags: fields.text("Flags", "no Flags")?,
                    pcrs: [
                        fields.pcr("PCR0")?,
                        fields.pcr("PCR1")?,
                        fields.pcr("PCR2")?,
                    ],
                })
            })
            .collect()
    }

    /// Ends an enclave.
    pub async fn terminate_enclave(&self, id: &str) -> Result<(), NitroError> {
        let call = "terminate-enclave";
        let arguments: [&OsStr; 3] = [call.as_ref(), "--enclave-id".as_ref(), id.as_ref()];
        let answer = self.ask(call, &arguments).await?;
        match answer.get("Terminated") {
            Some(Value::Bool(true)) => Ok(()),
            _ => Err(NitroError::Answer {
                call,
                problem: "Terminated is not true",
            }),
        }
    }

    /// Asks for an enclave's end and does not wait for it.
    pub(super) fn begin_to_terminate(&self, id: &str) {
        let asked = std::process::Command::new(&self.program)
            .args(["terminate-enclave", "--enclave-id", id])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Err(error) = asked {
            tracing::warn!("{id} is not ended: {error}");
        }
    }

    async fn ask(&self, call: &'static str, arguments: &[&OsStr]) -> Result<Value, NitroError> {
        let child = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(self.patience, child).await;
        let output = ended
            .map_err(|_| NitroError::Silent {
                call,
                seconds: self.patience.as_secs(),
            })?
            .map_err(|source| NitroError::Program {
                program: self.program.clone(),
                source,
            })?;
        if !output.status.success() {
            return Err(refused(call, &output));
        }
        let answer = output.stdout.get(..ANSWER_LIMIT).unwrap_or(&output.stdout);
        serde_json::from_slice(answer).map_err(|_| NitroError::Answer {
            call,
            problem: "no JSON",
        })
    }
}

/// What it said. Several codes may follow each other: the first is the reason, `E39` after it only says that nothing runs.
fn refused(call: &'static str, output: &Output) -> NitroError {
    let words = String::from_utf8_lossy(&output.stderr);
    let reason = words.lines().find_map(|line| {
        let (code, rest) = line.trim_start().strip_prefix("[ ")?.split_once(" ] ")?;
        let digits = code.strip_prefix('E')?;
        (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| (code.to_owned(), rest.to_owned()))
    });
    let (error_code, words) = match reason {
        Some((code, rest)) => (Some(code), rest),
        None => (None, words.trim().replace('\n', "; ")),
    };
    NitroError::Refused {
        call,
        error_code,
        words: words.chars().take(WORDS_LIMIT).collect(),
    }
}

struct Fields {
    call: &'static str,
    value: Value,
}

impl Fields {
    fn wrong(&self, problem: &'static str) -> NitroError {
        NitroError::Answer {
            call: self.call,
            problem,
        }
    }

    fn text(&self, field: &str, problem: &'static str) -> Result<String, NitroError> {
        let text = self.value.get(field).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| self.wrong(problem))
    }

    /// `i-0123456789abcdef0-enc0123456789abcdef`; it becomes an argument again, so its form is looked at.
    fn id(&self) -> Result<String, NitroError> {
        let id = self.text("EnclaveID", "no EnclaveID")?;
        let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        let parts = id
            .strip_prefix("i-")
            .and_then(|rest| rest.split_once("-enc"));
        if id.len() <= 64 && parts.is_some_and(|(instance, enclave)| hex(instance) && hex(enclave))
        {
            Ok(id)
        } else {
            Err(self.wrong("EnclaveID is not of its form"))
        }
    }

    fn cid(&self) -> Result<u32, NitroError> {
        let cid = self.value.get("EnclaveCID").and_then(Value::as_u64);
        cid.and_then(|cid| u32::try_from(cid).ok())
            .ok_or_else(|| self.wrong("EnclaveCID is no context id"))
    }

    fn pcr(&self, name: &str) -> Result<[u8; 48], NitroError> {
        let text = self
            .value
            .get("Measurements")
            .and_then(|all| all.get(name))
            .and_then(Value::as_str);
        let mut pcr = [0; 48];
        match text.map(|text| hex::decode_to_slice(text, &mut pcr)) {
            Some(Ok(())) => Ok(pcr),
            _ => Err(self.wrong("Measurements are not PCR0 to PCR2")),
        }
    }
}
