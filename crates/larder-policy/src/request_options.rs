//! What one request asks of the cache, beside its header fields.

use std::time::Duration;

use larder_core::CacheKey;

use crate::Expiry;

/// The options of one request; each that is not set is the session's.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use larder_policy::{CacheMode, RequestOptions};
///
/// let options = RequestOptions::default().expire_after(Duration::from_secs(60)).refresh();
/// assert_eq!(options.mode, CacheMode::NoCache);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestOptions {
    /// When the response expires. A stored response that is older than this allows is not fresh for this request.
    pub expire_after: Option<Expiry>,
    /// How the cache is used.
    pub mode: CacheMode,
    /// The key, in place of the one that is made of the request. It must differ wherever responses do.
    pub key: Option<CacheKey>,
    /// How long past its expiry a response may be used when the origin fails.
    pub stale_if_error: Option<Duration>,
}

impl RequestOptions {
    /// Sets when the response expires.
    #[must_use]
    pub fn expire_after(mut self, expiry: impl Into<Expiry>) -> Self {
        self.expire_after = Some(expiry.into());
        self
    }

    /// Sets how the cache is used.
    #[must_use]
    pub fn mode(mut self, mode: CacheMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: CacheKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Asks the origin even if a fresh response is stored, by a conditional request: [`CacheMode::NoCache`].
    #[must_use]
    pub fn refresh(self) -> Self {
        self.mode(CacheMode::NoCache)
    }

    /// Sets how long past its expiry a response may be used when the origin fails.
    #[must_use]
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = Some(window);
        self
    }
}

/// How a request uses the cache: the modes of the Fetch standard.
///
/// Where `cache_control` is on, what the response forbids stays forbidden: `no-cache` and `must-revalidate` also
/// bind [`CacheMode::ForceCache`] and [`CacheMode::OnlyIfCached`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheMode {
    /// Use what is fresh, validate what is stale, fetch what is missing.
    #[default]
    Default,
    /// Neither look up nor store.
    NoStore,
    /// Do not look up, but store.
    Reload,
    /// Validate what is stored, fresh or not, and fetch what is missing.
    NoCache,
    /// Use what is stored, fresh or stale, and fetch what is missing.
    ForceCache,
    /// Use what is stored, fresh or stale, and refuse what is missing.
    OnlyIfCached,
}
