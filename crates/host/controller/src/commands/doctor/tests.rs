//! Each row, made to fail in a fake cloud.

use clap::Parser;
use cloud::{Account, ErrorClass, FolderStore, Shelf};
use cloud_fake::{Effect, FakeCloud, Fault, Settings, When};

use super::*;
use crate::ProviderError;
use crate::cli::{Cli, CloudArgs, Command};
use crate::clouds::OpenCloud;
use crate::error::CliError;

#[derive(Debug)]
struct Fake(FakeCloud);

impl Clouds for Fake {
    fn open(&self, args: &CloudArgs) -> Result<OpenCloud, CliError> {
        let region = args.region.as_deref().unwrap_or("eu-central-1");
        Ok(OpenCloud {
            account: Box::new(self.0.clone()),
            region: region.parse().unwrap(),
            clock: Box::new(self.0.clone()),
            pace: saga::Pace::default(),
        })
    }

    fn shelf(&self, _: &CloudArgs, to: &str) -> Result<Box<dyn Shelf>, CliError> {
        let folder = std::env::temp_dir().join(to.trim_start_matches("s3://"));
        Ok(Box::new(FolderStore::open(folder)?))
    }

    fn get(&self, _: &manifest::report::Href, _: usize) -> Result<Vec<u8>, String> {
        unreachable!("no address is asked")
    }
}

/// A build without a cloud, or one that cannot be opened.
#[derive(Debug)]
struct Closed(fn() -> CliError);

impl Clouds for Closed {
    fn open(&self, _: &CloudArgs) -> Result<OpenCloud, CliError> {
        Err(self.0())
    }

    fn shelf(&self, _: &CloudArgs, _: &str) -> Result<Box<dyn Shelf>, CliError> {
        Err(self.0())
    }

    fn get(&self, _: &manifest::report::Href, _: usize) -> Result<Vec<u8>, String> {
        unreachable!("no address is asked")
    }
}

fn args(extra: &[&str]) -> DoctorArgs {
    let typed = [&["controller", "doctor"], extra].concat();
    match Cli::try_parse_from(typed).unwrap().command {
        Command::Doctor(args) => args,
        other => panic!("{other:?}"),
    }
}

fn fake(change: impl FnOnce(&mut Settings)) -> Fake {
    let mut settings = Settings::default();
    change(&mut settings);
    Fake(FakeCloud::new(settings))
}

/// The rows about the cloud.
fn rows(clouds: &dyn Clouds, extra: &[&str]) -> Vec<Row> {
    account::look(&args(extra), clouds)
}

fn row<'r>(rows: &'r [Row], id: &str) -> &'r Row {
    let found = rows.iter().find(|row| row.id == id);
    found.unwrap_or_else(|| panic!("no row {id}: {rows:?}"))
}

#[test]
fn a_good_account_has_no_failed_row() {
    let rows = rows(&fake(|_| {}), &[]);
    // The fake offers one of the types that are planned with.
    assert_eq!(row(&rows, "types").status, Status::Warning);
    assert!(
        row(&rows, "types")
            .detail
            .contains("r7i.2xlarge in 3 zones")
    );
    // 32 processors are too few for the larger ones.
    assert_eq!(row(&rows, "quota").status, Status::Warning);
    assert!(row(&rows, "identity").detail.contains("123456789012"));
    for id in [
        "clock", "identity", "region", "stacks", "machines", "disks", "buckets",
    ] {
        assert_eq!(row(&rows, id).status, Status::Ok, "{rows:?}");
    }
    assert_eq!(exit(&rows), Exit::Success);
}

