//! The contract of an index of redirects.
//!
//! It is stated here once, and tested by `larder-conformance`. An index is a hint: losing it costs a request its
//! short cut, never its response.

use std::fmt;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::{CacheKey, Result, Timestamp};

/// An index from the key of a redirected request, an *alias*, to the key of the entry that it led to.
///
/// # Contract
///
/// - Resolution is one hop: what an alias leads to is never looked up as an alias.
/// - Each operation is atomic. If its future is dropped, or it returns an error, all of its rows are changed or
///   none, except in bulk operations, where any may be.
/// - A broken index is an empty one: `Ok(None)`, and the next write works again.
/// - Expiry is the caller's: no operation but [`delete_expired`](RedirectIndex::delete_expired) looks at it.
///
/// The costs named below are for an index that holds `n` aliases; where O(1) is said, O(log n) will do.
#[async_trait]
pub trait RedirectIndex: fmt::Debug + Send + Sync + 'static {
    /// Returns where the alias `from` leads; a miss is `Ok(None)`. O(1).
    ///
    /// A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// Any kind, when the index cannot tell.
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>>;

    /// Makes every key of `from` an alias of `target` until `expires_at`, in place of what it was. O(`from`).
    ///
    /// If the future is dropped, all of them are changed or none.
    ///
    /// # Errors
    ///
    /// Any kind; then none of them is changed.
    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()>;

    /// Returns whether `from` is an alias. O(1).
    ///
    /// A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// As [`RedirectIndex::read`].
    async fn contains(&self, from: &CacheKey) -> Result<bool>;

    /// Deletes the alias `from` and returns whether there was one. O(1).
    ///
    /// If the future is dropped, the alias may be there or not.
    ///
    /// # Errors
    ///
    /// Any kind, when it may still be there.
    async fn delete(&self, from: &CacheKey) -> Result<bool>;

    /// Deletes the aliases `from` and returns how many there were. O(`from`), in few round trips.
    ///
    /// It takes any number of keys. If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Any kind, when some may still be there.
    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64>;

    /// Deletes every alias of each of `targets` and returns how many there were, in few round trips.
    ///
    /// Linear in `targets` and in what is deleted; at most O(n) where the index has no way back from a target. It
    /// takes any number of targets. If the future is dropped, any of their aliases may be gone.
    ///
    /// # Errors
    ///
    /// Any kind, when some may still be there.
    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64>;

    /// Deletes the aliases with `expires_at <= now` and returns how many. At most O(n), in bounded memory.
    ///
    /// If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Any kind, when some may still be there.
    async fn delete_expired(&self, now: Timestamp) -> Result<u64>;

    /// Deletes every alias. At most O(n).
    ///
    /// If the future is dropped, all of them are gone or none.
    ///
    /// # Errors
    ///
    /// Any kind, when some may still be there.
    async fn clear(&self) -> Result<()>;

    /// Returns how many aliases there are. At most O(n).
    ///
    /// A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// Any kind, when they cannot be counted.
    async fn size(&self) -> Result<u64>;

    /// Returns the aliases' own keys, in no order. O(n) in all, in bounded memory if the index can.
    ///
    /// An alias that is there from the first poll (not from the call) to the end is listed exactly once. A stream
    /// may be dropped at any item.
    fn keys(&self) -> BoxStream<'static, Result<CacheKey>>;

    /// Returns each alias's own key and where it leads, under the terms of [`RedirectIndex::keys`].
    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>>;

    /// Finishes what is under way and releases connections and threads; a second call does nothing. O(1).
    ///
    /// Operations afterwards may fail with [`Closed`](crate::ErrorKind::Closed). If the future is dropped, the
    /// index may be closed or not, and may be closed again.
    ///
    /// # Errors
    ///
    /// Any kind, when something that was promised could not be finished.
    async fn close(&self) -> Result<()>;
}

/// Where an alias leads, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// The key of the entry.
    pub target: CacheKey,
    /// When the alias ends; `None` is never.
    pub expires_at: Option<Timestamp>,
}

impl Alias {
    /// Returns an alias of `target` that ends at `expires_at`.
    #[must_use]
    pub fn new(target: CacheKey, expires_at: Option<Timestamp>) -> Self {
        Self { target, expires_at }
    }

    /// Returns whether the alias has ended at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}
