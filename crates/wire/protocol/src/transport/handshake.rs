//! Firecracker's `CONNECT PORT` exchange on a virtual machine monitor's Unix socket.
//!
//! Client: `CONNECT 5005\n`. Monitor: `OK nnn\n`. Then the bytes belong to the guest. Lines are
//! read byte by byte: a buffered reader would swallow the first bytes of HTTP/2.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest line either side may send, without its line feed.
const MAX_LINE_BYTES: usize = 32;

/// The client's side.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    port: u32,
) -> io::Result<()> {
    stream
        .write_all(format!("CONNECT {port}\n").as_bytes())
        .await?;
    let line = read_line(stream).await?;
    match line.strip_prefix("OK ").map(str::parse::<u32>) {
        Some(Ok(_)) => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::ConnectionRefused,
            format!("the monitor answered {line:?} to CONNECT {port}"),
        )),
    }
}

/// The monitor's side: returns after a connection to `port` was asked for and granted.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    port: u32,
) -> io::Result<()> {
    let line = read_line(stream).await?;
    if line != format!("CONNECT {port}") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("expected CONNECT {port}, got {line:?}"),
        ));
    }
    stream.write_all(format!("OK {port}\n").as_bytes()).await
}

async fn read_line<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut line = String::new();
    loop {
        let byte = stream.read_u8().await?;
        match byte {
            b'\n' => return Ok(line),
            b' '..=b'~' if line.len() < MAX_LINE_BYTES => line.push(char::from(byte)),
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("not a line of at most {MAX_LINE_BYTES} characters"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_after_the_line_are_left_in_the_stream() {
        let (mut client, mut monitor) = tokio::io::duplex(64);
        client.write_all(b"CONNECT 5\nPRI *").await.unwrap();
        answer(&mut monitor, 5).await.unwrap();
        let mut rest = [0; 5];
        monitor.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"PRI *");
    }

    #[tokio::test]
    async fn another_port_is_refused() {
        let (mut client, mut monitor) = tokio::io::duplex(64);
        client.write_all(b"CONNECT 6\n").await.unwrap();
        let error = answer(&mut monitor, 5).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn an_endless_line_is_refused() {
        let (mut client, mut monitor) = tokio::io::duplex(256);
        client.write_all(&[b'A'; 200]).await.unwrap();
        let error = answer(&mut monitor, 5).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_monitor_that_does_not_say_ok_is_refused() {
        let (mut client, mut monitor) = tokio::io::duplex(64);
        monitor.write_all(b"NO\n").await.unwrap();
        let error = ask(&mut client, 5).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
