//! Powers of tau of exactly the power the circuit needs: from a file, a folder, a URL, or made here.
//!
//! Nothing is used whose digest is not in the compiled-in table of the family that the spec names.
//! The enclave checks the same again; here it is checked so that a wrong file costs seconds.

mod check;
mod download;
mod error;
mod origin;
mod pieces;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::ptau::published::{self, PtauFamily, PublishedPtau};
use manifest::spec::Phase1Family;

use download::Cached;
pub use download::Settings as DownloadSettings;
pub use error::PtauError;
pub use origin::Origin;

use crate::error::AgentError;
use crate::job::{PtauChoice, Task};
use crate::report::Reporter;
use crate::story::Config;

/// The file of the published family for `power`, checked; or a development file.
pub async fn obtain(
    config: &Config,
    task: &Task,
    power: u32,
    reporter: &Arc<Reporter>,
) -> Result<PathBuf, AgentError> {
    let family = match task.spec.phase1_family {
        Phase1Family::Hermez => PtauFamily::Hermez,
        Phase1Family::Ppot0080 => PtauFamily::Ppot0080,
        Phase1Family::Development => {
            let path = config.work.join("development.ptau");
            let reporter = Arc::clone(reporter);
            return tokio::task::spawn_blocking(move || {
                reporter.note("SIMULATION: development powers of tau, anyone knows tau");
                make_development(&path, power, &reporter)?;
                Ok(path)
            })
            .await?;
        }
    };
    let wanted = smallest_sufficient(family, power)?;
    let path = match &task.ptau {
        PtauChoice::Path(path) if path.is_dir() => in_folder(path, wanted.file_name)?,
        PtauChoice::Path(path) => path.clone(),
        PtauChoice::Url(_) | PtauChoice::Published => {
            let origins = origins(config, &task.ptau, wanted)?;
            let settings = DownloadSettings::default();
            let cache = &config.ptau_cache;
            match download::cached(cache, &wanted.into(), &origins, settings, reporter).await? {
                Cached::Fetched(path) => return Ok(path),
                Cached::Found(path) => path,
            }
        }
        PtauChoice::Development => return Err(AgentError::Job { what: "no family" }),
    };
    let reporter = Arc::clone(reporter);
    let checked = tokio::task::spawn_blocking(move || {
        check::published_file(&path, wanted, &*reporter).map(|()| path)
    });
    Ok(checked.await??)
}

/// Who is asked for a file, in this order: the mirror whose reader pays, if the machine has one; the publisher; the user's own
/// mirror. On one machine a user who names a mirror means that one.
fn origins(
    config: &Config,
    choice: &PtauChoice,
    wanted: &PublishedPtau,
) -> Result<Vec<Origin>, PtauError> {
    let mut origins = Vec::new();
    if let Some(store) = &config.ptau_mirror
        && let Ok(key) = format!("ptau/{}", wanted.file_name).parse()
    {
        let store = Arc::clone(store);
        origins.push(Origin::Object { store, key });
    }
    let user = match choice {
        PtauChoice::Url(url) => Some(url.replace("{NN}", &format!("{:02}", wanted.power))),
        _ => None,
    };
    if user.is_none() || config.ptau_mirror.is_some() {
        origins.push(Origin::server(wanted.url)?);
    }
    if let Some(url) = user {
        origins.push(Origin::server(&url)?);
    }
    Ok(origins)
}

/// The one file that a circuit of this power is set up with: the enclave takes no other.
fn smallest_sufficient(
    family: PtauFamily,
    power: u32,
) -> Result<&'static PublishedPtau, PtauError> {
    let of_family = || {
        published::table()
            .iter()
            .filter(move |file| file.family == family)
    };
    of_family()
        .filter(|file| file.power >= power)
        .min_by_key(|file| file.power)
        .ok_or_else(|| {
            let largest = of_family().map(|file| file.power).max().unwrap_or(0);
            PtauError::TooLarge {
                needed: power,
                largest,
            }
        })
}

fn in_folder(folder: &Path, name: &'static str) -> Result<PathBuf, PtauError> {
    let path = folder.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(PtauError::NotInFolder {
            folder: folder.into(),
            name,
        })
    }
}

fn make_development(path: &Path, power: u32, reporter: &Reporter) -> Result<(), PtauError> {
    let failed = |source| PtauError::File {
        path: path.into(),
        source,
    };
    let file = std::fs::File::create(path).map_err(failed)?;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
    devptau::write(power, &mut out, reporter)?;
    std::io::Write::flush(&mut out).map_err(failed)
}
