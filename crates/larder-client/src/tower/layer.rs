//! The layer: a cache, and what it takes for the scheme of requests that do not name one.

use http::uri::Scheme;
use tower_layer::Layer;

use super::Cache;
use crate::ResponseCache;

/// A layer that puts a cache in front of a service.
///
/// The services that one layer makes share its cache, as clones of the cache do.
///
/// # Examples
///
/// ```
/// use http::uri::Scheme;
/// use larder_client::ResponseCache;
/// use larder_client::tower::CacheLayer;
///
/// # fn layer(cache: ResponseCache) -> CacheLayer {
/// // Behind what terminates TLS.
/// CacheLayer::new(cache).scheme(Scheme::HTTPS)
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CacheLayer {
    cache: ResponseCache,
    scheme: Scheme,
}

impl CacheLayer {
    /// Returns a layer that answers from `cache`.
    #[must_use]
    pub fn new(cache: ResponseCache) -> Self {
        Self { cache, scheme: Scheme::HTTP }
    }

    /// Sets the scheme of requests whose URI has none, as a server receives them; `http` by default.
    ///
    /// The cache knows a request by its whole URI: the scheme that the request names, else this one, and the authority
    /// of its URI, else of its `Host` field (RFC 9110, section 7.1). The service is given the URI that came. A request
    /// without either authority goes to the service, and its response is not stored.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    pub(super) fn default_scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &ResponseCache {
        &self.cache
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Cache<S> {
        Cache::new(inner, self.clone())
    }
}
