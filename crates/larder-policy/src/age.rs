//! How old a response is, and how long it says that it is fresh (RFC 9111, sections 4.2.1 and 4.2.3).

use std::time::Duration;

use http::header::{AGE, DATE, EXPIRES, HeaderName};
use http::{HeaderMap, HeaderValue};
use larder_core::{ResponseHead, Timestamp};

use crate::cache_control::ResponseDirectives;

/// Returns the age of the response at `now` (RFC 9111, section 4.2.3).
pub(crate) fn current_age(head: &ResponseHead, now: Timestamp) -> Duration {
    let date = date(&head.headers, &DATE).unwrap_or(head.received_at);
    // `Date` counts in seconds: what is below one is no age.
    let apparent = Duration::from_secs(head.received_at.saturating_since(date).as_secs());
    let response_delay = head.received_at.saturating_since(head.requested_at);
    let corrected = age_field(&head.headers).saturating_add(response_delay);
    apparent.max(corrected).saturating_add(now.saturating_since(head.received_at))
}

/// Returns how long the response says that it is fresh, if it does (RFC 9111, section 4.2.1).
pub(crate) fn explicit_lifetime(
    directives: &ResponseDirectives,
    head: &ResponseHead,
    is_shared: bool,
) -> Option<Duration> {
    let shared = directives.s_maxage.filter(|_| is_shared);
    shared.or(directives.max_age).or_else(|| {
        let expires = head.headers.get_all(EXPIRES).iter().map(parse_date);
        // One that is not a date has passed, and of several the first to come counts.
        let expires = expires.min()?;
        let date = date(&head.headers, &DATE).unwrap_or(head.received_at);
        Some(expires.map_or(Duration::ZERO, |expires| expires.saturating_since(date)))
    })
}

/// Returns the date in a field that is there once.
pub(crate) fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { parse_date(value) }
}

/// Returns the date in one of the three formats (RFC 9110, section 5.6.7).
fn parse_date(value: &HeaderValue) -> Option<Timestamp> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok().map(Timestamp::from)
}

/// Returns the first value of `Age`, zero if it is not a number (RFC 9111, section 5.1).
fn age_field(headers: &HeaderMap) -> Duration {
    let Some(value) = headers.get(AGE) else { return Duration::ZERO };
    let value = value.as_bytes();
    let first = value.split(|byte| *byte == b',').next().unwrap_or_default();
    crate::cache_control::delta_seconds(first.trim_ascii()).unwrap_or_default()
}
