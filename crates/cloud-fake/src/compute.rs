//! Machines and disks.

use cloud::{
    CloudError, Compute, ErrorClass, Instance, InstanceId, InstanceState, InstanceType, Region,
    Tags, Timestamp, TypeInfo, Volume, VolumeId, Which, Zone, tags,
};

use crate::FakeCloud;
use crate::fault::failed;

/// The machines of one region.
#[derive(Debug)]
pub(crate) struct FakeCompute {
    cloud: FakeCloud,
    region: Region,
}

impl FakeCompute {
    pub(crate) fn new(cloud: FakeCloud, region: Region) -> Self {
        Self { cloud, region }
    }
}

/// ARN of an instance or a volume; whose it is does not matter to a policy.
fn arn(region: &Region, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}:123456789012:{kind}/{id}")
}

fn wanted(which: Which<'_>, instance: &InstanceId, tags: &Tags, blind: bool) -> bool {
    match which {
        Which::OfRun(run) => !blind && tags::run(tags).as_ref() == Some(run),
        Which::OfAnyRun => !blind && tags.contains_key(tags::RUN),
        Which::Instance(id) => id == instance,
    }
}

impl Compute for FakeCompute {
    fn instance_types(&self, types: &[InstanceType]) -> Result<Vec<TypeInfo>, CloudError> {
        self.cloud.call("ec2:DescribeInstanceTypes", "*", |world| {
            let known = world.settings.types.iter().map(|(info, _)| info);
            Ok(known
                .filter(|info| types.contains(&info.name))
                .cloned()
                .collect())
        })
    }

    fn zones_offering(&self, instance_type: &InstanceType) -> Result<Vec<Zone>, CloudError> {
        self.cloud
            .call("ec2:DescribeInstanceTypeOfferings", "*", |world| {
                let known = world
                    .settings
                    .types
                    .iter()
                    .any(|(info, _)| &info.name == instance_type);
                let zones = ["a", "b", "c"].iter().filter(|_| known);
                Ok(zones
                    .filter_map(|letter| format!("{}{letter}", self.region).parse().ok())
                    .collect())
            })
    }

    fn vcpu_quota(&self) -> Result<u32, CloudError> {
        self.cloud
            .call("servicequotas:GetServiceQuota", "*", |world| {
                Ok(world.settings.vcpu_quota)
            })
    }

    fn instances(&self, which: Which<'_>) -> Result<Vec<Instance>, CloudError> {
        self.cloud.call("ec2:DescribeInstances", "*", |world| {
            let seen = world.seen_ms();
            let mut found = Vec::new();
            for (id, record) in world
                .instances
                .iter()
                .filter(|(_, i)| i.region == self.region)
            {
                let (Some(state), Some(tags)) = (world.seen_state(record), record.tags.at(seen))
                else {
                    continue;
                };
                if wanted(which, id, &tags, world.settings.tags_are_blind) {
                    let ended = matches!(
                        state,
                        InstanceState::ShuttingDown | InstanceState::Terminated
                    );
                    found.push(Instance {
                        id: id.clone(),
                        instance_type: record.instance_type.clone(),
                        zone: record.zone.clone(),
                        state,
                        reason: record.reason.clone().filter(|_| ended),
                        launched: Timestamp(record.launched_ms / 1000),
                        tags,
                    });
                }
            }
            Ok(found)
        })
    }

    fn console_output(&self, id: &InstanceId) -> Result<Option<String>, CloudError> {
        self.cloud.call(
            "ec2:GetConsoleOutput",
            arn(&self.region, "instance", id.as_str()),
            |world| {
                Ok(world
                    .instances
                    .get(id)
                    .map(|_| "fake console\nlogin:".to_owned()))
            },
        )
    }

    fn terminate(&self, id: &InstanceId) -> Result<(), CloudError> {
        self.cloud.call(
            "ec2:TerminateInstances",
            arn(&self.region, "instance", id.as_str()),
            |world| {
                world.end_instance(id, "User initiated");
                Ok(())
            },
        )
    }

    fn volumes(&self, which: Which<'_>) -> Result<Vec<Volume>, CloudError> {
        self.cloud.call("ec2:DescribeVolumes", "*", |world| {
            let seen = world.seen_ms();
            let blind = world.settings.tags_are_blind;
            let mut found = Vec::new();
            for (id, record) in world
                .volumes
                .iter()
                .filter(|(_, v)| v.region == self.region)
            {
                if record.exists.at(seen) == Some(true)
                    && wanted(which, &record.instance, &record.tags, blind)
                {
                    let instance = world.instances.get(&record.instance);
                    let state = instance.and_then(|instance| instance.state.at(seen));
                    found.push(Volume {
                        id: id.clone(),
                        size_gib: record.size_gib,
                        in_use: state.is_some_and(|state| state != InstanceState::Terminated),
                        created: Timestamp(record.created_ms / 1000),
                        tags: record.tags.clone(),
                    });
                }
            }
            Ok(found)
        })
    }

    fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        self.cloud.call(
            "ec2:DeleteVolume",
            arn(&self.region, "volume", id.as_str()),
            |world| {
                let now = world.now_ms;
                let Some(volume) = world.volumes.get_mut(id) else {
                    return Ok(());
                };
                let instance = world.instances.get(&volume.instance);
                if instance.is_some_and(|i| i.state.now() != Some(InstanceState::Terminated)) {
                    let class = ErrorClass::Invalid;
                    return Err(failed(
                        "ec2:DeleteVolume",
                        class,
                        "VolumeInUse",
                        "it is attached",
                    ));
                }
                volume.exists.set(now, false);
                Ok(())
            },
        )
    }
}
