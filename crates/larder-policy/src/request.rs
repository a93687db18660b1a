//! What a key is made of: a view of a request, borrowed from whatever type the client has.

use std::fmt;

use http::{HeaderMap, Method, Uri, request};

/// The parts of a request that its key may depend on.
#[derive(Clone, Copy)]
pub struct KeyRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Uri,
    pub(crate) headers: Option<&'a HeaderMap>,
    pub(crate) content: Content<'a>,
}

impl<'a> KeyRequest<'a> {
    /// Returns a request without header fields and without content.
    #[must_use]
    pub const fn new(method: &'a Method, url: &'a Uri) -> Self {
        Self { method, url, headers: None, content: Content::Empty }
    }

    /// Returns the request of these parts, as the `http` crate has them, and this content.
    #[must_use]
    pub const fn from_parts(parts: &'a request::Parts, content: Content<'a>) -> Self {
        Self { method: &parts.method, url: &parts.uri, headers: Some(&parts.headers), content }
    }

    /// Sets the header fields.
    #[must_use]
    pub const fn with_headers(mut self, headers: &'a HeaderMap) -> Self {
        self.headers = Some(headers);
        self
    }

    /// Sets the content.
    #[must_use]
    pub const fn with_content(mut self, content: Content<'a>) -> Self {
        self.content = content;
        self
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the target URI.
    #[must_use]
    pub const fn url(&self) -> &'a Uri {
        self.url
    }

    /// Returns the header fields; `None` is the same as no fields.
    #[must_use]
    pub const fn headers(&self) -> Option<&'a HeaderMap> {
        self.headers
    }

    /// Returns the content.
    #[must_use]
    pub const fn content(&self) -> Content<'a> {
        self.content
    }

    /// Returns the same request as a GET.
    ///
    /// A stored response to GET also answers HEAD (RFC 9110, section 9.3.2). So a HEAD is looked up under the
    /// key of its GET first, and what it was answered is stored under its own: a response without a body must
    /// never stand where a GET looks.
    #[must_use]
    pub const fn as_get(mut self) -> Self {
        self.method = &Method::GET;
        self
    }
}

impl fmt::Debug for KeyRequest<'_> {
    /// Shows the method and how long the content is: URL and header fields may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRequest")
            .field("method", self.method)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// The content of a request, as far as it is known before it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// There is none.
    Empty,
    /// All of it. No bytes are the same as [`Content::Empty`].
    Bytes(&'a [u8]),
    /// It is sent as it comes, and nobody knows it yet.
    Streamed,
}

impl fmt::Debug for Content<'_> {
    /// Shows how long the content is, and not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Streamed => f.write_str("Streamed"),
        }
    }
}
