//! Asking the origin, for one request or for all who wait for the same.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, IF_MODIFIED_SINCE, IF_NONE_MATCH, TRANSFER_ENCODING};
use http::{Extensions, HeaderMap, Method, Request, StatusCode};
use http_body::Body as _;
use larder_core::{Body, CacheKey, Error, ErrorKind, ResponseHead, Result};
use larder_policy::{Decision, Failure, Forward, HeadEffect, RequestKeys, RequestOptions, announced_len};

use crate::cache::{key_request, received_head};
use crate::exchange::{Answer, Next};
use crate::flights::Leader;
use crate::recovery::Recovery;
use crate::shared::Shared;
use crate::status::NotStored;
use crate::stored::{Asked, Stored, ttl};
use crate::trail::{Skip, Trail};
use crate::variants::Place;
use crate::{CacheStatus, FinalUrl, Origin, RequestBody, ResponseCache, recovery, request};

/// A request that must go to the origin, and what is known about it.
pub(crate) struct Forwarded<'a> {
    pub(crate) request: &'a mut Request<RequestBody>,
    pub(crate) options: &'a RequestOptions,
    pub(crate) trail: &'a Trail,
    pub(crate) keys: RequestKeys,
    /// What is stored: to be validated or completed, or to be used if the origin fails.
    pub(crate) stored: Option<Stored>,
    /// Where the answer goes.
    pub(crate) place: Place,
    pub(crate) conditions: HeaderMap,
    pub(crate) reason: Forward,
    /// Set if others wait for the answer, or may.
    pub(crate) leader: Option<Leader<Outcome>>,
    /// Whether nobody waits for it, since the stale response was the answer.
    pub(crate) is_behind: bool,
}

/// What one exchange comes to for all who wait for it.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Arrived(Arc<Arrival>),
    /// The origin failed, and whoever has a stale response may use it.
    OriginFailed(Failure),
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
    pub(crate) head: ResponseHead,
    pub(crate) extensions: Extensions,
    /// None of a redirect, which all who wait follow.
    pub(crate) body: Option<Shared>,
    /// What was looked up.
    pub(crate) key: CacheKey,
    pub(crate) skip: Option<Skip>,
}

/// A response of the origin.
pub(crate) struct Received {
    pub(crate) head: ResponseHead,
    pub(crate) body: Body,
    pub(crate) extensions: Extensions,
    /// How often anything had been made invalid when it was asked for.
    pub(crate) invalidations: u64,
}

impl ResponseCache {
    /// Sends `request` to the origin past what is stored; what its answer makes invalid is deleted.
    pub(crate) async fn pass_by(
        &self,
        request: &mut Request<RequestBody>,
        options: &RequestOptions,
        reason: Forward,
        why: NotStored,
        trail: &Trail,
        origin: &mut dyn Origin,
    ) -> Result<Answer> {
        let received = self.ask(request, &HeaderMap::new(), origin).await?;
        self.invalidate(request, options, &received.head).await;
        let status = CacheStatus::forward(reason);
        let received = match why {
            NotStored::Disabled => received,
            _ => match self.keep_for_get(request, options, received, &status).await {
                Ok(answer) => return Ok(answer),
                Err(received) => received,
            },
        };
        let Received { head, body, extensions, .. } = received;
        let next =
            self.follow(request, &head, trail).map(|request| Next { request, skip: None, asked: None });
        Ok(Answer { head, body, extensions, status: status.not_stored(why), next })
    }

