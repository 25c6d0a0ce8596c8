//! Stacks: they grow in steps, and remove themselves when they fail.

use std::collections::BTreeMap;

use cloud::{
    CloudError, ErrorClass, InstanceId, InstanceState, NewStack, Region, Stack, StackFailure,
    StackId, StackName, StackRef, StackState, Stacks, Tags, Timestamp, Zone, tags,
};

use crate::FakeCloud;
use crate::agent::Agent;
use crate::fault::failed;
use crate::seen::Seen;
use crate::world::{Event, InstanceRecord, VolumeRecord, World};

/// Longest template that is taken inline.
const MOST_TEMPLATE_BYTES: usize = 51_200;

#[derive(Debug)]
pub(crate) struct StackRecord {
    pub(crate) name: StackName,
    region: Region,
    token: String,
    parameters: BTreeMap<String, String>,
    tags: Seen<Tags>,
    status: Seen<&'static str>,
    created_ms: u64,
    failures: Vec<StackFailure>,
    instance: Option<InstanceId>,
}

impl StackRecord {
    pub(crate) fn is_gone(&self) -> bool {
        self.status.now() == Some("DELETE_COMPLETE")
    }

    fn is(&self, status: &str) -> bool {
        self.status.now() == Some(status)
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The schedule's time in milliseconds.
    fn deadline_ms(&self) -> Option<u64> {
        let text = format!("{}Z", self.parameter("Deadline"));
        let time: Timestamp = text.parse().ok()?;
        Some(time.0.saturating_mul(1000))
    }
}

impl World {
    fn create_stack(&mut self, region: &Region, new: &NewStack<'_>) -> Result<StackId, CloudError> {
        let fail = |class, code, message: &str| {
            Err(failed("cloudformation:CreateStack", class, code, message))
        };
        if new.template.is_empty() || new.template.len() > MOST_TEMPLATE_BYTES {
            return fail(ErrorClass::Invalid, "ValidationError", "templateBody");
        }
        for needed in [
            "RunId",
            "Bucket",
            "Deadline",
            "InstanceType",
            "Zone1",
            "Placement",
        ] {
            if !new.parameters.contains_key(needed) {
                return fail(ErrorClass::Invalid, "ValidationError", needed);
            }
        }
        let same_name = self.stacks.iter().find(|(_, s)| {
            &s.region == region && &s.name == new.name && (s.token == new.token || !s.is_gone())
        });
        if let Some((id, stack)) = same_name {
            // Of a live stack the name is noticed first, whatever the token says.
            return if stack.is_gone() {
                parse_id(id)
            } else {
                fail(ErrorClass::AlreadyExists, "AlreadyExistsException", "name")
            };
        }
        let number = self.number();
        let id = format!(
            "arn:aws:cloudformation:{region}:{}:stack/{}/{number:08x}",
            self.settings.account, new.name
        );
        let now = self.now_ms;
        let record = StackRecord {
            name: new.name.clone(),
            region: region.clone(),
            token: new.token.to_owned(),
            parameters: new.parameters.clone(),
            tags: Seen::new(now, new.tags.clone()),
            status: Seen::new(now, "CREATE_IN_PROGRESS"),
            created_ms: now,
            failures: Vec::new(),
            instance: None,
        };
        self.stacks.insert(id.clone(), record);
        self.after(30, Event::StackLaunches(id.clone()));
        parse_id(&id)
    }

