//! The tags by which everything of a run is found again.

use std::collections::BTreeMap;

use crate::{RunId, Timestamp};

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// Key of the tag whose value is the run's id.
pub const RUN: &str = "attested-ceremony-run";
/// Key of the tag whose value is the time (RFC 3339) after which the resource has no business to exist.
pub const EXPIRES_AT: &str = "attested-ceremony-expires-at";

/// The tags of everything that a run makes.
pub fn of_run(run: &RunId, expires_at: Timestamp) -> Tags {
    Tags::from([
        (RUN.to_owned(), run.to_string()),
        (EXPIRES_AT.to_owned(), expires_at.to_string()),
    ])
}

/// The run that made a resource; `None` if it is none of ours.
pub fn run(tags: &Tags) -> Option<RunId> {
    tags.get(RUN)?.parse().ok()
}

/// When the resource has no business to exist any more; `None` if no time can be read.
pub fn expires_at(tags: &Tags) -> Option<Timestamp> {
    tags.get(EXPIRES_AT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_back_from_its_tags() {
        let id: RunId = "run-0123456789abcdef".parse().unwrap();
        let tags = of_run(&id, Timestamp(1_795_694_400));
        assert_eq!(run(&tags), Some(id));
        assert_eq!(expires_at(&tags), Some(Timestamp(1_795_694_400)));
        let foreign = Tags::from([(RUN.to_owned(), "../x".to_owned())]);
        assert_eq!(run(&foreign), None);
        assert_eq!(expires_at(&foreign), None);
    }
}