    /// Asks the origin, and makes of its answer one for all who wait.
    pub(crate) async fn forward(
        &self,
        mut forwarded: Forwarded<'_>,
        origin: &mut dyn Origin,
    ) -> Result<Answer> {
        loop {
            let received = self.ask(forwarded.request, &forwarded.conditions, origin).await;
            let failure = match &received {
                Ok(received) => Failure::Status(received.head.status),
                Err(_) => Failure::Unreachable,
            };
            if let Some(answer) = self.fall_back(&mut forwarded, failure, origin).await {
                forwarded.leader.map(|leader| leader.answer(Outcome::OriginFailed(failure)));
                return Ok(answer);
            }
            let received = received?;
            if forwarded.conditions.is_empty() {
                self.learn_from_head(&forwarded, &received.head).await;
                return Ok(self.arrive(forwarded, received).await);
            }
            match (forwarded.reason, received.head.status) {
                (Forward::Partial, StatusCode::PARTIAL_CONTENT) => {
                    if let Some(whole) = self.complete(&mut forwarded, received, origin).await {
                        return Ok(self.arrive(forwarded, whole).await);
                    }
                }
                (Forward::Partial, StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::NOT_MODIFIED) => {}
                (_, StatusCode::NOT_MODIFIED) => {
                    if let Some(answer) = self.validated(&mut forwarded, &received.head, origin).await {
                        return Ok(answer);
                    }
                }
                _ => return Ok(self.arrive(forwarded, received).await),
            }
            // A 304 that does not validate what is stored, a part that does not complete it, or a body that cannot be had:
            // the next answer is whole.
            forwarded.conditions.clear();
        }
    }

    /// Returns the stale answer, if the origin failed and what is stored may be used.
    async fn fall_back(
        &self,
        forwarded: &mut Forwarded<'_>,
        failure: Failure,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        if let Failure::Status(status) = failure
            && !status.is_server_error()
        {
            return None;
        }
        let (request, options) = (&*forwarded.request, forwarded.options);
        let asked = Asked { request, options, trail: forwarded.trail, reason: forwarded.reason };
        if let Some(get) = &forwarded.keys.get
            && let (Some(stored), _) = self.find(request, get, self.inner.clock.now()).await
            && let Some(answer) = self.use_stale(&asked, stored, failure, origin).await
        {
            return Some(answer);
        }
        let stored =
            forwarded.stored.take_if(|stored| self.may_be_stale(request, options, stored, failure))?;
        self.use_stale(&asked, stored, failure, origin).await
    }

    /// Returns the answer that the stored response is, if `not_modified` is about it.
    async fn validated(
        &self,
        forwarded: &mut Forwarded<'_>,
        not_modified: &ResponseHead,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let stored = forwarded.stored.take()?;
        let (request, options) = (key_request(forwarded.request), forwarded.options);
        let now = self.inner.clock.now();
        let policy = &self.inner.policy;
        let refreshed = policy.refresh(&request, options, stored.head(), not_modified, now)?;
        let decision = policy.decide(&request, options, Some(&refreshed.head), now);
        let answer = self.use_validated(forwarded, stored, refreshed, not_modified, origin).await?;
        match forwarded.leader.take() {
            Some(leader) if decision == Decision::Use => leader.land(),
            // Each must be validated for itself.
            Some(leader) => leader.release(now),
            None => {}
        }
        Some(answer)
    }

    /// Returns the whole response that the stored part and the rest of it are.
    async fn complete(
        &self,
        forwarded: &mut Forwarded<'_>,
        mut rest: Received,
        origin: &dyn Origin,
    ) -> Option<Received> {
        let stored = forwarded.stored.take()?;
        let combined = self.inner.policy.combine(stored.head(), &rest.head)?;
        if combined.head.status != StatusCode::OK || !combined.after.is_empty() {
            return None;
        }
        let recovery = Recovery::new(origin, forwarded.request, stored.head());
        let part = recovery::read(self.inner.guard.clone(), stored.into_body(), recovery).await?;
        // A rest that is longer or shorter than it says would be a body of another length than its head announces.
        let len = announced_len(&rest.head)?;
        let body = part.slice(combined.before).chain(std::mem::take(&mut rest.body).slice(0..len));
        Some(Received { head: combined.head, body, ..rest })
    }

