//! `larder prune`: deletes what has expired, and what is too much.
//!
//! What has expired goes first, so that nothing that can still be used goes in its place.

use std::path::PathBuf;

use futures_util::TryStreamExt;
use indicatif::ProgressBar;
use larder::file::{Limits, Pruned};
use larder::{CacheBackend, CacheKey, Timestamp};

use crate::arguments::Prune;
use crate::cache::Cache;
use crate::output::Output;
use crate::progress;
use crate::show_as::{counted, now, size};
use crate::status::{Result, Status};

/// How many entries are deleted at a time.
const BATCH: usize = 512;

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Prune, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let now = now();
    let limits = limits(&arguments);
    if arguments.all || arguments.expired || limits.is_none() {
        let kept = if arguments.all { delete_kept(&cache.backend, now).await? } else { 0 };
        let bar = progress::of_unknown("deleting what has expired");
        let deleted = kept + cache.backend.delete_expired_responses(now).await?;
        bar.finish_and_clear();
        output.line(format!("{} deleted", counted(deleted, "expired entry", "expired entries")))?;
    }
    if let Some(limits) = limits {
        let pruned = evict(&cache, limits).await?;
        let for_person = output.is_terminal();
        let bytes = |bytes| if for_person { size(bytes, true) } else { counted(bytes, "byte", "bytes") };
        let evicted = counted(pruned.evicted, "entry", "entries");
        let left = counted(pruned.entries, "entry", "entries");
        let (evicted_bytes, left_bytes) = (bytes(pruned.evicted_bytes), bytes(pruned.bytes));
        output.line(format!("{evicted} evicted ({evicted_bytes}), {left} left ({left_bytes})"))?;
        if pruned.evicted > 0 {
            // The redirects to what was evicted lead to nothing.
            cache.backend.delete_dangling().await?;
        }
    }
    cache.close().await?;
    Ok(Status::Done)
}

/// Returns what is to hold afterwards, if anything is.
fn limits(arguments: &Prune) -> Option<Limits> {
    let mut limits = Limits::default();
    if let Some(bytes) = arguments.max_total_bytes {
        limits = limits.max_total_bytes(bytes.as_u64());
    }
    if let Some(entries) = arguments.max_entries {
        limits = limits.max_entries(entries);
    }
    (limits != Limits::default()).then_some(limits)
}

/// Evicts the least recently used entries until `limits` hold.
async fn evict(cache: &Cache, limits: Limits) -> Result<Pruned> {
    let entries = cache.backend.size().await?;
    let mut bar = Bar::Counting(progress::of_entries(entries));
    let pruned = cache.files.prune(limits, |pruned| bar.advance(pruned, &limits)).await;
    bar.shown().finish_and_clear();
    Ok(pruned?)
}

/// What is shown of an eviction: how many entries were looked at, and then how much of the excess is gone.
enum Bar {
    Counting(ProgressBar),
    OfEntries(ProgressBar),
    OfBytes(ProgressBar),
}

impl Bar {
    fn advance(&mut self, pruned: &Pruned, limits: &Limits) {
        if pruned.evicted > 0 && matches!(self, Self::Counting(_)) {
            self.shown().finish_and_clear();
            *self = Self::of_excess(pruned, limits);
        }
        match self {
            Self::Counting(bar) => bar.set_position(pruned.entries),
            Self::OfEntries(bar) => bar.set_position(pruned.evicted),
            Self::OfBytes(bar) => bar.set_position(pruned.evicted_bytes),
        }
    }

    /// Returns the bar of whichever limit is further away.
    fn of_excess(pruned: &Pruned, limits: &Limits) -> Self {
        let excess = |had: u64, most: Option<u64>| most.map_or(0, |most| had.saturating_sub(most));
        let (entries, bytes) = (pruned.evicted + pruned.entries, pruned.evicted_bytes + pruned.bytes);
        let of_entries = excess(entries, limits.max_entries);
        let of_bytes = excess(bytes, limits.max_total_bytes);
        // Of what there is, as parts of it: `a / b > c / d` without the division.
        if u128::from(of_entries) * u128::from(bytes) > u128::from(of_bytes) * u128::from(entries) {
            Self::OfEntries(progress::of_entries(of_entries))
        } else {
            Self::OfBytes(progress::of_bytes(of_bytes))
        }
    }

    fn shown(&self) -> &ProgressBar {
        let (Self::Counting(bar) | Self::OfEntries(bar) | Self::OfBytes(bar)) = self;
        bar
    }
}

/// Deletes the entries that have expired and are kept; returns how many.
async fn delete_kept(cache: &CacheBackend, now: Timestamp) -> Result<u64> {
    let bar = progress::of_entries(cache.size().await?);
    let mut deleted = 0;
    let mut batch: Vec<CacheKey> = Vec::new();
    let mut heads = cache.responses().heads();
    while let Some((key, stored)) = heads.try_next().await? {
        bar.inc(1);
        if stored.head.is_expired(now) {
            batch.push(key);
        }
        if batch.len() == BATCH {
            deleted += cache.bulk_delete(&batch).await?;
            batch.clear();
        }
    }
    deleted += cache.bulk_delete(&batch).await?;
    bar.finish_and_clear();
    Ok(deleted)
}
