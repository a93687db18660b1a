//! The backend in memory: for tests and short programs, and to see what the file backend adds.

use std::sync::Arc;

use larder_core::CacheBackend;
use larder_memory::{MemoryRedirects, MemoryStore};

/// A cache in the memory of this process, without a bound and without options so far.
///
/// # Examples
///
/// ```
/// let cache = larder::MemoryBackend::new().open();
/// assert_eq!(cache.failures(), 0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "there is no cache before `open`"]
pub struct MemoryBackend(());

impl MemoryBackend {
    /// Returns the options of a cache in memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a new, empty cache; it cannot fail.
    #[must_use]
    pub fn open(self) -> CacheBackend {
        CacheBackend::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()))
    }
}
