//! The SIMULATED chain: five P-384 certificates with the lives and extensions of the real ones.

use attestation::{ModuleId, UnixMillis};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use std::time::Duration;

/// Organisation in every name.
pub const ORGANISATION: &str = "SIMULATED - NOT AWS";

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// keyUsage digitalSignature + nonRepudiation, as the real leaf has it: not critical.
const LEAF_KEY_USAGE: [u8; 4] = [0x03, 0x02, 0x06, 0xc0];
const KEY_USAGE_OID: [u64; 4] = [2, 5, 29, 15];

/// Seconds the leaf lives after it is issued.
pub const LEAF_LIFE_S: u64 = 3 * HOUR;

/// Parameters of the five certificates, root first, as of `now`.
pub fn plan(now: UnixMillis) -> Vec<CertificateParams> {
    let now_s = now.0.div_euclid(1000);
    let all = [
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    let authority = |name: &str, path_length, usages: &[KeyUsagePurpose], before_s, life_s| {
        let mut params = named(name, now_s, before_s, life_s);
        params.is_ca = IsCa::Ca(path_length);
        params.key_usages = usages.to_vec();
        params.use_authority_key_identifier_extension = true;
        params
    };
    let constrained = BasicConstraints::Constrained;
    let root = authority(
        "simulated.nitro-enclaves",
        BasicConstraints::Unconstrained,
        &all,
        DAY,
        365 * DAY,
    );
    let regional = authority(
        "regional.simulated",
        constrained(2),
        &all,
        DAY,
        20 * DAY + HOUR,
    );
    let zonal = authority(
        "zonal.simulated",
        constrained(1),
        &all,
        12 * HOUR,
        5 * DAY + 16 * HOUR,
    );
    let signer = [KeyUsagePurpose::KeyCertSign];
    let instance = authority(
        "i-00000000000000000.simulated",
        constrained(0),
        &signer,
        6 * HOUR,
        DAY,
    );

    let mut leaf = named(
        &format!("{}.simulated", ModuleId::SIMULATED),
        now_s,
        1,
        LEAF_LIFE_S + 3,
    );
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.custom_extensions = vec![CustomExtension::from_oid_content(
        &KEY_USAGE_OID,
        LEAF_KEY_USAGE.to_vec(),
    )];
    vec![root, regional, zonal, instance, leaf]
}

fn named(name: &str, now_s: u64, before_s: u64, life_s: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, ORGANISATION);
    params.distinguished_name.push(DnType::CommonName, name);
    let epoch = date_time_ymd(1970, 1, 1);
    let from_s = now_s.saturating_sub(before_s);
    params.not_before = epoch + Duration::from_secs(from_s);
    params.not_after = epoch + Duration::from_secs(from_s.saturating_add(life_s));
    params
}

/// One fresh key per certificate.
///
/// # Errors
/// The operating system has no randomness.
pub fn fresh_keys(count: usize) -> Result<Vec<KeyPair>, rcgen::Error> {
    (0..count)
        .map(|_| KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384))
        .collect()
}

/// DER of the root.
///
/// # Errors
/// Signing fails.
pub fn self_sign(params: &CertificateParams, key: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    Ok(params.self_signed(key)?.der().to_vec())
}

/// DER of every certificate below the root, each signed by the one before.
///
/// # Errors
/// Signing fails.
pub fn issue_below_root(
    params: &[CertificateParams],
    keys: &[KeyPair],
) -> Result<Vec<Vec<u8>>, rcgen::Error> {
    let parents = params.iter().zip(keys);
    let children = params.iter().zip(keys).skip(1);
    parents
        .zip(children)
        .map(|((parent, parent_key), (child, child_key))| {
            let issuer = Issuer::from_params(parent, parent_key);
            Ok(child.signed_by(child_key, &issuer)?.der().to_vec())
        })
        .collect()
}
