//! Header fields by what they are for: which belong to one connection and are never stored.

use http::header::{
    AGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE,
    ETAG, EXPIRES, HeaderName, LAST_MODIFIED, PRAGMA, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE,
    TE, TRANSFER_ENCODING, UPGRADE, VARY,
};
use http::{HeaderMap, HeaderValue};

/// What a cache does not store (RFC 9111, section 3.1; RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("http2-settings"),
];

/// What `Connection` must not name (RFC 9110, section 7.6.1): without these a response would be reused more freely
/// than it allows, or its body be read as something else.
const FOR_ALL_RECIPIENTS: [HeaderName; 14] = [
    AGE,
    CACHE_CONTROL,
    HeaderName::from_static("cache-groups"),
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    PRAGMA,
    SET_COOKIE,
    VARY,
];
/// How the names of targeted fields end (RFC 9213, section 2.1), which are likewise.
const TARGETED: &str = "-cache-control";

/// Returns the names of the fields in `headers` that belong to the connection alone.
pub(crate) fn hop_by_hop(headers: &HeaderMap) -> Vec<HeaderName> {
    let named = list_members(headers.get_all(CONNECTION))
        .filter_map(|member| HeaderName::from_bytes(member).ok())
        .filter(|name| !FOR_ALL_RECIPIENTS.contains(name) && !name.as_str().ends_with(TARGETED));
    named.chain(HOP_BY_HOP).collect()
}

/// Removes the fields that belong to one connection: `Connection`, what it names, and those that belong to one by their
/// definition (RFC 9110, section 7.6.1).
///
/// With `Transfer-Encoding` goes a `Content-Length` beside it, which does not count (RFC 9112, section 6.3).
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    for name in hop_by_hop(headers) {
        headers.remove(name);
    }
}

/// Returns the lines of the field as one (RFC 9110, section 5.3); `None` if it is not there.
pub(crate) fn combined(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = values(Some(headers), name).collect();
    if lines.is_empty() { None } else { Some(lines.join(&b", "[..])) }
}

/// Returns the members of a list of tokens, all lines together, without the empty ones (RFC 9110, section 5.6.1).
pub(crate) fn list_members<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
) -> impl Iterator<Item = &'a [u8]> {
    let members = lines.into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Returns the field's values in order, without the white space around them, which is no part of them (RFC 9110,
/// section 5.5). Lines are not combined: only some fields are lists.
pub(crate) fn values<'a>(
    headers: Option<&'a HeaderMap>,
    name: &'a HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers.into_iter().flat_map(move |headers| headers.get_all(name)).map(|value| trimmed(value.as_bytes()))
}

/// Returns `value` without the white space around it.
pub(crate) fn trimmed(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = value.iter().position(is_text).unwrap_or(value.len());
    let end = value.iter().rposition(is_text).map_or(start, |last| last + 1);
    &value[start..end]
}
