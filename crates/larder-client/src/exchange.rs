//! The request loop: look up, ask the policy, fetch, store, answer; and again for each redirect.
//!
//! It decides nothing by itself. What may be used, stored or skipped is for the policy to say, and whatever goes
//! wrong with the cache is a miss.

use http::header::HeaderName;
use http::{Extensions, HeaderMap, Request, StatusCode};
use larder_core::{Body, CacheKey, Error, ErrorKind, ResponseHead, Result, Served, Timestamp};
use larder_policy::{Bypass, CacheMode, Decision, Forward, RequestKeys, RequestOptions};

use crate::cache::key_request;
use crate::clock::Stopwatch;
use crate::flights::{Joined, Leader};
use crate::forward::{Forwarded, Outcome};
use crate::request::asks_for_less;
use crate::status::NotStored;
use crate::stored::{Asked, Stored};
use crate::trail::{Skip, Trail};
use crate::variants::Place;
use crate::{CacheStatus, Origin, RequestBody, Response, ResponseCache, Unshared};

/// The field that says what caches did (RFC 9211).
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// How often a request waits for another one's exchange before it asks the origin itself.
const MOST_WAITS: u8 = 2;

/// The answer to one request of a chain.
pub(crate) struct Answer {
    pub(crate) head: ResponseHead,
    pub(crate) body: Body,
    pub(crate) extensions: Extensions,
    pub(crate) status: CacheStatus,
    /// The request that follows, if this is a redirect.
    pub(crate) next: Option<Next>,
}

/// What a redirect leads to.
pub(crate) struct Next {
    pub(crate) request: Request<RequestBody>,
    /// How a later request may skip the redirect, if it may.
    pub(crate) skip: Option<Skip>,
    /// What was looked up, if anything was.
    pub(crate) asked: Option<CacheKey>,
}

/// What the store and the policy say about a request.
enum Consulted {
    Answered(Answer),
    /// The origin must be asked.
    Forward(ToForward),
}

/// What is stored for a request, and what is to be done with it.
pub(crate) struct Chosen {
    pub(crate) stored: Option<Stored>,
    pub(crate) place: Place,
    pub(crate) decision: Decision,
}

/// What is known about a request for which the origin must be asked.
struct ToForward {
    stored: Option<Stored>,
    place: Place,
    conditions: HeaderMap,
    reason: Forward,
}

impl ResponseCache {
    /// Answers `request` from the cache or from `origin`, and follows redirects.
    ///
    /// A [`RequestOptions`] among the request's extensions is heeded. The response is returned when its head is
    /// there; its body is stored while it is read. If the future is dropped, the exchange is given up, nothing is
    /// stored, and one of those who wait for the same response asks in its place. Call it in a Tokio runtime with its
    /// timer on.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Origin`]: the origin did not answer, and nothing stored may be used. The source is the
    ///   origin's error.
    /// - [`ErrorKind::Redirect`]: there were too many redirects.
    pub async fn send(&self, mut request: Request<RequestBody>, origin: &mut dyn Origin) -> Result<Response> {
        let options = request.extensions().get::<RequestOptions>().cloned().unwrap_or_default();
        let (mut trail, stopwatch) = (Trail::default(), Stopwatch::start());
        loop {
            let answer = Box::pin(self.exchange(&mut request, &options, &trail, origin)).await?;
            let Answer { mut head, body, extensions, status, next } = answer;
            let Some(next) = next else {
                head.history.splice(0..0, trail.into_history());
                return Ok(self.respond(head, body, extensions, status, stopwatch));
            };
            if trail.len() == self.inner.max_redirects {
                let message = format!("more than {} redirects", self.inner.max_redirects);
                return Err(Error::new(ErrorKind::Redirect, message).with_context("url", head.url));
            }
            trail.push(head, next.skip, next.asked);
            request = next.request;
        }
    }

    /// Answers `request` as [`ResponseCache::send`] does, and follows no redirect: it is the answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Origin`]: the origin did not answer, and nothing stored may be used. The source is the origin's
    /// error.
    pub async fn send_once(
        &self,
        mut request: Request<RequestBody>,
        origin: &mut dyn Origin,
    ) -> Result<Response> {
        let options = request.extensions().get::<RequestOptions>().cloned().unwrap_or_default();
        let (trail, stopwatch) = (Trail::of_one(), Stopwatch::start());
        let answer = Box::pin(self.exchange(&mut request, &options, &trail, origin)).await?;
        Ok(self.respond(answer.head, answer.body, answer.extensions, answer.status, stopwatch))
    }

