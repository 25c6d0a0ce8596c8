//! What the operator's policy allows: every call of a run, and nothing beside it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test"
)]

use infra::policy::{Call, Decision, Policy};

const ACCOUNT: &str = "123456789012";
const BUCKET: &str = "arn:aws:s3:::attested-ceremony-123456789012-run-0123456789abcdef";
const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/attested-ceremony-run-0123456789abcdef-0/6b1c";

fn controller() -> Policy {
    Policy::read(&serde_json::from_str(infra::CONTROLLER_POLICY).unwrap()).unwrap()
}

/// A call of the operator's own credentials on the operator's own bucket.
fn own(action: &str, resource: &str) -> Call {
    Call::new(action, resource).with(&[
        ("aws:PrincipalAccount", ACCOUNT),
        ("s3:ResourceAccount", ACCOUNT),
    ])
}

/// A call that CloudFormation makes for the operator.
fn by_stack(action: &str, resource: &str) -> Call {
    own(action, resource).with(&[("aws:CalledVia", "cloudformation.amazonaws.com")])
}

/// A call on something that carries the tag of a run.
fn tagged(action: &str, resource: &str) -> Call {
    own(action, resource).with(&[(
        "aws:ResourceTag/attested-ceremony-run",
        "run-0123456789abcdef",
    )])
}

/// Every call of a run from `doctor` to `destroy` and `reap`, in order.
fn calls_of_a_run() -> Vec<Call> {
    let object = |name: &str| format!("{BUCKET}/runs/run-0123456789abcdef/{name}");
    let instance = "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0";
    let volume = "arn:aws:ec2:eu-central-1:123456789012:volume/vol-0123456789abcdef0";
    let role = "arn:aws:iam::123456789012:role/ceremony/attested-ceremony-run-0123456789abcdef-0-HostRole-1A2B";
    let profile = "arn:aws:iam::123456789012:instance-profile/ceremony/attested-ceremony-run-0123456789abcdef-0-HostProfile-1A2B";
    let mut calls = vec![own("sts:GetCallerIdentity", "*")];
    for action in [
        "ec2:DescribeInstanceTypes",
        "servicequotas:GetServiceQuota",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeRegions",
        "s3:ListAllMyBuckets",
    ] {
        calls.push(own(action, "*"));
    }
    for action in [
        "s3:CreateBucket",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketPolicy",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketTagging",
        "s3:GetBucketTagging",
        "s3:ListBucket",
    ] {
        calls.push(own(action, BUCKET));
    }
    for name in [
        "inputs/circuit",
        "inputs/host.json",
        "inputs/enclave.eif",
        "job",
    ] {
        calls.push(own("s3:PutObject", &object(name)));
    }
    calls.push(own("cloudformation:CreateStack", STACK));
    calls.push(own("cloudformation:TagResource", STACK));
    calls.push(own("cloudformation:SetStackPolicy", STACK));
    calls.push(own("ssm:GetParameters", "arn:aws:ssm:eu-central-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"));
    // What the template's resources take to make, change and remove.
    for action in [
        "ec2:CreateVpc",
        "ec2:ModifyVpcAttribute",
        "ec2:CreateInternetGateway",
        "ec2:AttachInternetGateway",
        "ec2:CreateRouteTable",
        "ec2:CreateRoute",
        "ec2:CreateSubnet",
        "ec2:ModifySubnetAttribute",
        "ec2:AssociateRouteTable",
        "ec2:CreateVpcEndpoint",
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:CreateTags",
        "ec2:CreateLaunchTemplate",
        "ec2:RunInstances",
        "logs:CreateLogGroup",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "cloudwatch:PutMetricAlarm",
        "scheduler:CreateSchedule",
        "scheduler:GetSchedule",
        "scheduler:UpdateSchedule",
        "scheduler:DeleteSchedule",
        "cloudwatch:DeleteAlarms",
        "logs:DeleteLogGroup",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteVpcEndpoints",
        "ec2:DisassociateRouteTable",
        "ec2:DeleteSubnet",
        "ec2:DeleteRoute",
        "ec2:DeleteRouteTable",
        "ec2:DetachInternetGateway",
        "ec2:DeleteInternetGateway",
        "ec2:DeleteVpc",
    ] {
        calls.push(by_stack(action, "*"));
    }
    for action in [
        "iam:CreateRole",
        "iam:GetRole",
        "iam:PutRolePolicy",
        "iam:TagRole",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ] {
        calls.push(by_stack(action, role));
    }
    for action in [
        "iam:CreateInstanceProfile",
        "iam:AddRoleToInstanceProfile",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:DeleteInstanceProfile",
    ] {
        calls.push(by_stack(action, profile));
    }
    for service in ["ec2.amazonaws.com", "scheduler.amazonaws.com"] {
        calls.push(by_stack("iam:PassRole", role).with(&[("iam:PassedToService", service)]));
    }
    for action in [
        "cloudformation:DescribeStackEvents",
        "cloudformation:UpdateStack",
        "cloudformation:DeleteStack",
    ] {
        calls.push(own(action, STACK));
    }
    calls.push(own("cloudformation:DescribeStacks", "*"));
    for name in ["status/0000000000", "artifacts/final-zkey", "commit"] {
        calls.push(own("s3:GetObject", &object(name)));
    }
    calls.push(own("s3:PutObject", &object("control/0000000000")));
    for action in ["ec2:DescribeInstances", "ec2:DescribeVolumes"] {
        calls.push(own(action, "*"));
    }
    calls.push(tagged("ec2:GetConsoleOutput", instance));
    calls.push(tagged("ec2:TerminateInstances", instance));
    calls.push(tagged("ec2:DeleteVolume", volume));
    for action in [
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:DeleteBucket",
    ] {
        calls.push(own(action, BUCKET));
    }
    for action in [
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:AbortMultipartUpload",
    ] {
        calls.push(own(action, &object("status/0000000000")));
    }
    calls
}

