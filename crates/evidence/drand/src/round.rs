//! Which round belongs to a time.
//!
//! Round 1 is at genesis: `time(r) = genesis + (r − 1)·period`. The round for an attested time is
//! the first one *not before* that time plus the margin. The round `floor((t − genesis)/period) + 1`,
//! which client libraries call "round at", is already published at `t`: using it for a commitment
//! would let the committer know its beacon.

use crate::{DrandError, chain::ChainInfo};
use std::fmt;

/// Number of a round, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round(u64);

impl Round {
    /// # Errors
    /// [`DrandError::RoundZero`].
    pub fn new(number: u64) -> Result<Self, DrandError> {
        if number == 0 {
            return Err(DrandError::RoundZero);
        }
        Ok(Self(number))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The first round whose time is not before `attested_ms + margin_ms`, both in milliseconds
/// (`attested_ms` since the Unix epoch).
///
/// # Errors
/// The sum lies before the chain's genesis, or does not fit 64 bits.
pub fn round_for(chain: &ChainInfo, attested_ms: u64, margin_ms: u64) -> Result<Round, DrandError> {
    let earliest_ms = attested_ms
        .checked_add(margin_ms)
        .ok_or(DrandError::TimeOverflow)?;
    let periods = since_genesis(chain, earliest_ms)?.div_ceil(period_ms(chain)?);
    Round::new(periods.checked_add(1).ok_or(DrandError::TimeOverflow)?)
}

/// The newest round already published at a time: what must never be used for a commitment made at
/// that time. For displays and for the host's waiting.
///
/// # Errors
/// The time lies before the chain's genesis.
pub fn latest_published(chain: &ChainInfo, time_ms: u64) -> Result<Round, DrandError> {
    let periods = since_genesis(chain, time_ms)?
        .checked_div(period_ms(chain)?)
        .ok_or(DrandError::PeriodZero)?;
    Round::new(periods.checked_add(1).ok_or(DrandError::TimeOverflow)?)
}

/// Unix milliseconds at which a round is due.
///
/// # Errors
/// The round lies beyond 2^64 ms.
pub fn round_time_ms(chain: &ChainInfo, round: Round) -> Result<u64, DrandError> {
    round
        .get()
        .checked_sub(1)
        .and_then(|before| before.checked_mul(period_ms(chain).ok()?))
        .and_then(|offset| offset.checked_add(genesis_ms(chain).ok()?))
        .ok_or(DrandError::TimeOverflow)
}

fn since_genesis(chain: &ChainInfo, time_ms: u64) -> Result<u64, DrandError> {
    let genesis_ms = genesis_ms(chain)?;
    time_ms
        .checked_sub(genesis_ms)
        .ok_or(DrandError::BeforeGenesis {
            time_ms,
            genesis_ms,
        })
}

fn genesis_ms(chain: &ChainInfo) -> Result<u64, DrandError> {
    chain
        .genesis_s()
        .checked_mul(1000)
        .ok_or(DrandError::TimeOverflow)
}

fn period_ms(chain: &ChainInfo) -> Result<u64, DrandError> {
    chain
        .period_s()
        .checked_mul(1000)
        .ok_or(DrandError::TimeOverflow)
}
