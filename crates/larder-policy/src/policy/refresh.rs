//! What a 304 makes of the stored head (RFC 9111, sections 3.2 and 4.3.4).

use http::StatusCode;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderName, LAST_MODIFIED, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::fields::hop_by_hop;
use crate::{KeyRequest, RequestOptions, validator};

/// What describes the stored body, which a 304 does not send again.
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE];

/// A stored head with the fields and times of a newer response, and what becomes of what is stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Refreshed {
    /// The head of the answer.
    pub head: ResponseHead,
    /// What becomes of what is stored.
    pub upkeep: Upkeep,
}

/// What becomes of a stored response that was validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Upkeep {
    /// It has the new head.
    Replace,
    /// It stays as it is: the new head is for this request alone (RFC 9111, section 3.5).
    Leave,
    /// It is deleted: it is not to be stored any more.
    Delete,
}

/// What a response to HEAD says about a stored response to GET (RFC 9111, section 4.3.5).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HeadEffect {
    /// Nothing.
    None,
    /// It is still the one, and this is its new head.
    Refreshed(Box<ResponseHead>),
    /// There is another now, or it is not to be stored any more.
    Outdated,
}

impl Policy {
    /// Returns the stored head with the fields and the times of `not_modified`, a 304 that was received at `now`.
    ///
    /// `None` if it is not about what is stored: then the request is sent once more without conditions.
    #[must_use]
    pub fn refresh(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        not_modified: &ResponseHead,
        now: Timestamp,
    ) -> Option<Refreshed> {
        if not_modified.status != StatusCode::NOT_MODIFIED
            || !validator::validates(&not_modified.headers, &stored.headers)
        {
            return None;
        }
        self.freshened(request, options, stored, not_modified, now)
    }

    /// Returns what `response`, a response to the HEAD `request`, received at `now`, says about `stored`, the response to
    /// GET that would have been selected, whose body has `body_len` bytes.
    #[must_use]
    pub fn refresh_by_head(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        body_len: u64,
        response: &ResponseHead,
        now: Timestamp,
    ) -> HeadEffect {
        let has_changed_body = self.is_selected(request, stored) && stored.status == StatusCode::OK;
        if response.status != StatusCode::OK || !has_changed_body {
            return HeadEffect::None;
        }
        let is_same = |name: &HeaderName| {
            response.headers.get(name).is_none_or(|value| stored.headers.get(name) == Some(value))
        };
        let len =
            response.headers.get(CONTENT_LENGTH).map(|len| len.as_bytes() == body_len.to_string().as_bytes());
        if !is_same(&ETAG) || !is_same(&LAST_MODIFIED) || len == Some(false) {
            return HeadEffect::Outdated;
        }
        match self.freshened(request, options, stored, response, now) {
            Some(Refreshed { head, upkeep: Upkeep::Replace }) => HeadEffect::Refreshed(Box::new(head)),
            Some(Refreshed { upkeep: Upkeep::Leave, .. }) => HeadEffect::None,
            Some(Refreshed { upkeep: Upkeep::Delete, .. }) | None => HeadEffect::Outdated,
        }
    }

    /// Returns the head of another stored response with the fields and the times of `not_modified`, if that is about it
    /// too: it could have been chosen for `request`, and has the same strong entity tag (RFC 9111, section 4.3.4).
    #[must_use]
    pub fn refresh_variant(
        &self,
        request: &KeyRequest<'_>,
        stored: &ResponseHead,
        not_modified: &ResponseHead,
        now: Timestamp,
    ) -> Option<ResponseHead> {
        let tags = (validator::strong_tag(&not_modified.headers)?, validator::strong_tag(&stored.headers)?);
        let sets_cookie = not_modified.headers.contains_key(SET_COOKIE);
        if tags.0 != tags.1
            || not_modified.status != StatusCode::NOT_MODIFIED
            || !self.matches_vary(request, stored)
            || sets_cookie
        {
            return None;
        }
        // Nobody asks for it now: its own request is what it was selected by.
        let request = KeyRequest::new(&stored.method, &stored.url).with_headers(&stored.vary_fields);
        let refreshed = self.freshened(&request, &RequestOptions::default(), stored, not_modified, now)?;
        let mut head = Some(refreshed).filter(|refreshed| refreshed.upkeep == Upkeep::Replace)?.head;
        head.vary_fields.clone_from(&stored.vary_fields);
        Some(head)
    }

    /// Returns `stored` with the fields and times of `newer`, which was a response to `request`.
    fn freshened(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        newer: &ResponseHead,
        now: Timestamp,
    ) -> Option<Refreshed> {
        let mut head = stored.clone();
        head.headers = self.merged(&stored.headers, &newer.headers)?;
        head.requested_at = newer.requested_at;
        head.received_at = newer.received_at;
        if self.response_directives(&head.headers).forbids_storing() {
            return Some(Refreshed { head, upkeep: Upkeep::Delete });
        }
        match self.stored_head(request, options, &head, now) {
            Ok(head) => {
                let is_for_all = self.check_shared(request, &head).is_ok();
                let upkeep = if is_for_all { Upkeep::Replace } else { Upkeep::Leave };
                Some(Refreshed { head, upkeep })
            }
            Err(_) => Some(Refreshed { head, upkeep: Upkeep::Delete }),
        }
    }

    /// Returns the stored fields, each replaced that is in the 304 and does not describe the body or the connection.
    pub(super) fn merged(&self, stored: &HeaderMap, not_modified: &HeaderMap) -> Option<HeaderMap> {
        let mut kept = hop_by_hop(not_modified);
        kept.extend(OF_THE_BODY);
        if self.0.is_shared {
            kept.push(SET_COOKIE);
        }
        let mut merged = stored.clone();
        // They were about the response that was received then.
        merged.remove(AGE);
        merged.remove(DATE);
        for name in not_modified.keys().filter(|name| !kept.contains(name)) {
            merged.remove(name);
            for value in not_modified.get_all(name) {
                append(&mut merged, name, value)?;
            }
        }
        Some(merged)
    }
}

/// Appends the field, if the map is not full.
fn append(headers: &mut HeaderMap, name: &HeaderName, value: &HeaderValue) -> Option<()> {
    headers.try_append(name.clone(), value.clone()).ok().map(|_| ())
}
