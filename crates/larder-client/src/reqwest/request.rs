//! A request that is being put together, with what it asks of the cache.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Version};
use larder_core::{CacheKey, Result};
use larder_policy::{CacheMode, Expiry, RequestOptions};
use serde::Serialize;

use super::convert::invalid;
use super::{Client, Response};

/// A request that is being put together: reqwest's own, with options for the cache.
///
/// What is not valid is an error of [`RequestBuilder::send`].
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// use larder_client::reqwest::Client;
///
/// # async fn fetch(client: Client) -> larder_core::Result<()> {
/// let response = client
///     .get("https://example.org/news")
///     .header("accept-language", "en")
///     .expire_after(Duration::from_secs(300))
///     .stale_if_error(Duration::from_hours(24))
///     .timeout(Duration::from_secs(10))
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct RequestBuilder {
    client: Client,
    inner: reqwest::RequestBuilder,
    options: Option<RequestOptions>,
}

impl RequestBuilder {
    pub(super) fn new(client: Client, inner: reqwest::RequestBuilder) -> Self {
        Self { client, inner, options: None }
    }

    /// Changes the request by any method of reqwest's builder, for instance by its `multipart`.
    ///
    /// ```
    /// # fn request(client: &larder_client::reqwest::Client) {
    /// let request = client.post("https://example.org/").with(|request| request.body("a=b"));
    /// # }
    /// ```
    pub fn with(mut self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        self.inner = change(self.inner);
        self
    }

    /// Adds a header field.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.with(|inner| inner.header(name, value))
    }

    /// Adds header fields; those that were set before are replaced.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|inner| inner.headers(headers))
    }

    /// Sets `Authorization` to a user name and a password (RFC 7617).
    pub fn basic_auth<U: fmt::Display, P: fmt::Display>(self, username: U, password: Option<P>) -> Self {
        self.with(|inner| inner.basic_auth(username, password))
    }

    /// Sets `Authorization` to a token (RFC 6750).
    pub fn bearer_auth<T: fmt::Display>(self, token: T) -> Self {
        self.with(|inner| inner.bearer_auth(token))
    }

    /// Sets the content. A stream can be sent only once, and its response is not cached.
    pub fn body<T: Into<reqwest::Body>>(self, body: T) -> Self {
        self.with(|inner| inner.body(body))
    }

    /// Sets the content to `json` as JSON, and `Content-Type` unless it is set.
    pub fn json<T: Serialize + ?Sized>(self, json: &T) -> Self {
        self.with(|inner| inner.json(json))
    }

    /// Sets the content to `form` as a form, and `Content-Type` unless it is set.
    pub fn form<T: Serialize + ?Sized>(self, form: &T) -> Self {
        self.with(|inner| inner.form(form))
    }

    /// Adds parameters to the URL's query.
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.with(|inner| inner.query(query))
    }

    /// Sets how long an exchange with an origin may take, body included; for each hop of a redirected request.
    ///
    /// It does not hold for what the cache answers; see
    /// [`store_timeout`](crate::ResponseCacheBuilder::store_timeout). A request with a timeout of its own shares its
    /// exchange with no other, because it would end theirs.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|inner| inner.timeout(timeout))
    }

    /// Sets the protocol version.
    pub fn version(self, version: Version) -> Self {
        self.with(|inner| inner.version(version))
    }

    /// Sets all options for the cache.
    pub fn cache_options(mut self, options: RequestOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// Sets when the response expires.
    pub fn expire_after(self, expiry: impl Into<Expiry>) -> Self {
        self.option(|options| options.expire_after(expiry))
    }

    /// Asks the origin even if a fresh response is stored, by a conditional request.
    pub fn refresh(self) -> Self {
        self.option(RequestOptions::refresh)
    }

    /// Sets how the cache is used.
    pub fn cache_mode(self, mode: CacheMode) -> Self {
        self.option(|options| options.mode(mode))
    }

    /// Sets the key of the response, in place of the one that is made of the request.
    pub fn cache_key(self, key: CacheKey) -> Self {
        self.option(|options| options.key(key))
    }

    /// Sets how long past its expiry a response may be used when the origin fails.
    pub fn stale_if_error(self, window: Duration) -> Self {
        self.option(|options| options.stale_if_error(window))
    }

    /// Returns another builder of the same request, unless its content is streamed or it is not valid.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let inner = self.inner.try_clone()?;
        Some(Self { client: self.client.clone(), inner, options: self.options.clone() })
    }

    /// Returns the request, for [`Client::execute`]; its options for the cache are among its extensions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](larder_core::ErrorKind::InvalidInput) when something that was set is not valid.
    pub fn build(self) -> Result<reqwest::Request> {
        let request = self.inner.build().map_err(invalid)?;
        let Some(options) = self.options else { return Ok(request) };
        let mut request = Request::<reqwest::Body>::try_from(request).map_err(invalid)?;
        request.extensions_mut().insert(options);
        request.try_into().map_err(invalid)
    }

    /// Sends the request, and returns the response.
    ///
    /// It is as [`ResponseCache::send`](crate::ResponseCache::send), also if the future is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`RequestBuilder::build`] and [`Client::execute`].
    pub async fn send(self) -> Result<Response> {
        self.client.answer(self.inner.build().map_err(invalid)?, self.options).await
    }

    fn option(mut self, set: impl FnOnce(RequestOptions) -> RequestOptions) -> Self {
        self.options = Some(set(self.options.unwrap_or_default()));
        self
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
