//! What a process takes: a small process of its own runs it, so that the system's counters of
//! finished children belong to that one command.

use std::{
    ffi::{OsStr, OsString},
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use crate::error::BenchError;

/// What one run took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Seconds of processor time in user mode, all threads.
    pub(crate) user: f64,
    /// Seconds of processor time in the kernel.
    pub(crate) system: f64,
    /// Largest resident set, in MiB.
    pub(crate) peak_mib: f64,
    /// All that was printed.
    pub(crate) output: String,
    /// Whether the exit code was zero.
    pub(crate) success: bool,
}

/// Runs a command through this program's `measure`.
pub(crate) fn run<A: AsRef<OsStr>>(program: &OsStr, arguments: &[A]) -> Result<Run, BenchError> {
    let own = std::env::current_exe().map_err(BenchError::io("find this program"))?;
    let output = Command::new(own)
        .arg("measure")
        .arg("--")
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(BenchError::io("start the measuring process"))?;
    serde_json::from_slice(&output.stdout).map_err(|_| BenchError::Failed {
        program: program.to_string_lossy().into_owned(),
        step: "measurement".into(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The measuring process.
pub(crate) fn child(command: &[OsString]) -> Result<(), BenchError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(BenchError::Files {
            expected: 1,
            got: 0,
        });
    };
    let start = Instant::now();
    let result = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(BenchError::io(program.to_string_lossy()))?;
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(|errno| BenchError::io("read the counters of children")(errno.into()))?;
    let mut output = String::from_utf8_lossy(&result.stdout).into_owned();
    output.push_str(&String::from_utf8_lossy(&result.stderr));
    let run = Run {
        wall,
        user: seconds(usage.user_time()),
        system: seconds(usage.system_time()),
        peak_mib: f64::from(i32::try_from(usage.max_rss()).unwrap_or(i32::MAX)) / 1024.0,
        output,
        success: result.status.success(),
    };
    let json = serde_json::to_string(&run).map_err(BenchError::engine)?;
    anstream::println!("{json}");
    Ok(())
}

fn seconds(time: nix::sys::time::TimeVal) -> f64 {
    let micro = std::time::Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0));
    std::time::Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0)).as_secs_f64()
        + micro.as_secs_f64()
}
