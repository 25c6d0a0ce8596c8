//! EC2.

use aws_sdk_ec2::types::{
    self as ec2, ArchitectureType, Filter, InstanceStateName, LocationType, NitroEnclavesSupport,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::{
    Architecture, CloudError, Compute, ErrorClass, Instance, InstanceId, InstanceState,
    InstanceType, Tags, Timestamp, TypeInfo, Volume, VolumeId, Which, Zone, tags,
};

use crate::fault;
use crate::session::Session;

/// Values that one filter takes.
const FILTER_VALUES: usize = 200;
/// The quota that counts processors of the families A, C, D, H, I, M, R, T and Z, on demand.
const STANDARD_VCPUS: &str = "L-1216C47A";
/// Of a console, from its end.
const CONSOLE_BYTES: usize = 64 << 10;

/// EC2 in the session's region.
#[derive(Debug)]
pub(crate) struct AwsCompute {
    session: Session,
}

impl AwsCompute {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }
}

impl Compute for AwsCompute {
    fn instance_types(&self, types: &[InstanceType]) -> Result<Vec<TypeInfo>, CloudError> {
        const ACTION: &str = "ec2:DescribeInstanceTypes";
        let mut found = Vec::new();
        for some in types.chunks(FILTER_VALUES) {
            let client = self.session.ec2();
            let names = some.iter().map(ToString::to_string).collect();
            let answers = self.session.call(ACTION, async move {
                let mut pages = client
                    .describe_instance_types()
                    .filters(filter("instance-type", names))
                    .into_paginator()
                    .items()
                    .send();
                let mut all = Vec::new();
                while let Some(item) = pages.next().await {
                    all.push(item.map_err(|error| fault::of(ACTION, &error))?);
                }
                Ok(all)
            })?;
            found.extend(answers.iter().filter_map(type_info));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn zones_offering(&self, instance_type: &InstanceType) -> Result<Vec<Zone>, CloudError> {
        const ACTION: &str = "ec2:DescribeInstanceTypeOfferings";
        let client = self.session.ec2();
        let names = vec![instance_type.to_string()];
        let answers = self.session.call(ACTION, async move {
            let mut pages = client
                .describe_instance_type_offerings()
                .location_type(LocationType::AvailabilityZone)
                .filters(filter("instance-type", names))
                .into_paginator()
                .items()
                .send();
            let mut all = Vec::new();
            while let Some(item) = pages.next().await {
                all.push(item.map_err(|error| fault::of(ACTION, &error))?);
            }
            Ok(all)
        })?;
        let mut zones: Vec<Zone> = answers
            .iter()
            .filter_map(|offering| offering.location()?.parse().ok())
            .collect();
        zones.sort();
        zones.dedup();
        Ok(zones)
    }

    fn vcpu_quota(&self) -> Result<u32, CloudError> {
        const ACTION: &str = "servicequotas:GetServiceQuota";
        let client = self.session.service_quotas();
        let answer = self.session.call(ACTION, async move {
            let asked = client.get_service_quota();
            let sent = asked.service_code("ec2").quota_code(STANDARD_VCPUS);
            let sent = sent.send().await;
            sent.map_err(|error| fault::of(ACTION, &error))
        })?;
        let value = answer
            .quota()
            .and_then(aws_sdk_servicequotas::types::ServiceQuota::value);
        value
            .and_then(whole)
            .ok_or_else(|| fault::with_class(ACTION, ErrorClass::Other, "the answer has no number"))
    }

    fn instances(&self, which: Which<'_>) -> Result<Vec<Instance>, CloudError> {
        const ACTION: &str = "ec2:DescribeInstances";
        let client = self.session.ec2();
        let filter = instance_filter(which);
        let answers = self.session.call(ACTION, async move {
            let mut pages = client
                .describe_instances()
                .filters(filter)
                .into_paginator()
                .send();
            let mut all = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| fault::of(ACTION, &error))?;
                for reservation in page.reservations() {
                    all.extend_from_slice(reservation.instances());
                }
            }
            Ok(all)
        })?;
        all_of(ACTION, &answers, ec2::Instance::instance_id, instance)
    }

