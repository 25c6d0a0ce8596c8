//! The cloud that was chosen on the command line.
//!
//! The AWS SDKs are behind the feature `aws`. Built without it, everything that needs no cloud is there, and
//! whatever needs one says so.

use manifest::report::Href;

use crate::cli::CloudArgs;
use crate::clouds::{Clouds, OpenCloud};
use crate::error::CliError;

/// Why there is no provider.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The program has no SDKs in it.
    #[error("this build has no support for AWS")]
    NotBuilt,
    /// The session cannot be opened.
    #[error("AWS cannot be used")]
    #[cfg(feature = "aws")]
    Session(#[from] aws::SessionError),
}

impl ProviderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotBuilt => "aws_not_built",
            #[cfg(feature = "aws")]
            Self::Session(error) => error.code(),
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotBuilt => Some("build controller with --features aws".to_owned()),
            #[cfg(feature = "aws")]
            Self::Session(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Credentials, region and connections; nobody is asked yet.
#[cfg(feature = "aws")]
pub(crate) fn session(args: &CloudArgs) -> Result<aws::Session, ProviderError> {
    Ok(aws::Session::open(&aws::Settings {
        region: args.region.clone(),
        profile: args.profile.clone(),
        emulator: None,
    })?)
}

/// AWS, as the command line and the environment say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws;

impl Clouds for Aws {
    #[cfg(feature = "aws")]
    fn open(&self, args: &CloudArgs) -> Result<OpenCloud, CliError> {
        let session = session(args)?;
        let region: cloud::Region = session.region().parse().map_err(saga::SagaError::from)?;
        Ok(OpenCloud {
            account: Box::new(aws::AwsAccount::new(session)),
            region,
            clock: Box::new(cloud::SystemClock),
            pace: saga::Pace::default(),
        })
    }

    #[cfg(not(feature = "aws"))]
    fn open(&self, _args: &CloudArgs) -> Result<OpenCloud, CliError> {
        Err(ProviderError::NotBuilt.into())
    }

    #[cfg(feature = "aws")]
    fn shelf(&self, args: &CloudArgs, to: &str) -> Result<Box<dyn cloud::Shelf>, CliError> {
        let location: aws::S3Location = to.parse().map_err(|error: aws::LocationError| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            CliError::Usage {
                what: format!(
                    "{to} cannot be published to: {error}{}",
                    cause.unwrap_or_default()
                ),
                hint: Some("name it as s3://BUCKET/PREFIX"),
            }
        })?;
        Ok(Box::new(aws::S3Store::new(&session(args)?, location)))
    }

    #[cfg(not(feature = "aws"))]
    fn shelf(&self, _args: &CloudArgs, _to: &str) -> Result<Box<dyn cloud::Shelf>, CliError> {
        Err(ProviderError::NotBuilt.into())
    }

    fn get(&self, url: &Href, limit: usize) -> Result<Vec<u8>, String> {
        crate::web::get(url, limit)
    }
}
