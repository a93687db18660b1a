use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use larder_core::{
    BoxStream, CacheKey, CachedResponse, ResponseHead, ResponseStore, Result, Revision, StoreStats,
    StoredHead, Timestamp, async_trait,
};

/// A response store in a sorted map; the clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct TreeStore(Arc<Mutex<Tree>>);

#[derive(Debug, Default)]
struct Tree {
    entries: BTreeMap<CacheKey, Entry>,
    writes: u64,
}

type Entry = (StoredHead, Bytes);

impl Tree {
    fn put(&mut self, key: &CacheKey, head: ResponseHead, body: Bytes) {
        self.writes += 1;
        let revision = Revision::new(self.writes.to_be_bytes().to_vec());
        let stored = StoredHead::new(head, revision, body.len() as u64);
        self.entries.insert(key.clone(), (stored, body));
    }
}

impl TreeStore {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for the next key after the last one, each time: nothing is held from one item to the next.
    fn list(&self) -> impl Stream<Item = (CacheKey, Entry)> + Send + use<> {
        stream::unfold((self.clone(), None), |(store, last)| async move {
            let after = last.as_ref().map_or(Unbounded, Excluded);
            let (key, entry) =
                store.tree().entries.range((after, Unbounded)).next().map(|(k, e)| (k.clone(), e.clone()))?;
            Some(((key.clone(), entry), (store, Some(key))))
        })
    }
}

fn response((stored, body): Entry) -> CachedResponse {
    CachedResponse::new(stored.head, body).at_revision(stored.revision)
}

#[async_trait]
impl ResponseStore for TreeStore {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        Ok(self.tree().entries.get(key).cloned().map(response))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        Ok(self.tree().entries.get(key).map(|(stored, _)| stored.clone()))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let CachedResponse { head, body, .. } = response;
        let body = body.bytes().await?; // All of it, or the previous entry stays.
        self.tree().put(key, head, body);
        Ok(())
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let mut tree = self.tree();
        let entry = tree.entries.get(key).filter(|(stored, _)| stored.revision == *revision);
        let Some((_, body)) = entry.cloned() else { return Ok(false) };
        tree.put(key, head, body);
        Ok(true)
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.tree().entries.contains_key(key))
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.tree().entries.remove(key).is_some())
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        let mut tree = self.tree();
        Ok(keys.iter().filter(|key| tree.entries.remove(*key).is_some()).count() as u64)
    }

    async fn clear(&self) -> Result<()> {
        self.tree().entries.clear(); // But not `writes`: no revision is given twice.
        Ok(())
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        let ends = |head: &ResponseHead| head.purge_at().is_some_and(|at| at <= now);
        Ok(self.tree().entries.extract_if(.., |_, (stored, _)| ends(&stored.head)).count() as u64)
    }

    async fn size(&self) -> Result<u64> {
        Ok(self.tree().entries.len() as u64)
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.list().map(|(key, _)| Ok(key)).boxed()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.list().map(|(key, (stored, _))| Ok((key, stored))).boxed()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.list().map(|(key, entry)| Ok((key, response(entry)))).boxed()
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default().with_size(Some(self.tree().entries.len() as u64), None)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
