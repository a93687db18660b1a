//! A client that is used as reqwest's own is, and asks the cache first.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};
use larder_core::{Error, ErrorKind, Result};
use larder_policy::RequestOptions;
use reqwest::{IntoUrl, redirect};

use super::convert::into_http;
use super::{RequestBuilder, Response};
use crate::ResponseCache;

/// An HTTP client that caches, in place of [`reqwest::Client`].
///
/// Cloning is cheap; the clones share cache and connections. It must be used in a Tokio runtime.
///
/// # Examples
///
/// ```no_run
/// use larder_client::{ResponseCache, reqwest::Client};
///
/// # async fn fetch(cache: ResponseCache) -> larder_core::Result<()> {
/// let client = Client::builder(cache).reqwest(|builder| builder.user_agent("example/1.0")).build()?;
/// for _ in 0..2 {
///     let response = client.get("https://example.org/").query(&[("page", 1)]).send().await?;
///     println!("{}: {:?} redirects", response.cache_status(), response.history().len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    cache: ResponseCache,
    inner: reqwest::Client,
    headers: Arc<HeaderMap>,
}

impl Client {
    /// Returns a client with the default options of reqwest.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`].
    pub fn new(cache: ResponseCache) -> Result<Self> {
        Self::builder(cache).build()
    }

    /// Returns the options of a client.
    pub fn builder(cache: ResponseCache) -> ClientBuilder {
        ClientBuilder { cache, inner: reqwest::Client::builder(), headers: HeaderMap::new() }
    }

    /// Returns a client that sends its requests with one that is there already.
    ///
    /// If `client` follows redirects by itself, the cache cannot see them, and responses that were redirected are
    /// not stored. Those that were not are cached as usual.
    ///
    /// Nor can the cache see what `client` adds to requests: default header fields, and the cookies of a cookie
    /// store. Two clients that send different credentials that way would be given one another's responses; each
    /// needs a cache of its own, or [`Client::builder`] with [`ClientBuilder::default_headers`].
    #[must_use]
    pub fn from_client(client: reqwest::Client, cache: ResponseCache) -> Self {
        Self { cache, inner: client, headers: Arc::default() }
    }

    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &ResponseCache {
        &self.cache
    }

    /// Returns the inner client, whose requests pass the cache by.
    #[must_use]
    pub fn inner(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Returns a GET request of `url`, to be completed and sent.
    pub fn get<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Returns a HEAD request of `url`, to be completed and sent.
    pub fn head<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// Returns a POST request of `url`, to be completed and sent.
    pub fn post<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Returns a PUT request of `url`, to be completed and sent.
    pub fn put<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Returns a PATCH request of `url`, to be completed and sent.
    pub fn patch<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// Returns a DELETE request of `url`, to be completed and sent.
    pub fn delete<U: IntoUrl>(&self, url: U) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// Returns a request of `method` and `url`, to be completed and sent.
    ///
    /// A URL that is none is an error of [`RequestBuilder::send`]. User information in the URL becomes
    /// `Authorization`.
    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder {
        RequestBuilder::new(self.clone(), self.inner.request(method, url))
    }

    /// Answers `request` from the cache or from its origin.
    ///
    /// It is as [`ResponseCache::send`], also if the future is dropped. [`RequestOptions`] can be among the extensions
    /// of a request that was converted from one of the `http` crate; [`RequestBuilder::build`] puts them there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the request is none that can be sent, and those of [`ResponseCache::send`].
    /// [`error_of`](super::error_of) has the error of reqwest.
    pub async fn execute(&self, request: reqwest::Request) -> Result<Response> {
        self.answer(request, None).await
    }

    pub(super) async fn answer(
        &self,
        mut request: reqwest::Request,
        options: Option<RequestOptions>,
    ) -> Result<Response> {
        add_missing(request.headers_mut(), &self.headers);
        let url = request.url().clone();
        let mut request = into_http(request)?;
        if let Some(options) = options {
            request.extensions_mut().insert(options);
        }
        let response = self.cache.send(request, &mut self.inner.clone()).await?;
        Ok(Response::new(response, url))
    }
}

impl fmt::Debug for Client {
    /// Shows no header fields, which may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// The options of a [`Client`].
#[must_use = "there is no client before `build`"]
pub struct ClientBuilder {
    cache: ResponseCache,
    inner: reqwest::ClientBuilder,
    headers: HeaderMap,
}

impl ClientBuilder {
    /// Sets options of the inner client.
    ///
    /// The redirect policy has no effect: the cache follows redirects, as many as
    /// [`ResponseCacheBuilder::max_redirects`](crate::ResponseCacheBuilder::max_redirects) says, without `Referer`.
    /// Timeouts hold for each hop. Give credentials to [`ClientBuilder::default_headers`] and not to the inner
    /// client, which would send them to wherever a redirect leads, and whose additions the cache does not see.
    pub fn reqwest(mut self, options: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Self {
        self.inner = options(self.inner);
        self
    }

    /// Adds header fields to every request that does not have them; a field that was set before is replaced.
    ///
    /// The cache sees them as it sees those of the request: different `Authorization` is another user, and
    /// redirects to other origins go without.
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Returns the client.
    ///
    /// With the feature `rustls`, *ring* becomes the process's provider of cryptography unless there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] when reqwest cannot make a client of the options, with its error as the source.
    pub fn build(self) -> Result<Client> {
        // It fails if there is a provider already: that one will do.
        #[cfg(feature = "rustls")]
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = self.inner.redirect(redirect::Policy::none()).build().map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("there is no such client: {error}"))
                .with_source(error)
        })?;
        Ok(Client { cache: self.cache, inner, headers: Arc::new(self.headers) })
    }
}

impl fmt::Debug for ClientBuilder {
    /// Shows no header fields, which may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// Adds the fields of `defaults` that `headers` does not have.
fn add_missing(headers: &mut HeaderMap, defaults: &HeaderMap) {
    for name in defaults.keys() {
        if !headers.contains_key(name) {
            headers.extend(defaults.get_all(name).iter().map(|value| (name.clone(), value.clone())));
        }
    }
}
