//! The answer to one request: through the cache, or by the proxy itself where there is no other.

use std::error::Error;

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use larder::client::{RequestBody, ResponseCache, remove_hop_by_hop};
use larder::{Body, RequestOptions};

use super::content::{ContentFailure, content};
use super::fields::{
    CACHE_STATUS, Forwards, append_via, correct_length, count_forward, is_coding_known, is_loop,
};
use super::interim::Interim;
use super::journal::{Entry, Expected, Journal, Noted};
use super::origin::{OriginFailure, Upstream};
use super::server::UnderWay;
use super::target::{Asterisk, Target};

/// A cache in front of an origin.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) cache: ResponseCache,
    pub(crate) upstream: Upstream,
    pub(crate) target: Target,
    /// What holds for every request.
    pub(crate) options: RequestOptions,
    pub(crate) journal: Journal,
}

impl Proxy {
    /// Answers `request`. If the future is dropped, because the client has gone, the exchange is given up.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        interim: Interim,
        under_way: UnderWay,
    ) -> Response<Noted> {
        let entry = self.journal.entry(&request);
        let (method, version) = (request.method().clone(), request.version());
        let answer = match self.prepare(request, interim).await {
            Ok(request) => self.ask(request).await,
            Err(refusal) => refusal,
        };
        answer.send(&method, version, entry, under_way)
    }

    /// Makes of a client's request the one to the origin, or the answer if it does not go there.
    async fn prepare(
        &self,
        request: Request<Incoming>,
        interim: Interim,
    ) -> Result<Request<RequestBody>, Answer> {
        let (mut parts, body) = request.into_parts();
        if !has_one_host(&parts.headers, parts.version) {
            return Err(Answer::refused(
                StatusCode::BAD_REQUEST,
                "this request has not one Host, or one that is none",
            ));
        }
        if parts.method == Method::CONNECT {
            return Err(Answer::refused(StatusCode::NOT_IMPLEMENTED, "this proxy opens no tunnels"));
        }
        if is_loop(&parts.headers) {
            return Err(Answer::refused(StatusCode::LOOP_DETECTED, "this request comes by again and again"));
        }
        if !is_coding_known(&parts.headers) {
            let text = "this proxy knows no transfer coding but chunked";
            return Err(Answer::refused(StatusCode::NOT_IMPLEMENTED, text));
        }
        if count_forward(&parts.method, &mut parts.headers) == Forwards::Spent {
            return Err(Answer::last_recipient(&parts.method));
        }
        let Some(url) = self.target.url(&parts.method, &parts.uri) else {
            return Err(Answer::refused(StatusCode::BAD_REQUEST, "this is no target of a request"));
        };
        if Target::is_asterisk(&parts.method, &parts.uri) {
            parts.extensions.insert(Asterisk);
        }
        if parts.version >= Version::HTTP_11 {
            // Older clients know no interim responses (RFC 9110, section 15.2).
            parts.extensions.insert(interim);
        } else {
            // Nor do they wait for one (section 10.1.1).
            parts.headers.remove(EXPECT);
        }
        parts.extensions.insert(self.options.clone());
        parts.uri = url;
        remove_hop_by_hop(&mut parts.headers);
        append_via(&mut parts.headers, parts.version);
        parts.version = Version::HTTP_11;
        parts.headers.insert(HOST, self.target.host());
        let body = content(body, &parts.headers, self.upstream.timeout()).await;
        let body = body.map_err(|failure| Answer::unreadable(&failure))?;
        Ok(Request::from_parts(parts, body))
    }

    async fn ask(&self, request: Request<RequestBody>) -> Answer {
        let mut upstream = self.upstream.clone();
        let response = match Box::pin(self.cache.send_once(request, &mut upstream)).await {
            Ok(response) => response,
            Err(error) => return Answer::failed(&error),
        };
        let status = response.cache_status().clone();
        let cache_status = status.to_string();
        if status.refused {
            let text = "nothing that is stored will do, and the origin is not to be asked";
            return Answer::own(StatusCode::GATEWAY_TIMEOUT, text, cache_status);
        }
        let mut headers = response.headers().clone();
        append_via(&mut headers, response.version());
        // What is stored has no reason phrase; that of a 304 is not the response's.
        let reason = response.extensions().get::<ReasonPhrase>().filter(|_| !status.from_cache()).cloned();
        Answer { status: response.status(), headers, reason, body: response.into_body(), cache_status }
    }
}

/// An answer, without what depends on how it is sent.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    reason: Option<ReasonPhrase>,
    body: Body,
    /// What the cache did, or what came in between.
    cache_status: String,
}

