//! What the store has for a request, and how it becomes the answer.

use std::ops::Range;

use http::header::SET_COOKIE;
use http::{Extensions, Method, Request, StatusCode};
use larder_core::{Body, CacheKey, CachedResponse, Lookup, ResponseHead, Revision, Timestamp};
use larder_policy::{Failure, Forward, Presented, Refreshed, RequestOptions, Upkeep};

use crate::cache::key_request;
use crate::exchange::{Answer, Next};
use crate::forward::Forwarded;
use crate::recovery::{self, Recovery};
use crate::trail::{Skip, Trail};
use crate::{CacheStatus, Origin, RequestBody, ResponseCache};

/// A stored response, and how it was found.
pub(crate) struct Stored {
    /// What it was looked up under.
    key: CacheKey,
    /// What it is stored under, if that is not the key.
    target: Option<CacheKey>,
    response: CachedResponse,
}

/// A request for which the origin was asked, or another one asked it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request<RequestBody>,
    pub(crate) options: &'a RequestOptions,
    pub(crate) trail: &'a Trail,
    /// Why the origin was to be asked.
    pub(crate) reason: Forward,
}

impl Stored {
    pub(crate) fn head(&self) -> &ResponseHead {
        &self.response.head
    }

    /// Returns whether it was found by skipping redirects.
    pub(crate) fn is_aliased(&self) -> bool {
        self.target.is_some()
    }

    /// Returns the key that it is stored under.
    pub(crate) fn entry(&self) -> &CacheKey {
        self.target.as_ref().unwrap_or(&self.key)
    }

    pub(crate) fn into_body(self) -> Body {
        self.response.body
    }

    /// Returns the length of the body, if it is known.
    pub(crate) fn body_len(&self) -> Option<u64> {
        self.response.body.exact_len()
    }

    /// Returns the revision, and the length of the body, if both are known.
    pub(crate) fn revision_and_len(&self) -> Option<(&Revision, u64)> {
        Some((self.response.revision()?, self.response.body.exact_len()?))
    }
}

impl ResponseCache {
    /// Returns what is stored under `key`, or what `key` leads to, if the filter admits it; a cache that fails has
    /// nothing.
    pub(crate) async fn look_up(&self, key: &CacheKey, now: Timestamp) -> Option<Stored> {
        let lookup = self.inner.backend.get_response(key, now);
        let (target, response) = match self.inner.guard.run("look up", lookup).await? {
            Lookup::Hit(response) => (None, response),
            Lookup::AliasHit { target, response } => (Some(target), response),
            _ => return None,
        };
        if self.inner.sweeps.is_gone(&response.head) {
            return None;
        }
        let admits = self.inner.policy.admits_read(&response.head);
        let is_admitted = self.inner.guard.run("filter", admits).await?;
        is_admitted.then(|| Stored { key: key.clone(), target, response })
    }

    /// Returns the answer that `stored` is at `now`, unless its body cannot be had.
    pub(crate) async fn use_stored(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        stored: Stored,
        trail: &Trail,
        now: Timestamp,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let status = CacheStatus {
            alias: stored.is_aliased(),
            stale: stored.head().is_expired(now),
            ttl: ttl(stored.head(), now),
            ..CacheStatus::hit()
        };
        // Nobody knows here how long another alias lives.
        if !stored.is_aliased() {
            self.save_aliases(stored.entry(), trail).await;
        }
        self.answer(request, options, stored, status, trail, origin).await
    }

    /// Returns the answer that `stored` is although it is stale, if it may be used after the origin failed.
    pub(crate) async fn use_stale(
        &self,
        asked: &Asked<'_>,
        stored: Stored,
        failure: Failure,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let Asked { request, options, trail, reason } = *asked;
        if !self.may_be_stale(request, options, &stored, failure) {
            return None;
        }
        let forward_status = match failure {
            Failure::Status(status) => Some(status),
            _ => None,
        };
        // The origin was asked: it is no hit (RFC 9211, section 2.1).
        let ttl = ttl(stored.head(), self.inner.clock.now());
        let status = CacheStatus { stale: true, ttl, forward_status, ..CacheStatus::forward(reason) };
        self.answer(request, options, stored, status, trail, origin).await
    }

    /// Returns whether `stored` may be used after the origin failed.
    pub(crate) fn may_be_stale(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        stored: &Stored,
        failure: Failure,
    ) -> bool {
        let now = self.inner.clock.now();
        self.inner.policy.use_stale(&key_request(request), options, stored.head(), failure, now)
    }

