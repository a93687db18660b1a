//! The conformance suite on the tier: over memory, over files, with every hit checked and without.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use larder_conformance::{Fixture, Instance};
use larder_core::{BoxError, CacheKey, ResponseStore, async_trait};
use larder_file::FileStore;
use larder_memory::{MemoryRedirects, MemoryStore};
use larder_tier::MemoryTier;
use tempfile::TempDir;

fn tier(store: Arc<dyn ResponseStore>, staleness: Duration) -> Result<Arc<MemoryTier>, BoxError> {
    Ok(Arc::new(MemoryTier::builder(store).max_staleness(staleness).build()?))
}

struct Memory(Duration);

#[async_trait]
impl Fixture for Memory {
    async fn open(&self) -> Result<Instance, BoxError> {
        Ok(Instance::new(tier(Arc::new(MemoryStore::new()), self.0)?, Arc::new(MemoryRedirects::new())))
    }
}

struct Files {
    dir: TempDir,
    staleness: Duration,
    opened: Mutex<Vec<Arc<MemoryTier>>>,
}

impl Files {
    fn new(staleness: Duration) -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), staleness, opened: Mutex::default() }
    }

    fn entry(&self, key: &CacheKey) -> PathBuf {
        self.dir.path().join("cache/responses").join(key.as_str())
    }
}

#[async_trait]
impl Fixture for Files {
    async fn open(&self) -> Result<Instance, BoxError> {
        let store = FileStore::builder(self.dir.path().join("cache"), larder_codec::default_codecs());
        let tier = tier(Arc::new(store.open().await?), self.staleness)?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&tier));
        Ok(Instance::responses_only(tier))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        Ok(std::fs::read(self.entry(key))?)
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        std::fs::write(self.entry(key), bytes)?;
        // Memory does not show what became of the file, which is what the case is about.
        for tier in self.opened.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            tier.forget();
        }
        Ok(())
    }
}

mod over_memory {
    use super::*;

    larder_conformance::backend_tests! {
        fixture: || Memory(Duration::from_secs(1)),
        skip: [
            sharing: "each instance has a memory of its own",
            durability: "it keeps nothing once it is dropped",
            corruption: "there are no stored bytes",
        ],
    }
}

mod over_memory_for_ever {
    use super::*;

    larder_conformance::backend_tests! {
        fixture: || Memory(Duration::MAX),
        skip: [
            sharing: "each instance has a memory of its own",
            durability: "it keeps nothing once it is dropped",
            corruption: "there are no stored bytes",
        ],
    }
}

mod over_files {
    use super::*;

    larder_conformance::backend_tests! {
        fixture: || Files::new(Duration::from_secs(1)),
        skip: [
            redirects: "a tier is of responses",
            sharing: "what another instance did is seen a second later",
        ],
    }
}

mod over_files_checked_always {
    use super::*;

    larder_conformance::backend_tests! {
        fixture: || Files::new(Duration::ZERO),
        skip: [redirects: "a tier is of responses"],
    }
}
