//! Deleting what can only be found by reading every head: one pass at a time, for all who wait for one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use http::Uri;
use larder_core::{Error, ErrorKind, ResponseHead, Result, Timestamp};
use larder_policy::{cache_groups, canonical_url};
use tokio::sync::Mutex as Turn;
use url::Url;

use crate::ResponseCache;

/// How many entries are deleted at once.
const BATCH: usize = 256;

/// What is to be found.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// URLs, in canonical form.
    pub(crate) urls: BTreeSet<String>,
    /// Groups with the origins that they are of (RFC 9875, section 2).
    pub(crate) groups: BTreeSet<(String, String)>,
}

/// The passes of one cache.
#[derive(Debug, Default)]
pub(crate) struct Sweeps {
    waiting: Mutex<Waiting>,
    turn: Turn<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    wanted: Wanted,
    /// The pass that will look for that.
    next: u64,
    /// The passes that failed, of which somebody may not know yet; the latest.
    failed: Option<u64>,
    /// What is wanted by those who are not done, and since when: it is not there any more.
    gone: Vec<(Arc<Wanted>, Timestamp)>,
}

/// The time in which what is wanted is not used, though it has not been found yet.
struct Condemned<'a> {
    sweeps: &'a Sweeps,
    wanted: Arc<Wanted>,
}

impl Drop for Condemned<'_> {
    fn drop(&mut self) {
        self.sweeps.lock().gone.retain(|(wanted, _)| !Arc::ptr_eq(wanted, &self.wanted));
    }
}

impl Sweeps {
    /// Returns whether a stored response with `head` is one that is being looked for.
    pub(crate) fn is_gone(&self, head: &ResponseHead) -> bool {
        let gone = self.lock().gone.clone();
        gone.iter().any(|(wanted, since)| head.received_at <= *since && wanted.has(head))
    }

    /// Locks what is waiting. Nothing panics under the lock, so that poison would mean nothing.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    /// Returns the groups of the origin of `url`; nothing if it has none.
    pub(crate) fn groups(url: &Uri, groups: impl IntoIterator<Item = String>) -> Self {
        let Some(origin) = origin(url) else { return Self::default() };
        let groups = groups.into_iter().map(|group| (origin.clone(), group)).collect();
        Self { groups, ..Self::default() }
    }

    /// Returns what would find a response with `head`.
    pub(crate) fn of(head: &ResponseHead) -> Self {
        let urls = canonical_url(&head.url).into_iter().collect();
        Self { urls, ..Self::groups(&head.url, cache_groups(&head.headers)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.urls.is_empty() && self.groups.is_empty()
    }

    /// Returns whether a response with `head` is wanted.
    pub(crate) fn has(&self, head: &ResponseHead) -> bool {
        let is_named = || canonical_url(&head.url).is_ok_and(|url| self.urls.contains(&url));
        let is_grouped = || {
            let groups = cache_groups(&head.headers);
            let origin = if groups.is_empty() { None } else { origin(&head.url) };
            origin.is_some_and(|origin| {
                groups.into_iter().any(|group| self.groups.contains(&(origin.clone(), group)))
            })
        };
        (!self.urls.is_empty() && is_named()) || (!self.groups.is_empty() && is_grouped())
    }
}

impl ResponseCache {
    /// Deletes the stored responses of the origin of `url` that are in one of `groups` (RFC 9875); returns how many.
    ///
    /// It reads every head, O(n). If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`CacheBackend::bulk_delete`](larder_core::CacheBackend::bulk_delete).
    pub async fn delete_groups(&self, url: &Uri, groups: &[String]) -> Result<u64> {
        let wanted = Wanted::groups(url, groups.iter().cloned());
        self.delete_where(|head| wanted.has(head)).await
    }

    /// Deletes the stored responses whose head `is_chosen`; returns how many.
    ///
    /// It reads every head, O(n), in bounded memory. If the future is dropped, any of them may be gone.
    ///
    /// # Errors
    ///
    /// Those of [`CacheBackend::bulk_delete`](larder_core::CacheBackend::bulk_delete), and of the listing.
    pub async fn delete_where(&self, mut is_chosen: impl FnMut(&ResponseHead) -> bool) -> Result<u64> {
        let backend = &self.inner.backend;
        let mut heads = backend.responses().heads();
        let (mut chosen, mut deleted) = (Vec::new(), 0);
        while let Some(entry) = heads.next().await {
            // An entry that cannot be read is a miss already.
            let Ok((key, stored)) = entry else { continue };
            if is_chosen(&stored.head) {
                chosen.push(key);
                chosen.extend(stored.head.variants.into_iter().map(|variant| variant.key));
            }
            if chosen.len() >= BATCH {
                deleted += backend.bulk_delete(&std::mem::take(&mut chosen)).await?;
            }
        }
        Ok(deleted + backend.bulk_delete(&chosen).await?)
    }

    /// Deletes everything that is `wanted`, and was there when this was called.
    ///
    /// Nothing of that is used from now on, while it is looked for. It reads every head, O(n), and takes along what others
    /// want. If the future is dropped, what is left is used again.
    pub(crate) async fn sweep(&self, wanted: Wanted) -> Result<()> {
        let sweeps = &self.inner.sweeps;
        let condemned = Condemned { sweeps, wanted: Arc::new(wanted) };
        let own = {
            let mut waiting = sweeps.lock();
            waiting.wanted.urls.extend(condemned.wanted.urls.iter().cloned());
            waiting.wanted.groups.extend(condemned.wanted.groups.iter().cloned());
            waiting.gone.push((Arc::clone(&condemned.wanted), self.inner.clock.now()));
            waiting.next
        };
        let _turn = sweeps.turn.lock().await;
        let all = {
            let mut waiting = sweeps.lock();
            if waiting.next > own {
                // Whoever had the turn before has done it, or has tried.
                return match waiting.failed {
                    Some(failed) if failed >= own => {
                        Err(Error::new(ErrorKind::Other, "what is invalid could not be looked for"))
                    }
                    _ => Ok(()),
                };
            }
            waiting.next += 1;
            std::mem::take(&mut waiting.wanted)
        };
        let swept = self.delete_where(|head| all.has(head)).await;
        if swept.is_err() {
            sweeps.lock().failed = Some(own);
        }
        swept.map(|_| ())
    }
}

/// Returns the origin of `url` (RFC 9110, section 4.3.1), as text.
fn origin(url: &Uri) -> Option<String> {
    let origin = Url::parse(&url.to_string()).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}
