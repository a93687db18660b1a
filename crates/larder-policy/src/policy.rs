//! The decisions of one session. The request loop asks here, and decides nothing by itself.
//!
//! Everything is a function of its arguments: `now` is one of them, and no method but the filters waits.

mod decide;
mod lifetime;
mod partial;
mod present;
mod refresh;
mod store;

pub use lifetime::{Freshness, LifetimeSource};
pub use partial::Combined;
pub use present::Presented;
pub use refresh::{HeadEffect, Refreshed, Upkeep};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    COOKIE, DATE, HOST, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};
use larder_core::{CacheKey, ResponseHead};

use crate::age::{date, explicit_lifetime};
use crate::cache_control::{RequestDirectives, ResponseDirectives};
use crate::options::KeyFn;
use crate::pattern::UrlPattern;
use crate::vary::VariesOnAny;
use crate::{
    Bypass, CacheKeys, CacheMode, Content, Expiry, Filter, KeyRequest, RequestKeys, RequestOptions, targeted,
    vary,
};

/// What begins the input of the key that a HEAD is stored under when its GET has the same key by the caller's wish.
const HEAD_PREFIX: &str = "larder-head-1,";

/// Decides what of a session's requests and responses is stored and reused.
///
/// It is made by [`CacheOptions::build`](crate::CacheOptions::build). Cloning is cheap.
#[derive(Clone)]
pub struct Policy(Arc<Rules>);

/// The options, checked and parsed.
pub(crate) struct Rules {
    /// None is as RFC 9111 says.
    pub(crate) expire_after: Option<Expiry>,
    pub(crate) urls_expire_after: Vec<(UrlPattern, Expiry)>,
    pub(crate) allowed_codes: Option<Vec<StatusCode>>,
    pub(crate) allowed_methods: Vec<Method>,
    pub(crate) keys: CacheKeys,
    pub(crate) cache_control: bool,
    pub(crate) targeted: Vec<HeaderName>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) keep_expired: Duration,
    pub(crate) max_variants: usize,
    pub(crate) is_shared: bool,
    pub(crate) key_fn: Option<KeyFn>,
    pub(crate) filter_on_write: Option<Filter>,
    pub(crate) filter_on_read: Option<Filter>,
}

