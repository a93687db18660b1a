//! The lock file beside the database, which orders opening, creating and setting aside.
//!
//! It is never deleted. It stands apart from the database because closing any descriptor of a file drops all POSIX
//! locks that the process has on it, those of SQLite included.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::busy;
use crate::error::Cause;
use crate::files::{self, Identity};

/// An exclusive hold of the lock file; dropping it releases it.
#[derive(Debug)]
pub(crate) struct DatabaseLock(
    #[expect(dead_code, reason = "held for its lock, which closing it releases")] File,
);

impl DatabaseLock {
    /// Waits for the lock of the database at `path`, until the deadline of the operation.
    ///
    /// Creates the directory if it is missing.
    pub(crate) fn acquire(path: &Path) -> Result<Self, Cause> {
        let path = files::with_suffix(path, ".lock");
        let mut attempts = 0;
        loop {
            let file = open(&path)?;
            match file.try_lock() {
                // The directory may have been removed and made again since the file was opened; the lock is then
                // one that nobody else looks at.
                Ok(()) if is_at(&file, &path) => return Ok(Self(file)),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(Cause::file("lock", &path, error)),
            }
            if !busy::wait(attempts) {
                return Err(Cause::Locked { path });
            }
            attempts = attempts.saturating_add(1);
        }
    }
}

fn open(path: &Path) -> Result<File, Cause> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    files::private(&mut options);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::create_directory(&directory(path))?;
            options.open(path)
        }
        result => result,
    }
    .map_err(|error| Cause::file("open", path, error))?;
    files::make_private(&file).map_err(|error| Cause::file("restrict", path, error))?;
    Ok(file)
}

fn directory(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).to_owned()
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    Identity::of(&held) == Identity::of(&named)
}
