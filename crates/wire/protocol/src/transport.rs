//! Where the peer is, as a typed choice; one connector and one listener for all of them.

mod address;
mod capped;
mod connection;
mod handshake;
mod listener;

pub use address::{Transport, TransportError};
pub use connection::{Connection, Peer};
pub use listener::Listener;
