//! Buckets: settings as data, and the two that are templates.

use serde_json::Value;

use super::{SAMPLE, at, need, sample, text_at};
use crate::policy::{Call, Decision, Policy};
use crate::template::Template;

const OBJECT: &str = "arn:aws:s3:::some-bucket/x";

/// The settings with names filled in, as the controller does it.
fn policy_of_settings(settings: &Value) -> Result<Policy, String> {
    let text = at(settings, "/policy")
        .to_string()
        .replace("${partition}", "aws")
        .replace("${bucket}", "some-bucket")
        .replace("${account}", "123456789012");
    let policy: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    Policy::read(&policy).map_err(|e| e.to_string())
}

fn tls_only(policy: &Policy) -> Result<(), String> {
    let context = [
        ("aws:PrincipalAccount", "123456789012"),
        ("s3:TlsVersion", "1.3"),
    ];
    for resource in [OBJECT, "arn:aws:s3:::some-bucket"] {
        for action in ["s3:GetObject", "s3:PutObject", "s3:ListBucket"] {
            let plain = Call::new(action, resource)
                .with(&context)
                .with(&[("aws:SecureTransport", "false")]);
            need(
                matches!(policy.decide(&plain), Decision::Denied { .. }),
                format!("{action} without TLS is not denied"),
            )?;
            let tls = Call::new(action, resource).with(&context).with(&[
                ("aws:SecureTransport", "true"),
                ("s3:x-amz-storage-class", "ONEZONE_IA"),
            ]);
            need(
                !matches!(policy.decide(&tls), Decision::Denied { .. }),
                format!("{action} with TLS is denied"),
            )?;
        }
    }
    Ok(())
}

pub(super) fn settings_tls(settings: &Value) -> Result<(), String> {
    let policy = policy_of_settings(settings)?;
    tls_only(&policy)?;
    let old = Call::new("s3:GetObject", OBJECT).with(&[
        ("aws:PrincipalAccount", "123456789012"),
        ("aws:SecureTransport", "true"),
        ("s3:TlsVersion", "1.1"),
    ]);
    need(
        matches!(policy.decide(&old), Decision::Denied { .. }),
        "TLS before 1.2 is not denied",
    )
}

pub(super) fn settings_account(settings: &Value) -> Result<(), String> {
    let foreign = Call::new("s3:GetObject", OBJECT).with(&[
        ("aws:PrincipalAccount", "210987654321"),
        ("aws:SecureTransport", "true"),
        ("s3:TlsVersion", "1.3"),
    ]);
    need(
        matches!(
            policy_of_settings(settings)?.decide(&foreign),
            Decision::Denied { .. }
        ),
        "another account is not denied",
    )
}

pub(super) fn settings_public_access(settings: &Value) -> Result<(), String> {
    blocked(at(settings, "/public_access_block"), true)
}

pub(super) fn settings_owner(settings: &Value) -> Result<(), String> {
    owner_enforced(at(settings, "/ownership_controls"))
}

pub(super) fn settings_encryption(settings: &Value) -> Result<(), String> {
    let rule = "/encryption/Rules/0/ApplyServerSideEncryptionByDefault/SSEAlgorithm";
    need(text_at(settings, rule) == "AES256", "not encrypted")
}

pub(super) fn settings_lifecycle(settings: &Value) -> Result<(), String> {
    let rules = at(settings, "/lifecycle/Rules").as_array();
    let enabled = |path: &str| {
        rules.into_iter().flatten().any(|rule| {
            text_at(rule, "/Status") == "Enabled"
                && at(rule, "/Filter/Prefix").as_str() == Some("")
                && !at(rule, path).is_null()
        })
    };
    need(
        enabled("/AbortIncompleteMultipartUpload/DaysAfterInitiation"),
        "unfinished uploads stay",
    )?;
    need(enabled("/Expiration/Days"), "objects stay for ever")
}

