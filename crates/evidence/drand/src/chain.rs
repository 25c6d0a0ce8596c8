//! The chains this product knows, pinned by key, and the form of any chain.

use crate::{
    DrandError,
    scheme::{PublicKey, Scheme},
};
use sha2::{Digest, Sha256};

/// What identifies a drand chain: enough to say when a round is due and whether a beacon is genuine.
///
/// Holds only checked values: the key is a valid point of the scheme's group, the period is not
/// zero, and the hash is the one drand computes over the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainInfo {
    hash: [u8; 32],
    public_key: PublicKey,
    genesis_s: u64,
    period_s: u64,
    scheme: Scheme,
}

impl ChainInfo {
    /// Chain hash, the name drand's relays know the chain by.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Group key, compressed.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Unix time of round 1 in seconds.
    pub fn genesis_s(&self) -> u64 {
        self.genesis_s
    }

    /// Seconds between rounds, never 0.
    pub fn period_s(&self) -> u64 {
        self.period_s
    }

    /// What is signed, in which group.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// A SIMULATED chain of one local key, with quicknet's scheme.
    ///
    /// Its hash follows drand's rule with beacon id `local` and, since there is no group, the
    /// SHA-256 of the key as group hash: so the hash is a function of the three arguments.
    ///
    /// # Errors
    /// The key is not a point of G2 (96 bytes compressed), the period is 0 or too large for drand's format.
    pub fn local(public_key: &[u8], genesis_s: u64, period_s: u64) -> Result<Self, DrandError> {
        let group_hash: [u8; 32] = Sha256::digest(public_key).into();
        let hash = chain_hash(
            period_s,
            genesis_s,
            public_key,
            &group_hash,
            LOCAL_BEACON_ID,
        )?;
        RawChainInfo {
            hash,
            public_key: public_key.to_vec(),
            genesis_s,
            period_s,
            group_hash,
            scheme_id: Scheme::UnchainedG1Rfc9380.id(),
            beacon_id: LOCAL_BEACON_ID,
        }
        .validate()
    }
}

/// Beacon id of the SIMULATED chain.
pub const LOCAL_BEACON_ID: &str = "local";

/// Chain information as a relay's `/info` answer gives it, not yet believed.
#[derive(Clone, Debug)]
pub struct RawChainInfo<'a> {
    /// Claimed chain hash.
    pub hash: [u8; 32],
    /// Group key, compressed.
    pub public_key: Vec<u8>,
    /// Unix time of round 1 in seconds.
    pub genesis_s: u64,
    /// Seconds between rounds.
    pub period_s: u64,
    /// Hash of the group file (the first round's "previous signature" on chained chains).
    pub group_hash: [u8; 32],
    /// drand's scheme id.
    pub scheme_id: &'a str,
    /// drand's beacon id, `default` for the first chain.
    pub beacon_id: &'a str,
}

impl RawChainInfo<'_> {
    /// Checks that the hash covers the fields, that the key is a point of its group and not infinity.
    ///
    /// Says nothing about whether the chain is one to trust: see [`Chain`].
    ///
    /// # Errors
    /// [`DrandError`] names the field.
    pub fn validate(self) -> Result<ChainInfo, DrandError> {
        let scheme = Scheme::from_id(self.scheme_id)?;
        if self.period_s == 0 {
            return Err(DrandError::PeriodZero);
        }
        let computed = chain_hash(
            self.period_s,
            self.genesis_s,
            &self.public_key,
            &self.group_hash,
            self.beacon_id,
        )?;
        if computed != self.hash {
            return Err(DrandError::ChainHash {
                expected: hex::encode(self.hash),
                got: hex::encode(computed),
            });
        }
        Ok(ChainInfo {
            hash: self.hash,
            public_key: PublicKey::parse(scheme, &self.public_key)?,
            genesis_s: self.genesis_s,
            period_s: self.period_s,
            scheme,
        })
    }
}

