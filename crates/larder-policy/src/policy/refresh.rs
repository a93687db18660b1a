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

/// What a response to HEAD says about a stored response to GET (RFC 9111, section 4.3.5).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HeadEffect {
    /// Nothing.
    None,
    /// It is still the one, and this is its new head.
    Refreshed(Box<ResponseHead>),
    /// There is another now.
    Outdated,
}

impl Policy {
    /// Returns the stored head with the fields and the times of `not_modified`, a 304 that was received at `now`.
    ///
    /// `None` if it is not about what is stored: then the request is sent once more without conditions. If what the
    /// 304 says would not have been stored, the head expires at once and may be deleted at once.
    #[must_use]
    pub fn refresh(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        not_modified: &ResponseHead,
        now: Timestamp,
    ) -> Option<ResponseHead> {
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
            Some(head) => HeadEffect::Refreshed(Box::new(head)),
            None => HeadEffect::Outdated,
        }
    }

    /// Returns the head of another variant with the fields and the times of `not_modified`, if that is about it too: it
    /// has the same strong entity tag (RFC 9111, section 4.3.4).
    #[must_use]
    pub fn refresh_variant(
        &self,
        stored: &ResponseHead,
        not_modified: &ResponseHead,
        now: Timestamp,
    ) -> Option<ResponseHead> {
        let tags = (validator::strong_tag(&not_modified.headers)?, validator::strong_tag(&stored.headers)?);
        if tags.0 != tags.1 || not_modified.status != StatusCode::NOT_MODIFIED {
            return None;
        }
        // Nobody asks for it now: its own request is what it was selected by.
        let request = KeyRequest::new(&stored.method, &stored.url).with_headers(&stored.vary_fields);
        let mut head = self.freshened(&request, &RequestOptions::default(), stored, not_modified, now)?;
        head.vary_fields = stored.vary_fields.clone();
        Some(head)
    }

    /// Returns `stored` with the fields and times of `newer`.
    fn freshened(
        &self,
        request: &KeyRequest<'_>,
        options: &RequestOptions,
        stored: &ResponseHead,
        newer: &ResponseHead,
        now: Timestamp,
    ) -> Option<ResponseHead> {
        let mut head = stored.clone();
        head.headers = self.merged(&stored.headers, &newer.headers)?;
        head.requested_at = newer.requested_at;
        head.received_at = newer.received_at;
        let says_no_store = self.response_directives(&head.headers).no_store;
        match self.stored_head(request, options, &head, now) {
            Ok(head) if !says_no_store => Some(head),
            _ => {
                head.expires_at = Some(now);
                head.delete_at = Some(now);
                Some(head)
            }
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
