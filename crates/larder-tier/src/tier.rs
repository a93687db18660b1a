//! The tier itself: what is answered from memory, and what the store is asked.
//!
//! Every change goes through `coherence`, begun before the store is called and ended after it has returned.

use std::fmt;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use larder_core::{
    BoxStream, CacheKey, CachedResponse, ResponseHead, ResponseStore, Result, Revision, StoreStats,
    StoredHead, Timestamp, async_trait,
};
use quick_cache::sync::Cache;

use crate::builder::MemoryTierBuilder;
use crate::coherence::{Change, Coherence, Scope, nanos};
use crate::entry::{ByWeight, Entry};
use crate::usage::TierUsage;

/// The cache that holds the entries.
pub(crate) type Entries = Cache<CacheKey, Arc<Entry>, ByWeight>;

/// How long ago the store was last read for an entry that it is read again instead of asked about.
///
/// A store that evicts what was not read lately learns of a use in this way.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// With more keys than this, a bulk deletion keeps everything out of memory while it runs, which is less work.
const MANY: usize = 1_024;

/// A store that answers from memory what it has read lately from another one.
///
/// It holds entries whose body the other store returns in memory, up to a length and up to a sum of bytes, and evicts
/// what is used least. Bodies that are streamed pass by untouched; misses are not remembered. Listings and counts are
/// the other store's, and so are revisions: it decides about every [`update_head`].
///
/// # What it promises
///
/// - **Changes through this tier** are seen at once. A read that begins after a [`write`], [`update_head`], [`delete`],
///   [`bulk_delete`], [`delete_expired`] or [`clear`] has returned sees what the other store has then, whatever reads
///   overlapped the change.
/// - **Changes behind its back** are seen `max_staleness` late at most: a read returns what the other store had at some
///   moment since `max_staleness` before the read began. They are what other processes do, what is done to the other
///   store directly or through another tier, what that store does by itself (evicting an entry, removing a damaged
///   one), and what an operation does whose future was dropped. For a minute after such a drop, the other store is
///   asked about every hit of an entry that the operation was to change. If there are so many of these that they are no
///   longer kept apart, in the order of thousands a minute, it is asked about others too.
/// - **Age** is reckoned by a monotonic clock, from before the other store was asked. It does not run while the machine
///   sleeps, if the system's does not.
/// - **A failure** of the other store to say whether an entry is unchanged is the read's own: what is older than
///   `max_staleness` is not used instead.
///
/// # What the other store sees
///
/// An entry that is older than `max_staleness` is asked about with [`read_head`], and if it was last read more than a
/// second ago, with [`read`]. A store that evicts what was not read lately thus learns that an entry is in use each
/// second, or each `max_staleness` if that is longer. An entry that is always in use may be evicted there if more than
/// the whole store is written within that time.
///
/// # Memory
///
/// The bytes of all entries are within `max_bytes` at every moment. What readers still have of an entry that was
/// evicted is not counted. A body counts with its length, and if the other store returned it as a part of a buffer, keeps
/// all of that: of the file store, the head as it is encoded, and up to a quarter more.
///
/// [`write`]: ResponseStore::write
/// [`read`]: ResponseStore::read
/// [`read_head`]: ResponseStore::read_head
/// [`update_head`]: ResponseStore::update_head
/// [`delete`]: ResponseStore::delete
/// [`bulk_delete`]: ResponseStore::bulk_delete
/// [`delete_expired`]: ResponseStore::delete_expired
/// [`clear`]: ResponseStore::clear
pub struct MemoryTier {
    store: Arc<dyn ResponseStore>,
    entries: Entries,
    coherence: Coherence,
    max_entry_bytes: u64,
    /// In nanoseconds.
    max_staleness: u64,
    hits: AtomicU64,
    checked: AtomicU64,
    misses: AtomicU64,
}

impl MemoryTier {
    /// Returns the options of a tier in front of `store`.
    pub fn builder(store: Arc<dyn ResponseStore>) -> MemoryTierBuilder {
        MemoryTierBuilder::new(store)
    }

