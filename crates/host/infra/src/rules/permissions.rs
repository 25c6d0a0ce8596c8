//! What the machine may do.

use serde_json::Value;

use super::{at, need, sample, text_at};
use crate::policy::{Call, Decision, Policy};

const BUCKET: &str = "arn:aws:s3:::attested-ceremony-123456789012-run-0123456789abcdef";
const RUN: &str = "runs/run-0123456789abcdef";

/// The policy of the machine's role.
fn host_policy(template: &Value) -> Result<Policy, String> {
    let roles = sample(template).resources("AWS::IAM::Role");
    let (_, role) = roles
        .into_iter()
        .find(|(name, _)| name == "HostRole")
        .ok_or("no HostRole")?;
    let policies = at(&role, "/Properties/Policies").as_array();
    let [policy] = policies.map_or(&[][..], Vec::as_slice) else {
        return Err("HostRole has not one policy".to_owned());
    };
    Policy::read(at(policy, "/PolicyDocument")).map_err(|e| e.to_string())
}

fn object(key: &str) -> String {
    format!("{BUCKET}/{RUN}/{key}")
}

fn put(key: &str) -> Call {
    Call::new("s3:PutObject", &object(key)).with(&[
        ("s3:if-none-match", "*"),
        ("s3:ObjectCreationOperation", "true"),
    ])
}

pub(super) fn own_run(template: &Value) -> Result<(), String> {
    let policy = host_policy(template)?;
    let list = |prefix: &str| Call::new("s3:ListBucket", BUCKET).with(&[("s3:prefix", prefix)]);
    let needed = [
        Call::new("s3:GetObject", &object("job")),
        Call::new("s3:GetObject", &object("inputs/host.json")),
        Call::new("s3:GetObject", &object("control/0000000000")),
        Call::new("s3:GetObject", &object("artifacts/final-zkey")),
        list("runs/run-0123456789abcdef/control/"),
        put("status/0000000000"),
        put("artifacts/final-zkey"),
        put("log/bootstrap"),
        put("commit"),
        // Parts of a large file carry no condition; the call that completes it does.
        Call::new("s3:PutObject", &object("artifacts/final-zkey"))
            .with(&[("s3:ObjectCreationOperation", "false")]),
        Call::new("s3:AbortMultipartUpload", &object("artifacts/final-zkey")),
        Call::new(
            "s3:GetObject",
            "arn:aws:s3:::ptau-mirror/ptau/ppot_0080_20.ptau",
        ),
        Call::new(
            "logs:PutLogEvents",
            "arn:aws:logs:eu-central-1:123456789012:log-group:/ceremony/run-0123456789abcdef:log-stream:host-agent",
        ),
    ];
    for call in needed {
        need(
            policy.decide(&call).is_allowed(),
            format!("{} on {} is refused", call.action, call.resource),
        )?;
    }
    let other = format!("{BUCKET}/runs/other/inputs/circuit");
    let refused = [
        Call::new("s3:GetObject", &other),
        Call::new(
            "s3:GetObject",
            "arn:aws:s3:::attested-ceremony-123456789012-other/runs/other/job",
        ),
        Call::new("s3:GetObject", &format!("{BUCKET}/{RUN}0/job")),
        Call::new("s3:ListBucket", BUCKET),
        list(""),
        list("runs/"),
        list("runs/other/"),
        Call::new("s3:ListAllMyBuckets", "*"),
        put("job"),
        put("inputs/host.json"),
        put("control/0000000000"),
        Call::new("s3:PutObject", "arn:aws:s3:::ptau-mirror/ptau/x")
            .with(&[("s3:if-none-match", "*")]),
        Call::new("s3:PutBucketPolicy", BUCKET),
        Call::new("s3:PutObjectAcl", &object("commit")),
        Call::new("ec2:CreateTags", "*"),
        Call::new("ec2:RunInstances", "*"),
        Call::new("ssm:GetParameter", "*"),
        Call::new(
            "sts:AssumeRole",
            "arn:aws:iam::123456789012:role/ceremony/x",
        ),
        Call::new("iam:PassRole", "arn:aws:iam::123456789012:role/ceremony/x"),
        Call::new(
            "logs:PutLogEvents",
            "arn:aws:logs:eu-central-1:123456789012:log-group:/ceremony/other:log-stream:x",
        ),
    ];
    for call in refused {
        need(
            !policy.decide(&call).is_allowed(),
            format!("{} on {} goes through", call.action, call.resource),
        )?;
    }
    Ok(())
}

