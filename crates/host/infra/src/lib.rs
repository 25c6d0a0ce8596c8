//! What a run consists of in the cloud: the files of `infra/`, embedded, and the rules they must keep.
//!
//! * [`RUN_TEMPLATE`] and its siblings: the files, as CloudFormation and S3 take them.
//! * [`host_config`]: `host.json`, the one object that tells a machine what to do.
//! * [`template`]: a template's values with parameters filled in, as far as rules and policies need them.
//! * [`policy`]: IAM policies as data, and who may do what under them.
//! * [`rules`]: the security properties of every file, each a rule that a test sees broken.

pub mod host_config;
pub mod policy;
pub mod rules;
pub mod template;

/// One run: `infra/run.yaml`.
pub const RUN_TEMPLATE: &str = include_str!("../../../../infra/run.yaml");
/// A mirror of powers of tau: `infra/mirror.yaml`.
pub const MIRROR_TEMPLATE: &str = include_str!("../../../../infra/mirror.yaml");
/// An archive of published ceremonies: `infra/archive.yaml`.
pub const ARCHIVE_TEMPLATE: &str = include_str!("../../../../infra/archive.yaml");
/// Settings of a run's bucket, JSON with `${…}` to be filled in: `infra/bucket.json`.
pub const BUCKET_SETTINGS: &str = include_str!("../../../../infra/bucket.json");
/// What the operator must be allowed, an IAM policy: `infra/policies/controller.json`.
pub const CONTROLLER_POLICY: &str = include_str!("../../../../infra/policies/controller.json");
/// What `controller publish` must be allowed, an IAM policy with `${bucket}` and `${prefix}` to be filled in:
/// `infra/policies/publisher.json`.
pub const PUBLISHER_POLICY: &str = include_str!("../../../../infra/policies/publisher.json");
/// Forbids to replace the machine by an update, a stack policy: `infra/policies/stack-policy.json`.
pub const STACK_POLICY: &str = include_str!("../../../../infra/policies/stack-policy.json");
/// The service on the machine, a systemd unit: `infra/host-agent.service`.
pub const HOST_AGENT_UNIT: &str = include_str!("../../../../infra/host-agent.service");
