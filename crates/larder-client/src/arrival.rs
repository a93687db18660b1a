//! What a response of the origin becomes: stored, shared, or neither.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_LOCATION};
use http::{Extensions, Method, Request};
use larder_core::{Aliases, Body, CacheKey, CachedResponse, ResponseHead, Timestamp};
use larder_policy::{Combined, Decision, NotStorable, RequestOptions, announced_len, canonical_url};
use url::Url;

use crate::cache::key_request;
use crate::exchange::{Answer, Next};
use crate::forward::{Arrival, Forwarded, Outcome, Received};
use crate::request::for_reading;
use crate::shared::Shared;
use crate::status::NotStored;
use crate::stored::{Stored, ttl};
use crate::trail::{Skip, Trail};
use crate::{CacheStatus, FinalUrl, RequestBody, ResponseCache, recovery, redirect};

impl ResponseCache {
    /// Stores what was received if it may be, shares it with all who wait if it can be, and returns it.
    pub(crate) async fn arrive(&self, forwarded: Forwarded<'_>, received: Received) -> Answer {
        let Received { mut head, body, extensions, invalidations } = received;
        let Forwarded {
            request, options, trail, keys, stored: old, place, reason, leader, is_behind, ..
        } = forwarded;
        let key = keys.primary;
        let now = self.inner.clock.now();
        self.invalidate(request, options, &head).await;
        // What this request makes invalid is what was there before it.
        let is_safe = request.method().is_safe();
        let invalidations = if is_safe { invalidations } else { self.inner.invalidated.count() };
        let follows = self.follow(request, &head, trail);
        head.history = trail.stored_history();
        let verdict = match &follows {
            Some(next) if self.leads_back(next, options, &key) => Err(NotStored::LeadsBack),
            _ if self.inner.invalidated.has_since(&key, &head, invalidations) => Err(NotStored::Invalidated),
            _ => self.storable(request, options, &head, &extensions, now).await,
        };
        head.history.clear();
        let skip = match (&follows, extensions.get::<FinalUrl>()) {
            (Some(_), None) => self.skip(request, options, &head, &key),
            _ => None,
        };
        let status = CacheStatus::forward(reason);

        let stored = match verdict {
            Ok(stored) => stored,
            Err(why) => {
                if let Some(leader) = leader {
                    match &skip {
                        Some(_) => {
                            drop(leader.answer(arrived(&head, &extensions, None, &key, skip.as_ref())));
                        }
                        None => leader.release(now),
                    }
                }
                let next = follows.map(|request| Next { request, skip, asked: Some(key) });
                return Answer { head, body, extensions, status: status.not_stored(why), next };
            }
        };
        (head.expires_at, head.delete_at) = (stored.expires_at, stored.delete_at);
        let status = CacheStatus { stored: true, ttl: ttl(&head, now), ..status };

        let known = self.known_part(request, old, &stored).await;
        let mut entry_head =
            known.as_ref().map_or_else(|| stored.clone(), |(combined, _)| combined.head.clone());
        let place = self.place_by_now(request, &key, place, &entry_head).await;
        let mut terms = self.inner.terms;
        terms.in_background |= follows.is_some() || is_behind;
        // From here on nothing is waited for: whoever drops this leaves nobody waiting for the end of the body.
        let (shared, caller, store) = Shared::start(body, announced_len(&head), terms);
        // What must be validated before each use is nobody else's answer, though it is stored.
        let decision = self.inner.policy.decide(&key_request(request), options, Some(&stored), now);
        let is_reusable = matches!(decision, Decision::Use | Decision::UseWhileValidating { .. });
        let answered = match leader {
            Some(leader) if is_reusable || follows.is_some() => {
                Some(leader.answer(arrived(&stored, &extensions, Some(&shared), &key, skip.as_ref())))
            }
            Some(leader) => {
                leader.release(now);
                None
            }
            None => None,
        };
        let store = match known {
            None => store,
            Some((combined, part)) if combined.after.is_empty() => part.slice(combined.before).chain(store),
            Some((combined, part)) => store.chain(part.slice(combined.after)),
        };
        let placed = self.place(request, &key, place, &mut entry_head);
        let entry = CachedResponse::new(entry_head, store);
        // Whoever asks for a redirect after this may be answered otherwise: it has come back with a cookie.
        let answered = answered.filter(|_| follows.is_none());
        self.store(key.clone(), placed, entry, trail.aliases(), shared, answered).await;
        let body = if follows.is_some() { Body::empty() } else { caller };
        let next = follows.map(|request| Next { request, skip, asked: Some(key) });
        Answer { head, body, extensions, status, next }
    }