pub(super) fn no_overwriting(template: &Value) -> Result<(), String> {
    let policy = host_policy(template)?;
    let blind = Call::new("s3:PutObject", &object("status/0000000000"))
        .with(&[("s3:ObjectCreationOperation", "true")]);
    need(
        matches!(policy.decide(&blind), Decision::Denied { .. }),
        "a write without If-None-Match is not denied",
    )
}

pub(super) fn no_deleting(template: &Value) -> Result<(), String> {
    let policy = host_policy(template)?;
    for (action, resource) in [
        ("s3:DeleteObject", object("status/0000000000")),
        ("s3:DeleteObjectVersion", object("artifacts/final-zkey")),
        ("s3:DeleteBucket", BUCKET.to_owned()),
        ("s3:PutLifecycleConfiguration", BUCKET.to_owned()),
        ("logs:DeleteLogGroup", "*".to_owned()),
        ("ec2:TerminateInstances", "*".to_owned()),
        ("ec2:DeleteVolume", "*".to_owned()),
        ("cloudformation:DeleteStack", "*".to_owned()),
        ("scheduler:DeleteSchedule", "*".to_owned()),
    ] {
        need(
            !policy.decide(&Call::new(action, &resource)).is_allowed(),
            format!("{action} goes through"),
        )?;
    }
    Ok(())
}

pub(super) fn trust(template: &Value) -> Result<(), String> {
    for (name, role) in sample(template).resources("AWS::IAM::Role") {
        let expected = match name.as_str() {
            "HostRole" => "ec2.amazonaws.com",
            "KillRole" => "scheduler.amazonaws.com",
            _ => return Err(format!("a role that no rule knows: {name}")),
        };
        let statements = at(&role, "/Properties/AssumeRolePolicyDocument/Statement").as_array();
        let [statement] = statements.map_or(&[][..], Vec::as_slice) else {
            return Err(format!("{name} is trusted in more than one way"));
        };
        let principal = at(statement, "/Principal");
        need(
            principal
                .as_object()
                .is_some_and(|principal| principal.len() == 1)
                && text_at(principal, "/Service") == expected
                && text_at(statement, "/Action") == "sts:AssumeRole",
            format!("{name} serves {principal}"),
        )?;
        need(
            text_at(&role, "/Properties/Path") == "/ceremony/",
            format!("{name} is not under /ceremony/"),
        )?;
        if name == "KillRole" {
            need(
                text_at(statement, "/Condition/StringEquals/aws:SourceAccount") == "123456789012",
                "KillRole serves schedules of other accounts",
            )?;
        }
    }
    Ok(())
}

pub(super) fn parameters(template: &Value) -> Result<(), String> {
    let parameters = at(template, "/Parameters").as_object();
    for (name, parameter) in parameters.into_iter().flatten() {
        let pattern = text_at(parameter, "/AllowedPattern");
        let bounded = match text_at(parameter, "/Type") {
            "Number" => {
                !at(parameter, "/AllowedValues").is_null()
                    || !at(parameter, "/MinValue").is_null()
                        && !at(parameter, "/MaxValue").is_null()
            }
            _ => {
                at(parameter, "/AllowedValues").is_array()
                    || pattern.starts_with('^') && pattern.ends_with('$')
            }
        };
        need(bounded, format!("{name} takes anything"))?;
    }
    Ok(())
}
