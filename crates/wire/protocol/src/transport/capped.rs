//! A stream whose single writes are bounded.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::settings::WRITE_CAP_BYTES;

/// How long to wait when the kernel has no buffer for a packet.
const NO_BUFFER_PAUSE: Duration = Duration::from_millis(2);

/// Hands every write on in pieces of at most [`WRITE_CAP_BYTES`], and tries again after a short
/// pause when a vsock has no buffer free (`ENOBUFS`, which is not "would block" to the runtime).
#[derive(Debug)]
pub(crate) struct Capped<S> {
    stream: S,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> Capped<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            pause: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let piece = bytes.get(..WRITE_CAP_BYTES).unwrap_or(bytes);
        loop {
            if let Some(pause) = self.pause.as_mut() {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(Pin::new(&mut self.stream).poll_write(context, piece)) {
                Err(error) if is_no_buffer(&error) => {
                    self.pause = Some(Box::pin(sleep(NO_BUFFER_PAUSE)));
                }
                result => return Poll::Ready(result),
            }
        }
    }

    // Not vectored: a gathered write could exceed the cap.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// `ENOBUFS` on Linux; the standard library has no kind for it.
fn is_no_buffer(error: &io::Error) -> bool {
    error.raw_os_error() == Some(105)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Notes the length of every write; refuses the first `no_buffer` of them.
    struct Recorder {
        lengths: Vec<usize>,
        no_buffer: u32,
    }

    impl AsyncWrite for Recorder {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.no_buffer > 0 {
                self.no_buffer -= 1;
                return Poll::Ready(Err(io::Error::from_raw_os_error(105)));
            }
            self.lengths.push(bytes.len());
            Poll::Ready(Ok(bytes.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn no_write_is_larger_than_the_cap() {
        let mut capped = Capped::new(Recorder {
            lengths: Vec::new(),
            no_buffer: 3,
        });
        capped
            .write_all(&vec![1; 3 * WRITE_CAP_BYTES + 5])
            .await
            .unwrap();
        assert_eq!(
            capped.stream.lengths,
            [WRITE_CAP_BYTES, WRITE_CAP_BYTES, WRITE_CAP_BYTES, 5]
        );
    }

    #[tokio::test]
    async fn a_gathered_write_does_not_exceed_the_cap() {
        let mut capped = Capped::new(Recorder {
            lengths: Vec::new(),
            no_buffer: 0,
        });
        let part = vec![1; WRITE_CAP_BYTES];
        let slices = [io::IoSlice::new(&part), io::IoSlice::new(&part)];
        let written = capped.write_vectored(&slices).await.unwrap();
        assert_eq!(written, WRITE_CAP_BYTES);
        assert_eq!(capped.stream.lengths, [WRITE_CAP_BYTES]);
    }
}
