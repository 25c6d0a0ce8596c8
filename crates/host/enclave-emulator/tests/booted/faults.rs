//! Faults around the booted image: a parent that says nonsense or nothing, nonsense at the service's
//! port, a vsock that is cut, an agent that cannot go on.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use eif::RawEif;
use enclave_emulator::{
    HEARTBEAT, HEARTBEAT_PORT, Machine, Parent, Programs, SERVICE, relay, vsock,
};
use protocol::pb::DescribeRequest;
use protocol::{Transport, settings};
use tempfile::TempDir;

use crate::PATIENCE;
use crate::images::{named, with_files};

const MEMORY: u32 = 1024;

struct Emulator {
    programs: Programs,
    image: PathBuf,
    folder: TempDir,
}

fn emulator() -> Option<Emulator> {
    let (image, programs) = named()?;
    Some(Emulator {
        programs: Programs::in_folder(&programs),
        image,
        folder: tempfile::tempdir().unwrap(),
    })
}

impl Emulator {
    fn vsock(&self) -> PathBuf {
        vsock(self.folder.path())
    }

    fn boot(&self) -> Machine {
        Machine::start(&self.programs, self.folder.path(), &self.image, MEMORY).unwrap()
    }

    /// A parent that treats the first connection to the heartbeat's port as `answer` does; what the
    /// machine sent arrives at the receiver.
    fn play_parent(
        &self,
        answer: impl FnOnce(UnixStream) + Send + 'static,
    ) -> mpsc::Receiver<[u8; 1]> {
        let path = format!("{}_{HEARTBEAT_PORT}", self.vsock().display());
        let listener = UnixListener::bind(path).unwrap();
        let (sent, received) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            sent.send(byte).unwrap();
            answer(stream);
        });
        received
    }

    /// The machine as it ends by itself, its service never reached.
    fn ends_without_service(&self, machine: &mut Machine) {
        let deadline = Instant::now() + PATIENCE;
        while machine.ended().is_none() {
            assert!(relay::open(&self.vsock(), SERVICE).is_err(), "it serves");
            assert!(Instant::now() < deadline, "it hangs");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(machine.ended().unwrap().0, "the machine");
    }
}

/// Another byte than the heartbeat, and a flood behind it.
#[test]
fn a_parent_that_answers_nonsense_has_no_enclave() {
    let Some(emulator) = emulator() else { return };
    let received = emulator.play_parent(|mut stream| {
        // It may close before it has read all of it.
        stream.write_all(&vec![!HEARTBEAT; 1 << 20]).ok();
    });
    let mut machine = emulator.boot();
    assert_eq!(received.recv_timeout(PATIENCE), Ok([HEARTBEAT]));
    emulator.ends_without_service(&mut machine);
}

#[test]
fn a_parent_that_never_answers_has_no_enclave() {
    let Some(emulator) = emulator() else { return };
    let received = emulator.play_parent(|stream| {
        // Held open for longer than this test takes.
        std::thread::sleep(2 * PATIENCE);
        drop(stream);
    });
    let mut machine = emulator.boot();
    assert_eq!(received.recv_timeout(PATIENCE), Ok([HEARTBEAT]));
    emulator.ends_without_service(&mut machine);
}

#[test]
fn a_parent_that_does_not_listen_has_no_enclave() {
    let Some(emulator) = emulator() else { return };
    let mut machine = emulator.boot();
    emulator.ends_without_service(&mut machine);
}

/// A good parent and a machine whose service answers.
fn served(emulator: &Emulator) -> (Parent, Machine) {
    let parent = Parent::listen(&emulator.vsock()).unwrap();
    let mut machine = emulator.boot();
    let deadline = Instant::now() + PATIENCE;
    while relay::open(&emulator.vsock(), SERVICE).is_err() {
        machine.check(&parent).unwrap();
        assert!(Instant::now() < deadline, "no service");
        std::thread::sleep(Duration::from_millis(100));
    }
    (parent, machine)
}

/// Through the machine's own socket: the address `hybrid:PATH:5005` of host-agent.
async fn describe(vsock: &Path) -> Result<usize, String> {
    let address = format!("hybrid:{}:{SERVICE}", vsock.display());
    let transport: Transport = address.parse().map_err(|_| address)?;
    let channel = transport.connect().await.map_err(|e| e.to_string())?;
    let request = DescribeRequest {
        nonce: vec![7; 32].into(),
    };
    let mut client = settings::enclave_client(channel);
    let answer = client.describe(request).await.map_err(|e| e.to_string())?;
    Ok(answer.into_inner().self_checks.len())
}

#[tokio::test]
async fn nonsense_and_silence_at_the_services_port_disturb_nobody() {
    let Some(emulator) = emulator() else { return };
    let (parent, mut machine) = served(&emulator);
    let socket = emulator.vsock();
    for nonsense in [
        &vec![HEARTBEAT; 1 << 16][..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"",
    ] {
        let mut stream = relay::open(&socket, SERVICE).unwrap();
        // It may close in the middle.
        stream.write_all(nonsense).ok();
    }
    let silent: Vec<UnixStream> = (0..8)
        .map(|_| relay::open(&socket, SERVICE).unwrap())
        .collect();
    assert!(describe(&socket).await.unwrap() > 0);
    drop(silent);
    assert!(describe(&socket).await.unwrap() > 0);
    machine.check(&parent).unwrap();
}

#[tokio::test]
async fn a_vsock_that_is_cut_is_an_error_and_ends_the_emulation() {
    let Some(emulator) = emulator() else { return };
    let (parent, mut machine) = served(&emulator);
    machine.cut_vsock();
    let error = machine.check(&parent).unwrap_err().to_string();
    assert!(error.starts_with("its vsock ended"), "{error}");
    assert!(describe(&emulator.vsock()).await.is_err());
}

/// Without the folder for artifacts the agent cannot mount what it needs, long before its heartbeat.
#[test]
fn an_agent_that_cannot_go_on_says_why_before_the_end() {
    let Some(mut emulator) = emulator() else {
        return;
    };
    let image = std::fs::read(&emulator.image).unwrap();
    let list = include_str!("../../../../../enclave-image/files.txt");
    let less = list.replace("dir 0755 run\n", "");
    assert_ne!(less, list);
    let eif = RawEif(&image).validate().unwrap();
    emulator.image = emulator.folder.path().join("image.eif");
    std::fs::write(&emulator.image, with_files(&eif, &less)).unwrap();

    let parent = Parent::listen(&emulator.vsock()).unwrap();
    let mut machine = emulator.boot();
    emulator.ends_without_service(&mut machine);
    let words = parent.last_words().unwrap();
    assert!(
        words.starts_with("[init_mount] cannot mount /run"),
        "{words}"
    );
    assert!(!parent.has_heartbeat());
}
