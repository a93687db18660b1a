//! foyer's hybrid cache, twice: one that answers from memory, and one that answers from its disk alone.
//!
//! It writes behind, and drops what its queue has no room for. So that it does the work that the others do, a write
//! waits for the disk when half of the queue may be in use; blocks are large enough for the largest body.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::foyer::{
    BlockEngineConfig, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder, HybridCachePolicy,
    PsyncIoEngineConfig,
};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use crate::contender::{Contender, Survives, Terms};

/// How much the disk takes at most; blocks are files without content until they are written.
const DISK: usize = 8 << 30;
/// How much memory takes at most, where it is used.
const MEMORY: usize = 2 << 30;
/// The size of a block, which bounds that of an entry.
const BLOCK: usize = 64 << 20;
/// How much waits to be written at most, and is written at once.
const QUEUE: usize = 1 << 30;
/// How much more than its body an entry takes there at most: its key and head, in whole pages.
const OVERHEAD: usize = 8 << 10;

/// A hybrid cache.
pub(super) struct Foyer {
    name: &'static str,
    terms: Terms,
    cache: HybridCache<String, Bytes>,
    queued: AtomicUsize,
}

impl Foyer {
    /// Opens one that keeps everything in memory, and writes what it evicts, as is its default.
    pub(super) async fn in_memory(directory: &Path) -> Result<Self, BoxError> {
        let terms = Terms {
            durability: "nothing: only what is evicted is written",
            survives: Survives::Nothing,
            verification: "nothing",
            processes: "one process",
            in_memory: true,
        };
        let cache = open(directory, HybridCachePolicy::WriteOnEviction, true).await?;
        Ok(Self { name: "foyer hybrid, memory hit", terms, cache, queued: AtomicUsize::new(0) })
    }

    /// Opens one that admits nothing to memory, and writes what it is given.
    pub(super) async fn on_disk(directory: &Path) -> Result<Self, BoxError> {
        let terms = Terms {
            durability: "nothing: a write is queued",
            survives: Survives::Nothing,
            verification: "the entry, by XXH64",
            processes: "one process",
            in_memory: false,
        };
        let cache = open(directory, HybridCachePolicy::WriteOnInsertion, false).await?;
        Ok(Self { name: "foyer hybrid, disk hit", terms, cache, queued: AtomicUsize::new(0) })
    }
}

async fn open(
    directory: &Path,
    policy: HybridCachePolicy,
    admits: bool,
) -> Result<HybridCache<String, Bytes>, BoxError> {
    let device = FsDeviceBuilder::new(directory).with_capacity(DISK).build()?;
    let engine = BlockEngineConfig::new(device)
        .with_block_size(BLOCK)
        .with_flushers(1)
        .with_buffer_pool_size(QUEUE)
        .with_submit_queue_size_threshold(QUEUE);
    let cache = HybridCacheBuilder::new()
        .with_policy(policy)
        .with_flush_on_close(false)
        .memory(MEMORY)
        .with_weighter(|key: &String, body: &Bytes| key.len() + body.len())
        .with_filter(move |_, _| admits)
        .storage()
        .with_io_engine_config(PsyncIoEngineConfig::new())
        .with_engine_config(engine)
        .build()
        .await?;
    Ok(cache)
}

#[async_trait]
impl Contender for Foyer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        let queued = self.queued.fetch_add(body.len() + OVERHEAD, Ordering::Relaxed);
        if queued > QUEUE / 2 {
            self.settle().await?;
        }
        self.cache.insert(key.to_string(), body);
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        Ok(self.cache.get(key.as_str()).await?.map(|entry| entry.value().clone()))
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.cache.contains(key.as_str()))
    }

    /// Returns whether there was something, of which its own answer says nothing.
    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        let was_there = self.cache.contains(key.as_str());
        self.cache.remove(key.as_str());
        Ok(was_there)
    }

    async fn settle(&self) -> Result<(), BoxError> {
        self.queued.store(0, Ordering::Relaxed);
        self.cache.storage().wait().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ::foyer::Source;

    use super::*;
    use crate::sample::{body, key};

    #[tokio::test(flavor = "multi_thread")]
    async fn each_answers_from_where_its_name_says() {
        let directory = tempfile::tempdir().expect("a directory");
        let memory = Foyer::in_memory(&directory.path().join("memory")).await.expect("opened");
        let disk = Foyer::on_disk(&directory.path().join("disk")).await.expect("opened");
        for (foyer, source) in [(memory, Source::Memory), (disk, Source::Disk)] {
            foyer.write(&key(1), body(1, 10 << 10)).await.expect("written");
            foyer.settle().await.expect("settled");
            for _ in 0..3 {
                let entry = foyer.cache.get(key(1).as_str()).await.expect("read").expect("there");
                assert_eq!(entry.source(), source, "{}", foyer.name());
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn more_than_the_queue_takes_is_not_lost() {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = Foyer::on_disk(directory.path()).await.expect("opened");
        let bytes = 16 << 20;
        let bodies: Vec<_> = (0..4).map(|number| body(number, bytes)).collect();
        let number = 2 * QUEUE / bytes;
        for at in 0..number {
            disk.write(&key(at), bodies[at % bodies.len()].clone()).await.expect("written");
        }
        disk.settle().await.expect("settled");
        for at in 0..number {
            assert!(disk.contains(&key(at)).await.expect("asked"), "{at} of {number}");
        }
    }
}
