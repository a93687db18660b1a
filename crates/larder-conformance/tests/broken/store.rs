//! A store in memory with one flaw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future, stream};
use larder_conformance::{Fixture, Instance};
use larder_core::{
    Body, BoxError, BoxStream, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, ResponseStore,
    Result, Revision, StoreStats, StoredHead, Timestamp, async_trait,
};
use larder_memory::{MemoryRedirects, MemoryStore};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Flaw {
    None,
    LosesLastFieldValue,
    LosesEmptyFieldValues,
    LosesHistory,
    LosesVariants,
    RepeatsRevisions,
    RevisionsAreOfTheInstance,
    UpdateHeadIgnoresRevision,
    UpdateHeadKeepsRevision,
    UpdateHeadEmptiesBody,
    UpdateHeadMakesEntries,
    DeleteAlwaysTrue,
    DeleteDoesNothing,
    BulkDeleteStopsAtAbsent,
    BulkDeleteCountsKeys,
    BulkDeleteOfNothingClears,
    ContainsAlwaysTrue,
    ClearDoesNothing,
    ExpiresTooLate,
    NeverMeansExpired,
    IgnoresDeleteTime,
    ReadHidesExpired,
    IgnoresKeyCase,
    CutsLongKeys,
    PublishesEarly,
    KeepsFailedBodies,
    MissesOnFailedBodies,
    CutsLongBodies,
    ReadsBodiesLate,
    PanicsOnEmptyBodies,
    WrongBodyLen,
    KeysListsTwice,
    KeysStopsAtAHundred,
    ValuesFailsOnTheDeleted,
    ListsAsOfTheCall,
    SizeCountsWrites,
    RemembersReads,
    LosesWhatWasNotClosed,
    CountsWritesAsEntries,
    CountsDeletedBytes,
    CountsDeletionsAsEvictions,
    CountsGoBack,
    ExceedsItsLimits,
    NeverCloses,
    ClosesOnce,
}

/// Locks without a word about poison: a case that panicked has failed already.
pub(crate) trait Held<T> {
    fn held(&self) -> MutexGuard<'_, T>;
}

impl<T> Held<T> for Mutex<T> {
    fn held(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The revisions that a flawed store gives for those of the store within.
#[derive(Debug, Clone)]
struct Revisions {
    flaw: Flaw,
    given: Arc<Mutex<HashMap<Revision, Revision>>>,
}

impl Revisions {
    fn of(&self, inner: &Revision) -> Revision {
        if self.flaw == Flaw::RepeatsRevisions {
            return Revision::new(&b"always the same"[..]);
        }
        let mut given = self.given.held();
        if self.flaw == Flaw::RevisionsAreOfTheInstance {
            let next = Revision::new(given.len().to_string());
            return given.entry(inner.clone()).or_insert(next).clone();
        }
        given.get(inner).unwrap_or(inner).clone()
    }
}

/// A place in memory that outlives its instances.
pub(crate) struct Place {
    flaw: Flaw,
    store: MemoryStore,
    redirects: MemoryRedirects,
    writes: Arc<Mutex<u64>>,
    saved: Arc<Mutex<HashMap<CacheKey, (ResponseHead, Bytes)>>>,
}

impl Place {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            store: MemoryStore::new(),
            redirects: MemoryRedirects::new(),
            writes: Arc::default(),
            saved: Arc::default(),
        }
    }
}

#[async_trait]
impl Fixture for Place {
    async fn open(&self) -> Result<Instance, BoxError> {
        let inner = if self.flaw == Flaw::LosesWhatWasNotClosed {
            let saved = self.saved.held().clone();
            let fresh = MemoryStore::new();
            for (key, (head, body)) in saved {
                fresh.write(&key, CachedResponse::new(head, body)).await?;
            }
            fresh
        } else {
            self.store.clone()
        };
        let store = Flawed {
            flaw: self.flaw,
            inner,
            writes: Arc::clone(&self.writes),
            saved: Arc::clone(&self.saved),
            remembered: Mutex::default(),
            closes: Mutex::default(),
            revisions: Revisions { flaw: self.flaw, given: Arc::default() },
        };
        Ok(Instance::new(Arc::new(store), Arc::new(self.redirects.clone())))
    }
}