    fn console_output(&self, id: &InstanceId) -> Result<Option<String>, CloudError> {
        const ACTION: &str = "ec2:GetConsoleOutput";
        let client = self.session.ec2();
        let id = id.to_string();
        let answer = self.session.call(ACTION, async move {
            let latest = client.get_console_output().instance_id(&id).latest(true);
            match latest
                .send()
                .await
                .map_err(|error| fault::of(ACTION, &error))
            {
                // Types that are not built on Nitro keep only what was written at their start.
                Err(fault) if fault.code == "UnsupportedOperation" => {
                    let sent = client.get_console_output().instance_id(&id).send().await;
                    sent.map_err(|error| fault::of(ACTION, &error))
                }
                other => other,
            }
        })?;
        Ok(answer.output().and_then(console_text))
    }

    fn terminate(&self, id: &InstanceId) -> Result<(), CloudError> {
        const ACTION: &str = "ec2:TerminateInstances";
        let client = self.session.ec2();
        let id = id.to_string();
        let done = self.session.call(ACTION, async move {
            let sent = client.terminate_instances().instance_ids(id).send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        });
        gone_is_fine(done)
    }

    fn volumes(&self, which: Which<'_>) -> Result<Vec<Volume>, CloudError> {
        const ACTION: &str = "ec2:DescribeVolumes";
        let client = self.session.ec2();
        let filter = match which {
            Which::Instance(id) => filter("attachment.instance-id", vec![id.to_string()]),
            other => instance_filter(other),
        };
        let answers = self.session.call(ACTION, async move {
            let mut pages = client
                .describe_volumes()
                .filters(filter)
                .into_paginator()
                .items()
                .send();
            let mut all = Vec::new();
            while let Some(item) = pages.next().await {
                all.push(item.map_err(|error| fault::of(ACTION, &error))?);
            }
            Ok(all)
        })?;
        all_of(ACTION, &answers, ec2::Volume::volume_id, volume)
    }

    fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        const ACTION: &str = "ec2:DeleteVolume";
        let client = self.session.ec2();
        let id = id.to_string();
        let done = self.session.call(ACTION, async move {
            let sent = client.delete_volume().volume_id(id).send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        });
        gone_is_fine(done)
    }
}

/// A number of things, which the service sends as a decimal fraction.
fn whole(value: f64) -> Option<u32> {
    value.trunc().to_string().parse().ok()
}

fn filter(name: &str, values: Vec<String>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
}

fn instance_filter(which: Which<'_>) -> Filter {
    match which {
        Which::OfRun(run) => filter(&format!("tag:{}", tags::RUN), vec![run.to_string()]),
        Which::OfAnyRun => filter("tag-key", vec![tags::RUN.to_owned()]),
        Which::Instance(id) => filter("instance-id", vec![id.to_string()]),
    }
}

fn gone_is_fine(done: Result<(), CloudError>) -> Result<(), CloudError> {
    match done {
        Err(fault) if fault.class == cloud::ErrorClass::NotFound => Ok(()),
        other => other,
    }
}

/// Every resource must be understood: one that is left out is one that nobody removes.
fn all_of<A, T>(
    action: &'static str,
    answers: &[A],
    name: impl Fn(&A) -> Option<&str>,
    read: impl Fn(&A) -> Option<T>,
) -> Result<Vec<T>, CloudError> {
    let mut all = Vec::new();
    for answer in answers {
        let Some(one) = read(answer) else {
            let name = name(answer).unwrap_or("one without an id");
            let words = format!("what is said of {name} is not understood");
            return Err(fault::with_class(action, cloud::ErrorClass::Other, &words));
        };
        all.push(one);
    }
    Ok(all)
}

/// `None` for processors that no enclave image is for, and for types whose name or size is missing.
fn type_info(answer: &ec2::InstanceTypeInfo) -> Option<TypeInfo> {
    let processors = answer.processor_info()?.supported_architectures();
    let architecture = if processors.contains(&ArchitectureType::X8664) {
        Architecture::X86_64
    } else if processors.contains(&ArchitectureType::Arm64) {
        Architecture::Arm64
    } else {
        return None;
    };
    Some(TypeInfo {
        name: answer.instance_type()?.as_str().parse().ok()?,
        architecture,
        enclaves: answer.nitro_enclaves_support() == Some(&NitroEnclavesSupport::Supported),
        vcpus: u32::try_from(answer.v_cpu_info()?.default_v_cpus()?).ok()?,
        memory_mib: u64::try_from(answer.memory_info()?.size_in_mib()?).ok()?,
    })
}

