//! Requests, responses and times, short enough for a row of a table.

use std::time::Duration;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use larder_core::{ResponseHead, Timestamp};
use larder_policy::{CacheOptions, Decision, Forward, KeyRequest, NotStorable, Policy, RequestOptions};

pub(crate) const URL: &str = "http://site.com/a";
/// When every response is received: Mon, 23 Nov 2026 00:00:00 GMT.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_392_000_000);

/// The fields of a message, as `name: value`.
pub(crate) type Fields = &'static [&'static str];

pub(crate) fn headers(fields: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        let (name, value) = field.split_once(": ").expect("`name: value`");
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The point `seconds` after everything was received.
pub(crate) fn after(seconds: u64) -> Timestamp {
    NOW.saturating_add(secs(seconds))
}

pub(crate) fn policy(options: CacheOptions) -> Policy {
    options.build().expect("valid options")
}

/// A request with its fields, and what its sender asks of the cache.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) options: RequestOptions,
}

impl Sent {
    pub(crate) fn get(fields: &[&str]) -> Self {
        Self::new(Method::GET, URL, fields)
    }

    pub(crate) fn new(method: Method, url: &str, fields: &[&str]) -> Self {
        let url = url.parse().expect("a URL");
        Self { method, url, headers: headers(fields), options: RequestOptions::default() }
    }

    pub(crate) fn with(mut self, options: RequestOptions) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn request(&self) -> KeyRequest<'_> {
        KeyRequest::new(&self.method, &self.url).with_headers(&self.headers)
    }

    pub(crate) fn head(&self, status: u16, fields: &[&str]) -> ResponseHead {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut head = ResponseHead::new(self.method.clone(), self.url.clone(), status, NOW);
        head.headers = headers(fields);
        head
    }

    pub(crate) fn storable(
        &self,
        policy: &Policy,
        response: &ResponseHead,
    ) -> Result<ResponseHead, NotStorable> {
        policy.storable(&self.request(), &self.options, response, NOW)
    }

    pub(crate) fn decide(&self, policy: &Policy, stored: Option<&ResponseHead>, now: Timestamp) -> Decision {
        policy.decide(&self.request(), &self.options, stored, now)
    }
}

/// What is done, without the conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    Use,
    UseWhileValidating,
    Complete,
    Validate(Forward),
    Fetch(Forward),
    Refuse,
}

impl From<Decision> for Do {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Use => Self::Use,
            Decision::UseWhileValidating { .. } => Self::UseWhileValidating,
            Decision::Complete { .. } => Self::Complete,
            Decision::Validate { reason, .. } => Self::Validate(reason),
            Decision::Fetch { reason } => Self::Fetch(reason),
            Decision::Refuse => Self::Refuse,
            other => panic!("no such decision: {other:?}"),
        }
    }
}
