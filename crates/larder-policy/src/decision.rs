//! What a policy answers: each answer has its reason, so that a caller can be told why.

use std::fmt;

use http::{HeaderMap, Method, StatusCode};
use larder_core::CacheKey;

/// The keys that a request is looked up and stored under.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestKeys {
    /// The key to store under.
    pub primary: CacheKey,
    /// For HEAD, the key of the GET: it is looked up first, and nothing is stored under it.
    pub get: Option<CacheKey>,
}

/// What is to be done about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Answer with the stored response.
    Use,
    /// Answer with the stored response, which is stale, and validate it behind the answer with these fields added
    /// (RFC 5861, section 3).
    UseWhileValidating {
        /// As those of [`Decision::Validate`]; none if it can only be fetched anew.
        conditions: HeaderMap,
    },
    /// Ask the origin for the rest of what is stored, with these fields added; a 206 of the same strong entity tag
    /// completes it (RFC 9111, section 3.4).
    Complete {
        /// `Range` and `If-Range`.
        conditions: HeaderMap,
    },
    /// Ask the origin with these fields in place of the request's own conditions; a 304 makes the stored response the answer.
    Validate {
        /// `If-None-Match` or `If-Modified-Since`, or both.
        conditions: HeaderMap,
        /// Why the stored response is not used as it is.
        reason: Forward,
    },
    /// Ask the origin.
    Fetch {
        /// Why the origin must be asked.
        reason: Forward,
    },
    /// Answer with 504 (RFC 9111, section 5.2.1.7): the origin is not to be asked, and nothing stored will do.
    Refuse,
}

/// How the origin failed a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// There was no response.
    Unreachable,
    /// There was one, of this status.
    Status(StatusCode),
}

/// Why a request goes to the origin (RFC 9211, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forward {
    /// The cache is not to handle the request.
    Bypass,
    /// The method's semantics require it.
    Method,
    /// Nothing is stored for this URL.
    UriMiss,
    /// What is stored is for a request with other fields that `Vary` nominates.
    VaryMiss,
    /// What is stored would do, and the request does not allow its use.
    Request,
    /// What is stored is stale, or must be validated each time.
    Stale,
    /// What is stored is a part of the representation.
    Partial,
    /// Nothing that is stored will do.
    Miss,
}

impl Forward {
    /// Returns the token of RFC 9211, section 2.2.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Miss => "miss",
        }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a response is not stored, or a redirect not skipped. It is a decision, not a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStorable {
    /// The status code is not one that is stored, or not without an explicit lifetime (RFC 9111, section 3).
    #[error("responses of status {0} are not stored")]
    Status(StatusCode),
    /// The method is not one whose responses are stored.
    #[error("responses to {0} are not stored")]
    Method(Method),
    /// The response says `no-store` (RFC 9111, section 5.2.2.5).
    #[error("the response says no-store")]
    NoStore,
    /// The request says so, by its mode or `no-store` (RFC 9111, section 5.2.1.5).
    #[error("the request is not to be stored")]
    RequestNoStore,
    /// It has expired at once and cannot be validated, or its expiry is not to store it.
    #[error("the response would never be used")]
    Expiry,
    /// Its `Vary` is `*`, or cannot be read (RFC 9111, section 4.1).
    #[error("the response varies on more than the request's fields")]
    VaryAny,
    /// A redirect varies on fields that are not in the key, and an alias is looked up by the key alone.
    #[error("the redirect varies on fields that are not in the key")]
    VaryingRedirect,
    /// It is a part of the representation that cannot be told from others, or parts are not stored.
    #[error("the response is a part")]
    Partial,
    /// It says `private` and the cache is shared (RFC 9111, section 5.2.2.7).
    #[error("the response is for one user, and the cache is shared")]
    Private,
    /// The request had `Authorization`, the cache is shared, and the response does not say that it may be stored
    /// all the same (RFC 9111, section 3.5).
    #[error("the request had credentials, and the cache is shared")]
    Credentials,
    /// It sets a cookie, the cache is shared, and the response does not say that it may be stored all the same.
    #[error("the response sets a cookie, and the cache is shared")]
    SetCookie,
    /// It has more fields than are stored.
    #[error("the response has {0} header fields")]
    Fields(usize),
    /// A filter does not admit it.
    #[error("a filter does not admit the response")]
    Filtered,
}

impl NotStorable {
    /// Returns a token that says the same, for `detail` in `Cache-Status` (RFC 9211, section 2.8).
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Method(_) => "method",
            Self::NoStore => "no-store",
            Self::RequestNoStore => "request-no-store",
            Self::Expiry => "never-used",
            Self::VaryAny => "vary-any",
            Self::VaryingRedirect => "varying-redirect",
            Self::Partial => "partial",
            Self::Private => "private",
            Self::Credentials => "authorization",
            Self::SetCookie => "set-cookie",
            Self::Fields(_) => "many-fields",
            Self::Filtered => "filtered",
        }
    }
}