impl Answer {
    /// Returns an answer of the proxy itself, which says why in a line.
    fn own(status: StatusCode, text: &str, cache_status: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Ok(value) = HeaderValue::from_str(&cache_status) {
            headers.insert(CACHE_STATUS, value);
        }
        let body = Body::from(format!("larder: {text}\n"));
        Self { status, headers, reason: None, body, cache_status }
    }

    /// Returns the answer to a request that the proxy does not pass on.
    fn refused(status: StatusCode, text: &str) -> Self {
        Self::own(status, text, "larder; detail=refused".to_owned())
    }

    /// Returns the answer of whom a request reaches last that counts how often it is forwarded.
    fn last_recipient(method: &Method) -> Self {
        if *method == Method::OPTIONS {
            let cache_status = "larder; detail=max-forwards".to_owned();
            let (headers, body) = (HeaderMap::new(), Body::empty());
            return Self { status: StatusCode::NO_CONTENT, headers, reason: None, body, cache_status };
        }
        Self::refused(StatusCode::METHOD_NOT_ALLOWED, "this proxy reflects no requests")
    }

    /// Returns the answer to a request whose content cannot be read, which is the last on its connection.
    fn unreadable(failure: &ContentFailure) -> Self {
        let status = match failure {
            ContentFailure::Broken(_) => StatusCode::BAD_REQUEST,
            ContentFailure::Late(_) => StatusCode::REQUEST_TIMEOUT,
        };
        let mut answer = Self::refused(status, &failure.to_string());
        answer.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    /// Returns the answer in the place of an origin that has none (RFC 9110, sections 15.6.3 and 15.6.5).
    fn failed(error: &larder::Error) -> Self {
        let causes =
            || std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (*error).source());
        if let Some(failure) = causes().find_map(|error| error.downcast_ref()) {
            return Self::unreadable(failure);
        }
        let failure = causes().find_map(|error| error.downcast_ref::<OriginFailure>());
        let (status, detail) = match failure {
            Some(OriginFailure::Late(_)) => (StatusCode::GATEWAY_TIMEOUT, "origin-late"),
            _ => (StatusCode::BAD_GATEWAY, "origin-failed"),
        };
        let mut text = error.to_string();
        if let Some(cause) = causes().last().map(ToString::to_string).filter(|cause| !text.contains(cause)) {
            text = format!("{text}: {cause}");
        }
        Self::own(status, &text, format!("larder; detail={detail}"))
    }

    /// Returns the response as it is sent in answer to a request of `method` and `version`.
    fn send(self, method: &Method, version: Version, entry: Entry, under_way: UnderWay) -> Response<Noted> {
        let Self { status, mut headers, reason, body, cache_status } = self;
        let expected = expected(method, status, &mut headers, &body);
        let is_ended_by_close = expected == Expected::Unknown && version < Version::HTTP_11;
        let mut response = Response::new(entry.answered(status, cache_status, body, expected, under_way));
        *response.status_mut() = status;
        if is_ended_by_close {
            // There are no chunks. Of this version, hyper promises to keep no connection.
            *response.version_mut() = Version::HTTP_10;
        }
        *response.headers_mut() = headers;
        if let Some(reason) = reason {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

/// Returns whether the request has as many `Host` fields as it must, and a host in it (RFC 9112, section 3.2): those who
/// disagree about what counts disagree about what is requested.
fn has_one_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).into_iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host.as_bytes()),
        _ => false,
    }
}

/// Returns whether `value` is a host with or without a port (RFC 9110, section 7.2), or empty, for want of a host.
fn is_host(value: &[u8]) -> bool {
    fn without(bytes: &[u8], is_part: impl Fn(&u8) -> bool) -> &[u8] {
        &bytes[bytes.iter().take_while(|byte| is_part(byte)).count()..]
    }
    let is_address = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(byte);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
    let rest = match value.strip_prefix(b"[") {
        Some(address) => without(address, is_address).strip_prefix(b"]"),
        None => Some(without(value, is_name)),
    };
    match rest {
        Some([b':', port @ ..]) => port.iter().all(u8::is_ascii_digit),
        rest => rest.is_some_and(<[u8]>::is_empty),
    }
}

/// Returns how much of `body` is sent, after making `Content-Length` say the same.
fn expected(method: &Method, status: StatusCode, headers: &mut HeaderMap, body: &Body) -> Expected {
    if *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        // Here it is the length that another response would have (RFC 9110, section 8.6).
        return Expected::Nothing;
    }
    if let Some(len) = body.size_hint().exact() {
        correct_length(headers, len);
        return Expected::Bytes(len);
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
    announced.map_or(Expected::Unknown, Expected::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in ["", "a.test", "a_b:80", "a:", "127.0.0.1:8080", "[::1]", "[::1]:80", "%C3%A9.test"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in ["a b", "a/b", "a b/c@", "u@a", "@a", "a:b", "a:80:80", "[::1", "[a b]", "a?b", "\u{e9}"]
        {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
