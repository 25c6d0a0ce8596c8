//! `controller publish`: a bundle for everybody, in a bucket or a folder.
//!
//! The bundle is verified first; then every name at the destination is looked at before anything is written;
//! then everything is written, the list of digests last, and each file is read back and compared; then the public
//! address is asked, if there is one.

mod archive;
mod error;
mod goods;
mod links;
mod place;
mod public;

use std::path::{Path, PathBuf};

use cloud::{Clock, FolderStore, SystemClock};
use manifest::report::Href;

pub use self::error::PublishError;
use self::goods::Goods;
use self::links::SignedPage;
use self::place::Put;
use self::public::Found;
use super::verify as verifying;
use crate::cli::{Depth, PublishArgs};
use crate::clouds::Clouds;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// What every address of a bucket begins with.
const BUCKET: &str = "s3://";

/// Publishes.
pub(super) fn run(
    args: &PublishArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let bundle = &args.verify.bundle;
    check_usage(args)?;
    let public = args.public.as_deref().map(public_base).transpose()?;
    let bucket = if args.to.starts_with(BUCKET) {
        Some(clouds.shelf(&args.cloud, &args.to)?)
    } else {
        None
    };
    let exit = verifying::run(&args.verify, printer)?;
    let scratch = verifying::Scratch::new()?;
    let goods = Goods::collect(bundle, args.release, exit, &scratch)?;
    admit(exit, goods.simulated, args.simulated)?;
    let put = if let Some(bucket) = bucket {
        let put = place::put(&goods, &*bucket, printer)?;
        if let (Some(hours), Some(page)) = (args.link_hours, &args.page) {
            SignedPage::new(&*bucket, &goods, hours, SystemClock.now())?.write(page)?;
        }
        put
    } else {
        let folder = FolderStore::open(&args.to)?;
        let put = place::put(&goods, &folder, printer);
        folder.tidy()?;
        put?
    };
    let public = match &public {
        None => None,
        Some(base) => Some((base, public::look(clouds, base, &goods)?)),
    };
    say(args, &goods, put, public.as_ref(), printer);
    Ok(exit)
}

fn check_usage(args: &PublishArgs) -> Result<(), CliError> {
    let usage = |what: &str, hint| {
        Err(CliError::Usage {
            what: what.to_owned(),
            hint: Some(hint),
        })
    };
    let bundle = &args.verify.bundle;
    if verifying::holds_several(bundle)? {
        return usage(
            "the folder holds several bundles",
            "publish each by itself, to a place of its own",
        );
    }
    if args.verify.depth == Depth::Attestation {
        return usage(
            "--depth attestation does not look at the files that would be published",
            "leave --depth out, or take --depth full",
        );
    }
    let in_bucket = args.to.starts_with(BUCKET);
    if !in_bucket && args.to.contains("://") {
        return usage(
            "the destination is neither a bucket nor a folder",
            "name it as s3://BUCKET/PREFIX, or name a folder",
        );
    }
    if args.link_hours.is_some() && !in_bucket {
        return usage(
            "only objects of a bucket have links that end",
            "leave --link-hours out, or name s3://BUCKET/PREFIX",
        );
    }
    if args.page.as_ref().is_some_and(|page| page.exists()) {
        return usage(
            "the file for the page of links exists",
            "name another with --page: links that end are not written over each other",
        );
    }
    if !in_bucket && is_inside(Path::new(&args.to), bundle) {
        return usage(
            "the destination is inside of the bundle",
            "name a folder elsewhere: a bundle holds its own files and no others",
        );
    }
    Ok(())
}

/// Whether `to`, which may not exist yet, lies in `bundle`.
fn is_inside(to: &Path, bundle: &Path) -> bool {
    let Ok(bundle) = bundle.canonicalize() else {
        return false;
    };
    let absolute = std::path::absolute(to).unwrap_or_else(|_| PathBuf::from(to));
    absolute
        .ancestors()
        .find_map(|there| there.canonicalize().ok())
        .is_some_and(|there| there.starts_with(&bundle))
}

