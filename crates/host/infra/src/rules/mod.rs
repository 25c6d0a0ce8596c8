//! The security properties of the files in `infra/`, one rule each. A rule looks at the file as data and says what is wrong; the
//! tests take each property out and see its rule refuse.

mod bucket;
mod machine;
mod network;
mod permissions;
mod schedule;
mod unit;

use serde_json::Value;

use crate::template::Template;

/// One property.
pub struct Rule<F: ?Sized> {
    /// Its name, stable.
    pub name: &'static str,
    /// What is wrong, if anything.
    pub check: fn(&F) -> Result<(), String>,
}

/// `infra/run.yaml`.
pub const RUN: &[Rule<Value>] = &[
    Rule {
        name: "nothing reaches in",
        check: network::nothing_in,
    },
    Rule {
        name: "out by 443 only",
        check: network::https_out,
    },
    Rule {
        name: "the store is reached inside AWS, and written in this run only",
        check: network::endpoint,
    },
    Rule {
        name: "subnets in every candidate zone",
        check: network::zones,
    },
    Rule {
        name: "nothing in the network bills by the hour",
        check: network::nothing_billing,
    },
    Rule {
        name: "enclaves are enabled",
        check: machine::enclaves,
    },
    Rule {
        name: "metadata wants a token and answers one hop",
        check: machine::metadata,
    },
    Rule {
        name: "the disk is encrypted, of known speed, and ends with the machine",
        check: machine::disk,
    },
    Rule {
        name: "powering off terminates",
        check: machine::shutdown,
    },
    Rule {
        name: "nobody can log in",
        check: machine::no_login,
    },
    Rule {
        name: "the image is Amazon's own, by its public name",
        check: machine::image,
    },
    Rule {
        name: "user data is constant",
        check: machine::user_data,
    },
    Rule {
        name: "user data begins with the last deadline",
        check: machine::last_deadline,
    },
    Rule {
        name: "an update never replaces the machine",
        check: machine::pinned_version,
    },
    Rule {
        name: "tags say whose it is and until when",
        check: machine::tags,
    },
    Rule {
        name: "the machine reads and writes its own run only",
        check: permissions::own_run,
    },
    Rule {
        name: "the machine overwrites nothing",
        check: permissions::no_overwriting,
    },
    Rule {
        name: "the machine deletes nothing",
        check: permissions::no_deleting,
    },
    Rule {
        name: "roles serve one service each",
        check: permissions::trust,
    },
    Rule {
        name: "no parameter takes more than its form",
        check: permissions::parameters,
    },
    Rule {
        name: "a schedule terminates the machine at the deadline",
        check: schedule::kill,
    },
    Rule {
        name: "the schedule can end this machine only",
        check: schedule::kill_role,
    },
    Rule {
        name: "logs end",
        check: schedule::logs,
    },
    Rule {
        name: "silence raises an alarm",
        check: schedule::alarm,
    },
];

/// `infra/bucket.json`.
pub const BUCKET: &[Rule<Value>] = &[
    Rule {
        name: "TLS only",
        check: bucket::settings_tls,
    },
    Rule {
        name: "this account only",
        check: bucket::settings_account,
    },
    Rule {
        name: "public access blocked",
        check: bucket::settings_public_access,
    },
    Rule {
        name: "owner enforced",
        check: bucket::settings_owner,
    },
    Rule {
        name: "encrypted",
        check: bucket::settings_encryption,
    },
    Rule {
        name: "objects and unfinished uploads end",
        check: bucket::settings_lifecycle,
    },
    Rule {
        name: "tags say whose it is and until when",
        check: bucket::settings_tags,
    },
];

