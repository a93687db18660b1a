//! The whole suite over the file backend as the facade composes it.
#![cfg(all(feature = "file", feature = "msgpack"))]

use larder::{BoxError, CacheKey, FileBackend, async_trait};
use larder_conformance::{Fixture, Instance};
use tempfile::TempDir;

/// A directory that is gone with the fixture, and how it is opened.
struct Directory(TempDir, fn(FileBackend) -> FileBackend);

#[async_trait]
impl Fixture for Directory {
    async fn open(&self) -> Result<Instance, BoxError> {
        let cache = self.1(FileBackend::new(self.0.path().join("http_cache"))).open().await?;
        Ok(Instance::new(cache.responses().clone(), cache.redirects().clone()))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        Ok(std::fs::read(self.entry(key))?)
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        Ok(std::fs::write(self.entry(key), bytes)?)
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        for name in ["redirects.sqlite", "redirects.sqlite-wal"] {
            let path = self.0.path().join("http_cache").join(name);
            if path.exists() {
                std::fs::write(path, b"nothing that SQLite would have written".repeat(100))?;
            }
        }
        Ok(())
    }
}

impl Directory {
    fn entry(&self, key: &CacheKey) -> std::path::PathBuf {
        self.0.path().join("http_cache/responses").join(key.as_str())
    }
}

fn directory(configure: fn(FileBackend) -> FileBackend) -> Directory {
    Directory(TempDir::new().expect("a temporary directory"), configure)
}

larder_conformance::backend_tests! {
    fixture: || directory(|backend| backend),
}

/// The tier as it is put in front by an option.
#[cfg(feature = "tier")]
mod with_a_memory_tier {
    use super::*;

    larder_conformance::backend_tests! {
        fixture: || directory(|backend| backend.memory_tier(16 << 20)),
        skip: [
            sharing: "what another instance did is seen a second later",
            corruption: "the fixture does not reach what is in memory",
        ],
    }
}
