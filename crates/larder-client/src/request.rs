//! Requests that are sent again, whole or in another form.

use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, HOST,
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, PRAGMA, RANGE,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, Request};

use crate::RequestBody;

/// The fields that ask for a part, or for nothing if nothing has changed (RFC 9110, sections 13 and 14).
const SELECTING: [HeaderName; 4] = [IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE];

/// The fields that a request without content does not have.
const ABOUT_CONTENT: [HeaderName; 6] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, TRANSFER_ENCODING];

/// The fields that say how one request is to be handled, beside those that ask for less than the whole.
const FOR_THIS_ONE: [HeaderName; 5] = [CACHE_CONTROL, HOST, IF_MATCH, IF_UNMODIFIED_SINCE, PRAGMA];

/// Removes the fields of these names.
pub(crate) fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

/// Removes the fields that describe content.
pub(crate) fn drop_content(headers: &mut HeaderMap) {
    remove(headers, &ABOUT_CONTENT);
}

/// Returns the fields of another request that is like one with these, but reads what is there.
pub(crate) fn for_reading(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    drop_content(&mut headers);
    ask_for_whole(&mut headers);
    remove(&mut headers, &FOR_THIS_ONE);
    headers
}

/// Returns whether the fields ask for less than the whole, so that the answer is for nobody else.
pub(crate) fn asks_for_less(headers: &HeaderMap) -> bool {
    SELECTING.iter().any(|name| headers.contains_key(name))
}

/// Makes the fields ask for the whole.
pub(crate) fn ask_for_whole(headers: &mut HeaderMap) {
    remove(headers, &SELECTING);
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
