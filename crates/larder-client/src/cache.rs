//! A cache with a policy, ready to be put in front of an origin, and what is done to it by hand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Uri};
use larder_core::{
    Aliases, Body, CacheBackend, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead, Result, Timestamp,
};
use larder_policy::{CacheOptions, KeyRequest, Policy, RequestOptions};

use tokio::sync::Semaphore;

use crate::RequestBody;
use crate::behind::MOST_BEHIND;
use crate::clock::Clock;
use crate::flights::Flights;
use crate::forward::Outcome;
use crate::guard::Guard;
use crate::invalidation::Invalidated;
use crate::shared::Terms;
use crate::sweep::Sweeps;

/// A response cache: any [`CacheBackend`], a [`Policy`], and the loop that asks both.
///
/// Cloning is cheap; the clones are the same cache, and coalesce their requests. Once it is built, its failures are
/// misses: a store that fails, panics or takes too long makes no request fail.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use larder_client::{CacheOptions, ResponseCache};
/// # use larder_core::CacheBackend;
///
/// # fn cache(backend: CacheBackend) -> larder_core::Result<()> {
/// let cache = ResponseCache::new(backend, CacheOptions::fixed(Duration::from_hours(1)))?;
/// assert_eq!(cache.failures(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ResponseCache {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) backend: CacheBackend,
    pub(crate) policy: Policy,
    pub(crate) clock: Clock,
    pub(crate) guard: Guard,
    pub(crate) flights: Flights<Outcome>,
    pub(crate) terms: Terms,
    pub(crate) max_redirects: usize,
    /// Whether responses say what the cache did in a field.
    pub(crate) has_status_field: bool,
    pub(crate) invalidated: Invalidated,
    pub(crate) sweeps: Sweeps,
    /// The places of validations behind answers.
    pub(crate) behind: Arc<Semaphore>,
    /// How many guards of [`ResponseCache::disabled`] there are.
    disabled: AtomicUsize,
}

impl ResponseCache {
    /// Returns the cache of `backend` under `options`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the options contradict each other.
    pub fn new(backend: CacheBackend, options: CacheOptions) -> Result<Self> {
        Self::builder(backend, options).build()
    }

    /// Returns the options of the loop, for a cache of `backend` under `options`.
    pub fn builder(backend: CacheBackend, options: CacheOptions) -> ResponseCacheBuilder {
        ResponseCacheBuilder {
            backend,
            options,
            clock: Clock::default(),
            store_timeout: Duration::from_secs(5),
            window: 1 << 20,
            max_redirects: 10,
            in_background: false,
            has_status_field: false,
        }
    }

    /// Returns the backend, for what is done to all that it holds: listing, purging, clearing.
    #[must_use]
    pub fn backend(&self) -> &CacheBackend {
        &self.inner.backend
    }

    /// Returns the policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// Returns how many failures of the cache were passed over; see [`CacheBackend::failures`].
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.inner.backend.failures()
    }

    /// Makes every request pass the cache by, until what is returned is dropped, by a panic too.
    ///
    /// Scopes may overlap; the cache is used again when the last one has ended.
    pub fn disabled(&self) -> Disabled {
        self.inner.disabled.fetch_add(1, Ordering::Relaxed);
        Disabled(Arc::clone(&self.inner))
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.inner.disabled.load(Ordering::Relaxed) > 0
    }

    /// Returns whether a response to a plain GET of `url` is stored, fresh or stale, directly or through redirects.
    ///
    /// Plain is a request without header fields: what is stored for somebody's credentials does not count. A failure
    /// of the cache is `false`. A dropped future has no effect.
    pub async fn has_url(&self, url: &Uri) -> bool {
        let Ok(keys) = self.plain_keys(url) else { return false };
        let inner = &self.inner;
        for key in &keys {
            let contains = inner.backend.contains(key, inner.clock.now());
            if inner.guard.run("has_url", contains).await.unwrap_or(false) {
                return true;
            }
        }
        false
    }

    /// Deletes what is stored for plain requests of `url` and the aliases of it; returns whether there was anything.
    ///
    /// If `url` redirects, what it leads to is deleted. If the future is dropped, any of it may be gone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when requests of `url` have no key, and those of [`CacheBackend::delete`].
    pub async fn delete_url(&self, url: &Uri) -> Result<bool> {
        let mut deleted = false;
        for key in self.plain_keys(url)? {
            deleted |= self.delete_with_variants(&key, &mut Vec::new()).await?;
        }
        Ok(deleted)
    }

    /// Stores `response` as the answer to `request`, as if an origin had sent it just now.
    ///
    /// Give the [`RequestOptions`] among the request's extensions, if there are some.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the request has no key or the policy does not store the response, with the
    /// reason as the source, and those of [`CacheBackend::save_response`].
    pub async fn save_response(
        &self,
        request: &Request<RequestBody>,
        response: http::Response<Body>,
    ) -> Result<()> {
        let inner = &self.inner;
        let options = request.extensions().get::<RequestOptions>().cloned().unwrap_or_default();
        let key_request = key_request(request);
        let keys = inner.policy.keys(&key_request, &options)?;
        let now = inner.clock.now();
        let (parts, body) = response.into_parts();
        let head = received_head(request, &parts, now, now);
        let mut head = inner.policy.storable(&key_request, &options, &head, now).map_err(not_storable)?;
        if !inner.policy.admits_write(&head).await {
            return Err(not_storable(larder_policy::NotStorable::Filtered));
        }
        let (_, place) = self.find(request, &keys.primary, now).await;
        let placed = self.place(request, &keys.primary, place, &mut head);
        let response = CachedResponse::new(head, body);
        self.save(&keys.primary, &placed, response, &Aliases::none()).await
    }

    /// Returns the keys that plain requests of `url` are stored under.
    fn plain_keys(&self, url: &Uri) -> Result<Vec<CacheKey>> {
        let options = RequestOptions::default();
        let mut keys = Vec::new();
        for method in [Method::GET, Method::HEAD] {
            match self.inner.policy.keys(&KeyRequest::new(&method, url), &options) {
                Ok(of_method) => keys.push(of_method.primary),
                // One of the two may not be allowed.
                Err(larder_policy::Bypass::Method(_)) => {}
                Err(bypass) => return Err(bypass.into()),
            }
        }
        Ok(keys)
    }
}