    /// Returns the answer to a request, and counts it: the one place where requests are counted.
    fn respond(
        &self,
        mut head: ResponseHead,
        body: Body,
        extensions: Extensions,
        status: CacheStatus,
        stopwatch: Stopwatch,
    ) -> Response {
        let served = Served::new(status.outcome()).body_len(body.exact_len()).latency(stopwatch.elapsed());
        self.inner.backend.count(&served.not_stored(status.may_not_be_stored()));
        if self.inner.has_status_field {
            // A cache adds itself to those that were asked before (RFC 9211, section 2).
            // Where no field has room any more, nothing is said.
            let _ = head.headers.try_append(CACHE_STATUS, status.to_value());
        }
        Response::new(head, body, extensions, status, self.inner.clock.clone())
    }

    /// Answers one request of a chain.
    async fn exchange(
        &self,
        request: &mut Request<RequestBody>,
        options: &RequestOptions,
        trail: &Trail,
        origin: &mut dyn Origin,
    ) -> Result<Answer> {
        let inner = &*self.inner;
        if self.is_disabled() {
            if !self.may_ask(request, options) {
                return Ok(refused(request, inner.clock.now()));
            }
            return self.pass_by(request, options, Forward::Bypass, NotStored::Disabled, trail, origin).await;
        }
        let keys = match inner.policy.keys(&key_request(request), options) {
            Ok(keys) => keys,
            Err(bypass) => {
                if !self.may_ask(request, options) {
                    return Ok(refused(request, inner.clock.now()));
                }
                let is_method = matches!(bypass, Bypass::Method(_));
                let reason = if is_method { Forward::Method } else { Forward::Bypass };
                return self
                    .pass_by(request, options, reason, NotStored::Bypass(bypass), trail, origin)
                    .await;
            }
        };
        let (mut leader, mut waits): (Option<Leader<Outcome>>, _) = (None, 0);
        loop {
            let ended = inner.flights.ended();
            let now = inner.clock.now();
            let ToForward { stored, place, conditions, reason } =
                match self.consult(request, options, &keys, trail, now, origin).await {
                    Consulted::Answered(answer) => {
                        if let Some(leader) = leader {
                            leader.land();
                        }
                        return Ok(answer);
                    }
                    Consulted::Forward(forward) => forward,
                };
            let can_wait = leader.is_none() && waits < MOST_WAITS && !trail.has_asked(&keys);
            if can_wait && can_share(request, options, reason) {
                let flight = self.flight_key(request, &keys.primary, &place);
                match inner.flights.join(&flight, &keys.primary, now).await {
                    Joined::Leader(won) => {
                        leader = Some(won);
                        // What was not there may have been stored since.
                        if inner.flights.ended() != ended {
                            continue;
                        }
                    }
                    Joined::Answer(outcome) if outcome.is_gone() => {
                        inner.flights.end_if(&flight, Outcome::is_gone);
                        waits += 1;
                        continue;
                    }
                    Joined::Answer(outcome) => {
                        match self
                            .share(&Asked { request, options, trail, reason }, &outcome, stored, origin)
                            .await
                        {
                            Some(answer) => return Ok(answer),
                            None => waits = MOST_WAITS,
                        }
                        continue;
                    }
                    Joined::Again => {
                        waits += 1;
                        continue;
                    }
                    Joined::Alone => {}
                }
            }
            let forwarded = Forwarded {
                request,
                options,
                trail,
                keys,
                stored,
                place,
                conditions,
                reason,
                leader,
                is_behind: false,
            };
            return self.forward(forwarded, origin).await;
        }
    }

    /// Returns whether the origin may be asked at all (RFC 9111, section 5.2.1.7).
    pub(crate) fn may_ask(&self, request: &Request<RequestBody>, options: &RequestOptions) -> bool {
        let now = self.inner.clock.now();
        self.inner.policy.decide(&key_request(request), options, None, now) != Decision::Refuse
    }