#[test]
fn every_refused_call_is_a_failed_row_with_the_permission_that_it_needs() {
    for (action, id) in [
        ("ec2:DescribeRegions", "region"),
        ("ec2:DescribeInstanceTypes", "types"),
        ("ec2:DescribeInstanceTypeOfferings", "types"),
        ("servicequotas:GetServiceQuota", "quota"),
        ("cloudformation:DescribeStacks", "stacks"),
        ("ec2:DescribeInstances", "machines"),
        ("ec2:DescribeVolumes", "disks"),
        ("s3:ListAllMyBuckets", "buckets"),
    ] {
        for (class, status, code) in [
            (ErrorClass::Denied, Status::Failed, Exit::False),
            (ErrorClass::Other, Status::Failed, Exit::False),
            (ErrorClass::Transient, Status::NotChecked, Exit::Incomplete),
        ] {
            let cloud = fake(|_| {});
            cloud.0.arm(Some(Fault {
                call: 0,
                times: usize::MAX,
                action: Some(action),
                when: When::Before,
                effect: Effect::Fail(class),
            }));
            let rows = rows(&cloud, &[]);
            assert_eq!(row(&rows, id).status, status, "{action} {class:?}");
            assert_eq!(exit(&rows), code, "{action} {class:?}");
            if class == ErrorClass::Denied {
                assert!(row(&rows, id).hint.as_ref().unwrap().contains(action));
            }
        }
    }
}

#[test]
fn without_an_identity_nothing_else_is_called_good() {
    let cloud = fake(|_| {});
    cloud.0.arm(Some(Fault {
        call: 1,
        times: usize::MAX,
        action: Some("sts:GetCallerIdentity"),
        when: When::Before,
        effect: Effect::Fail(ErrorClass::Denied),
    }));
    let rows = rows(&cloud, &[]);
    assert_eq!(row(&rows, "clock").status, Status::Ok);
    assert_eq!(row(&rows, "identity").status, Status::Failed);
    for id in [
        "region", "types", "quota", "stacks", "machines", "disks", "buckets",
    ] {
        assert_eq!(row(&rows, id).status, Status::NotChecked, "{id}");
    }
    assert_eq!(exit(&rows), Exit::False);
}

#[test]
fn a_clock_that_is_off_is_seen_in_either_direction() {
    for (ahead, status) in [
        (0, Status::Ok),
        (60, Status::Ok),
        (-60, Status::Ok),
        (61, Status::Warning),
        (-300, Status::Warning),
        (301, Status::Failed),
        (-86_400, Status::Failed),
    ] {
        let rows = rows(&fake(|settings| settings.clock_ahead_s = ahead), &[]);
        let clock = row(&rows, "clock");
        assert_eq!(clock.status, status, "{ahead}");
        assert_eq!(clock.hint.is_some(), status != Status::Ok);
        assert_eq!(
            clock.detail.contains("behind"),
            ahead < 0,
            "{}",
            clock.detail
        );
    }
}

#[test]
fn a_region_or_types_that_cannot_be_had_fail() {
    let elsewhere = rows(&fake(|_| {}), &["--region", "ap-south-1"]);
    assert_eq!(row(&elsewhere, "region").status, Status::Failed);
    let none = rows(&fake(|settings| settings.types.clear()), &[]);
    assert_eq!(row(&none, "types").status, Status::Failed);
    let without_enclaves = fake(|settings| {
        for (info, _) in &mut settings.types {
            info.enclaves = false;
        }
    });
    let none = rows(&without_enclaves, &[]);
    assert_eq!(row(&none, "types").status, Status::Failed);
    assert!(row(&none, "types").hint.is_some());
}

#[test]
fn a_quota_for_no_machine_fails() {
    for (quota, status) in [
        (0, Status::Failed),
        (8, Status::Warning),
        (100_000, Status::Ok),
    ] {
        let rows = rows(&fake(|settings| settings.vcpu_quota = quota), &[]);
        let row = row(&rows, "quota");
        assert_eq!(row.status, status, "{row:?}");
        assert_eq!(row.hint.is_some(), status != Status::Ok);
    }
}

