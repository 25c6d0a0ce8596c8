//! Listening on any transport.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};

use super::address::{Transport, TransportError};
use super::connection::Connection;
use super::handshake;

/// Connections that wait to be served.
const BACKLOG: usize = 8;
/// Handshakes of a hybrid socket that may be under way at once.
const MAX_HANDSHAKES: usize = 16;
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// Pause after a failed accept, for example when no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Unix(BoundPath),
    Vsock { listener: VsockListener, cid: u32 },
    Hybrid { bound: BoundPath, port: u32 },
}

/// A Unix socket whose file goes when the listener does.
#[derive(Debug)]
struct BoundPath {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        // Best effort: a socket file left behind is recognised as stale by the next start.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Listener {
    /// Binds. A Unix socket left behind by a process that is gone is replaced; one that answers is
    /// [`TransportError::InUse`].
    pub async fn bind(transport: &Transport) -> Result<Self, TransportError> {
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => TransportError::InUse {
                transport: transport.clone(),
            },
            _ => TransportError::Listen {
                transport: transport.clone(),
                source,
            },
        };
        let socket = match transport {
            Transport::Unix { path } => Socket::Unix(bind_path(path).await.map_err(listen)?),
            Transport::Hybrid { path, port } => Socket::Hybrid {
                bound: bind_path(path).await.map_err(listen)?,
                port: *port,
            },
            Transport::Vsock { cid, port } => Socket::Vsock {
                listener: VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, *port))
                    .map_err(listen)?,
                cid: *cid,
            },
        };
        Ok(Self { socket })
    }

    /// Accepts connections for as long as the returned stream lives. Peers that may not connect
    /// (another vsock cid, a bad `CONNECT` line) are closed and never reach it.
    pub fn incoming(self) -> ReceiverStream<io::Result<Connection>> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(self.accept_all(sender));
        ReceiverStream::new(receiver)
    }

    async fn accept_all(self, sender: mpsc::Sender<io::Result<Connection>>) {
        let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
        loop {
            let accepted = tokio::select! {
                () = sender.closed() => return,
                accepted = self.accept() => accepted,
            };
            let delivered = match accepted {
                Ok(Accepted::Ready(connection)) => sender.send(Ok(connection)).await.is_ok(),
                Ok(Accepted::Refused) => true,
                Ok(Accepted::Hybrid(stream, port)) => {
                    greet(stream, port, &sender, &handshakes);
                    true
                }
                Err(error) => {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    sender.send(Err(error)).await.is_ok()
                }
            };
            if !delivered {
                return;
            }
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Unix(bound) => {
                let (stream, _) = bound.listener.accept().await?;
                Ok(Accepted::Ready(Connection::unix(stream)))
            }
            Socket::Hybrid { bound, port } => {
                let (stream, _) = bound.listener.accept().await?;
                Ok(Accepted::Hybrid(stream, *port))
            }
            Socket::Vsock { listener, cid } => {
                let (stream, address) = listener.accept().await?;
                if address.cid() == *cid {
                    Ok(Accepted::Ready(Connection::vsock(stream, *cid)))
                } else {
                    Ok(Accepted::Refused)
                }
            }
        }
    }
}

enum Accepted {
    Ready(Connection),
    Hybrid(UnixStream, u32),
    Refused,
}

/// Runs the handshake beside the accept loop, so that a silent peer holds up nobody else.
fn greet(
    mut stream: UnixStream,
    port: u32,
    sender: &mpsc::Sender<io::Result<Connection>>,
    handshakes: &Arc<Semaphore>,
) {
    let Ok(permit) = Arc::clone(handshakes).try_acquire_owned() else {
        return;
    };
    let sender = sender.clone();
    tokio::spawn(async move {
        let answered = tokio::time::timeout(HANDSHAKE_TIME, handshake::answer(&mut stream, port));
        if let Ok(Ok(())) = answered.await {
            // The receiver may be gone: then the connection just closes.
            drop(sender.send(Ok(Connection::hybrid(stream, port))).await);
        }
        drop(permit);
    });
}

async fn bind_path(path: &Path) -> io::Result<BoundPath> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path).await?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(BoundPath {
        listener,
        path: path.to_owned(),
    })
}

/// Removes a socket that nobody answers on; anything else stays and is in use.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path)?.file_type().is_socket();
    match UnixStream::connect(path).await {
        Err(error) if is_socket && error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Peer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_stream::StreamExt;

    fn unix(folder: &Path) -> Transport {
        Transport::Unix {
            path: folder.join("s"),
        }
    }

    #[tokio::test]
    async fn a_socket_in_use_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let transport = unix(folder.path());
        let _first = Listener::bind(&transport).await.unwrap();
        assert!(matches!(
            Listener::bind(&transport).await,
            Err(TransportError::InUse { .. })
        ));
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let transport = unix(folder.path());
        let stale = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
        drop(stale);
        Listener::bind(&transport).await.unwrap();
        std::fs::write(folder.path().join("s"), b"mine").unwrap();
        assert!(matches!(
            Listener::bind(&transport).await,
            Err(TransportError::InUse { .. })
        ));
        assert_eq!(std::fs::read(folder.path().join("s")).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_missing_folder_is_its_own_error() {
        let transport = Transport::Unix {
            path: "/nonexistent-folder/s".into(),
        };
        assert!(matches!(
            Listener::bind(&transport).await,
            Err(TransportError::Listen { .. })
        ));
    }

    #[tokio::test]
    async fn a_silent_hybrid_peer_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let transport = Transport::Hybrid {
            path: path.clone(),
            port: 5005,
        };
        let mut incoming = Listener::bind(&transport).await.unwrap().incoming();
        let _silent = UnixStream::connect(&path).await.unwrap();
        let mut client = transport.dial().await.unwrap();
        let mut served = incoming.next().await.unwrap().unwrap();
        assert_eq!(served.peer(), Peer::Hybrid { port: 5005 });
        client.write_all(b"hello").await.unwrap();
        let mut bytes = [0; 5];
        served.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"hello");
    }

    #[tokio::test]
    async fn a_hybrid_peer_that_asks_for_another_port_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listen = Transport::Hybrid {
            path: path.clone(),
            port: 5005,
        };
        let _incoming = Listener::bind(&listen).await.unwrap().incoming();
        let ask = Transport::Hybrid { path, port: 5006 };
        assert!(ask.dial().await.is_err());
    }
}
