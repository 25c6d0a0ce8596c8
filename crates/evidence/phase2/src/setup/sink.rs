//! The parts of an initial key on their way to a file or a comparison, and their circuit hash.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use formats::{curve::CurveParams, digest::Blake2b512Digest, zkey::ZKeySection};

use super::error::SetupError;
use crate::transcript::{InfinityRule, PointHasher};

/// Parts under way between the threads: a megabyte each at most.
const QUEUE: usize = 4;

/// Bytes of a section.
pub(crate) struct Part {
    pub(crate) section: ZKeySection,
    /// Where they begin, counted from the section's first byte.
    pub(crate) offset: u64,
    /// Points in file form, or coefficient records.
    pub(crate) bytes: Vec<u8>,
}

/// Takes the parts of a key. They come section by section in the order of the circuit hash, each
/// section from its first byte to its last; only coefficients and H come in between.
pub(crate) trait PartSink: Send {
    type Error: From<SetupError> + Send;

    fn take(&mut self, part: &Part) -> Result<(), Self::Error>;
}

/// What goes from those who compute to the one who hashes.
pub(super) enum Message {
    /// A part, hashed if its section is.
    Part(Part),
    /// A count, hashed.
    Count(u32),
    /// Points in file form, hashed and no more.
    G1(Vec<u8>),
    /// The same in G2.
    G2(Vec<u8>),
    /// Bytes, hashed as they are.
    Raw(Vec<u8>),
}

/// Where the messages go in.
#[derive(Clone)]
pub(super) struct Outlet(SyncSender<Message>);

impl Outlet {
    /// Waits until the message is taken. Fails when nobody takes any more: whoever stopped has the
    /// reason.
    pub(super) fn send(&self, message: Message) -> Result<(), SetupError> {
        self.0.send(message).map_err(|_| SetupError::Cancelled)
    }
}

/// Runs `make` and, beside it, hashing and the sink. With a rule the circuit hash of all that was
/// sent, without one nothing is hashed.
pub(super) fn run<C: CurveParams, K: PartSink>(
    rule: Option<InfinityRule>,
    sink: &mut K,
    make: impl FnOnce(&Outlet) -> Result<(), SetupError>,
) -> Result<Option<Blake2b512Digest>, K::Error> {
    let (send, receive) = sync_channel(QUEUE);
    std::thread::scope(|scope| {
        let consumer = scope.spawn(move || consume::<C, K>(&receive, rule, sink));
        let outlet = Outlet(send);
        let made = make(&outlet);
        drop(outlet);
        let consumed = consumer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where the sink failed, whoever computes only found that nobody takes the parts.
        let digest = consumed?;
        made?;
        Ok(digest)
    })
}

fn consume<C: CurveParams, K: PartSink>(
    messages: &Receiver<Message>,
    rule: Option<InfinityRule>,
    sink: &mut K,
) -> Result<Option<Blake2b512Digest>, K::Error> {
    let mut hasher = rule.map(PointHasher::new);
    for message in messages {
        if let Some(hasher) = &mut hasher {
            hash::<C>(hasher, &message).map_err(K::Error::from)?;
        }
        if let Message::Part(part) = message {
            sink.take(&part)?;
        }
    }
    Ok(hasher.map(|hasher| hasher.digest()))
}

fn hash<C: CurveParams>(hasher: &mut PointHasher, message: &Message) -> Result<(), SetupError> {
    match message {
        Message::Part(part) => match part.section {
            ZKeySection::Ic | ZKeySection::C | ZKeySection::A | ZKeySection::B1 => {
                hasher.file_points::<C::G1Config>(&part.bytes)?;
            }
            ZKeySection::B2 => hasher.file_points::<C::G2Config>(&part.bytes)?,
            _ => {}
        },
        Message::Count(count) => hasher.count(*count),
        Message::G1(bytes) => hasher.file_points::<C::G1Config>(bytes)?,
        Message::G2(bytes) => hasher.file_points::<C::G2Config>(bytes)?,
        Message::Raw(bytes) => hasher.bytes(bytes),
    }
    Ok(())
}
