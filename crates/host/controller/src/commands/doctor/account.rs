//! What a run needs in the cloud. Every call here only reads; [`trial`] makes a bucket, on request.

use cloud::names::bucket_prefix;
use cloud::{InstanceState, InstanceType, Services, Tags, Timestamp, Which, tags};

use super::row::{Row, Status};
use super::trial;
use crate::ProviderError;
use crate::cli::DoctorArgs;
use crate::clouds::{Clouds, OpenCloud};
use crate::error::CliError;

/// Signatures are refused when clocks differ by more than five minutes.
const REFUSED_S: u64 = 300;
/// Of that, so much is no reason to worry.
const FINE_S: u64 = 60;

const CLOUD: (&str, &str) = ("cloud", "access to the cloud");
const CLOCK: (&str, &str) = ("clock", "this machine's clock");
const IDENTITY: (&str, &str) = ("identity", "credentials and identity");
const REGION: (&str, &str) = ("region", "region");
const TYPES: (&str, &str) = ("types", "instance types that run enclaves");
const QUOTA: (&str, &str) = ("quota", "quota of virtual processors");
const STACKS: (&str, &str) = ("stacks", "stacks of runs");
const MACHINES: (&str, &str) = ("machines", "machines of runs");
const DISKS: (&str, &str) = ("disks", "disks of runs");
const BUCKETS: (&str, &str) = ("buckets", "buckets of runs");
const PUBLISH: (&str, &str) = ("publish", "place to publish in");

type Name = (&'static str, &'static str);

pub(super) fn look(args: &DoctorArgs, clouds: &dyn Clouds) -> Vec<Row> {
    let open = match clouds.open(&args.cloud) {
        Ok(open) => open,
        Err(error) => return vec![closed(&error)],
    };
    let mut rows = vec![clock(&open)];
    let caller = match open.account.caller() {
        Ok(caller) => caller,
        Err(error) => {
            rows.push(Row::refused(IDENTITY.0, IDENTITY.1, &error));
            let rest = [REGION, TYPES, QUOTA, STACKS, MACHINES, DISKS, BUCKETS];
            let blocked = |(id, title): Name| Row::blocked(id, title, "no identity");
            rows.extend(rest.into_iter().map(blocked));
            return rows;
        }
    };
    let who = format!("account {}, {}", caller.account, caller.arn);
    rows.push(Row::ok(IDENTITY.0, IDENTITY.1, who));
    let services = open.account.services(&open.region);
    rows.push(region(&open));
    rows.push(types(&services));
    rows.push(quota(&services));
    rows.extend(of_runs(&services, open.clock.now()));
    rows.push(buckets(
        &services,
        &bucket_prefix(&caller.account),
        args.try_bucket,
    ));
    if args.try_bucket {
        rows.push(trial::bucket(&services, &caller.account, open.clock.now()));
    }
    if let Some(to) = &args.to {
        rows.push(publish(args, clouds, to));
    }
    rows
}

/// No cloud in this build is no finding about the account; anything else is a failure.
fn closed(error: &CliError) -> Row {
    let row = Row::error(CLOUD.0, CLOUD.1, error);
    match error {
        CliError::Provider(ProviderError::NotBuilt) => Row {
            status: Status::NotChecked,
            hint: Some(
                "build controller with --features aws; --local leaves the cloud out".to_owned(),
            ),
            ..row
        },
        _ => row,
    }
}

fn clock(open: &OpenCloud) -> Row {
    let ahead = match open.account.clock_ahead() {
        Ok(ahead) => ahead,
        Err(error) => return Row::refused(CLOCK.0, CLOCK.1, &error),
    };
    let row = match ahead {
        0 => Row::ok(CLOCK.0, CLOCK.1, "as the service's"),
        1.. => Row::ok(
            CLOCK.0,
            CLOCK.1,
            format!("{ahead} s ahead of the service's"),
        ),
        _ => {
            let behind = ahead.unsigned_abs();
            Row::ok(CLOCK.0, CLOCK.1, format!("{behind} s behind the service's"))
        }
    };
    let hint =
        "set the clock (timedatectl set-ntp true): calls are refused when it is 5 minutes off";
    let off = ahead.unsigned_abs();
    if off <= FINE_S {
        row
    } else if off <= REFUSED_S {
        row.but(Status::Warning, hint)
    } else {
        row.but(Status::Failed, hint)
    }
}

fn region(open: &OpenCloud) -> Row {
    let name = open.region.as_str();
    match open.account.regions() {
        Ok(regions) if regions.contains(&open.region) => Row::ok(REGION.0, REGION.1, name),
        Ok(regions) => {
            let usable: Vec<&str> = regions.iter().map(cloud::Region::as_str).collect();
            let detail = format!(
                "{name} is not one that this account can use: {}",
                usable.join(", ")
            );
            let hint = "name another with --region, or enable it for the account";
            Row::ok(REGION.0, REGION.1, detail).but(Status::Failed, hint)
        }
        Err(error) => Row::refused(REGION.0, REGION.1, &error),
    }
}