    /// Returns the answer that `stored` is after the origin said that it is valid, with `head` as its new head.
    pub(crate) async fn use_validated(
        &self,
        forwarded: &Forwarded<'_>,
        mut stored: Stored,
        refreshed: Refreshed,
        not_modified: &ResponseHead,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let Forwarded { request, options, trail, reason, keys, place, .. } = forwarded;
        let Refreshed { head, upkeep, .. } = refreshed;
        let (backend, entry) = (&self.inner.backend, stored.entry());
        let keep = async {
            match (upkeep, stored.response.revision()) {
                (Upkeep::Replace, Some(revision)) => backend.update_head(entry, revision, head.clone()).await,
                (Upkeep::Delete, _) => backend.delete(entry).await.map(|_| false),
                _ => Ok(false),
            }
        };
        let is_stored = match self.inner.guard.run("update the head", keep).await {
            Some(Ok(is_updated)) => is_updated,
            Some(Err(error)) => {
                self.inner.guard.give_up("update the head", &error);
                false
            }
            None => false,
        };
        let refresh = self.refresh_variants(request, &keys.primary, place, stored.entry(), not_modified);
        if let Some(Err(error)) = self.inner.guard.run("update the variants", refresh).await {
            self.inner.guard.give_up("update the variants", &error);
        }
        let status = CacheStatus {
            forward_status: Some(StatusCode::NOT_MODIFIED),
            stored: is_stored,
            ttl: ttl(&head, self.inner.clock.now()),
            ..CacheStatus::forward(*reason)
        };
        stored.response.head = head;
        if self.inner.policy.is_shared() {
            // It is for whoever asked, and not stored.
            for cookie in not_modified.headers.get_all(SET_COOKIE) {
                let _ = stored.response.head.headers.try_append(SET_COOKIE, cookie.clone());
            }
        }
        self.save_aliases(stored.entry(), trail).await;
        self.answer(request, options, stored, status, trail, origin).await
    }

    /// Makes the redirects of `trail` lead to `entry`, which is there already.
    async fn save_aliases(&self, entry: &CacheKey, trail: &Trail) {
        let aliases = trail.aliases();
        if aliases.keys.is_empty() {
            return;
        }
        let save = self.inner.backend.save_aliases(entry, &aliases);
        if let Some(Err(error)) = self.inner.guard.run("save the aliases", save).await {
            self.inner.guard.give_up("save the aliases", &error);
        }
    }

    /// Returns the answer of `status` that `stored` is, or `None` if its body cannot be had.
    async fn answer(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        stored: Stored,
        status: CacheStatus,
        trail: &Trail,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let is_aliased = stored.is_aliased();
        let Stored { key, response, .. } = stored;
        let CachedResponse { head, body, .. } = response;
        let now = self.inner.clock.now();
        // What is in memory cannot be lost any more. What redirects lead to may be of another origin, where this
        // request's fields must not go.
        let may_recover = body.as_bytes().is_none() && !is_aliased && self.may_ask(request, options);
        let recovery = may_recover.then(|| Recovery::new(origin, request, &head)).flatten();
        let Presented { mut head, body: part, .. } =
            self.inner.policy.present(&key_request(request), head, body.exact_len(), now);
        // Stored is the history of the request that brought it; this one has its own.
        let skipped = head.history.iter().position(|hop| is_aliased && hop.url == *request.uri());
        head.history.drain(..skipped.unwrap_or(head.history.len()));
        let is_empty = part.as_ref().is_some_and(Range::is_empty);
        let body = if *request.method() == Method::HEAD || is_empty {
            Body::empty()
        } else {
            let whole = recovery::read(self.inner.guard.clone(), body, recovery).await?;
            match part {
                Some(part) => whole.slice(part),
                None => whole,
            }
        };
        let next = self.follow(request, &head, trail).map(|next| {
            // What a GET has stored says nothing about where a HEAD is looked up.
            let skip = (head.method == *request.method())
                .then(|| self.skip(request, options, &head, &key))
                .flatten()
                .map(|skip| head.expires_at.into_iter().fold(skip, Skip::until_at_most));
            Next { request: next, skip, asked: Some(key) }
        });
        Some(Answer { head, body, extensions: Extensions::new(), status, next })
    }
}

/// Returns for how many seconds more `head` is fresh at `now`.
pub(crate) fn ttl(head: &ResponseHead, now: Timestamp) -> Option<i64> {
    let expires_at = head.expires_at?;
    Some(expires_at.as_millis().saturating_sub(now.as_millis()).div_euclid(1000))
}
