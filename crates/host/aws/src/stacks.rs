//! CloudFormation.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{self as cfn, Capability, OnFailure, Parameter, Tag};
use cloud::{
    CloudError, ErrorClass, NewStack, Stack, StackFailure, StackId, StackRef, StackState, Stacks,
    Tags, Timestamp,
};

use crate::fault;
use crate::session::Session;

/// CloudFormation in the session's region.
#[derive(Debug)]
pub(crate) struct AwsStacks {
    session: Session,
}

impl AwsStacks {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// One stack, as the service describes it.
    fn look(&self, name: String) -> Result<Option<cfn::Stack>, CloudError> {
        const ACTION: &str = "cloudformation:DescribeStacks";
        let client = self.session.cloudformation();
        let answer = self.session.call(ACTION, async move {
            let sent = client.describe_stacks().stack_name(name).send().await;
            sent.map_err(|error| fault::of(ACTION, &error))
        });
        match answer {
            Ok(answer) => Ok(answer.stacks().first().cloned()),
            Err(fault) if fault.class == ErrorClass::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

impl Stacks for AwsStacks {
    fn create(&self, stack: &NewStack<'_>) -> Result<StackId, CloudError> {
        const ACTION: &str = "cloudformation:CreateStack";
        let minutes = i32::try_from(stack.timeout_minutes).unwrap_or(i32::MAX);
        let call = self
            .session
            .cloudformation()
            .create_stack()
            .stack_name(stack.name.as_str())
            .template_body(stack.template)
            .stack_policy_body(stack.policy)
            .set_parameters(Some(parameters(stack.parameters)))
            .set_tags(Some(tags(stack.tags)))
            .on_failure(OnFailure::Delete)
            .capabilities(Capability::CapabilityIam)
            .client_request_token(stack.token)
            .timeout_in_minutes(minutes);
        let answer = self.session.call(ACTION, async move {
            call.send().await.map_err(|error| fault::of(ACTION, &error))
        })?;
        let id = answer.stack_id().unwrap_or_default().parse::<StackId>();
        id.map_err(|error| fault::with_class(ACTION, ErrorClass::Other, &error.to_string()))
    }

    fn update(
        &self,
        id: &StackId,
        changed: &BTreeMap<String, String>,
        new_tags: &Tags,
        token: &str,
    ) -> Result<(), CloudError> {
        const ACTION: &str = "cloudformation:UpdateStack";
        let Some(now) = self.look(id.to_string())? else {
            let words = format!("stack {id} does not exist");
            return Err(fault::with_class(ACTION, ErrorClass::NotFound, &words));
        };
        let mut all = parameters(changed);
        for kept in now.parameters().iter().filter_map(Parameter::parameter_key) {
            if !changed.contains_key(kept) {
                all.push(
                    Parameter::builder()
                        .parameter_key(kept)
                        .use_previous_value(true)
                        .build(),
                );
            }
        }
        let call = self
            .session
            .cloudformation()
            .update_stack()
            .stack_name(id.as_str())
            .use_previous_template(true)
            .set_parameters(Some(all))
            .set_tags(Some(tags(new_tags)))
            .capabilities(Capability::CapabilityIam)
            .client_request_token(token);
        let done = self.session.call(ACTION, async move {
            let sent = call.send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        });
        match done {
            Err(fault) if fault.message.contains("No updates are to be performed") => Ok(()),
            other => other,
        }
    }

    fn describe(&self, stack: StackRef<'_>) -> Result<Option<Stack>, CloudError> {
        let name = match stack {
            StackRef::Id(id) => id.to_string(),
            StackRef::Name(name) => name.to_string(),
        };
        self.look(name)?.as_ref().map(understood).transpose()
    }

    fn list(&self, tag_key: &str) -> Result<Vec<Stack>, CloudError> {
        const ACTION: &str = "cloudformation:DescribeStacks";
        let client = self.session.cloudformation();
        let answers = self.session.call(ACTION, async move {
            let mut pages = client.describe_stacks().into_paginator().items().send();
            let mut all = Vec::new();
            while let Some(item) = pages.next().await {
                all.push(item.map_err(|error| fault::of(ACTION, &error))?);
            }
            Ok(all)
        })?;
        let ours = answers
            .iter()
            .filter(|stack| stack.tags().iter().any(|tag| tag.key() == Some(tag_key)));
        let mut stacks = Vec::new();
        for stack in ours {
            let stack = understood(stack)?;
            if stack.state != StackState::Deleted {
                stacks.push(stack);
            }
        }
        Ok(stacks)
    }

    fn failures(&self, id: &StackId) -> Result<Vec<StackFailure>, CloudError> {
        const ACTION: &str = "cloudformation:DescribeStackEvents";
        let call = self
            .session
            .cloudformation()
            .describe_stack_events()
            .stack_name(id.as_str());
        let answers = self.session.call(ACTION, async move {
            let mut pages = call.into_paginator().send();
            let mut all = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| fault::of(ACTION, &error))?;
                all.extend_from_slice(page.stack_events());
            }
            Ok(all)
        })?;
        // The service gives the newest first.
        Ok(answers.iter().rev().filter_map(failure).collect())
    }

    fn delete(&self, id: &StackId) -> Result<(), CloudError> {
        const ACTION: &str = "cloudformation:DeleteStack";
        let call = self
            .session
            .cloudformation()
            .delete_stack()
            .stack_name(id.as_str());
        let done = self.session.call(ACTION, async move {
            let sent = call.send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        });
        match done {
            Err(fault) if fault.class == ErrorClass::NotFound => Ok(()),
            other => other,
        }
    }
}

fn parameters(all: &BTreeMap<String, String>) -> Vec<Parameter> {
    all.iter()
        .map(|(key, value)| {
            Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        })
        .collect()
}

fn tags(all: &Tags) -> Vec<Tag> {
    all.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

/// A stack that is not understood is an error: one that is left out is one that nobody removes.
fn understood(stack: &cfn::Stack) -> Result<Stack, CloudError> {
    read(stack).ok_or_else(|| {
        let name = stack.stack_name().unwrap_or("one without a name");
        let words = format!("what is said of {name} is not understood");
        fault::with_class("cloudformation:DescribeStacks", ErrorClass::Other, &words)
    })
}

fn read(stack: &cfn::Stack) -> Option<Stack> {
    let status = stack.stack_status()?.as_str();
    let outputs = stack.outputs().iter().filter_map(|output| {
        Some((
            output.output_key()?.to_owned(),
            output.output_value()?.to_owned(),
        ))
    });
    let tags = stack.tags().iter().filter_map(|tag| {
        Some((
            tag.key()?.to_owned(),
            tag.value().unwrap_or_default().to_owned(),
        ))
    });
    Some(Stack {
        id: stack.stack_id()?.parse().ok()?,
        name: stack.stack_name()?.parse().ok()?,
        state: StackState::of_status(status),
        status: status.to_owned(),
        reason: stack.stack_status_reason().map(str::to_owned),
        created: Timestamp(u64::try_from(stack.creation_time()?.secs()).ok()?),
        tags: tags.collect(),
        outputs: outputs.collect(),
    })
}

fn failure(event: &cfn::StackEvent) -> Option<StackFailure> {
    let status = event.resource_status()?.as_str();
    status.ends_with("_FAILED").then(|| StackFailure {
        resource: event.logical_resource_id().unwrap_or_default().to_owned(),
        reason: event
            .resource_status_reason()
            .unwrap_or_default()
            .to_owned(),
    })
}