/// The types that `plan` knows, each with the zones that offer it.
fn types(services: &Services) -> Row {
    let (id, title) = TYPES;
    let names: Vec<InstanceType> = plan::machine::TYPES
        .iter()
        .filter_map(|known| known.name.parse().ok())
        .collect();
    let known = match services.compute.instance_types(&names) {
        Ok(known) => known,
        Err(error) => return Row::refused(id, title, &error),
    };
    let (mut usable, mut missing) = (Vec::new(), Vec::new());
    for name in &names {
        let runs_enclaves = known.iter().any(|info| info.name == *name && info.enclaves);
        if !runs_enclaves {
            missing.push(name.as_str());
            continue;
        }
        match services.compute.zones_offering(name) {
            Ok(zones) if zones.is_empty() => missing.push(name.as_str()),
            Ok(zones) => usable.push(format!("{name} in {} zones", zones.len())),
            Err(error) => return Row::refused(id, title, &error),
        }
    }
    let region = &services.region;
    let hint = "name another region with --region";
    if usable.is_empty() {
        let detail = format!("none of {} is offered in {region}", missing.join(", "));
        return Row::ok(id, title, detail).but(Status::Failed, hint);
    }
    let row = Row::ok(id, title, usable.join(", "));
    if missing.is_empty() {
        return row;
    }
    let detail = format!("{}; not in {region}: {}", row.detail, missing.join(", "));
    Row { detail, ..row }.but(
        Status::Warning,
        "a circuit that needs one of the others needs another region: --region",
    )
}

/// How many processors may run, against those of the machines that `plan` knows.
fn quota(services: &Services) -> Row {
    let (id, title) = QUOTA;
    let quota = match services.compute.vcpu_quota() {
        Ok(quota) => quota,
        Err(error) => return Row::refused(id, title, &error),
    };
    let row = Row::ok(
        id,
        title,
        format!("{quota} in {}, with what runs already", services.region),
    );
    let too_large: Vec<&str> = plan::machine::TYPES
        .iter()
        .filter(|known| known.vcpus > quota)
        .map(|known| known.name)
        .collect();
    if too_large.is_empty() {
        return row;
    }
    let none = too_large.len() == plan::machine::TYPES.len();
    let detail = format!("{}: too few for {}", row.detail, too_large.join(", "));
    let hint = format!(
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --desired-value N --region {}",
        services.region
    );
    Row { detail, ..row }.but(
        if none {
            Status::Failed
        } else {
            Status::Warning
        },
        hint,
    )
}

/// What of runs is there: that it may be looked at, and whether it has outlived its deadline.
fn of_runs(services: &Services, now: Timestamp) -> [Row; 3] {
    let due = |tags: &Tags| tags::expires_at(tags).is_none_or(|deadline| deadline <= now);
    let stacks = services.stacks.list(tags::RUN).map(|stacks| {
        let due = stacks.iter().filter(|stack| due(&stack.tags)).count();
        (stacks.len(), due)
    });
    let machines = services.compute.instances(Which::OfAnyRun).map(|machines| {
        let there = machines
            .iter()
            .filter(|machine| machine.state != InstanceState::Terminated);
        let due = there.clone().filter(|machine| due(&machine.tags)).count();
        (there.count(), due)
    });
    let disks = services.compute.volumes(Which::OfAnyRun).map(|disks| {
        let due = disks
            .iter()
            .filter(|disk| !disk.in_use && due(&disk.tags))
            .count();
        (disks.len(), due)
    });
    [(STACKS, stacks), (MACHINES, machines), (DISKS, disks)].map(|((id, title), counted)| {
        match counted {
            Err(error) => Row::refused(id, title, &error),
            Ok((there, 0)) => Row::ok(id, title, format!("{there} in {}", services.region)),
            Ok((there, due)) => {
                let detail = format!("{there} in {}, {due} past the deadline", services.region);
                Row::ok(id, title, detail).but(
                    Status::Warning,
                    "`controller reap --all-regions` removes them",
                )
            }
        }
    })
}

fn buckets(services: &Services, prefix: &str, tried: bool) -> Row {
    let (id, title) = BUCKETS;
    match services.buckets.list(prefix) {
        Ok(buckets) if tried => Row::ok(id, title, format!("{} there", buckets.len())),
        Ok(buckets) => {
            let detail = format!(
                "{} there; that one can be made is tried with --try-bucket",
                buckets.len()
            );
            Row::ok(id, title, detail)
        }
        Err(error) => Row::refused(id, title, &error),
    }
}

fn publish(args: &DoctorArgs, clouds: &dyn Clouds, to: &str) -> Row {
    let (id, title) = PUBLISH;
    let shelf = match clouds.shelf(&args.cloud, to) {
        Ok(shelf) => shelf,
        Err(error) => return Row::error(id, title, &error),
    };
    // A name that `publish` uses: whether it is there says that the bucket is, and that it may be read.
    let listed = "bundle"
        .parse::<cloud::ObjectKey>()
        .map_err(cloud::StoreError::from);
    match listed.and_then(|key| shelf.list(&key)) {
        Ok(there) => {
            let detail = format!(
                "{to}: {} files of a bundle there; that it can be written is not tried",
                there.len()
            );
            Row::ok(id, title, detail)
        }
        Err(cloud::StoreError::Cloud { source, .. }) => Row::refused(id, title, &source),
        Err(error) => Row::error(id, title, &error.into()),
    }
}