/// drand's chain hash: SHA-256(period u32 BE ‖ genesis i64 BE ‖ key ‖ group hash ‖ beacon id),
/// where the id of the first chain, `default`, is left out (drand/drand, `chain/info.go`).
fn chain_hash(
    period_s: u64,
    genesis_s: u64,
    public_key: &[u8],
    group_hash: &[u8; 32],
    beacon_id: &str,
) -> Result<[u8; 32], DrandError> {
    let period =
        u32::try_from(period_s).map_err(|_| DrandError::PeriodTooLarge { got: period_s })?;
    let genesis = i64::try_from(genesis_s).map_err(|_| DrandError::TimeOverflow)?;
    let mut hasher = Sha256::new();
    hasher.update(period.to_be_bytes());
    hasher.update(genesis.to_be_bytes());
    hasher.update(public_key);
    hasher.update(group_hash);
    if beacon_id != "default" {
        hasher.update(beacon_id.as_bytes());
    }
    Ok(hasher.finalize().into())
}

/// The chains a ceremony can name. Closed on purpose: a free choice of chain lets the host choose
/// its randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// drand quicknet: period 3 s, unchained, signatures on G1.
    Quicknet,
    /// drand default: period 30 s, chained, signatures on G2.
    Default,
    /// SIMULATED: a local key.
    Local(ChainInfo),
}

impl Chain {
    /// The chains of the League of Entropy this product accepts.
    pub const PINNED: [Chain; 2] = [Chain::Quicknet, Chain::Default];

    /// What identifies it.
    pub fn info(&self) -> &ChainInfo {
        match self {
            Self::Quicknet => &QUICKNET,
            Self::Default => &DEFAULT,
            Self::Local(info) => info,
        }
    }

    /// Name in the spec: `quicknet`, `default` or `local`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quicknet => "quicknet",
            Self::Default => "default",
            Self::Local(_) => LOCAL_BEACON_ID,
        }
    }

    /// True for the local chain: its randomness is worth nothing.
    pub fn is_simulated(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// The pinned chain of a name.
    ///
    /// # Errors
    /// [`DrandError::UnknownChain`]; `local` is unknown here, since its key must be given.
    pub fn pinned(name: &str) -> Result<Self, DrandError> {
        Self::PINNED
            .into_iter()
            .find(|chain| chain.name() == name)
            .ok_or_else(|| DrandError::UnknownChain {
                name: name.to_owned(),
            })
    }
}

/// drand quicknet (chain hash 52db9ba7…c84e971). A test recomputes the hash.
pub static QUICKNET: ChainInfo = ChainInfo {
    hash: [
        0x52, 0xdb, 0x9b, 0xa7, 0x0e, 0x0c, 0xc0, 0xf6, 0xea, 0xf7, 0x80, 0x3d, 0xd0, 0x74, 0x47,
        0xa1, 0xf5, 0x47, 0x77, 0x35, 0xfd, 0x3f, 0x66, 0x17, 0x92, 0xba, 0x94, 0x60, 0x0c, 0x84,
        0xe9, 0x71,
    ],
    public_key: PublicKey::G2([
        0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91,
        0x22, 0x12, 0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60,
        0x18, 0x3c, 0x8c, 0x4b, 0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d,
        0x10, 0x64, 0x51, 0x0d, 0x1f, 0xec, 0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6,
        0x3a, 0xaf, 0x4b, 0xcb, 0x5e, 0xd6, 0x63, 0x04, 0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c,
        0xa7, 0x3b, 0xab, 0x4a, 0xf5, 0xa6, 0xe9, 0xc7, 0x6a, 0x4b, 0xc0, 0x9e, 0x76, 0xea, 0xe8,
        0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
    ]),
    genesis_s: 1_692_803_367,
    period_s: 3,
    scheme: Scheme::UnchainedG1Rfc9380,
};

