//! Aliases in memory.
//!
//! Every operation takes the lock once, so that each of them is atomic, bulk operations too.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{FutureExt, StreamExt, future, stream};
use larder_core::{Alias, BoxStream, CacheKey, RedirectIndex, Result, Timestamp, async_trait};

/// A redirect index in memory, without a bound.
///
/// Cloning is cheap; the clones are the same index.
#[derive(Clone, Default)]
pub struct MemoryRedirects {
    aliases: Arc<Mutex<HashMap<CacheKey, Alias>>>,
}

impl MemoryRedirects {
    /// Returns an empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the map, which is whole at any time.
    fn aliases(&self) -> MutexGuard<'_, HashMap<CacheKey, Alias>> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes the aliases that `ended` says yes to and returns how many.
    fn delete_if(&self, ended: impl Fn(&Alias) -> bool) -> u64 {
        self.aliases().extract_if(|_, alias| ended(alias)).count() as u64
    }
}

#[async_trait]
impl RedirectIndex for MemoryRedirects {
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>> {
        Ok(self.aliases().get(from).cloned())
    }

    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()> {
        let alias = Alias::new(target.clone(), expires_at);
        self.aliases().extend(from.iter().map(|key| (key.clone(), alias.clone())));
        Ok(())
    }

    async fn contains(&self, from: &CacheKey) -> Result<bool> {
        Ok(self.aliases().contains_key(from))
    }

    async fn delete(&self, from: &CacheKey) -> Result<bool> {
        Ok(self.aliases().remove(from).is_some())
    }

    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64> {
        let mut aliases = self.aliases();
        Ok(from.iter().filter(|key| aliases.remove(*key).is_some()).count() as u64)
    }

    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64> {
        let targets: HashSet<&CacheKey> = targets.iter().collect();
        Ok(self.delete_if(|alias| targets.contains(&alias.target)))
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        Ok(self.delete_if(|alias| alias.is_expired(now)))
    }

    async fn clear(&self) -> Result<()> {
        self.aliases().clear();
        Ok(())
    }

    async fn size(&self) -> Result<u64> {
        Ok(self.aliases().len() as u64)
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.values().map(|item| item.map(|(key, _)| key)).boxed()
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>> {
        let index = self.clone();
        let listing = future::lazy(move |_| {
            let keys: Vec<CacheKey> = index.aliases().keys().cloned().collect();
            stream::iter(keys).filter_map(move |key| {
                let alias = index.aliases().get(&key).cloned();
                future::ready(alias.map(|alias| Ok((key, alias))))
            })
        });
        listing.flatten_stream().boxed()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for MemoryRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRedirects").field("aliases", &self.aliases().len()).finish()
    }
}
