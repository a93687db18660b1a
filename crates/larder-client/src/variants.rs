//! Responses of one URL that are kept side by side, because `Vary` tells them apart (RFC 9111, section 4.1).
//!
//! The first is stored under the request's own key, so that what does not vary costs one read. Its head lists the others
//! with their keys, which are made of the request's fields. A variant is listed only when it is there, so that one
//! that is not listed is none.

use http::header::VARY;
use http::{HeaderName, Request};
use larder_core::{Aliases, CacheKey, CachedResponse, ResponseHead, Result, Timestamp, Variant};

use crate::cache::key_request;
use crate::stored::Stored;
use crate::{RequestBody, ResponseCache};

/// How often the list is read again when another one changed it meanwhile.
const MOST_ATTEMPTS: u8 = 4;

/// What is stored under a key, as far as it decides where the next response goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Whether something is stored under the request's own key that is for other requests.
    is_taken: bool,
    variants: Vec<Variant>,
    /// The request's fields that selected it.
    nominated: Vec<HeaderName>,
}

/// Where a response goes.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) key: CacheKey,
    /// How it is to be listed, if it is not under the request's own key.
    pub(crate) variant: Option<Variant>,
    /// What nothing leads to when it is stored.
    pub(crate) obsolete: Vec<CacheKey>,
}

impl ResponseCache {
    /// Returns what is stored for `request` under `key`, the latest of those that its fields select.
    ///
    /// If they select none of those that are there, what is under `key` is returned, for the policy to see.
    pub(crate) async fn find(
        &self,
        request: &Request<RequestBody>,
        key: &CacheKey,
        now: Timestamp,
    ) -> (Option<Stored>, Place) {
        let Some(primary) = self.look_up(key, now).await else { return (None, Place::default()) };
        if primary.is_aliased() {
            return (Some(primary), Place::default());
        }
        let policy = &self.inner.policy;
        let key_request = key_request(request);
        let is_taken = !policy.matches_vary(&key_request, primary.head());
        let own = policy.nominated(primary.head());
        let variants = primary.head().variants.clone();
        let place = Place { is_taken, variants, nominated: own.clone() };
        let mut latest = primary;
        let mut is_selected = !is_taken;
        for variant in &place.variants {
            // By the same fields only one of them is selected.
            let may_be_later = !is_selected || variant.nominated != own;
            if !may_be_later || policy.variant_key(&key_request, key, &variant.nominated) != variant.key {
                continue;
            }
            let Some(stored) = self.look_up(&variant.key, now).await else { continue };
            let is_later = policy.is_more_recent(stored.head(), latest.head());
            if policy.matches_vary(&key_request, stored.head()) && (!is_selected || is_later) {
                (latest, is_selected) = (stored, true);
            }
        }
        (Some(latest), place)
    }

    /// Returns the key of the exchange that answers `request` and others like it: those that are selected by the same
    /// fields, as far as it is known what selects them.
    pub(crate) fn flight_key(
        &self,
        request: &Request<RequestBody>,
        primary: &CacheKey,
        place: &Place,
    ) -> CacheKey {
        if place.nominated.is_empty() {
            return primary.clone();
        }
        self.inner.policy.variant_key(&key_request(request), primary, &place.nominated)
    }

    /// Returns what is under `primary` by now, if that matters to where a response with `head` goes.
    ///
    /// Another variant may have become visible since `request` was looked up, and is not to be replaced.
    pub(crate) async fn place_by_now(
        &self,
        request: &Request<RequestBody>,
        primary: &CacheKey,
        known: Place,
        head: &ResponseHead,
    ) -> Place {
        let policy = &self.inner.policy;
        if !head.headers.contains_key(VARY) {
            return known;
        }
        let read = self.inner.backend.responses().read_head(primary);
        match self.inner.guard.run("look up", read).await {
            Some(Ok(Some(there))) => Place {
                is_taken: !policy.matches_vary(&key_request(request), &there.head),
                nominated: policy.nominated(&there.head),
                variants: there.head.variants,
            },
            Some(Ok(None)) => Place::default(),
            _ => known,
        }
    }

    /// Returns where a response to `request` with `head` goes, and puts the list of the others into `head` if it goes
    /// in front of them.
    pub(crate) fn place(
        &self,
        request: &Request<RequestBody>,
        primary: &CacheKey,
        place: Place,
        head: &mut ResponseHead,
    ) -> Placed {
        let policy = &self.inner.policy;
        let nominated = policy.nominated(head);
        let keeps_others = !nominated.is_empty() && policy.max_variants() > 1;
        if keeps_others && place.is_taken {
            let key = policy.variant_key(&key_request(request), primary, &nominated);
            let variant = Variant::new(nominated, key.clone());
            return Placed { key, variant: Some(variant), obsolete: Vec::new() };
        }
        let keys = place.variants.iter().map(|variant| variant.key.clone()).collect();
        let mut placed = Placed { key: primary.clone(), variant: None, obsolete: keys };
        if keeps_others {
            head.variants = place.variants;
            placed.obsolete.clear();
        }
        placed
    }

    /// Stores `response` where it was placed for requests under `primary`.
    pub(crate) async fn save(
        &self,
        primary: &CacheKey,
        placed: &Placed,
        response: CachedResponse,
        aliases: &Aliases,
    ) -> Result<()> {
        let backend = &self.inner.backend;
        backend.save_response(&placed.key, response, aliases).await?;
        if let Some(variant) = &placed.variant {
            self.list_variant(primary, variant).await?;
        }
        if !placed.obsolete.is_empty() {
            backend.bulk_delete(&placed.obsolete).await?;
        }
        Ok(())
    }

    /// Lists `variant`, which is stored, beside what is under `primary`; deletes the oldest if there are too many.
    ///
    /// If it cannot be listed, it is not found, and deleted when it expires.
    async fn list_variant(&self, primary: &CacheKey, variant: &Variant) -> Result<()> {
        let backend = &self.inner.backend;
        for _ in 0..MOST_ATTEMPTS {
            let Some(stored) = backend.responses().read_head(primary).await? else { return Ok(()) };
            let mut head = stored.head;
            if head.variants.contains(variant) {
                return Ok(());
            }
            head.variants.push(variant.clone());
            // The one under the request's own key counts too.
            let excess = (head.variants.len() + 1).saturating_sub(self.inner.policy.max_variants());
            let oldest: Vec<CacheKey> = head.variants.drain(..excess).map(|variant| variant.key).collect();
            if backend.update_head(primary, &stored.revision, head).await? {
                backend.bulk_delete(&oldest).await?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives the variants beside `entry` that `not_modified` is about too its fields (RFC 9111, section 4.3.4).
    pub(crate) async fn refresh_variants(
        &self,
        request: &Request<RequestBody>,
        primary: &CacheKey,
        place: &Place,
        entry: &CacheKey,
        not_modified: &ResponseHead,
    ) -> Result<()> {
        let backend = &self.inner.backend;
        let keys = place.variants.iter().map(|variant| &variant.key).chain([primary]);
        for key in keys.filter(|key| *key != entry && !place.variants.is_empty()) {
            let Some(stored) = backend.responses().read_head(key).await? else { continue };
            let now = self.inner.clock.now();
            if let Some(head) =
                self.inner.policy.refresh_variant(&key_request(request), &stored.head, not_modified, now)
            {
                backend.update_head(key, &stored.revision, head).await?;
            }
        }
        Ok(())
    }
}
