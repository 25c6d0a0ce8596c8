//! Why a bundle was not published, or not as it should be.

use cloud::KeyError;
use manifest::report::HrefError;

use crate::exit::Exit;

/// Why a bundle was not published, or not as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The bundle did not pass.
    #[error("nothing was published: the bundle is not verified")]
    NotVerified {
        /// How the verification ended.
        exit: Exit,
    },
    /// The bundle is a simulation, and that was not asked for.
    #[error("nothing was published: the ceremony is SIMULATED")]
    Simulated,
    /// A file of the bundle has a name that no object can have.
    #[error("nothing was published: {path} cannot be the name of an object")]
    Name {
        /// Path at the destination.
        path: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A file of the bundle is not any more what was verified.
    #[error("nothing was published: {path} was changed after it was verified")]
    Changed {
        /// Path in the bundle.
        path: String,
    },
    /// Something else has the name.
    #[error("{name} is at the destination already, with other bytes; nothing there was replaced")]
    Taken {
        /// The object.
        name: String,
    },
    /// What came back is not what was written.
    #[error("{name} was written, and came back with other bytes")]
    Altered {
        /// The object.
        name: String,
    },
    /// The public address shows something else.
    #[error("{url} gives other bytes than were published")]
    Public {
        /// The address.
        url: String,
    },
    /// A signed link is not one for a page.
    #[error("the signed link to {name} is refused")]
    Link {
        /// The object.
        name: String,
        /// What is wrong with it.
        source: HrefError,
    },
    /// A signed link does not say what was asked for.
    #[error("the signed link to {name} is not for this object and this time alone: {what}")]
    LinkForm {
        /// The object.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl PublishError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotVerified { .. } => "publish_not_verified",
            Self::Simulated => "publish_simulated",
            Self::Name { .. } => "publish_name",
            Self::Changed { .. } => "publish_changed",
            Self::Taken { .. } => "publish_taken",
            Self::Altered { .. } => "publish_altered",
            Self::Public { .. } => "publish_public",
            Self::Link { source, .. } => source.code(),
            Self::LinkForm { .. } => "publish_link",
        }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotVerified { exit } => *exit,
            Self::Simulated => Exit::Usage,
            Self::Public { .. } => Exit::False,
            _ => Exit::Incomplete,
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotVerified { .. } => {
                "the checklist above says what does not hold, or what it needs to be checked"
            }
            Self::Simulated => {
                "add --simulated if it is meant: every name and the page will say SIMULATED"
            }
            Self::Name { .. } => "add --release: it packs the bundle into one archive",
            Self::Changed { .. } => "leave the bundle alone while it is published, and repeat",
            Self::Taken { .. } => "publish to a place of its own: another folder, another prefix",
            Self::Altered { .. } => {
                "do not hand out this place; remove it, or publish to another, and look for who changes it"
            }
            Self::Public { .. } => {
                "everything is at the destination; the address is that of another place, or something between changes or keeps old files"
            }
            Self::Link { .. } | Self::LinkForm { .. } => return None,
        })
    }
}
