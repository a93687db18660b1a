//! The origin as the cache sees it: one exchange over HTTP/1.1, on a connection that is used again.
//!
//! Nothing is sent twice that may have reached the origin. hyper-util's pool sends a request again only if none of it
//! was written, because the connection it was given had been closed meanwhile: its loop repeats only what hyper hands
//! back unsent. And hyper lets no connection be used again that has more to read than the response (`Conn::
//! require_empty_read` goes before each request), so that surplus bytes are never taken for another response.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use larder::client::{Origin, RequestBody, remove_hop_by_hop};
use larder::{Body, BoxError};

use super::connect::{Connector, connector};
use super::content::{Progress, Sent};
use super::fields::{append_via, correct_length, date, is_coding_known};
use super::interim::Interim;
use super::server::MAX_FIELDS;
use super::target::{Asterisk, Target};
use crate::status::Result;

/// How many bytes the head of a response may have.
const MAX_HEAD: usize = 4 * 1024 * 1024;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);
/// How many of those are kept.
const MOST_IDLE: usize = 64;

/// The origin of a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    client: Client<Connector, Sent>,
    target: Target,
    timeout: Duration,
    /// Whether there is a client that waits for this exchange, and may have its interim responses.
    is_awaited: bool,
}

impl Upstream {
    /// Returns the origin at `target`; it has `timeout` to begin its response.
    pub(crate) fn new(target: Target, timeout: Duration) -> Result<Self> {
        let mut client = Client::builder(TokioExecutor::new());
        client
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .http1_max_buf_size(MAX_HEAD)
            .http1_max_headers(MAX_FIELDS)
            // What a proxy mends in a response, and in a request must not (RFC 9112, sections 5.1 and 5.2).
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true);
        let client = client.build(connector(target.is_https())?);
        Ok(Self { client, target, timeout, is_awaited: true })
    }

    /// Returns how long the other side of a request may say nothing.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[async_trait]
impl Origin for Upstream {
    async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Body>, BoxError> {
        let (mut parts, body) = request.into_parts();
        let interim = parts.extensions.remove::<Interim>().filter(|_| self.is_awaited);
        if parts.extensions.remove::<Asterisk>().is_some() {
            parts.uri = self.target.asterisk()?;
        }
        parts.version = Version::HTTP_11;
        parts.headers.insert(HOST, self.target.host());
        frame(&mut parts.headers, &body);

        let progress = Progress::new();
        let mut request = Request::from_parts(parts, Sent::new(body, progress.clone()));
        if let Some(interim) = interim {
            hyper::ext::on_informational(&mut request, move |response| {
                relay(&interim, response.status(), response.version(), response.headers());
            });
        }
        let response = progress.within(self.timeout, self.client.request(request)).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(OriginFailure::Switched.into());
        }
        let (mut parts, body) = response.into_parts();
        if !is_coding_known(&parts.headers) {
            return Err(OriginFailure::TransferCoding.into());
        }
        remove_hop_by_hop(&mut parts.headers);
        date(&mut parts.headers, SystemTime::now());
        Ok(Response::from_parts(parts, Body::wrap(body)))
    }

    fn detached(&self) -> Option<Box<dyn Origin>> {
        Some(Box::new(Self { is_awaited: false, ..self.clone() }))
    }
}

/// Makes the fields say how the content is sent, so that hyper frames it as what it is.
fn frame(headers: &mut HeaderMap, body: &RequestBody) {
    headers.remove(TRANSFER_ENCODING);
    if body.is_end_stream() {
        correct_length(headers, 0);
    } else if let Some(len) = body.size_hint().exact() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
    } else {
        headers.remove(CONTENT_LENGTH);
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Passes an interim response on to the client, but for those that concern this connection alone: a 100 answers the
/// expectation of this side's request, and no protocol is switched here.
fn relay(interim: &Interim, status: StatusCode, version: Version, headers: &HeaderMap) {
    if matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
        return;
    }
    let mut headers = headers.clone();
    remove_hop_by_hop(&mut headers);
    append_via(&mut headers, version);
    interim.write(status, &headers);
}

/// Why an origin that can be reached has not answered.
#[derive(Debug)]
pub(crate) enum OriginFailure {
    Late(Duration),
    Switched,
    TransferCoding,
}

impl fmt::Display for OriginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(limit) => write!(f, "no response within {}", humantime::format_duration(*limit)),
            Self::Switched => f.write_str("it switched to a protocol that was not asked for"),
            Self::TransferCoding => f.write_str("its response has a transfer coding other than chunked"),
        }
    }
}

impl Error for OriginFailure {}