    /// Gives what is stored of the GET the fields of the response to a HEAD, or deletes it if there is another now
    /// (RFC 9111, section 4.3.5).
    async fn learn_from_head(&self, forwarded: &Forwarded<'_>, head: &ResponseHead) {
        let Some(get) = &forwarded.keys.get else { return };
        let request = &*forwarded.request;
        let now = self.inner.clock.now();
        let (Some(stored), _) = self.find(request, get, now).await else { return };
        let Some((revision, body_len)) = stored.revision_and_len() else { return };
        let (key, policy) = (key_request(request), &self.inner.policy);
        let (backend, entry) = (&self.inner.backend, stored.entry());
        let learn = async {
            match policy.refresh_by_head(&key, forwarded.options, stored.head(), body_len, head, now) {
                HeadEffect::Refreshed(head) => backend.update_head(entry, revision, *head).await,
                HeadEffect::Outdated => self.delete_with_variants(entry, &mut Vec::new()).await,
                _ => Ok(false),
            }
        };
        if let Some(Err(error)) = self.inner.guard.run("update by HEAD", learn).await {
            self.inner.guard.give_up("update by HEAD", &error);
        }
    }

    /// Makes of `outcome`, which another request brought, the answer to `request`, if it is one.
    pub(crate) async fn share(
        &self,
        asked: &Asked<'_>,
        outcome: &Outcome,
        stored: Option<Stored>,
        origin: &dyn Origin,
    ) -> Option<Answer> {
        let Asked { request, options, trail, reason } = *asked;
        let arrival = match outcome {
            Outcome::Arrived(arrival) => arrival,
            Outcome::OriginFailed(failure) => {
                return self.use_stale(asked, stored?, *failure, origin).await;
            }
        };
        let now = self.inner.clock.now();
        let decision = self.inner.policy.decide(&key_request(request), options, Some(&arrival.head), now);
        if !matches!(decision, Decision::Use | Decision::UseWhileValidating { .. }) {
            return None;
        }
        let admits = self.inner.policy.admits_read(&arrival.head);
        if self.inner.guard.run("filter", admits).await != Some(true) {
            return None;
        }
        let follows = self.follow(request, &arrival.head, trail);
        let body = match (&follows, &arrival.body) {
            (Some(_), _) => Body::empty(),
            (None, Some(body)) => body.join()?,
            (None, None) => return None,
        };
        let mut head = arrival.head.clone();
        head.history.clear();
        let status = CacheStatus { collapsed: true, ttl: ttl(&head, now), ..CacheStatus::forward(reason) };
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
        let mut sent = request::with_body(request, body);
        if !conditions.is_empty() {
            // The request's own are evaluated of what comes of this.
            sent.headers_mut().remove(IF_NONE_MATCH);
            sent.headers_mut().remove(IF_MODIFIED_SINCE);
        }
        for (name, value) in conditions {
            sent.headers_mut().insert(name, value.clone());
        }
        let requested_at = self.inner.clock.now();
        let invalidations = self.inner.invalidated.count();
        let (mut parts, body) = match origin.send(sent).await {
            Ok(response) => response.into_parts(),
            Err(error) => {
                let message = format!("the origin did not answer: {error}");
                return Err(Error::new(ErrorKind::Origin, message).with_source(error));
            }
        };
        let extensions = std::mem::take(&mut parts.extensions);
        let mut head = received_head(request, &parts, requested_at, self.inner.clock.now());
        if head.headers.contains_key(TRANSFER_ENCODING) {
            // It says how the content is framed, and a length beside it does not count (RFC 9112, section 6.3).
            head.headers.remove(CONTENT_LENGTH);
        }
        if let Some(FinalUrl(url)) = extensions.get() {
            head.url = url.clone();
        }
        // Some announce the length that another method's response would have, and call that the body's.
        let is_empty = head.method == Method::HEAD
            || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || body.is_end_stream();
        let body = if is_empty { Body::empty() } else { body };
        Ok(Received { head, body, extensions, invalidations })
    }
}
