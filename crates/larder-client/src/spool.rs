//! Bytes of a body that some reader has not taken yet and that memory has no room for.
//!
//! The file has no name, so that nothing is left of it whatever is killed when.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The most that one read returns, in bytes.
const READ_LEN: u64 = 256 << 10;

/// A range of a body, in a temporary file.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    file: Arc<Mutex<File>>,
    /// Where in the body the file begins.
    base: u64,
}

impl Spool {
    /// Returns an empty spool for what comes at `base` of the body, and after.
    pub(crate) async fn create(base: u64) -> io::Result<Self> {
        let file = blocking(tempfile::tempfile).await?;
        Ok(Self { file: Arc::new(Mutex::new(file)), base })
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Writes `chunks`, of which the first begins at `position` of the body.
    pub(crate) async fn write(&self, position: u64, chunks: Vec<Bytes>) -> io::Result<()> {
        let spool = self.clone();
        blocking(move || {
            let mut file = spool.seek(position)?;
            chunks.iter().try_for_each(|chunk| file.write_all(chunk))
        })
        .await
    }

    /// Returns bytes of the body from `position` on, at most up to `end`, which must have been written.
    pub(crate) async fn read(&self, position: u64, end: u64) -> io::Result<Bytes> {
        let spool = self.clone();
        blocking(move || {
            let mut bytes = vec![0; usize::try_from((end - position).min(READ_LEN)).unwrap_or(usize::MAX)];
            spool.seek(position)?.read_exact(&mut bytes)?;
            Ok(bytes.into())
        })
        .await
    }

    /// Locks the file with its cursor at `position` of the body.
    fn seek(&self, position: u64) -> io::Result<std::sync::MutexGuard<'_, File>> {
        // Whoever panicked under the lock left at most the cursor elsewhere, and every use sets it.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(position - self.base))?;
        Ok(file)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
