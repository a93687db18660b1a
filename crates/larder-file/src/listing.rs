//! Walking over all entries, in bounded steps: each hop to a blocking thread handles one batch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use larder_core::{CacheKey, CachedResponse, Error, StoredHead, Timestamp};

use crate::cause::{Cause, Result};
use crate::directory::{FanOut, RESPONSES, shard_name, shard_of};
use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::Listing;

/// How many names a step lists.
const NAMES: usize = 1024;
/// How many heads a step reads.
const HEADS: usize = 64;
/// How many responses a step reads, each with a body of up to what is buffered.
const RESPONSES_READ: usize = 8;

/// A walk over the names of all entries.
struct Walk {
    shared: Arc<Shared>,
    /// The directories that are still to be listed, the next one last: `None` is `responses` itself.
    ahead: Vec<Option<u8>>,
    current: Option<(Option<u8>, Listing)>,
}

impl Walk {
    fn new(shared: &Arc<Shared>) -> Self {
        let ahead = match shared.layout {
            FanOut::Flat => vec![None],
            FanOut::Wide => (0..=u8::MAX).rev().map(Some).collect(),
        };
        Self { shared: Arc::clone(shared), ahead, current: None }
    }

    /// Returns the next key; what is not the file of an entry in its place is passed over.
    fn next(&mut self) -> Option<Result<CacheKey>> {
        loop {
            let Some((shard, listing)) = &mut self.current else {
                let shard = self.ahead.pop()?;
                match self.open(shard) {
                    Ok(listing) => self.current = listing.map(|listing| (shard, listing)),
                    Err(cause) => return Some(Err(cause)),
                }
                continue;
            };
            match listing.next() {
                None => self.current = None,
                Some(Err(error)) => {
                    self.current = None;
                    let path = self.shared.home().root.path().join(RESPONSES);
                    return Some(Err(Cause::io("list the entries", &path)(error)));
                }
                Some(Ok(listed)) => {
                    if let (true, Ok(key)) = (listed.is_file, CacheKey::new(&listed.name))
                        && shard.is_none_or(|shard| shard == shard_of(&key))
                    {
                        return Some(Ok(key));
                    }
                }
            }
        }
    }

    fn open(&self, shard: Option<u8>) -> Result<Option<Listing>> {
        let home = self.shared.home();
        let relative = match shard {
            None => PathBuf::from(RESPONSES),
            Some(shard) => Path::new(RESPONSES).join(shard_name(shard)),
        };
        let opened = self.shared.fs.open_dir(&home.root, &relative);
        match opened.and_then(|dir| self.shared.fs.list(&dir)) {
            Err(error) if is_absence(&error) => Ok(None),
            listing => {
                let path = home.root.path().join(&relative);
                listing.map(Some).map_err(Cause::io("list the entries", &path))
            }
        }
    }
}

/// Returns what `step` makes of the keys, in batches of `batch` that are taken in one hop each.
fn walk<T: Send + 'static>(
    shared: &Arc<Shared>,
    batch: usize,
    step: impl Fn(&Arc<Shared>, CacheKey) -> Result<Option<T>> + Clone + Send + 'static,
) -> BoxStream<'static, larder_core::Result<T>> {
    stream::unfold(Some(Walk::new(shared)), move |walk| {
        let step = step.clone();
        async move {
            let mut walk = walk?;
            let shared = Arc::clone(&walk.shared);
            let stepped = shared.hop(move |shared| {
                let mut items = Vec::new();
                while items.len() < batch {
                    let Some(key) = walk.next() else { return Ok((items, None)) };
                    match key.and_then(|key| step(shared, key)) {
                        Ok(Some(item)) => items.push(Ok(item)),
                        Ok(None) => {}
                        Err(cause) => items.push(Err(Error::from(cause).with_operation("list"))),
                    }
                }
                Ok((items, Some(walk)))
            });
            Some(match stepped.await {
                Ok((items, walk)) => (stream::iter(items), walk),
                Err(cause) => (stream::iter(vec![Err(Error::from(cause).with_operation("list"))]), None),
            })
        }
    })
    .flatten()
    .boxed()
}

/// Returns every key.
pub(crate) fn keys(shared: &Arc<Shared>) -> BoxStream<'static, larder_core::Result<CacheKey>> {
    walk(shared, NAMES, |_, key| Ok(Some(key)))
}

/// Returns the path of every entry.
pub(crate) fn paths(shared: &Arc<Shared>) -> BoxStream<'static, larder_core::Result<PathBuf>> {
    walk(shared, NAMES, |shared, key| Ok(Some(shared.path.join(shared.layout.file_of(&key)))))
}

/// Returns every key with its head.
pub(crate) fn heads(shared: &Arc<Shared>) -> BoxStream<'static, larder_core::Result<(CacheKey, StoredHead)>> {
    entries(shared, HEADS, |shared, key| shared.read_head(key))
}

/// Returns every key with its response.
pub(crate) fn values(
    shared: &Arc<Shared>,
) -> BoxStream<'static, larder_core::Result<(CacheKey, CachedResponse)>> {
    entries(shared, RESPONSES_READ, Shared::read)
}

/// Returns what `read` gives for every key; misses are left out, and a failure names its key.
fn entries<T: Send + 'static>(
    shared: &Arc<Shared>,
    batch: usize,
    read: impl Fn(&Arc<Shared>, &CacheKey) -> Result<Option<T>> + Clone + Send + 'static,
) -> BoxStream<'static, larder_core::Result<(CacheKey, T)>> {
    walk(shared, batch, move |shared, key| match read(shared, &key) {
        Ok(found) => Ok(found.map(|found| (key, found))),
        Err(cause) => Err(Error::from(cause).with_key(&key).into()),
    })
}

/// Counts the entries.
pub(crate) fn size(shared: &Arc<Shared>) -> Result<u64> {
    let mut walk = Walk::new(shared);
    let mut size = 0;
    while let Some(key) = walk.next() {
        key?;
        size += 1;
    }
    Ok(size)
}

/// Deletes the entries that have expired at `now`; returns how many.
///
/// An entry's file time is when a purge may delete it, so that only those that may end are opened.
pub(crate) async fn delete_expired(shared: &Arc<Shared>, now: Timestamp) -> Result<u64> {
    let mut deleted = 0;
    let mut failure = None;
    let mut purged = walk(shared, NAMES, move |shared, key| Ok(Some(shared.purge(&key, now))));
    while let Some(item) = purged.next().await {
        match item {
            Ok(Ok(was_expired)) => deleted += u64::from(was_expired),
            Ok(Err(cause)) => _ = failure.get_or_insert(cause),
            Err(error) => _ = failure.get_or_insert(error.into()),
        }
    }
    failure.map_or(Ok(deleted), Err)
}
