//! The account behind the credentials.

use std::sync::{Arc, OnceLock};

use cloud::{Account, AccountId, Caller, CloudError, ErrorClass, Region, Services};

use crate::buckets::AwsBuckets;
use crate::clock;
use crate::compute::AwsCompute;
use crate::fault;
use crate::session::Session;
use crate::stacks::AwsStacks;

/// One account, reached with the credentials of a session.
#[derive(Debug, Clone)]
pub struct AwsAccount {
    session: Session,
    /// Asked once: credentials do not change their account.
    caller: Arc<OnceLock<Caller>>,
}

impl AwsAccount {
    /// The account of this session's credentials. Makes no call.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            caller: Arc::new(OnceLock::new()),
        }
    }

    /// Who is calling, if that was asked already.
    pub(crate) fn known(&self) -> Option<&Caller> {
        self.caller.get()
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl Account for AwsAccount {
    fn caller(&self) -> Result<Caller, CloudError> {
        const ACTION: &str = "sts:GetCallerIdentity";
        if let Some(caller) = self.caller.get() {
            return Ok(caller.clone());
        }
        let client = self.session.sts();
        let answer = self.session.call(ACTION, async move {
            let sent = client.get_caller_identity().send().await;
            sent.map_err(|error| fault::of(ACTION, &error))
        })?;
        let account = answer.account().unwrap_or_default().parse::<AccountId>();
        let caller = Caller {
            account: account.map_err(|error| {
                fault::with_class(ACTION, ErrorClass::Other, &error.to_string())
            })?,
            arn: answer.arn().unwrap_or_default().to_owned(),
        };
        Ok(self.caller.get_or_init(|| caller).clone())
    }

    fn regions(&self) -> Result<Vec<Region>, CloudError> {
        const ACTION: &str = "ec2:DescribeRegions";
        let client = self.session.ec2();
        let answer = self.session.call(ACTION, async move {
            let sent = client.describe_regions().send().await;
            sent.map_err(|error| fault::of(ACTION, &error))
        })?;
        let mut regions: Vec<Region> = answer
            .regions()
            .iter()
            .filter_map(|region| region.region_name()?.parse().ok())
            .collect();
        regions.sort();
        Ok(regions)
    }

    fn clock_ahead(&self) -> Result<i64, CloudError> {
        clock::ahead(&self.session)
    }

    fn services(&self, region: &Region) -> Services {
        let there = Self {
            session: self.session.in_region(region),
            caller: Arc::clone(&self.caller),
        };
        Services {
            region: region.clone(),
            stacks: Box::new(AwsStacks::new(there.session.clone())),
            compute: Box::new(AwsCompute::new(there.session.clone())),
            buckets: Box::new(AwsBuckets::new(there)),
        }
    }
}
