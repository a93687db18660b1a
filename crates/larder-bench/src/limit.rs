//! The least that a store of files could do: the system calls alone, without a runtime, checks or a head.
//!
//! A ratio to these is what a reader can carry to another machine; a time is not.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use larder_core::{BoxError, CacheKey};
use tempfile::TempDir;

use crate::{Contender, Survives, Terms};

/// How long a buffer is that is used again at least; the allocator has shorter ones at hand.
const LONG: usize = 64 << 10;
/// What the addresses of shorter buffers are multiples of, and of longer ones.
const LINE: usize = 64;
const PAGE: usize = 4096;

/// Buffers that nobody reads any more; as many as there were readers at one time.
type Buffers = Arc<Mutex<Vec<Vec<u8>>>>;

/// A directory of bare files.
#[derive(Debug)]
pub struct Limit {
    directory: TempDir,
    /// Whether a contender's writes are whole at any time.
    renames: bool,
    renamed: AtomicUsize,
    /// The long buffers, unless each read is to make its own.
    buffers: Option<Buffers>,
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
        Ok(Self {
            directory: tempfile::tempdir_in(parent)?,
            renames: false,
            renamed: AtomicUsize::new(0),
            buffers: Some(Buffers::default()),
        })
    }

    /// Makes each read return a buffer of its own, as it must for a caller that keeps what was read.
    #[must_use]
    pub fn with_new_buffers(mut self) -> Self {
        self.buffers = None;
        self
    }

    /// Makes a contender whose readers never see half of a write, which a file that is written in place shows.
    #[must_use]
    pub fn renaming(mut self) -> Self {
        self.renames = true;
        self
    }

    /// Opens a file, asks for its length, reads it and closes it.
    ///
    /// The buffer begins at a round address, and was used before if it is long, unless all of them are still held.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn read(&self, name: &str) -> io::Result<Bytes> {
        let mut file = File::open(self.path(name))?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        let Some(buffers) = &self.buffers else {
            let mut bytes = vec![0; len];
            file.read_exact(&mut bytes)?;
            return Ok(bytes.into());
        };
        if len < LONG {
            let (mut bytes, start) = aligned(Vec::new(), len, LINE);
            file.read_exact(&mut bytes[start..])?;
            let mut bytes = Bytes::from(bytes);
            bytes.advance(start);
            return Ok(bytes);
        }
        let kept = buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (bytes, start) = aligned(kept.unwrap_or_default(), len, PAGE);
        let mut buffer = Buffer { bytes, start, by: Arc::clone(buffers) };
        file.read_exact(&mut buffer.bytes[start..])?;
        Ok(Bytes::from_owner(buffer))
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

/// A buffer that goes back when it is dropped.
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    by: Buffers,
}

/// Returns `bytes` with `len` of them from a multiple of `alignment` on, and where that is.
///
/// To an address that is a few bytes further in its page than the file's bytes are in theirs, some processors copy nine
/// times slower.
fn aligned(mut bytes: Vec<u8>, len: usize, alignment: usize) -> (Vec<u8>, usize) {
    if bytes.capacity() < len + alignment - 1 {
        bytes = vec![0; len + alignment - 1];
    }
    let start = bytes.as_ptr().align_offset(alignment).min(alignment - 1);
    bytes.resize(start + len, 0);
    (bytes, start)
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.by.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

#[async_trait]
impl Contender for Limit {
    fn name(&self) -> &'static str {
        if self.buffers.is_some() { "limit" } else { "limit, a new buffer each time" }
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; an interrupted write leaves a torn file",
            survives: Survives::Torn,
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
            read => Ok(Some(read?)),
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
    use crate::body;

    #[test]
    fn files_are_what_was_written() {
        let limit = Limit::new().expect("a directory");
        limit.create("a", b"one").expect("created");
        limit.replace("a", b"two").expect("replaced");
        assert_eq!(limit.read("a").expect("read"), b"two"[..]);
        assert!(limit.contains("a").expect("asked"));
        assert_eq!(limit.list().expect("listed"), 1);
        limit.delete_if_there("a").expect("deleted");
        assert!(!limit.contains("a").expect("asked"));
    }

    #[test]
    fn a_long_buffer_is_used_again_when_nobody_holds_it() {
        let limit = Limit::new().expect("a directory");
        let (one, two) = (body(1, LONG), body(2, LONG + 1));
        limit.create("one", &one).expect("created");
        limit.create("two", &two).expect("created");
        let first = limit.read("one").expect("read");
        let second = limit.read("two").expect("read");
        assert_eq!((&first, &second), (&one, &two));
        let place = first.as_ptr();
        drop(first);
        let again = limit.read("one").expect("read");
        assert_eq!((again.as_ptr(), again), (place, one));
    }
}