#[derive(Debug)]
struct Flawed {
    flaw: Flaw,
    inner: MemoryStore,
    writes: Arc<Mutex<u64>>,
    saved: Arc<Mutex<HashMap<CacheKey, (ResponseHead, Bytes)>>>,
    /// What was read before, for [`Flaw::RemembersReads`].
    remembered: Mutex<HashMap<CacheKey, (ResponseHead, Bytes, Revision)>>,
    closes: Mutex<u64>,
    revisions: Revisions,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, key: &CacheKey) -> CacheKey {
        let text = match self.flaw {
            Flaw::IgnoresKeyCase => key.as_str().to_lowercase(),
            Flaw::CutsLongKeys => key.as_str()[..key.as_str().len().min(120)].to_owned(),
            _ => return key.clone(),
        };
        CacheKey::new(text).expect("as valid as before")
    }

    fn head(&self, mut head: ResponseHead) -> ResponseHead {
        match self.flaw {
            Flaw::LosesLastFieldValue => {
                for name in head.headers.clone().keys() {
                    let values: Vec<_> = head.headers.get_all(name).iter().cloned().collect();
                    if let [first, .., _] = values.as_slice() {
                        head.headers.insert(name, first.clone());
                        for value in &values[1..values.len() - 1] {
                            head.headers.append(name, value.clone());
                        }
                    }
                }
            }
            Flaw::LosesEmptyFieldValues => {
                let headers = std::mem::take(&mut head.headers);
                for (name, value) in &headers {
                    if !value.is_empty() {
                        head.headers.append(name, value.clone());
                    }
                }
            }
            Flaw::LosesHistory => head.history.clear(),
            Flaw::LosesVariants => head.variants.clear(),
            _ => {}
        }
        head
    }

    fn stored(&self, mut stored: StoredHead) -> StoredHead {
        stored.revision = self.revisions.of(&stored.revision);
        if self.has(Flaw::WrongBodyLen) {
            stored.body_len += 1;
        }
        stored
    }

    fn response(&self, key: &CacheKey, response: CachedResponse) -> CachedResponse {
        let revision = self.revisions.of(response.revision().expect("as read"));
        let CachedResponse { head, mut body, .. } = response;
        if self.has(Flaw::ReadsBodiesLate) {
            body = late(self.inner.clone(), key.clone());
        }
        CachedResponse::new(head, body).at_revision(revision)
    }
}

/// Lists what is there now; a listing of the store within never waits.
pub(crate) fn at_once<T: Send + 'static>(listing: BoxStream<'static, T>) -> BoxStream<'static, T> {
    let items = listing.collect::<Vec<_>>().now_or_never().expect("it never waits");
    stream::iter(items).boxed()
}

/// A body that is looked up again for each of its chunks.
fn late(store: MemoryStore, key: CacheKey) -> Body {
    Body::from_stream(stream::try_unfold(0, move |from| {
        let (store, key) = (store.clone(), key.clone());
        async move {
            let Some(response) = store.read(&key).await? else { return Ok::<_, BoxError>(None) };
            let body = response.body.bytes().await?;
            let chunk = body.slice(from.min(body.len())..(from + 65_536).min(body.len()));
            let next = from + chunk.len();
            Ok((!chunk.is_empty()).then_some((chunk, next)))
        }
    }))
}

