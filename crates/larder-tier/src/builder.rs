//! How a tier is made.

use std::sync::Arc;
use std::time::Duration;

use larder_core::{Error, ErrorKind, ResponseStore, Result};
use quick_cache::OptionsBuilder;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::coherence::nanos;
use crate::entry::ByWeight;
use crate::tier::{Entries, MemoryTier};

/// How many of the largest entries a shard of the cache has room for, at least.
const PER_SHARD: u64 = 8;

/// What an entry is expected to weigh. Only the memory of what was evicted lately depends on it.
const EXPECTED: u64 = 8 << 10;

/// The options of a [`MemoryTier`]; made by [`MemoryTier::builder`].
#[derive(Debug, Clone)]
#[must_use = "there is no tier before `build`"]
pub struct MemoryTierBuilder {
    store: Arc<dyn ResponseStore>,
    max_bytes: u64,
    max_entry_bytes: Option<u64>,
    max_staleness: Duration,
}

impl MemoryTierBuilder {
    pub(crate) fn new(store: Arc<dyn ResponseStore>) -> Self {
        Self { store, max_bytes: 64 << 20, max_entry_bytes: None, max_staleness: Duration::from_secs(1) }
    }

    /// Sets how many bytes of entries are held at most; 64 MiB by default.
    ///
    /// An entry counts with the length of its body and an estimate of its head, which is rather too high.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the longest entry that is held, in bytes as in [`max_bytes`](MemoryTierBuilder::max_bytes).
    ///
    /// By default 1 MiB, or an eighth of `max_bytes` if that is less. Close to `max_bytes` there is room for one such
    /// entry at a time; what is above 97 % of it is not held.
    pub fn max_entry_bytes(mut self, bytes: u64) -> Self {
        self.max_entry_bytes = Some(bytes);
        self
    }

    /// Sets for how long an entry is used without asking the store again; a second by default.
    ///
    /// Only what is changed behind the tier's back is noticed that late: [`MemoryTier`] says what that is. With
    /// [`Duration::ZERO`] the store is asked about every hit, and with [`Duration::MAX`] never.
    pub fn max_staleness(mut self, staleness: Duration) -> Self {
        self.max_staleness = staleness;
        self
    }

    /// Makes the tier, empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when `max_bytes` or `max_entry_bytes` is zero, or the second exceeds the first.
    pub fn build(self) -> Result<MemoryTier> {
        let max_bytes = self.max_bytes;
        let max_entry = self.max_entry_bytes.unwrap_or((1 << 20).min((max_bytes / 8).max(1)));
        let wrong = if max_bytes == 0 || max_entry == 0 {
            "max_bytes and max_entry_bytes of a memory tier must be above zero".to_owned()
        } else if max_entry > max_bytes {
            format!("max_entry_bytes is {max_entry}, and max_bytes allows no entry above {max_bytes}")
        } else {
            let entries = entries(max_bytes, max_entry)?;
            return Ok(MemoryTier::new(self.store, entries, max_entry, nanos(self.max_staleness)));
        };
        Err(Error::new(ErrorKind::Configuration, wrong).with_operation("build"))
    }
}

/// Returns a cache of `max_bytes` in all.
fn entries(max_bytes: u64, max_entry: u64) -> Result<Entries> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let most = (max_bytes / max_entry.saturating_mul(PER_SHARD)).clamp(1, 4 * threads as u64);
    // A power of two, and a multiple of it in bytes: the cache would round both up.
    let shards = 1 << most.ilog2();
    let expected =
        usize::try_from(max_bytes / EXPECTED).unwrap_or(usize::MAX / 2).saturating_add(32 * shards);
    let options = OptionsBuilder::new()
        .shards(shards)
        .estimated_items_capacity(expected)
        .weight_capacity(max_bytes - max_bytes % shards as u64)
        .build()
        .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()).with_operation("build"))?;
    Ok(Cache::with_options(
        options,
        ByWeight,
        quick_cache::DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    ))
}
