//! final.zkey: the beacon applied to 0001.zkey, and everything exported from it.

use ceremony::{Ceremony, Command, FinalKey};
use drand::BeaconMatchesRound;
use formats::curve::Bn128;
use formats::progress::{ProgressSink, Unit};
use formats::zkey::{BeaconParams, ZKey};
use manifest::receipt::Records;
use manifest::solidity::{VerifierKey, keccak256, standard_json, verifier_source};
use manifest::spec::BeaconChain;
use manifest::{ArtifactKind, BeaconJson};
use phase2::check::check_beacon;
use phase2::export::VerificationKey;
use solc::Solc;

use super::{WorkError, challenge_key};
use crate::agent::Agent;
use crate::store::Store;

const OUT: ArtifactKind = ArtifactKind::FinalZkey;

pub(crate) fn run(
    agent: &Agent,
    beacon: BeaconMatchesRound,
    progress: &dyn ProgressSink,
) -> Result<Command, WorkError> {
    let (chain, exponent) = agent.with(|ceremony| match ceremony {
        Ceremony::RoundAssigned(stage) => {
            let spec = &stage.opened().spec().beacon;
            Ok((spec.chain, spec.iterations_exp))
        }
        _ => Err(WorkError::Stage),
    })?;
    let store = agent.store();
    let mut records = Records::new();
    let json = beacon_json(chain, &beacon).to_bytes();
    records.insert(
        ArtifactKind::Beacon,
        store.put(ArtifactKind::Beacon, &json)?,
    );

    let before = ZKey::open(store.open(ArtifactKind::ContributionZkey)?)?;
    let params = BeaconParams::new(exponent, beacon.randomness())?;
    let mut out = store.make(OUT);
    phase2::beacon::apply_beacon(&before, &params, None, &mut out, progress)?;
    records.insert(OUT, store.keep_made(OUT, out)?);

    let key = ZKey::open(store.open(OUT)?)?;
    let verified = check_beacon(&before, &key, &params, &challenge_key()?, progress)?;
    let runtime_keccak256 = export(agent, &key, &mut records, progress)?;
    Ok(Command::ApplyBeacon(Box::new(FinalKey {
        beacon,
        verified,
        records,
        runtime_keccak256,
    })))
}

fn beacon_json(chain: BeaconChain, beacon: &BeaconMatchesRound) -> BeaconJson {
    let previous = beacon.beacon().previous_signature();
    BeaconJson {
        chain,
        round: beacon.round().get(),
        randomness: *beacon.randomness(),
        signature: beacon.beacon().signature().to_vec(),
        previous_signature: (!previous.is_empty()).then(|| previous.to_vec()),
    }
}

/// Verification key, contract and its code; returns Keccak-256 of the runtime code.
fn export<S: formats::source::Source>(
    agent: &Agent,
    key: &ZKey<S>,
    records: &mut Records,
    progress: &dyn ProgressSink,
) -> Result<[u8; 32], WorkError> {
    let mut put = |kind: ArtifactKind, bytes: &[u8]| -> Result<(), WorkError> {
        let store: &Store = agent.store();
        records.insert(kind, store.put(kind, bytes)?);
        Ok(())
    };
    let vkey = VerificationKey::<Bn128>::from_zkey(key)?;
    put(ArtifactKind::VerificationKey, vkey.to_json().as_bytes())?;
    let contract_key = VerifierKey::from_points(
        &vkey.alpha1,
        &vkey.beta2,
        &vkey.gamma2,
        &vkey.delta2,
        &vkey.ic,
    )?;
    let source = verifier_source(&contract_key);
    put(ArtifactKind::VerifierSol, source.as_bytes())?;
    let input = standard_json(&source);
    put(ArtifactKind::VerifierInput, input.as_str().as_bytes())?;
    progress.step("load contract compiler", Unit::Steps, None);
    let solc = Solc::load(agent.modules())?;
    progress.step("compile verifier contract", Unit::Steps, None);
    let contract = solc.compile_verifier(&input)?;
    let hex = |code: &[u8]| hex::encode(code).into_bytes();
    put(ArtifactKind::VerifierCreation, &hex(contract.creation()))?;
    put(ArtifactKind::VerifierRuntime, &hex(contract.runtime()))?;
    Ok(keccak256(contract.runtime()))
}