    /// Returns what is stored of the response with `head`, if both are parts of the same and can be put together
    /// (RFC 9111, section 3.4).
    async fn known_part(
        &self,
        request: &Request<RequestBody>,
        old: Option<Stored>,
        head: &ResponseHead,
    ) -> Option<(Combined, Body)> {
        let policy = &self.inner.policy;
        // What redirects lead to is another resource, and what other fields select another representation.
        let is_same =
            |old: &Stored| !old.is_aliased() && policy.matches_vary(&key_request(request), old.head());
        let old = old.filter(is_same)?;
        let mut combined = policy.combine(old.head(), head)?;
        // What surrounds the new part would have to be read twice.
        if combined.before.is_empty() == combined.after.is_empty() {
            return None;
        }
        let whole = &mut combined.head;
        (whole.expires_at, whole.delete_at) = (head.expires_at, head.delete_at);
        whole.vary_fields.clone_from(&head.vary_fields);
        let part = recovery::read(self.inner.guard.clone(), old.into_body(), None).await?;
        Some((combined, part))
    }

    /// Stores the response to a POST as one to GET, if it says that it is one (RFC 9110, section 9.3.3), and returns it as
    /// the answer; else gives it back.
    pub(crate) async fn keep_for_get(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        received: Received,
        status: &CacheStatus,
    ) -> Result<Answer, Received> {
        let policy = &self.inner.policy;
        if !policy.answers_get(request.method(), &received.head) || !names_itself(request, &received.head) {
            return Err(received);
        }
        let mut get = Request::new(RequestBody::empty());
        *get.uri_mut() = request.uri().clone();
        *get.headers_mut() = for_reading(request.headers());
        for value in request.headers().get_all(CACHE_CONTROL) {
            get.headers_mut().append(CACHE_CONTROL, value.clone());
        }
        let mut stored = received.head.clone();
        stored.method = Method::GET;
        let now = self.inner.clock.now();
        let Ok(keys) = policy.keys(&key_request(&get), options) else { return Err(received) };
        let Ok(mut stored) = self.storable(&get, options, &stored, &received.extensions, now).await else {
            return Err(received);
        };
        let (_, place) = self.find(&get, &keys.primary, now).await;
        let Received { mut head, body, extensions, .. } = received;
        (head.expires_at, head.delete_at) = (stored.expires_at, stored.delete_at);
        let status = CacheStatus { stored: true, ttl: ttl(&head, now), ..status.clone() };
        let (shared, caller, store) = Shared::start(body, announced_len(&head), self.inner.terms);
        let placed = self.place(&get, &keys.primary, place, &mut stored);
        let entry = CachedResponse::new(stored, store);
        self.store(keys.primary, placed, entry, Aliases::none(), shared, None).await;
        Ok(Answer { head, body: caller, extensions, status, next: None })
    }

    /// Returns the head that is to be stored, or why nothing is.
    async fn storable(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        head: &ResponseHead,
        extensions: &Extensions,
        now: Timestamp,
    ) -> Result<ResponseHead, NotStored> {
        if extensions.get::<FinalUrl>().is_some() {
            return Err(NotStored::HiddenRedirects);
        }
        let policy = &self.inner.policy;
        let stored = policy.storable(&key_request(request), options, head, now).map_err(NotStored::Policy)?;
        match self.inner.guard.run("filter", policy.admits_write(&stored)).await {
            Some(true) => Ok(stored),
            _ => Err(NotStored::Policy(NotStorable::Filtered)),
        }
    }

    /// Returns how later requests may skip this redirect, if they may.
    pub(crate) fn skip(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        head: &ResponseHead,
        key: &CacheKey,
    ) -> Option<Skip> {
        let now = self.inner.clock.now();
        let until = self.inner.policy.redirect(&key_request(request), options, head, now).ok()?;
        Some(Skip { key: key.clone(), until })
    }

    /// Returns whether `next` is looked up under `key` too, so that what is stored there would never lead on.
    fn leads_back(&self, next: &Request<RequestBody>, options: &RequestOptions, key: &CacheKey) -> bool {
        self.inner.policy.keys(&key_request(next), options).is_ok_and(|keys| keys.primary == *key)
    }

    /// Returns the request that a response with `head` redirects `request` to, if redirects are followed.
    pub(crate) fn follow(
        &self,
        request: &Request<RequestBody>,
        head: &ResponseHead,
        trail: &Trail,
    ) -> Option<Request<RequestBody>> {
        if self.inner.max_redirects == 0 || trail.ends_here() {
            return None;
        }
        redirect::follow(request, head)
    }
}

fn arrived(
    head: &ResponseHead,
    extensions: &Extensions,
    body: Option<&Shared>,
    key: &CacheKey,
    skip: Option<&Skip>,
) -> Outcome {
    Outcome::Arrived(Arc::new(Arrival {
        head: head.clone(),
        extensions: extensions.clone(),
        body: body.cloned(),
        key: key.clone(),
        skip: skip.cloned(),
    }))
}

/// Returns whether `Content-Location` names the URL of the request.
fn names_itself(request: &Request<RequestBody>, head: &ResponseHead) -> bool {
    let named = || {
        let base = Url::parse(&request.uri().to_string()).ok()?;
        let url = base.join(head.headers.get(CONTENT_LOCATION)?.to_str().ok()?).ok()?;
        canonical_url(&url.as_str().parse().ok()?).ok()
    };
    named().is_some_and(|named| canonical_url(request.uri()) == Ok(named))
}