#[async_trait]
impl ResponseStore for Flawed {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        let key = self.key(key);
        if self.has(Flaw::RemembersReads)
            && let Some((head, body, revision)) = self.remembered.held().get(&key)
        {
            return Ok(Some(CachedResponse::new(head.clone(), body.clone()).at_revision(revision.clone())));
        }
        let Some(mut response) = self.inner.read(&key).await? else { return Ok(None) };
        if self.has(Flaw::ReadHidesExpired) && response.is_expired(SystemTime::now().into()) {
            return Ok(None);
        }
        if self.has(Flaw::RemembersReads) {
            let whole = (response.head.clone(), response.bytes().await?, response.revision().cloned());
            if let (head, body, Some(revision)) = whole {
                self.remembered.held().insert(key.clone(), (head, body, revision));
            }
        }
        Ok(Some(self.response(&key, response)))
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        let stored = self.inner.read_head(&self.key(key)).await?;
        Ok(stored.map(|stored| self.stored(stored)))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        let key = self.key(key);
        let CachedResponse { head, mut body, .. } = response;
        let head = self.head(head);
        let mut whole = Vec::new();
        let failed = loop {
            match body.chunk().await {
                Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if self.has(Flaw::PublishesEarly) && body.as_bytes().is_none() {
                self.inner.write(&key, CachedResponse::new(head.clone(), whole.clone())).await?;
            }
        };
        match failed {
            Some(_) if self.has(Flaw::KeepsFailedBodies) => {}
            Some(error) => {
                if self.has(Flaw::MissesOnFailedBodies) {
                    self.inner.delete(&key).await?;
                }
                return Err(error);
            }
            None => {}
        }
        if self.has(Flaw::CutsLongBodies) {
            whole.truncate(1 << 20);
        }
        assert!(!(self.has(Flaw::PanicsOnEmptyBodies) && whole.is_empty()), "an empty body");
        *self.writes.held() += 1;
        self.remembered.held().remove(&key);
        self.inner.write(&key, CachedResponse::new(head, whole)).await
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let (key, head) = (self.key(key), self.head(head));
        self.remembered.held().remove(&key);
        let Some(old) = self.inner.read(&key).await? else {
            if self.has(Flaw::UpdateHeadMakesEntries) {
                self.inner.write(&key, CachedResponse::new(head, Body::empty())).await?;
                return Ok(true);
            }
            return Ok(false);
        };
        let inner = old.revision().expect("as read").clone();
        let outer = self.revisions.of(&inner);
        if outer != *revision && !self.has(Flaw::UpdateHeadIgnoresRevision) {
            return Ok(false);
        }
        if self.has(Flaw::UpdateHeadEmptiesBody) {
            self.inner.write(&key, CachedResponse::new(head, Body::empty())).await?;
            return Ok(true);
        }
        let updated = self.inner.update_head(&key, &inner, head).await?;
        if self.has(Flaw::UpdateHeadKeepsRevision)
            && let Some(stored) = self.inner.read_head(&key).await?
        {
            self.revisions.given.held().insert(stored.revision, outer);
        }
        Ok(updated)
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        Ok(self.has(Flaw::ContainsAlwaysTrue) || self.inner.contains(&self.key(key)).await?)
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        let key = self.key(key);
        self.remembered.held().remove(&key);
        if self.has(Flaw::DeleteDoesNothing) {
            return self.inner.contains(&key).await;
        }
        Ok(self.inner.delete(&key).await? || self.has(Flaw::DeleteAlwaysTrue))
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        if self.has(Flaw::BulkDeleteOfNothingClears) && keys.is_empty() {
            let size = self.inner.size().await?;
            self.inner.clear().await?;
            return Ok(size);
        }
        let mut count = 0;
        for key in keys {
            self.remembered.held().remove(key);
            let deleted = self.inner.delete(&self.key(key)).await?;
            if !deleted && self.has(Flaw::BulkDeleteStopsAtAbsent) {
                break;
            }
            count += u64::from(deleted || self.has(Flaw::BulkDeleteCountsKeys));
        }
        Ok(count)
    }

