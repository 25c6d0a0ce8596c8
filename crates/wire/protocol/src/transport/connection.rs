//! One connection of any transport, with its writes capped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_vsock::VsockStream;
use tonic::transport::server::Connected;

use super::capped::Capped;

/// Who is at the other end, as the operating system says. Request handlers find it in the
/// request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process on this machine.
    Unix,
    /// A virtual machine.
    Vsock {
        /// Its context id.
        cid: u32,
    },
    /// Behind a virtual machine monitor's socket.
    Hybrid {
        /// The vsock port asked for.
        port: u32,
    },
}

/// A byte stream to the peer.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    peer: Peer,
}

#[derive(Debug)]
enum Stream {
    Unix(Capped<UnixStream>),
    Vsock(Capped<VsockStream>),
}

impl Connection {
    pub(super) fn unix(stream: UnixStream) -> Self {
        Self {
            stream: Stream::Unix(Capped::new(stream)),
            peer: Peer::Unix,
        }
    }

    pub(super) fn vsock(stream: VsockStream, cid: u32) -> Self {
        Self {
            stream: Stream::Vsock(Capped::new(stream)),
            peer: Peer::Vsock { cid },
        }
    }

    pub(super) fn hybrid(stream: UnixStream, port: u32) -> Self {
        Self {
            stream: Stream::Unix(Capped::new(stream)),
            peer: Peer::Hybrid { port },
        }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Vsock(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Vsock(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
            Stream::Vsock(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Vsock(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
