//! What a run is going to be: written before anything is made, kept here and in the run's bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use cloud::names::NameError;
use cloud::{
    AccountId, Architecture, BucketName, InstanceType, Region, RunId, Tags, Timestamp, TopicArn,
    Zone, tags,
};
use serde::{Deserialize, Serialize};

use crate::error::SagaError;
use crate::money::Usd;

/// First field of every plan.
const FORMAT: &str = "attested-ceremony run-plan v1";
/// No run lasts longer, whatever its deadline says: the machine ends then by itself.
pub(crate) const LONGEST: Duration = Duration::from_hours(24);
/// Most places that are tried.
pub(crate) const MOST_PLACES: usize = 9;
/// Most zones a template takes.
pub(crate) const MOST_ZONES: usize = 3;

/// What a run is going to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// The run.
    pub run: RunId,
    /// Ceremony id, hex; for people.
    pub ceremony: String,
    /// The account that pays.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Processor of every machine that may be taken.
    pub architecture: Architecture,
    /// Zones that may be taken, at most three.
    pub zones: Vec<Zone>,
    /// Machines, in the order in which they are tried.
    pub places: Vec<Place>,
    /// Its disk.
    pub volume: Volume,
    /// SHA-256 of `inputs/host.json`, hex.
    pub host_sha256: String,
    /// Bucket of a mirror of powers of tau, or empty.
    pub mirror: String,
    /// Who is told when the machine's heartbeat stops.
    pub alarm_topic: Option<TopicArn>,
    /// When it was planned.
    pub started: Timestamp,
    /// When everything of it has to be gone.
    pub deadline: Timestamp,
    /// The most it may cost, if that was said.
    pub max_usd: Option<Usd>,
    /// Objects in its bucket end after this many days.
    pub keep_days: u32,
    /// Whether any part of it is simulated: its bundle then proves nothing.
    pub simulation: bool,
}

/// A machine that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its type.
    pub instance_type: InstanceType,
    /// Its zone.
    pub zone: Zone,
    /// Its price an hour.
    pub hourly: Usd,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Size in GiB.
    pub gib: u32,
    /// Operations a second.
    pub iops: u32,
    /// MiB a second.
    pub throughput: u32,
}

/// The plan as it is stored, JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPlan {
    format: String,
    run: String,
    ceremony: String,
    account: String,
    region: String,
    architecture: String,
    zones: Vec<String>,
    places: Vec<RawPlace>,
    volume: Volume,
    host_sha256: String,
    mirror: String,
    alarm_topic: Option<String>,
    started: String,
    deadline: String,
    max_micro_usd: Option<u64>,
    keep_days: u32,
    simulation: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlace {
    instance_type: String,
    zone: String,
    hourly_micro_usd: u64,
}

impl RawPlan {
    /// Reads JSON; nothing is checked yet.
    pub fn from_json(json: &[u8]) -> Result<Self, SagaError> {
        serde_json::from_slice(json).map_err(|error| SagaError::Plan {
            what: error.to_string(),
        })
    }

