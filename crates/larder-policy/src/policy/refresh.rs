//! What a 304 makes of the stored head (RFC 9111, sections 3.2 and 4.3.4).

use http::StatusCode;
use http::header::{AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use larder_core::{ResponseHead, Timestamp};

use super::Policy;
use crate::cache_control::ResponseDirectives;
use crate::fields::hop_by_hop;
use crate::{KeyRequest, RequestOptions, validator};

/// What describes the stored body, which a 304 does not send again.
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE];

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
        let mut head = stored.clone();
        head.headers = self.merged(&stored.headers, &not_modified.headers)?;
        head.requested_at = not_modified.requested_at;
        head.received_at = not_modified.received_at;
        let says_no_store = ResponseDirectives::of(&head.headers).no_store && self.0.cache_control;
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
    fn merged(&self, stored: &HeaderMap, not_modified: &HeaderMap) -> Option<HeaderMap> {
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
