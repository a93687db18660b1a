//! Whether a stored response answers a request, now or after validation, or if the origin fails.

use std::time::Duration;

use http::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE};
use http::{Method, StatusCode};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::current_age;
use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::range::{ByteRange, ContentRange, ascii};
use crate::{Bypass, CacheMode, Decision, Expiry, Failure, Forward, KeyRequest, RequestOptions, validator};

/// How a stored response may be used without asking the origin first.
#[derive(PartialEq, Eq)]
enum Reuse {
    AsItIs,
    /// It is validated behind the answer.
    WhileValidating,
}

/// A request, what is stored for it, and what both say about reusing that.
#[derive(Clone, Copy)]
struct Question<'a> {
    options: &'a RequestOptions,
    request: &'a RequestDirectives,
    response: &'a ResponseDirectives,
    stored: &'a ResponseHead,
    now: Timestamp,
}

impl Question<'_> {
    /// Returns whether the stored response is as young as the request wants it.
    fn is_young(&self) -> bool {
        is_young(self.request, self.stored, self.now)
    }
}

impl Policy {
    /// Decides what is to be done about `request`, given what is stored under its keys.
    #[must_use]
    pub fn decide(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: Option<&ResponseHead>,
        now: Timestamp,
    ) -> Decision {
        let directives = self.request_directives(request);
        let is_refused = options.mode == CacheMode::OnlyIfCached || directives.only_if_cached;
        match (self.reuse(request, options, &directives, stored, now), stored) {
            (Ok(Reuse::WhileValidating), Some(stored)) if !is_refused => {
                Decision::UseWhileValidating { conditions: conditions(request, stored) }
            }
            (Ok(_), _) => Decision::Use,
            (Err(_), _) if is_refused => Decision::Refuse,
            (Err(reason @ (Forward::Stale | Forward::Request)), Some(stored))
                if options.mode != CacheMode::Reload =>
            {
                let conditions = conditions(request, stored);
                if conditions.is_empty() {
                    Decision::Fetch { reason }
                } else {
                    Decision::Validate { conditions, reason }
                }
            }
            (Err(Forward::Partial), Some(stored)) => match rest(request, stored) {
                Some(conditions) => Decision::Complete { conditions },
                None => Decision::Fetch { reason: Forward::Partial },
            },
            (Err(reason), _) => Decision::Fetch { reason },
        }
    }

    /// Returns whether the stored response may answer although it is stale, after the origin failed as `failure` says.
    ///
    /// It may if `stale-if-error` lets it, when the origin could not be reached or answered 500, 502, 503 or 504
    /// (RFC 5861, section 4); in the standard mode also when nobody says for how long and the origin could not be reached
    /// (RFC 9111, section 4.2.4). It may not where the request insists on an answer of the origin, by its mode or its
    /// `Cache-Control`.
    #[must_use]
    pub fn use_stale(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        failure: Failure,
        now: Timestamp,
    ) -> bool {
        let is_failure = match failure {
            Failure::Unreachable => true,
            Failure::Status(status) => matches!(status.as_u16(), 500 | 502 | 503 | 504),
        };
        let directives = self.request_directives(request);
        let insists = directives.no_cache
            || directives.min_fresh.is_some()
            || !is_young(&directives, stored, now)
            || matches!(options.mode, CacheMode::Reload | CacheMode::NoCache);
        if !is_failure || insists || self.check_bypass(request, options).is_err() {
            return false;
        }
        let response = self.response_directives(&stored.headers);
        if self.selected(request, &response, stored).is_err() || response.forbids_stale(self.0.is_shared) {
            return false;
        }
        match self.stale_window(&directives, options, &response) {
            Some(Duration::ZERO) => false,
            Some(window) => self
                .expiry_of(&response, stored)
                .is_none_or(|expires_at| now < expires_at.saturating_add(window)),
            None => self.is_standard() && failure == Failure::Unreachable,
        }
    }

    /// Returns how the stored response answers the request, or why the request goes to the origin.
    fn reuse(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        directives: &RequestDirectives,
        stored: Option<&ResponseHead>,
        now: Timestamp,
    ) -> Result<Reuse, Forward> {
        match self.check_bypass(request, options) {
            Ok(()) => {}
            Err(Bypass::Method(_)) => return Err(Forward::Method),
            Err(_) => return Err(Forward::Bypass),
        }
        if options.mode == CacheMode::Reload {
            return Err(Forward::Request);
        }
        let stored = stored.ok_or(Forward::UriMiss)?;
        let response = self.response_directives(&stored.headers);
        self.selected(request, &response, stored)?;
        let question = Question { options, request: directives, response: &response, stored, now };
        let is_fresh = self.is_fresh(&question);
        let is_reload = options.mode == CacheMode::NoCache && !(is_fresh && response.immutable);
        if directives.no_cache || is_reload {
            return Err(Forward::Request);
        }
        if response.no_cache {
            return Err(Forward::Stale);
        }
        if is_fresh || self.is_stale_allowed(&question) {
            return Ok(Reuse::AsItIs);
        }
        let window = response.stale_while_revalidate.unwrap_or_default();
        if self.is_stale_within(window, &question) {
            return Ok(Reuse::WhileValidating);
        }
        let is_expired = self.expiry_of(&response, stored).is_some_and(|expires_at| expires_at <= now);
        Err(if is_expired { Forward::Stale } else { Forward::Request })
    }

