//! cacache: content by its digest, and an index of keys in files beside it.
//!
//! Its default digest is SHA-256; XXH3 is the fastest that it offers.

use std::path::{Path, PathBuf};

use ::cacache::{Algorithm, Error, RemoveOpts};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use crate::contender::{Contender, Survives, Terms};

/// A cache directory.
pub(super) struct Cacache {
    name: &'static str,
    terms: Terms,
    algorithm: Algorithm,
    directory: PathBuf,
}

impl Cacache {
    pub(super) fn xxh3(directory: &Path) -> Self {
        let verification = "the content, by XXH3; the line of the index, by SHA-256";
        Self::new("cacache, XXH3", verification, Algorithm::Xxh3, directory)
    }

    pub(super) fn sha256(directory: &Path) -> Self {
        let verification = "the content and the line of the index, by SHA-256";
        Self::new("cacache, SHA-256", verification, Algorithm::Sha256, directory)
    }

    fn new(name: &'static str, verification: &'static str, algorithm: Algorithm, directory: &Path) -> Self {
        let terms = Terms {
            durability: "the process's end; a power loss may lose it",
            survives: Survives::Whole,
            verification,
            processes: "many processes",
            in_memory: false,
        };
        Self { name, terms, algorithm, directory: directory.to_owned() }
    }
}

#[async_trait]
impl Contender for Cacache {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        ::cacache::write_with_algo(self.algorithm, &self.directory, key.as_str(), body).await?;
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        match ::cacache::read(&self.directory, key.as_str()).await {
            Ok(body) => Ok(Some(body.into())),
            Err(Error::EntryNotFound(..)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(::cacache::metadata(&self.directory, key.as_str()).await?.is_some())
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        // Without `remove_fully` the content would stay on the disk.
        match RemoveOpts::new().remove_fully(true).remove(&self.directory, key.as_str()).await {
            Ok(()) => Ok(true),
            // Either there is no entry, or its content went with that of another entry, whose bytes were the same.
            Err(error) if is_absent(&error) => {
                let was_there = self.contains(key).await?;
                if was_there {
                    ::cacache::remove(&self.directory, key.as_str()).await?;
                }
                Ok(was_there)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether what was to be deleted was not there.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::IoError(error, _) if error.kind() == std::io::ErrorKind::NotFound)
}
