//! When a response expires: the order in which the sources of an expiry are asked.

use std::fmt;
use std::time::Duration;

use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::{current_age, expires_at, explicit_lifetime, heuristic_lifetime};
use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::expiry::DoNotStore;
use crate::pattern::Target;
use crate::{Expiry, KeyRequest, RequestOptions};

/// How fresh a stored response is, and how that comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// Its age (RFC 9111, section 4.2.3).
    pub age: Duration,
    /// For how long it is fresh, counted from the age of zero (section 4.2.1); `None` is for ever.
    pub lifetime: Option<Duration>,
    /// What says so.
    pub source: LifetimeSource,
    /// When it becomes, or became, stale; `None` is never.
    pub expires_at: Option<Timestamp>,
}

/// What a response's lifetime comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LifetimeSource {
    /// `s-maxage`, in a shared cache.
    SMaxage,
    /// `max-age`.
    MaxAge,
    /// `Expires`, less `Date`.
    Expires,
    /// The time since `Last-Modified` (RFC 9111, section 4.2.2).
    Heuristic,
    /// The caller's options.
    Options,
    /// Nothing: it is stale at once.
    Nothing,
}

impl fmt::Display for LifetimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SMaxage => "s-maxage",
            Self::MaxAge => "max-age",
            Self::Expires => "Expires",
            Self::Heuristic => "heuristic, a tenth of the time since Last-Modified",
            Self::Options => "the options",
            Self::Nothing => "nothing says how long",
        })
    }
}

impl Policy {
    /// Returns how fresh `stored` is at `now`.
    #[must_use]
    pub fn freshness(&self, stored: &ResponseHead, now: Timestamp) -> Freshness {
        let directives = self.response_directives(&stored.headers);
        let heuristic = heuristic_lifetime(&directives, stored).filter(|_| self.is_standard());
        let of_heuristic = heuristic.map(|lifetime| expires_at(stored, lifetime));
        let expires_at = self.expiry_of(&directives, stored);
        let age = current_age(stored, now);
        let explicit =
            self.0.cache_control.then(|| explicit_lifetime(&directives, stored, self.0.is_shared)).flatten();
        let initial_age = current_age(stored, stored.received_at);
        let of_expiry = |at: Timestamp| at.saturating_since(stored.received_at).saturating_add(initial_age);
        let (lifetime, source) = match (explicit, expires_at) {
            (Some(lifetime), _) if directives.s_maxage.is_some() && self.0.is_shared => {
                (Some(lifetime), LifetimeSource::SMaxage)
            }
            (Some(lifetime), _) if directives.max_age.is_some() => (Some(lifetime), LifetimeSource::MaxAge),
            (Some(lifetime), _) => (Some(lifetime), LifetimeSource::Expires),
            (None, Some(_)) if expires_at == of_heuristic => (heuristic, LifetimeSource::Heuristic),
            (None, Some(at)) if at <= stored.received_at => (Some(Duration::ZERO), LifetimeSource::Nothing),
            (None, Some(at)) => (Some(of_expiry(at)), LifetimeSource::Options),
            (None, None) => (None, LifetimeSource::Options),
        };
        Freshness { age, lifetime, source, expires_at }
    }

    /// Returns when `stored` expires; `None` is never.
    ///
    /// What its fields say is asked again, so that it does not matter who stored it; all else was fixed then.
    pub(super) fn expiry_of(
        &self,
        directives: &ResponseDirectives,
        stored: &ResponseHead,
    ) -> Option<Timestamp> {
        let explicit =
            self.is_standard().then(|| explicit_lifetime(directives, stored, self.0.is_shared)).flatten();
        let asked = explicit.map(|lifetime| expires_at(stored, lifetime));
        // What was found out when it was stored is not outvoted: it may have known more.
        [asked, stored.expires_at].into_iter().flatten().min()
    }

    /// Returns when `response`, received at `now`, expires; `None` is never.
    ///
    /// Asked are, in this order: the request's `Cache-Control` in the fixed mode, the response's, the options of the
    /// request, those of the URL, those of the session, and in the standard mode a heuristic.
    pub(super) fn expires_at(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        response: &ResponseHead,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, DoNotStore> {
        let specific = self.specific_expiry(request, options);
        if specific == Some(Expiry::DoNotStore) {
            return Err(DoNotStore);
        }
        let directives = self.response_directives(&response.headers);
        if directives.no_cache {
            return Ok(Some(now));
        }
        let requested = self.request_directives(request);
        if let Some(lifetime) = self.lifetime_in_fields(&requested, &directives, response) {
            return Ok(Some(expires_at(response, lifetime)));
        }
        if let Some(expiry) = specific.or(self.0.expire_after) {
            return expiry.at(now);
        }
        let heuristic = heuristic_lifetime(&directives, response).unwrap_or_default();
        Ok(Some(expires_at(response, heuristic)))
    }

    /// Returns the lifetime that the fields of request and response give, if they are to be read and give one.
    ///
    /// In a shared cache no request says how long the others are content, and in the standard mode none at all: its
    /// `max-age` is a limit for itself.
    pub(super) fn lifetime_in_fields(
        &self,
        request: &RequestDirectives,
        response: &ResponseDirectives,
        head: &ResponseHead,
    ) -> Option<Duration> {
        let of_response = || explicit_lifetime(response, head, self.0.is_shared);
        let of_request = request.max_age.filter(|_| !self.0.is_shared && !self.is_standard());
        of_request.or_else(|| if self.0.cache_control { of_response() } else { None })
    }

    /// Returns the expiry of the request's options, else that of its URL.
    pub(super) fn specific_expiry(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
    ) -> Option<Expiry> {
        options.expire_after.or_else(|| {
            if self.0.urls_expire_after.is_empty() {
                return None;
            }
            let target = Target::of(request.url())?;
            let first = self.0.urls_expire_after.iter().find(|(pattern, _)| pattern.matches(&target));
            first.map(|(_, expiry)| *expiry)
        })
    }

    /// Returns how long past its expiry the response may be used when the origin fails, if anybody says so; no time at all
    /// is not at all.
    pub(super) fn stale_window(
        &self,
        request: &RequestDirectives,
        options: &RequestOptions,
        response: &ResponseDirectives,
    ) -> Option<Duration> {
        if response.forbids_stale(self.0.is_shared) {
            return None;
        }
        let window = request.stale_if_error.or(response.stale_if_error);
        window.or(options.stale_if_error).or(self.0.stale_if_error)
    }
}
