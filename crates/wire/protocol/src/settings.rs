//! Sizes and windows of the connection, the same on both sides.
//!
//! No time limit is set on calls or streams and HTTP/2 keep-alive stays off: an enclave that is busy
//! with a large key must not be cut off.

use tonic::transport::{Channel, Endpoint, Server};

use crate::pb::enclave_client::EnclaveClient;
use crate::pb::enclave_server::{Enclave, EnclaveServer};

/// Bytes of an artifact in one message as our own sides send it.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Most bytes of an artifact that one message may hold.
pub const MAX_CHUNK_BYTES: usize = 1024 * 1024;

/// Most bytes of one message: a largest chunk and its fields.
pub const MAX_MESSAGE_BYTES: usize = MAX_CHUNK_BYTES + 4096;

/// Chunks that wait between the task that reads or hashes and the stream.
pub const QUEUE_CHUNKS: usize = 8;

/// Most requests of the enclave for bytes that the host keeps, unanswered at a time.
pub const BACKING_REQUESTS: usize = 16;

/// Most bytes in one write to the socket.
///
/// Some hypervisors corrupt vsock packets of more than one descriptor (about 32 KiB) silently, so
/// no write may be larger than 28 KiB; every transfer is hashed end to end besides.
pub const WRITE_CAP_BYTES: usize = 16 * 1024;

const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
const FRAME_BYTES: u32 = 1024 * 1024;
const HEADER_LIST_BYTES: u32 = 16 * 1024;
const STREAMS_PER_CONNECTION: u32 = 32;

/// A server that serves one service; HTTP/1 is refused.
pub fn server() -> Server {
    Server::builder()
        .accept_http1(false)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(HEADER_LIST_BYTES)
}

/// The client's side of the same settings. The address is never resolved.
pub fn endpoint() -> Endpoint {
    Endpoint::from_static("http://enclave.invalid")
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES)
}

/// A server of `service` with the message limits set.
pub fn enclave_server<T: Enclave>(service: T) -> EnclaveServer<T> {
    EnclaveServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A client over `channel` with the message limits set.
pub fn enclave_client(channel: Channel) -> EnclaveClient<Channel> {
    EnclaveClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}
