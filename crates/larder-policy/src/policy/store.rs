//! Whether a response is stored and a redirect skipped, and the head that is stored.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, DATE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::{explicit_lifetime, is_heuristically_cacheable};
use crate::cache_control::ResponseDirectives;
use crate::dates::http_date;
use crate::fields::remove_hop_by_hop;
use crate::range::{ByteRange, ContentRange};
use crate::vary::VariesOnAny;
use crate::{CacheMode, KeyRequest, NotStorable, RequestOptions, validator, vary};

/// How many fields a stored response may have; a map of fields holds not many more.
const MOST_FIELDS: usize = 10_000;

impl Policy {
    /// Returns the head that is to be stored of `response`, received at `now`.
    ///
    /// Without the fields of the connection, with the request's fields that `Vary` nominates (a credential among them
    /// as a digest), and with its expiry and delete time set.
    ///
    /// # Errors
    ///
    /// The reason why it is not stored. The filter is asked by itself: [`Policy::admits_write`].
    pub fn storable(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        response: &ResponseHead,
        now: Timestamp,
    ) -> Result<ResponseHead, NotStorable> {
        if !self.0.allowed_methods.contains(request.method()) {
            return Err(NotStorable::Method(request.method().clone()));
        }
        self.check_status(request, response)?;
        let directives = self.response_directives(&response.headers);
        if directives.must_understand && !is_understood(response.status) {
            return Err(NotStorable::Status(response.status));
        }
        if directives.forbids_storing() {
            return Err(NotStorable::NoStore);
        }
        self.check_request(request, options)?;
        self.check_shared(request, response)?;
        if !self.says_that_it_is_storable(request, options, response, &directives) {
            return Err(NotStorable::Status(response.status));
        }
        if response.headers.len() > MOST_FIELDS {
            return Err(NotStorable::Fields(response.headers.len()));
        }
        let mut head = self.stored_head(request, options, response, now)?;
        if let Some(part) =
            ContentRange::of(&head.headers).filter(|_| head.status == StatusCode::PARTIAL_CONTENT)
            && part.complete_len == Some(part.len())
        {
            // All of it came as a part.
            head.status = StatusCode::OK;
            head.headers.remove(CONTENT_RANGE);
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
        }
        if self.is_of_use(request, options, &head, &directives, now) {
            Ok(head)
        } else {
            Err(NotStorable::Expiry)
        }
    }

