//! A page of signed links: written here, for the people it is handed to, and nowhere else.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use cloud::{ObjectKey, Shelf, Timestamp};
use manifest::report::Href;

use super::error::PublishError;
use super::goods::Goods;
use crate::error::CliError;

/// What a signed link holds besides the object's address; the last two may be absent.
const FIELDS: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "x-id",
];
const DEMANDED: usize = 6;

/// The report page with signed links. Has no `Debug`: whoever has the text can read everything.
pub(super) struct SignedPage(String);

impl SignedPage {
    /// Signs a link to everything, for so many hours.
    pub(super) fn new(
        shelf: &dyn Shelf,
        goods: &Goods,
        hours: u16,
        now: Timestamp,
    ) -> Result<Self, CliError> {
        let lifetime = Duration::from_hours(u64::from(hours));
        let mut failed = None;
        let links = goods.links(|item| {
            let name = || item.key.to_string();
            let refused = |what| PublishError::LinkForm { name: name(), what };
            match shelf.presign(&item.key, lifetime) {
                Ok(Some(url)) => signed(url.reveal(), &item.key, lifetime),
                Ok(None) => Err(refused("this place has no signed links")),
                Err(error) => {
                    failed = Some(error);
                    Err(refused("it was not made"))
                }
            }
        });
        let mut links = match (links, failed) {
            (_, Some(error)) => return Err(error.into()),
            (links, None) => links?,
        };
        links.until_ms = Some(now.after(lifetime).0.saturating_mul(1000));
        Ok(Self(goods.page(&links)?))
    }

    /// Writes the page into a new file that only its owner can read.
    pub(super) fn write(self, path: &Path) -> Result<(), CliError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        file.and_then(|mut file| {
            file.write_all(self.0.as_bytes())?;
            file.sync_all()
        })
        .map_err(|source| CliError::File {
            action: "write",
            path: path.into(),
            source,
        })
    }
}

/// The link, if it reads this object, ends as it should, and says nothing else.
fn signed(url: &str, key: &ObjectKey, lifetime: Duration) -> Result<Href, PublishError> {
    let name = || key.to_string();
    let refused = |what| PublishError::LinkForm { name: name(), what };
    let href = Href::https(url).map_err(|source| PublishError::Link {
        name: name(),
        source,
    })?;
    let (address, query) = url.split_once('?').ok_or_else(|| refused("no signature"))?;
    // The only character of a key that a signed address encodes.
    let key = key.as_str().replace('@', "%40");
    if !address.ends_with(&format!("/{key}")) {
        return Err(refused("another object"));
    }
    let mut seen = BTreeSet::new();
    for field in query.split('&') {
        let (field, value) = field.split_once('=').unwrap_or((field, ""));
        if !FIELDS.contains(&field) || !seen.insert(field) {
            return Err(refused("an unknown or repeated field"));
        }
        let fits = match field {
            "X-Amz-Algorithm" => value == "AWS4-HMAC-SHA256",
            "X-Amz-Expires" => value == lifetime.as_secs().to_string(),
            "X-Amz-SignedHeaders" => value == "host",
            "X-Amz-Signature" => value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()),
            "x-id" => value == "GetObject",
            _ => true,
        };
        if !fits {
            return Err(refused("a field with another value"));
        }
    }
    let mut demanded = FIELDS.iter().take(DEMANDED);
    if demanded.any(|field| !seen.contains(field)) {
        return Err(refused("a field is missing"));
    }
    Ok(href)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "https://b.s3.eu-central-1.amazonaws.com/a/final.zkey?x-id=GetObject&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261126%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261126T120000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn check(url: &str) -> Result<Href, PublishError> {
        signed(url, &"final.zkey".parse().unwrap(), Duration::from_hours(1))
    }

    #[test]
    fn r52_a_signed_link_reads_one_object_for_the_time_that_was_asked_for() {
        assert_eq!(check(GOOD).unwrap().reveal(), GOOD);
        let with_token = format!("{GOOD}&X-Amz-Security-Token=abc");
        assert!(check(&with_token).is_ok());
        for (from, to, code) in [
            ("https:", "http:", "link_scheme"),
            ("/a/final.zkey", "/a/other.zkey", "publish_link"),
            ("/a/final.zkey", "/a-final.zkey", "publish_link"),
            ("Expires=3600", "Expires=36000", "publish_link"),
            ("Expires=3600", "Expires=", "publish_link"),
            ("&X-Amz-Expires=3600", "", "publish_link"),
            (
                "&X-Amz-Expires=3600",
                "&X-Amz-Expires=3600&X-Amz-Expires=3600",
                "publish_link",
            ),
            (
                "SignedHeaders=host",
                "SignedHeaders=host%3Bx",
                "publish_link",
            ),
            ("x-id=GetObject", "x-id=PutObject", "publish_link"),
            (
                "x-id=GetObject",
                "response-content-type=text%2Fhtml",
                "publish_link",
            ),
            ("HMAC-SHA256", "NONE", "publish_link"),
            ("Signature=0", "Signature=", "publish_link"),
            ("Signature=0", "Signature=\"", "link_character"),
            ("?", "#?", "link_character"),
        ] {
            let url = GOOD.replacen(from, to, 1);
            assert_ne!(url, GOOD, "{from}");
            let error = check(&url).unwrap_err();
            assert_eq!(error.code(), code, "{from} -> {to}");
            assert!(!format!("{error:?}{error}").contains("0123456789abcdef"));
        }
        let scoped = GOOD.replace("final.zkey", "circuit/%40scope/x.circom");
        let key = "circuit/@scope/x.circom".parse().unwrap();
        assert!(signed(&scoped, &key, Duration::from_hours(1)).is_ok());
        let (address, _) = GOOD.split_once('?').unwrap();
        assert_eq!(check(address).unwrap_err().code(), "publish_link");
    }
}