pub(super) fn settings_tags(settings: &Value) -> Result<(), String> {
    let tags = at(settings, "/tags").as_array();
    for (key, value) in [
        ("attested-ceremony-run", "${run}"),
        ("attested-ceremony-expires-at", "${expires_at}"),
    ] {
        need(
            tags.into_iter()
                .flatten()
                .any(|tag| text_at(tag, "/Key") == key && text_at(tag, "/Value") == value),
            format!("no tag {key}"),
        )?;
    }
    Ok(())
}

fn properties(template: &Value) -> Result<Value, String> {
    let (_, bucket) = sample(template).only("AWS::S3::Bucket")?;
    Ok(at(&bucket, "/Properties").clone())
}

fn policy(template: &Template<'_>) -> Result<Policy, String> {
    let (_, policy) = template.only("AWS::S3::BucketPolicy")?;
    Policy::read(at(&policy, "/Properties/PolicyDocument")).map_err(|e| e.to_string())
}

pub(super) fn mirror_tls(template: &Value) -> Result<(), String> {
    tls_only(&policy(&sample(template))?)
}

pub(super) fn archive_tls(template: &Value) -> Result<(), String> {
    tls_only(&policy(&sample(template))?)
}

pub(super) fn no_acls(template: &Value) -> Result<(), String> {
    let bucket = properties(template)?;
    owner_enforced(at(&bucket, "/OwnershipControls"))?;
    blocked(at(&bucket, "/PublicAccessBlockConfiguration"), false)?;
    need(
        at(&bucket, "/AccessControl").is_null(),
        "a canned access list",
    )
}

pub(super) fn encrypted(template: &Value) -> Result<(), String> {
    let rule = "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm";
    need(
        text_at(&properties(template)?, rule) == "AES256",
        "not encrypted",
    )
}

pub(super) fn one_zone(template: &Value) -> Result<(), String> {
    let policy = policy(&sample(template))?;
    let own = [
        ("aws:SecureTransport", "true"),
        ("aws:PrincipalAccount", "123456789012"),
    ];
    for class in ["STANDARD", "STANDARD_IA", "GLACIER"] {
        let call = Call::new("s3:PutObject", OBJECT)
            .with(&own)
            .with(&[("s3:x-amz-storage-class", class)]);
        need(
            matches!(policy.decide(&call), Decision::Denied { .. }),
            format!("{class} can be written"),
        )?;
    }
    let unnamed = Call::new("s3:PutObject", OBJECT).with(&own);
    need(
        matches!(policy.decide(&unnamed), Decision::Denied { .. }),
        "the default class can be written",
    )
}

pub(super) fn owner_writes(template: &Value) -> Result<(), String> {
    let policy = policy(&sample(template))?;
    for action in ["s3:PutObject", "s3:DeleteObject"] {
        let call = Call::new(action, OBJECT).with(&[
            ("aws:SecureTransport", "true"),
            ("aws:PrincipalAccount", "210987654321"),
            ("s3:x-amz-storage-class", "ONEZONE_IA"),
        ]);
        need(
            matches!(policy.decide(&call), Decision::Denied { .. }),
            format!("{action} of another account is not denied"),
        )?;
    }
    Ok(())
}

pub(super) fn mirror_reads(template: &Value) -> Result<(), String> {
    let policy = policy(&sample(template))?;
    let call = |action: &str, key: &str| {
        Call::new(action, &format!("arn:aws:s3:::some-bucket/{key}")).with(&[
            ("aws:SecureTransport", "true"),
            ("aws:PrincipalAccount", "210987654321"),
        ])
    };
    need(
        policy.decide(&call("s3:GetObject", "ptau/x")).is_allowed(),
        "powers of tau cannot be read",
    )?;
    for (action, key) in [
        ("s3:GetObject", "other"),
        ("s3:ListBucket", ""),
        ("s3:PutBucketPolicy", ""),
        ("s3:PutObjectAcl", "ptau/x"),
        ("s3:DeleteObjectVersion", "ptau/x"),
    ] {
        need(
            !policy.decide(&call(action, key)).is_allowed(),
            format!("{action} on {key:?} goes through"),
        )?;
    }
    Ok(())
}

