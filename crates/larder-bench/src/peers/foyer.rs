//! foyer's hybrid cache, twice: one that answers from memory, and one that answers from its disk alone.
//!
//! It writes behind, and drops what its queue has no room for, so the queue has room for everything that is measured
//! at once, and blocks are large enough for the largest body.

use std::path::Path;

use ::foyer::{
    BlockEngineConfig, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder, HybridCachePolicy,
    PsyncIoEngineConfig,
};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

use crate::contender::{Contender, Terms};

/// How much the disk takes at most; blocks are files without content until they are written.
const DISK: usize = 8 << 30;
/// How much memory takes at most, where it is used.
const MEMORY: usize = 2 << 30;
/// The size of a block, which bounds that of an entry.
const BLOCK: usize = 64 << 20;
/// How much waits to be written at most. Half of it is one of two buffers.
const QUEUE: usize = 256 << 20;

/// A hybrid cache.
pub(super) struct Foyer {
    name: &'static str,
    terms: Terms,
    cache: HybridCache<String, Bytes>,
}

impl Foyer {
    /// Opens one that keeps everything in memory, and writes what it evicts, as is its default.
    pub(super) async fn in_memory(directory: &Path) -> Result<Self, BoxError> {
        let terms = Terms {
            durability: "nothing: only what is evicted is written",
            verification: "nothing",
            processes: "one process",
            in_memory: true,
        };
        let cache = open(directory, HybridCachePolicy::WriteOnEviction, true).await?;
        Ok(Self { name: "foyer hybrid, memory hit", terms, cache })
    }

    /// Opens one that admits nothing to memory, and writes what it is given.
    pub(super) async fn on_disk(directory: &Path) -> Result<Self, BoxError> {
        let terms = Terms {
            durability: "nothing: a write is queued, and dropped where the queue is full",
            verification: "the entry, by XXH64",
            processes: "one process",
            in_memory: false,
        };
        let cache = open(directory, HybridCachePolicy::WriteOnInsertion, false).await?;
        Ok(Self { name: "foyer hybrid, disk hit", terms, cache })
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
        .with_submit_queue_size_threshold(QUEUE * 2);
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
}
