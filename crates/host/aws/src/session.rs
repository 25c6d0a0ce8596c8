//! Credentials, region, time limits and retries, once for all services.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

use cloud::CloudError;

use crate::driver::{Driver, Lost};
use crate::fault;

/// Tries of one call, the first among them; with growing pauses between. Callers decide about more.
const ATTEMPTS: u32 = 5;
/// The first pause at most.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Any pause at most.
const LAST_PAUSE: Duration = Duration::from_secs(3);
/// For a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// For one try of a call: a part of an upload through a slow line takes minutes.
const ATTEMPT_TIME: Duration = Duration::from_mins(10);
/// For credentials: a browser is never waited for, and an absent metadata service is not for long.
const CREDENTIALS_TIME: Duration = Duration::from_secs(20);

/// What a person may choose; everything else comes from AWS's own environment variables and files.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The region [default: `AWS_REGION`, then the profile's].
    pub region: Option<String>,
    /// The profile in the files of the AWS command line [default: `AWS_PROFILE`].
    pub profile: Option<String>,
    /// Sent to this address instead of AWS, with credentials that are not looked for. Tests only; programs
    /// take the SDK's own variable `AWS_ENDPOINT_URL`.
    pub emulator: Option<String>,
}

/// One configuration for all services, and the threads that the calls run on.
#[derive(Debug, Clone)]
pub struct Session {
    driver: Arc<Driver>,
    config: SdkConfig,
    region: String,
    endpoint: Option<String>,
}

impl Session {
    /// Reads the environment and the files. Asks nobody and needs no credentials yet.
    ///
    /// # Errors
    /// [`SessionError::NoRegion`] where no region is given: it decides where money is spent.
    pub fn open(settings: &Settings) -> Result<Self, SessionError> {
        let driver = Driver::start().map_err(SessionError::Threads)?;
        let settings = settings.clone();
        let config = driver
            .wait(async move { load(settings).await })
            .map_err(|_| SessionError::Lost)?;
        let region = config.region().map(ToString::to_string);
        let region = region
            .filter(|region| is_region(region))
            .ok_or(SessionError::NoRegion)?;
        let endpoint = config.endpoint_url().map(str::to_owned).or_else(|| {
            std::env::var("AWS_ENDPOINT_URL_S3")
                .ok()
                .filter(|url| !url.is_empty())
        });
        Ok(Self {
            driver: Arc::new(driver),
            config,
            region,
            endpoint,
        })
    }

