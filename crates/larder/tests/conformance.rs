//! The whole suite over the file backend as the facade composes it.
#![cfg(all(feature = "file", feature = "msgpack"))]

use larder::{BoxError, CacheKey, FileBackend, async_trait};
use larder_conformance::{Fixture, Instance};
use tempfile::TempDir;

/// A directory that is gone with the fixture.
struct Directory(TempDir);

#[async_trait]
impl Fixture for Directory {
    async fn open(&self) -> Result<Instance, BoxError> {
        let cache = FileBackend::new(self.0.path().join("http_cache")).open().await?;
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

larder_conformance::backend_tests! {
    fixture: || Directory(TempDir::new().expect("a temporary directory")),
}
