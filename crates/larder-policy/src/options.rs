//! The options of a session, and what is wrong with them.
//!
//! Nothing is checked before [`CacheOptions::build`], and everything there: a [`Policy`] has no options that
//! contradict each other.

mod invalid;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use larder_core::{CacheKey, Result};

use crate::policy::Rules;
use crate::{CacheKeys, Expiry, Filter, KeyRequest, Policy};

/// How long an expired response is kept unless the caller says otherwise.
const KEEP_EXPIRED: Duration = Duration::from_hours(30 * 24);

/// The targeted field of caches that many users share (RFC 9213, section 3.1).
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// A caller's own key function.
pub(crate) type KeyFn = Arc<dyn Fn(&KeyRequest<'_>) -> Option<CacheKey> + Send + Sync>;

/// The options of a session.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use larder_policy::{CacheOptions, Expiry};
///
/// let policy = CacheOptions::fixed(Duration::from_secs(3600))
///     .urls_expire_after([("*.example.org/static", Expiry::Never), ("example.org/live", Expiry::DoNotStore)])
///     .ignored_params(["utm_source"])
///     .stale_if_error(Duration::from_secs(86400))
///     .build()?;
/// assert!(!policy.is_shared());
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Clone)]
pub struct CacheOptions {
    /// None is as RFC 9111 says.
    expire_after: Option<Expiry>,
    urls_expire_after: Vec<(String, Expiry)>,
    /// None is any.
    allowed_codes: Option<Vec<StatusCode>>,
    allowed_methods: Vec<Method>,
    ignored_params: Vec<String>,
    included_headers: Vec<HeaderName>,
    includes_all_headers: bool,
    cache_control: bool,
    targeted: Option<Vec<HeaderName>>,
    stale_if_error: Option<Duration>,
    keep_expired: Duration,
    max_variants: usize,
    is_shared: bool,
    key_fn: Option<KeyFn>,
    filter_on_write: Option<Filter>,
    filter_on_read: Option<Filter>,
}

impl CacheOptions {
    /// Returns the options of RFC 9111: responses are stored and reused as they say.
    ///
    /// The cache is private, and keeps the responses to GET and HEAD of any status. Where a response says nothing, its
    /// lifetime is that of [`RequestOptions::expire_after`](crate::RequestOptions::expire_after), of
    /// [`CacheOptions::urls_expire_after`], or heuristic.
    #[must_use]
    pub fn standard() -> Self {
        Self { allowed_codes: None, cache_control: true, ..Self::with(None) }
    }

    /// Returns the options of the fixed expiry mode: responses expire when the caller says.
    ///
    /// The cache is private, keeps the responses to GET and HEAD of status 200, and leaves `Cache-Control` alone.
    #[must_use]
    pub fn fixed(expire_after: impl Into<Expiry>) -> Self {
        Self::with(Some(expire_after.into()))
    }

    fn with(expire_after: Option<Expiry>) -> Self {
        Self {
            expire_after,
            urls_expire_after: Vec::new(),
            allowed_codes: Some(vec![StatusCode::OK]),
            allowed_methods: vec![Method::GET, Method::HEAD],
            ignored_params: Vec::new(),
            included_headers: Vec::new(),
            includes_all_headers: false,
            cache_control: false,
            targeted: None,
            stale_if_error: None,
            keep_expired: KEEP_EXPIRED,
            max_variants: 32,
            is_shared: false,
            key_fn: None,
            filter_on_write: None,
            filter_on_read: None,
        }
    }

    /// Adds expiries by URL pattern; the first pattern that matches decides.
    ///
    /// A pattern is `[scheme://]host[:port][/path]`, or `*` for every URL. Without a scheme or a port it matches
    /// any. In the host `*` stands for any text, so that `*.site.com` matches the sub-domains of `site.com`, and not
    /// `site.com` itself. The path matches as a prefix of whole segments: `site.com/static` matches `/static`,
    /// `/static/a` and `/static?x`, and not `/statics`; `*` stands for any text within a segment and `**` for any
    /// segments. Patterns are compared with the canonical URL, so that the path's case matters; the query does not.
    #[must_use]
    pub fn urls_expire_after(
        mut self,
        expiries: impl IntoIterator<Item = (impl Into<String>, impl Into<Expiry>)>,
    ) -> Self {
        let expiries = expiries.into_iter().map(|(pattern, expiry)| (pattern.into(), expiry.into()));
        self.urls_expire_after.extend(expiries);
        self
    }

    /// Sets the status codes whose responses are stored; 200 alone unless it is called.
    #[must_use]
    pub fn allowed_codes(mut self, codes: impl IntoIterator<Item = StatusCode>) -> Self {
        self.allowed_codes = Some(codes.into_iter().collect());
        self
    }

