//! Identity, stacks, machines and buckets on moto.
//!
//! moto does not model, so not shown here: EnclaveOptions of an instance, one stack for one token, that a
//! deleted stack takes its resources along, AWS::Scheduler, capacity, quotas, the effect of a policy.

use std::collections::BTreeMap;

use aws::AwsAccount;
use cloud::{
    Account, Architecture, BucketName, BucketSettings, ErrorClass, InstanceState, NewStack, RunId,
    Services, StackName, StackRef, StackState, Tags, Timestamp, Which, tags,
};

use crate::line::{Fate, Line};
use crate::world;

/// One machine with a volume, tagged as a run's are: the smallest stack with something that bills.
const TEMPLATE: &str = r#"{
  "AWSTemplateFormatVersion": "2010-09-09",
  "Parameters": { "Size": { "Type": "String" }, "Deadline": { "Type": "String", "Default": "none" } },
  "Resources": {
    "Machine": {
      "Type": "AWS::EC2::Instance",
      "Properties": {
        "ImageId": "ami-12c6146b",
        "InstanceType": { "Ref": "Size" },
        "BlockDeviceMappings": [
          { "DeviceName": "/dev/xvda", "Ebs": { "VolumeSize": 8, "VolumeType": "gp3", "DeleteOnTermination": true } }
        ],
        "Tags": [
          { "Key": "attested-ceremony-run", "Value": { "Ref": "AWS::StackName" } },
          { "Key": "deadline", "Value": { "Ref": "Deadline" } }
        ]
      }
    }
  },
  "Outputs": { "InstanceId": { "Value": { "Ref": "Machine" } } }
}"#;

/// Allows any update.
const POLICY: &str =
    r#"{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;

fn account() -> Option<(AwsAccount, std::net::SocketAddr)> {
    let address = world::moto()?;
    Some((AwsAccount::new(world::session(address)), address))
}

fn services(account: &AwsAccount, region: &str) -> Services {
    account.services(&region.parse().unwrap())
}

/// Makes the stack with this name, which is also the run's.
fn make(services: &Services, name: &StackName) -> cloud::StackId {
    let parameters = BTreeMap::from([("Size".to_owned(), "r6i.xlarge".to_owned())]);
    let tags = tags::of_run(&name.as_str().parse().unwrap(), Timestamp(1_795_694_400));
    services
        .stacks
        .create(&NewStack {
            name,
            template: TEMPLATE,
            policy: POLICY,
            parameters: &parameters,
            tags: &tags,
            token: "token-1",
            timeout_minutes: 15,
        })
        .unwrap()
}

#[test]
fn the_caller_is_asked_once() {
    let Some(address) = world::moto() else {
        return;
    };
    let line = Line::to(address, |_, _| Fate::Pass);
    let account = AwsAccount::new(world::session(line.address()));
    let caller = account.caller().unwrap();
    assert_eq!(caller.account.as_str(), "123456789012");
    assert!(caller.arn.starts_with("arn:aws:sts::"), "{}", caller.arn);
    assert_eq!(account.caller().unwrap(), caller);
    assert_eq!(line.seen().len(), 1);
}

#[test]
fn the_clock_is_compared_with_the_date_of_an_answer() {
    let Some((account, address)) = account() else {
        return;
    };
    // Both read the same machine's clock; a loaded machine may be slow to answer.
    let ahead = account.clock_ahead().unwrap();
    assert!((-1..300).contains(&ahead), "{ahead}");
    let line = Line::to(address, |_, _| {
        Fate::Header("date", "Sun, 01 Jan 2040 00:00:00 GMT")
    });
    let account = AwsAccount::new(world::session(line.address()));
    assert!(account.clock_ahead().unwrap() < -86_400);
}

