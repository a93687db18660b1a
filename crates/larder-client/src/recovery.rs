//! A stored body that cannot be read to its end is completed by the origin.
//!
//! Short bodies are read whole before they are used. Of a long one a part may have been handed out when the store
//! turns out to have lost the rest; only the same representation may follow, which a strong entity tag tells.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use larder_core::{Body, Error, ErrorKind, ResponseHead, Result};
use larder_policy::{canonical_url, stored_range};

use crate::guard::Guard;
use crate::{Origin, RequestBody, request};

/// Where the rest of a body can be had, should the store not have it.
pub(crate) struct Recovery {
    origin: Box<dyn Origin>,
    request: Request<RequestBody>,
    entity_tag: HeaderValue,
    /// Which bytes of the representation the stored body has, if these are not all.
    part: Option<Range<u64>>,
}

/// A stored body on its way to the caller.
struct Reading {
    guard: Guard,
    body: Body,
    /// What was taken from the body and is to be handed out before the rest of it.
    taken: Option<Bytes>,
    /// How much has been handed out.
    position: u64,
    recovery: Option<Recovery>,
    /// Whether the rest comes from the origin.
    is_recovered: bool,
}

impl Recovery {
    /// Returns the recovery of the stored response with `head` to `request`, if there can be one.
    pub(crate) fn new(
        origin: &dyn Origin,
        request: &Request<RequestBody>,
        head: &ResponseHead,
    ) -> Option<Self> {
        let entity_tag = strong_entity_tag(&head.headers)?.clone();
        // An entity tag is one of its URL, and a key may be that of several.
        let is_same_url = canonical_url(request.uri()) == canonical_url(&head.url);
        let part = stored_range(head);
        let is_known = head.status == StatusCode::OK || part.is_some();
        let is_plain = *request.method() == Method::GET && request.body().as_bytes()?.is_empty();
        if !is_known || !is_plain || !is_same_url {
            return None;
        }
        let mut again = request::with_body(request, RequestBody::empty());
        request::ask_for_whole(again.headers_mut());
        Some(Self { origin: origin.detached()?, request: again, entity_tag, part })
    }

    /// Returns the body from `position` on, if the origin still has it (RFC 9110, sections 13.1.5 and 14.2).
    async fn resume(mut self, position: u64) -> Option<Body> {
        let start = self.part.as_ref().map_or(0, |part| part.start) + position;
        let last = self.part.as_ref().map_or_else(String::new, |part| (part.end - 1).to_string());
        let range = HeaderValue::try_from(format!("bytes={start}-{last}")).ok()?;
        self.request.headers_mut().insert(RANGE, range);
        self.request.headers_mut().insert(IF_RANGE, self.entity_tag.clone());
        let response = self.origin.send(self.request).await.ok()?;
        if strong_entity_tag(response.headers()) != Some(&self.entity_tag) {
            return None;
        }
        let body = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
                range.starts_with(&format!("bytes {start}-")).then(|| response.into_body())?
            }
            StatusCode::OK => skip(response.into_body(), start).await?,
            _ => return None,
        };
        Some(match self.part {
            Some(part) => body.slice(0..part.end - start),
            None => body,
        })
    }
}

/// Returns `body`, whose store must not panic, nor be waited for too long; `None` if it does not even begin.
pub(crate) async fn read(guard: Guard, mut body: Body, recovery: Option<Recovery>) -> Option<Body> {
    if body.as_bytes().is_some() {
        return Some(body);
    }
    let len = body.exact_len();
    let first = match next_chunk(&guard, &mut body).await {
        Ok(Some(first)) => first,
        Ok(None) => return Some(Body::empty()),
        Err(error) => {
            guard.give_up("read the body", &error);
            return None;
        }
    };
    let reading = Reading { guard, body, taken: Some(first), position: 0, recovery, is_recovered: false };
    let chunks = stream::try_unfold(reading, async |mut reading| {
        let chunk = reading.next().await?;
        Ok::<_, Error>(chunk.map(|chunk| (chunk, reading)))
    });
    Some(match len {
        Some(len) => Body::from_sized_stream(chunks, len),
        None => Body::from_stream(chunks),
    })
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let chunk = match self.take().await {
            Err(error) if !self.is_recovered => {
                self.guard.give_up("read the body", &error);
                let Some(recovery) = self.recovery.take() else { return Err(error) };
                self.body = recovery.resume(self.position).await.ok_or(error)?;
                self.is_recovered = true;
                self.take().await?
            }
            taken => taken?,
        };
        self.position += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// Returns what comes next from where the body comes from now; only a store is not waited for too long.
    async fn take(&mut self) -> Result<Option<Bytes>> {
        match self.taken.take() {
            Some(taken) => Ok(Some(taken)),
            None if self.is_recovered => self.body.chunk().await,
            None => next_chunk(&self.guard, &mut self.body).await,
        }
    }
}

async fn next_chunk(guard: &Guard, body: &mut Body) -> Result<Option<Bytes>> {
    let failed = || Error::new(ErrorKind::Unavailable, "the store does not give the body");
    guard.run("read the body", body.chunk()).await.unwrap_or_else(|| Err(failed()))
}

/// Returns what follows the first `len` bytes of `body`, if it has as many.
async fn skip(mut body: Body, mut len: u64) -> Option<Body> {
    while len > 0 {
        let chunk = body.chunk().await.ok()??;
        match usize::try_from(len) {
            Ok(within) if within < chunk.len() => return Some(Body::from(chunk.slice(within..)).chain(body)),
            _ => len -= chunk.len() as u64,
        }
    }
    Some(body)
}

/// Returns the entity tag, if it is one that only the same bytes have (RFC 9110, section 8.8.3).
fn strong_entity_tag(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
}
