//! Why a request has no key. It is a decision, not a failure: such a request goes to the origin.

use http::Method;
use larder_core::{Error, ErrorKind};

/// The reason why a request bypasses the cache.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Bypass {
    /// The method is not one that responses are kept for, unless the caller allows it.
    #[error("responses to {0} are not kept")]
    Method(Method),
    /// The content is streamed, or announced by the header fields and not given, so that no key can cover it.
    #[error("the request's content is not at hand")]
    ContentNotGiven,
    /// A `Host` field names another host than the URL.
    #[error("the host field names another host than the url")]
    Host,
    /// The URL has no scheme, no authority, or a path that does not begin with a slash.
    #[error("the url is not absolute")]
    RelativeUrl,
    /// The URL's host is empty or malformed (RFC 9110, section 4.2.1), or its port is not a number up to 65535.
    #[error("the url's authority is not a host and a port")]
    InvalidAuthority,
    /// The caller, or the request's `Cache-Control`, says that nothing is to be looked up or stored.
    #[error("the request is not to be stored")]
    NoStore,
    /// The expiry that applies to the request is [`Expiry::DoNotStore`](crate::Expiry::DoNotStore).
    #[error("the expiry of this url or request is not to store it")]
    Expiry,
    /// The caller's request is conditional (RFC 9110, section 13.1): its answer is for the caller alone.
    #[error("the request is conditional")]
    Conditional,
    /// The caller asks for a part of the representation (RFC 9110, section 14.2).
    #[error("the request asks for a range")]
    Range,
    /// The caller's key function gave no key.
    #[error("the key function gave no key")]
    KeyFunction,
}

impl From<Bypass> for Error {
    /// Returns an error of kind [`ErrorKind::InvalidInput`], for callers who cannot do without a key.
    fn from(bypass: Bypass) -> Self {
        Self::new(ErrorKind::InvalidInput, "the request has no cache key").with_source(bypass)
    }
}