    /// Checks that the status is one that is stored at all.
    fn check_status(&self, request: &KeyRequest<'_>, response: &ResponseHead) -> Result<(), NotStorable> {
        let status = response.status;
        match (&self.0.allowed_codes, status) {
            (None, StatusCode::PARTIAL_CONTENT) => {
                let is_part = ByteRange::of(request.headers()).is_some()
                    && *request.method() == Method::GET
                    && ContentRange::of(&response.headers).is_some();
                if is_part { Ok(()) } else { Err(NotStorable::Partial) }
            }
            (Some(_), StatusCode::PARTIAL_CONTENT) => Err(NotStorable::Partial),
            (Some(codes), status) if !codes.contains(&status) => Err(NotStorable::Status(status)),
            (None, status) if !(200..600).contains(&status.as_u16()) || is_not_whole(status) => {
                Err(NotStorable::Status(status))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether anybody says that such a response may be stored (RFC 9111, section 3, the last list).
    fn says_that_it_is_storable(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        response: &ResponseHead,
        directives: &ResponseDirectives,
    ) -> bool {
        !self.is_standard()
            || is_heuristically_cacheable(response.status)
            || directives.public
            || (directives.private && !self.0.is_shared)
            || explicit_lifetime(directives, response, self.0.is_shared).is_some()
            || self.specific_expiry(request, options).is_some()
    }

    /// Returns whether there may ever be a request that the stored response answers, at once, stale or after validation.
    fn is_of_use(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        head: &ResponseHead,
        directives: &ResponseDirectives,
        now: Timestamp,
    ) -> bool {
        let is_fresh = head.expires_at.is_none_or(|expires_at| expires_at > now);
        let explicit = explicit_lifetime(directives, head, self.0.is_shared).filter(|_| self.is_standard());
        is_fresh
            || validator::is_there(request.method(), &head.headers)
            || self.stale_window_of(request, options, head).is_some_and(|window| !window.is_zero())
            || directives.stale_while_revalidate.is_some_and(|window| !window.is_zero())
            || explicit.is_some_and(|lifetime| !lifetime.is_zero())
    }

    /// Returns until when the redirect `hop`, the response to `request`, may be skipped; `None` is for ever.
    ///
    /// # Errors
    ///
    /// The reason why it is followed anew each time. `no-store` is one whatever the options say.
    pub fn redirect(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        hop: &ResponseHead,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, NotStorable> {
        let method = request.method();
        if !matches!(*method, Method::GET | Method::HEAD) || !self.0.allowed_methods.contains(method) {
            return Err(NotStorable::Method(method.clone()));
        }
        if !matches!(hop.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Err(NotStorable::Status(hop.status));
        }
        if self.any_directives(&hop.headers).no_store {
            return Err(NotStorable::NoStore);
        }
        self.check_request(request, options)?;
        self.check_shared(request, hop)?;
        let names = vary::nominated(&hop.headers).map_err(|VariesOnAny| NotStorable::VaryAny)?;
        let is_for_one = hop.headers.contains_key(SET_COOKIE) || self.any_directives(&hop.headers).private;
        if is_for_one && self.0.cache_control && !self.0.is_shared {
            return Err(NotStorable::VaryingRedirect);
        }
        if !names.iter().all(|name| self.divides_aliases(name, options)) {
            return Err(NotStorable::VaryingRedirect);
        }
        match self.expires_at(request, options, hop, now) {
            Ok(Some(expires_at)) if expires_at <= now => Err(NotStorable::Expiry),
            Ok(expires_at) => Ok(expires_at),
            Err(_) => Err(NotStorable::Expiry),
        }
    }

    /// Returns the head to store, whatever it says about being stored.
    pub(super) fn stored_head(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        response: &ResponseHead,
        now: Timestamp,
    ) -> Result<ResponseHead, NotStorable> {
        let names = self.selecting_names(&response.headers).map_err(|VariesOnAny| NotStorable::VaryAny)?;
        let mut head = response.clone();
        head.vary_fields = vary::selecting(request.headers(), &names);
        head.expires_at =
            self.expires_at(request, options, response, now).map_err(|_| NotStorable::Expiry)?;
        let kept = self.stale_window_of(request, options, response).unwrap_or_default();
        let kept = kept.max(self.0.keep_expired);
        head.delete_at = head.expires_at.map(|expires_at| expires_at.saturating_add(kept));
        remove_hop_by_hop(&mut head.headers);
        if self.is_standard()
            && !head.headers.contains_key(DATE)
            && let Some(date) = http_date(head.received_at).and_then(|date| HeaderValue::try_from(date).ok())
        {
            // Whoever is given it later must not take it for new (RFC 9110, section 6.6.1).
            head.headers.insert(DATE, date);
        }
        for hop in &mut head.history {
            remove_hop_by_hop(&mut hop.headers);
            if self.0.is_shared {
                hop.headers.remove(SET_COOKIE);
            }
        }
        Ok(head)
    }

    fn stale_window_of(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        head: &ResponseHead,
    ) -> Option<Duration> {
        let directives = self.request_directives(request);
        self.stale_window(&directives, options, &self.response_directives(&head.headers))
    }

    fn check_request(&self, request: &KeyRequest<'_>, options: &RequestOptions) -> Result<(), NotStorable> {
        if options.mode == CacheMode::NoStore || self.request_directives(request).no_store {
            return Err(NotStorable::RequestNoStore);
        }
        Ok(())
    }

    /// Checks that the response is not for one user alone. `private` and the rest are read whatever the options say:
    /// whom a response is for is no matter of expiry.
    pub(super) fn check_shared(
        &self,
        request: &KeyRequest<'_>,
        response: &ResponseHead,
    ) -> Result<(), NotStorable> {
        if !self.0.is_shared {
            return Ok(());
        }
        self.check_shared_response(response)?;
        let directives = self.any_directives(&response.headers);
        let is_authorized = request.headers().is_some_and(|headers| headers.contains_key(AUTHORIZATION));
        // The other two allow it because of what they demand, and that is demanded only where they are read.
        let demands = directives.must_revalidate || directives.s_maxage.is_some();
        let is_public = directives.public || (self.0.cache_control && demands);
        if is_authorized && !is_public { Err(NotStorable::Credentials) } else { Ok(()) }
    }

    /// Checks that the response itself says nothing of one user alone.
    pub(super) fn check_shared_response(&self, response: &ResponseHead) -> Result<(), NotStorable> {
        let directives = self.any_directives(&response.headers);
        let is_for_all = directives.public || directives.lets_share();
        if directives.private {
            return Err(NotStorable::Private);
        }
        if response.headers.contains_key(SET_COOKIE) && !is_for_all {
            return Err(NotStorable::SetCookie);
        }
        Ok(())
    }

    /// Returns whether redirects that vary on this field have an alias: requests that differ in it have different
    /// keys, or it selects the coding of a content that nobody reads.
    fn divides_aliases(&self, name: &HeaderName, options: &RequestOptions) -> bool {
        let is_own_key = options.key.is_some() || self.0.key_fn.is_some();
        *name == ACCEPT_ENCODING || (!is_own_key && self.0.keys.covers(name))
    }
}

/// Returns whether a response of this status is about what others have, and never stored as it is.
fn is_not_whole(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE)
}

/// Returns whether the status is one whose rules for caches are kept here: those that RFC 9110, section 15, defines
/// (RFC 9111, section 5.2.2.3).
fn is_understood(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200..=206 | 300..=305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505)
}
