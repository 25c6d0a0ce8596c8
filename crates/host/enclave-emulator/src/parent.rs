//! What an instance does for its enclave: it answers the heartbeat, and hears the last words.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::EmulatorError;

/// Where the machine sends its heartbeat (`docs/image.md`, "Ports").
pub const HEARTBEAT_PORT: u32 = 9000;
/// What the machine sends there, and must get back.
pub const HEARTBEAT: u8 = 0xb7;
/// Where the machine says why it ends.
pub const LAST_WORDS_PORT: u32 = 5006;
const LAST_WORDS_MAX: u64 = 1024;

/// Listens where the machine connects to.
#[derive(Debug)]
pub struct Parent {
    heartbeat: Arc<AtomicBool>,
    words: Arc<Mutex<Option<String>>>,
}

impl Parent {
    /// Connections of the machine to port N of its host arrive at the Unix socket `VSOCK_N`.
    ///
    /// # Errors
    /// A socket that cannot be made.
    pub fn listen(vsock: &Path) -> Result<Self, EmulatorError> {
        let heartbeat = Arc::new(AtomicBool::new(false));
        let words = Arc::new(Mutex::new(None));
        let (beaten, heard) = (Arc::clone(&heartbeat), Arc::clone(&words));
        serve(vsock, HEARTBEAT_PORT, move |stream| {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            if byte == [HEARTBEAT] {
                stream.write_all(&byte)?;
                beaten.store(true, Ordering::Release);
            }
            Ok(())
        })?;
        serve(vsock, LAST_WORDS_PORT, move |stream| {
            let mut text = Vec::new();
            // Up to the line's end, not the stream's: the machine waits for this side to close.
            BufReader::new(stream.take(LAST_WORDS_MAX)).read_until(b'\n', &mut text)?;
            let text: String = String::from_utf8_lossy(text.trim_ascii_end())
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            anstream::eprintln!("last words of the enclave: {text}");
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
            Ok(())
        })?;
        Ok(Self { heartbeat, words })
    }

    /// Whether the machine has sent its heartbeat.
    pub fn has_heartbeat(&self) -> bool {
        self.heartbeat.load(Ordering::Acquire)
    }

    /// What the machine said before its end.
    pub fn last_words(&self) -> Option<String> {
        self.words
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One connection after the other, on a thread of its own.
fn serve(
    vsock: &Path,
    port: u32,
    answer: impl Fn(&mut std::os::unix::net::UnixStream) -> std::io::Result<()> + Send + 'static,
) -> Result<(), EmulatorError> {
    let path = PathBuf::from(format!("{}_{port}", vsock.display()));
    let listener = UnixListener::bind(path).map_err(|source| EmulatorError::Socket {
        what: "cannot listen for the machine",
        source,
    })?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // A machine that says something else, or nothing, shows in what does not happen next.
            answer(&mut stream).ok();
        }
    });
    Ok(())
}