    /// The region of every call.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The address that calls go to instead of AWS, where the environment says one.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Looks for credentials, as the first call would, and says which they are.
    ///
    /// # Errors
    /// [`SessionError::NoCredentials`], soon: a metadata service that is not there is not waited for.
    pub fn find_credentials(&self) -> Result<String, SessionError> {
        let refused = |words: String| SessionError::NoCredentials { words };
        let provider = self
            .config
            .credentials_provider()
            .ok_or_else(|| refused("none are configured".to_owned()))?;
        let found = self.driver.wait(async move {
            tokio::time::timeout(CREDENTIALS_TIME, provider.provide_credentials()).await
        });
        match found {
            Ok(Ok(Ok(credentials))) => Ok(shown(&credentials)),
            Ok(Ok(Err(error))) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                Err(refused(format!("{error}{}", cause.unwrap_or_default())))
            }
            Ok(Err(_)) => Err(refused(format!(
                "no answer within {} s",
                CREDENTIALS_TIME.as_secs()
            ))),
            Err(_) => Err(SessionError::Lost),
        }
    }

    /// The same session with another region.
    #[must_use]
    pub fn in_region(&self, region: &cloud::Region) -> Self {
        let config = self.config.to_builder();
        Self {
            config: config
                .region(Region::new(region.as_str().to_owned()))
                .build(),
            region: region.to_string(),
            ..self.clone()
        }
    }

    /// Runs a call and waits for it.
    pub(crate) fn call<T, F>(&self, action: &'static str, work: F) -> Result<T, CloudError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CloudError>> + Send + 'static,
    {
        self.driver
            .wait(work)
            .unwrap_or_else(|Lost| Err(fault::no_answer(action, "the call ended without a result")))
    }

    pub(crate) fn driver(&self) -> Arc<Driver> {
        Arc::clone(&self.driver)
    }

    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    pub(crate) fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config)
    }

    pub(crate) fn service_quotas(&self) -> aws_sdk_servicequotas::Client {
        aws_sdk_servicequotas::Client::new(&self.config)
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    /// Emulators have no name for each bucket.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.endpoint.is_some())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

/// The end of the key's id, which tells keys apart and gives nothing away.
fn shown(credentials: &Credentials) -> String {
    let id = credentials.access_key_id();
    let end: String = id.chars().skip(id.len().saturating_sub(4)).collect();
    let kind = match credentials.session_token() {
        Some(_) => "temporary",
        None => "long-lived",
    };
    format!("a {kind} key that ends in {end}")
}

async fn load(settings: Settings) -> SdkConfig {
    let mut profile_region = ProfileFileRegionProvider::builder();
    if let Some(profile) = &settings.profile {
        profile_region = profile_region.profile_name(profile);
    }
    // The metadata service is not asked for a region: on a workstation that is seconds of waiting.
    let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile_region.build());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(
            HttpBuilder::new()
                .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
                .build_https(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_PAUSE)
                .with_max_backoff(LAST_PAUSE),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIME)
                .operation_attempt_timeout(ATTEMPT_TIME)
                .build(),
        );
    if let Ok(name) = AppName::new(concat!("attested-ceremony-", env!("CARGO_PKG_VERSION"))) {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(emulator) = settings.emulator {
        loader = loader
            .endpoint_url(emulator)
            .credentials_provider(Credentials::new("test", "test", None, None, "emulator"));
    }
    loader.load().await
}

/// `us-east-1`, `us-gov-west-1`: what may become part of a host name.
fn is_region(text: &str) -> bool {
    text.len() <= 32
        && text.contains('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Why no session can be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No region, or one that cannot be.
    #[error("no AWS region is chosen")]
    NoRegion,
    /// Nobody gives credentials.
    #[error("no AWS credentials: {words}")]
    NoCredentials {
        /// What was tried, and how it ended.
        words: String,
    },
    /// The threads for calls cannot be started.
    #[error("no threads for calls to AWS")]
    Threads(#[source] io::Error),
    /// The work ended without a result.
    #[error("a call to AWS ended without a result")]
    Lost,
}

impl SessionError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRegion => "aws_no_region",
            Self::NoCredentials { .. } => "aws_no_credentials",
            Self::Threads(_) => "aws_threads",
            Self::Lost => "aws_lost",
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRegion => Some("set AWS_REGION, or `region` in the profile, or give --region"),
            Self::NoCredentials { .. } => Some(
                "run `aws configure` or `aws sso login`, or set AWS_PROFILE; without any of them AWS cannot be used",
            ),
            Self::Threads(_) | Self::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regions_become_part_of_a_host_name() {
        for region in [
            "us-east-1",
            "us-gov-west-1",
            "ap-southeast-2",
            "eusc-de-east-1",
        ] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "us",
            "us-east-1.evil.example",
            "-a",
            "a-",
            "us-east-1/x",
            "US-EAST-1",
        ] {
            assert!(!is_region(text), "{text:?}");
        }
    }

    #[test]
    fn a_session_of_an_emulator_has_credentials_and_a_region() {
        let session = Session::open(&Settings {
            region: Some("eu-central-1".to_owned()),
            profile: None,
            emulator: Some("http://127.0.0.1:1".to_owned()),
        })
        .unwrap();
        assert_eq!(session.region(), "eu-central-1");
        assert_eq!(session.endpoint(), Some("http://127.0.0.1:1"));
        assert_eq!(
            session.find_credentials().unwrap(),
            "a long-lived key that ends in test"
        );
    }
}
