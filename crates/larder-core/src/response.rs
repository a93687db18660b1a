//! A stored response, with what a client's response offers.
//!
//! What needs a library (text, JSON, parsed header fields) is in the modules below, one feature each.

#[cfg(feature = "fields")]
mod fields;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "text")]
mod text;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};

#[cfg(feature = "fields")]
pub use self::fields::{ContentDisposition, Cookie, Link};
use crate::{Body, Error, ErrorKind, Hop, ResponseHead, Result, Revision, Timestamp};

/// A response from a cache, or for one: a head and a body.
///
/// # Examples
///
/// ```
/// use larder_core::{Body, CachedResponse, ResponseHead, Timestamp};
///
/// let received = Timestamp::from_millis(1_700_000_000_000);
/// let url = http::Uri::from_static("https://example.org/");
/// let head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, received);
/// let response = CachedResponse::new(head, Body::from("hello"));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.created_at(), received);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct CachedResponse {
    /// The head.
    pub head: ResponseHead,
    /// The body; what was read of it is gone, unless [`CachedResponse::bytes`] buffered it.
    pub body: Body,
    revision: Option<Revision>,
}

impl CachedResponse {
    /// Returns a response that no store has seen.
    #[must_use]
    pub fn new(head: ResponseHead, body: impl Into<Body>) -> Self {
        Self { head, body: body.into(), revision: None }
    }

    /// Returns the response as a store read it, at `revision`.
    #[must_use]
    pub fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Returns the revision that a store read this at, for `ResponseStore::update_head`.
    #[must_use]
    pub fn revision(&self) -> Option<&Revision> {
        self.revision.as_ref()
    }

    /// Returns the status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the URI that answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Uri {
        &self.head.url
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the redirects that led here, first hop first.
    #[must_use]
    pub fn history(&self) -> &[Hop] {
        &self.head.history
    }

    /// Returns when the entry was first created.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.head.created_at
    }

    /// Returns when the entry's fixed expiry is; `None` if it has none.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.head.expires_at
    }

    /// Returns whether the entry is past its fixed expiry at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.head.is_expired(now)
    }

    /// Returns all of the body, and keeps it, so that it can be asked for again.
    ///
    /// A dropped future, or an error, loses the body: what asks for it afterwards fails.
    ///
    /// # Errors
    ///
    /// Those of [`Body::chunk`], and [`ErrorKind::Body`] once the body was lost.
    pub async fn bytes(&mut self) -> Result<Bytes> {
        if let Some(bytes) = self.body.as_bytes() {
            return Ok(bytes.clone());
        }
        let bytes = std::mem::replace(&mut self.body, Body::lost()).bytes().await?;
        self.body = Body::from(bytes.clone());
        Ok(bytes)
    }

    /// Returns this response unless its status is a client or server error (4xx or 5xx).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Status`], with the status and the URL.
    pub fn error_for_status(self) -> Result<Self> {
        let status = self.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(Error::new(ErrorKind::Status, format!("the response's status is {status}"))
                .with_context("url", self.url()));
        }
        Ok(self)
    }

    /// Returns this as a response of the `http` crate, which keeps status, version, header fields and body.
    #[must_use]
    pub fn into_http(self) -> http::Response<Body> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.head.status;
        *response.version_mut() = self.head.version;
        *response.headers_mut() = self.head.headers;
        response
    }

    /// Returns the `Content-Type` field's value as text, if it is text.
    #[cfg(feature = "text")]
    fn content_type(&self) -> Option<&str> {
        self.head.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use futures_util::{FutureExt, StreamExt, stream};
    use http::Method;

    fn response(status: u16, body: Body) -> CachedResponse {
        let status = StatusCode::from_u16(status).expect("a status");
        CachedResponse::new(
            ResponseHead::new(Method::GET, Uri::default(), status, Timestamp::UNIX_EPOCH),
            body,
        )
    }

    #[test]
    fn only_4xx_and_5xx_are_errors() {
        for status in [200, 204, 301, 304] {
            assert!(response(status, Body::empty()).error_for_status().is_ok(), "{status}");
        }
        for status in [400, 404, 500, 599] {
            let error = response(status, Body::empty()).error_for_status().expect_err("an error status");
            assert_eq!(error.kind(), ErrorKind::Status, "{status}");
        }
    }

    #[test]
    fn a_streamed_body_can_be_asked_for_twice() {
        let chunks = stream::iter([Ok::<_, Error>("a"), Ok("b")]);
        let mut response = response(200, Body::from_stream(chunks));
        assert_eq!(block_on(response.bytes()).expect("first"), "ab");
        assert_eq!(block_on(response.bytes()).expect("second"), "ab");
    }

    #[test]
    fn a_body_that_was_lost_is_not_taken_for_an_empty_one() {
        let waits = stream::iter([Ok::<_, Error>("a")]).chain(stream::pending());
        let fails = stream::iter([Ok("a"), Err(Error::new(ErrorKind::Io, "gone"))]);
        let mut dropped = response(200, Body::from_stream(waits));
        assert!(dropped.bytes().now_or_never().is_none(), "the future is dropped before the end");
        let mut failed = response(200, Body::from_stream(fails));
        assert_eq!(block_on(failed.bytes()).expect_err("the source fails").kind(), ErrorKind::Io);
        for mut response in [dropped, failed] {
            for _ in 0..2 {
                assert_eq!(block_on(response.bytes()).expect_err("lost").kind(), ErrorKind::Body);
            }
        }
    }

    #[test]
    fn the_http_form_keeps_what_was_received() {
        let mut response = response(404, Body::from("gone"));
        response.head.version = http::Version::HTTP_2;
        response.head.headers.append("x-a", http::HeaderValue::from_static("1"));
        response.head.headers.append("x-a", http::HeaderValue::from_static("2"));
        let http = response.into_http();
        assert_eq!((http.status().as_u16(), http.version()), (404, http::Version::HTTP_2));
        assert_eq!(http.headers().get_all("x-a").iter().count(), 2);
        assert_eq!(http.body().as_bytes().expect("buffered"), "gone");
    }
}
