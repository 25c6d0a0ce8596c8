//! drand beacons: pinned chains, round arithmetic, BLS verification.
//!
//! * [`chain`]: the two chains a production ceremony may use, compiled in, and the form of a local one.
//! * [`round`]: which round belongs to an attested time. Always the ceiling, never the round that is already out.
//! * [`beacon`]: a relay's answer, checked against a chain: [`RawBeacon`] becomes [`Beacon`], and
//!   with the assigned round [`BeaconMatchesRound`].
//!
//! Nothing here reads a clock or a socket. The format is described in `docs/formats/drand.md`.

pub mod beacon;
pub mod chain;
mod error;
pub mod round;
pub mod scheme;

pub use beacon::{Beacon, BeaconMatchesRound, RawBeacon};
pub use chain::{Chain, ChainInfo, DEFAULT, QUICKNET, RawChainInfo};
pub use error::DrandError;
pub use round::{Round, latest_published, round_for, round_time_ms};
pub use scheme::{PublicKey, Scheme};
