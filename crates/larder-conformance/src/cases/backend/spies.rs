//! A store and an index that note what is asked of them, and fail when they are told to.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use larder_core::{
    Alias, BoxStream, CacheBackend, CacheKey, CachedResponse, Error, ErrorKind, RedirectIndex, ResponseHead,
    ResponseStore, Result, Revision, StoreStats, StoredHead, Timestamp, async_trait,
};

use crate::case::Setup;
use crate::failure::Verdict;
use crate::samples::{Index, Store};

/// Which part fails whatever is asked of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Failing {
    Neither,
    Store,
    Index,
}

/// A cache whose parts are watched, and the parts themselves.
pub(crate) struct Watched {
    pub(crate) cache: CacheBackend,
    pub(crate) store: Store,
    pub(crate) index: Index,
    log: Log,
}

type Log = Arc<Mutex<Vec<&'static str>>>;

impl Watched {
    pub(crate) async fn new(setup: &Setup, failing: Failing) -> Verdict<Self> {
        let (store, index) = setup.parts().await?;
        let log = Log::default();
        let spy_store =
            Spy { inner: Arc::clone(&store), log: Arc::clone(&log), fails: failing == Failing::Store };
        let spy_index =
            Spy { inner: Arc::clone(&index), log: Arc::clone(&log), fails: failing == Failing::Index };
        let cache = CacheBackend::new(Arc::new(spy_store), Arc::new(spy_index));
        Ok(Self { cache, store, index, log })
    }

    /// Returns which changes were asked for since the last time, in order.
    pub(crate) fn changes(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Spy<T> {
    inner: T,
    log: Log,
    fails: bool,
}

impl<T> Spy<T> {
    /// Notes an operation that changes something.
    fn change(&self, operation: &'static str) -> Result<&T> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
        self.look()
    }

    fn look(&self) -> Result<&T> {
        if self.fails { Err(failure()) } else { Ok(&self.inner) }
    }

    fn list<I: Send + 'static>(&self, items: BoxStream<'static, Result<I>>) -> BoxStream<'static, Result<I>> {
        if self.fails { stream::iter([Err(failure())]).boxed() } else { items }
    }
}

fn failure() -> Error {
    Error::new(ErrorKind::Unavailable, "the suite made this part fail")
}

#[async_trait]
impl ResponseStore for Spy<Store> {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        self.look()?.read(key).await
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        self.look()?.read_head(key).await
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        self.change("store.write")?.write(key, response).await
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        self.change("store.update_head")?.update_head(key, revision, head).await
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        self.look()?.contains(key).await
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        self.change("store.delete")?.delete(key).await
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        self.change("store.delete")?.bulk_delete(keys).await
    }

    async fn clear(&self) -> Result<()> {
        self.change("store.clear")?.clear().await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.change("store.delete_expired")?.delete_expired(now).await
    }

    async fn size(&self) -> Result<u64> {
        self.look()?.size().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.list(self.inner.keys())
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.list(self.inner.heads())
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.list(self.inner.values())
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    async fn close(&self) -> Result<()> {
        self.change("store.close")?.close().await
    }
}

#[async_trait]
impl RedirectIndex for Spy<Index> {
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>> {
        self.look()?.read(from).await
    }

    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()> {
        self.change("index.write")?.write(from, target, expires_at).await
    }

    async fn contains(&self, from: &CacheKey) -> Result<bool> {
        self.look()?.contains(from).await
    }

    async fn delete(&self, from: &CacheKey) -> Result<bool> {
        self.change("index.delete")?.delete(from).await
    }

    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64> {
        self.change("index.delete")?.bulk_delete(from).await
    }

    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64> {
        self.change("index.delete")?.delete_targets(targets).await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.change("index.delete_expired")?.delete_expired(now).await
    }

    async fn clear(&self) -> Result<()> {
        self.change("index.clear")?.clear().await
    }

    async fn size(&self) -> Result<u64> {
        self.look()?.size().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.list(self.inner.keys())
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>> {
        self.list(self.inner.values())
    }

    async fn close(&self) -> Result<()> {
        self.change("index.close")?.close().await
    }
}
