use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use larder_core::{
    BoxStream, CacheKey, CachedResponse, ResponseHead, ResponseStore, Result, Revision, StoredHead,
    Timestamp, async_trait,
};

/// A response store in a sorted map; the clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct TreeStore(Arc<Mutex<Tree>>);

#[derive(Debug, Default)]
struct Tree {
    entries: BTreeMap<CacheKey, (ResponseHead, Bytes, Revision)>,
    writes: u64,
}

impl Tree {
    fn put(&mut self, key: &CacheKey, head: ResponseHead, body: Bytes) {
        self.writes += 1;
        let revision = Revision::new(self.writes.to_be_bytes().to_vec());
        self.entries.insert(key.clone(), (head, body, revision));
    }
}

impl TreeStore {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ResponseStore for TreeStore {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        let entry = self.tree().entries.get(key).cloned();
        Ok(entry.map(|(head, body, revision)| CachedResponse::new(head, body).at_revision(revision)))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        let entry = self.tree().entries.get(key).cloned();
        Ok(entry.map(|(head, body, revision)| StoredHead::new(head, revision, body.len() as u64)))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let CachedResponse { head, body, .. } = response;
        let body = body.bytes().await?; // All of it, or the previous entry stays.
        self.tree().put(key, head, body);
        Ok(())
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let mut tree = self.tree();
        let Some((_, body, current)) = tree.entries.get(key).cloned() else { return Ok(false) };
        if current == *revision {
            tree.put(key, head, body);
        }
        Ok(current == *revision)
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
        Ok(self.tree().entries.extract_if(.., |_, (head, ..)| head.is_expired(now)).count() as u64)
    }

    async fn size(&self) -> Result<u64> {
        Ok(self.tree().entries.len() as u64)
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.heads().map(|item| item.map(|(key, _)| key)).boxed()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        let head = |response: CachedResponse| {
            let len = response.body.exact_len().unwrap_or(0);
            response.revision().cloned().map(|revision| StoredHead::new(response.head, revision, len))
        };
        let heads = self.values().filter_map(move |item| async move {
            item.map(|(key, response)| head(response).map(|head| (key, head))).transpose()
        });
        heads.boxed()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        // The next key after the last one, each time: nothing is held from one item to the next.
        let next = |(store, last): (Self, Option<CacheKey>)| async move {
            let after = last.as_ref().map_or(Unbounded, Excluded);
            let found =
                store.tree().entries.range((after, Unbounded)).next().map(|(k, e)| (k.clone(), e.clone()));
            found.map(|(key, (head, body, revision))| {
                let response = CachedResponse::new(head, body).at_revision(revision);
                (Ok((key.clone(), response)), (store, Some(key)))
            })
        };
        stream::unfold((self.clone(), None), next).boxed()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
