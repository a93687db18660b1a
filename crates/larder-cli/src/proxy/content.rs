//! The content of a request on its way to the origin.
//!
//! What is short is read first: only content that is at hand can be part of what a response is stored under. All else
//! passes through as it comes.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use larder::BoxError;
use larder::client::RequestBody;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use super::origin::OriginFailure;

/// The longest content that is read before the request goes on.
const SHORT: u64 = 64 * 1024;

/// Returns the content of a request for the cache.
///
/// Reading is what tells the client to go on that waits for a 100 (RFC 9110, section 10.1.1). Such content is not read
/// before there is a connection to the origin.
///
/// # Errors
///
/// When content that is read first is malformed, breaks off, or pauses for longer than `limit`.
pub(crate) async fn content(
    mut body: Incoming,
    headers: &HeaderMap,
    limit: Duration,
) -> Result<RequestBody, ContentFailure> {
    if body.is_end_stream() {
        return Ok(RequestBody::empty());
    }
    let is_short = body.size_hint().exact().is_some_and(|len| len <= SHORT);
    if !is_short || headers.contains_key(EXPECT) {
        return Ok(RequestBody::wrap(body));
    }
    let mut content = BytesMut::new();
    while let Some(frame) = timeout(limit, body.frame()).await.map_err(|_| ContentFailure::Late(limit))? {
        let frame = frame.map_err(|error| ContentFailure::broken(&error))?;
        content.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    Ok(content.freeze().into())
}

/// What is wrong with a client's content.
#[derive(Debug, Clone)]
pub(crate) enum ContentFailure {
    /// It is malformed or ends too soon.
    Broken(String),
    Late(Duration),
}

impl ContentFailure {
    fn broken(error: &(dyn Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| (*error).source());
        Self::Broken(causes.last().map(ToString::to_string).unwrap_or_default())
    }
}

impl fmt::Display for ContentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "the content of the request cannot be read: {error}"),
            Self::Late(limit) => {
                write!(
                    f,
                    "no more of the content of the request within {}",
                    humantime::format_duration(*limit)
                )
            }
        }
    }
}

impl Error for ContentFailure {}

/// How far the content of a request is sent.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When the last part was sent.
    last: Instant,
    /// Whether the next is waited for.
    is_wanting: bool,
    /// Why there is no next.
    broken: Option<ContentFailure>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { last: Instant::now(), is_wanting: false, broken: None })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `exchange`, but no longer than `limit` after the last part of the request was sent.
    ///
    /// # Errors
    ///
    /// What the exchange fails with, or, where that is the cause, what is wrong with the content.
    pub(crate) async fn within<T, E: Into<BoxError>>(
        &self,
        limit: Duration,
        mut exchange: impl Future<Output = Result<T, E>> + Unpin,
    ) -> Result<T, BoxError> {
        loop {
            let last = self.state().last;
            let done = timeout_at(last + limit, &mut exchange).await;
            let state = self.state();
            match done {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => return Err(state.broken.clone().map_or_else(|| error.into(), Into::into)),
                Err(_) if state.last > last => {}
                Err(_) if state.is_wanting => return Err(ContentFailure::Late(limit).into()),
                Err(_) => return Err(OriginFailure::Late(limit).into()),
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
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let mut state = self.progress.state();
        state.is_wanting = frame.is_pending();
        if let Poll::Ready(frame) = &frame {
            state.last = Instant::now();
            if let Some(Err(error)) = frame {
                state.broken = Some(ContentFailure::broken(&**error));
            }
        }
        drop(state);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
