//! The least that a store of files could do: the system calls alone, without a runtime, checks or a head.
//!
//! A ratio to these is what a reader can carry to another machine; a time is not.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};
use tempfile::TempDir;

use crate::{Contender, Terms};

/// A directory of bare files.
#[derive(Debug)]
pub struct Limit {
    directory: TempDir,
    /// Whether a contender's writes are whole at any time.
    renames: bool,
    renamed: AtomicUsize,
}

impl Limit {
    /// Returns an empty directory.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::within(&std::env::temp_dir())
    }

    /// Returns an empty directory in `parent`.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn within(parent: &Path) -> io::Result<Self> {
        Ok(Self { directory: tempfile::tempdir_in(parent)?, renames: false, renamed: AtomicUsize::new(0) })
    }

    /// Makes a contender whose readers never see half of a write, which a file that is written in place shows.
    #[must_use]
    pub fn renaming(mut self) -> Self {
        self.renames = true;
        self
    }

    /// Opens a file, asks for its length, reads it and closes it.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
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
    pub fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        File::create_new(self.path(name))?.write_all(bytes)
    }

    /// Creates a file or empties the one that is there, writes it and closes it.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        File::create(self.path(name))?.write_all(bytes)
    }

    /// Writes a temporary file and renames it over another.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.renamed.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path(&format!(".{number}"));
        File::create(&temporary)?.write_all(bytes)?;
        fs::rename(temporary, self.path(name))
    }

    /// Asks whether a file is there.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn contains(&self, name: &str) -> io::Result<bool> {
        fs::exists(self.path(name))
    }

    /// Returns how many files there are, by listing them.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn list(&self) -> io::Result<usize> {
        fs::read_dir(self.directory.path())?.try_fold(0, |count, entry| entry.map(|_| count + 1))
    }

    /// Looks at the length and the times of every file.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn list_with_times(&self) -> io::Result<u64> {
        let entries = fs::read_dir(self.directory.path())?;
        entries.map(|entry| entry?.metadata()).try_fold(0, |len, metadata| Ok(len + metadata?.len()))
    }

    /// Opens a file that is not there.
    ///
    /// # Errors
    ///
    /// Those of the system call, but that it is not there.
    pub fn open_absent(&self, name: &str) -> io::Result<()> {
        match File::open(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            opened => opened.map(drop),
        }
    }

    /// Deletes a file, if it is there.
    ///
    /// # Errors
    ///
    /// Those of the system call, but that it is not there.
    pub fn delete_if_there(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

#[async_trait]
impl Contender for Limit {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; an interrupted write leaves a torn file",
            verification: "nothing",
            processes: if self.renames {
                "many processes"
            } else {
                "many processes, which may see half of a write"
            },
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        let write = if self.renames { Self::replace } else { Self::write };
        Ok(write(self, key.as_str(), &body)?)
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        match self.read(key.as_str()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => Ok(Some(Bytes::from(read?))),
        }
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.contains(key.as_str())?)
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        match fs::remove_file(self.path(key.as_str())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => Ok(removed.map(|()| true)?),
        }
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