    /// Returns whether the stored response is fresh, and as fresh as the request wants it.
    fn is_fresh(&self, question: &Question<'_>) -> bool {
        let until = question.now.saturating_add(question.request.min_fresh.unwrap_or_default());
        let expires_at = self.expires_at_for(question);
        question.is_young() && expires_at.is_none_or(|expires_at| until < expires_at)
    }

    /// Returns whether a stale response will do for the request, and the response does not forbid it.
    fn is_stale_allowed(&self, question: &Question<'_>) -> bool {
        let is_forced = matches!(question.options.mode, CacheMode::ForceCache | CacheMode::OnlyIfCached);
        let allowed = question.request.max_stale.unwrap_or_default();
        self.is_stale_within(if is_forced { Duration::MAX } else { allowed }, question)
    }

    /// Returns whether the stored response has been stale for less than `window`, if it may be used stale at all.
    fn is_stale_within(&self, window: Duration, question: &Question<'_>) -> bool {
        if window.is_zero()
            || question.response.forbids_stale(self.0.is_shared)
            || question.request.min_fresh.is_some()
            || !question.is_young()
        {
            return false;
        }
        let expires_at = self.expires_at_for(question);
        expires_at.is_none_or(|expires_at| question.now < expires_at.saturating_add(window))
    }

    /// Returns when the stored response expires for this request: not later than the request's own options say,
    /// unless a field that goes before them gives its lifetime.
    fn expires_at_for(&self, question: &Question<'_>) -> Option<Timestamp> {
        let Question { options, request, response, stored, .. } = *question;
        let own = match options.expire_after {
            Some(Expiry::Immediately) => Some(stored.received_at),
            Some(Expiry::After(duration)) => Some(stored.received_at.saturating_add(duration)),
            Some(Expiry::At(at)) => Some(at),
            Some(Expiry::Never | Expiry::DoNotStore) | None => None,
        };
        let own = own.filter(|_| self.lifetime_in_fields(request, response, stored).is_none());
        [self.expiry_of(response, stored), own].into_iter().flatten().min()
    }

    /// Returns whether the stored response is one for this request, fresh or stale.
    pub(super) fn is_selected(&self, request: &KeyRequest<'_>, stored: &ResponseHead) -> bool {
        self.selected(request, &self.response_directives(&stored.headers), stored).is_ok()
    }

    /// Checks that the stored response, which has these directives, is one for this request, fresh or stale.
    fn selected(
        &self,
        request: &KeyRequest<'_>,
        directives: &ResponseDirectives,
        stored: &ResponseHead,
    ) -> Result<(), Forward> {
        // A caller's own key may be the same for both.
        if stored.method == Method::HEAD && request.method() != Method::HEAD {
            return Err(Forward::Miss);
        }
        if directives.forbids_storing() {
            return Err(Forward::Miss);
        }
        // A private cache may have stored it in the same place.
        if self.0.is_shared && self.check_shared_response(stored).is_err() {
            return Err(Forward::Miss);
        }
        if !self.matches_vary(request, stored) {
            return Err(Forward::VaryMiss);
        }
        if stored.status == StatusCode::PARTIAL_CONTENT && !has_asked_part(request, stored) {
            return Err(Forward::Partial);
        }
        Ok(())
    }
}

/// Returns whether the stored response is as young as the request wants it.
fn is_young(request: &RequestDirectives, stored: &ResponseHead, now: Timestamp) -> bool {
    request.max_age.is_none_or(|max_age| current_age(stored, now) < max_age)
}

/// Returns whether the part that is stored has what the request asks for (RFC 9111, section 3.3).
fn has_asked_part(request: &KeyRequest<'_>, stored: &ResponseHead) -> bool {
    let asked = ByteRange::of(request.headers()).filter(|_| *request.method() == Method::GET);
    let (Some(asked), Some(here)) = (asked, ContentRange::of(&stored.headers)) else { return false };
    let is_same = request.headers().is_some_and(|headers| validator::is_same_range(headers, &stored.headers));
    is_same && here.covers(asked).is_some()
}

/// Returns the fields that ask for what follows the stored part, if that is the beginning of a representation that can be
/// told from others, and the request is for the whole (RFC 9110, sections 13.1.5 and 15.3.7.3).
fn rest(request: &KeyRequest<'_>, stored: &ResponseHead) -> Option<HeaderMap> {
    let here = ContentRange::of(&stored.headers)
        .filter(|here| here.first == 0 && here.complete_len != Some(here.last + 1))?;
    validator::strong_tag(&stored.headers)?;
    let is_plain = request.headers().is_none_or(|headers| {
        [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE].iter().all(|name| !headers.contains_key(name))
    });
    if !is_plain || *request.method() != Method::GET {
        return None;
    }
    let tag = stored.headers.get(ETAG)?.clone();
    Some(HeaderMap::from_iter([(RANGE, ascii(&format!("bytes={}-", here.last + 1))), (IF_RANGE, tag)]))
}

/// Returns the fields that make the request conditional (RFC 9111, section 4.3.1), none if it cannot be.
fn conditions(request: &KeyRequest<'_>, stored: &ResponseHead) -> HeaderMap {
    let mut conditions = HeaderMap::new();
    if !validator::may_be_sent(request.method()) {
        return conditions;
    }
    if validator::entity_tag(&stored.headers).is_some() {
        conditions.extend(stored.headers.get(ETAG).map(|tag| (IF_NONE_MATCH, tag.clone())));
    }
    if validator::last_modified(&stored.headers).is_some() {
        let date = stored.headers.get(LAST_MODIFIED);
        conditions.extend(date.map(|date| (IF_MODIFIED_SINCE, date.clone())));
    }
    conditions
}
