//! The content of a request on its way to the origin.
//!
//! What is short is read first: only content that is at hand can be part of what a response is stored under. All else
//! passes through as it comes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use larder::BoxError;
use larder::client::RequestBody;
use tokio::time::{Duration, Instant, timeout_at};

/// The longest content that is read before the request goes on.
const SHORT: u64 = 64 * 1024;

/// Returns the content of a request for the cache.
///
/// Reading is what tells the client to go on that waits for a 100 (RFC 9110, section 10.1.1). Such content is not read
/// before the origin is asked, which may not want it.
pub(crate) async fn content(body: Incoming, headers: &HeaderMap) -> Result<RequestBody, hyper::Error> {
    if body.is_end_stream() {
        return Ok(RequestBody::empty());
    }
    let is_short = body.size_hint().exact().is_some_and(|len| len <= SHORT);
    if is_short && !headers.contains_key(EXPECT) {
        return Ok(body.collect().await?.to_bytes().into());
    }
    Ok(RequestBody::wrap(body))
}

/// When the last part of a request was sent.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `exchange`, but no longer than `limit` after the last part of the request was sent.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        mut exchange: impl Future<Output = T> + Unpin,
    ) -> Option<T> {
        loop {
            let last = self.last();
            match timeout_at(last + limit, &mut exchange).await {
                Ok(done) => return Some(done),
                Err(_) if self.last() > last => {}
                Err(_) => return None,
            }
        }
    }
}

/// Content that notes when it is sent.
pub(crate) struct Sent {
    body: RequestBody,
    progress: Progress,
}

impl Sent {
    pub(crate) fn new(body: RequestBody, progress: Progress) -> Self {
        Self { body, progress }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        *self.progress.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