#[test]
fn a_bucket_is_tried_on_request_and_nothing_of_it_stays() {
    let cloud = fake(|_| {});
    assert!(!rows(&cloud, &[]).iter().any(|row| row.id == "bucket"));
    let tried = rows(&cloud, &["--try-bucket"]);
    assert_eq!(row(&tried, "bucket").status, Status::Ok, "{tried:?}");
    assert_eq!(cloud.0.leftovers(), [""; 0]);

    // Whichever call of it fails, nothing stays or the row names the bucket.
    for action in [
        "s3:CreateBucket",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteBucket",
    ] {
        let cloud = fake(|_| {});
        cloud.0.arm(Some(Fault {
            call: 0,
            times: usize::MAX,
            action: Some(action),
            when: When::Before,
            effect: Effect::Fail(ErrorClass::Denied),
        }));
        let tried = rows(&cloud, &["--try-bucket"]);
        let row = row(&tried, "bucket");
        assert_eq!(row.status, Status::Failed, "{action}");
        assert!(row.detail.contains(action), "{row:?}");
        match &cloud.0.leftovers()[..] {
            [] => {}
            [left] => {
                let name = left.strip_prefix("bucket ").unwrap();
                assert!(row.detail.contains(name), "{row:?}");
                assert!(row.hint.as_ref().unwrap().contains("reap"));
            }
            more => panic!("{more:?}"),
        }
    }
}

#[test]
fn what_has_outlived_its_deadline_is_told() {
    let cloud = fake(|_| {});
    let services = cloud.0.services(&"eu-central-1".parse().unwrap());
    let run: cloud::RunId = "run-0123456789abcdef".parse().unwrap();
    let deadline = cloud::Clock::now(&cloud.0).after(std::time::Duration::from_hours(1));
    let tags = cloud::tags::of_run(&run, deadline);
    let parameters = [
        ("RunId", run.to_string()),
        ("Bucket", "b".to_owned()),
        ("Deadline", deadline.schedule()),
        ("InstanceType", "r7i.2xlarge".to_owned()),
        ("Zone1", "eu-central-1a".to_owned()),
        ("Placement", "1".to_owned()),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
    services
        .stacks
        .create(&cloud::NewStack {
            name: &run.stack(0).unwrap(),
            template: "t",
            policy: "{}",
            parameters: &parameters.into(),
            tags: &tags,
            token: "t",
            timeout_minutes: 15,
        })
        .unwrap();
    cloud.0.advance(std::time::Duration::from_mins(1));
    assert_eq!(row(&rows(&cloud, &[]), "stacks").status, Status::Ok);
    cloud.0.advance(std::time::Duration::from_hours(1));
    let rows = rows(&cloud, &[]);
    assert_eq!(row(&rows, "stacks").status, Status::Warning);
    assert!(row(&rows, "stacks").hint.as_ref().unwrap().contains("reap"));
}

#[test]
fn a_build_without_a_cloud_says_so() {
    let rows = rows(&Closed(|| ProviderError::NotBuilt.into()), &[]);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, Status::NotChecked);
    assert_eq!(exit(&rows), Exit::Incomplete);
    let no_region = || CliError::Usage {
        what: "no region".to_owned(),
        hint: Some("name one"),
    };
    let rows = super::tests::rows(&Closed(no_region), &[]);
    assert_eq!((rows.len(), rows[0].status), (1, Status::Failed));
    assert_eq!(rows[0].hint.as_deref(), Some("name one"));
}

#[test]
fn local_rows_need_no_cloud() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("not/yet/there");
    let extra = ["--local", "--disk", "0", "--state", state.to_str().unwrap()];
    let rows = look(&args(&extra), &Closed(|| panic!("no cloud is opened")));
    assert_eq!(row(&rows, "state").status, Status::Ok);
    assert_eq!(row(&rows, "disk").status, Status::Ok);
    assert!(!state.exists(), "nothing is made");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let extra = ["--local", "--state", file.to_str().unwrap()];
    let rows = look(&args(&extra), &Closed(|| panic!("no cloud is opened")));
    assert_eq!(row(&rows, "state").status, Status::Failed);
}
