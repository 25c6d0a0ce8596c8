//! [`Transport`]: the three sockets, their text form, and connecting to one.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_vsock::{VsockAddr, VsockStream};
use tonic::transport::Channel;

use super::connection::Connection;
use super::handshake;
use crate::settings;

/// Where the peer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket: both on one machine. Text form `unix:PATH`.
    Unix {
        /// Path of the socket.
        path: PathBuf,
    },
    /// AF_VSOCK between a host and its enclave. Text form `vsock:CID:PORT`.
    ///
    /// `cid` is always the *peer's* context id: where to connect to, and when listening the only
    /// peer that is let in (3 is the parent of a Nitro enclave).
    Vsock {
        /// The peer's context id.
        cid: u32,
        /// Port of the listening side.
        port: u32,
    },
    /// A Unix socket of a virtual machine monitor that speaks Firecracker's `CONNECT PORT`.
    /// Text form `hybrid:PATH:PORT`.
    Hybrid {
        /// Path of the monitor's socket.
        path: PathBuf,
        /// vsock port behind it.
        port: u32,
    },
}

/// Why a peer could not be reached or listened for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The text form is none of the three.
    #[error("address {text:?} is none of unix:PATH, vsock:CID:PORT, hybrid:PATH:PORT")]
    Address {
        /// What was given.
        text: String,
    },
    /// Somebody listens there already.
    #[error("{transport} is in use by another process")]
    InUse {
        /// The address.
        transport: Transport,
    },
    /// The socket could not be made.
    #[error("cannot listen on {transport}")]
    Listen {
        /// The address.
        transport: Transport,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The connection could not be made.
    #[error("cannot connect to {transport}")]
    Connect {
        /// The address.
        transport: Transport,
        /// The library's reason, with the system's below it.
        #[source]
        source: tonic::transport::Error,
    },
}

impl TransportError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "transport_address",
            Self::InUse { .. } => "transport_in_use",
            Self::Listen { .. } => "transport_listen",
            Self::Connect { .. } => "transport_connect",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => "for example unix:/run/ceremony/enclave.sock or vsock:16:5005",
            Self::InUse { .. } => "choose another path or port, or end the process that holds it",
            Self::Listen { .. } => {
                "the folder of the socket must exist and be writable, and its path be at most 107 bytes"
            }
            Self::Connect { .. } => "is the enclave running, and is this its address?",
        }
    }
}

impl Transport {
    /// Connects. The first connection is made at once, so that an error shows here; a lost one is
    /// made again by the next call.
    pub async fn connect(&self) -> Result<Channel, TransportError> {
        let target = self.clone();
        let connector = tower::service_fn(move |_| {
            let target = target.clone();
            async move { target.dial().await.map(TokioIo::new) }
        });
        settings::endpoint()
            .connect_with_connector(connector)
            .await
            .map_err(|source| TransportError::Connect {
                transport: self.clone(),
                source,
            })
    }

    /// One raw connection, ready for HTTP/2.
    pub async fn dial(&self) -> io::Result<Connection> {
        match self {
            Self::Unix { path } => Ok(Connection::unix(UnixStream::connect(path).await?)),
            Self::Vsock { cid, port } => {
                let stream = VsockStream::connect(VsockAddr::new(*cid, *port)).await?;
                Ok(Connection::vsock(stream, *cid))
            }
            Self::Hybrid { path, port } => {
                let mut stream = UnixStream::connect(path).await?;
                handshake::ask(&mut stream, *port).await?;
                Ok(Connection::hybrid(stream, *port))
            }
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { path } => write!(f, "unix:{}", path.display()),
            Self::Vsock { cid, port } => write!(f, "vsock:{cid}:{port}"),
            Self::Hybrid { path, port } => write!(f, "hybrid:{}:{port}", path.display()),
        }
    }
}

impl FromStr for Transport {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, TransportError> {
        parse(text).ok_or_else(|| TransportError::Address {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Transport> {
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "unix" if !rest.is_empty() => Some(Transport::Unix { path: rest.into() }),
        "vsock" => {
            let (cid, port) = rest.split_once(':')?;
            Some(Transport::Vsock {
                cid: cid.parse().ok()?,
                port: port.parse().ok()?,
            })
        }
        "hybrid" => {
            let (path, port) = rest.rsplit_once(':')?;
            (!path.is_empty()).then_some(())?;
            Some(Transport::Hybrid {
                path: path.into(),
                port: port.parse().ok()?,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back() {
        for text in ["unix:/a/b:c", "vsock:16:5005", "hybrid:/a/b:c:5005"] {
            let transport: Transport = text.parse().unwrap();
            assert_eq!(transport.to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "unix:",
            "unix",
            "/a",
            "vsock:3",
            "vsock:x:1",
            "vsock:3:4294967296",
            "hybrid:/a",
            "hybrid::1",
            "tcp:1:2",
        ] {
            assert!(
                matches!(
                    text.parse::<Transport>(),
                    Err(TransportError::Address { .. })
                ),
                "{text}"
            );
        }
    }
}
