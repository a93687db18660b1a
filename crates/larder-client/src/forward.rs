//! Asking the origin, for one request or for all who wait for the same.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Extensions, HeaderMap, Method, Request, StatusCode};
use larder_core::{Body, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, Result, Timestamp};
use larder_policy::{Decision, Forward, NotStorable, RequestKeys, RequestOptions};

use http_body::Body as _;

use crate::cache::{key_request, received_head};
use crate::exchange::{Answer, Next};
use crate::flights::Leader;
use crate::shared::Shared;
use crate::status::NotStored;
use crate::stored::{Stored, ttl};
use crate::trail::{Skip, Trail};
use crate::{CacheStatus, FinalUrl, Origin, RequestBody, ResponseCache, redirect};

/// A request that must go to the origin, and what is known about it.
pub(crate) struct Forwarded<'a> {
    pub(crate) request: &'a mut Request<RequestBody>,
    pub(crate) options: &'a RequestOptions,
    pub(crate) trail: &'a Trail,
    pub(crate) keys: RequestKeys,
    /// What is stored: to be validated, or to be used if the origin fails.
    pub(crate) stored: Option<Stored>,
    pub(crate) conditions: HeaderMap,
    pub(crate) reason: Forward,
    /// Set if others wait for the answer, or may.
    pub(crate) leader: Option<Leader<Outcome>>,
}

/// What one exchange comes to for all who wait for it.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Arrived(Arc<Arrival>),
    /// The origin failed, and whoever has a stale response may use it.
    OriginFailed,
}

impl Outcome {
    /// Returns whether there is nothing left of it for those who come now: nobody read on, or it broke off.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Arrived(arrival) if arrival.body.as_ref().is_some_and(Shared::has_failed))
    }
}

/// A response that arrived for all who wait for it.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// As it is stored, or would be: it knows what the response varies on.
    head: ResponseHead,
    extensions: Extensions,
    /// None of a redirect, which all who wait follow.
    body: Option<Shared>,
    /// What was looked up.
    key: CacheKey,
    skip: Option<Skip>,
}

/// A response of the origin.
struct Received {
    head: ResponseHead,
    body: Body,
    extensions: Extensions,
}

impl ResponseCache {
    /// Sends `request` to the origin, and keeps nothing of the answer.
    pub(crate) async fn pass_by(
        &self,
        request: &mut Request<RequestBody>,
        reason: Forward,
        why: NotStored,
        origin: &mut dyn Origin,
    ) -> Result<Answer> {
        let Received { head, body, extensions } = self.ask(request, &HeaderMap::new(), origin).await?;
        let next = self.follow(request, &head).map(|request| Next { request, skip: None, asked: None });
        let status = CacheStatus::forward(reason).not_stored(why);
        Ok(Answer { head, body, extensions, status, next })
    }

    /// Asks the origin, and makes of its answer one for all who wait.
    pub(crate) async fn forward(
        &self,
        mut forwarded: Forwarded<'_>,
        origin: &mut dyn Origin,
    ) -> Result<Answer> {
        loop {
            let received = self.ask(forwarded.request, &forwarded.conditions, origin).await;
            let has_failed = received.as_ref().map_or(true, |received| is_failure(received.head.status));
            if has_failed && let Some(stored) = forwarded.stored.take() {
                let stale = self.use_stale(forwarded.request, forwarded.options, stored, origin).await;
                if let Some(answer) = stale {
                    forwarded.leader.map(|leader| leader.answer(Outcome::OriginFailed));
                    return Ok(answer);
                }
            }
            let received = received?;
            if received.head.status != StatusCode::NOT_MODIFIED || forwarded.conditions.is_empty() {
                return Ok(self.arrive(forwarded, received).await);
            }
            forwarded.conditions.clear();
            let Some(stored) = forwarded.stored.take() else { continue };
            let now = self.inner.clock.now();
            let key_request = key_request(forwarded.request);
            let refreshed = self.inner.policy.refresh(
                &key_request,
                forwarded.options,
                stored.head(),
                &received.head,
                now,
            );
            // A 304 that does not validate what is stored, or a body that cannot be had: the next answer is whole.
            let Some(head) = refreshed else { continue };
            if let Some(answer) = self.use_validated(&forwarded, stored, head, origin).await {
                if let Some(leader) = forwarded.leader {
                    leader.land();
                }
                return Ok(answer);
            }
        }
    }

