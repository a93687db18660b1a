//! `Vary` (RFC 9111, section 4.1): which fields of the request a response was selected by, and whether they are equal.
//!
//! A credential among them is kept as a digest, for what is stored is not the place for it.

use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, VARY};
use http::{HeaderMap, HeaderValue};

use crate::canonical::DigestInput;
use crate::fields::{list_members, values};

const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// The response varies on something else than fields of the request, or nobody can say on what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VariesOnAny;

/// Returns the names that the response's `Vary` nominates, each once.
pub(crate) fn nominated(response: &HeaderMap) -> Result<Vec<HeaderName>, VariesOnAny> {
    let mut names = Vec::new();
    for member in list_members(response.get_all(VARY)) {
        if member == b"*" {
            return Err(VariesOnAny);
        }
        names.push(HeaderName::from_bytes(member).map_err(|_| VariesOnAny)?);
    }
    names.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
    names.dedup();
    Ok(names)
}

/// Returns the request's fields of these names, as they are stored.
pub(crate) fn selecting(request: Option<&HeaderMap>, names: &[HeaderName]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for name in names {
        for value in stored_values(request, name) {
            fields.append(name.clone(), value);
        }
    }
    fields
}

/// Returns whether `request` has the same fields as the request that the stored response was selected by.
pub(crate) fn matches(request: Option<&HeaderMap>, response: &HeaderMap, stored: &HeaderMap) -> bool {
    let Ok(names) = nominated(response) else { return false };
    names.iter().all(|name| {
        let sent = stored_values(request, name);
        values(Some(stored), name).eq(sent.iter().map(HeaderValue::as_bytes))
    })
}

fn stored_values(request: Option<&HeaderMap>, name: &HeaderName) -> Vec<HeaderValue> {
    let sent = values(request, name);
    if !CREDENTIALS.contains(name) {
        return sent.filter_map(|value| HeaderValue::from_bytes(value).ok()).collect();
    }
    let mut input = DigestInput::default();
    for value in sent {
        input.push(b'V', value);
    }
    let digest = || HeaderValue::from_str(&format!("sha-256 {}", input.digest())).ok();
    if input.is_empty() { Vec::new() } else { digest().into_iter().collect() }
}
