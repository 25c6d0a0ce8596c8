//! EMULATED enclave: boots an image in QEMU's `nitro-enclave` machine under plain emulation.
//!
//! It takes the arguments that host-agent starts an enclave-agent program with, so that nothing else
//! knows of emulation: it boots the image, answers the heartbeat as an instance does, and passes
//! every connection of its Unix socket on to the service's vsock port inside. The virtual machine
//! monitor's vsock is a Unix socket that speaks `CONNECT PORT`.

use std::io::{self, Read};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Parser;

use enclave_emulator::{EmulatorError, Machine, Parent, Programs, SERVICE, relay, vsock};

/// The image must boot in this time: seconds on an idle machine, far more on a busy one.
const BOOT_TIME: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(100);

/// EMULATED enclave: boots an image and passes connections on
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Socket to listen on: unix:PATH, in a folder that only this user can enter
    #[arg(long, value_name = "ADDRESS", value_parser = unix_path)]
    listen: PathBuf,
    /// Not used: the image holds the modules
    #[arg(long, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// Not used: artifacts are in the memory of the machine
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// End when standard input closes: whoever started this is gone
    #[arg(long)]
    stop_on_stdin_close: bool,
    /// The image to boot
    #[arg(long, value_name = "FILE", env = "CEREMONY_IMAGE")]
    image: PathBuf,
    /// Folder of qemu-system-x86_64 and vhost-device-vsock, as scripts/emulator leaves them
    #[arg(long, value_name = "DIR", env = "CEREMONY_EMULATOR")]
    emulator: PathBuf,
    /// Memory of the machine, MiB
    #[arg(
        long,
        value_name = "MIB",
        env = "CEREMONY_EMULATOR_MEMORY",
        default_value_t = 2048
    )]
    memory: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    anstream::eprintln!(
        "EMULATED enclave: no hardware protects it; the host can read all of its memory"
    );
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(std::error::Error::source(&error), |e| e.source());
            let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
            anstream::eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), EmulatorError> {
    let folder = arguments.listen.parent().ok_or(EmulatorError::NoFolder)?;
    let programs = Programs::in_folder(&arguments.emulator);
    let vsock = vsock(folder);
    // The image sends its heartbeat as soon as it runs: somebody must be listening by then.
    let parent = Parent::listen(&vsock)?;
    let stop = stdin_closed(arguments.stop_on_stdin_close);
    let mut machine = Machine::start(&programs, folder, &arguments.image, arguments.memory)?;
    if !wait(&mut machine, &parent, &stop, || parent.has_heartbeat())? {
        return Ok(());
    }
    if !wait(&mut machine, &parent, &stop, || {
        relay::open(&vsock, SERVICE).is_ok()
    })? {
        return Ok(());
    }
    let listener =
        UnixListener::bind(&arguments.listen).map_err(|source| EmulatorError::Socket {
            what: "cannot listen",
            source,
        })?;
    std::thread::spawn(move || relay::pass_on(&listener, &vsock, SERVICE));
    loop {
        if stopped(&stop) {
            return Ok(());
        }
        machine.check(&parent)?;
        std::thread::sleep(PAUSE);
    }
}

/// Waits until `ready`; `false` if it was told to stop before.
fn wait(
    machine: &mut Machine,
    parent: &Parent,
    stop: &mpsc::Receiver<()>,
    ready: impl Fn() -> bool,
) -> Result<bool, EmulatorError> {
    let deadline = Instant::now() + BOOT_TIME;
    while Instant::now() < deadline {
        if stopped(stop) {
            return Ok(false);
        }
        machine.check(parent)?;
        if ready() {
            return Ok(true);
        }
        std::thread::sleep(PAUSE);
    }
    if parent.has_heartbeat() {
        Err(EmulatorError::NoService)
    } else {
        Err(EmulatorError::NoHeartbeat {
            seconds: BOOT_TIME.as_secs(),
        })
    }
}

/// Gets a message when standard input closes; never, if that is not watched.
fn stdin_closed(watch: bool) -> mpsc::Receiver<()> {
    let (closed, seen) = mpsc::channel();
    if watch {
        std::thread::spawn(move || {
            let mut byte = [0];
            while !matches!(io::stdin().read(&mut byte), Ok(0) | Err(_)) {}
            closed.send(()).ok();
        });
    }
    seen
}

fn stopped(stop: &mpsc::Receiver<()>) -> bool {
    stop.try_recv().is_ok()
}

fn unix_path(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("expected unix:PATH".into()),
    }
}