/// The options of a [`ResponseCache`].
#[derive(Debug, Clone)]
#[must_use = "there is no cache before `build`"]
pub struct ResponseCacheBuilder {
    backend: CacheBackend,
    options: CacheOptions,
    clock: Clock,
    store_timeout: Duration,
    window: u64,
    max_redirects: usize,
    in_background: bool,
    has_status_field: bool,
}

impl ResponseCacheBuilder {
    /// Sets how long the cache may make a request wait, for each thing that it is asked; 5 seconds by default.
    ///
    /// A lookup that takes longer is a miss. A store that is so far behind a body is given up, and so is one that is
    /// not done so long after the body's end.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Sets how many bytes of each body that is arriving are held in memory; 1 MiB by default.
    ///
    /// Requests of the same can join as long as the beginning is held. Above this, what a slower reader still needs
    /// is kept in a temporary file.
    pub fn window_bytes(mut self, bytes: u64) -> Self {
        self.window = bytes;
        self
    }

    /// Sets how many redirects are followed; 10 by default. With 0, a redirect is the answer.
    pub fn max_redirects(mut self, hops: usize) -> Self {
        self.max_redirects = hops;
        self
    }

    /// Stores a response whole even if whoever asked for it stops reading half-way; off by default.
    pub fn complete_in_background(mut self, complete: bool) -> Self {
        self.in_background = complete;
        self
    }

    /// Adds the field `Cache-Status` to responses, in which the cache says what it did (RFC 9211); off by default.
    ///
    /// [`Response::cache_status`](crate::Response::cache_status) says the same, and more.
    pub fn cache_status_field(mut self, is_on: bool) -> Self {
        self.has_status_field = is_on;
        self
    }

    /// Sets the clock; the system's by default.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Returns the cache.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when the options contradict each other, or the timeout or the window is zero.
    pub fn build(self) -> Result<ResponseCache> {
        for (is_zero, name) in
            [(self.store_timeout.is_zero(), "store_timeout"), (self.window == 0, "window_bytes")]
        {
            if is_zero {
                return Err(Error::new(ErrorKind::Configuration, format!("{name} is zero")));
            }
        }
        Ok(ResponseCache {
            inner: Arc::new(Inner {
                guard: Guard::new(self.backend.clone(), self.store_timeout),
                backend: self.backend,
                policy: self.options.build()?,
                clock: self.clock,
                flights: Flights::new(),
                terms: Terms {
                    window: self.window,
                    store_timeout: self.store_timeout,
                    in_background: self.in_background,
                },
                max_redirects: self.max_redirects,
                has_status_field: self.has_status_field,
                invalidated: Invalidated::default(),
                sweeps: Sweeps::default(),
                behind: Arc::new(Semaphore::new(MOST_BEHIND)),
                disabled: AtomicUsize::new(0),
            }),
        })
    }
}

/// A scope in which a cache is not used; see [`ResponseCache::disabled`].
#[must_use = "the cache is used again as soon as this is dropped"]
pub struct Disabled(Arc<Inner>);

impl Drop for Disabled {
    fn drop(&mut self) {
        self.0.disabled.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Disabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disabled")
    }
}

/// Returns the request as its key depends on it.
pub(crate) fn key_request(request: &Request<RequestBody>) -> KeyRequest<'_> {
    KeyRequest::new(request.method(), request.uri())
        .with_headers(request.headers())
        .with_content(request.body().content())
}

/// Returns the head of a response as it was received.
pub(crate) fn received_head(
    request: &Request<RequestBody>,
    response: &http::response::Parts,
    requested_at: Timestamp,
    received_at: Timestamp,
) -> ResponseHead {
    let (method, url) = (request.method().clone(), request.uri().clone());
    let mut head = ResponseHead::new(method, url, response.status, received_at);
    head.version = response.version;
    head.headers = response.headers.clone();
    head.requested_at = requested_at;
    head
}

fn not_storable(reason: larder_policy::NotStorable) -> Error {
    Error::new(ErrorKind::InvalidInput, "the response is not one to store").with_source(reason)
}
