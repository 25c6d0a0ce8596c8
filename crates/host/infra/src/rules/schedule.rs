//! What ends a run, and what tells of it.

use serde_json::Value;

use super::{at, need, sample, text_at};
use crate::policy::{Call, Policy};

const HOST: &str = "i-0123456789abcdef0";

pub(super) fn kill(template: &Value) -> Result<(), String> {
    let (_, schedule) = sample(template).only("AWS::Scheduler::Schedule")?;
    let schedule = at(&schedule, "/Properties");
    need(
        text_at(schedule, "/ScheduleExpression") == "at(2026-11-26T14:00:00)"
            && text_at(schedule, "/ScheduleExpressionTimezone") == "UTC",
        "it does not fire once, at the deadline",
    )?;
    need(
        text_at(schedule, "/State") == "ENABLED",
        "it is not enabled",
    )?;
    need(
        text_at(schedule, "/FlexibleTimeWindow/Mode") == "OFF",
        "it may come late",
    )?;
    need(
        text_at(schedule, "/Target/Arn") == "arn:aws:scheduler:::aws-sdk:ec2:terminateInstances",
        "it does not terminate",
    )?;
    let input: Option<Value> = serde_json::from_str(text_at(schedule, "/Target/Input")).ok();
    need(
        input.is_some_and(|input| at(&input, "/InstanceIds/0").as_str() == Some(HOST)),
        "it names another machine",
    )?;
    need(
        at(schedule, "/Target/RetryPolicy/MaximumRetryAttempts")
            .as_u64()
            .is_some_and(|attempts| attempts > 0),
        "it is not tried again",
    )
}

pub(super) fn kill_role(template: &Value) -> Result<(), String> {
    let roles = sample(template).resources("AWS::IAM::Role");
    let (_, role) = roles
        .into_iter()
        .find(|(name, _)| name == "KillRole")
        .ok_or("no KillRole")?;
    let policy = Policy::read(at(&role, "/Properties/Policies/0/PolicyDocument"))
        .map_err(|e| e.to_string())?;
    let instance = |id: &str| format!("arn:aws:ec2:eu-central-1:123456789012:instance/{id}");
    need(
        policy
            .decide(&Call::new("ec2:TerminateInstances", &instance(HOST)))
            .is_allowed(),
        "it cannot terminate the machine",
    )?;
    for (action, resource) in [
        ("ec2:TerminateInstances", instance("i-0fedcba9876543210")),
        ("ec2:StopInstances", instance(HOST)),
        ("ec2:RunInstances", "*".to_owned()),
        ("s3:GetObject", "arn:aws:s3:::x/y".to_owned()),
    ] {
        need(
            !policy.decide(&Call::new(action, &resource)).is_allowed(),
            format!("{action} on {resource} goes through"),
        )?;
    }
    Ok(())
}

pub(super) fn logs(template: &Value) -> Result<(), String> {
    let (_, logs) = sample(template).only("AWS::Logs::LogGroup")?;
    need(
        !at(&logs, "/Properties/RetentionInDays").is_null(),
        "kept for ever",
    )?;
    need(
        text_at(&logs, "/DeletionPolicy") == "Delete",
        "it stays when the stack goes",
    )
}

pub(super) fn alarm(template: &Value) -> Result<(), String> {
    let (_, alarm) = sample(template).only("AWS::CloudWatch::Alarm")?;
    let alarm = at(&alarm, "/Properties");
    need(
        text_at(alarm, "/Namespace") == "Ceremony"
            && text_at(alarm, "/MetricName") == "Heartbeat"
            && text_at(alarm, "/Dimensions/0/Name") == "Run"
            && text_at(alarm, "/Dimensions/0/Value") == "run-0123456789abcdef",
        "it watches something else than this run's heartbeat",
    )?;
    need(
        text_at(alarm, "/TreatMissingData") == "breaching",
        "silence is no alarm",
    )?;
    need(
        text_at(alarm, "/ComparisonOperator") == "LessThanThreshold"
            && at(alarm, "/Threshold").as_u64() == Some(1),
        "it does not count heartbeats",
    )?;
    need(
        at(alarm, "/AlarmActions/0").as_str()
            == Some("arn:aws:sns:eu-central-1:123456789012:alarms"),
        "it tells nobody",
    )
}
