//! Every rule of every file: it holds, and it refuses when its property is taken out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::semicolon_if_nothing_returned,
    clippy::too_many_lines,
    reason = "a test"
)]

use std::collections::BTreeSet;

use infra::rules::{self, Rule};
use serde_json::{Value, json};

type Change = fn(&mut Value);

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// A place in a template that must be there.
fn at<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    assert!(value.pointer(path).is_some(), "no {path}");
    value.pointer_mut(path).unwrap()
}

fn set(value: &mut Value, path: &str, new: Value) {
    *at(value, path) = new;
}

/// Takes a field out of the object at `path`.
fn take(value: &mut Value, path: &str, field: &str) {
    let object = at(value, path).as_object_mut().unwrap();
    assert!(object.remove(field).is_some(), "no {path}/{field}");
}

fn check(rules: &[Rule<Value>], file: &Value, changes: &[(&str, Change)]) {
    for rule in rules {
        (rule.check)(file).unwrap_or_else(|problem| panic!("{}: {problem}", rule.name));
    }
    let tried: BTreeSet<&str> = changes.iter().map(|(name, _)| *name).collect();
    let all: BTreeSet<&str> = rules.iter().map(|rule| rule.name).collect();
    assert_eq!(tried, all, "every rule is seen to refuse");
    for (number, (name, change)) in changes.iter().enumerate() {
        let rule = rules.iter().find(|rule| rule.name == *name).unwrap();
        let mut changed = file.clone();
        change(&mut changed);
        assert_ne!(&changed, file, "change {number} of {name} changes nothing");
        assert!(
            (rule.check)(&changed).is_err(),
            "{name} does not see change {number}"
        );
    }
}

const LAUNCH: &str = "/Resources/HostTemplate/Properties/LaunchTemplateData";
const HOST: &str = "/Resources/Host/Properties";
const STATEMENTS: &str = "/Resources/HostRole/Properties/Policies/0/PolicyDocument/Statement";

