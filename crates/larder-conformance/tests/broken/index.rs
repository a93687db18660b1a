//! An index in memory with one flaw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt};
use larder_conformance::{Fixture, Instance};
use larder_core::{
    Alias, BoxError, BoxStream, CacheKey, Error, ErrorKind, RedirectIndex, Result, Timestamp, async_trait,
};
use larder_memory::{MemoryRedirects, MemoryStore};

use crate::store::{Held, at_once};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Flaw {
    None,
    FollowsChains,
    IgnoresKeyCase,
    WritesTheFirstKeyOnly,
    KeepsTheFirstTarget,
    ForgetsExpiry,
    CountsInSeconds,
    LimitsParameters,
    ReadHidesEnded,
    ContainsAlwaysTrue,
    DeleteAlwaysTrue,
    DeleteTakesTheTargetsAliases,
    BulkDeleteStopsAtAbsent,
    BulkDeleteCountsKeys,
    BulkDeleteOfNothingClears,
    DeleteTargetsDoesNothing,
    DeleteTargetsTakesTheFirst,
    DeleteTargetsTakesOwnKeys,
    ExpiresTooLate,
    NeverMeansEnded,
    ClearDoesNothing,
    SizeCountsWrites,
    KeysListsTwice,
    KeysListsTargets,
    ValuesForgetsExpiry,
    ListsAsOfTheCall,
    RemembersReads,
    ClosesOnce,
}

/// A place in memory that outlives its instances.
pub(crate) struct Place {
    flaw: Flaw,
    store: MemoryStore,
    index: MemoryRedirects,
    writes: Arc<Mutex<u64>>,
}

impl Place {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, store: MemoryStore::new(), index: MemoryRedirects::new(), writes: Arc::default() }
    }
}

#[async_trait]
impl Fixture for Place {
    async fn open(&self) -> Result<Instance, BoxError> {
        let index = Flawed {
            flaw: self.flaw,
            inner: self.index.clone(),
            writes: Arc::clone(&self.writes),
            remembered: Mutex::default(),
            closes: Mutex::default(),
        };
        Ok(Instance::new(Arc::new(self.store.clone()), Arc::new(index)))
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        Ok(self.index.clear().await?)
    }
}

#[derive(Debug)]
struct Flawed {
    flaw: Flaw,
    inner: MemoryRedirects,
    writes: Arc<Mutex<u64>>,
    /// What was read before, for [`Flaw::RemembersReads`].
    remembered: Mutex<HashMap<CacheKey, Alias>>,
    closes: Mutex<u64>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, key: &CacheKey) -> CacheKey {
        if !self.has(Flaw::IgnoresKeyCase) {
            return key.clone();
        }
        CacheKey::new(key.as_str().to_lowercase()).expect("as valid as before")
    }

    fn within_limits(&self, keys: &[CacheKey]) -> Result<()> {
        if self.has(Flaw::LimitsParameters) && keys.len() > 32_766 {
            return Err(Error::new(ErrorKind::Other, "too many parameters"));
        }
        Ok(())
    }
}

#[async_trait]
impl RedirectIndex for Flawed {
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>> {
        let from = self.key(from);
        if let Some(alias) = self.remembered.held().get(&from) {
            return Ok(Some(alias.clone()));
        }
        let Some(mut alias) = self.inner.read(&from).await? else { return Ok(None) };
        if self.has(Flaw::FollowsChains)
            && let Some(next) = self.inner.read(&alias.target).await?
        {
            alias = next;
        }
        if self.has(Flaw::ReadHidesEnded) && alias.is_expired(SystemTime::now().into()) {
            return Ok(None);
        }
        if self.has(Flaw::RemembersReads) {
            self.remembered.held().insert(from, alias.clone());
        }
        Ok(Some(alias))
    }

    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()> {
        self.within_limits(from)?;
        self.remembered.held().clear();
        *self.writes.held() += from.len() as u64;
        let mut from: Vec<CacheKey> = from.iter().map(|key| self.key(key)).collect();
        if self.has(Flaw::WritesTheFirstKeyOnly) {
            from.truncate(1);
        }
        if self.has(Flaw::KeepsTheFirstTarget) {
            let mut new = Vec::new();
            for key in from {
                if !self.inner.contains(&key).await? {
                    new.push(key);
                }
            }
            from = new;
        }
        let expires_at = match self.flaw {
            Flaw::ForgetsExpiry => None,
            Flaw::CountsInSeconds => {
                expires_at.map(|end| Timestamp::from_millis(end.as_millis() / 1_000 * 1_000))
            }
            _ => expires_at,
        };
        self.inner.write(&from, &self.key(target), expires_at).await
    }

