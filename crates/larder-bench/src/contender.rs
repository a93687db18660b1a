//! What is compared: anything that keeps bytes by key, and anything that answers requests from what it kept.
//!
//! A contender does the whole work: what a read returns is every byte that was written, in memory, in one piece.

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey};

/// What is left of a write that has returned, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "every contender is one of them")]
pub enum Survives {
    /// The process's end may lose it.
    Nothing,
    /// The process's end keeps it; a write that is cut off, or a power loss, may leave a part of it.
    Torn,
    /// The process's end keeps it; whatever happens, it is there whole or not at all.
    Whole,
    /// A power loss keeps it.
    PowerLoss,
}

/// What a contender promises, in a few words each; it is shown beside its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "every contender says all of it")]
pub struct Terms {
    /// What a write that has returned survives.
    pub durability: &'static str,
    /// The same, to be compared.
    pub survives: Survives,
    /// What a read compares before it hands out bytes.
    pub verification: &'static str,
    /// Who may use it at the same time.
    pub processes: &'static str,
    /// Whether a read is answered from this process's own memory.
    pub in_memory: bool,
}

/// Something that keeps bytes by key, through its public asynchronous interface.
#[async_trait]
pub trait Contender: Send + Sync {
    /// Returns what a table calls it.
    fn name(&self) -> &'static str;

    /// Returns what it promises.
    fn terms(&self) -> Terms;

    /// Stores `body` under `key`, in place of what was there.
    ///
    /// # Errors
    ///
    /// When it could not be stored.
    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError>;

    /// Returns the whole body under `key`; a miss is `None`.
    ///
    /// # Errors
    ///
    /// When it could not be read.
    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError>;

    /// Returns whether there is something under `key`.
    ///
    /// # Errors
    ///
    /// When it cannot tell.
    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError>;

    /// Deletes what is under `key` and returns whether there was something.
    ///
    /// # Errors
    ///
    /// When it could not be deleted.
    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError>;

    /// Waits until what was written is where a read finds it, for stores that write behind.
    ///
    /// # Errors
    ///
    /// When it never will be.
    async fn settle(&self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A whole client: a request in, a response out, from an origin that is asked once for each URL.
#[async_trait]
pub trait WholeClient: Send + Sync {
    /// Returns what a table calls it.
    fn name(&self) -> &'static str;

    /// Returns what its cache promises.
    fn terms(&self) -> Terms;

    /// Returns whether it has a cache.
    fn caches(&self) -> bool {
        true
    }

    /// Gets `url` and returns the whole body.
    ///
    /// # Errors
    ///
    /// When there is no response, or its status is not 200.
    async fn get(&self, url: &str) -> Result<Bytes, BoxError>;
}
