//! Requests that are sent again, whole or in another form.

use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, Request};

use crate::RequestBody;

/// The fields that ask for a part, or for nothing if nothing has changed (RFC 9110, sections 13 and 14).
const SELECTING: [HeaderName; 4] = [IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE];

/// Returns whether the fields ask for less than the whole, so that the answer is for nobody else.
pub(crate) fn asks_for_less(headers: &HeaderMap) -> bool {
    SELECTING.iter().any(|name| headers.contains_key(name))
}

/// Makes the fields ask for the whole.
pub(crate) fn ask_for_whole(headers: &mut HeaderMap) {
    for name in &SELECTING {
        headers.remove(name);
    }
}

/// Returns the same request with another body.
pub(crate) fn with_body(request: &Request<RequestBody>, body: RequestBody) -> Request<RequestBody> {
    let mut other = Request::new(body);
    *other.method_mut() = request.method().clone();
    *other.uri_mut() = request.uri().clone();
    *other.version_mut() = request.version();
    *other.headers_mut() = request.headers().clone();
    *other.extensions_mut() = request.extensions().clone();
    other
}