#[test]
fn regions_types_and_zones_are_told() {
    let Some((account, _)) = account() else {
        return;
    };
    let regions = account.regions().unwrap();
    assert!(
        regions.contains(&"eu-central-1".parse().unwrap()),
        "{regions:?}"
    );
    let services = services(&account, "us-east-1");
    let asked = ["r6i.xlarge", "r6g.4xlarge", "t3.micro", "zz9.nothing"];
    let types = services
        .compute
        .instance_types(&asked.map(|name| name.parse().unwrap()))
        .unwrap();
    let of = |name: &str| types.iter().find(|info| info.name.as_str() == name);
    let intel = of("r6i.xlarge").unwrap();
    assert_eq!(intel.architecture, Architecture::X86_64);
    assert_eq!((intel.vcpus, intel.memory_mib), (4, 32 << 10));
    assert!(intel.enclaves);
    assert_eq!(of("r6g.4xlarge").unwrap().architecture, Architecture::Arm64);
    assert!(!of("t3.micro").unwrap().enclaves);
    assert!(of("zz9.nothing").is_none());
    let zones = services
        .compute
        .zones_offering(&"r6i.xlarge".parse().unwrap())
        .unwrap();
    assert!(zones.contains(&"us-east-1a".parse().unwrap()), "{zones:?}");
    let none = services
        .compute
        .zones_offering(&"zz9.nothing".parse().unwrap());
    assert_eq!(none.unwrap(), []);
}

#[test]
fn a_stack_is_made_found_changed_and_removed() {
    let Some((account, _)) = account() else {
        return;
    };
    let services = services(&account, "us-east-1");
    let name: StackName = "life-of-a-stack".parse().unwrap();
    assert_eq!(
        services.stacks.describe(StackRef::Name(&name)).unwrap(),
        None
    );
    let id = make(&services, &name);

    let stack = services
        .stacks
        .describe(StackRef::Id(&id))
        .unwrap()
        .unwrap();
    assert_eq!((&stack.id, &stack.name), (&id, &name));
    assert_eq!(stack.state, StackState::Ready);
    assert_eq!(tags::run(&stack.tags).unwrap().as_str(), name.as_str());
    assert!(stack.outputs["InstanceId"].starts_with("i-"));
    let by_name = services.stacks.describe(StackRef::Name(&name)).unwrap();
    assert_eq!(by_name.unwrap().id, id);
    let listed = services.stacks.list(tags::RUN).unwrap();
    assert!(listed.iter().any(|stack| stack.id == id));
    assert_eq!(services.stacks.list("another-key").unwrap(), []);

    // Its name is taken.
    let parameters = BTreeMap::from([("Size".to_owned(), "r6i.xlarge".to_owned())]);
    let again = services.stacks.create(&NewStack {
        name: &name,
        template: TEMPLATE,
        policy: POLICY,
        parameters: &parameters,
        tags: &Tags::new(),
        token: "token-2",
        timeout_minutes: 15,
    });
    assert_eq!(again.unwrap_err().class, ErrorClass::AlreadyExists);

    // Another deadline; the size stays without being said again.
    let later = tags::of_run(&name.as_str().parse().unwrap(), Timestamp(1_795_698_000));
    let deadline = BTreeMap::from([("Deadline".to_owned(), "later".to_owned())]);
    services
        .stacks
        .update(&id, &deadline, &later, "token-3")
        .unwrap();
    let stack = services
        .stacks
        .describe(StackRef::Id(&id))
        .unwrap()
        .unwrap();
    assert_eq!(
        tags::expires_at(&stack.tags),
        Some(Timestamp(1_795_698_000))
    );

    services.stacks.delete(&id).unwrap();
    services.stacks.delete(&id).unwrap();
    let gone = services.stacks.describe(StackRef::Id(&id)).unwrap();
    assert!(gone.is_none_or(|stack| stack.state == StackState::Deleted));
    assert_eq!(
        services.stacks.describe(StackRef::Name(&name)).unwrap(),
        None
    );
    let listed = services.stacks.list(tags::RUN).unwrap();
    assert!(!listed.iter().any(|stack| stack.id == id));
    let unknown = "arn:aws:cloudformation:us-east-1:123456789012:stack/never/1"
        .parse()
        .unwrap();
    let error = services
        .stacks
        .update(&unknown, &deadline, &later, "t")
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::NotFound);
}

#[test]
fn a_stack_without_a_value_for_its_parameter_is_invalid() {
    let Some((account, _)) = account() else {
        return;
    };
    let services = services(&account, "us-east-1");
    let error = services
        .stacks
        .create(&NewStack {
            name: &"bad".parse().unwrap(),
            template: TEMPLATE,
            policy: POLICY,
            parameters: &BTreeMap::new(),
            tags: &Tags::new(),
            token: "t",
            timeout_minutes: 15,
        })
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid, "{error}");
}