pub(super) fn retained(template: &Value) -> Result<(), String> {
    let (_, bucket) = sample(template).only("AWS::S3::Bucket")?;
    need(
        text_at(&bucket, "/DeletionPolicy") == "Retain"
            && text_at(&bucket, "/UpdateReplacePolicy") == "Retain",
        "it goes with the stack",
    )
}

pub(super) fn uploads_end(template: &Value) -> Result<(), String> {
    let rule = "/LifecycleConfiguration/Rules/0/AbortIncompleteMultipartUpload/DaysAfterInitiation";
    need(
        !at(&properties(template)?, rule).is_null(),
        "unfinished uploads stay",
    )
}

pub(super) fn versioned(template: &Value) -> Result<(), String> {
    need(
        text_at(&properties(template)?, "/VersioningConfiguration/Status") == "Enabled",
        "versions are not kept",
    )
}

pub(super) fn locked(template: &Value) -> Result<(), String> {
    let bucket = properties(template)?;
    need(
        at(&bucket, "/ObjectLockEnabled") == &Value::Bool(true)
            && text_at(&bucket, "/ObjectLockConfiguration/ObjectLockEnabled") == "Enabled",
        "no object lock",
    )?;
    let retention = at(&bucket, "/ObjectLockConfiguration/Rule/DefaultRetention");
    need(
        text_at(retention, "/Mode") == "COMPLIANCE"
            && text_at(retention, "/Years")
                .parse::<u32>()
                .is_ok_and(|y| y >= 1),
        "no default retention that nobody can lift",
    )
}

pub(super) fn archive_closed(template: &Value) -> Result<(), String> {
    blocked(
        at(&properties(template)?, "/PublicAccessBlockConfiguration"),
        true,
    )?;
    let read = Call::new("s3:GetObject", "arn:aws:s3:::some-bucket/public/x")
        .with(&[("aws:SecureTransport", "true")]);
    need(
        policy(&sample(template))?.decide(&read) == Decision::NotAllowed,
        "anyone can read",
    )
}

pub(super) fn archive_public(template: &Value) -> Result<(), String> {
    let mut values = SAMPLE.to_vec();
    values.push(("Public", "yes"));
    let policy = policy(&Template::new(template, &values))?;
    let decide = |action: &str, key: &str| {
        let call = Call::new(action, &format!("arn:aws:s3:::some-bucket/{key}"));
        policy.decide(&call.with(&[("aws:SecureTransport", "true")]))
    };
    need(
        decide("s3:GetObject", "public/x").is_allowed(),
        "public/ cannot be read",
    )?;
    for (action, key) in [
        ("s3:GetObject", "private/x"),
        ("s3:GetObject", "publicx"),
        ("s3:PutObject", "public/x"),
        ("s3:DeleteObject", "public/x"),
        ("s3:ListBucket", ""),
    ] {
        need(
            !decide(action, key).is_allowed(),
            format!("{action} on {key:?} goes through"),
        )?;
    }
    Ok(())
}

fn owner_enforced(controls: &Value) -> Result<(), String> {
    need(
        text_at(controls, "/Rules/0/ObjectOwnership") == "BucketOwnerEnforced",
        "objects may have other owners and access lists",
    )
}

/// Access lists never count; with `policies`, public policies do not either.
fn blocked(block: &Value, policies: bool) -> Result<(), String> {
    let mut flags = vec!["BlockPublicAcls", "IgnorePublicAcls"];
    if policies {
        flags.extend(["BlockPublicPolicy", "RestrictPublicBuckets"]);
    }
    for flag in flags {
        need(
            block.get(flag) == Some(&Value::Bool(true)),
            format!("{flag} is off"),
        )?;
    }
    Ok(())
}
