//! The least that a store of files could do: the system calls alone, without a runtime, checks or a head.
//!
//! A ratio to these is what a reader can carry to another machine; a time is not.

use std::fs::{self, File};
use std::io::{Read, Result, Write};
use std::path::PathBuf;

use tempfile::TempDir;

/// A directory of bare files.
#[derive(Debug)]
pub struct Limit {
    directory: TempDir,
}

impl Limit {
    /// Returns an empty directory.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self { directory: tempfile::tempdir()? })
    }

    /// Opens a file, asks for its length, reads it and closes it.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let mut file = File::open(self.path(name))?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Creates a file that is not there, writes it and closes it.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn create(&self, name: &str, bytes: &[u8]) -> Result<()> {
        File::create_new(self.path(name))?.write_all(bytes)
    }

    /// Writes a temporary file and renames it over another.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let temporary = self.path("temporary");
        File::create(&temporary)?.write_all(bytes)?;
        fs::rename(temporary, self.path(name))
    }

    /// Asks whether a file is there.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn contains(&self, name: &str) -> Result<bool> {
        fs::exists(self.path(name))
    }

    /// Returns how many files there are, by listing them.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn list(&self) -> Result<usize> {
        fs::read_dir(self.directory.path())?.try_fold(0, |count, entry| entry.map(|_| count + 1))
    }

    /// Deletes a file, if it is there.
    ///
    /// # Errors
    ///
    /// Those of the system call, but that it is not there.
    pub fn delete_if_there(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_was_written() {
        let limit = Limit::new().expect("a directory");
        limit.create("a", b"one").expect("created");
        limit.replace("a", b"two").expect("replaced");
        assert_eq!(limit.read("a").expect("read"), b"two");
        assert!(limit.contains("a").expect("asked"));
        assert_eq!(limit.list().expect("listed"), 1);
        limit.delete_if_there("a").expect("deleted");
        assert!(!limit.contains("a").expect("asked"));
    }
}
