//! The machine: how it starts, what it knows, how it ends.

use serde_json::Value;

use super::{at, need, sample, text_at};
use crate::policy::{Call, Policy};

/// Most bytes of user data, before base64: EC2.
const USER_DATA_LIMIT: usize = 16 << 10;

fn launch(template: &Value) -> Result<Value, String> {
    let (_, launch) = sample(template).only("AWS::EC2::LaunchTemplate")?;
    Ok(at(&launch, "/Properties/LaunchTemplateData").clone())
}

fn instance(template: &Value) -> Result<Value, String> {
    let (_, instance) = sample(template).only("AWS::EC2::Instance")?;
    Ok(at(&instance, "/Properties").clone())
}

pub(super) fn enclaves(template: &Value) -> Result<(), String> {
    need(
        at(&launch(template)?, "/EnclaveOptions/Enabled") == &Value::Bool(true),
        "EnclaveOptions are not enabled",
    )
}

pub(super) fn metadata(template: &Value) -> Result<(), String> {
    let launch = launch(template)?;
    need(
        text_at(&launch, "/MetadataOptions/HttpTokens") == "required",
        "no token is required",
    )?;
    need(
        at(&launch, "/MetadataOptions/HttpPutResponseHopLimit").as_u64() == Some(1),
        "the answer takes more than one hop",
    )?;
    need(
        text_at(&launch, "/MetadataOptions/InstanceMetadataTags") == "enabled",
        "the machine cannot read its tags",
    )?;
    need(
        at(&instance(template)?, "/MetadataOptions").is_null(),
        "the instance has options of its own",
    )
}

pub(super) fn disk(template: &Value) -> Result<(), String> {
    let launch = launch(template)?;
    let disks = at(&launch, "/BlockDeviceMappings").as_array();
    need(disks.is_some_and(|disks| !disks.is_empty()), "no disk")?;
    for disk in disks.into_iter().flatten() {
        need(
            at(disk, "/Ebs/Encrypted") == &Value::Bool(true),
            "not encrypted",
        )?;
        need(
            at(disk, "/Ebs/DeleteOnTermination") == &Value::Bool(true),
            "it stays behind",
        )?;
        need(text_at(disk, "/Ebs/VolumeType") == "gp3", "not gp3")?;
        for speed in ["/Ebs/Throughput", "/Ebs/Iops", "/Ebs/VolumeSize"] {
            need(
                !at(disk, speed).is_null(),
                format!("{speed} is left to the default"),
            )?;
        }
    }
    let instance = instance(template)?;
    need(
        at(&instance, "/BlockDeviceMappings").is_null() && at(&instance, "/Volumes").is_null(),
        "the instance has disks of its own",
    )
}

pub(super) fn shutdown(template: &Value) -> Result<(), String> {
    let (launch, instance) = (launch(template)?, instance(template)?);
    need(
        text_at(&launch, "/InstanceInitiatedShutdownBehavior") == "terminate"
            && at(&instance, "/InstanceInitiatedShutdownBehavior").is_null(),
        "powering off does not terminate",
    )?;
    for place in [&launch, &instance] {
        need(
            at(place, "/DisableApiTermination") != &Value::Bool(true),
            "it is protected from termination",
        )?;
    }
    Ok(())
}

pub(super) fn no_login(template: &Value) -> Result<(), String> {
    for place in [launch(template)?, instance(template)?] {
        need(at(&place, "/KeyName").is_null(), "a key pair")?;
        need(
            at(&place, "/SsmAssociations").is_null(),
            "an SSM association",
        )?;
    }
    let managed = sample(template)
        .resources("AWS::IAM::Role")
        .into_iter()
        .any(|(_, role)| !at(&role, "/Properties/ManagedPolicyArns").is_null());
    need(!managed, "a managed policy: it may open a session")
}