    pub(crate) fn stack_launches(&mut self, id: &str) {
        let now = self.now_ms;
        let number = self.number();
        let settings = self.settings.clone();
        let Some(stack) = self
            .stacks
            .get_mut(id)
            .filter(|s| s.is("CREATE_IN_PROGRESS"))
        else {
            return;
        };
        let zone = stack
            .parameter(&format!("Zone{}", stack.parameter("Placement")))
            .to_owned();
        let type_name = stack.parameter("InstanceType").to_owned();
        let known = settings
            .types
            .iter()
            .find(|(info, _)| info.name.as_str() == type_name);
        let scarce = settings
            .no_capacity
            .iter()
            .any(|(t, z)| t.as_str() == type_name && z.as_str() == zone);
        let (Some((info, price)), false, Ok(zone)) = (known, scarce, zone.parse::<Zone>()) else {
            let reason = format!(
                "Resource handler returned message: \"We currently do not have sufficient {type_name} capacity in the Availability Zone you requested ({zone}).\""
            );
            stack.failures.push(StackFailure {
                resource: "Instance".into(),
                reason,
            });
            stack.status.set(now, "DELETE_IN_PROGRESS");
            self.after(20, Event::StackGone(id.to_owned()));
            return;
        };
        let tags = stack.tags.now().unwrap_or_default();
        let region = stack.region.clone();
        let Ok(instance_id) = format!("i-{number:017x}").parse::<InstanceId>() else {
            return;
        };
        stack.instance = Some(instance_id.clone());
        let run = tags::run(&tags);
        let instance = InstanceRecord {
            region: region.clone(),
            instance_type: info.name.clone(),
            zone,
            state: Seen::new(now, InstanceState::Pending),
            reason: None,
            launched_ms: now,
            ran: (None, None),
            tags: Seen::new(now, tags.clone()),
            agent: Agent::new(run, stack.parameter("Bucket")),
            micro_usd_per_hour: *price,
        };
        self.instances.insert(instance_id.clone(), instance);
        if let Ok(volume_id) = format!("vol-{number:017x}").parse() {
            let volume = VolumeRecord {
                region,
                size_gib: 64,
                instance: instance_id.clone(),
                created_ms: now,
                tags,
                exists: Seen::new(now, true),
            };
            self.volumes.insert(volume_id, volume);
        }
        self.after(10, Event::Running(instance_id));
        self.after(30, Event::StackReady(id.to_owned()));
    }

    pub(crate) fn stack_ready(&mut self, id: &str) {
        let now = self.now_ms;
        let Some(stack) = self
            .stacks
            .get_mut(id)
            .filter(|s| s.is("CREATE_IN_PROGRESS"))
        else {
            return;
        };
        stack.status.set(now, "CREATE_COMPLETE");
        self.set_schedule(id);
    }

    fn set_schedule(&mut self, id: &str) {
        let deadline = self.stacks.get(id).and_then(StackRecord::deadline_ms);
        if self.settings.layers.schedule
            && let Some(deadline) = deadline
        {
            self.at(deadline, Event::Schedule(id.to_owned()));
        }
    }

    pub(crate) fn schedule_fires(&mut self, id: &str) {
        let Some(stack) = self.stacks.get(id) else {
            return;
        };
        // It was moved, or it went with its stack.
        let due = stack
            .deadline_ms()
            .is_some_and(|deadline| deadline <= self.now_ms);
        if due
            && !stack.is("DELETE_IN_PROGRESS")
            && !stack.is_gone()
            && let Some(instance) = stack.instance.clone()
        {
            self.end_instance(&instance, "User initiated: schedule");
        }
    }

    fn delete_stack(&mut self, id: &str) {
        let now = self.now_ms;
        let fails = self.settings.stack_delete_failures > 0;
        let Some(stack) = self.stacks.get_mut(id) else {
            return;
        };
        if stack.is_gone() || stack.is("DELETE_IN_PROGRESS") {
            return;
        }
        if fails {
            stack.status.set(now, "DELETE_FAILED");
            self.settings.stack_delete_failures -= 1;
            return;
        }
        stack.status.set(now, "DELETE_IN_PROGRESS");
        if let Some(instance) = stack.instance.clone() {
            self.end_instance(&instance, "User initiated");
        }
        self.after(40, Event::StackGone(id.to_owned()));
    }

    pub(crate) fn stack_gone(&mut self, id: &str) {
        let now = self.now_ms;
        let instance = self.stacks.get(id).and_then(|s| s.instance.clone());
        let waits = instance
            .and_then(|i| self.instances.get(&i)?.state.now())
            .is_some_and(|state| state != InstanceState::Terminated);
        if waits {
            self.after(5, Event::StackGone(id.to_owned()));
        } else if let Some(stack) = self
            .stacks
            .get_mut(id)
            .filter(|s| s.is("DELETE_IN_PROGRESS"))
        {
            stack.status.set(now, "DELETE_COMPLETE");
        }
    }

    fn update_stack(
        &mut self,
        id: &str,
        parameters: &BTreeMap<String, String>,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let now = self.now_ms;
        let Some(stack) = self
            .stacks
            .get_mut(id)
            .filter(|s| s.is("CREATE_COMPLETE") || s.is("UPDATE_COMPLETE"))
        else {
            return Err(failed(
                "cloudformation:UpdateStack",
                ErrorClass::Invalid,
                "ValidationError",
                "the stack is in no state to be updated",
            ));
        };
        stack.parameters.extend(parameters.clone());
        stack.tags.set(now, tags.clone());
        stack.status.set(now, "UPDATE_COMPLETE");
        let instance = stack.instance.clone();
        self.set_schedule(id);
        if let Some(instance) = instance {
            if let Some(record) = self.instances.get_mut(&instance) {
                record.tags.set(now, tags.clone());
            }
            self.watch_deadline(&instance);
        }
        Ok(())
    }

