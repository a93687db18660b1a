//! A store and an index together, and the order that keeps them consistent.
//!
//! An entry is written before its aliases and deleted after them, so that an alias without an entry is the only
//! inconsistency there can be; such an alias is a miss. A key names an entry or an alias, and the latest save
//! decides which. Looking up is fail-open: it has no error to return.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use http::Uri;

use crate::counters::{Counters, Length};
use crate::recorder::{self, Recorder};
use crate::{
    CacheKey, CacheStats, CachedResponse, Error, RedirectIndex, ResponseHead, ResponseStore, Result,
    Revision, Served, StoredHead, Timestamp,
};

/// How many keys an operation that walks the whole index handles at a time.
const BATCH: usize = 512;

/// A cache: any response store with any redirect index.
///
/// Cloning is cheap; the clones are the same cache.
#[derive(Debug, Clone)]
pub struct CacheBackend {
    responses: Arc<dyn ResponseStore>,
    redirects: Arc<dyn RedirectIndex>,
    recorder: Recorder,
    counters: Arc<OnceLock<Counters>>,
}

impl CacheBackend {
    /// Returns the cache of these two parts.
    #[must_use]
    pub fn new(responses: Arc<dyn ResponseStore>, redirects: Arc<dyn RedirectIndex>) -> Self {
        Self { responses, redirects, recorder: Recorder::unnamed(), counters: Arc::default() }
    }