pub(super) fn image(template: &Value) -> Result<(), String> {
    let launch = at(
        template,
        "/Resources/HostTemplate/Properties/LaunchTemplateData/ImageId",
    );
    for (name, architecture) in [("ImageX8664", "x86_64"), ("ImageArm64", "arm64")] {
        let parameter = at(template, &format!("/Parameters/{name}")).clone();
        need(
            text_at(&parameter, "/Type") == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
            format!("{name} is not looked up"),
        )?;
        let allowed = at(&parameter, "/AllowedValues").as_array();
        let own = |value: &Value| {
            value.as_str().is_some_and(|name| {
                name.starts_with("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-")
                    && name.ends_with(architecture)
            })
        };
        need(
            allowed.is_some_and(|allowed| !allowed.is_empty() && allowed.iter().all(own)),
            format!("{name} takes other images"),
        )?;
        need(
            launch
                .to_string()
                .contains(&format!("{{\"Ref\":\"{name}\"}}")),
            format!("{name} is not used"),
        )?;
    }
    need(
        at(&instance(template)?, "/ImageId").is_null(),
        "the instance names an image of its own",
    )
}

pub(super) fn user_data(template: &Value) -> Result<(), String> {
    let data = at(
        template,
        "/Resources/HostTemplate/Properties/LaunchTemplateData/UserData",
    );
    let only = data.as_object().is_some_and(|object| object.len() == 1);
    let script = at(data, "/Fn::Base64").as_str();
    need(
        only && script.is_some(),
        "user data is not one constant text",
    )?;
    need(
        script.is_some_and(|script| script.len() <= USER_DATA_LIMIT),
        "user data is larger than EC2 takes",
    )?;
    need(
        at(&instance(template)?, "/UserData").is_null(),
        "the instance has user data of its own",
    )
}

pub(super) fn last_deadline(template: &Value) -> Result<(), String> {
    let launch = launch(template)?;
    let mut lines = text_at(&launch, "/UserData/Fn::Base64").lines();
    need(lines.next() == Some("#!/bin/bash"), "not a script")?;
    let minutes = lines
        .next()
        .and_then(|line| line.strip_prefix("shutdown -P +"))
        .and_then(|rest| rest.split(' ').next())
        .and_then(|minutes| minutes.parse::<u32>().ok());
    need(
        minutes.is_some_and(|minutes| (1..=1440).contains(&minutes)),
        "the first line sets no deadline of at most a day",
    )
}

pub(super) fn pinned_version(template: &Value) -> Result<(), String> {
    need(
        text_at(&instance(template)?, "/LaunchTemplate/Version") == "1",
        "the instance follows its launch template",
    )
}

pub(super) fn tags(template: &Value) -> Result<(), String> {
    let instance = instance(template)?;
    let tags = at(&instance, "/Tags").as_array();
    let value = |key: &str| {
        tags.into_iter()
            .flatten()
            .find(|tag| text_at(tag, "/Key") == key)
            .map(|tag| text_at(tag, "/Value"))
    };
    for (key, expected) in [
        ("attested-ceremony-run", "run-0123456789abcdef"),
        ("attested-ceremony-expires-at", "2026-11-26T14:00:00Z"),
        (
            "attested-ceremony-bucket",
            "attested-ceremony-123456789012-run-0123456789abcdef",
        ),
        (
            "attested-ceremony-parameters",
            "0000000000000000000000000000000000000000000000000000000000000001",
        ),
    ] {
        need(
            value(key) == Some(expected),
            format!("tag {key} is not {expected}"),
        )?;
    }
    need(
        at(&instance, "/PropagateTagsToVolumeOnCreation") == &Value::Bool(true),
        "volumes get no tags",
    )
}

pub(super) fn stack_policy(policy: &Value) -> Result<(), String> {
    let policy = Policy::read(policy).map_err(|e| e.to_string())?;
    for action in ["Update:Replace", "Update:Delete"] {
        need(
            !policy
                .decide(&Call::new(action, "LogicalResourceId/Host"))
                .is_allowed(),
            format!("{action} of the machine is allowed"),
        )?;
    }
    for resource in ["LogicalResourceId/Host", "LogicalResourceId/KillSchedule"] {
        need(
            policy
                .decide(&Call::new("Update:Modify", resource))
                .is_allowed(),
            format!("{resource} cannot be changed: no later deadline"),
        )?;
    }
    Ok(())
}
