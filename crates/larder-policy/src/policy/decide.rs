//! Whether a stored response answers a request, now or after validation, or if the origin fails.

use http::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{Method, StatusCode};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::current_age;
use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::{Bypass, CacheMode, Decision, Expiry, Forward, KeyRequest, RequestOptions, validator, vary};

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
        let forward = self.forward(request, options, &directives, stored, now);
        let is_refused = options.mode == CacheMode::OnlyIfCached || directives.only_if_cached;
        match (forward, stored) {
            (None, _) => Decision::Use,
            (Some(_), _) if is_refused => Decision::Refuse,
            (Some(reason @ (Forward::Stale | Forward::Request)), Some(stored))
                if options.mode != CacheMode::Reload =>
            {
                let conditions = conditions(request, stored);
                if conditions.is_empty() {
                    Decision::Fetch { reason }
                } else {
                    Decision::Validate { conditions, reason }
                }
            }
            (Some(reason), _) => Decision::Fetch { reason },
        }
    }

    /// Returns whether the stored response may answer although it is stale, after the origin could not be reached or
    /// answered 500, 502, 503 or 504 (RFC 5861, section 4).
    ///
    /// It may not where the request insists on an answer of the origin, by its mode or `no-cache`.
    #[must_use]
    pub fn use_stale(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        now: Timestamp,
    ) -> bool {
        let directives = self.request_directives(request);
        let insists = directives.no_cache || matches!(options.mode, CacheMode::Reload | CacheMode::NoCache);
        if insists || self.check_bypass(request, options).is_err() || selected(request, stored).is_err() {
            return false;
        }
        let response = self.response_directives(&stored.headers);
        let Some(window) = self.stale_window(&directives, options, &response) else { return false };
        stored.expires_at.is_none_or(|expires_at| now < expires_at.saturating_add(window))
    }

    /// Returns why the request goes to the origin; `None` if the stored response answers it.
    fn forward(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        directives: &RequestDirectives,
        stored: Option<&ResponseHead>,
        now: Timestamp,
    ) -> Option<Forward> {
        match self.check_bypass(request, options) {
            Ok(()) => {}
            Err(Bypass::Method(_)) => return Some(Forward::Method),
            Err(_) => return Some(Forward::Bypass),
        }
        if options.mode == CacheMode::Reload {
            return Some(Forward::Request);
        }
        let Some(stored) = stored else { return Some(Forward::UriMiss) };
        if let Err(reason) = selected(request, stored) {
            return Some(reason);
        }
        let response = self.response_directives(&stored.headers);
        let is_fresh = self.is_fresh(options, directives, &response, stored, now);
        let is_reload = options.mode == CacheMode::NoCache && !(is_fresh && response.immutable);
        if directives.no_cache || is_reload {
            return Some(Forward::Request);
        }
        if response.no_cache {
            return Some(Forward::Stale);
        }
        if is_fresh || self.is_stale_allowed(options, directives, &response, stored, now) {
            return None;
        }
        Some(if stored.is_expired(now) { Forward::Stale } else { Forward::Request })
    }

    /// Returns whether the stored response is fresh, and as fresh as the request wants it.
    fn is_fresh(
        &self,
        options: &RequestOptions,
        request: &RequestDirectives,
        response: &ResponseDirectives,
        stored: &ResponseHead,
        now: Timestamp,
    ) -> bool {
        let until = now.saturating_add(request.min_fresh.unwrap_or_default());
        let expires_at = self.expires_at_for(options, request, response, stored);
        is_young(request, stored, now) && expires_at.is_none_or(|expires_at| until < expires_at)
    }

    /// Returns whether a stale response will do for the request, and the response does not forbid it.
    fn is_stale_allowed(
        &self,
        options: &RequestOptions,
        request: &RequestDirectives,
        response: &ResponseDirectives,
        stored: &ResponseHead,
        now: Timestamp,
    ) -> bool {
        if response.forbids_stale(self.0.is_shared)
            || request.min_fresh.is_some()
            || !is_young(request, stored, now)
        {
            return false;
        }
        let is_forced = matches!(options.mode, CacheMode::ForceCache | CacheMode::OnlyIfCached);
        let expires_at = self.expires_at_for(options, request, response, stored);
        is_forced
            || request.max_stale.is_some_and(|max_stale| {
                expires_at.is_none_or(|expires_at| now < expires_at.saturating_add(max_stale))
            })
    }

    /// Returns when the stored response expires for this request: not later than the request's own options say,
    /// unless a field that goes before them gives its lifetime.
    fn expires_at_for(
        &self,
        options: &RequestOptions,
        request: &RequestDirectives,
        response: &ResponseDirectives,
        stored: &ResponseHead,
    ) -> Option<Timestamp> {
        let own = match options.expire_after {
            Some(Expiry::Immediately) => Some(stored.received_at),
            Some(Expiry::After(duration)) => Some(stored.received_at.saturating_add(duration)),
            Some(Expiry::At(at)) => Some(at),
            Some(Expiry::Never | Expiry::DoNotStore) | None => None,
        };
        let own = own.filter(|_| self.lifetime_in_fields(request, response, stored).is_none());
        [stored.expires_at, own].into_iter().flatten().min()
    }
}

/// Returns whether the stored response is as young as the request wants it.
fn is_young(request: &RequestDirectives, stored: &ResponseHead, now: Timestamp) -> bool {
    request.max_age.is_none_or(|max_age| current_age(stored, now) < max_age)
}

/// Checks that the stored response is one for this request, fresh or stale.
fn selected(request: &KeyRequest<'_>, stored: &ResponseHead) -> Result<(), Forward> {
    // A caller's own key may be the same for both.
    if stored.method == Method::HEAD && request.method() != Method::HEAD {
        return Err(Forward::Miss);
    }
    if stored.status == StatusCode::PARTIAL_CONTENT {
        return Err(Forward::Partial);
    }
    if vary::matches(request.headers(), &stored.headers, &stored.vary_fields) {
        Ok(())
    } else {
        Err(Forward::VaryMiss)
    }
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
