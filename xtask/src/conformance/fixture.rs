//! The places that the suite works in: one new directory for each case, gone when the case has ended.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use larder_conformance::{Capability, Fixture, Instance, Subject};
use larder_core::{BoxError, CacheKey, async_trait};
use larder_memory::{MemoryRedirects, MemoryStore};
use larder_redirects::SqliteRedirects;
use larder_tier::MemoryTier;
use tempfile::TempDir;

use crate::variant::{Format, Variant};

/// Returns the memory backend.
pub(super) fn memory() -> Subject {
    Subject::new(|| Memory)
        .without(Capability::Sharing, "each instance has a memory of its own")
        .without(Capability::Durability, "it keeps nothing once it is dropped")
        .without(Capability::Corruption, "there are no stored bytes")
}

/// Returns the file store of one variant and format, with the redirect index beside it.
pub(super) fn file(variant: Variant, format: Format) -> Subject {
    Subject::new(move || Directory::new(Some((variant, format))))
}

/// Returns the memory tier in front of the memory backend.
pub(super) fn tier_over_memory() -> Subject {
    Subject::new(|| Tier::new(Memory, Duration::from_secs(1)))
        .without(Capability::Sharing, "each instance has a memory of its own")
        .without(Capability::Durability, "it keeps nothing once it is dropped")
        .without(Capability::Corruption, "there are no stored bytes")
}

/// Returns the memory tier in front of the file store.
pub(super) fn tier_over_file(variant: Variant, format: Format) -> Subject {
    Subject::new(move || Tier::new(Directory::new(Some((variant, format))), Duration::from_secs(1)))
        .without(Capability::Sharing, "what another instance did is seen a second later")
}

/// Returns the memory tier in front of the file store, with every hit checked.
pub(super) fn checked_tier_over_file(variant: Variant, format: Format) -> Subject {
    Subject::new(move || Tier::new(Directory::new(Some((variant, format))), Duration::ZERO))
}

/// Returns the redirect index alone.
pub(super) fn redirects() -> Subject {
    Subject::new(|| Directory::new(None)).without(Capability::Responses, "it is an index alone")
}

struct Memory;

#[async_trait]
impl Fixture for Memory {
    async fn open(&self) -> Result<Instance, BoxError> {
        Ok(Instance::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new())))
    }
}

/// A tier in front of whatever another fixture opens.
struct Tier<F> {
    behind: F,
    staleness: Duration,
    opened: Mutex<Vec<Arc<MemoryTier>>>,
}

impl<F> Tier<F> {
    fn new(behind: F, staleness: Duration) -> Self {
        Self { behind, staleness, opened: Mutex::default() }
    }
}

#[async_trait]
impl<F: Fixture> Fixture for Tier<F> {
    async fn open(&self) -> Result<Instance, BoxError> {
        let behind = self.behind.open().await?;
        let (Some(responses), Some(redirects)) = (behind.responses(), behind.redirects()) else {
            return Err("there are not both a store and an index behind the tier".into());
        };
        let tier = MemoryTier::builder(Arc::clone(responses)).max_staleness(self.staleness).build()?;
        let tier = Arc::new(tier);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&tier));
        Ok(Instance::new(tier, Arc::clone(redirects)))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        self.behind.stored_entry(key).await
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        self.behind.set_stored_entry(key, bytes).await?;
        for tier in self.opened.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            tier.forget();
        }
        Ok(())
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        self.behind.damage_index().await
    }
}

struct Directory {
    place: TempDir,
    store: Option<(Variant, Format)>,
    /// Where entries were found: a store may have removed one that is damaged before the next damage is done.
    found: Mutex<HashMap<CacheKey, PathBuf>>,
}

impl Directory {
    fn new(store: Option<(Variant, Format)>) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        Self { place, store, found: Mutex::default() }
    }

    fn cache(&self) -> PathBuf {
        self.place.path().join("cache")
    }

    /// Returns the file of the entry of `key`, in whichever layout.
    fn entry(&self, key: &CacheKey) -> Result<PathBuf, BoxError> {
        let mut found = self.found.lock().expect("nothing panics with the lock");
        if let Some(path) = found.get(key) {
            return Ok(path.clone());
        }
        let path = find(&self.cache().join("responses"), key.as_str())?;
        let path = path.ok_or_else(|| format!("there is no file of the entry {key}"))?;
        found.insert(key.clone(), path.clone());
        Ok(path)
    }
}

#[async_trait]
impl Fixture for Directory {
    async fn open(&self) -> Result<Instance, BoxError> {
        let path = self.cache();
        let Some((variant, format)) = self.store else {
            let redirects =
                SqliteRedirects::builder(self.place.path().join("redirects.sqlite")).open().await?;
            return Ok(Instance::redirects_only(Arc::new(redirects)));
        };
        let store = variant.builder(&path, format.codecs()).open().await?;
        let redirects = SqliteRedirects::builder(path.join("redirects.sqlite")).open().await?;
        Ok(Instance::new(Arc::new(store), Arc::new(redirects)))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        Ok(fs::read(self.entry(key)?)?)
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        Ok(fs::write(self.entry(key)?, bytes)?)
    }

    async fn damage_index(&self) -> Result<(), BoxError> {
        let directory = if self.store.is_some() { self.cache() } else { self.place.path().to_owned() };
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("redirects.sqlite"))
                && path.is_file()
            {
                fs::write(path, b"no database is like this\n".repeat(1_000))?;
            }
        }
        Ok(())
    }
}

fn find(directory: &Path, name: &str) -> Result<Option<PathBuf>, BoxError> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}
