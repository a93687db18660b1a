//! The request that a redirect asks for (RFC 9110, section 15.4).
//!
//! Credentials never cross to another origin, and content is sent again only where the method stays the same.

use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, LOCATION, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode, Uri};
use larder_core::ResponseHead;
use url::Url;

use crate::{RequestBody, request};

/// The fields that do not go on to another origin.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Returns the request that follows `request` after a response with `head`.
///
/// `None` if the response is not a redirect, or is one that cannot be followed: it names no other `http` or `https`
/// URL, or the content cannot be sent again. It is then the answer itself. Extensions go on.
pub(crate) fn follow(request: &Request<RequestBody>, head: &ResponseHead) -> Option<Request<RequestBody>> {
    let method = next_method(request.method(), head.status)?;
    let from = Url::parse(&request.uri().to_string()).ok()?;
    // Another one, if redirects were followed before the response was seen here.
    let base =
        Url::parse(&head.url.to_string()).ok().filter(|url| !is_same_url(url, &from)).unwrap_or(from.clone());
    let to = base.join(head.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    if !matches!(to.scheme(), "http" | "https") {
        return None;
    }
    let keeps_content = method == *request.method();
    let body = if keeps_content { request.body().try_clone()? } else { RequestBody::empty() };

    let mut next = request::with_body(request, body);
    *next.uri_mut() = Uri::try_from(to.as_str()).ok()?;
    *next.method_mut() = method;
    next.headers_mut().remove(HOST);
    if !keeps_content {
        request::drop_content(next.headers_mut());
    }
    if from.origin() != to.origin() || from.origin() != base.origin() {
        request::remove(next.headers_mut(), &CREDENTIALS);
    }
    Some(next)
}

/// Returns the method after a redirect: POST may become GET at 301 and 302, and any method does at 303.
fn next_method(method: &Method, status: StatusCode) -> Option<Method> {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => Some(Method::GET),
        StatusCode::SEE_OTHER if *method != Method::HEAD => Some(Method::GET),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => Some(method.clone()),
        _ => None,
    }
}

/// Returns whether two URLs are the same but for user information.
fn is_same_url(url: &Url, other: &Url) -> bool {
    url.origin() == other.origin() && (url.path(), url.query()) == (other.path(), other.query())
}
