//! What comes over the sockets and out of the object store: protobuf messages, then their form.

use cloud::{ObjectKey, RunId};
use drand::RawBeacon;
use manifest::RawSpec;
use prost::Message;
use protocol::chunk::Inbound;
use protocol::convert::{ConvertError, certificates, exact, kind_from_pb};
use protocol::pb;

use crate::{Accepted, Verdict};

/// A request to the enclave: the first byte says which, the rest is the message. Decoded and
/// converted as the agent does before its ceremony sees anything.
pub(crate) fn protocol(bytes: &[u8]) -> Verdict {
    let (kind, message) = bytes.split_first().ok_or("empty")?;
    match kind {
        b'd' => {
            let request: pb::DescribeRequest = decode(message)?;
            exact::<32>("nonce", &request.nonce)
                .map(drop)
                .map_err(|error| code(&error))
        }
        b'o' => {
            let request: pb::OpenRequest = decode(message)?;
            let spec = RawSpec(request.spec.to_vec()).validate();
            spec.map(drop).map_err(|error| error.code().to_owned())
        }
        b'c' => {
            let request: pb::SubmitCertificatesRequest = decode(message)?;
            certificates(&request)
                .map(drop)
                .map_err(|error| code(&error))
        }
        b'b' => {
            let request: pb::ApplyBeaconRequest = decode(message)?;
            RawBeacon::try_from(request)
                .map(drop)
                .map_err(|error| code(&error))
        }
        b'g' => {
            let request: pb::GetArtifactRequest = decode(message)?;
            kind_from_pb(request.kind)
                .map(drop)
                .map_err(|error| code(&error))
        }
        b'p' => put(message),
        b'a' => decode::<pb::BackingAnswer>(message).map(drop),
        _ => Err("no_such_request".to_owned()),
    }
    .map(|()| Accepted::Read)
}

/// Parts of one transfer, each with its length before it.
fn put(mut stream: &[u8]) -> Result<(), String> {
    let mut transfer: Option<Inbound> = None;
    while !stream.is_empty() {
        let message = pb::PutArtifactRequest::decode_length_delimited(&mut stream)
            .map_err(|_| "protobuf".to_owned())?;
        match message.part.ok_or("transfer_part")? {
            pb::put_artifact_request::Part::Header(header) => {
                kind_from_pb(header.kind).map_err(|error| code(&error))?;
                transfer = Some(Inbound::new(header.size, 0));
            }
            pb::put_artifact_request::Part::Chunk(chunk) => {
                let progress = transfer.as_mut().ok_or("transfer_part")?;
                progress
                    .take(&chunk)
                    .map_err(|error| error.code().to_owned())?;
            }
            pb::put_artifact_request::Part::Trailer(trailer) => {
                let progress = transfer.take().ok_or("transfer_part")?;
                progress
                    .finish(&trailer.sha256, &[0; 32])
                    .map_err(|error| error.code().to_owned())?;
            }
        }
    }
    Ok(())
}

/// A record of a run, or a name in the store: the first byte says which.
pub(crate) fn run_store(bytes: &[u8]) -> Verdict {
    let (kind, rest) = bytes.split_first().ok_or("empty")?;
    match kind {
        b'j' => decode::<pb::Job>(rest).map(drop),
        b's' => decode::<pb::Status>(rest).map(drop),
        b'c' => decode::<pb::Control>(rest).map(drop),
        b'd' => decode::<pb::JobDone>(rest).map(drop),
        b'k' => name::<ObjectKey>(rest),
        b'i' => name::<RunId>(rest),
        _ => Err("no_such_record".to_owned()),
    }
    .map(|()| Accepted::Read)
}

fn name<T: std::str::FromStr>(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not_utf8".to_owned())?;
    text.parse::<T>()
        .map(drop)
        .map_err(|_| "store_key".to_owned())
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, String> {
    M::decode(bytes).map_err(|_| "protobuf".to_owned())
}

fn code(error: &ConvertError) -> String {
    error.code().to_owned()
}
