//! Connections from our Unix socket to a vsock port of the machine.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// The answer to `CONNECT` comes within this time or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, for example `OK 1073741824`.
const ANSWER_MAX: usize = 32;

/// A connection to `port` inside the machine.
///
/// # Errors
/// Nobody listens there, or the answer is none.
pub fn open(vsock: &Path, port: u32) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(vsock)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("CONNECT {port}\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while answer.last() != Some(&b'\n') {
        stream.read_exact(&mut byte)?;
        answer.extend(byte);
        if answer.len() > ANSWER_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if !answer.starts_with(b"OK ") {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_read_timeout(None)?;
    Ok(stream)
}

/// Passes every connection on, for as long as the listener lives.
pub fn pass_on(listener: &UnixListener, vsock: &Path, port: u32) {
    for outside in listener.incoming().map_while(Result::ok) {
        // A machine that does not answer: the caller sees its connection close.
        let Ok(inside) = open(vsock, port) else {
            continue;
        };
        for (from, to) in [(&outside, &inside), (&inside, &outside)] {
            if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                std::thread::spawn(move || copy(from, to));
            }
        }
    }
}

/// Until one side closes; then the other's direction ends too.
fn copy(mut from: UnixStream, mut to: UnixStream) {
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_refuses_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for (answer, kind) in [
            (&b"NO\n"[..], io::ErrorKind::ConnectionRefused),
            (&[b'x'; 40], io::ErrorKind::InvalidData),
            (b"OK 1", io::ErrorKind::UnexpectedEof),
        ] {
            let path = folder.path().join("s");
            let listener = UnixListener::bind(&path).unwrap();
            let machine = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 13];
                stream.read_exact(&mut asked).unwrap();
                assert_eq!(&asked, b"CONNECT 5005\n");
                stream.write_all(answer).unwrap();
            });
            assert_eq!(open(&path, 5005).unwrap_err().kind(), kind);
            machine.join().unwrap();
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn bytes_pass_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        let machine = UnixListener::bind(&inside).unwrap();
        let listener = UnixListener::bind(&outside).unwrap();
        std::thread::spawn(move || pass_on(&listener, &inside, 7));
        let mut client = UnixStream::connect(&outside).unwrap();
        let (mut served, _) = machine.accept().unwrap();
        served.read_exact(&mut [0; 10]).unwrap();
        served.write_all(b"OK 1\nhello").unwrap();
        let mut got = [0; 5];
        client.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"hello");
        client.write_all(b"there").unwrap();
        served.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"there");
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(served.read(&mut got).unwrap(), 0);
    }
}