    /// Checks every name, and that the plan can be carried out.
    pub fn validate(self) -> Result<RunPlan, SagaError> {
        let wrong = |what: &str| SagaError::Plan {
            what: what.to_owned(),
        };
        if self.format != FORMAT {
            return Err(wrong("it is of another format"));
        }
        let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hex(&self.host_sha256) || !is_hex(&self.ceremony) {
            return Err(wrong("a digest is not 64 hex digits"));
        }
        let mirror_is_name = self.mirror.is_empty() || self.mirror.parse::<BucketName>().is_ok();
        if !mirror_is_name {
            return Err(wrong("the mirror is not a bucket's name"));
        }
        let zones = self
            .zones
            .iter()
            .map(|zone| zone.parse())
            .collect::<Result<Vec<Zone>, _>>()?;
        let places = self
            .places
            .into_iter()
            .map(RawPlace::validate)
            .collect::<Result<Vec<_>, _>>()?;
        if zones.is_empty() || zones.len() > MOST_ZONES {
            return Err(wrong("it names no zone, or too many"));
        }
        if places.is_empty() || places.len() > MOST_PLACES {
            return Err(wrong("it names no place, or too many"));
        }
        if places.iter().any(|place| !zones.contains(&place.zone)) {
            return Err(wrong("a place is in none of its zones"));
        }
        let (started, deadline): (Timestamp, Timestamp) =
            (self.started.parse()?, self.deadline.parse()?);
        if deadline <= started || deadline.since(started) > LONGEST {
            return Err(wrong("its deadline is not within a day of its start"));
        }
        let run: RunId = self.run.parse().map_err(|_| wrong("it names no run"))?;
        let account = self.account.parse()?;
        run.bucket(&account)?;
        Ok(RunPlan {
            run,
            ceremony: self.ceremony,
            account,
            region: self.region.parse()?,
            architecture: match self.architecture.as_str() {
                "x86_64" => Architecture::X86_64,
                "arm64" => Architecture::Arm64,
                _ => return Err(wrong("its processor is not known")),
            },
            zones,
            places,
            volume: self.volume,
            host_sha256: self.host_sha256,
            mirror: self.mirror,
            alarm_topic: self.alarm_topic.map(|arn| arn.parse()).transpose()?,
            started,
            deadline,
            max_usd: self.max_micro_usd.map(Usd),
            keep_days: self.keep_days,
            simulation: self.simulation,
        })
    }
}

impl RawPlace {
    fn validate(self) -> Result<Place, NameError> {
        Ok(Place {
            instance_type: self.instance_type.parse()?,
            zone: self.zone.parse()?,
            hourly: Usd(self.hourly_micro_usd),
        })
    }
}