    /// Looks up what is stored for `request`, and asks the policy what to do with it.
    pub(crate) async fn choose(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        keys: &RequestKeys,
        trail: &Trail,
        now: Timestamp,
    ) -> Chosen {
        let decide = |stored: Option<&Stored>| {
            self.inner.policy.decide(&key_request(request), options, stored.map(Stored::head), now)
        };
        // What a redirect of this chain was stored under would lead here again.
        if trail.has_asked(keys) {
            return Chosen { stored: None, place: Place::default(), decision: decide(None) };
        }
        // What a GET has stored answers a HEAD if it may be used as it is.
        if let Some(get) = &keys.get {
            let (stored, place) = self.find(request, get, now).await;
            if stored.is_some() && decide(stored.as_ref()) == Decision::Use {
                return Chosen { stored, place, decision: Decision::Use };
            }
        }
        let (stored, place) = self.find(request, &keys.primary, now).await;
        let mut decision = decide(stored.as_ref());
        if decision != Decision::Use && stored.as_ref().is_some_and(Stored::is_aliased) {
            // What the redirects lead to is asked for by following them: it has a key of its own. It may still stand
            // in for an origin that fails.
            decision = decide(None);
        }
        Chosen { stored, place, decision }
    }

    /// Answers `request` with what is stored, or says what is known for asking the origin.
    async fn consult(
        &self,
        request: &Request<RequestBody>,
        options: &RequestOptions,
        keys: &RequestKeys,
        trail: &Trail,
        now: Timestamp,
        origin: &dyn Origin,
    ) -> Consulted {
        let Chosen { stored, place, decision } = self.choose(request, options, keys, trail, now).await;
        let forward = |stored, conditions, reason| {
            Consulted::Forward(ToForward { stored, place: place.clone(), conditions, reason })
        };
        match (decision, stored) {
            (Decision::Use, Some(stored)) => {
                match self.use_stored(request, options, stored, trail, now, origin).await {
                    Some(answer) => Consulted::Answered(answer),
                    None if !self.may_ask(request, options) => Consulted::Answered(refused(request, now)),
                    None => forward(None, HeaderMap::new(), Forward::Miss),
                }
            }
            (Decision::UseWhileValidating { conditions }, Some(stored)) => {
                if !self.validate_behind(request, options, keys, &place, origin) {
                    return forward(Some(stored), conditions, Forward::Stale);
                }
                match self.use_stored(request, options, stored, trail, now, origin).await {
                    Some(answer) => Consulted::Answered(answer),
                    None => forward(None, HeaderMap::new(), Forward::Miss),
                }
            }
            (Decision::Refuse, _) => Consulted::Answered(refused(request, now)),
            (Decision::Validate { conditions, reason }, stored) => forward(stored, conditions, reason),
            (Decision::Complete { conditions }, stored) => forward(stored, conditions, Forward::Partial),
            (Decision::Fetch { reason }, stored) => forward(stored, HeaderMap::new(), reason),
            _ => forward(None, HeaderMap::new(), Forward::Miss),
        }
    }
}

/// Returns whether another request's exchange may answer `request`, which is forwarded because of `reason`.
///
/// A request that asks for the origin gets it; only safe methods may be left out; and what ends one exchange must end
/// the other.
fn can_share(request: &Request<RequestBody>, options: &RequestOptions, reason: Forward) -> bool {
    if asks_for_less(request.headers()) {
        return false;
    }
    let asks_for_origin = matches!(options.mode, CacheMode::NoCache | CacheMode::Reload)
        || matches!(reason, Forward::Request | Forward::Bypass | Forward::Method);
    request.method().is_safe() && !asks_for_origin && request.extensions().get::<Unshared>().is_none()
}

/// Returns the answer of a cache that may not ask the origin and has nothing that will do.
fn refused(request: &Request<RequestBody>, now: Timestamp) -> Answer {
    let (method, url) = (request.method().clone(), request.uri().clone());
    Answer {
        head: ResponseHead::new(method, url, StatusCode::GATEWAY_TIMEOUT, now),
        body: Body::empty(),
        extensions: Extensions::new(),
        status: CacheStatus { refused: true, ..CacheStatus::default() },
        next: None,
    }
}
