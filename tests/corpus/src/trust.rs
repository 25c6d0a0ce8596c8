//! Attestation documents and drand rounds, under the corpus's own roots.

use std::sync::LazyLock;

use attestation::certificate::Certificate;
use attestation::cose::Envelope;
use attestation::payload::Payload;
use attestation::{Anchor, PcrPolicy, RawDocument};
use drand::chain::RawChainInfo;
use drand::{ChainInfo, RawBeacon};
use local_beacon::LocalChain;

use crate::{Accepted, Verdict};

/// Root of the SIMULATED documents of the corpus.
const ROOT: &[u8] = include_bytes!("../../vectors/attestation/root.der");

/// The SIMULATED chain of the corpus's rounds.
static CHAIN: LazyLock<Option<ChainInfo>> = LazyLock::new(|| {
    let chain = LocalChain::from_seed([5; 32], 1_790_000_000, 3).ok()?;
    Some(chain.chain_info().clone())
});

/// A whole document, signature and chain included.
pub(crate) fn attestation(bytes: &[u8]) -> Verdict {
    let anchor = Anchor::Simulated(ROOT.to_vec());
    RawDocument(bytes.to_vec())
        .validate(&anchor, &PcrPolicy::unpinned())
        .map(|_| Accepted::Read)
        .map_err(|error| error.code().to_owned())
}

/// The envelope.
pub(crate) fn cose(bytes: &[u8]) -> Verdict {
    match Envelope::parse(bytes) {
        Ok(_) => Ok(Accepted::Read),
        Err(_) => Err("attestation_envelope".to_owned()),
    }
}

/// The CBOR map in the envelope.
pub(crate) fn payload(bytes: &[u8]) -> Verdict {
    Payload::parse(bytes)
        .map(|_| Accepted::Read)
        .map_err(|error| error.code().to_owned())
}

/// One certificate in DER.
pub(crate) fn certificate(bytes: &[u8]) -> Verdict {
    match Certificate::parse(bytes) {
        Ok(_) => Ok(Accepted::Read),
        Err(_) => Err("attestation_certificate".to_owned()),
    }
}

/// Three texts, a line each: round, signature, and, if there is one, the previous signature.
pub(crate) fn drand_beacon(bytes: &[u8]) -> Verdict {
    let text = std::str::from_utf8(bytes).map_err(|_| "not_utf8".to_owned())?;
    let mut lines = text.split('\n');
    let round = lines.next().unwrap_or_default();
    let signature = lines.next().unwrap_or_default();
    let beacon = RawBeacon::from_text(round, signature, lines.next());
    let chain = CHAIN.as_ref().ok_or("no_chain")?;
    beacon
        .and_then(|beacon| beacon.validate(chain))
        .map(|_| Accepted::Read)
        .map_err(|error| error.code().to_owned())
}

/// hash (32 bytes), group hash (32), period (u64 BE), genesis (u64 BE), public key.
pub(crate) fn drand_chain(bytes: &[u8]) -> Verdict {
    let short = || "too_short".to_owned();
    let (hash, rest) = bytes.split_first_chunk::<32>().ok_or_else(short)?;
    let (group_hash, rest) = rest.split_first_chunk::<32>().ok_or_else(short)?;
    let (period, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (genesis, public_key) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    RawChainInfo {
        hash: *hash,
        public_key: public_key.to_vec(),
        genesis_s: u64::from_be_bytes(*genesis),
        period_s: u64::from_be_bytes(*period),
        group_hash: *group_hash,
        scheme_id: "bls-unchained-g1-rfc9380",
        beacon_id: "local",
    }
    .validate()
    .map(|_| Accepted::Read)
    .map_err(|error| error.code().to_owned())
}
