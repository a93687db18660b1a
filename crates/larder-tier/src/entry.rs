//! A response in memory, and what it weighs.
//!
//! An entry never changes but for the moment at which it was last known to be the store's. The weight is reckoned
//! once, because the cache asks for it again whenever it evicts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use larder_core::{CacheKey, CachedResponse, ResponseHead, Revision, StoredHead};
use quick_cache::Weighter;

use crate::coherence::Ticket;

/// What a field takes beside its text: name and value, and its place in the map.
const FIELD: usize = size_of::<HeaderName>() + size_of::<HeaderValue>() + 24;

/// What an entry takes beside its own: reference counts, and its slot in the cache with the share of empty ones.
const SLOT: usize = 128;

/// A response that the store returned.
#[derive(Debug)]
pub(crate) struct Entry {
    head: ResponseHead,
    body: Bytes,
    revision: Revision,
    weight: u64,
    /// Where the coherence of its key is looked after.
    pub(crate) stripe: usize,
    /// When the read that returned it began, in the tier's time.
    pub(crate) read_at: u64,
    /// When the latest read or check that found it in the store began.
    checked_at: AtomicU64,
}

impl Entry {
    /// Returns an entry of what `ticket`'s read returned, if its body is in memory and it weighs `max` at most.
    pub(crate) fn of(
        key: &CacheKey,
        response: &CachedResponse,
        ticket: &Ticket,
        max: u64,
    ) -> Option<Arc<Self>> {
        let body = response.body.as_bytes()?;
        let weight = weight(key, &response.head, body);
        if weight > max {
            return None;
        }
        Some(Arc::new(Self {
            head: response.head.clone(),
            body: body.clone(),
            revision: response.revision()?.clone(),
            weight,
            stripe: ticket.stripe,
            read_at: ticket.at,
            checked_at: AtomicU64::new(ticket.at),
        }))
    }

    pub(crate) fn head(&self) -> &ResponseHead {
        &self.head
    }

    pub(crate) fn revision(&self) -> &Revision {
        &self.revision
    }

    pub(crate) fn checked_at(&self) -> u64 {
        self.checked_at.load(Ordering::Relaxed)
    }

    /// Notes that a check which began at `at` found the entry in the store.
    pub(crate) fn check(&self, at: u64) {
        self.checked_at.fetch_max(at, Ordering::Relaxed);
    }

    pub(crate) fn to_response(&self) -> CachedResponse {
        CachedResponse::new(self.head.clone(), self.body.clone()).at_revision(self.revision.clone())
    }

    pub(crate) fn to_head(&self) -> StoredHead {
        StoredHead::new(self.head.clone(), self.revision.clone(), self.body.len() as u64)
    }
}

/// The weigher of the cache.
#[derive(Debug, Clone)]
pub(crate) struct ByWeight;

impl Weighter<CacheKey, Arc<Entry>> for ByWeight {
    fn weight(&self, _: &CacheKey, entry: &Arc<Entry>) -> u64 {
        entry.weight
    }
}

/// Returns what an entry takes in memory, in bytes: exactly for the body, and as an estimate for the rest.
fn weight(key: &CacheKey, head: &ResponseHead, body: &Bytes) -> u64 {
    let history = head.history.iter().map(|hop| size_of_val(hop) + url(&hop.url) + fields(&hop.headers));
    let variants = head.variants.iter().map(|variant| {
        size_of_val(variant)
            + variant.key.as_str().len()
            + variant.nominated.iter().map(|name| size_of_val(name) + name.as_str().len()).sum::<usize>()
    });
    let metadata = head
        .metadata
        .iter()
        .map(|(name, text)| size_of_val(name) + size_of_val(text) + name.len() + text.len());
    let bytes = SLOT
        + size_of::<Entry>()
        + key.as_str().len()
        + url(&head.url)
        + head.reason.as_ref().map_or(0, String::len)
        + fields(&head.headers)
        + fields(&head.vary_fields)
        + history.sum::<usize>()
        + variants.sum::<usize>()
        + metadata.sum::<usize>()
        + body.len();
    bytes as u64
}

fn url(url: &http::Uri) -> usize {
    let authority = url.authority().map_or(0, |authority| authority.as_str().len());
    authority + url.path_and_query().map_or(0, |path| path.as_str().len())
}

fn fields(map: &HeaderMap) -> usize {
    let places = map.capacity() + map.len() - map.keys_len();
    places * FIELD + map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}
