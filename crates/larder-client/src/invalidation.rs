//! What an unsafe request makes invalid, and how what is stored is deleted with all that belongs to it.
//!
//! Deleting is of an entry with its variants. A response that names groups takes the others of its groups with it
//! (RFC 9875).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{AUTHORIZATION, CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, Request, Uri};
use larder_core::{CacheKey, ResponseHead, Result};
use larder_policy::{KeyRequest, RequestOptions, cache_groups, canonical_url, invalidated_groups};
use url::Url;

use crate::request::for_reading;
use crate::sweep::Wanted;
use crate::{RequestBody, ResponseCache};

/// How many URLs that a response names are made invalid.
const MOST_NAMED: usize = 8;
/// How many keys are remembered as made invalid, the latest.
const MOST_REMEMBERED: usize = 4096;

/// Which keys were made invalid, and in what order, so that a response that was asked for before is not stored after.
#[derive(Debug, Default)]
pub(crate) struct Invalidated(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// How often anything was made invalid.
    count: u64,
    /// What the count was then.
    counts: HashMap<CacheKey, u64>,
    /// The keys with what the count was then, oldest first; one that was made invalid again is there twice.
    order: VecDeque<(CacheKey, u64)>,
}

impl Invalidated {
    /// Returns how often anything was made invalid so far.
    pub(crate) fn count(&self) -> u64 {
        self.lock().count
    }

    fn remember(&self, key: &CacheKey) {
        let mut remembered = self.lock();
        remembered.count += 1;
        let count = remembered.count;
        remembered.counts.insert(key.clone(), count);
        remembered.order.push_back((key.clone(), count));
        if remembered.order.len() > MOST_REMEMBERED
            && let Some((oldest, then)) = remembered.order.pop_front()
            && remembered.counts.get(&oldest) == Some(&then)
        {
            remembered.counts.remove(&oldest);
        }
    }

    /// Returns whether a response with `head`, which is to be stored under `key`, was made invalid after the count was
    /// `before`: by its key, its URL or one of its groups.
    pub(crate) fn has_since(&self, key: &CacheKey, head: &ResponseHead, before: u64) -> bool {
        let remembered = self.lock();
        if remembered.count <= before {
            return false;
        }
        let marks = marks(&Wanted::of(head));
        let is_later = |key| remembered.counts.get(key).is_some_and(|count| *count > before);
        is_later(key) || marks.iter().any(is_later)
    }

    /// Locks the table. Nothing panics under the lock, so that poison would mean nothing.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResponseCache {
    /// Deletes what the response with `head` to `request` makes invalid (RFC 9111, section 4.4): what is stored for its
    /// URL and for those of the same origin that it names, and for the groups that it names (RFC 9875, section 3).
    ///
    /// What is stored for other users is not found; it is kept apart from this one's in any case.
    pub(crate) async fn invalidate(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        head: &ResponseHead,
    ) {
        if !self.inner.policy.invalidates(request.method(), head.status) {
            return;
        }
        let Ok(base) = Url::parse(&request.uri().to_string()) else { return };
        let named = [LOCATION, CONTENT_LOCATION];
        let named = named.iter().flat_map(|name| head.headers.get_all(name));
        let named = named.filter_map(|value| base.join(value.to_str().ok()?).ok());
        let of_origin = named.filter(|url| url.origin() == base.origin()).take(MOST_NAMED);
        let named = of_origin.filter_map(|url| Uri::try_from(url.as_str()).ok());
        let urls: Vec<Uri> = [request.uri().clone()].into_iter().chain(named).collect();
        let mut keys: Vec<CacheKey> = options.key.iter().cloned().collect();
        for url in &urls {
            self.add_keys(url, request.headers(), &mut keys);
        }
        for key in &keys {
            self.inner.invalidated.remember(key);
            self.inner.flights.abandon(key);
        }
        let (cache, url) = (self.clone(), request.uri().clone());
        let mut wanted = Wanted::groups(&url, invalidated_groups(&head.headers));
        wanted.urls = urls.iter().filter_map(|url| canonical_url(url).ok()).collect();
        for mark in marks(&wanted) {
            self.inner.invalidated.remember(&mark);
        }
        let deleting = tokio::spawn(async move { cache.delete_invalid(&url, &keys, wanted).await });
        let deleting = async { deleting.await.unwrap_or(Ok(())) };
        // What takes longer goes on behind the answer.
        if let Some(Err(error)) = self.inner.guard.run("invalidate", deleting).await {
            self.inner.guard.give_up("invalidate", &error);
        }
    }

