//! When a response expires: the order in which the sources of an expiry are asked.

use std::time::Duration;

use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::{current_age, explicit_lifetime};
use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::expiry::DoNotStore;
use crate::pattern::Target;
use crate::{Expiry, KeyRequest, RequestOptions};

impl Policy {
    /// Returns when `response`, received at `now`, expires; `None` is never.
    ///
    /// Asked are, in this order: the request's `Cache-Control`, the response's, the options of the request, those of
    /// the URL, those of the session.
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
            let left = lifetime.saturating_sub(current_age(response, now));
            return Ok(Some(now.saturating_add(left)));
        }
        specific.unwrap_or(self.0.expire_after).at(now)
    }

    /// Returns the lifetime that the fields of request and response give, if they are to be read and give one.
    ///
    /// In a shared cache no request says how long the others are content: its `max-age` is a limit for itself.
    pub(super) fn lifetime_in_fields(
        &self,
        request: &RequestDirectives,
        response: &ResponseDirectives,
        head: &ResponseHead,
    ) -> Option<Duration> {
        let of_response = || explicit_lifetime(response, head, self.0.is_shared);
        let of_request = request.max_age.filter(|_| !self.0.is_shared);
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

    /// Returns how long past its expiry the response may be used when the origin fails, if at all.
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
        window.or(options.stale_if_error).or(self.0.stale_if_error).filter(|window| !window.is_zero())
    }
}