#[test]
fn machines_and_volumes_are_found_by_tag_and_end() {
    let Some((account, _)) = account() else {
        return;
    };
    let services = services(&account, "us-west-2");
    let name: StackName = "machines-and-volumes".parse().unwrap();
    let run: RunId = name.as_str().parse().unwrap();
    make(&services, &name);
    let machines = services.compute.instances(Which::OfRun(&run)).unwrap();
    assert_eq!(machines.len(), 1);
    let machine = &machines[0];
    assert_eq!(machine.state, InstanceState::Running);
    assert_eq!(machine.instance_type.as_str(), "r6i.xlarge");
    assert_eq!(tags::run(&machine.tags), Some(run.clone()));
    let any = services.compute.instances(Which::OfAnyRun).unwrap();
    assert!(any.iter().any(|one| one.id == machine.id));
    let same = services
        .compute
        .instances(Which::Instance(&machine.id))
        .unwrap();
    assert_eq!(same[0].id, machine.id);
    let other: RunId = "another-run".parse().unwrap();
    assert_eq!(
        services.compute.instances(Which::OfRun(&other)).unwrap(),
        []
    );

    let volumes = services
        .compute
        .volumes(Which::Instance(&machine.id))
        .unwrap();
    assert_eq!(volumes.len(), 1, "{volumes:?}");
    assert!(volumes[0].in_use && volumes[0].size_gib > 0);
    assert!(services.compute.delete_volume(&volumes[0].id).is_err());
    services.compute.console_output(&machine.id).unwrap();

    services.compute.terminate(&machine.id).unwrap();
    services.compute.terminate(&machine.id).unwrap();
    let after = services
        .compute
        .instances(Which::Instance(&machine.id))
        .unwrap();
    assert!(
        after
            .iter()
            .all(|one| one.state == InstanceState::Terminated),
        "{after:?}"
    );
    services
        .compute
        .terminate(&"i-0123456789abcdef0".parse().unwrap())
        .unwrap();
    services
        .compute
        .delete_volume(&"vol-0123456789abcdef0".parse().unwrap())
        .unwrap();
    // Another region knows nothing of it.
    let elsewhere = self::services(&account, "eu-west-1");
    assert_eq!(elsewhere.compute.instances(Which::OfRun(&run)).unwrap(), []);
}

#[test]
fn r50_a_bucket_is_made_closed_and_removed() {
    let Some((account, address)) = account() else {
        return;
    };
    let services = services(&account, "eu-central-1");
    let bucket: BucketName = "attested-ceremony-123456789012-closed".parse().unwrap();
    assert_eq!(services.buckets.locate(&bucket).unwrap(), None);
    services.buckets.create(&bucket).unwrap();
    services.buckets.create(&bucket).unwrap();
    assert_eq!(
        services.buckets.locate(&bucket).unwrap().unwrap().as_str(),
        "eu-central-1"
    );
    assert_eq!(services.buckets.tags(&bucket).unwrap(), Tags::new());
    let settings = BucketSettings {
        owner: account.caller().unwrap().account,
        keep_days: 14,
        tags: tags::of_run(&"closed".parse().unwrap(), Timestamp(1_795_694_400)),
    };
    services.buckets.configure(&bucket, &settings).unwrap();
    services.buckets.configure(&bucket, &settings).unwrap();
    assert_eq!(services.buckets.tags(&bucket).unwrap(), settings.tags);
    let said = |what: &str| {
        let path = format!("/{bucket}?{what}");
        let (status, text) = world::raw_answer(address, "GET", &path, &[], b"");
        assert_eq!(status, 200, "{what}: {text}");
        text
    };
    let access = said("publicAccessBlock");
    for switch in [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ] {
        assert!(
            access
                .to_lowercase()
                .contains(&format!("<{switch}>true").to_lowercase()),
            "{switch}: {access}"
        );
    }
    let policy = said("policy");
    assert!(
        policy.contains("aws:SecureTransport") && policy.contains("s3:TlsVersion"),
        "{policy}"
    );
    assert!(
        policy.contains(&format!("arn:aws:s3:::{bucket}/*")),
        "{policy}"
    );
    let lifecycle = said("lifecycle");
    assert!(lifecycle.contains("<Days>14</Days>"), "{lifecycle}");
    assert!(lifecycle.contains("<DaysAfterInitiation>2"), "{lifecycle}");
    assert!(said("ownershipControls").contains("BucketOwnerEnforced"));
    assert!(said("encryption").contains("AES256"));

    let listed = services
        .buckets
        .list("attested-ceremony-123456789012-")
        .unwrap();
    assert!(listed.iter().any(|info| info.name == bucket));
    assert_eq!(services.buckets.list("nothing-begins-so").unwrap(), []);

    // What is in it keeps it; emptied, it goes.
    without_policy(address, &bucket);
    let store = services.buckets.store(&bucket);
    store
        .put_if_absent(&"runs/r/job".parse().unwrap(), b"x")
        .unwrap();
    assert!(services.buckets.delete(&bucket).is_err());
    services.buckets.empty(&bucket).unwrap();
    assert_eq!(store.size(&"runs/r/job".parse().unwrap()).unwrap(), None);
    services.buckets.delete(&bucket).unwrap();
    services.buckets.delete(&bucket).unwrap();
    services.buckets.empty(&bucket).unwrap();
    assert_eq!(
        services.buckets.tags(&bucket).unwrap_err().class,
        ErrorClass::NotFound
    );
    assert_eq!(services.buckets.locate(&bucket).unwrap(), None);
}