    /// Deletes what is under `keys`, and everything of `url`'s origin that is in a group that is `wanted` or was in one with
    /// it; where the keys of the URLs that are wanted cannot all be known, everything of them.
    async fn delete_invalid(&self, url: &Uri, keys: &[CacheKey], mut wanted: Wanted) -> Result<()> {
        let mut groups = Vec::new();
        for key in keys {
            self.delete_with_variants(key, &mut groups).await?;
        }
        wanted.groups.extend(Wanted::groups(url, groups).groups);
        if !self.inner.policy.has_many_keys() {
            wanted.urls.clear();
        }
        if wanted.is_empty() { Ok(()) } else { self.sweep(wanted).await }
    }

    /// Deletes what is under `key` with its variants, and adds the groups that it was in; returns whether there was
    /// anything.
    pub(crate) async fn delete_with_variants(
        &self,
        key: &CacheKey,
        groups: &mut Vec<String>,
    ) -> Result<bool> {
        let backend = &self.inner.backend;
        if let Some(stored) = backend.responses().read_head(key).await? {
            groups.extend(cache_groups(&stored.head.headers));
            let variants: Vec<CacheKey> =
                stored.head.variants.into_iter().map(|variant| variant.key).collect();
            if !variants.is_empty() {
                backend.bulk_delete(&variants).await?;
            }
        }
        backend.delete(key).await
    }

    /// Adds the keys that requests of `url` are stored under, those with the credentials in `headers` and those without.
    fn add_keys(&self, url: &Uri, headers: &HeaderMap, keys: &mut Vec<CacheKey>) {
        let sent = for_reading(headers);
        let mut public = sent.clone();
        public.remove(AUTHORIZATION);
        for method in [Method::GET, Method::HEAD] {
            for headers in [&sent, &public] {
                let Some(key) = self.key_of(&method, url, headers) else { continue };
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
    }

    fn key_of(&self, method: &Method, url: &Uri, headers: &HeaderMap) -> Option<CacheKey> {
        let request = KeyRequest::new(method, url).with_headers(headers);
        self.inner.policy.keys(&request, &RequestOptions::default()).ok().map(|keys| keys.primary)
    }
}

/// Returns what is remembered of URLs and groups, beside keys.
fn marks(wanted: &Wanted) -> Vec<CacheKey> {
    let urls = wanted.urls.iter().map(|url| CacheKey::digest(format!("larder-url-1,{url}")));
    let groups = wanted.groups.iter();
    let groups = groups.map(|(origin, group)| CacheKey::digest(format!("larder-group-1,{origin},{group}")));
    urls.chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use larder_core::Timestamp;

    #[test]
    fn a_key_that_is_made_invalid_again_and_again_is_remembered() {
        let (invalidated, key) = (Invalidated::default(), CacheKey::digest("k"));
        let url = Uri::from_static("http://h/a");
        let head = ResponseHead::new(Method::GET, url, StatusCode::OK, Timestamp::UNIX_EPOCH);
        for _ in 0..=2 * MOST_REMEMBERED {
            let before = invalidated.count();
            assert!(!invalidated.has_since(&key, &head, before));
            invalidated.remember(&key);
            assert!(invalidated.has_since(&key, &head, before));
        }
        let before = invalidated.count();
        for other in 0..MOST_REMEMBERED {
            invalidated.remember(&CacheKey::digest(other.to_string()));
        }
        assert!(!invalidated.has_since(&key, &head, before - 1), "the oldest is forgotten");
        assert_eq!(invalidated.lock().counts.len(), MOST_REMEMBERED);
    }
}