/// `infra/mirror.yaml`.
pub const MIRROR: &[Rule<Value>] = &[
    Rule {
        name: "TLS only",
        check: bucket::mirror_tls,
    },
    Rule {
        name: "no access lists",
        check: bucket::no_acls,
    },
    Rule {
        name: "encrypted",
        check: bucket::encrypted,
    },
    Rule {
        name: "one zone only",
        check: bucket::one_zone,
    },
    Rule {
        name: "only the owner writes",
        check: bucket::owner_writes,
    },
    Rule {
        name: "readers see powers of tau only",
        check: bucket::mirror_reads,
    },
    Rule {
        name: "kept when the stack goes",
        check: bucket::retained,
    },
    Rule {
        name: "unfinished uploads end",
        check: bucket::uploads_end,
    },
];

/// `infra/archive.yaml`.
pub const ARCHIVE: &[Rule<Value>] = &[
    Rule {
        name: "TLS only",
        check: bucket::archive_tls,
    },
    Rule {
        name: "no access lists",
        check: bucket::no_acls,
    },
    Rule {
        name: "encrypted",
        check: bucket::encrypted,
    },
    Rule {
        name: "every version kept",
        check: bucket::versioned,
    },
    Rule {
        name: "nobody deletes early",
        check: bucket::locked,
    },
    Rule {
        name: "closed unless asked for",
        check: bucket::archive_closed,
    },
    Rule {
        name: "public means public/",
        check: bucket::archive_public,
    },
    Rule {
        name: "kept when the stack goes",
        check: bucket::retained,
    },
    Rule {
        name: "unfinished uploads end",
        check: bucket::uploads_end,
    },
];

/// `infra/host-agent.service`.
pub const UNIT: &[Rule<str>] = &[
    Rule {
        name: "its end is the machine's end",
        check: unit::powers_off,
    },
    Rule {
        name: "it cannot run for ever",
        check: unit::limits,
    },
    Rule {
        name: "it is not started twice",
        check: unit::one_life,
    },
    Rule {
        name: "it has no privileges",
        check: unit::privileges,
    },
    Rule {
        name: "it sees two devices",
        check: unit::devices,
    },
    Rule {
        name: "no core dumps",
        check: unit::no_core,
    },
];

/// `infra/policies/stack-policy.json`.
pub const STACK_POLICY: &[Rule<Value>] = &[Rule {
    name: "an update never replaces the machine",
    check: machine::stack_policy,
}];

/// Values of an imaginary run, every option in use.
pub const SAMPLE: &[(&str, &str)] = &[
    ("RunId", "run-0123456789abcdef"),
    (
        "Bucket",
        "attested-ceremony-123456789012-run-0123456789abcdef",
    ),
    (
        "ParametersSha256",
        "0000000000000000000000000000000000000000000000000000000000000001",
    ),
    ("Deadline", "2026-11-26T14:00:00"),
    ("Architecture", "x86_64"),
    ("InstanceType", "r7i.2xlarge"),
    ("Zone1", "eu-central-1a"),
    ("Zone2", "eu-central-1b"),
    ("Zone3", "eu-central-1c"),
    ("MirrorBucket", "ptau-mirror"),
    ("AlarmTopic", "arn:aws:sns:eu-central-1:123456789012:alarms"),
    ("BucketName", "some-bucket"),
    ("Mirror.Arn", "arn:aws:s3:::some-bucket"),
    ("Archive.Arn", "arn:aws:s3:::some-bucket"),
    ("Host", "i-0123456789abcdef0"),
    (
        "Logs.Arn",
        "arn:aws:logs:eu-central-1:123456789012:log-group:/ceremony/run-0123456789abcdef:*",
    ),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "eu-central-1"),
    ("AWS::AccountId", "123456789012"),
];

fn sample(template: &Value) -> Template<'_> {
    Template::new(template, SAMPLE)
}

/// Refuses with `problem` unless `holds`.
fn need(holds: bool, problem: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem.into()) }
}

/// The value at a path of object keys and list indices.
fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    value.pointer(path).unwrap_or(&Value::Null)
}

fn text_at<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).as_str().unwrap_or_default()
}