    fn seen_stack(&self, id: &str, record: &StackRecord) -> Option<Stack> {
        let seen = self.seen_ms();
        let status = record.status.at(seen)?;
        let outputs = record
            .instance
            .iter()
            .map(|i| ("InstanceId".to_owned(), i.to_string()));
        Some(Stack {
            id: id.parse().ok()?,
            name: record.name.clone(),
            state: StackState::of_status(status),
            status: status.to_owned(),
            reason: record.failures.last().map(|failure| failure.reason.clone()),
            created: Timestamp(record.created_ms / 1000),
            tags: record.tags.at(seen)?,
            outputs: outputs.collect(),
        })
    }
}

fn parse_id(id: &str) -> Result<StackId, CloudError> {
    id.parse().map_err(|error: cloud::names::NameError| {
        failed(
            "cloudformation:CreateStack",
            ErrorClass::Other,
            "Fake",
            error.to_string(),
        )
    })
}

/// The stacks of one region.
#[derive(Debug)]
pub(crate) struct FakeStacks {
    cloud: FakeCloud,
    region: Region,
}

impl FakeStacks {
    pub(crate) fn new(cloud: FakeCloud, region: Region) -> Self {
        Self { cloud, region }
    }
}

impl Stacks for FakeStacks {
    fn create(&self, stack: &NewStack<'_>) -> Result<StackId, CloudError> {
        let resource = format!(
            "arn:aws:cloudformation:{}:123456789012:stack/{}/0",
            self.region, stack.name
        );
        self.cloud
            .call("cloudformation:CreateStack", resource, |world| {
                world.create_stack(&self.region, stack)
            })
    }

    fn update(
        &self,
        id: &StackId,
        parameters: &BTreeMap<String, String>,
        tags: &Tags,
        _token: &str,
    ) -> Result<(), CloudError> {
        self.cloud
            .call("cloudformation:UpdateStack", id.as_str(), |world| {
                world.update_stack(id.as_str(), parameters, tags)
            })
    }

    fn describe(&self, stack: StackRef<'_>) -> Result<Option<Stack>, CloudError> {
        let resource = match stack {
            StackRef::Id(id) => id.to_string(),
            StackRef::Name(name) => {
                format!(
                    "arn:aws:cloudformation:{}:123456789012:stack/{name}/0",
                    self.region
                )
            }
        };
        self.cloud
            .call("cloudformation:DescribeStacks", resource, |world| {
                let mut here = world.stacks.iter().filter(|(_, s)| s.region == self.region);
                Ok(match stack {
                    StackRef::Id(id) => here
                        .find(|(known, _)| known.as_str() == id.as_str())
                        .and_then(|(id, record)| world.seen_stack(id, record)),
                    StackRef::Name(name) => here
                        .filter(|(_, record)| &record.name == name)
                        .filter_map(|(id, record)| world.seen_stack(id, record))
                        .find(|stack| stack.state != StackState::Deleted),
                })
            })
    }

    fn list(&self, tag_key: &str) -> Result<Vec<Stack>, CloudError> {
        self.cloud
            .call("cloudformation:DescribeStacks", "*", |world| {
                if world.settings.tags_are_blind {
                    return Ok(Vec::new());
                }
                let here = world.stacks.iter().filter(|(_, s)| s.region == self.region);
                Ok(here
                    .filter_map(|(id, record)| world.seen_stack(id, record))
                    .filter(|s| s.state != StackState::Deleted && s.tags.contains_key(tag_key))
                    .collect())
            })
    }

    fn failures(&self, id: &StackId) -> Result<Vec<StackFailure>, CloudError> {
        self.cloud
            .call("cloudformation:DescribeStackEvents", id.as_str(), |world| {
                let record = world.stacks.get(id.as_str());
                Ok(record.map_or_else(Vec::new, |stack| stack.failures.clone()))
            })
    }

    fn delete(&self, id: &StackId) -> Result<(), CloudError> {
        self.cloud
            .call("cloudformation:DeleteStack", id.as_str(), |world| {
                world.delete_stack(id.as_str());
                Ok(())
            })
    }
}
