//! Validators: what a stored response can be validated by (RFC 9110, section 8.8).

use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, Method};
use larder_core::Timestamp;

use crate::age::date;

/// An entity tag (RFC 9110, section 8.8.3), with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    pub(crate) is_weak: bool,
    pub(crate) opaque: &'a [u8],
}

/// Returns whether a request of this method may be made conditional; another would fail when the condition holds
/// (RFC 9110, section 13.1.2).
pub(crate) fn may_be_sent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
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
    if values.next().is_some() {
        return None;
    }
    let (is_weak, opaque) = value.strip_prefix(b"W/").map_or((false, value), |opaque| (true, opaque));
    let inner = opaque.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_etagc = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff);
    inner.iter().all(is_etagc).then_some(EntityTag { is_weak, opaque })
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