    pub(crate) fn new(
        store: Arc<dyn ResponseStore>,
        entries: Entries,
        max_entry_bytes: u64,
        max_staleness: u64,
    ) -> Self {
        Self {
            store,
            entries,
            coherence: Coherence::new(),
            max_entry_bytes,
            max_staleness,
            hits: AtomicU64::new(0),
            checked: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Returns the store behind this tier.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ResponseStore> {
        &self.store
    }

    /// Returns what the tier has done, and how full it is. O(1).
    #[must_use]
    pub fn usage(&self) -> TierUsage {
        TierUsage {
            hits: self.hits.load(Ordering::Relaxed),
            checked: self.checked.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
            max_bytes: self.entries.capacity(),
        }
    }

    /// Drops what is in memory, and nothing of the other store: when memory is short, or the other store changed.
    ///
    /// A read that begins afterwards asks the other store. Linear in the entries in memory.
    pub fn forget(&self) {
        self.coherence.sweep(Scope::All, || self.entries.clear()).end();
    }

    /// Returns the entry under `key` if it need not be checked at `now`.
    fn fresh(&self, key: &CacheKey, now: u64) -> Option<Arc<Entry>> {
        self.entries.get(key).filter(|entry| self.is_fresh(key, entry, now))
    }

    fn is_fresh(&self, key: &CacheKey, entry: &Entry, now: u64) -> bool {
        let checked_at = entry.checked_at();
        now.saturating_sub(checked_at) < self.max_staleness
            && self.coherence.trusts(key, entry.stripe, checked_at)
    }

    /// Reads what is not in memory, or has to be checked.
    async fn read_through(
        &self,
        key: &CacheKey,
        held: Option<Arc<Entry>>,
        now: u64,
    ) -> Result<Option<CachedResponse>> {
        if let Some(entry) = held.filter(|entry| now.saturating_sub(entry.read_at) < nanos(READ_AGAIN))
            && let Some(stored) = self.store.read_head(key).await?
            && stored.revision == *entry.revision()
        {
            entry.check(now);
            count(&self.checked);
            return Ok(Some(entry.to_response()));
        }
        let ticket = self.coherence.ticket(key);
        let response = self.store.read(key).await?;
        count(&self.misses);
        let read =
            response.as_ref().and_then(|response| Entry::of(key, response, &ticket, self.max_entry_bytes));
        // What is in memory may be of a read that began later.
        let is_older = |entry: &Arc<Entry>| entry.checked_at() <= ticket.at;
        match read {
            Some(read) => self.coherence.admit(key, &ticket, read.head().purge_at(), || {
                if self.entries.peek(key).as_ref().is_none_or(is_older) {
                    self.entries.insert(key.clone(), Arc::clone(&read));
                }
            }),
            None => drop(self.entries.remove_if(key, is_older)),
        }
        Ok(response)
    }

    fn change<'a>(&'a self, keys: &'a [CacheKey]) -> Change<'a> {
        self.coherence.change(keys, |key| drop(self.entries.remove(key)))
    }
}

#[async_trait]
impl ResponseStore for MemoryTier {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        let now = self.coherence.now();
        let held = self.entries.get(key);
        if let Some(entry) = held.as_ref().filter(|entry| self.is_fresh(key, entry, now)) {
            count(&self.hits);
            return Ok(Some(entry.to_response()));
        }
        // Apart, so that the future of a hit is a small one.
        Box::pin(self.read_through(key, held, now)).await
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        match self.fresh(key, self.coherence.now()) {
            Some(entry) => Ok(Some(entry.to_head())),
            None => self.store.read_head(key).await,
        }
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let change = self.change(slice::from_ref(key));
        let written = self.store.write(key, response).await;
        change.end();
        written
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let change = self.change(slice::from_ref(key));
        let updated = self.store.update_head(key, revision, head).await;
        change.end();
        updated
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        match self.fresh(key, self.coherence.now()) {
            Some(_) => Ok(true),
            None => self.store.contains(key).await,
        }
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        let change = self.change(slice::from_ref(key));
        let deleted = self.store.delete(key).await;
        change.end();
        deleted
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        if keys.len() <= MANY {
            let change = self.change(keys);
            let deleted = self.store.bulk_delete(keys).await;
            change.end();
            return deleted;
        }
        let sweep = self.coherence.sweep(Scope::All, || {
            for key in keys {
                self.entries.remove(key);
            }
        });
        let deleted = self.store.bulk_delete(keys).await;
        sweep.end();
        deleted
    }

    async fn clear(&self) -> Result<()> {
        let sweep = self.coherence.sweep(Scope::All, || self.entries.clear());
        let cleared = self.store.clear().await;
        sweep.end();
        cleared
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        let sweep = self.coherence.sweep(Scope::Expired(now), || {
            self.entries.retain(|_, entry| entry.head().purge_at().is_none_or(|at| at > now));
        });
        let deleted = self.store.delete_expired(now).await;
        sweep.end();
        deleted
    }

    async fn size(&self) -> Result<u64> {
        self.store.size().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.store.keys()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.store.heads()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.store.values()
    }

    fn stats(&self) -> StoreStats {
        self.store.stats()
    }

    async fn close(&self) -> Result<()> {
        self.coherence.close(|| self.entries.clear());
        self.store.close().await
    }
}

impl fmt::Debug for MemoryTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTier")
            .field("store", &self.store)
            .field("usage", &self.usage())
            .finish_non_exhaustive()
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
