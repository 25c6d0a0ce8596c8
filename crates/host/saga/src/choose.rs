//! From what was asked for to a plan: which machines, which zones, until when.

use std::time::Duration;

use cloud::{Architecture, InstanceType, Region, RunId, TopicArn};

use crate::desk::Desk;
use crate::error::SagaError;
use crate::money::Usd;
use crate::plan::{LONGEST, MOST_PLACES, MOST_ZONES, Place, RunPlan, Volume};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The run.
    pub run: RunId,
    /// Ceremony id, hex.
    pub ceremony: String,
    /// Where.
    pub region: Region,
    /// Processor of the enclave's image.
    pub architecture: Architecture,
    /// Machines that are large enough, the preferred one first.
    pub candidates: Vec<Candidate>,
    /// The disk.
    pub volume: Volume,
    /// What it costs beside the machine.
    pub other_costs: Usd,
    /// SHA-256 of `inputs/host.json`, hex.
    pub host_sha256: String,
    /// Bucket of a mirror of powers of tau, or empty.
    pub mirror: String,
    /// Who is told when the machine's heartbeat stops; in the same region.
    pub alarm_topic: Option<TopicArn>,
    /// Objects in the bucket end after this many days.
    pub keep_days: u32,
    /// How much, how long.
    pub limits: Limits,
    /// Whether any part of the ceremony is simulated.
    pub simulation: bool,
}

/// A machine that is large enough.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its type.
    pub instance_type: InstanceType,
    /// Its price an hour.
    pub hourly: Usd,
    /// How long the ceremony is expected to take on it.
    pub expected: Duration,
}

/// How much, how long.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// The most that may be spent.
    pub max_usd: Option<Usd>,
    /// The longest that a machine may run.
    pub max: Option<Duration>,
}

/// Makes a plan, or refuses. Asks which candidates there are and where; makes nothing.
///
/// The deadline is the earliest of what time and money allow: whatever happens, nothing is spent after it.
pub fn choose(desk: Desk<'_>, wish: Wish) -> Result<RunPlan, SagaError> {
    let account = desk.again(|| desk.account.caller())?.account;
    let started = desk.clock.now();
    let places = places(desk, &wish)?;
    let mut limit = wish.limits.max.unwrap_or(LONGEST).min(LONGEST);
    let hourly = places
        .iter()
        .map(|place| place.hourly)
        .max()
        .unwrap_or_default();
    let slowest = wish
        .candidates
        .iter()
        .filter(|c| places.iter().any(|p| p.instance_type == c.instance_type));
    let expected = slowest.map(|c| c.expected).max().unwrap_or_default();
    if let Some(max_usd) = wish.limits.max_usd {
        let cost = hourly.per_hour_for(expected).plus(wish.other_costs);
        if cost > max_usd {
            return Err(SagaError::TooDear {
                expected: cost,
                limit: max_usd,
            });
        }
        let for_machine = Usd(max_usd.0.saturating_sub(wish.other_costs.0));
        limit = for_machine
            .lasts_at(hourly)
            .map_or(limit, |lasts| limit.min(lasts));
    }
    if expected > limit {
        return Err(SagaError::TooLong {
            expected_minutes: expected.as_secs().div_ceil(60),
            limit_minutes: limit.as_secs() / 60,
        });
    }
    let mut zones = Vec::new();
    for place in &places {
        if !zones.contains(&place.zone) {
            zones.push(place.zone.clone());
        }
    }
    Ok(RunPlan {
        run: wish.run,
        ceremony: wish.ceremony,
        account,
        region: wish.region,
        architecture: wish.architecture,
        zones,
        places,
        volume: wish.volume,
        host_sha256: wish.host_sha256,
        mirror: wish.mirror,
        alarm_topic: wish.alarm_topic,
        started,
        deadline: started.after(limit),
        max_usd: wish.limits.max_usd,
        keep_days: wish.keep_days,
        simulation: wish.simulation,
    })
}

/// The candidates that the region knows, with enclaves and this processor, in their order.
///
/// # Errors
/// [`SagaError::NoCandidate`] if there is none.
pub fn fitting(
    desk: Desk<'_>,
    region: &Region,
    architecture: Architecture,
    candidates: &[Candidate],
) -> Result<Vec<Candidate>, SagaError> {
    let compute = desk.account.services(region).compute;
    let types: Vec<InstanceType> = candidates.iter().map(|c| c.instance_type.clone()).collect();
    let known = desk.again(|| compute.instance_types(&types))?;
    let fits = |candidate: &&Candidate| {
        known.iter().any(|info| {
            info.name == candidate.instance_type
                && info.enclaves
                && info.architecture == architecture
        })
    };
    let fitting: Vec<Candidate> = candidates.iter().filter(fits).cloned().collect();
    if fitting.is_empty() {
        return Err(no_candidate(region, architecture, candidates));
    }
    Ok(fitting)
}

/// Where those candidates are offered, in at most three zones; all zones of the first one before the second one.
fn places(desk: Desk<'_>, wish: &Wish) -> Result<Vec<Place>, SagaError> {
    let compute = desk.account.services(&wish.region).compute;
    let mut zones = Vec::new();
    let mut places = Vec::new();
    for candidate in fitting(desk, &wish.region, wish.architecture, &wish.candidates)? {
        for zone in desk.again(|| compute.zones_offering(&candidate.instance_type))? {
            if !zones.contains(&zone) {
                if zones.len() >= MOST_ZONES {
                    continue;
                }
                zones.push(zone.clone());
            }
            let instance_type = candidate.instance_type.clone();
            places.push(Place {
                instance_type,
                zone,
                hourly: candidate.hourly,
            });
        }
    }
    places.truncate(MOST_PLACES);
    if places.is_empty() {
        return Err(no_candidate(
            &wish.region,
            wish.architecture,
            &wish.candidates,
        ));
    }
    Ok(places)
}

fn no_candidate(
    region: &Region,
    architecture: Architecture,
    candidates: &[Candidate],
) -> SagaError {
    let wanted: Vec<&str> = candidates
        .iter()
        .map(|c| c.instance_type.as_str())
        .collect();
    SagaError::NoCandidate {
        wanted: wanted.join(", "),
        region: region.to_string(),
        architecture: architecture.as_str(),
    }
}
