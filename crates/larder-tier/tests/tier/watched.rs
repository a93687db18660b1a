//! A store that notes what it is asked, fails when it is told to, and stops where a test wants it to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use larder_core::{
    BoxStream, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, ResponseStore, Result, Revision,
    StoreStats, StoredHead, Timestamp, async_trait,
};
use larder_memory::MemoryStore;
use tokio::sync::oneshot;

/// Where an operation is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// Before the operation has done anything.
    Start,
    /// When it has done everything, and has only to return.
    End,
}

/// A store in memory, under observation.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) inner: MemoryStore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<&'static str>,
    stops: HashMap<(&'static str, At), Stopped>,
    fails: bool,
}

/// What an operation does where it is stopped: tell that it is there, and wait.
type Stopped = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// An operation that is to be stopped.
pub(crate) struct Stop {
    arrived: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Stop {
    /// Waits until the operation is there; what is returned lets it go on.
    pub(crate) async fn arrived(self) -> oneshot::Sender<()> {
        self.arrived.await.expect("the operation gets there");
        self.go
    }
}

impl Watched {
    /// Stops the next `operation` at `at`.
    pub(crate) fn stop(&self, operation: &'static str, at: At) -> Stop {
        let ((arrive, arrived), (go, goes)) = (oneshot::channel(), oneshot::channel());
        self.state().stops.insert((operation, at), (arrive, goes));
        Stop { arrived, go }
    }

    /// Lets every operation fail, or none.
    pub(crate) fn fail(&self, fails: bool) {
        self.state().fails = fails;
    }

    /// Returns the operations that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn around<T>(
        &self,
        name: &'static str,
        operation: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.state().asked.push(name);
        self.pass(name, At::Start).await;
        if self.state().fails {
            return Err(Error::new(ErrorKind::Io, "the store fails"));
        }
        let outcome = operation.await;
        self.pass(name, At::End).await;
        outcome
    }

    async fn pass(&self, operation: &'static str, at: At) {
        let stop = self.state().stops.remove(&(operation, at));
        if let Some((arrive, goes)) = stop
            && arrive.send(()).is_ok()
        {
            // A test that ended lets everything go on.
            let _ = goes.await;
        }
    }
}

#[async_trait]
impl ResponseStore for Watched {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        self.around("read", self.inner.read(key)).await
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        self.around("read_head", self.inner.read_head(key)).await
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        self.around("write", self.inner.write(key, response)).await
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        self.around("update_head", self.inner.update_head(key, revision, head)).await
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        self.around("contains", self.inner.contains(key)).await
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        self.around("delete", self.inner.delete(key)).await
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        self.around("bulk_delete", self.inner.bulk_delete(keys)).await
    }

    async fn clear(&self) -> Result<()> {
        self.around("clear", self.inner.clear()).await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.around("delete_expired", self.inner.delete_expired(now)).await
    }

    async fn size(&self) -> Result<u64> {
        self.around("size", self.inner.size()).await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.inner.keys()
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        self.inner.heads()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        self.inner.values()
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    async fn close(&self) -> Result<()> {
        self.around("close", self.inner.close()).await
    }
}