    /// Returns this cache with the label `cache` on all of its metrics, and its counters at zero.
    ///
    /// Name the caches of a process that has several: else their counters add up, and their gauges overwrite each
    /// other.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn named(self, cache: impl Into<String>) -> Self {
        Self { recorder: Recorder::of(cache.into()), counters: Arc::default(), ..self }
    }

    /// Returns the response store.
    #[must_use]
    pub fn responses(&self) -> &Arc<dyn ResponseStore> {
        &self.responses
    }

    /// Returns the redirect index.
    #[must_use]
    pub fn redirects(&self) -> &Arc<dyn RedirectIndex> {
        &self.redirects
    }

    /// Returns how many failures were passed over since this cache was made.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.counters.get().map_or(0, Counters::failures)
    }

    /// Returns what this cache has counted since it was made, all of its clones together, and what its store has.
    ///
    /// It looks at nothing but memory. Before anything was counted, no recorder of metrics is asked for or told anything.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let store = self.responses.stats();
        let Some(counters) = self.counters.get() else {
            return CacheStats { store, ..CacheStats::default() };
        };
        counters.tell(&store);
        counters.stats(store)
    }

    /// Counts a request that was answered.
    ///
    /// For those who answer requests from this cache; the client does so itself. The operations here count lookups
    /// and what is stored, and no requests.
    pub fn count(&self, served: &Served) {
        self.counters().served(served);
    }

    /// Counts and traces a failure of the cache that whoever made the request does not see as an error.
    ///
    /// For those who use the cache on behalf of a request; the operations here do so themselves.
    pub fn pass_over(&self, operation: &'static str, error: &Error) {
        self.counters().failed();
        let cause: &(dyn std::error::Error + 'static) = error;
        tracing::warn!(operation, kind = %error.kind(), error = cause, "the cache failed; going on without it");
    }

    /// Looks `key` up directly, then through at most one alias that has not ended at `now`.
    ///
    /// The entry's own expiry is not looked at. A failure of the store is [`Lookup::Failed`], which is a miss
    /// with a reason; one of the index is a miss. Both are traced and counted. At most two reads of the store and
    /// one of the index; a dropped future has no effect.
    pub async fn get_response(&self, key: &CacheKey, now: Timestamp) -> Lookup {
        let lookup = self.look_up(key, now).await;
        self.counters().looked_up(matches!(lookup, Lookup::Hit(_) | Lookup::AliasHit { .. }));
        lookup
    }

    async fn look_up(&self, key: &CacheKey, now: Timestamp) -> Lookup {
        match self.responses.read(key).await {
            Ok(Some(response)) => return Lookup::Hit(response),
            Ok(None) => {}
            Err(error) => return self.failed(error),
        }
        let Some(target) = self.resolve(key, now).await else { return Lookup::Miss };
        match self.responses.read(&target).await {
            Ok(Some(response)) => Lookup::AliasHit { target, response },
            Ok(None) => Lookup::Miss,
            Err(error) => self.failed(error),
        }
    }

    /// Stores `response` under `key`, then makes `aliases` lead to it.
    ///
    /// What was there under these keys is gone: an alias `key`, and entries under the aliases. If the future is
    /// dropped, the entry may be stored without its aliases, and what was there may be left beside it; a lookup
    /// then finds an entry before an alias.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::write`]. Aliases that cannot be written are only traced and counted: the
    /// entry is stored all the same.
    pub async fn save_response(
        &self,
        key: &CacheKey,
        response: CachedResponse,
        aliases: &Aliases,
    ) -> Result<()> {
        let CachedResponse { head, body, .. } = response;
        let (body, len) = Length::of(body);
        self.responses.write(key, CachedResponse::new(head, body)).await?;
        self.counters().stored(len.get());
        self.tell();
        if let Err(error) = self.save_aliases(key, aliases).await {
            self.pass_over("save_response", &error);
        }
        Ok(())
    }

    /// Makes `aliases` lead to the entry `key`, which was saved before.
    ///
    /// What was there under these keys is gone: an alias `key`, and entries under the aliases. If the future is
    /// dropped, either may be left; a lookup then finds an entry before an alias.
    ///
    /// # Errors
    ///
    /// Those of [`RedirectIndex::write`] and of [`ResponseStore::bulk_delete`].
    pub async fn save_aliases(&self, key: &CacheKey, aliases: &Aliases) -> Result<()> {
        // Asked first, because most saves have nothing to delete, and deleting is a write.
        if self.redirects.contains(key).await? {
            self.redirects.delete(key).await?;
        }
        let from: Vec<CacheKey> = aliases.keys.iter().filter(|alias| *alias != key).cloned().collect();
        if from.is_empty() {
            return Ok(());
        }
        self.redirects.write(&from, key, aliases.expires_at).await?;
        self.responses.bulk_delete(&from).await?;
        Ok(())
    }

    /// Gives the entry a new head if it is still at `revision`, as [`ResponseStore::update_head`] does.
    ///
    /// If the future is dropped, either head may be there.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::update_head`].
    pub async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        self.responses.update_head(key, revision, head).await
    }

    /// Deletes the entry under `key` and, if `key` is an alias, the entry that it leads to, ended or not.
    ///
    /// Returns whether there was either. All aliases of both go first; if the future is dropped, they may be gone
    /// and any of the entries still there.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::delete`]. Aliases that cannot be deleted are traced and counted: without
    /// their entry they are misses.
    pub async fn delete(&self, key: &CacheKey) -> Result<bool> {
        let alias = self.redirects.read(key).await.unwrap_or_else(|error| {
            self.pass_over("delete", &error);
            None
        });
        let mut keys = vec![key.clone()];
        keys.extend(alias.map(|alias| alias.target));
        Ok(self.bulk_delete(&keys).await? > 0)
    }

    /// Deletes the entries under `keys`, and all of their aliases; returns how many entries there were.
    ///
    /// Unlike [`CacheBackend::delete`], it does not take a key for an alias.
    /// If the future is dropped, any of them may be gone, aliases before their entries.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::bulk_delete`]; aliases as in [`CacheBackend::delete`].
    pub async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        if let Err(error) = self.redirects.delete_targets(keys).await {
            self.pass_over("bulk_delete", &error);
        }
        let deleted = match keys {
            [key] => u64::from(self.responses.delete(key).await?),
            _ => self.responses.bulk_delete(keys).await?,
        };
        self.tell();
        Ok(deleted)
    }

    /// Deletes everything, aliases first.
    ///
    /// If the future is dropped, any of it may be gone, aliases before their entries.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::clear`], else those of [`RedirectIndex::clear`]: the entries are cleared even
    /// when the aliases cannot be.
    pub async fn clear(&self) -> Result<()> {
        let aliases = self.redirects.clear().await;
        self.responses.clear().await?;
        self.tell();
        aliases
    }

    /// Returns whether [`CacheBackend::get_response`] would find something; a failure is `false`.
    ///
    /// A dropped future has no effect.
    pub async fn contains(&self, key: &CacheKey, now: Timestamp) -> bool {
        if self.has_entry(key).await {
            return true;
        }
        match self.resolve(key, now).await {
            Some(target) => self.has_entry(&target).await,
            None => false,
        }
    }

    /// Deletes what has expired at `now`, and the aliases that lead nowhere; returns how many entries went.
    ///
    /// It looks at every entry and every alias. If the future is dropped, any of these may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::delete_expired`]; aliases as in [`CacheBackend::delete`].
    pub async fn delete_expired_responses(&self, now: Timestamp) -> Result<u64> {
        if let Err(error) = self.redirects.delete_expired(now).await {
            self.pass_over("delete_expired_responses", &error);
        }
        let deleted = self.responses.delete_expired(now).await?;
        self.tell();
        if let Err(error) = self.delete_dangling().await {
            self.pass_over("delete_expired_responses", &error);
        }
        Ok(deleted)
    }

    /// Deletes the aliases that lead nowhere; returns how many. It looks at every alias.
    ///
    /// One that is written meanwhile, before its entry, may go too: it is a hint. If the future is dropped, any of these
    /// may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`RedirectIndex::values`], [`RedirectIndex::delete_targets`] and [`ResponseStore::contains`].
    pub async fn delete_dangling(&self) -> Result<u64> {
        let mut deleted = 0;
        let mut batches = self.redirects.values().ready_chunks(BATCH);
        while let Some(batch) = batches.next().await {
            let targets = batch.into_iter().map(|item| item.map(|(_, alias)| alias.target));
            let mut gone = Vec::new();
            for target in targets.collect::<Result<BTreeSet<_>>>()? {
                if !self.responses.contains(&target).await? {
                    gone.push(target);
                }
            }
            if !gone.is_empty() {
                deleted += self.redirects.delete_targets(&gone).await?;
            }
        }
        Ok(deleted)
    }

    /// Returns the URL of every entry, in no order, under the terms of [`ResponseStore::heads`].
    #[must_use]
    pub fn get_urls(&self) -> BoxStream<'static, Result<Uri>> {
        self.responses.heads().map(|item| item.map(|(_, StoredHead { head, .. })| head.url)).boxed()
    }

    /// Returns the key of every entry, under the terms of [`ResponseStore::keys`].
    #[must_use]
    pub fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.responses.keys()
    }

    /// Returns every response, under the terms of [`ResponseStore::values`].
    #[must_use]
    pub fn values(&self) -> BoxStream<'static, Result<CachedResponse>> {
        self.responses.values().map(|item| item.map(|(_, response)| response)).boxed()
    }

    /// Returns how many entries there are, without their aliases. A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::size`].
    pub async fn size(&self) -> Result<u64> {
        self.responses.size().await
    }

    /// Closes index and store.
    ///
    /// If the future is dropped, either may be closed or not; a second call closes what is left.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseStore::close`], else those of [`RedirectIndex::close`]; both are closed in any case.
    pub async fn close(&self) -> Result<()> {
        let redirects = self.redirects.close().await;
        self.responses.close().await?;
        redirects
    }

    /// Returns where the alias `key` leads at `now`; a failure is `None`.
    async fn resolve(&self, key: &CacheKey, now: Timestamp) -> Option<CacheKey> {
        match self.redirects.read(key).await {
            Ok(alias) => alias.filter(|alias| !alias.is_expired(now)).map(|alias| alias.target),
            Err(error) => {
                self.pass_over("resolve", &error);
                None
            }
        }
    }

    async fn has_entry(&self, key: &CacheKey) -> bool {
        self.responses.contains(key).await.unwrap_or_else(|error| {
            self.pass_over("contains", &error);
            false
        })
    }

    /// Returns the counters; the recorder of metrics is asked for its handles when something is first counted.
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(|| {
            let counters = Counters::new(self.recorder.clone());
            counters.tell(&self.responses.stats());
            counters
        })
    }

    /// Tells the recorder of metrics how full the store is, if there may be one.
    fn tell(&self) {
        if recorder::IS_THERE {
            self.counters().tell(&self.responses.stats());
        }
    }

    fn failed(&self, error: Error) -> Lookup {
        self.pass_over("get_response", &error);
        Lookup::Failed(error)
    }
}

