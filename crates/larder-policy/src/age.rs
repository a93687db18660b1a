//! How old a response is, and how long it says that it is fresh (RFC 9111, sections 4.2.1 and 4.2.3).

use std::time::Duration;

use http::header::{AGE, DATE, EXPIRES, HeaderName, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use larder_core::{ResponseHead, Timestamp};

use crate::cache_control::ResponseDirectives;
use crate::dates;

/// The longest lifetime that nobody asked for.
const LONGEST_HEURISTIC: Duration = Duration::from_hours(7 * 24);

/// Returns the age of the response at `now` (RFC 9111, section 4.2.3).
pub(crate) fn current_age(head: &ResponseHead, now: Timestamp) -> Duration {
    let date = date(&head.headers, &DATE).unwrap_or(head.received_at);
    // `Date` counts in seconds: what is below one is no age.
    let apparent = Duration::from_secs(head.received_at.saturating_since(date).as_secs());
    let response_delay = head.received_at.saturating_since(head.requested_at);
    let corrected = age_field(&head.headers).saturating_add(response_delay);
    apparent.max(corrected).saturating_add(now.saturating_since(head.received_at))
}

/// Returns how long a response that does not say how long it is fresh may be taken for fresh (RFC 9111, section 4.2.2):
/// a tenth of how long it had not been modified when it was made, and no more than a week.
///
/// `None` if that cannot be known, or responses of its status are not to be stored unless they say so.
pub(crate) fn heuristic_lifetime(directives: &ResponseDirectives, head: &ResponseHead) -> Option<Duration> {
    if !directives.public && !is_heuristically_cacheable(head.status) {
        return None;
    }
    let made = date(&head.headers, &DATE).unwrap_or(head.received_at);
    let modified = date(&head.headers, &LAST_MODIFIED)?;
    // In whole seconds, as `Date` has it, so that it is the same when it is asked again.
    let unmodified = Duration::from_secs(made.saturating_since(modified).as_secs());
    Some((unmodified / 10).min(LONGEST_HEURISTIC))
}

/// Returns whether the status is one that RFC 9110, section 15.1, calls heuristically cacheable.
pub(crate) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Returns when a response expires that is fresh for `lifetime` in all; in the past if it came too late.
pub(crate) fn expires_at(head: &ResponseHead, lifetime: Duration) -> Timestamp {
    let age = current_age(head, head.received_at);
    head.received_at.saturating_add(lifetime.saturating_sub(age)).saturating_sub(age.saturating_sub(lifetime))
}

/// Returns how long the response says that it is fresh, if it does (RFC 9111, section 4.2.1).
pub(crate) fn explicit_lifetime(
    directives: &ResponseDirectives,
    head: &ResponseHead,
    is_shared: bool,
) -> Option<Duration> {
    let shared = directives.s_maxage.filter(|_| is_shared);
    shared.or(directives.max_age).or_else(|| {
        if directives.is_targeted {
            return None;
        }
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

/// Returns the date in the value of a field.
fn parse_date(value: &HeaderValue) -> Option<Timestamp> {
    dates::parse(value.to_str().ok()?.trim_matches([' ', '\t']))
}

/// Returns the first value of `Age`, zero if it is not a number (RFC 9111, section 5.1).
fn age_field(headers: &HeaderMap) -> Duration {
    let Some(value) = headers.get(AGE) else { return Duration::ZERO };
    let value = value.as_bytes();
    let first = value.split(|byte| *byte == b',').next().unwrap_or_default();
    crate::cache_control::delta_seconds(first.trim_ascii()).unwrap_or_default()
}
