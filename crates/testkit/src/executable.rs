//! Programs that a test makes for itself.

use std::io;
use std::path::Path;
use std::process::Command;

/// Makes the file at `path` a program, as a copy that another process writes.
///
/// A file that this process has written cannot always be run at once: a child that another thread starts in that
/// moment holds its descriptor until its own `exec`, and running it is refused with `ETXTBSY` as long.
///
/// # Errors
/// The copy could not be made.
pub fn make_executable(path: &Path) -> io::Result<()> {
    let status = Command::new("sh")
        .args([
            "-c",
            r#"cp "$1" "$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1""#,
        ])
        .arg("sh")
        .arg(path)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{}: {status}", path.display())))
    }
}
