//! A response with the conveniences of reqwest's, and what the cache knows of it.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use http::{Extensions, HeaderMap, StatusCode, Uri, Version};
use larder_core::{Body, Error, ErrorKind, Hop, Result, Timestamp};
use reqwest::{ResponseBuilderExt, Url};
use serde::de::DeserializeOwned;

use super::convert::RemoteAddr;
use crate::CacheStatus;

/// A response, from the cache or from its origin.
///
/// One that is being stored is visible to others once its body has been read to the end; see
/// [`crate::Response`].
#[derive(Debug)]
pub struct Response {
    inner: crate::Response,
    url: Url,
}

impl Response {
    /// Returns `inner`, which answers a request of `url`.
    pub(super) fn new(inner: crate::Response, url: Url) -> Self {
        // The URL that was asked for still has its fragment.
        let is_answer_of = |url: &Url| Uri::try_from(url.as_str()).is_ok_and(|uri| uri == *inner.url());
        let url = if is_answer_of(&url) { url } else { Url::parse(&inner.url().to_string()).unwrap_or(url) };
        Self { inner, url }
    }

    /// Returns the status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Returns the protocol version; of a stored response, the one that it came with.
    #[must_use]
    pub fn version(&self) -> Version {
        self.inner.version()
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns the header fields, to be changed; what is stored stays as it is.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.inner.headers_mut()
    }

    /// Returns the URL that answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns how long the body is, in bytes, when that is known.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.inner.body().exact_len()
    }

    /// Returns the address of the peer; `None` if the response was stored.
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.extensions().get::<RemoteAddr>().map(|RemoteAddr(address)| *address)
    }

    /// Returns what the inner client added to the response; nothing if it was stored.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        self.inner.extensions()
    }

    /// Returns the extensions, to be changed.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        self.inner.extensions_mut()
    }

    /// Returns whether the body comes from the store.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.inner.from_cache()
    }

    /// Returns when the response was first received.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.inner.created_at()
    }

    /// Returns when its fixed expiry is; `None` if it has none.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.inner.expires_at()
    }

    /// Returns whether it is past its fixed expiry now.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.inner.is_expired()
    }

    /// Returns the redirects that led here, first hop first.
    ///
    /// Redirects that were skipped are among them if the stored response was reached by them.
    #[must_use]
    pub fn history(&self) -> &[Hop] {
        self.inner.history()
    }

    /// Returns what the cache did.
    #[must_use]
    pub fn cache_status(&self) -> &CacheStatus {
        self.inner.cache_status()
    }

    /// Returns the body as text.
    ///
    /// The encoding is that of a byte order mark, else the `charset` of `Content-Type`, else UTF-8. What is malformed
    /// is replaced by U+FFFD. A dropped future loses the body.
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
    pub async fn text(self) -> Result<String> {
        self.inner.into_cached().text().await
    }

    /// Returns the body as text, with another encoding than UTF-8 to fall back to; see [`Response::text`].
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
    pub async fn text_with_charset(self, default_encoding: &str) -> Result<String> {
        self.inner.into_cached().text_with_charset(default_encoding).await
    }

    /// Returns what the body, which is JSON, deserializes to. A dropped future loses the body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the body is not JSON of that shape, and those of [`Response::chunk`].
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.inner.into_cached().json().await
    }

    /// Returns what is left of the body. A dropped future loses it.
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
    pub async fn bytes(self) -> Result<Bytes> {
        self.inner.bytes().await
    }

    /// Returns the next chunk of the body, or `None` at the end. A dropped future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Body`], or what the store says, when the bytes cannot be had;
    /// [`error_of`](super::error_of) has the error of reqwest, if it is one.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.inner.chunk().await
    }

    /// Returns the chunks of the body as they come.
    pub fn bytes_stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        stream::try_unfold(self.inner.into_body(), async |mut body| {
            Ok(body.chunk().await?.map(|chunk| (chunk, body)))
        })
    }

    /// Returns this response unless its status is a client or server error (4xx or 5xx).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Status`], with the status and the URL.
    pub fn error_for_status(self) -> Result<Self> {
        self.error_for_status_ref()?;
        Ok(self)
    }

    /// Returns this response unless its status is a client or server error (4xx or 5xx).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Status`], with the status and the URL.
    pub fn error_for_status_ref(&self) -> Result<&Self> {
        let status = self.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(Error::new(ErrorKind::Status, format!("the response's status is {status}"))
                .with_context("status", status.as_u16())
                .with_context("url", &self.url));
        }
        Ok(self)
    }

    /// Returns the response as the request loop gave it, whose head and body can be taken apart.
    #[must_use]
    pub fn into_inner(self) -> crate::Response {
        self.inner
    }
}

impl From<Response> for http::Response<Body> {
    /// Converts as [`crate::Response::into_http`] does.
    fn from(response: Response) -> Self {
        response.inner.into_http()
    }
}

impl From<Response> for reqwest::Response {
    /// Returns a response of reqwest, with `CacheStatus` and `ResponseHead` among its extensions.
    ///
    /// It has what only reqwest can do, such as its `cookies`, and the URL.
    fn from(response: Response) -> Self {
        let url = response.url.clone();
        let (mut parts, body) = response.inner.into_http().into_parts();
        let extensions = std::mem::take(&mut parts.extensions);
        let mut with_url = http::Response::builder().url(url).body(()).unwrap_or_default();
        with_url.extensions_mut().extend(extensions);
        parts.extensions = std::mem::take(with_url.extensions_mut());
        http::Response::from_parts(parts, reqwest::Body::wrap(body)).into()
    }
}
