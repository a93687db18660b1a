//! What of a stored response answers a request: the whole, a part, or that nothing has changed.
//!
//! Conditions are evaluated before ranges (RFC 9110, section 13.2.2), and only of what is stored complete or as the
//! part that was asked for.

use std::ops::Range;
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, AGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderName,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::age::current_age;
use crate::range::{ByteRange, ContentRange, unsatisfied};
use crate::{KeyRequest, validator};

/// The fields that describe content which a 304 or a 416 does not have (RFC 9110, section 15.4.5).
const OF_THE_CONTENT: [HeaderName; 5] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE];

/// A stored response as the answer to a request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Presented {
    /// The head of the answer.
    pub head: ResponseHead,
    /// Which bytes of the stored body the answer has; `None` is all of them.
    pub body: Option<Range<u64>>,
}

impl Policy {
    /// Returns `stored`, whose body has `body_len` bytes, as the answer to `request` at `now`.
    ///
    /// The request's own conditions make it a 304, its `Range` a 206 or a 416. In the standard mode the answer has its
    /// `Age` (RFC 9111, section 5.1). Of an unknown length, the whole is the answer to a range.
    #[must_use]
    pub fn present(
        &self,
        request: &KeyRequest<'_>,
        stored: ResponseHead,
        body_len: Option<u64>,
        now: Timestamp,
    ) -> Presented {
        let mut presented = select(request, stored, body_len);
        if self.is_standard() {
            let age = current_age(&presented.head, now);
            presented.head.headers.insert(AGE, HeaderValue::from(rounded(age)));
        }
        presented
    }
}

/// Returns the answer, without its age.
fn select(request: &KeyRequest<'_>, mut head: ResponseHead, body_len: Option<u64>) -> Presented {
    let Some(headers) = request.headers() else { return Presented { head, body: None } };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_selected = matches!(head.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT);
    if !reads || !is_selected {
        return Presented { head, body: None };
    }
    if validator::is_not_modified(headers, &head.headers, head.received_at) == Some(true) {
        head.status = StatusCode::NOT_MODIFIED;
        remove(&mut head.headers, &OF_THE_CONTENT);
        return Presented { head, body: Some(0..0) };
    }
    let asked = ByteRange::of(Some(headers)).filter(|_| *request.method() == Method::GET);
    let (Some(asked), Some(body_len)) = (asked, body_len) else { return Presented { head, body: None } };
    if !validator::is_same_range(headers, &head.headers) {
        return Presented { head, body: None };
    }
    let here = match head.status {
        StatusCode::PARTIAL_CONTENT => ContentRange::of(&head.headers),
        _ if body_len == 0 => None,
        _ => Some(ContentRange { first: 0, last: body_len - 1, complete_len: Some(body_len) }),
    };
    match here.and_then(|here| Some((here, here.covers(asked)?))) {
        Some((here, positions)) => {
            let part = ContentRange { first: positions.start, last: positions.end - 1, ..here };
            head.status = StatusCode::PARTIAL_CONTENT;
            head.headers.insert(CONTENT_RANGE, part.to_value());
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
            let body = positions.start - here.first..positions.end - here.first;
            Presented { head, body: Some(body) }
        }
        None if head.status == StatusCode::OK => {
            head.status = StatusCode::RANGE_NOT_SATISFIABLE;
            remove(&mut head.headers, &OF_THE_CONTENT);
            remove(&mut head.headers, &[ACCEPT_RANGES]);
            head.headers.insert(CONTENT_RANGE, unsatisfied(body_len));
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            Presented { head, body: Some(0..0) }
        }
        None => Presented { head, body: None },
    }
}

/// Returns an age in whole seconds, as the field has it, and no greater than it may be (RFC 9111, section 1.2.2).
fn rounded(age: Duration) -> u64 {
    age.as_secs().min(1 << 31)
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}