/// The address under which the destination can be read, with a `/` at its end.
fn public_base(text: &str) -> Result<Href, CliError> {
    let with_slash = format!("{}/", text.trim_end_matches('/'));
    match Href::https(&with_slash) {
        Ok(href) if !with_slash.contains('?') => Ok(href),
        _ => Err(CliError::Usage {
            what: format!("{text:?} is no address for --public"),
            hint: Some("name it as https://HOST/PATH, without a query"),
        }),
    }
}

/// Only what holds is published, and what is simulated only on request.
fn admit(exit: Exit, simulated: bool, wanted: bool) -> Result<(), PublishError> {
    match exit {
        Exit::Success | Exit::SimulationOnly if simulated && !wanted => {
            Err(PublishError::Simulated)
        }
        Exit::Success | Exit::SimulationOnly => Ok(()),
        exit => Err(PublishError::NotVerified { exit }),
    }
}

fn say(
    args: &PublishArgs,
    goods: &Goods,
    put: Put,
    public: Option<&(&Href, Found)>,
    printer: &Printer,
) {
    let bytes: u64 = goods.items.iter().map(|item| item.size).sum();
    let index = public.map(|(base, _)| format!("{}{}", base.reveal(), goods.index_name()));
    let found = public.map(|(_, found)| found);
    let page = args.page.as_ref().map(|page| page.display().to_string());
    printer.object(&json::Published {
        to: &args.to,
        simulated: goods.simulated,
        files: goods.items.len(),
        bytes,
        written: put.written,
        already: put.already,
        public: index.as_deref(),
        public_read: found.map(|found| *found == Found::AsPublished),
        page: page.as_deref(),
        link_hours: args.link_hours,
    });
    let simulated = if goods.simulated {
        "SIMULATION — "
    } else {
        ""
    };
    printer.result(&format!(
        "{simulated}published to {}: {} files, {}; {} written, {} there already, all read back",
        args.to,
        goods.items.len(),
        words::bytes(bytes),
        put.written,
        put.already
    ));
    if let (Some(index), Some(found)) = (index, found) {
        printer.result(&format!("page: {index} ({})", found.words()));
    }
    if let (Some(page), Some(hours)) = (page, args.link_hours) {
        printer.result(&format!(
            "links for {hours} hours: {page} (whoever has it can read everything)"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_is_published_and_simulations_on_request_only() {
        assert!(admit(Exit::Success, false, false).is_ok());
        assert!(admit(Exit::SimulationOnly, true, true).is_ok());
        for exit in [Exit::Success, Exit::SimulationOnly] {
            let refused = admit(exit, true, false).unwrap_err();
            assert_eq!(refused.code(), "publish_simulated");
        }
        for exit in [
            Exit::False,
            Exit::Incomplete,
            Exit::Interrupted,
            Exit::Usage,
        ] {
            for wanted in [false, true] {
                let refused = admit(exit, wanted, wanted).unwrap_err();
                assert_eq!(refused.code(), "publish_not_verified");
                assert_eq!(refused.exit(), exit);
            }
        }
    }

    #[test]
    fn r52_a_public_address_is_https_without_a_query() {
        for (text, href) in [
            ("https://b.example/public/a", "https://b.example/public/a/"),
            ("https://b.example/a//", "https://b.example/a/"),
        ] {
            assert_eq!(public_base(text).unwrap().reveal(), href);
        }
        for text in [
            "http://b.example/a",
            "https://b.example/a?x",
            "https://user@b.example/a",
            "javascript:alert(1)",
        ] {
            assert_eq!(public_base(text).unwrap_err().exit(), Exit::Usage, "{text}");
        }
    }

    #[test]
    fn a_destination_inside_of_the_bundle_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle");
        std::fs::create_dir_all(bundle.join("circuit")).unwrap();
        for inside in [
            "bundle",
            "bundle/circuit/x",
            "bundle/new/deeper",
            "bundle/../bundle/x",
        ] {
            assert!(is_inside(&folder.path().join(inside), &bundle), "{inside}");
        }
        for outside in ["public", "bundles/a", "bundle.public"] {
            assert!(
                !is_inside(&folder.path().join(outside), &bundle),
                "{outside}"
            );
        }
    }
}