impl RunPlan {
    /// The plan as it is stored.
    pub fn to_json(&self) -> Vec<u8> {
        let place = |place: &Place| RawPlace {
            instance_type: place.instance_type.to_string(),
            zone: place.zone.to_string(),
            hourly_micro_usd: place.hourly.0,
        };
        let raw = RawPlan {
            format: FORMAT.to_owned(),
            run: self.run.to_string(),
            ceremony: self.ceremony.clone(),
            account: self.account.to_string(),
            region: self.region.to_string(),
            architecture: self.architecture.as_str().to_owned(),
            zones: self.zones.iter().map(ToString::to_string).collect(),
            places: self.places.iter().map(place).collect(),
            volume: self.volume,
            host_sha256: self.host_sha256.clone(),
            mirror: self.mirror.clone(),
            alarm_topic: self.alarm_topic.as_ref().map(ToString::to_string),
            started: self.started.to_string(),
            deadline: self.deadline.to_string(),
            max_micro_usd: self.max_usd.map(|usd| usd.0),
            keep_days: self.keep_days,
            simulation: self.simulation,
        };
        // Plain structs of strings and numbers always have a JSON form.
        let mut json = serde_json::to_vec_pretty(&raw).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// The run's bucket.
    pub fn bucket(&self) -> Result<BucketName, NameError> {
        self.run.bucket(&self.account)
    }

    /// Tags of everything that the run makes.
    pub fn tags(&self, deadline: Timestamp) -> Tags {
        tags::of_run(&self.run, deadline)
    }

    /// The dearest machine's price an hour.
    pub fn hourly(&self) -> Usd {
        let dearest = self.places.iter().map(|place| place.hourly).max();
        dearest.unwrap_or_default()
    }

    /// The most the machine can cost until the deadline.
    pub fn worst_case(&self) -> Usd {
        self.hourly()
            .per_hour_for(self.deadline.since(self.started))
    }

    /// Parameters of the stack of one attempt; `infra/README.md` lists them.
    pub(crate) fn parameters(
        &self,
        place: &Place,
        bucket: &BucketName,
    ) -> BTreeMap<String, String> {
        let zone = |index: usize| self.zones.get(index).map_or("", Zone::as_str).to_owned();
        let placement = self.zones.iter().position(|zone| zone == &place.zone);
        let placement = placement.map_or(1, |index| index.saturating_add(1));
        let pairs = [
            ("RunId", self.run.to_string()),
            ("Bucket", bucket.to_string()),
            ("ParametersSha256", self.host_sha256.clone()),
            ("Deadline", self.deadline.schedule()),
            ("Architecture", self.architecture.as_str().to_owned()),
            ("InstanceType", place.instance_type.to_string()),
            ("Zone1", zone(0)),
            ("Zone2", zone(1)),
            ("Zone3", zone(2)),
            ("Placement", placement.to_string()),
            ("VolumeGiB", self.volume.gib.to_string()),
            ("VolumeIops", self.volume.iops.to_string()),
            ("VolumeThroughput", self.volume.throughput.to_string()),
            ("MirrorBucket", self.mirror.clone()),
            (
                "AlarmTopic",
                self.alarm_topic
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
            ),
        ];
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        pairs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> RunPlan {
        RunPlan {
            run: "run-0123456789abcdef".parse().unwrap(),
            ceremony: "ab".repeat(32),
            account: "123456789012".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            architecture: Architecture::Arm64,
            zones: vec![
                "eu-central-1a".parse().unwrap(),
                "eu-central-1b".parse().unwrap(),
            ],
            places: vec![Place {
                instance_type: "r8g.2xlarge".parse().unwrap(),
                zone: "eu-central-1b".parse().unwrap(),
                hourly: Usd(470_000),
            }],
            volume: Volume {
                gib: 64,
                iops: 3000,
                throughput: 500,
            },
            host_sha256: "cd".repeat(32),
            mirror: String::new(),
            alarm_topic: Some(
                "arn:aws:sns:eu-central-1:123456789012:alarms"
                    .parse()
                    .unwrap(),
            ),
            started: Timestamp(1_795_694_400),
            deadline: Timestamp(1_795_694_400 + 7200),
            max_usd: Some(Usd(2_000_000)),
            keep_days: 30,
            simulation: false,
        }
    }

    #[test]
    fn a_plan_is_written_and_read() {
        let json = plan().to_json();
        assert_eq!(
            RawPlan::from_json(&json).unwrap().validate().unwrap(),
            plan()
        );
        assert_eq!(plan().worst_case(), Usd(940_000));
    }

    #[test]
    fn a_plan_that_cannot_be_carried_out_is_refused() {
        let json = String::from_utf8(plan().to_json()).unwrap();
        for (from, to) in [
            ("run-plan v1", "run-plan v2"),
            ("run-0123456789abcdef", "../x"),
            ("run-0123456789abcdef", "RUN"),
            ("123456789012", "12"),
            ("\"eu-central-1\"", "\"eu central\""),
            ("\"arm64\"", "\"mips\""),
            ("2026-11-26T14:00:00Z", "2026-11-26T11:00:00Z"),
            ("2026-11-26T14:00:00Z", "2026-11-28T12:00:00Z"),
            ("\"zone\": \"eu-central-1b\"", "\"zone\": \"eu-central-1c\""),
            ("\"mirror\": \"\"", "\"mirror\": \"$(x)\""),
            ("\"keep_days\"", "\"more\": 1, \"keep_days\""),
            ("\"simulation\": false", "\"simulation\": \"no\""),
        ] {
            assert!(json.contains(from), "{from}");
            let bad = json.replace(from, to);
            let refused = RawPlan::from_json(bad.as_bytes()).and_then(RawPlan::validate);
            assert_eq!(refused.unwrap_err().code(), "run_plan", "{from} -> {to}");
        }
    }

    #[test]
    fn a_stack_gets_its_place() {
        let plan = plan();
        let place = plan.places.first().unwrap();
        let parameters = plan.parameters(place, &plan.bucket().unwrap());
        assert_eq!(parameters["Placement"], "2");
        assert_eq!(parameters["Zone3"], "");
        assert_eq!(
            parameters["AlarmTopic"],
            "arn:aws:sns:eu-central-1:123456789012:alarms"
        );
        assert_eq!(parameters["Deadline"], "2026-11-26T14:00:00");
    }
}
