//! The contract of a store of responses.
//!
//! It is stated here once, and tested by `larder-conformance`; an implementation documents only what it adds.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::{CacheKey, CachedResponse, ResponseHead, Result, StoreStats, Timestamp};

/// A store of responses by key.
///
/// # Contract
///
/// - **Atomic.** For each key, a reader sees no entry or exactly one whole entry that some [`write`] stored
///   (perhaps with a head from [`update_head`]), whatever happens at the same time in this process or another.
/// - **Nothing is lost by failing.** An operation that returns an error, or whose future is dropped, leaves
///   behind of each entry what was there before or what it was to do, whole. What fails before it is visible
///   leaves what was there before.
/// - **A broken entry is a miss.** Bytes that do not match their checksums, and whatever else stands in the
///   entry's place, read as `Ok(None)`, and the next [`write`] replaces them. An error is for a store that
///   cannot say whether it has the entry.
/// - **Independent.** A failure with one key does not touch another.
/// - **A reader finishes.** A streamed body that a read returned goes on to its end or fails, even when the
///   entry is replaced or deleted meanwhile; it never continues with other bytes.
/// - **Expiry is the caller's.** No operation but [`delete_expired`] looks at `expires_at` and `delete_at`.
///
/// The costs named below are for a store that holds `n` entries.
///
/// [`write`]: ResponseStore::write
/// [`update_head`]: ResponseStore::update_head
/// [`delete_expired`]: ResponseStore::delete_expired
#[async_trait]
pub trait ResponseStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the entry under `key`; a miss is `Ok(None)`. O(1).
    ///
    /// The response carries the [`Revision`] that it was read at. Its body may be streamed; each byte was
    /// verified before it is handed out. A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// Any kind, when the store cannot tell whether it has the entry.
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>>;

    /// Returns the head of the entry under `key`, without reading its body. O(1).
    ///
    /// A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// As [`ResponseStore::read`].
    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>>;

    /// Stores `response` under `key`, in place of what was there. O(1) and linear in the body.
    ///
    /// A streamed body is consumed as it arrives, in bounded memory if the store can, and the entry is visible
    /// only when it is whole. The response's own revision is ignored. If the future is dropped, the previous
    /// entry stays, or the new one is stored whole.
    ///
    /// # Errors
    ///
    /// [`Body`](crate::ErrorKind::Body) when the body's source fails,
    /// [`TooLarge`](crate::ErrorKind::TooLarge) when the entry exceeds a limit, and any other kind when it
    /// cannot be stored. The previous entry is then still there; or the new one is, whole, when what failed came
    /// after it was visible, such as making it durable.
    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()>;

    /// Gives the entry a new head and keeps its body, if it is still at `revision`. O(1), or linear in the body.
    ///
    /// Returns whether it did: `false` when there is no entry, or it was written or updated since. The entry is
    /// then at another revision. If the future is dropped, either head may be there.
    ///
    /// # Errors
    ///
    /// Any kind; the entry is then as after a failed [`write`](ResponseStore::write): the old one, or the new one.
    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool>;

    /// Returns whether there is an entry under `key`. O(1).
    ///
    /// It need not verify the entry: a later read may still be a miss. A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// As [`ResponseStore::read`].
    async fn contains(&self, key: &CacheKey) -> Result<bool>;

    /// Deletes the entry under `key` and returns whether there was one. O(1).
    ///
    /// If the future is dropped, the entry may be there or not.
    ///
    /// # Errors
    ///
    /// Any kind, when the entry could not be deleted.
    async fn delete(&self, key: &CacheKey) -> Result<bool>;

    /// Deletes the entries under `keys` and returns how many there were. O(`keys`), in few round trips.
    ///
    /// A key that is named twice counts once. If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// The first failure, after all keys were tried.
    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64>;

    /// Deletes every entry; O(1) for the caller if the store can.
    ///
    /// An entry whose write has not returned when this is called may survive. If the future is dropped, all of
    /// the entries or none may be gone, or some if the store cannot do better.
    ///
    /// # Errors
    ///
    /// Any kind, when entries may be left.
    async fn clear(&self) -> Result<()>;

    /// Deletes the entries with `purge_at() <= now` and returns how many. At most O(n), in bounded memory.
    ///
    /// [`ResponseHead::purge_at`] is an entry's `delete_at`, and its `expires_at` if it has none.
    ///
    /// If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// The first failure, after all entries were tried.
    async fn delete_expired(&self, now: Timestamp) -> Result<u64>;

    /// Returns how many entries there are; an entry that would read as a miss may count. At most O(n).
    ///
    /// A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// Any kind, when they cannot be counted.
    async fn size(&self) -> Result<u64>;

    /// Returns the keys, in no order. O(n) in all, in bounded memory if the store can.
    ///
    /// An entry that is there from the first poll (not from the call) to the end is listed exactly once; one that
    /// is written or deleted meanwhile may be listed or not. An item may be an error; only a failure of the
    /// listing itself ends the stream. A stream may be dropped at any item.
    fn keys(&self) -> BoxStream<'static, Result<CacheKey>>;

    /// Returns each entry's key and head, in no order, under the terms of [`ResponseStore::keys`]. O(n) in all.
    ///
    /// A broken entry is left out, or an error that names its key, and never ends the stream.
    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>>;

    /// Returns each entry's key and response, in no order, under the terms of [`ResponseStore::heads`].
    ///
    /// O(n) in all, and linear in what is read of the bodies.
    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>>;

    /// Returns what the store has counted since it was opened, and how full it is as far as it knows. O(1).
    ///
    /// It looks at nothing but memory and may be called at any time, after [`ResponseStore::close`] too. Where the
    /// store says how full it is, that is right whenever no operation is under way, except for what other instances
    /// did since this one last looked.
    fn stats(&self) -> StoreStats;

    /// Finishes what is under way and releases connections and threads; a second call does nothing. O(1).
    ///
    /// Operations afterwards may fail with [`Closed`](crate::ErrorKind::Closed). If the future is dropped, the
    /// store may be closed or not, and may be closed again.
    ///
    /// # Errors
    ///
    /// Any kind, when something that was promised could not be finished.
    async fn close(&self) -> Result<()>;
}

/// What [`ResponseStore::read_head`] returns: an entry without its body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredHead {
    /// The head.
    pub head: ResponseHead,
    /// The revision at which it was read.
    pub revision: Revision,
    /// The length of the body that a read would return, in bytes.
    pub body_len: u64,
}

impl StoredHead {
    /// Returns the head of an entry at `revision` with a body of `body_len` bytes.
    #[must_use]
    pub fn new(head: ResponseHead, revision: Revision, body_len: u64) -> Self {
        Self { head, revision, body_len }
    }
}

/// Which write of an entry this is; opaque, and meaningful only to the store that gave it.
///
/// Two writes of one key never have the same revision, whatever they store.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Bytes);

impl Revision {
    /// Returns a revision of the bytes that the store identifies a write by.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({:?})", self.0)
    }
}