    async fn contains(&self, from: &CacheKey) -> Result<bool> {
        Ok(self.has(Flaw::ContainsAlwaysTrue) || self.inner.contains(&self.key(from)).await?)
    }

    async fn delete(&self, from: &CacheKey) -> Result<bool> {
        self.remembered.held().clear();
        let from = self.key(from);
        if self.has(Flaw::DeleteTakesTheTargetsAliases)
            && let Some(alias) = self.inner.read(&from).await?
        {
            return Ok(self.inner.delete_targets(&[alias.target]).await? > 0);
        }
        Ok(self.inner.delete(&from).await? || self.has(Flaw::DeleteAlwaysTrue))
    }

    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64> {
        self.within_limits(from)?;
        self.remembered.held().clear();
        if self.has(Flaw::BulkDeleteOfNothingClears) && from.is_empty() {
            let size = self.inner.size().await?;
            self.inner.clear().await?;
            return Ok(size);
        }
        let mut count = 0;
        for key in from {
            let deleted = self.inner.delete(&self.key(key)).await?;
            if !deleted && self.has(Flaw::BulkDeleteStopsAtAbsent) {
                break;
            }
            count += u64::from(deleted || self.has(Flaw::BulkDeleteCountsKeys));
        }
        Ok(count)
    }

    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64> {
        self.within_limits(targets)?;
        self.remembered.held().clear();
        let targets: Vec<CacheKey> = targets.iter().map(|key| self.key(key)).collect();
        match self.flaw {
            Flaw::DeleteTargetsDoesNothing => Ok(0),
            Flaw::DeleteTargetsTakesTheFirst => {
                self.inner.delete_targets(&targets[..targets.len().min(1)]).await
            }
            Flaw::DeleteTargetsTakesOwnKeys => {
                Ok(self.inner.delete_targets(&targets).await? + self.inner.bulk_delete(&targets).await?)
            }
            _ => self.inner.delete_targets(&targets).await,
        }
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.remembered.held().clear();
        if self.has(Flaw::NeverMeansEnded) {
            let never = |(key, alias): (CacheKey, Alias)| alias.expires_at.is_none().then_some(key);
            let all: Vec<_> = self.inner.values().try_collect().await?;
            let never: Vec<CacheKey> = all.into_iter().filter_map(never).collect();
            return Ok(self.inner.bulk_delete(&never).await? + self.inner.delete_expired(now).await?);
        }
        let now =
            if self.has(Flaw::ExpiresTooLate) { Timestamp::from_millis(now.as_millis() - 1) } else { now };
        self.inner.delete_expired(now).await
    }

    async fn clear(&self) -> Result<()> {
        self.remembered.held().clear();
        if self.has(Flaw::ClearDoesNothing) { Ok(()) } else { self.inner.clear().await }
    }

    async fn size(&self) -> Result<u64> {
        if self.has(Flaw::SizeCountsWrites) { Ok(*self.writes.held()) } else { self.inner.size().await }
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        match self.flaw {
            Flaw::KeysListsTwice => self.inner.keys().chain(self.inner.keys()).boxed(),
            Flaw::ListsAsOfTheCall => at_once(self.inner.keys()),
            Flaw::KeysListsTargets => self.inner.values().map_ok(|(_, alias)| alias.target).boxed(),
            _ => self.inner.keys(),
        }
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>> {
        let forgets = self.has(Flaw::ValuesForgetsExpiry);
        let view = move |(key, mut alias): (CacheKey, Alias)| {
            alias.expires_at = alias.expires_at.filter(|_| !forgets);
            (key, alias)
        };
        let values = self.inner.values().map_ok(view).boxed();
        if self.has(Flaw::ListsAsOfTheCall) { at_once(values) } else { values }
    }

    async fn close(&self) -> Result<()> {
        let mut closes = self.closes.held();
        *closes += 1;
        if *closes > 1 && self.has(Flaw::ClosesOnce) {
            return Err(Error::new(ErrorKind::Closed, "closed already"));
        }
        Ok(())
    }
}
