//! The index itself: each operation is one hop to a blocking thread, and at most one transaction or batch of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use larder_core::{Alias, BoxStream, CacheKey, Error, RedirectIndex, Result, Timestamp, async_trait};

use crate::builder::SqliteRedirectsBuilder;
use crate::lanes::{Access, Lanes};

use crate::queries::{self, Column};

/// A redirect index in an SQLite database.
///
/// Operations run on blocking threads of the Tokio runtime that they are called in, or else of the one that the
/// index was opened in. If an operation's future is dropped, the operation may be done all the same, and whole.
/// Dropping the index closes its connections; [`close`](RedirectIndex::close) also folds the log into the database.
///
/// Its errors beyond those of the contract: [`Unavailable`](larder_core::ErrorKind::Unavailable) when another
/// process held the database longer than the busy timeout, [`StorageFull`](larder_core::ErrorKind::StorageFull),
/// [`PermissionDenied`](larder_core::ErrorKind::PermissionDenied) also when it is read-only, and
/// [`Unsupported`](larder_core::ErrorKind::Unsupported) when a newer larder has taken the path.
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

    async fn bulk_delete_by(
        &self,
        operation: &'static str,
        column: Column,
        keys: &[CacheKey],
    ) -> Result<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        let keys = sorted(keys);
        self.lanes.run(operation, Access::Write, move |db| queries::bulk_delete(db, column, &keys)).await
    }
}

impl fmt::Debug for SqliteRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRedirects")
            .field("path", &self.path())
            .field("durability", &self.lanes.database().durability())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RedirectIndex for SqliteRedirects {
    async fn read(&self, from: &CacheKey) -> Result<Option<Alias>> {
        let key = from.clone();
        let result = self.lanes.run("read", Access::Read, move |db| queries::read(db, &key)).await;
        result.map_err(|error| error.with_key(from))
    }

    async fn write(&self, from: &[CacheKey], target: &CacheKey, expires_at: Option<Timestamp>) -> Result<()> {
        if from.is_empty() {
            return Ok(());
        }
        let (from, to) = (sorted(from), target.clone());
        let work = move |db: &mut _| queries::write(db, &from, &to, expires_at);
        self.lanes
            .run("write", Access::Write, work)
            .await
            .map_err(|error| error.with_context("target", target))
    }

    async fn contains(&self, from: &CacheKey) -> Result<bool> {
        let key = from.clone();
        let work = move |db: &mut _| Ok(queries::read(db, &key)?.is_some());
        self.lanes.run("contains", Access::Read, work).await.map_err(|error| error.with_key(from))
    }

    async fn delete(&self, from: &CacheKey) -> Result<bool> {
        let key = from.clone();
        let result = self.lanes.run("delete", Access::Write, move |db| queries::delete(db, &key)).await;
        result.map_err(|error| error.with_key(from))
    }

    async fn bulk_delete(&self, from: &[CacheKey]) -> Result<u64> {
        self.bulk_delete_by("bulk_delete", Column::Key, from).await
    }

    async fn delete_targets(&self, targets: &[CacheKey]) -> Result<u64> {
        self.bulk_delete_by("delete_targets", Column::Value, targets).await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.lanes.run("delete_expired", Access::Write, move |db| queries::delete_expired(db, now)).await
    }

    async fn clear(&self) -> Result<()> {
        self.lanes.run("clear", Access::Write, queries::clear).await
    }

    /// O(n): SQLite counts the rows. Rows that somebody else put there are counted too.
    async fn size(&self) -> Result<u64> {
        self.lanes.run("size", Access::Read, |db| queries::size(db)).await
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        self.values().map_ok(|(key, _)| key).boxed()
    }

    /// One hop for each 512 rows, when they are polled for; no connection is held in between.
    fn values(&self) -> BoxStream<'static, Result<(CacheKey, Alias)>> {
        let lanes = self.lanes.clone();
        let pages = stream::try_unfold(Some(Vec::new()), move |after| {
            let lanes = lanes.clone();
            async move {
                let Some(after) = after else { return Ok::<_, Error>(None) };
                let work = move |db: &mut _| queries::page(db, &after);
                let page = lanes.run("values", Access::Read, work).await?;
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
