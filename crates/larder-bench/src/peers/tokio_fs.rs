//! `tokio::fs` as a port of synchronous code would use it: each call of the file system hops to another thread.

use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::contender::{Contender, Survives, Terms};

/// A directory of bare files.
pub(super) struct TokioFs {
    directory: PathBuf,
    temporary: AtomicU64,
}

impl TokioFs {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), temporary: AtomicU64::new(0) }
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        self.directory.join(key.as_str())
    }
}

#[async_trait]
impl Contender for TokioFs {
    fn name(&self) -> &'static str {
        "tokio::fs"
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; a power loss may tear it",
            survives: Survives::Torn,
            verification: "nothing",
            processes: "many processes, of which one writes",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> std::result::Result<(), BoxError> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".{number}"));
        let mut file = File::create_new(&temporary).await?;
        file.write_all(&body).await?;
        // A file of tokio writes behind: without this, an error of the last write would be lost.
        file.flush().await?;
        drop(file);
        fs::rename(temporary, self.path(key)).await?;
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> std::result::Result<Option<Bytes>, BoxError> {
        let Some(mut file) = there(File::open(self.path(key)).await)? else {
            return Ok(None);
        };
        let len = usize::try_from(file.metadata().await?.len())?;
        let mut body = Vec::with_capacity(len);
        file.read_to_end(&mut body).await?;
        Ok(Some(body.into()))
    }

    async fn contains(&self, key: &CacheKey) -> std::result::Result<bool, BoxError> {
        Ok(fs::try_exists(self.path(key)).await?)
    }

    async fn delete(&self, key: &CacheKey) -> std::result::Result<bool, BoxError> {
        Ok(there(fs::remove_file(self.path(key)).await)?.is_some())
    }
}

fn there<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
