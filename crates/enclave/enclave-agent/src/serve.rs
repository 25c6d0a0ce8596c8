//! The listening loop.

use std::sync::Arc;

use protocol::settings;
use protocol::transport::{Listener, Transport, TransportError};

use crate::agent::Agent;
use crate::rpc::Service;

/// Why the agent stopped listening.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The socket could not be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server broke down.
    #[error("server")]
    Server(#[source] tonic::transport::Error),
}

/// Serves `agent` on `transport` until `shutdown` resolves. Open streams are cut then: a watcher
/// would hold the agent for ever.
pub async fn serve(
    agent: Arc<Agent>,
    transport: &Transport,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let incoming = Listener::bind(transport).await?.incoming();
    let server =
        settings::server().serve_with_incoming(settings::enclave_server(Service(agent)), incoming);
    tokio::select! {
        result = server => result.map_err(ServeError::Server),
        () = shutdown => Ok(()),
    }
}
