//! The emulators, one of each for all tests of this program, and a bucket for each test.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use aws::{S3Location, S3Store, Session, Settings};
use testkit::{Emulator, EmulatorKind};

/// S3 with its digests and conditions; `None` where it cannot be installed, which was said.
pub(crate) fn ministack() -> Option<SocketAddr> {
    static EMULATOR: OnceLock<Option<Emulator>> = OnceLock::new();
    EMULATOR
        .get_or_init(|| Emulator::start(EmulatorKind::Ministack))
        .as_ref()
        .map(Emulator::address)
}

/// Everything else; `None` where it cannot be installed, which was said.
pub(crate) fn moto() -> Option<SocketAddr> {
    static EMULATOR: OnceLock<Option<Emulator>> = OnceLock::new();
    EMULATOR
        .get_or_init(|| Emulator::start(EmulatorKind::Moto))
        .as_ref()
        .map(Emulator::address)
}

/// A session whose calls go to `address`.
pub(crate) fn session(address: SocketAddr) -> Session {
    Session::open(&Settings {
        region: Some("us-east-1".to_owned()),
        profile: None,
        emulator: Some(format!("http://{address}")),
    })
    .unwrap()
}

/// A new bucket with a name of its own, and a prefix in it.
pub(crate) fn new_bucket(address: SocketAddr) -> S3Location {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("test-{}-{number}", std::process::id());
    assert_eq!(raw(address, "PUT", &format!("/{name}"), &[], b""), 200);
    format!("s3://{name}/team/one").parse().unwrap()
}

/// A store in a new bucket.
pub(crate) fn store(address: SocketAddr) -> S3Store {
    S3Store::new(&session(address), new_bucket(address))
}

/// One request past the SDK, as somebody else would send it; gives the status.
pub(crate) fn raw(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> u16 {
    raw_answer(address, method, path, headers, body).0
}

/// As [`raw`], with the whole answer.
pub(crate) fn raw_answer(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all((head + "\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}
