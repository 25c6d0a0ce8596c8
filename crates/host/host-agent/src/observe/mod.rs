//! What can be seen of a run from outside: metrics in Prometheus's text form, a log of JSON lines, CloudWatch metrics in the log.
//!
//! * [`Metrics`]: counters and gauges, and their text.
//! * [`serve`](server::serve): `GET /metrics`, on loopback unless told otherwise.
//! * [`JsonLog`]: one JSON object per line, beside the lines for people on standard error.
//! * [`emf`]: CloudWatch's embedded metric format.

pub mod emf;
mod json_log;
mod metrics;
pub mod server;

pub use json_log::{JsonLog, PendingLine};
pub use metrics::Metrics;
