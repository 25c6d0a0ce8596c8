//! Emulators of AWS services, as processes of this machine: installed, started and stopped by the test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{skipped, target, workspace_root};

/// From its start to its first answer; a loaded machine takes long to import Python modules.
const START_TIME: Duration = Duration::from_mins(3);

/// A running emulator. It ends when this is dropped, or with the process that holds it.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    address: SocketAddr,
}

/// Which emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmulatorKind {
    /// moto: identity, CloudFormation, EC2, S3 without checks of digests.
    Moto,
    /// ministack: S3 with digests, conditions and ranges.
    Ministack,
}

impl Emulator {
    /// Starts one. `None` where it cannot be installed: the caller skips, and this function has said so on
    /// standard error.
    ///
    /// # Panics
    /// Where it can be installed and does not answer, and in continuous integration also where it cannot
    /// be installed: a suite that skips there would say nothing.
    #[must_use]
    #[expect(clippy::panic, reason = "a test cannot go on, and must not pass")]
    pub fn start(kind: EmulatorKind) -> Option<Self> {
        let python = match install() {
            Ok(python) => python,
            Err(reason) if std::env::var_os("CI").is_some() => {
                panic!("emulators cannot be installed: {reason}")
            }
            Err(reason) => {
                skipped(&format!("emulators of AWS cannot be installed: {reason}"));
                return None;
            }
        };
        match serve(&python, kind) {
            Ok(emulator) => Some(emulator),
            Err(reason) => panic!("{kind:?} does not answer: {reason}"),
        }
    }

    /// Where it listens, on the loopback interface.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs `scripts/emulators`; gives the Python that has them.
fn install() -> Result<String, String> {
    let output = Command::new(workspace_root().join("scripts/emulators"))
        .arg(target().join("emulators"))
        .output()
        .map_err(|error| format!("scripts/emulators: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn serve(python: &str, kind: EmulatorKind) -> Result<Emulator, String> {
    let name = match kind {
        EmulatorKind::Moto => "moto",
        EmulatorKind::Ministack => "ministack",
    };
    let address = free_address()?;
    let child = Command::new(python)
        .arg(workspace_root().join("tests/emulators/serve.py"))
        .args([name, &address.port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{python}: {error}"))?;
    let mut emulator = Emulator { child, address };
    let begun = Instant::now();
    while !answers(address) {
        if let Ok(Some(status)) = emulator.child.try_wait() {
            return Err(format!("it ended: {status}"));
        }
        if begun.elapsed() > START_TIME {
            return Err(format!("nothing within {} s", START_TIME.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(emulator)
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| error.to_string())
}

/// Whether it speaks HTTP yet.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let limit = Duration::from_secs(5);
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 5];
        stream.read_exact(&mut start)?;
        Ok(start == *b"HTTP/")
    };
    ask().unwrap_or(false)
}