impl Policy {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(Arc::new(rules))
    }

    /// Returns the keys of `request`.
    ///
    /// # Errors
    ///
    /// The [`Bypass`] of a request that is neither looked up nor stored. If it is only to be answered from what is
    /// stored, [`Policy::decide`] says so.
    pub fn keys(&self, request: &KeyRequest<'_>, options: &RequestOptions) -> Result<RequestKeys, Bypass> {
        self.check_bypass(request, options)?;
        let key = |request: &KeyRequest<'_>| match (&options.key, &self.0.key_fn) {
            (Some(key), _) => Ok(key.clone()),
            (None, Some(key_fn)) => key_fn(request).ok_or(Bypass::KeyFunction),
            (None, None) => Ok(self.0.keys.key(request)?.to_cache_key()),
        };
        let primary = key(request)?;
        if request.method() != Method::HEAD {
            return Ok(RequestKeys { primary, get: None });
        }
        let get = key(&request.as_get())?;
        // What answers a HEAD has no body, and must not stand where a GET looks.
        let primary = if primary == get { CacheKey::digest(format!("{HEAD_PREFIX}{get}")) } else { primary };
        Ok(RequestKeys { primary, get: Some(get) })
    }

    /// Returns the key of the response to `request` that is kept beside the one under `primary`, if they differ in the
    /// request's fields that are `nominated`.
    #[must_use]
    pub fn variant_key(
        &self,
        request: &KeyRequest<'_>,
        primary: &CacheKey,
        nominated: &[HeaderName],
    ) -> CacheKey {
        vary::variant_key(primary, request.headers(), nominated)
    }

    /// Returns the names of the request's fields that select `stored`, in the one order that
    /// [`Policy::variant_key`] takes; none if nothing selects it.
    #[must_use]
    pub fn nominated(&self, stored: &ResponseHead) -> Vec<HeaderName> {
        self.selecting_names(&stored.headers).unwrap_or_default()
    }

    /// Returns whether `request` has the fields that `stored` was selected by (RFC 9111, section 4.1).
    #[must_use]
    pub fn matches_vary(&self, request: &KeyRequest<'_>, stored: &ResponseHead) -> bool {
        let names = self.selecting_names(&stored.headers);
        names.is_ok_and(|names| vary::matches(request.headers(), &names, &stored.vary_fields))
    }

    /// Returns whether requests of one user for one URL may have several keys, by their fields or by the caller's function.
    #[must_use]
    pub fn has_many_keys(&self) -> bool {
        self.0.key_fn.is_some() || self.0.keys.covers_fields()
    }

    /// Returns whether `one` is more recent than `other`, by their `Date` (RFC 9111, section 4), or by when they came if that
    /// is the same.
    #[must_use]
    pub fn is_more_recent(&self, one: &ResponseHead, other: &ResponseHead) -> bool {
        let made = |head: &ResponseHead| date(&head.headers, &DATE).unwrap_or(head.received_at);
        (made(one), one.received_at) > (made(other), other.received_at)
    }

    /// Returns how many responses are kept side by side for one key.
    #[must_use]
    pub fn max_variants(&self) -> usize {
        self.0.max_variants
    }

    /// Returns whether a response of `status` to a request of `method` makes what is stored for its URL invalid, and what
    /// is stored for the URLs of the same origin that its `Location` and `Content-Location` name (RFC 9111, section 4.4).
    #[must_use]
    pub fn invalidates(&self, method: &Method, status: StatusCode) -> bool {
        let is_error = !(status.is_success() || status.is_redirection());
        !method.is_safe() && !is_error
    }

    /// Returns whether `response`, to a POST, is also one to GET if its `Content-Location` names the URL of the request
    /// (RFC 9110, section 9.3.3): it says how long it is fresh.
    #[must_use]
    pub fn answers_get(&self, method: &Method, response: &ResponseHead) -> bool {
        let directives = self.response_directives(&response.headers);
        *method == Method::POST
            && self.is_standard()
            && response.status == StatusCode::OK
            && explicit_lifetime(&directives, response, self.0.is_shared).is_some()
    }

    /// Returns whether several users share the cache.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.is_shared
    }

    /// Returns whether the caller's filter lets the response be stored; a dropped future has no effect but its own.
    pub async fn admits_write(&self, head: &ResponseHead) -> bool {
        admits(self.0.filter_on_write.as_ref(), head).await
    }

    /// Returns whether the caller's filter lets the stored response be used, likewise.
    pub async fn admits_read(&self, head: &ResponseHead) -> bool {
        admits(self.0.filter_on_read.as_ref(), head).await
    }

    /// Checks that the cache has anything to do with `request`.
    fn check_bypass(&self, request: &KeyRequest<'_>, options: &RequestOptions) -> Result<(), Bypass> {
        if !self.0.allowed_methods.contains(request.method()) {
            return Err(Bypass::Method(request.method().clone()));
        }
        if options.mode == CacheMode::NoStore || self.request_directives(request).no_store {
            return Err(Bypass::NoStore);
        }
        let is_not_stored = match self.specific_expiry(request, options) {
            Some(expiry) => expiry == Expiry::DoNotStore,
            // The response may say how long it is fresh, and that goes before the session.
            None => self.0.expire_after == Some(Expiry::DoNotStore) && !self.0.cache_control,
        };
        if is_not_stored {
            return Err(Bypass::Expiry);
        }
        if request.content() == Content::Streamed {
            return Err(Bypass::ContentNotGiven);
        }
        if names_another_host(request) {
            return Err(Bypass::Host);
        }
        let has = |name| request.headers().is_some_and(|headers| headers.contains_key(name));
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        // A HEAD has no range (RFC 9110, section 14.2).
        if has(RANGE) && !reads {
            return Err(Bypass::Range);
        }
        // Only the origin may evaluate these (RFC 9111, section 4.3.2), and the others only for the methods that read.
        let is_for_origin = [IF_MATCH, IF_UNMODIFIED_SINCE].into_iter().any(has);
        let is_conditional = [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE].into_iter().any(has);
        if is_for_origin || (is_conditional && !reads) { Err(Bypass::Conditional) } else { Ok(()) }
    }

    /// Returns the request's directives, none if they are not to be read.
    fn request_directives(&self, request: &KeyRequest<'_>) -> RequestDirectives {
        match request.headers() {
            Some(headers) if self.0.cache_control => RequestDirectives::of(headers),
            _ => RequestDirectives::default(),
        }
    }

    /// Returns the response's directives, none if they are not to be read.
    fn response_directives(&self, headers: &HeaderMap) -> ResponseDirectives {
        if self.0.cache_control { self.any_directives(headers) } else { ResponseDirectives::default() }
    }

    /// Returns the response's directives, whether the options read them or not: whom a response is for is no matter of
    /// expiry.
    fn any_directives(&self, headers: &HeaderMap) -> ResponseDirectives {
        targeted::directives(headers, &self.0.targeted).unwrap_or_else(|| ResponseDirectives::of(headers))
    }

    /// Returns whether the cache does as RFC 9111 says, where the caller says nothing.
    fn is_standard(&self) -> bool {
        self.0.expire_after.is_none()
    }

    /// Returns the names of the request's fields that select a response with `headers`.
    ///
    /// They are those that `Vary` nominates. In a private cache that reads `Cache-Control`, a response that does not say
    /// that it is for all is for whoever has the same cookies, so that two users of one directory are kept apart.
    fn selecting_names(&self, headers: &HeaderMap) -> Result<Vec<HeaderName>, VariesOnAny> {
        let mut names = vary::nominated(headers)?;
        if self.0.cache_control && !self.0.is_shared && !self.is_for_all(headers) {
            names.push(COOKIE);
            vary::in_order(&mut names);
        }
        Ok(names)
    }

    /// Returns whether a response with `headers` says that it is for every user: `public` or `s-maxage`, and nothing that
    /// contradicts it.
    fn is_for_all(&self, headers: &HeaderMap) -> bool {
        let is_for_all = |directives: ResponseDirectives| {
            (directives.public || directives.lets_share()) && !directives.private
        };
        let directives = self.any_directives(headers);
        // A targeted field goes before `Cache-Control`, but makes nobody's own response everybody's.
        let is_private = directives.is_targeted && ResponseDirectives::of(headers).private;
        is_for_all(directives) && !is_private
    }
}

/// Returns whether a `Host` field names another host than the URL, of which alone the key is made.
fn names_another_host(request: &KeyRequest<'_>) -> bool {
    let host = request.headers().and_then(|headers| headers.get(HOST));
    let Some(authority) = request.url().authority().map(Authority::as_str) else { return false };
    let named = authority.rsplit_once('@').map_or(authority, |(_, host_and_port)| host_and_port);
    host.is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(named.as_bytes()))
}

async fn admits(filter: Option<&Filter>, head: &ResponseHead) -> bool {
    match filter {
        Some(filter) => filter.admits(head).await,
        None => true,
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("expire_after", &self.0.expire_after)
            .field("cache_control", &self.0.cache_control)
            .field("is_shared", &self.0.is_shared)
            .finish_non_exhaustive()
    }
}