#[test]
fn r48_the_run_template_keeps_every_rule() {
    let changes: &[(&str, Change)] = &[
        ("nothing reaches in", |t| {
            let rule =
                json!([{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]);
            set(
                t,
                "/Resources/Firewall/Properties/SecurityGroupIngress",
                rule,
            );
        }),
        ("nothing reaches in", |t| {
            t["Resources"]["More"] = json!({"Type": "AWS::EC2::SecurityGroupIngress"});
        }),
        ("out by 443 only", |t| {
            let rule = "/Resources/Firewall/Properties/SecurityGroupEgress/0";
            set(t, rule, json!({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}));
        }),
        ("out by 443 only", |t| {
            set(
                t,
                "/Resources/Firewall/Properties/SecurityGroupEgress/0/ToPort",
                json!(65535),
            );
        }),
        ("out by 443 only", |t| {
            take(t, "/Resources/Firewall/Properties", "SecurityGroupEgress")
        }),
        (
            "the store is reached inside AWS, and written in this run only",
            |t| {
                take(t, "/Resources", "StoreEndpoint");
            },
        ),
        (
            "the store is reached inside AWS, and written in this run only",
            |t| {
                let resource =
                    "/Resources/StoreEndpoint/Properties/PolicyDocument/Statement/1/Resource";
                set(t, resource, json!("*"));
            },
        ),
        ("subnets in every candidate zone", |t| {
            take(t, "/Resources", "Subnet3")
        }),
        ("subnets in every candidate zone", |t| {
            take(t, "/Resources", "Subnet2Routes")
        }),
        ("nothing in the network bills by the hour", |t| {
            t["Resources"]["Nat"] = json!({"Type": "AWS::EC2::NatGateway"});
        }),
        ("enclaves are enabled", |t| {
            take(t, LAUNCH, "EnclaveOptions")
        }),
        ("metadata wants a token and answers one hop", |t| {
            set(
                t,
                &format!("{LAUNCH}/MetadataOptions/HttpTokens"),
                json!("optional"),
            );
        }),
        ("metadata wants a token and answers one hop", |t| {
            set(
                t,
                &format!("{LAUNCH}/MetadataOptions/HttpPutResponseHopLimit"),
                json!(2),
            );
        }),
        ("metadata wants a token and answers one hop", |t| {
            set(
                t,
                &format!("{LAUNCH}/MetadataOptions/InstanceMetadataTags"),
                json!("disabled"),
            );
        }),
        (
            "the disk is encrypted, of known speed, and ends with the machine",
            |t| {
                set(
                    t,
                    &format!("{LAUNCH}/BlockDeviceMappings/0/Ebs/Encrypted"),
                    json!(false),
                );
            },
        ),
        (
            "the disk is encrypted, of known speed, and ends with the machine",
            |t| {
                set(
                    t,
                    &format!("{LAUNCH}/BlockDeviceMappings/0/Ebs/DeleteOnTermination"),
                    json!(false),
                );
            },
        ),
        (
            "the disk is encrypted, of known speed, and ends with the machine",
            |t| {
                take(
                    t,
                    &format!("{LAUNCH}/BlockDeviceMappings/0/Ebs"),
                    "Throughput",
                );
            },
        ),
        (
            "the disk is encrypted, of known speed, and ends with the machine",
            |t| {
                take(t, &format!("{LAUNCH}/BlockDeviceMappings/0/Ebs"), "Iops");
            },
        ),
        ("powering off terminates", |t| {
            set(
                t,
                &format!("{LAUNCH}/InstanceInitiatedShutdownBehavior"),
                json!("stop"),
            );
        }),
        ("powering off terminates", |t| {
            set(t, &format!("{LAUNCH}/DisableApiTermination"), json!(true));
        }),
        ("nobody can log in", |t| {
            at(t, LAUNCH)["KeyName"] = json!("key")
        }),
        ("nobody can log in", |t| {
            at(t, "/Resources/HostRole/Properties")["ManagedPolicyArns"] =
                json!(["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]);
        }),
        ("the image is Amazon's own, by its public name", |t| {
            set(t, "/Parameters/ImageArm64/Type", json!("String"));
        }),
        ("the image is Amazon's own, by its public name", |t| {
            take(t, "/Parameters/ImageX8664", "AllowedValues");
        }),
        ("the image is Amazon's own, by its public name", |t| {
            set(
                t,
                &format!("{LAUNCH}/ImageId"),
                json!({"Ref": "ImageX8664"}),
            );
        }),
        ("user data is constant", |t| {
            let script = at(t, &format!("{LAUNCH}/UserData/Fn::Base64")).clone();
            set(
                t,
                &format!("{LAUNCH}/UserData"),
                json!({"Fn::Base64": {"Fn::Sub": script}}),
            );
        }),
        ("user data is constant", |t| {
            set(
                t,
                &format!("{LAUNCH}/UserData/Fn::Base64"),
                json!("x".repeat((16 << 10) + 1)),
            );
        }),
        ("user data is constant", |t| {
            at(t, HOST)["UserData"] = json!({"Fn::Sub": "${RunId}"});
        }),
        ("user data begins with the last deadline", |t| {
            let script = at(t, &format!("{LAUNCH}/UserData/Fn::Base64"));
            let without: Vec<&str> = script
                .as_str()
                .unwrap()
                .lines()
                .filter(|l| !l.starts_with("shutdown"))
                .collect();
            *script = json!(without.join("\n"));
        }),
        ("user data begins with the last deadline", |t| {
            let script = at(t, &format!("{LAUNCH}/UserData/Fn::Base64"));
            *script = json!(script.as_str().unwrap().replacen("+1440", "+14400", 1));
        }),
        ("an update never replaces the machine", |t| {
            let latest = json!({"Fn::GetAtt": ["HostTemplate", "LatestVersionNumber"]});
            set(t, &format!("{HOST}/LaunchTemplate/Version"), latest);
        }),
        ("tags say whose it is and until when", |t| {
            at(t, &format!("{HOST}/Tags"))
                .as_array_mut()
                .unwrap()
                .retain(|tag| tag["Key"] != "attested-ceremony-run");
        }),
        ("tags say whose it is and until when", |t| {
            at(t, &format!("{HOST}/Tags"))
                .as_array_mut()
                .unwrap()
                .retain(|tag| tag["Key"] != "attested-ceremony-expires-at");
        }),
        ("tags say whose it is and until when", |t| {
            take(t, HOST, "PropagateTagsToVolumeOnCreation")
        }),
        ("the machine reads and writes its own run only", |t| {
            set(
                t,
                &format!("{STATEMENTS}/0/Resource"),
                json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/*"}),
            );
        }),
        ("the machine reads and writes its own run only", |t| {
            take(t, &format!("{STATEMENTS}/1"), "Condition")
        }),
        ("the machine reads and writes its own run only", |t| {
            let whole = json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/runs/${RunId}/*"});
            set(t, &format!("{STATEMENTS}/2/Resource"), whole);
        }),
        ("the machine reads and writes its own run only", |t| {
            set(t, &format!("{STATEMENTS}/4/Resource"), json!("*"));
        }),
        ("the machine overwrites nothing", |t| {
            at(t, STATEMENTS).as_array_mut().unwrap().remove(3);
        }),
        ("the machine overwrites nothing", |t| {
            set(
                t,
                &format!("{STATEMENTS}/3/Condition/Null/s3:if-none-match"),
                json!("false"),
            );
        }),
        ("the machine deletes nothing", |t| {
            set(
                t,
                &format!("{STATEMENTS}/2/Action"),
                json!(["s3:PutObject", "s3:*Object"]),
            );
        }),
        ("roles serve one service each", |t| {
            let principal =
                "/Resources/HostRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal";
            set(t, principal, json!({"AWS": "*"}));
        }),
        ("roles serve one service each", |t| {
            take(
                t,
                "/Resources/KillRole/Properties/AssumeRolePolicyDocument/Statement/0",
                "Condition",
            );
        }),
        ("roles serve one service each", |t| {
            take(t, "/Resources/HostRole/Properties", "Path")
        }),
        ("no parameter takes more than its form", |t| {
            take(t, "/Parameters/RunId", "AllowedPattern")
        }),
        ("no parameter takes more than its form", |t| {
            take(t, "/Parameters/VolumeGiB", "MaxValue")
        }),
        ("a schedule terminates the machine at the deadline", |t| {
            take(t, "/Resources", "KillSchedule")
        }),
        ("a schedule terminates the machine at the deadline", |t| {
            set(
                t,
                "/Resources/KillSchedule/Properties/State",
                json!("DISABLED"),
            );
        }),
        ("a schedule terminates the machine at the deadline", |t| {
            set(
                t,
                "/Resources/KillSchedule/Properties/ScheduleExpression",
                json!("rate(1 day)"),
            );
        }),
        ("a schedule terminates the machine at the deadline", |t| {
            set(
                t,
                "/Resources/KillSchedule/Properties/FlexibleTimeWindow/Mode",
                json!("FLEXIBLE"),
            );
        }),
        ("a schedule terminates the machine at the deadline", |t| {
            set(
                t,
                "/Resources/KillSchedule/Properties/Target/Input",
                json!("{\"InstanceIds\":[\"i-1\"]}"),
            );
        }),
        ("the schedule can end this machine only", |t| {
            set(
                t,
                "/Resources/KillRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
                json!("*"),
            );
        }),
        ("the schedule can end this machine only", |t| {
            set(
                t,
                "/Resources/KillRole/Properties/Policies/0/PolicyDocument/Statement/0/Action",
                json!("ec2:*"),
            );
        }),
        ("logs end", |t| {
            take(t, "/Resources/Logs/Properties", "RetentionInDays")
        }),
        ("logs end", |t| {
            set(t, "/Resources/Logs/DeletionPolicy", json!("Retain"))
        }),
        ("silence raises an alarm", |t| {
            set(
                t,
                "/Resources/Silence/Properties/TreatMissingData",
                json!("notBreaching"),
            );
        }),
        ("silence raises an alarm", |t| {
            take(t, "/Resources/Silence/Properties", "AlarmActions")
        }),
    ];
    check(rules::RUN, &yaml(infra::RUN_TEMPLATE), changes);
}

#[test]
fn r50_the_bucket_s_settings_keep_every_rule() {
    let changes: &[(&str, Change)] = &[
        ("TLS only", |s| {
            drop(at(s, "/policy/Statement").as_array_mut().unwrap().remove(0))
        }),
        ("TLS only", |s| {
            drop(at(s, "/policy/Statement").as_array_mut().unwrap().remove(1))
        }),
        ("TLS only", |s| {
            set(
                s,
                "/policy/Statement/0/Resource",
                json!("arn:${partition}:s3:::${bucket}/*"),
            )
        }),
        ("this account only", |s| {
            drop(at(s, "/policy/Statement").as_array_mut().unwrap().remove(2))
        }),
        ("public access blocked", |s| {
            set(s, "/public_access_block/BlockPublicAcls", json!(false))
        }),
        ("public access blocked", |s| {
            set(s, "/public_access_block/IgnorePublicAcls", json!(false))
        }),
        ("public access blocked", |s| {
            set(s, "/public_access_block/BlockPublicPolicy", json!(false))
        }),
        ("public access blocked", |s| {
            take(s, "/public_access_block", "RestrictPublicBuckets")
        }),
        ("owner enforced", |s| {
            set(
                s,
                "/ownership_controls/Rules/0/ObjectOwnership",
                json!("ObjectWriter"),
            )
        }),
        ("encrypted", |s| take(s, "", "encryption")),
        ("objects and unfinished uploads end", |s| {
            set(s, "/lifecycle/Rules/0/Status", json!("Disabled"))
        }),
        ("objects and unfinished uploads end", |s| {
            take(s, "/lifecycle/Rules/1", "Expiration")
        }),
        ("tags say whose it is and until when", |s| {
            drop(at(s, "/tags").as_array_mut().unwrap().pop())
        }),
    ];
    let settings: Value = serde_json::from_str(infra::BUCKET_SETTINGS).unwrap();
    check(rules::BUCKET, &settings, changes);
}

#[test]
fn r50_the_mirror_keeps_every_rule() {
    const STATEMENTS: &str = "/Resources/MirrorPolicy/Properties/PolicyDocument/Statement";
    const BUCKET: &str = "/Resources/Mirror/Properties";
    let changes: &[(&str, Change)] = &[
        ("TLS only", |t| {
            drop(at(t, STATEMENTS).as_array_mut().unwrap().remove(0))
        }),
        ("no access lists", |t| {
            set(
                t,
                &format!("{BUCKET}/PublicAccessBlockConfiguration/BlockPublicAcls"),
                json!(false),
            )
        }),
        ("no access lists", |t| {
            at(t, BUCKET)["AccessControl"] = json!("PublicReadWrite")
        }),
        ("no access lists", |t| take(t, BUCKET, "OwnershipControls")),
        ("encrypted", |t| take(t, BUCKET, "BucketEncryption")),
        ("one zone only", |t| {
            drop(at(t, STATEMENTS).as_array_mut().unwrap().remove(1))
        }),
        ("only the owner writes", |t| {
            drop(at(t, STATEMENTS).as_array_mut().unwrap().remove(2))
        }),
        ("readers see powers of tau only", |t| {
            set(t, &format!("{STATEMENTS}/3/Resource"), json!("*"))
        }),
        ("readers see powers of tau only", |t| {
            set(t, &format!("{STATEMENTS}/3/Action"), json!("s3:*"))
        }),
        ("kept when the stack goes", |t| {
            set(t, "/Resources/Mirror/DeletionPolicy", json!("Delete"))
        }),
        ("unfinished uploads end", |t| {
            take(t, BUCKET, "LifecycleConfiguration")
        }),
    ];
    check(rules::MIRROR, &yaml(infra::MIRROR_TEMPLATE), changes);
}

#[test]
fn r50_the_archive_keeps_every_rule() {
    const STATEMENTS: &str = "/Resources/ArchivePolicy/Properties/PolicyDocument/Statement";
    const BUCKET: &str = "/Resources/Archive/Properties";
    let changes: &[(&str, Change)] = &[
        ("TLS only", |t| {
            drop(at(t, STATEMENTS).as_array_mut().unwrap().remove(0))
        }),
        ("no access lists", |t| take(t, BUCKET, "OwnershipControls")),
        ("encrypted", |t| take(t, BUCKET, "BucketEncryption")),
        ("every version kept", |t| {
            set(
                t,
                &format!("{BUCKET}/VersioningConfiguration/Status"),
                json!("Suspended"),
            )
        }),
        ("nobody deletes early", |t| {
            set(t, &format!("{BUCKET}/ObjectLockEnabled"), json!(false))
        }),
        ("nobody deletes early", |t| {
            take(t, &format!("{BUCKET}/ObjectLockConfiguration"), "Rule")
        }),
        ("nobody deletes early", |t| {
            set(t, "/Parameters/LockMode/Default", json!("GOVERNANCE"))
        }),
        ("closed unless asked for", |t| {
            set(t, "/Parameters/Public/Default", json!("yes"))
        }),
        ("closed unless asked for", |t| {
            set(
                t,
                &format!("{BUCKET}/PublicAccessBlockConfiguration/BlockPublicPolicy"),
                json!(false),
            );
        }),
        ("closed unless asked for", |t| {
            let statement = at(t, &format!("{STATEMENTS}/1/Fn::If/1")).clone();
            set(t, &format!("{STATEMENTS}/1"), statement);
        }),
        ("public means public/", |t| {
            set(
                t,
                &format!("{STATEMENTS}/1/Fn::If/1/Resource"),
                json!({"Fn::Sub": "${Archive.Arn}/*"}),
            );
        }),
        ("kept when the stack goes", |t| {
            take(t, "/Resources/Archive", "DeletionPolicy")
        }),
        ("unfinished uploads end", |t| {
            take(t, BUCKET, "LifecycleConfiguration")
        }),
    ];
    check(rules::ARCHIVE, &yaml(infra::ARCHIVE_TEMPLATE), changes);
}

#[test]
fn the_stack_policy_keeps_its_rule() {
    let changes: &[(&str, Change)] = &[
        ("an update never replaces the machine", |p| {
            drop(at(p, "/Statement").as_array_mut().unwrap().pop())
        }),
        ("an update never replaces the machine", |p| {
            set(p, "/Statement/1/Resource", json!("LogicalResourceId/Vpc"))
        }),
        ("an update never replaces the machine", |p| {
            set(p, "/Statement/1/Action", json!("Update:*"))
        }),
    ];
    let policy: Value = serde_json::from_str(infra::STACK_POLICY).unwrap();
    check(rules::STACK_POLICY, &policy, changes);
}

#[test]
fn r55_parameters_take_nothing_that_a_shell_or_a_key_would_read_otherwise() {
    let template = yaml(infra::RUN_TEMPLATE);
    let hostile = [
        "$(id)",
        "`id`",
        "a;b",
        "a b",
        "a\nb",
        "a\n",
        "a'b",
        "a\"b",
        "a|b",
        "a&b",
        "a>b",
        "${AWS::AccountId}",
        "{{resolve:ssm:x}}",
        "../x",
        "a/b",
        "a%2fb",
        "a\\b",
        "a\0b",
        "-a",
        "ü",
    ];
    let mut seen = 0;
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        let Some(pattern) = parameter["AllowedPattern"].as_str() else {
            assert!(
                parameter["AllowedValues"].is_array() || parameter["Type"] == "Number",
                "{name}"
            );
            continue;
        };
        let pattern = regex::Regex::new(pattern).unwrap();
        for text in hostile {
            assert!(!pattern.is_match(text), "{name} takes {text:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 10);
    for (name, value) in rules::SAMPLE {
        if let Some(pattern) = template["Parameters"][name]["AllowedPattern"].as_str() {
            assert!(
                regex::Regex::new(pattern).unwrap().is_match(value),
                "{name} refuses {value}"
            );
        }
    }
    // What the template takes as a run is what host.json and the store take.
    let run = regex::Regex::new(
        template["Parameters"]["RunId"]["AllowedPattern"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    for text in [
        "run-0123456789abcdef",
        "a",
        "0",
        "A",
        "a_b",
        "a.b",
        "",
        "-",
        &"a".repeat(32),
        &"a".repeat(33),
    ] {
        assert_eq!(
            run.is_match(text),
            infra::host_config::is_run(text),
            "{text}"
        );
        assert!(
            !run.is_match(text) || text.parse::<cloud::RunId>().is_ok(),
            "{text}"
        );
    }
}

#[test]
fn r55_user_data_is_the_same_for_all_runs() {
    let template = yaml(infra::RUN_TEMPLATE);
    let rendered = |run: &'static str, bucket: &'static str| {
        let mut values = rules::SAMPLE.to_vec();
        values.extend([
            ("RunId", run),
            ("Bucket", bucket),
            ("Deadline", "2027-01-01T00:00:00"),
            ("Architecture", "arm64"),
        ]);
        let template = infra::template::Template::new(&template, &values);
        let (_, launch) = template.only("AWS::EC2::LaunchTemplate").unwrap();
        launch["Properties"]["LaunchTemplateData"]["UserData"].to_string()
    };
    assert_eq!(rendered("run-a", "bucket-a"), rendered("run-b", "bucket-b"));
    assert!(!rendered("run-a", "bucket-a").contains("run-a"));
}
