//! How far this machine's clock is from the service's: requests that are signed more than five minutes off
//! are refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_sdk_sts::primitives::{DateTime, DateTimeFormat};
use cloud::{CloudError, ErrorClass};

use crate::fault;
use crate::session::Session;

const ACTION: &str = "sts:GetCallerIdentity";

/// Keeps the time that the last answer was sent at.
#[derive(Debug, Clone, Default)]
struct DateSeen(Arc<Mutex<Option<String>>>);

impl Intercept for DateSeen {
    fn name(&self) -> &'static str {
        "DateSeen"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

/// Seconds by which this machine's clock is ahead of the service's; negative if it is behind. Also when the
/// service refuses the call, as it does when the clock is far off.
pub(crate) fn ahead(session: &Session) -> Result<i64, CloudError> {
    let seen = DateSeen::default();
    let kept = seen.clone();
    let client = session.sts();
    let answer = session.call(ACTION, async move {
        let sent = client
            .get_caller_identity()
            .customize()
            .interceptor(seen)
            .send()
            .await;
        sent.map(drop).map_err(|error| fault::of(ACTION, &error))
    });
    let date = kept.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let there = date
        .as_deref()
        .and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
    match (there, answer) {
        (Some(there), _) => Ok(now().saturating_sub(there.secs())),
        (None, Err(fault)) => Err(fault),
        (None, Ok(())) => Err(fault::with_class(
            ACTION,
            ErrorClass::Other,
            "an answer without its date",
        )),
    }
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}