    /// Sets the methods whose responses are stored; GET and HEAD unless it is called.
    ///
    /// Whoever allows an unsafe method, as POST, says that its requests need not reach the origin. Content is part
    /// of the key.
    #[must_use]
    pub fn allowed_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.allowed_methods = methods.into_iter().collect();
        self
    }

    /// Adds names that are left out of the key; see [`CacheKeys::ignored_params`].
    #[must_use]
    pub fn ignored_params(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignored_params.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds header fields to the key.
    #[must_use]
    pub fn include_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.included_headers.extend(names);
        self
    }

    /// Adds all header fields of the request to the key; see [`CacheKeys::include_all_headers`].
    #[must_use]
    pub fn include_all_headers(mut self) -> Self {
        self.includes_all_headers = true;
        self
    }

    /// Sets whether `Cache-Control` and `Expires` are read, the request's and the response's; off at first.
    ///
    /// What they say goes before every expiry of the options: first the request's, then the response's, then the
    /// request options', the URL's and the session's. In a shared cache the request's `max-age` is a limit for that
    /// request alone, and no lifetime for the others. A redirect that says `no-store` is never skipped, and a shared
    /// cache never stores what says `private`, whether this is on or off.
    #[must_use]
    pub fn cache_control(mut self, is_on: bool) -> Self {
        self.cache_control = is_on;
        self
    }

    /// Sets the targeted fields that this cache heeds, the first of them first (RFC 9213): where one is there and valid, it
    /// goes before `Cache-Control` and `Expires`.
    ///
    /// At first these are `CDN-Cache-Control` if the cache is shared, and none if it is private.
    #[must_use]
    pub fn targeted(mut self, fields: impl IntoIterator<Item = HeaderName>) -> Self {
        self.targeted = Some(fields.into_iter().collect());
        self
    }

    /// Sets how many responses that `Vary` tells apart are kept side by side for one key; 32 at first.
    #[must_use]
    pub fn max_variants(mut self, number: usize) -> Self {
        self.max_variants = number;
        self
    }

    /// Sets how long past its expiry a response may be used when the origin fails; not at all at first.
    ///
    /// With `cache_control` on, the `stale-if-error` of the request and of the response (RFC 5861) go before it.
    #[must_use]
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = Some(window);
        self
    }

    /// Sets how long an expired response is kept, to be validated or used when the origin fails; 30 days at first.
    #[must_use]
    pub fn keep_expired(mut self, duration: Duration) -> Self {
        self.keep_expired = duration;
        self
    }

    /// Makes the cache one that several users share (RFC 9111, section 3.5).
    ///
    /// `Authorization` is no part of its keys. It does not store what says `private` or sets a cookie, and of the
    /// responses to requests with `Authorization` only those that say that they may be stored.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// Sets a function that makes the keys; a request that it gives `None` for bypasses the cache.
    ///
    /// Its keys must differ wherever responses do: by the URL, by the user, by the content. What the methods allow and
    /// the modes forbid is asked before it.
    #[must_use]
    pub fn key_fn(
        mut self,
        key_fn: impl Fn(&KeyRequest<'_>) -> Option<CacheKey> + Send + Sync + 'static,
    ) -> Self {
        self.key_fn = Some(Arc::new(key_fn));
        self
    }

    /// Sets what decides whether a response is stored.
    #[must_use]
    pub fn filter_on_write(mut self, filter: Filter) -> Self {
        self.filter_on_write = Some(filter);
        self
    }

    /// Sets what decides whether a stored response is used.
    #[must_use]
    pub fn filter_on_read(mut self, filter: Filter) -> Self {
        self.filter_on_read = Some(filter);
        self
    }

    /// Returns the policy of these options.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](larder_core::ErrorKind::Configuration) when an option is not valid or two
    /// contradict each other: a pattern that is none, no allowed codes or methods, a code that is not final or is 206
    /// or 304, CONNECT or TRACE, a zero duration where an expiry or a window is asked for, `cache_control` off in the
    /// standard options, `stale_if_error` for longer than `keep_expired`, a key function beside options of the keys, `include_headers` beside
    /// `include_all_headers`, or a header field that is both included and ignored.
    pub fn build(self) -> Result<Policy> {
        invalid::check(&self)?;
        let urls = invalid::patterns(&self.urls_expire_after)?;
        let keys = if self.is_shared { CacheKeys::shared() } else { CacheKeys::private() };
        let mut keys = keys
            .ignored_params(self.ignored_params)
            .include_headers(self.included_headers)
            .allow_methods(self.allowed_methods.iter().cloned());
        if self.includes_all_headers {
            keys = keys.include_all_headers();
        }
        Ok(Policy::new(Rules {
            expire_after: self.expire_after,
            urls_expire_after: urls,
            allowed_codes: self.allowed_codes,
            allowed_methods: self.allowed_methods,
            keys,
            cache_control: self.cache_control,
            targeted: self
                .targeted
                .unwrap_or_else(|| if self.is_shared { vec![CDN_CACHE_CONTROL] } else { Vec::new() }),
            stale_if_error: self.stale_if_error,
            keep_expired: self.keep_expired,
            max_variants: self.max_variants,
            is_shared: self.is_shared,
            key_fn: self.key_fn,
            filter_on_write: self.filter_on_write,
            filter_on_read: self.filter_on_read,
        }))
    }
}

impl Default for CacheOptions {
    /// Returns [`CacheOptions::standard`].
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("expire_after", &self.expire_after)
            .field("urls_expire_after", &self.urls_expire_after)
            .field("allowed_codes", &self.allowed_codes)
            .field("allowed_methods", &self.allowed_methods)
            .field("ignored_params", &self.ignored_params)
            .field("included_headers", &self.included_headers)
            .field("includes_all_headers", &self.includes_all_headers)
            .field("cache_control", &self.cache_control)
            .field("targeted", &self.targeted)
            .field("stale_if_error", &self.stale_if_error)
            .field("keep_expired", &self.keep_expired)
            .field("max_variants", &self.max_variants)
            .field("is_shared", &self.is_shared)
            .field("has_key_fn", &self.key_fn.is_some())
            .field("filter_on_write", &self.filter_on_write)
            .field("filter_on_read", &self.filter_on_read)
            .finish()
    }
}
