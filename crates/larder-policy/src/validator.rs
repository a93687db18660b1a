//! Validators: what a stored response can be validated by (RFC 9110, section 8.8).

use std::time::Duration;

use http::header::{DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED};
use http::{HeaderMap, Method};
use larder_core::Timestamp;

use crate::age::date;
use crate::fields::trimmed;

/// An entity tag (RFC 9110, section 8.8.3), with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    pub(crate) is_weak: bool,
    pub(crate) opaque: &'a [u8],
}

/// Returns whether a request of this method is made conditional: one that is not to read would fail when the condition
/// holds (RFC 9110, section 13.1.2), and HEAD has no content to save.
pub(crate) fn may_be_sent(method: &Method) -> bool {
    *method == Method::GET
}

/// Returns whether a response to `method` with these fields can be validated.
pub(crate) fn is_there(method: &Method, headers: &HeaderMap) -> bool {
    may_be_sent(method) && (entity_tag(headers).is_some() || last_modified(headers).is_some())
}

/// Returns the entity tag, if there is one that is well-formed, and no other.
///
/// What is malformed is not sent back: an origin would take `*` for any representation, and a comma for the end of
/// the tag.
pub(crate) fn entity_tag(headers: &HeaderMap) -> Option<EntityTag<'_>> {
    let mut values = headers.get_all(ETAG).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() { None } else { parse_tag(trimmed(value)) }
}

/// Returns the entity tag, if it is one that only the same bytes have.
pub(crate) fn strong_tag(headers: &HeaderMap) -> Option<EntityTag<'_>> {
    entity_tag(headers).filter(|tag| !tag.is_weak)
}

fn parse_tag(value: &[u8]) -> Option<EntityTag<'_>> {
    let (is_weak, opaque) = value.strip_prefix(b"W/").map_or((false, value), |opaque| (true, opaque));
    let inner = opaque.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_etagc = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff);
    inner.iter().all(is_etagc).then_some(EntityTag { is_weak, opaque })
}

/// Returns whether a request with these fields finds that what it has is still valid, asked of a response with `stored`
/// that came at `received_at` (RFC 9110, section 13.2.2; RFC 9111, section 4.3.2).
///
/// `None` if it asks for nothing of the kind.
pub(crate) fn is_not_modified(
    request: &HeaderMap,
    stored: &HeaderMap,
    received_at: Timestamp,
) -> Option<bool> {
    if request.contains_key(IF_NONE_MATCH) {
        let tag = entity_tag(stored);
        return Some(request.get_all(IF_NONE_MATCH).iter().any(|line| {
            line.as_bytes().trim_ascii() == b"*"
                || tag.is_some_and(|tag| tags(line.as_bytes()).any(|other| other.opaque == tag.opaque))
        }));
    }
    let since = date(request, &IF_MODIFIED_SINCE)?;
    // Where the origin does not say when it was modified, it was when the response was made.
    let modified = last_modified(stored).or_else(|| date(stored, &DATE)).unwrap_or(received_at);
    Some(modified <= since)
}

/// Returns whether `If-Range` lets a part of the response with `stored` be sent; without that field it may be
/// (RFC 9110, section 13.1.5).
pub(crate) fn is_same_range(request: &HeaderMap, stored: &HeaderMap) -> bool {
    let mut lines = request.get_all(IF_RANGE).iter();
    let Some(line) = lines.next() else { return true };
    if lines.next().is_some() {
        return false;
    }
    let condition = trimmed(line.as_bytes());
    if let Some(tag) = parse_tag(condition) {
        return strong_tag(stored) == Some(tag);
    }
    // A date is a strong validator if the response was made a while after it (RFC 9110, section 8.8.2.2).
    let (Some(modified), Some(made)) = (last_modified(stored), date(stored, &DATE)) else { return false };
    date(request, &IF_RANGE) == Some(modified) && made.saturating_since(modified) >= Duration::from_mins(1)
}

/// Returns the entity tags of a list; what cannot be read between them is none.
fn tags(mut list: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    std::iter::from_fn(move || {
        loop {
            while let [b' ' | b'\t' | b',', rest @ ..] = list {
                list = rest;
            }
            let start = list.iter().position(|byte| *byte == b'"')?;
            let len = list[start + 1..].iter().position(|byte| *byte == b'"')?;
            let (tag, rest) = list.split_at(start + len + 2);
            list = rest;
            if let Some(tag) = parse_tag(tag) {
                return Some(tag);
            }
        }
    })
}

/// Returns the date of the last modification, if it is one.
pub(crate) fn last_modified(headers: &HeaderMap) -> Option<Timestamp> {
    date(headers, &LAST_MODIFIED)
}

/// Returns whether a 304 with these fields is about the stored response (RFC 9111, section 4.3.4).
///
/// One without a validator is taken for the answer to the condition that was sent.
pub(crate) fn validates(not_modified: &HeaderMap, stored: &HeaderMap) -> bool {
    if not_modified.contains_key(ETAG) {
        let tags = (entity_tag(not_modified), entity_tag(stored));
        return match tags {
            (Some(new), Some(old)) if new.is_weak => new.opaque == old.opaque,
            (Some(new), Some(old)) => new == old,
            _ => {
                // A tag on one side alone, or an unreadable one, says nothing: the date must.
                let dates = (last_modified(not_modified), last_modified(stored));
                !stored.contains_key(ETAG) && matches!(dates, (Some(new), Some(old)) if new == old)
            }
        };
    }
    match (last_modified(not_modified), last_modified(stored)) {
        (Some(new), Some(old)) => new == old,
        _ => true,
    }
}
