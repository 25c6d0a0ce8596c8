//! The address under which anyone reads the place: asked once everything is there.

use formats::digest::Sha256Digest;
use manifest::report::Href;

use super::error::PublishError;
use super::goods::Goods;
use crate::clouds::Clouds;
use crate::words;

/// What was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The page and the list of digests, as they were published.
    AsPublished,
    /// Nothing could be read; why.
    Unread(String),
}

impl Found {
    /// For people, behind the address.
    pub(super) fn words(&self) -> String {
        match self {
            Self::AsPublished => "read there as it was published".to_owned(),
            Self::Unread(why) => format!("NOT READ there: {}", words::one_line(why)),
        }
    }
}

/// Reads the page and the list of digests below `base`.
///
/// # Errors
/// [`PublishError::Public`] if what is read there is something else. An address that gives nothing is no error: it may be
/// one that only others reach, or one that takes a while.
pub(super) fn look(clouds: &dyn Clouds, base: &Href, goods: &Goods) -> Result<Found, PublishError> {
    for item in goods
        .items
        .iter()
        .rev()
        .filter(|item| item.in_bundle.is_none())
    {
        let url = format!("{}{}", base.reveal(), item.key);
        let url = Href::https(&url).map_err(|source| PublishError::Link {
            name: item.key.to_string(),
            source,
        })?;
        // One byte more would be another file.
        let limit = usize::try_from(item.size).unwrap_or(usize::MAX);
        match clouds.get(&url, limit) {
            Ok(bytes) if Sha256Digest::of(&bytes) == item.sha256 => {}
            Ok(_) => {
                return Err(PublishError::Public {
                    url: url.reveal().to_owned(),
                });
            }
            Err(why) => return Ok(Found::Unread(why)),
        }
    }
    Ok(Found::AsPublished)
}
