//! What was received, apart from the body: facts, never decisions.
//!
//! Whether an entry is fresh, or may be reused at all, is computed from these facts whenever it is asked, so
//! that nothing stored depends on the version of the code that decides.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version};

use crate::{CacheKey, Timestamp};

/// Everything that is kept of a response but its body.
///
/// Build one with [`ResponseHead::new`] and set the other fields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResponseHead {
    /// The method of the request that this responds to.
    pub method: Method,
    /// The target URI of that request, after redirects; without user information, which is a credential.
    pub url: Uri,
    /// The status code.
    pub status: StatusCode,
    /// The protocol version of the response.
    pub version: Version,
    /// The reason phrase, when one was sent and kept; HTTP/2 and later have none.
    pub reason: Option<String>,
    /// The response's header fields: every value, in order, bytes 0x80 to 0xFF included.
    pub headers: HeaderMap,
    /// The request fields that the response's `Vary` nominates, as sent (RFC 9111, section 4.1).
    pub vary_fields: HeaderMap,
    /// The other stored responses to requests with the same key.
    ///
    /// Each is selected by other request fields than this one (RFC 9111, section 4.1).
    pub variants: Vec<Variant>,
    /// The redirects that led here, first hop first; flat, never nested.
    pub history: Vec<Hop>,
    /// When the request was sent (`request_time` of RFC 9111, section 4.2.3).
    pub requested_at: Timestamp,
    /// When the response was received, or last validated (`response_time`, same section).
    pub received_at: Timestamp,
    /// When the entry was first created; kept when it is validated.
    pub created_at: Timestamp,
    /// When the entry's fixed expiry is; `None` if it has none.
    pub expires_at: Option<Timestamp>,
    /// When a purge may delete the entry, if that is not at `expires_at`: until then it can be validated.
    pub delete_at: Option<Timestamp>,
    /// Whatever the user wants to keep with the entry.
    pub metadata: BTreeMap<String, String>,
}

impl ResponseHead {
    /// Returns the head of a response to `method` on `url`, received at `now`.
    ///
    /// User information in `url` is dropped.
    /// It has no fields, HTTP/1.1, no expiry, and all three times set to `now`.
    #[must_use]
    pub fn new(method: Method, url: Uri, status: StatusCode, now: Timestamp) -> Self {
        Self {
            method,
            url: without_user_information(url),
            status,
            version: Version::HTTP_11,
            reason: None,
            headers: HeaderMap::new(),
            vary_fields: HeaderMap::new(),
            variants: Vec::new(),
            history: Vec::new(),
            requested_at: now,
            received_at: now,
            created_at: now,
            expires_at: None,
            delete_at: None,
            metadata: BTreeMap::new(),
        }
    }

    /// Returns whether the entry is past its fixed expiry at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Returns when a purge may delete the entry: at `delete_at`, else at `expires_at`; `None` is never.
    #[must_use]
    pub fn purge_at(&self) -> Option<Timestamp> {
        self.delete_at.or(self.expires_at)
    }
}

/// One redirect on the way to a response.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hop {
    /// The method of the request that was redirected.
    pub method: Method,
    /// The URI that answered with the redirect; without user information.
    pub url: Uri,
    /// The redirect's status code.
    pub status: StatusCode,
    /// The redirect's header fields, `Location` among them.
    pub headers: HeaderMap,
}

impl Hop {
    /// Returns a hop without header fields; user information in `url` is dropped.
    #[must_use]
    pub fn new(method: Method, url: Uri, status: StatusCode) -> Self {
        Self { method, url: without_user_information(url), status, headers: HeaderMap::new() }
    }
}

/// Where another response to requests with the same key is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variant {
    /// The names of the request fields that selected it: its `Vary`, member by member.
    pub nominated: Vec<HeaderName>,
    /// The key that it is stored under.
    pub key: CacheKey,
}

impl Variant {
    /// Returns the variant that the request fields `nominated` select, stored under `key`.
    #[must_use]
    pub fn new(nominated: Vec<HeaderName>, key: CacheKey) -> Self {
        Self { nominated, key }
    }
}

/// Drops `user:password@` (RFC 3986, section 3.2.1): a cache keeps no credentials in the clear.
fn without_user_information(url: Uri) -> Uri {
    let Some((_, host_and_port)) = url.authority().and_then(|authority| authority.as_str().rsplit_once('@'))
    else {
        return url;
    };
    let Ok(authority) = host_and_port.parse() else { return url };
    let mut parts = url.clone().into_parts();
    parts.authority = Some(authority);
    Uri::from_parts(parts).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_of_a_url_are_kept() {
        let url = || Uri::from_static("http://me:hunter2@example.org:8080/a?b=@c");
        let head = ResponseHead::new(Method::GET, url(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        assert_eq!(head.url, "http://example.org:8080/a?b=@c");
        assert_eq!(Hop::new(Method::GET, url(), StatusCode::FOUND).url, head.url);
    }

    #[test]
    fn an_entry_expires_at_its_moment_and_not_before() {
        let mut head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        assert!(!head.is_expired(Timestamp::MAX), "no expiry is never");
        head.expires_at = Some(Timestamp::from_millis(10));
        assert!(!head.is_expired(Timestamp::from_millis(9)));
        assert!(head.is_expired(Timestamp::from_millis(10)));
    }

    #[test]
    fn an_expired_entry_is_kept_until_its_delete_time() {
        let mut head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        assert_eq!(head.purge_at(), None);
        head.expires_at = Some(Timestamp::from_millis(10));
        assert_eq!(head.purge_at(), head.expires_at);
        head.delete_at = Some(Timestamp::from_millis(20));
        assert_eq!(head.purge_at(), head.delete_at);
        assert!(head.is_expired(Timestamp::from_millis(10)), "it is expired all the same");
    }
}
