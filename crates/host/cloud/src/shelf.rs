//! Stores whose objects are for people.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::{ObjectKey, ObjectStore, StoreError};

/// A store that browsers read from.
pub trait Shelf: ObjectStore {
    /// As [`copy_file_if_absent`](ObjectStore::copy_file_if_absent), with the type that browsers are told.
    fn put_for_people(
        &self,
        key: &ObjectKey,
        file: &Path,
        content_type: &str,
    ) -> Result<(), StoreError>;

    /// A link that lets whoever has it read one object until `lifetime` is over; `None` where a store has no
    /// such links. Makes no call.
    fn presign(
        &self,
        key: &ObjectKey,
        lifetime: Duration,
    ) -> Result<Option<PresignedUrl>, StoreError>;
}

/// A link with a signature in it. Whoever has it can read the object, so it is not in `Debug` output and
/// has no `Display`: who shows it says so.
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// A link as a service made it.
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The link itself, to hand to a person. Never into a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.0.split('?').next().unwrap_or_default();
        write!(f, "PresignedUrl({public}?…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r52_the_signature_of_a_link_is_not_in_debug_output() {
        let url = PresignedUrl::new("http://b/k?X-Amz-Signature=secret".to_owned());
        let text = format!("{url:?}");
        assert!(
            !text.contains("X-Amz-Signature") && !text.contains("secret"),
            "{text}"
        );
        assert!(url.reveal().ends_with("secret"));
    }
}