/// drand default (chain hash 8990e7a9…c51b2ce). A test recomputes the hash.
pub static DEFAULT: ChainInfo = ChainInfo {
    hash: [
        0x89, 0x90, 0xe7, 0xa9, 0xaa, 0xed, 0x2f, 0xfe, 0xd7, 0x3d, 0xbd, 0x70, 0x92, 0x12, 0x3d,
        0x6f, 0x28, 0x99, 0x30, 0x54, 0x0d, 0x76, 0x51, 0x33, 0x62, 0x25, 0xdc, 0x17, 0x2e, 0x51,
        0xb2, 0xce,
    ],
    public_key: PublicKey::G1([
        0x86, 0x8f, 0x00, 0x5e, 0xb8, 0xe6, 0xe4, 0xca, 0x0a, 0x47, 0xc8, 0xa7, 0x7c, 0xea, 0xa5,
        0x30, 0x9a, 0x47, 0x97, 0x8a, 0x7c, 0x71, 0xbc, 0x5c, 0xce, 0x96, 0x36, 0x6b, 0x5d, 0x7a,
        0x56, 0x99, 0x37, 0xc5, 0x29, 0xee, 0xda, 0x66, 0xc7, 0x29, 0x37, 0x84, 0xa9, 0x40, 0x28,
        0x01, 0xaf, 0x31,
    ]),
    genesis_s: 1_595_431_050,
    period_s: 30,
    scheme: Scheme::PedersenBlsChained,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn array(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn raw_quicknet() -> RawChainInfo<'static> {
        RawChainInfo {
            hash: *QUICKNET.hash(),
            public_key: QUICKNET.public_key().as_bytes().to_vec(),
            genesis_s: QUICKNET.genesis_s(),
            period_s: QUICKNET.period_s(),
            group_hash: array("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"),
            scheme_id: "bls-unchained-g1-rfc9380",
            beacon_id: "quicknet",
        }
    }

    #[test]
    fn pinned_hashes_follow_from_the_pinned_fields() {
        assert_eq!(raw_quicknet().validate().unwrap(), QUICKNET);
        let default = RawChainInfo {
            hash: array("8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce"),
            public_key: DEFAULT.public_key().as_bytes().to_vec(),
            genesis_s: 1_595_431_050,
            period_s: 30,
            group_hash: array("176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a"),
            scheme_id: "pedersen-bls-chained",
            beacon_id: "default",
        };
        assert_eq!(default.validate().unwrap(), DEFAULT);
        assert_eq!(
            hex::encode(QUICKNET.hash()),
            "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
        );
    }

    #[test]
    fn each_field_of_chain_information_is_under_its_hash() {
        let changes: [fn(&mut RawChainInfo<'static>); 5] = [
            |raw| raw.hash[0] ^= 1,
            |raw| raw.genesis_s += 1,
            |raw| raw.period_s += 1,
            |raw| raw.group_hash[31] ^= 1,
            |raw| raw.beacon_id = "quicknet-t",
        ];
        for change in changes {
            let mut raw = raw_quicknet();
            change(&mut raw);
            assert!(matches!(raw.validate(), Err(DrandError::ChainHash { .. })));
        }
    }

    #[test]
    fn a_chain_needs_a_period_a_known_scheme_and_a_key_of_its_group() {
        let mut raw = raw_quicknet();
        raw.period_s = 0;
        assert!(matches!(raw.validate(), Err(DrandError::PeriodZero)));

        let mut raw = raw_quicknet();
        raw.period_s = 1 << 32;
        assert!(matches!(
            raw.validate(),
            Err(DrandError::PeriodTooLarge { .. })
        ));

        let mut raw = raw_quicknet();
        raw.scheme_id = "bls-bn254-unchained-on-g1";
        assert!(matches!(
            raw.validate(),
            Err(DrandError::UnknownScheme { .. })
        ));

        let mut raw = raw_quicknet();
        raw.scheme_id = "pedersen-bls-chained";
        assert!(matches!(
            raw.validate(),
            Err(DrandError::KeyLength {
                expected: 48,
                got: 96
            })
        ));

        let mut infinity = [0_u8; 96];
        infinity[0] = 0xc0;
        assert!(matches!(
            ChainInfo::local(&infinity, 1, 1),
            Err(DrandError::KeyInvalid)
        ));
    }

    #[test]
    fn only_the_two_pinned_names_are_known() {
        assert_eq!(Chain::pinned("quicknet").unwrap(), Chain::Quicknet);
        assert_eq!(Chain::pinned("default").unwrap(), Chain::Default);
        for name in ["fastnet", "local", "", "Quicknet"] {
            assert!(matches!(
                Chain::pinned(name),
                Err(DrandError::UnknownChain { .. })
            ));
        }
    }
}
