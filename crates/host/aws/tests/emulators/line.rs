//! A line to an emulator that can be made to fail: one request to a connection, each passed on, answered
//! in the emulator's place, cut, or bent, as the test's rule says.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It is passed on, and so is its answer.
    Pass,
    /// It is answered here.
    Answer(u16, &'static str),
    /// The connection ends before the emulator hears of it.
    Cut,
    /// The emulator does it, and the connection ends before its answer.
    CutAnswer,
    /// The answer's body ends after so many bytes.
    Truncate(usize),
    /// The answer's body has another byte at this place.
    BendAnswer(usize),
    /// The request's body has another byte at this place.
    BendRequest(usize),
    /// A header of the answer has another value, of the same length or not.
    Header(&'static str, &'static str),
}

/// A request as the rule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Head of the request, in lower case.
    pub(crate) head: String,
}

/// The line. Its thread ends with the process.
pub(crate) struct Line {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Line {
    /// A line to `to`. `rule` is asked for each request, with the number of requests before it.
    pub(crate) fn to(
        to: SocketAddr,
        rule: impl Fn(&Seen, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, rule) = (Arc::clone(&seen), Arc::new(rule));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, rule) = (Arc::clone(&all), Arc::clone(&rule));
                // A connection that its peer ends early is no matter.
                std::thread::spawn(move || drop(serve(stream, to, &all, &*rule)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    mut client: TcpStream,
    to: SocketAddr,
    all: &Mutex<Vec<Seen>>,
    rule: &(dyn Fn(&Seen, usize) -> Fate + Send + Sync),
) -> std::io::Result<()> {
    let (head, mut body) = message(&mut client, true)?;
    let mut words = head.split(' ');
    let seen = Seen {
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        head: head.to_ascii_lowercase(),
    };
    let number = {
        let mut all = all.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    let fate = rule(&seen, number);
    match &fate {
        Fate::Cut => return Ok(()),
        Fate::Answer(status, text) => {
            return write!(
                client,
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
        }
        Fate::BendRequest(at) => body[*at] ^= 1,
        _ => {}
    }
    let mut server = TcpStream::connect(to)?;
    server.write_all(with_close(&head).as_bytes())?;
    server.write_all(&body)?;
    let (answer, mut body) = message(&mut server, seen.method != "HEAD")?;
    let mut answer = with_close(&answer);
    match fate {
        Fate::CutAnswer => return Ok(()),
        Fate::Truncate(at) => body.truncate(at),
        Fate::BendAnswer(at) => body[at] ^= 1,
        Fate::Header(name, value) => {
            answer = answer
                .split("\r\n")
                .map(|line| match line.split_once(':') {
                    Some((n, _)) if n.eq_ignore_ascii_case(name) => format!("{n}: {value}"),
                    _ => line.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("\r\n");
        }
        _ => {}
    }
    client.write_all(answer.as_bytes())?;
    client.write_all(&body)
}

/// The head, with its empty line, and the body that its length says.
fn message(stream: &mut TcpStream, has_body: bool) -> std::io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    // The SDK waits for this before it sends a large body.
    if header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if has_body {
        match header("content-length") {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                stream.read_exact(&mut body)?;
            }
            None if header("transfer-encoding").is_some() => panic!("chunked: {head}"),
            None => {}
        }
    }
    Ok((head, body))
}

fn with_close(head: &str) -> String {
    let lines = head.trim_end().split("\r\n").filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !name.eq_ignore_ascii_case("connection") && !name.eq_ignore_ascii_case("expect")
    });
    let mut all: Vec<&str> = lines.collect();
    all.push("Connection: close\r\n\r\n");
    all.join("\r\n")
}