fn instance(answer: &ec2::Instance) -> Option<Instance> {
    let reason = answer
        .state_reason()
        .and_then(|reason| reason.message())
        .or_else(|| answer.state_transition_reason())
        .filter(|reason| !reason.is_empty());
    Some(Instance {
        id: answer.instance_id()?.parse().ok()?,
        instance_type: answer.instance_type()?.as_str().parse().ok()?,
        zone: answer.placement()?.availability_zone()?.parse().ok()?,
        state: state(answer.state()?.name()?)?,
        reason: reason.map(str::to_owned),
        launched: timestamp(answer.launch_time()?)?,
        tags: tags_of(answer.tags()),
    })
}

fn state(name: &InstanceStateName) -> Option<InstanceState> {
    Some(match name {
        InstanceStateName::Pending => InstanceState::Pending,
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::Stopping => InstanceState::Stopping,
        InstanceStateName::Stopped => InstanceState::Stopped,
        InstanceStateName::ShuttingDown => InstanceState::ShuttingDown,
        InstanceStateName::Terminated => InstanceState::Terminated,
        _ => return None,
    })
}

fn volume(answer: &ec2::Volume) -> Option<Volume> {
    Some(Volume {
        id: answer.volume_id()?.parse().ok()?,
        size_gib: u32::try_from(answer.size()?).ok()?,
        in_use: !answer.attachments().is_empty(),
        created: timestamp(answer.create_time()?)?,
        tags: tags_of(answer.tags()),
    })
}

fn timestamp(time: &aws_sdk_ec2::primitives::DateTime) -> Option<Timestamp> {
    u64::try_from(time.secs()).ok().map(Timestamp)
}

fn tags_of(tags: &[ec2::Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or("").to_owned())))
        .collect()
}

/// The end of a console's text; `None` if it has none.
fn console_text(base64: &str) -> Option<String> {
    let packed: String = base64.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(packed).ok()?;
    let start = bytes.len().saturating_sub(CONSOLE_BYTES);
    let text = String::from_utf8_lossy(bytes.get(start..)?).into_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_a_number_of_things() {
        assert_eq!(whole(32.0), Some(32));
        assert_eq!(whole(5.9), Some(5));
        assert_eq!(whole(1e6), Some(1_000_000));
        for none in [-1.0, 1e12, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(none), None, "{none}");
        }
    }

    #[test]
    fn a_console_is_decoded_and_cut_at_its_start() {
        assert_eq!(console_text("aGVsbG8=").unwrap(), "hello");
        assert_eq!(console_text("aGVs\nbG8=\n").unwrap(), "hello");
        assert_eq!(console_text(""), None);
        assert_eq!(console_text("not base64!"), None);
        let long = STANDARD.encode([b"a".repeat(10), b"b".repeat(CONSOLE_BYTES)].concat());
        assert_eq!(console_text(&long).unwrap(), "b".repeat(CONSOLE_BYTES));
    }

    #[test]
    fn a_machine_that_is_not_understood_is_no_empty_list() {
        let strange = ec2::Instance::builder()
            .instance_id("i-0123456789abcdef0")
            .build();
        let error = all_of(
            "ec2:DescribeInstances",
            &[strange],
            ec2::Instance::instance_id,
            instance,
        )
        .unwrap_err();
        assert_eq!(error.class, cloud::ErrorClass::Other);
        assert!(error.message.contains("i-0123456789abcdef0"), "{error}");
    }

    #[test]
    fn only_types_with_the_word_supported_run_enclaves() {
        let of = |support: Option<NitroEnclavesSupport>| {
            let info = ec2::InstanceTypeInfo::builder()
                .instance_type(ec2::InstanceType::from("r8g.4xlarge"))
                .set_nitro_enclaves_support(support)
                .processor_info(
                    ec2::ProcessorInfo::builder()
                        .supported_architectures(ArchitectureType::Arm64)
                        .build(),
                )
                .v_cpu_info(ec2::VCpuInfo::builder().default_v_cpus(16).build())
                .memory_info(ec2::MemoryInfo::builder().size_in_mib(131_072).build())
                .build();
            type_info(&info).unwrap()
        };
        assert!(of(Some(NitroEnclavesSupport::Supported)).enclaves);
        assert!(!of(Some(NitroEnclavesSupport::Unsupported)).enclaves);
        assert!(!of(Some(NitroEnclavesSupport::from("new word"))).enclaves);
        assert!(!of(None).enclaves);
        assert_eq!(of(None).architecture, Architecture::Arm64);
        assert_eq!((of(None).vcpus, of(None).memory_mib), (16, 131_072));
    }
}