#[test]
fn r48_every_call_of_a_run_is_allowed() {
    let policy = controller();
    for call in calls_of_a_run() {
        assert!(
            policy.decide(&call).is_allowed(),
            "{} on {}",
            call.action,
            call.resource
        );
    }
}

#[test]
fn r48_what_no_run_needs_is_refused() {
    let policy = controller();
    let other_account = [
        ("aws:PrincipalAccount", ACCOUNT),
        ("s3:ResourceAccount", "210987654321"),
    ];
    let refused = [
        // The same calls without CloudFormation in between.
        own("ec2:RunInstances", "*"),
        own("ec2:CreateVpc", "*"),
        own(
            "iam:CreateRole",
            "arn:aws:iam::123456789012:role/ceremony/x",
        ),
        own("scheduler:CreateSchedule", "*"),
        // Roles that are none of ours.
        by_stack("iam:CreateRole", "arn:aws:iam::123456789012:role/admin"),
        by_stack("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/admin"),
        by_stack(
            "iam:AttachRolePolicy",
            "arn:aws:iam::123456789012:role/ceremony/x",
        ),
        by_stack("iam:PassRole", "arn:aws:iam::123456789012:role/admin")
            .with(&[("iam:PassedToService", "ec2.amazonaws.com")]),
        by_stack("iam:PassRole", "arn:aws:iam::123456789012:role/ceremony/x")
            .with(&[("iam:PassedToService", "lambda.amazonaws.com")]),
        // Machines, volumes, stacks and buckets that are none of ours.
        own(
            "ec2:TerminateInstances",
            "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0",
        ),
        own(
            "ec2:DeleteVolume",
            "arn:aws:ec2:eu-central-1:123456789012:volume/vol-0123456789abcdef0",
        ),
        own("ec2:StopInstances", "*"),
        own(
            "cloudformation:DeleteStack",
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/production/1",
        ),
        own("s3:GetObject", "arn:aws:s3:::customer-data/x"),
        own("s3:DeleteBucket", "arn:aws:s3:::customer-data"),
        Call::new("s3:PutObject", &format!("{BUCKET}/x")).with(&other_account),
        Call::new("s3:GetObject", &format!("{BUCKET}/x")).with(&other_account),
        own("s3:PutBucketAcl", BUCKET),
        own("s3:PutObjectAcl", &format!("{BUCKET}/x")),
        own(
            "ssm:GetParameter",
            "arn:aws:ssm:eu-central-1:123456789012:parameter/secret",
        ),
        own("ec2:AuthorizeSecurityGroupIngress", "*"),
        by_stack("ec2:AuthorizeSecurityGroupIngress", "*"),
        own("sts:AssumeRole", "*"),
        own("kms:Decrypt", "*"),
    ];
    for call in refused {
        assert_eq!(
            policy.decide(&call),
            Decision::NotAllowed,
            "{} on {}",
            call.action,
            call.resource
        );
    }
}