    /// Makes of `outcome`, which another request brought, the answer to `request`, if it is one.
    pub(crate) async fn share(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        outcome: &Outcome,
        stored: Option<Stored>,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let arrival = match outcome {
            Outcome::Arrived(arrival) => arrival,
            Outcome::OriginFailed => return self.use_stale(request, options, stored?, origin).await,
        };
        let now = self.inner.clock.now();
        let decision = self.inner.policy.decide(&key_request(request), options, Some(&arrival.head), now);
        if matches!(decision, Decision::Fetch { reason: Forward::VaryMiss }) {
            return None;
        }
        let follows = self.follow(request, &arrival.head);
        let body = match (&follows, &arrival.body) {
            (Some(_), _) => Body::empty(),
            (None, Some(body)) => body.join()?,
            (None, None) => return None,
        };
        let mut head = arrival.head.clone();
        head.history.clear();
        let status =
            CacheStatus { collapsed: true, ttl: ttl(&head, now), ..CacheStatus::forward(Forward::UriMiss) };
        let asked = Some(arrival.key.clone());
        let next = follows.map(|request| Next { request, skip: arrival.skip.clone(), asked });
        Some(Answer { head, body, extensions: arrival.extensions.clone(), status, next })
    }

    /// Sends `request` with `conditions` added. Content that cannot be sent again is gone from it afterwards.
    async fn ask(
        &self,
        request: &mut Request<RequestBody>,
        conditions: &HeaderMap,
        origin: &mut dyn Origin,
    ) -> Result<Received> {
        let body = request
            .body()
            .try_clone()
            .unwrap_or_else(|| std::mem::replace(request.body_mut(), RequestBody::spent()));
        let mut sent = Request::new(body);
        *sent.method_mut() = request.method().clone();
        *sent.uri_mut() = request.uri().clone();
        *sent.version_mut() = request.version();
        *sent.headers_mut() = request.headers().clone();
        *sent.extensions_mut() = request.extensions().clone();
        for (name, value) in conditions {
            sent.headers_mut().append(name, value.clone());
        }
        let requested_at = self.inner.clock.now();
        let (mut parts, body) = match origin.send(sent).await {
            Ok(response) => response.into_parts(),
            Err(error) => {
                let message = format!("the origin did not answer: {error}");
                return Err(Error::new(ErrorKind::Origin, message).with_source(error));
            }
        };
        let extensions = std::mem::take(&mut parts.extensions);
        let mut head = received_head(request, &parts, requested_at, self.inner.clock.now());
        if let Some(FinalUrl(url)) = extensions.get() {
            head.url = url.clone();
        }
        // Some announce the length that another method's response would have, and call that the body's.
        let is_empty = head.method == Method::HEAD
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || body.is_end_stream();
        let body = if is_empty { Body::empty() } else { body };
        Ok(Received { head, body, extensions })
    }

    /// Stores what was received if it may be, shares it with all who wait if it can be, and returns it.
    async fn arrive(&self, forwarded: Forwarded<'_>, received: Received) -> Answer {
        let Received { mut head, body, extensions } = received;
        let Forwarded { request, options, trail, keys, reason, leader, .. } = forwarded;
        let key = keys.primary;
        let now = self.inner.clock.now();
        let follows = self.follow(request, &head);
        head.history = trail.stored_history();
        let verdict = match &follows {
            Some(next) if self.leads_back(next, options, &key) => Err(NotStored::LeadsBack),
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

        let mut terms = self.inner.terms;
        terms.in_background |= follows.is_some();
        let (shared, caller, store) = Shared::start(body, announced_len(&head), terms);
        let answered = leader
            .map(|leader| leader.answer(arrived(&stored, &extensions, Some(&shared), &key, skip.as_ref())));
        let entry = CachedResponse::new(stored, store);
        // Whoever asks for a redirect after this may be answered otherwise: it has come back with a cookie.
        let answered = answered.filter(|_| follows.is_none());
        self.inner.flights.share_again(&key);
        self.store(key.clone(), entry, trail.aliases(), shared, answered);
        let body = if follows.is_some() { Body::empty() } else { caller };
        let next = follows.map(|request| Next { request, skip, asked: Some(key) });
        Answer { head, body, extensions, status, next }
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
    ) -> Option<Request<RequestBody>> {
        if self.inner.max_redirects == 0 {
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

/// Returns whether `status` is a failure that a stale response may stand in for (RFC 5861, section 4).
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// Returns the length of the body that the header fields announce (RFC 9110, section 8.6).
fn announced_len(head: &ResponseHead) -> Option<u64> {
    let has_body = head.method != Method::HEAD && head.status != StatusCode::NO_CONTENT;
    if !has_body || head.headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    head.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
