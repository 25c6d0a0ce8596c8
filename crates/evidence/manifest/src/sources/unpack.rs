//! Writing a bundle's files to a folder made for them.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::{SourceBundle, SourcesError};

impl SourceBundle {
    /// Writes all files below `folder`, which must not exist yet and whose parent must.
    ///
    /// The paths were checked when the bundle was made, the folder is new and every file is opened
    /// with "must not exist", so nothing outside it can be reached. On an error what was written
    /// stays: the caller owns the folder.
    pub fn unpack(&self, folder: &Path) -> Result<(), SourcesError> {
        fs::create_dir(folder).map_err(|source| {
            if source.kind() == std::io::ErrorKind::AlreadyExists {
                SourcesError::FolderExists {
                    path: folder.to_owned(),
                }
            } else {
                write_error(folder, source)
            }
        })?;
        for file in self.files() {
            let mut path = folder.to_owned();
            path.extend(file.path().components());
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|source| write_error(parent, source))?;
            }
            fs::File::create_new(&path)
                .and_then(|mut out| out.write_all(file.content()))
                .map_err(|source| write_error(&path, source))?;
        }
        Ok(())
    }
}

fn write_error(path: &Path, source: std::io::Error) -> SourcesError {
    SourcesError::Write {
        path: path.to_owned(),
        source,
    }
}
