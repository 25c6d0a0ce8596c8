//! The instance that started the enclave: its heartbeat, and the last words to it.
//!
//! Nothing here is a decision about trust: the host is the adversary, whatever its number is.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::Duration;

use vsock::VsockStream;

/// Context id of a Nitro enclave's parent.
const NITRO: u32 = 3;
/// Context id of the host elsewhere: an emulator's parent.
const HOST: u32 = 2;
/// Where a parent waits for the heartbeat.
const HEARTBEAT_PORT: u32 = 9000;
/// What is sent, and must come back.
const HEARTBEAT: u8 = 0xb7;
/// Where a parent may wait for the reason of an enclave's end.
pub const LAST_WORDS_PORT: u32 = 5006;
/// Longest line that is sent there, bytes, its end included.
const LAST_WORDS_MAX: usize = 1024;

/// One exchange must be over in this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The peer that answered the heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent(u32);

impl Parent {
    /// Its context id: the only peer that may connect.
    pub fn cid(self) -> u32 {
        self.0
    }
}

/// Sends the heartbeat to both numbers a parent can have; the first that answers is the parent.
pub(super) fn heartbeat() -> Option<Parent> {
    let (found, answers) = mpsc::channel();
    for cid in [NITRO, HOST] {
        let found = found.clone();
        std::thread::spawn(move || {
            if beat(cid).is_ok() {
                // Nobody waits any more: the other one was faster.
                found.send(Parent(cid)).ok();
            }
        });
    }
    drop(found);
    answers.recv_timeout(PATIENCE).ok()
}

fn beat(cid: u32) -> std::io::Result<()> {
    let mut stream = VsockStream::connect_with_cid_port(cid, HEARTBEAT_PORT)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(&mut stream)
}

/// One byte there, the same byte back.
fn exchange(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    stream.write_all(&[HEARTBEAT])?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    if answer == [HEARTBEAT] {
        Ok(())
    } else {
        Err(std::io::ErrorKind::InvalidData.into())
    }
}

/// Tells the parent why the enclave ends; before the heartbeat, whichever number it may have. Best effort:
/// a parent that does not listen learns it from the end itself.
pub(super) fn last_words(parent: Option<Parent>, text: &str) {
    let (done, said) = mpsc::channel();
    for cid in parent.map_or(vec![NITRO, HOST], |Parent(cid)| vec![cid]) {
        let (done, text) = (done.clone(), text.to_owned());
        std::thread::spawn(move || {
            if say(cid, &text).is_ok() {
                // Nobody waits any more: the other one was faster.
                done.send(()).ok();
            }
        });
    }
    drop(done);
    // The first that has heard it is the parent; an end to the waiting, too, if none hears it.
    said.recv_timeout(PATIENCE).ok();
}

fn say(cid: u32, text: &str) -> std::io::Result<()> {
    let mut stream = VsockStream::connect_with_cid_port(cid, LAST_WORDS_PORT)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&line(text))?;
    // The parent closes when it has read the line. Not every vsock device passes on the end of one direction.
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.read(&mut [0]).map(drop)
}

fn line(text: &str) -> Vec<u8> {
    let words = text.bytes().take(LAST_WORDS_MAX - 1);
    let words = words.map(|byte| if byte == b'\n' { b' ' } else { byte });
    words.chain([b'\n']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answering(&'static [u8], Vec<u8>);

    impl Read for Answering {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(out)
        }
    }

    impl Write for Answering {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.1.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_the_same_byte_is_an_answer() {
        let mut good = Answering(&[0xb7], Vec::new());
        exchange(&mut good).unwrap();
        assert_eq!(good.1, [0xb7]);
        for answer in [&[0xb6][..], &[0], &[]] {
            assert!(exchange(&mut Answering(answer, Vec::new())).is_err());
        }
    }

    #[test]
    fn last_words_are_one_line_and_bounded() {
        assert_eq!(line("short"), b"short\n");
        assert_eq!(line("a\nb"), b"a b\n");
        let long = line(&"é".repeat(1000));
        assert_eq!((long.len(), long.last()), (LAST_WORDS_MAX, Some(&b'\n')));
    }
}
