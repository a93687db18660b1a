//! `larder prune`: deletes what has expired.

use std::path::PathBuf;

use futures_util::TryStreamExt;
use larder::{CacheBackend, CacheKey, Timestamp};

use crate::arguments::Prune;
use crate::cache::Cache;
use crate::output::Output;
use crate::show_as::{counted, now};
use crate::status::{Result, Status};

/// How many entries are deleted at a time.
const BATCH: usize = 512;

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Prune, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let now = now();
    let kept = if arguments.all { delete_kept(&cache.backend, now).await? } else { 0 };
    let deleted = kept + cache.backend.delete_expired_responses(now).await?;
    output.line(format!("{} deleted", counted(deleted, "expired entry", "expired entries")))?;
    cache.close().await?;
    Ok(Status::Done)
}

/// Deletes the entries that have expired and are kept; returns how many.
async fn delete_kept(cache: &CacheBackend, now: Timestamp) -> Result<u64> {
    let mut deleted = 0;
    let mut batch: Vec<CacheKey> = Vec::new();
    let mut heads = cache.responses().heads();
    while let Some((key, stored)) = heads.try_next().await? {
        if stored.head.is_expired(now) {
            batch.push(key);
        }
        if batch.len() == BATCH {
            deleted += cache.bulk_delete(&batch).await?;
            batch.clear();
        }
    }
    Ok(deleted + cache.bulk_delete(&batch).await?)
}
