//! Parts of a representation that are put together (RFC 9111, section 3.4; RFC 9110, section 15.3.7.3).
//!
//! Only a strong entity tag says that two parts are of the same bytes; without one each part stays alone.

use std::ops::Range;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderValue, StatusCode};
use larder_core::ResponseHead;

use super::Policy;
use crate::range::ContentRange;
use crate::validator;

/// A stored part and a new one, put together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Combined {
    /// The head of both: the fields of the new part go before the stored ones. A 200 if nothing is missing, else a 206.
    pub head: ResponseHead,
    /// Which bytes of the stored body come before the new ones.
    pub before: Range<u64>,
    /// Which bytes of the stored body come after the new ones.
    pub after: Range<u64>,
}

impl Policy {
    /// Returns what `stored` and `received` are together, if both are parts of the same representation and overlap or
    /// adjoin.
    #[must_use]
    pub fn combine(&self, stored: &ResponseHead, received: &ResponseHead) -> Option<Combined> {
        if stored.status != StatusCode::PARTIAL_CONTENT || received.status != StatusCode::PARTIAL_CONTENT {
            return None;
        }
        let tags = (validator::strong_tag(&stored.headers)?, validator::strong_tag(&received.headers)?);
        let (old, new) = (ContentRange::of(&stored.headers)?, ContentRange::of(&received.headers)?);
        let complete_len = new.complete_len.or(old.complete_len);
        let is_same = tags.0 == tags.1 && old.complete_len.is_none_or(|len| complete_len == Some(len));
        let adjoins = old.first <= new.last + 1 && new.first <= old.last + 1;
        let together =
            ContentRange { first: old.first.min(new.first), last: old.last.max(new.last), complete_len };
        if !is_same || !adjoins || complete_len.is_some_and(|len| together.last >= len) {
            return None;
        }
        let mut head = received.clone();
        head.created_at = stored.created_at;
        head.headers = self.merged(&stored.headers, &received.headers)?;
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(together.len()));
        if complete_len == Some(together.len()) {
            head.status = StatusCode::OK;
            head.headers.remove(CONTENT_RANGE);
        } else {
            head.headers.insert(CONTENT_RANGE, together.to_value());
        }
        let before = 0..new.first.saturating_sub(old.first);
        let after_start = (new.last + 1).saturating_sub(old.first).min(old.len());
        Some(Combined { head, before, after: after_start..old.len() })
    }
}
