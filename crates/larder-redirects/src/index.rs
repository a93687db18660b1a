//! The index itself: each operation is answered from memory or is one hop to a blocking thread at most.

use std::fmt;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use larder_core::{Alias, BoxStream, CacheKey, Error, RedirectIndex, Result, Timestamp, async_trait};
use rusqlite::Connection;

use crate::builder::SqliteRedirectsBuilder;
use crate::change::Change;
use crate::error::Cause;
use crate::lanes::Lanes;
use crate::mirror::Rows;
use crate::queries::{self, Column};

/// Of how many keys it is asked at once, on the caller's thread, whether deleting them is needless.
const MOST_ASKED: usize = 64;

/// A redirect index in an SQLite database.
///
/// A lookup is answered from memory, on the caller's thread, while the [copy] there is the database's content; so is
/// the deletion of what is not there. Other operations run on blocking threads of the Tokio runtime that they are
/// called in, or else of the one that the index was opened in. Writes that queue share a transaction, on a thread of the
/// runtime of whoever came first; should that one shut down before, the index's own takes them over.
///
/// If an operation's future is dropped, the operation may be done all the same, and whole. Dropping the index closes its
/// connections; [`close`](RedirectIndex::close) also folds the log into the database.
///
/// Its errors beyond those of the contract: [`Unavailable`](larder_core::ErrorKind::Unavailable) when another
/// process held the database longer than the busy timeout, [`StorageFull`](larder_core::ErrorKind::StorageFull),
/// [`PermissionDenied`](larder_core::ErrorKind::PermissionDenied) also when it is read-only, and
/// [`Unsupported`](larder_core::ErrorKind::Unsupported) when a newer larder has taken the path.
///
/// [copy]: SqliteRedirectsBuilder::max_rows_in_memory
pub struct SqliteRedirects {
    lanes: Arc<Lanes>,
}

impl SqliteRedirects {
    /// Returns the options of an index at `path`, by convention `redirects.sqlite` in a cache directory.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteRedirectsBuilder {
        SqliteRedirectsBuilder::new(path.into())
    }

    pub(crate) fn new(lanes: Lanes) -> Self {
        Self { lanes: Arc::new(lanes) }
    }

    /// Returns the path of the database, absolute and without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.lanes.database().path()
    }

    #[cfg(test)]
    pub(crate) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    async fn delete_by(&self, operation: &'static str, column: Column, keys: &[CacheKey]) -> Result<u64> {
        let is_absent = |rows: &Rows, key: &CacheKey| match column {
            Column::Key => rows.get(key).is_none(),
            Column::Value => !rows.has_target(key),
        };
        let are_absent = |rows: &Rows| keys.iter().all(|key| is_absent(rows, key));
        if keys.is_empty() || keys.len() <= MOST_ASKED && self.lanes.is_needless(are_absent) {
            return Ok(0);
        }
        self.change(operation, Change::Delete(column, sorted(keys))).await
    }

    async fn change(&self, operation: &'static str, change: Change) -> Result<u64> {
        self.lanes.change(change).await.map_err(|cause| self.error(operation, cause))
    }

    async fn query<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Fn(&Connection) -> Result<T, Cause> + Send + 'static,
    ) -> Result<T> {
        self.lanes.read(work).await.map_err(|cause| self.error(operation, cause))
    }

    fn error(&self, operation: &'static str, cause: Arc<Cause>) -> Error {
        cause.into_shared_error(operation, self.path())
    }
}

impl fmt::Debug for SqliteRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRedirects")
            .field("path", &self.path())
            .field("durability", &self.lanes.database().durability())
            .field("answered_from_memory", &self.lanes.answered())
            .field("transactions", &self.lanes.batches())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RedirectIndex for SqliteRedirects {
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>> {
        if let Some(alias) = self.lanes.ask(|rows| Some(rows.get(from).cloned())) {
            return Ok(alias);
        }
        let key = from.clone();
        let result = self.query("read", move |db| queries::read(db, &key)).await;
        result.map_err(|error| error.with_key(from))
    }

    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()> {
        if from.is_empty() {
            return Ok(());
        }
        let write = Change::Write { from: sorted(from), alias: Alias::new(target.clone(), expires_at) };
        self.change("write", write).await.map_err(|error| error.with_context("target", target))?;
        Ok(())
    }

    async fn contains(&self, from: &CacheKey) -> Result<bool> {
        if let Some(contains) = self.lanes.ask(|rows| Some(rows.get(from).is_some())) {
            return Ok(contains);
        }
        let key = from.clone();
        let result = self.query("contains", move |db| Ok(queries::read(db, &key)?.is_some())).await;
        result.map_err(|error| error.with_key(from))
    }

    async fn delete(&self, from: &CacheKey) -> Result<bool> {
        let keys = slice::from_ref(from);
        let deleted =
            self.delete_by("delete", Column::Key, keys).await.map_err(|error| error.with_key(from))?;
        Ok(deleted > 0)
    }

    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64> {
        self.delete_by("bulk_delete", Column::Key, from).await
    }

    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64> {
        self.delete_by("delete_targets", Column::Value, targets).await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.change("delete_expired", Change::DeleteExpired(now)).await
    }

    async fn clear(&self) -> Result<()> {
        self.change("clear", Change::Clear).await.map(drop)
    }

    /// O(n): SQLite counts the rows. Rows that somebody else put there are counted too.
    async fn size(&self) -> Result<u64> {
        self.query("size", queries::size).await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.values().map_ok(|(key, _)| key).boxed()
    }

    /// One hop for each 512 rows, when they are polled for; no connection is held in between.
    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>> {
        let (lanes, path) = (self.lanes.clone(), self.path().to_owned());
        let pages = stream::try_unfold(Some(Vec::new()), move |after| {
            let (lanes, path) = (lanes.clone(), path.clone());
            async move {
                let Some(after) = after else { return Ok::<_, Error>(None) };
                let page = lanes.read(move |db| queries::page(db, &after)).await;
                let page = page.map_err(|cause| cause.into_shared_error("values", &path))?;
                Ok(Some((stream::iter(page.rows.into_iter().map(Ok)), page.next)))
            }
        });
        pages.try_flatten().boxed()
    }

    async fn close(&self) -> Result<()> {
        self.lanes.close().await.map_err(|cause| cause.into_error("close", self.path()))
    }
}

/// Returns a copy of `keys` in the order of the database's pages, each of which is then written once.
fn sorted(keys: &[CacheKey]) -> Vec<CacheKey> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys
}