#[test]
fn no_permission_of_the_policy_is_without_use() {
    // A permission that no call of a run needs has no place in the file. Reads that CloudFormation makes on its way are all alike:
    // they change nothing and are not listed one by one above.
    let document: serde_json::Value = serde_json::from_str(infra::CONTROLLER_POLICY).unwrap();
    let used: Vec<String> = calls_of_a_run()
        .into_iter()
        .map(|call| call.action)
        .collect();
    for statement in document["Statement"].as_array().unwrap() {
        let actions = match &statement["Action"] {
            serde_json::Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        for action in actions {
            let action = action.as_str().unwrap();
            let verb = action.split(':').nth(1).unwrap();
            let reads = ["Describe", "Get", "List"]
                .iter()
                .any(|start| verb.starts_with(start));
            let rare = [
                "ec2:CreateLaunchTemplateVersion",
                "ec2:DeleteTags",
                "iam:UntagRole",
            ];
            assert!(
                reads || rare.contains(&action) || used.iter().any(|used| used == action),
                "{action} is of no use"
            );
        }
    }
}

/// The Rust sources of a folder.
fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_permission_that_the_code_names_is_in_the_policy() {
    // Calls carry the name of the permission they need, so that a refusal can say it.
    let name = regex::Regex::new(
        r#""((?:s3|ec2|cloudformation|sts|iam|ssm|logs|scheduler|cloudwatch):[A-Z][A-Za-z]+)""#,
    )
    .unwrap();
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in [
        "cloud-fake/src",
        "host/cloud/src",
        "host/saga/src",
        "host/aws/src",
        "host/controller/src",
    ] {
        if crates.join(folder).is_dir() {
            sources(&crates.join(folder), &mut files);
        }
    }
    let mut named = std::collections::BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        named.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    assert!(named.len() >= 10, "only {named:?} were found");
    let document: serde_json::Value = serde_json::from_str(infra::CONTROLLER_POLICY).unwrap();
    let mut allowed = std::collections::BTreeSet::new();
    for statement in document["Statement"].as_array().unwrap() {
        match &statement["Action"] {
            serde_json::Value::Array(list) => {
                allowed.extend(list.iter().map(|action| action.as_str().unwrap()));
            }
            one => drop(allowed.insert(one.as_str().unwrap())),
        }
    }
    for action in &named {
        assert!(
            allowed.contains(action.as_str()),
            "{action} is not in infra/policies/controller.json"
        );
    }
}

fn publisher() -> Policy {
    let text = infra::PUBLISHER_POLICY
        .replace("${bucket}", "ceremonies")
        .replace("${prefix}", "public");
    assert!(!text.contains("${"), "{text}");
    Policy::read(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn a_publisher_writes_once_reads_and_does_nothing_else() {
    const PLACE: &str = "arn:aws:s3:::ceremonies";
    let policy = publisher();
    let judge = |call: &Call| policy.decide(call);
    let object = format!("{PLACE}/public/my-circuit/final.zkey");
    let new = [
        ("s3:if-none-match", "*"),
        ("s3:ObjectCreationOperation", "true"),
    ];
    let listing = [("s3:prefix", "public/my-circuit/final.zkey")];
    for call in [
        Call::new("s3:ListBucket", PLACE).with(&listing),
        Call::new("s3:GetObject", &object),
        Call::new("s3:PutObject", &object).with(&new),
        // The parts of an upload, which make no object yet.
        Call::new("s3:PutObject", &object).with(&[("s3:ObjectCreationOperation", "false")]),
        Call::new("s3:AbortMultipartUpload", &object),
    ] {
        assert!(judge(&call).is_allowed(), "{call:?}");
    }
    let overwrite = [("s3:ObjectCreationOperation", "true")];
    let elsewhere = format!("{PLACE}/runs/x");
    for call in [
        Call::new("s3:PutObject", &object).with(&overwrite),
        Call::new("s3:PutObject", &elsewhere).with(&new),
        Call::new("s3:GetObject", &elsewhere),
        Call::new("s3:ListBucket", PLACE),
        Call::new("s3:ListBucket", PLACE).with(&[("s3:prefix", "runs/x")]),
        Call::new("s3:DeleteObject", &object),
        Call::new("s3:PutObjectRetention", &object),
        Call::new("s3:BypassGovernanceRetention", &object),
        Call::new("s3:PutBucketPolicy", PLACE),
    ] {
        assert!(!judge(&call).is_allowed(), "{call:?}");
    }
}