/// What looking up a key found.
#[derive(Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// The key's own entry.
    Hit(CachedResponse),
    /// The entry that the key, an alias, leads to.
    AliasHit {
        /// The entry's key.
        target: CacheKey,
        /// The entry.
        response: CachedResponse,
    },
    /// Nothing.
    Miss,
    /// Nothing, because the store failed. Treat it as a miss.
    Failed(Error),
}

impl Lookup {
    /// Returns the response, if one was found.
    #[must_use]
    pub fn into_response(self) -> Option<CachedResponse> {
        match self {
            Self::Hit(response) | Self::AliasHit { response, .. } => Some(response),
            Self::Miss | Self::Failed(_) => None,
        }
    }
}

/// The keys that shall lead to an entry, and until when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Aliases {
    /// The aliases' own keys.
    pub keys: Vec<CacheKey>,
    /// When they end; `None` is never. Give the expiry of the least fresh redirect on the way.
    pub expires_at: Option<Timestamp>,
}

impl Aliases {
    /// Returns no aliases.
    #[must_use]
    pub const fn none() -> Self {
        Self { keys: Vec::new(), expires_at: None }
    }

    /// Returns aliases that end at `expires_at`.
    #[must_use]
    pub fn new(keys: Vec<CacheKey>, expires_at: Option<Timestamp>) -> Self {
        Self { keys, expires_at }
    }
}
