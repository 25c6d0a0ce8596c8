//! The two programs that are the machine: QEMU, and the vsock device behind it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::parent::Parent;
use crate::{EmulatorError, vsock};

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    qemu: PathBuf,
    vsock: PathBuf,
}

impl Programs {
    /// As `scripts/emulator` leaves them.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            qemu: folder.join("qemu-system-x86_64"),
            vsock: folder.join("vhost-device-vsock"),
        }
    }
}

/// Context id of the machine.
const GUEST: u32 = 16;
/// The vsock device makes its socket in this time.
const SOCKET_TIME: Duration = Duration::from_secs(20);

/// The running machine. Dropping it ends both programs.
#[derive(Debug)]
pub struct Machine {
    qemu: Child,
    vsock: Child,
    /// The kernel has said that it restarts. An enclave ends then; QEMU's machine would start once more.
    restarts: Arc<AtomicBool>,
}

/// What the kernel says before it restarts the machine.
const RESTARTS: &str = "reboot: Restarting system";

impl Machine {
    /// Boots `image` with `memory` MiB; its sockets are made in `folder`. Whoever plays its parent must be
    /// listening already.
    ///
    /// # Errors
    /// A program that cannot be started, or a vsock device that makes no socket.
    pub fn start(
        programs: &Programs,
        folder: &Path,
        image: &Path,
        memory: u32,
    ) -> Result<Self, EmulatorError> {
        let socket = folder.join("vhost.sock");
        let mut device = start(
            &programs.vsock,
            &[
                "--vm".into(),
                format!(
                    "guest-cid={GUEST},socket={},uds-path={}",
                    socket.display(),
                    vsock(folder).display()
                ),
            ],
        )?;
        let deadline = Instant::now() + SOCKET_TIME;
        while !socket.exists() {
            match device.try_wait() {
                Ok(None) if Instant::now() < deadline => {}
                ended => {
                    kill(&mut device);
                    return Err(EmulatorError::Socket {
                        what: "the vsock device made no socket",
                        source: ended.err().unwrap_or(std::io::ErrorKind::TimedOut.into()),
                    });
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let qemu = start(&programs.qemu, &arguments(&socket, image, memory));
        match qemu {
            Ok(mut qemu) => {
                let restarts = Arc::new(AtomicBool::new(false));
                let seen = Arc::clone(&restarts);
                if let Some(console) = qemu.stdout.take() {
                    show(console, "console", move |line| {
                        if line.contains(RESTARTS) {
                            seen.store(true, Ordering::Release);
                        }
                    });
                }
                Ok(Self {
                    qemu,
                    vsock: device,
                    restarts,
                })
            }
            Err(error) => {
                kill(&mut device);
                Err(error)
            }
        }
    }

    /// An error if one of the programs has ended.
    ///
    /// # Errors
    /// [`EmulatorError::Ended`] with what the enclave said at last.
    pub fn check(&mut self, parent: &Parent) -> Result<(), EmulatorError> {
        match self.ended() {
            None => Ok(()),
            Some((program, status)) => Err(EmulatorError::Ended {
                program,
                status,
                said: parent
                    .last_words()
                    .map_or_else(String::new, |text| format!("; its last words: {text}")),
            }),
        }
    }

    /// The program that has ended, and how.
    pub fn ended(&mut self) -> Option<(&'static str, ExitStatus)> {
        if self.restarts.load(Ordering::Acquire) {
            kill(&mut self.qemu);
        }
        for (program, child) in [
            ("the machine", &mut self.qemu),
            ("its vsock", &mut self.vsock),
        ] {
            if let Ok(Some(status)) = child.try_wait() {
                return Some((program, status));
            }
        }
        None
    }

    /// Cuts the vsock, as nothing but a broken host does.
    pub fn cut_vsock(&mut self) {
        kill(&mut self.vsock);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        kill(&mut self.qemu);
        kill(&mut self.vsock);
    }
}

fn kill(child: &mut Child) {
    // It may have ended by itself.
    child.kill().ok();
    child.wait().ok();
}

/// Plain emulation always: a machine's own /dev/kvm may start and then hang.
///
/// Devices are told of requests by the processor that makes them. Told through an event instead, QEMU's main loop
/// looks at the queue at moments of its own, the first right when the driver is ready: its security module takes a
/// request whose buffer for the answer is not there yet for an error, and is dead from then on (QEMU 10.0.13,
/// `hw/virtio/virtio-nsm.c`, "Expected response buffer after request buffer in virtqueue").
fn arguments(socket: &Path, image: &Path, memory: u32) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "-M",
        "nitro-enclave,vsock=enclave,id=emulated,accel=tcg",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-nographic",
        "-monitor",
        "none",
        "-no-reboot",
        "-global",
        "virtio-mmio.ioeventfd=off",
        "-L",
        "/usr/share/qemu",
    ]
    .map(str::to_owned)
    .into();
    arguments.extend([
        "-m".into(),
        format!("{memory}M"),
        "-kernel".into(),
        image.display().to_string(),
        "-chardev".into(),
        format!("socket,id=enclave,path={}", socket.display()),
    ]);
    arguments
}

/// Starts a program that ends with this one, however this one ends.
fn start(program: &Path, arguments: &[String]) -> Result<Child, EmulatorError> {
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| EmulatorError::Start {
            program: program.into(),
            source,
        })?;
    if let Some(stderr) = child.stderr.take() {
        show(stderr, "machine", |_| {});
    }
    Ok(child)
}

/// Copies lines to standard error, and shows each to `look`.
fn show(
    stream: impl std::io::Read + Send + 'static,
    name: &'static str,
    look: impl Fn(&str) + Send + 'static,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line: String = String::from_utf8_lossy(&line)
                .chars()
                .filter(|c| !c.is_control())
                .collect();
            look(&line);
            anstream::eprintln!("{name}: {line}");
        }
    });
}