/// The policy denies what comes without TLS, and the emulator, which has none, keeps to it.
fn without_policy(address: std::net::SocketAddr, bucket: &BucketName) {
    let path = format!("/{bucket}?policy");
    assert_eq!(world::raw(address, "DELETE", &path, &[], b""), 204);
}

#[test]
fn every_call_about_a_bucket_says_whose_it_must_be() {
    let Some(address) = world::moto() else {
        return;
    };
    let line = Line::to(address, |_, _| Fate::Pass);
    let account = AwsAccount::new(world::session(line.address()));
    let services = services(&account, "us-east-1");
    let bucket: BucketName = "attested-ceremony-123456789012-owned".parse().unwrap();
    services.buckets.create(&bucket).unwrap();
    services.buckets.locate(&bucket).unwrap();
    let settings = BucketSettings {
        owner: account.caller().unwrap().account,
        keep_days: 1,
        tags: Tags::new(),
    };
    services.buckets.configure(&bucket, &settings).unwrap();
    let store = services.buckets.store(&bucket);
    let error = store
        .put_if_absent(&"a".parse().unwrap(), b"x")
        .unwrap_err();
    assert_eq!(error.code(), "cloud_denied", "the policy wants TLS");
    without_policy(address, &bucket);
    store.put_if_absent(&"a".parse().unwrap(), b"x").unwrap();
    store.get(&"a".parse().unwrap(), 9).unwrap();
    store.list(&"b".parse().unwrap()).unwrap();
    services.buckets.empty(&bucket).unwrap();
    services.buckets.delete(&bucket).unwrap();
    let about: Vec<_> = line
        .seen()
        .into_iter()
        .filter(|seen| seen.target.starts_with(&format!("/{bucket}")))
        .collect();
    assert!(about.len() > 10);
    for seen in &about[1..] {
        assert!(
            seen.head
                .contains("x-amz-expected-bucket-owner: 123456789012"),
            "{} {}",
            seen.method,
            seen.target
        );
    }
}

#[test]
fn the_quota_of_processors_is_asked_for() {
    let Some(address) = world::moto() else {
        return;
    };
    let line = Line::to(address, |_, _| {
        Fate::Answer(200, r#"{"Quota":{"QuotaCode":"L-1216C47A","Value":32.0}}"#)
    });
    let account = AwsAccount::new(world::session(line.address()));
    let services = services(&account, "eu-central-1");
    assert_eq!(services.compute.vcpu_quota().unwrap(), 32);
    let seen = &line.seen()[0].head.to_lowercase();
    assert!(seen.contains("servicequotas"), "{seen}");

    let line = Line::to(address, |_, _| Fate::Answer(200, r#"{"Quota":{}}"#));
    let account = AwsAccount::new(world::session(line.address()));
    let services = self::services(&account, "eu-central-1");
    assert_eq!(
        services.compute.vcpu_quota().unwrap_err().class,
        ErrorClass::Other
    );
}

#[test]
fn a_denied_call_names_its_permission() {
    let Some(address) = world::moto() else {
        return;
    };
    let line = Line::to(address, |_, _| {
        Fate::Answer(
            403,
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized</Message></Error></Errors></Response>",
        )
    });
    let account = AwsAccount::new(world::session(line.address()));
    let error = account.regions().unwrap_err();
    assert_eq!(error.action, "ec2:DescribeRegions");
    assert_eq!(error.class, ErrorClass::Denied);
    assert_eq!(error.code, "UnauthorizedOperation");
    assert_eq!(line.seen().len(), 1);
}
