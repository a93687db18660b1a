//! Responses in memory.
//!
//! The lock is never held across an `.await`: a body is buffered before it is taken, and whatever is done under it is
//! done whole.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future, stream};
use larder_core::{
    BoxStream, CacheKey, CachedResponse, ResponseHead, ResponseStore, Result, Revision, StoreStats,
    StoredHead, Timestamp, async_trait,
};

/// A response store in memory, without a bound.
///
/// Cloning is cheap; the clones are the same store. Its [`stats`](ResponseStore::stats) count the bytes of the bodies
/// alone. No future waits once it has the lock, so that a dropped one has changed nothing.
#[derive(Clone, Default)]
pub struct MemoryStore {
    map: Arc<Mutex<Map>>,
}

#[derive(Default)]
struct Map {
    entries: HashMap<CacheKey, Entry>,
    /// The lengths of all bodies together.
    bytes: u64,
    /// How many revisions were given out. It never goes back, so that no revision is given out twice.
    revisions: u64,
}

#[derive(Clone)]
struct Entry {
    head: ResponseHead,
    body: Bytes,
    revision: Revision,
}

impl MemoryStore {
    /// Returns an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the map. Nothing panics under the lock, so that poison would mean nothing.
    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists what `view` makes of each entry: the keys are taken at the first poll, and each entry when its turn
    /// comes.
    fn list<T: Send + 'static>(
        &self,
        view: impl Fn(Entry) -> T + Send + 'static,
    ) -> BoxStream<'static, Result<(CacheKey, T)>> {
        let store = self.clone();
        let listing = future::lazy(move |_| {
            let keys: Vec<CacheKey> = store.map().entries.keys().cloned().collect();
            stream::iter(keys).filter_map(move |key| {
                let entry = store.map().entries.get(&key).cloned();
                future::ready(entry.map(|entry| Ok((key, view(entry)))))
            })
        });
        listing.flatten_stream().boxed()
    }
}

impl Map {
    fn next_revision(&mut self) -> Revision {
        self.revisions += 1;
        Revision::new(self.revisions.to_be_bytes().to_vec())
    }

    fn put(&mut self, key: CacheKey, entry: Entry) {
        self.bytes += entry.len();
        if let Some(previous) = self.entries.insert(key, entry) {
            self.bytes -= previous.len();
        }
    }

    fn remove(&mut self, key: &CacheKey) -> bool {
        let removed = self.entries.remove(key);
        self.bytes -= removed.as_ref().map_or(0, Entry::len);
        removed.is_some()
    }
}

impl Entry {
    fn len(&self) -> u64 {
        self.body.len() as u64
    }

    fn into_response(self) -> CachedResponse {
        CachedResponse::new(self.head, self.body).at_revision(self.revision)
    }

    fn into_head(self) -> StoredHead {
        let len = self.len();
        StoredHead::new(self.head, self.revision, len)
    }
}

#[async_trait]
impl ResponseStore for MemoryStore {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        Ok(self.map().entries.get(key).cloned().map(Entry::into_response))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        Ok(self.map().entries.get(key).cloned().map(Entry::into_head))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let CachedResponse { head, body, .. } = response;
        let body = body.bytes().await?;
        let mut map = self.map();
        let revision = map.next_revision();
        map.put(key.clone(), Entry { head, body, revision });
        Ok(())
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let mut map = self.map();
        let next = map.next_revision();
        let Some(entry) = map.entries.get_mut(key).filter(|entry| entry.revision == *revision) else {
            return Ok(false);
        };
        entry.head = head;
        entry.revision = next;
        Ok(true)
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.map().entries.contains_key(key))
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.map().remove(key))
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        let mut map = self.map();
        Ok(keys.iter().filter(|key| map.remove(key)).count() as u64)
    }

    async fn clear(&self) -> Result<()> {
        let mut map = self.map();
        map.entries.clear();
        map.bytes = 0;
        Ok(())
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        let Map { entries, bytes, .. } = &mut *self.map();
        let expired = entries.extract_if(|_, entry| entry.head.purge_at().is_some_and(|at| at <= now));
        Ok(expired.inspect(|(_, entry)| *bytes -= entry.len()).count() as u64)
    }

    async fn size(&self) -> Result<u64> {
        Ok(self.map().entries.len() as u64)
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.list(drop).map(|item| item.map(|(key, ())| key)).boxed()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.list(Entry::into_head)
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.list(Entry::into_response)
    }

    fn stats(&self) -> StoreStats {
        let map = self.map();
        StoreStats::default().with_size(Some(map.entries.len() as u64), Some(map.bytes))
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.map().entries.len()).finish()
    }
}