    async fn clear(&self) -> Result<()> {
        self.remembered.held().clear();
        if self.has(Flaw::ClearDoesNothing) { Ok(()) } else { self.inner.clear().await }
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.remembered.held().clear();
        let flaw = self.flaw;
        let expired = move |(key, stored): (CacheKey, StoredHead)| {
            let end = match flaw {
                Flaw::IgnoresDeleteTime => stored.head.expires_at,
                _ => stored.head.purge_at(),
            };
            let expired = match (flaw, end) {
                (Flaw::ExpiresTooLate, Some(end)) => end < now,
                (_, Some(end)) => end <= now,
                (_, None) => flaw == Flaw::NeverMeansExpired,
            };
            std::future::ready(Ok(expired.then_some(key)))
        };
        let keys: Vec<CacheKey> = self.inner.heads().try_filter_map(expired).try_collect().await?;
        self.inner.bulk_delete(&keys).await
    }

    async fn size(&self) -> Result<u64> {
        if self.has(Flaw::SizeCountsWrites) {
            return Ok(*self.writes.held());
        }
        self.inner.size().await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        match self.flaw {
            Flaw::KeysListsTwice => self.inner.keys().chain(self.inner.keys()).boxed(),
            Flaw::KeysStopsAtAHundred => self.inner.keys().take(100).boxed(),
            Flaw::ListsAsOfTheCall => at_once(self.inner.keys()),
            _ => self.inner.keys(),
        }
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        let revisions = self.revisions.clone();
        let outer = move |(key, mut stored): (CacheKey, StoredHead)| {
            stored.revision = revisions.of(&stored.revision);
            (key, stored)
        };
        let heads = self.inner.heads().map_ok(outer).boxed();
        if self.has(Flaw::ListsAsOfTheCall) { at_once(heads) } else { heads }
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        let (inner, revisions) = (self.inner.clone(), self.revisions.clone());
        let fails = self.has(Flaw::ValuesFailsOnTheDeleted);
        let value = move |key: Result<CacheKey>| {
            let (inner, revisions) = (inner.clone(), revisions.clone());
            async move {
                let key = key.ok()?;
                let Some(response) = inner.read(&key).await.ok()? else {
                    return fails.then(|| Err(Error::new(ErrorKind::Io, "no such entry")));
                };
                let revision = revisions.of(response.revision()?);
                Some(Ok((key, response.at_revision(revision))))
            }
        };
        let inner = self.inner.clone();
        let keys = future::lazy(move |_| at_once(inner.keys())).flatten_stream();
        let values = keys.filter_map(value).boxed();
        if self.has(Flaw::ListsAsOfTheCall) { at_once(values) } else { values }
    }

    fn stats(&self) -> StoreStats {
        let (writes, stats) = (*self.writes.held(), self.inner.stats());
        let (entries, bytes) = (stats.entries.unwrap_or_default(), stats.bytes);
        match self.flaw {
            Flaw::CountsWritesAsEntries => stats.with_size(Some(writes), bytes),
            Flaw::CountsDeletedBytes => stats.with_size(Some(entries), Some(1_000 * writes)),
            Flaw::CountsDeletionsAsEvictions => stats.with_counts(writes - entries, 0),
            Flaw::CountsGoBack => stats.with_counts(0, entries),
            Flaw::ExceedsItsLimits => stats.with_limits(Some(2), None),
            _ => stats,
        }
    }

    async fn close(&self) -> Result<()> {
        if self.has(Flaw::NeverCloses) {
            std::future::pending::<()>().await;
        }
        let closes = {
            let mut closes = self.closes.held();
            *closes += 1;
            *closes
        };
        if closes > 1 && self.has(Flaw::ClosesOnce) {
            return Err(Error::new(ErrorKind::Closed, "closed already"));
        }
        if self.has(Flaw::LosesWhatWasNotClosed) {
            let mut all = HashMap::new();
            let mut values = self.inner.values();
            while let Some((key, mut response)) = values.try_next().await? {
                let body = response.bytes().await?;
                all.insert(key, (response.head, body));
            }
            *self.saved.held() = all;
        }
        Ok(())
    }
}
