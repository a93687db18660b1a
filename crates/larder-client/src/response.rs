//! What a request is answered with, from the store or from the origin.

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode, Uri, Version};
use larder_core::{Body, CachedResponse, Hop, ResponseHead, Result, Timestamp};

use crate::CacheStatus;
use crate::clock::Clock;

/// A response, and what the cache did for it.
///
/// A response that is being stored is visible to others once its body has been read to the end, or
/// [background completion](crate::ResponseCacheBuilder::complete_in_background) has. Dropping it before leaves nothing
/// behind.
#[derive(Debug)]
pub struct Response {
    head: ResponseHead,
    body: Body,
    extensions: Extensions,
    status: CacheStatus,
    clock: Clock,
}

impl Response {
    pub(crate) fn new(
        head: ResponseHead,
        body: Body,
        extensions: Extensions,
        status: CacheStatus,
        clock: Clock,
    ) -> Self {
        Self { head, body, extensions, status, clock }
    }

    /// Returns the head: status, fields, times and history.
    #[must_use]
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// Returns the status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the protocol version; of a stored response, the one that it came with.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the header fields, to be changed; what is stored stays as it is.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.head.headers
    }

    /// Returns the URI that answered, after redirects; without user information.
    #[must_use]
    pub fn url(&self) -> &Uri {
        &self.head.url
    }

    /// Returns the redirects that led here, first hop first.
    ///
    /// Redirects that were skipped are among them if the stored response was reached by them.
    #[must_use]
    pub fn history(&self) -> &[Hop] {
        &self.head.history
    }

    /// Returns whether the body comes from the store.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.status.from_cache()
    }

    /// Returns when the response was first received.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.head.created_at
    }

    /// Returns when its fixed expiry is; `None` if it has none.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.head.expires_at
    }

    /// Returns whether it is past its fixed expiry now.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.head.is_expired(self.clock.now())
    }

    /// Returns what the cache did.
    #[must_use]
    pub fn cache_status(&self) -> &CacheStatus {
        &self.status
    }

    /// Returns what the origin added to the response, such as the peer's address; nothing if it was stored.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Returns the extensions, to be changed.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Returns the next chunk of the body, or `None` at the end. A dropped future loses nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Body::chunk`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.body.chunk().await
    }

    /// Returns what is left of the body. A dropped future loses it.
    ///
    /// # Errors
    ///
    /// Those of [`Body::bytes`].
    pub async fn bytes(self) -> Result<Bytes> {
        self.body.bytes().await
    }

    /// Returns the body.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Returns the body, to be asked how long it is.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Returns the body, to be read where it is.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Returns head and body, with the conveniences of [`CachedResponse`].
    #[must_use]
    pub fn into_cached(self) -> CachedResponse {
        CachedResponse::new(self.head, self.body)
    }

    /// Returns a response of the `http` crate; [`CacheStatus`] and [`ResponseHead`] are among its extensions.
    #[must_use]
    pub fn into_http(self) -> http::Response<Body> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.head.status;
        *response.version_mut() = self.head.version;
        *response.headers_mut() = self.head.headers.clone();
        *response.extensions_mut() = self.extensions;
        response.extensions_mut().insert(self.status);
        response.extensions_mut().insert(self.head);
        response
    }
}
