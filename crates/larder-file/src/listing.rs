//! Walking over all entries, in bounded steps: each hop to a blocking thread handles one batch.
//!
//! A walk works on names and the handle of their directory; what it is for decides whether anything more is done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, BoxStream, StreamExt};
use larder_core::{CacheKey, CachedResponse, Error, StoredHead, Timestamp};

use crate::cause::{Cause, Result};
use crate::directory::{FanOut, RESPONSES, is_entry_name, shard_name};
use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::{Dir, Kind, Listing};

/// How many names a step lists.
const NAMES: usize = 4096;
/// How many heads a step reads.
const HEADS: usize = 64;
/// How many responses a step reads, each with a body of up to what is buffered.
const RESPONSES_READ: usize = 8;
/// How long a step of a purge takes.
const PURGE_STEP: Duration = Duration::from_millis(10);

/// A walk over the names of all entries.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The directories that are still to be listed, the next one last: `None` is `responses` itself.
    ahead: Vec<Option<u8>>,
    current: Option<Current>,
}

/// The directory that is being listed.
#[derive(Debug)]
struct Current {
    shard: Option<u8>,
    dir: Dir,
    listing: Listing,
}

impl Walk {
    pub(crate) fn new(layout: FanOut) -> Self {
        let ahead = match layout {
            FanOut::Flat => vec![None],
            FanOut::Wide => (0..=u8::MAX).rev().map(Some).collect(),
        };
        Self { ahead, current: None }
    }

    /// Goes on to the next entry; what is not the file of an entry in its place is passed over.
    pub(crate) fn advance(&mut self, store: &Shared) -> Option<Result<()>> {
        loop {
            let Some(current) = &mut self.current else {
                let shard = self.ahead.pop()?;
                match Current::open(store, shard) {
                    Ok(opened) => self.current = opened,
                    Err(cause) => return Some(Err(cause)),
                }
                continue;
            };
            match current.listing.advance() {
                None => self.current = None,
                Some(Err(error)) => {
                    let path = current.dir.path().to_owned();
                    self.current = None;
                    return Some(Err(Cause::io("list the entries", &path)(error)));
                }
                Some(Ok(kind)) => {
                    if kind == Kind::File && is_entry_name(current.listing.name(), current.shard) {
                        return Some(Ok(()));
                    }
                }
            }
        }
    }

    /// Returns the name that the walk stands at, and its directory; none before the first and after the last.
    pub(crate) fn at(&self) -> Option<(&Dir, &str)> {
        self.current.as_ref().map(|current| (&current.dir, current.listing.name()))
    }

    /// Returns the next key.
    fn next_key(&mut self, store: &Shared) -> Option<Result<CacheKey>> {
        loop {
            if let Err(cause) = self.advance(store)? {
                return Some(Err(cause));
            }
            if let Some(Ok(key)) = self.at().map(|(_, name)| CacheKey::new(name)) {
                return Some(Ok(key));
            }
        }
    }
}

impl Current {
    /// Begins to list a directory; `None` if there is none.
    fn open(store: &Shared, shard: Option<u8>) -> Result<Option<Self>> {
        let home = store.home();
        let relative = match shard {
            None => PathBuf::from(RESPONSES),
            Some(shard) => Path::new(RESPONSES).join(shard_name(shard)),
        };
        let opened = store.fs.open_dir(&home.root, &relative);
        let listed = opened.and_then(|dir| {
            let listing = store.fs.list(&dir)?;
            Ok(Self { shard, dir, listing })
        });
        match listed {
            Err(error) if is_absence(&error) => Ok(None),
            listed => {
                let path = home.root.path().join(&relative);
                listed.map(Some).map_err(Cause::io("list the entries", &path))
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
    let begun = (Arc::clone(shared), Walk::new(shared.layout));
    stream::unfold(Some(begun), move |walk| {
        let step = step.clone();
        async move {
            let (shared, mut walk) = walk?;
            let stepped = shared.hop(move |shared| {
                let mut items = Vec::new();
                while items.len() < batch {
                    let Some(key) = walk.next_key(shared) else { return Ok((items, None)) };
                    match key.and_then(|key| step(shared, key)) {
                        Ok(Some(item)) => items.push(Ok(item)),
                        Ok(None) => {}
                        Err(cause) => items.push(Err(Error::from(cause).with_operation("list"))),
                    }
                }
                Ok((items, Some(walk)))
            });
            Some(match stepped.await {
                Ok((items, walk)) => (stream::iter(items), walk.map(|walk| (shared, walk))),
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
    entries(shared, HEADS, Shared::read_head)
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
    let mut walk = Walk::new(shared.layout);
    let mut size = 0;
    while let Some(advanced) = walk.advance(shared) {
        advanced?;
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
    let mut walk = Some(Walk::new(shared.layout));
    while let Some(mut ahead) = walk.take() {
        let purged = shared.hop(move |shared| {
            let purged = purge_some(shared, &mut ahead, now);
            Ok((purged, ahead))
        });
        let (Purged { deleted: some, failure: failed, is_done }, ahead) = purged.await?;
        deleted += some;
        failure = failure.or(failed);
        walk = (!is_done).then_some(ahead);
    }
    failure.map_or(Ok(deleted), Err)
}

/// What one step of a purge did.
struct Purged {
    deleted: u64,
    failure: Option<Cause>,
    is_done: bool,
}

fn purge_some(shared: &Arc<Shared>, walk: &mut Walk, now: Timestamp) -> Purged {
    let mut purged = Purged { deleted: 0, failure: None, is_done: false };
    let deadline = Instant::now() + PURGE_STEP;
    while Instant::now() < deadline {
        let Some(advanced) = walk.advance(shared) else {
            purged.is_done = true;
            break;
        };
        let was_expired = advanced.and_then(|()| match walk.at() {
            Some((dir, name)) => shared.purge(dir, name, now),
            None => Ok(false),
        });
        match was_expired {
            Ok(was_expired) => purged.deleted += u64::from(was_expired),
            Err(cause) => _ = purged.failure.get_or_insert(cause),
        }
    }
    purged
}
