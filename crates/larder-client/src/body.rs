//! The content of a request: none, bytes that can be sent again, or a stream that can be sent once.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use larder_core::BoxError;
use larder_policy::Content;

/// The content of a request.
///
/// Only content that is at hand as bytes can be part of a cache key, and be sent again after a redirect. A stream
/// passes through with its trailers, and its response is not cached.
///
/// # Examples
///
/// ```
/// use larder_client::RequestBody;
///
/// assert_eq!(RequestBody::from("a=b").as_bytes().map(|bytes| bytes.len()), Some(3));
/// assert!(RequestBody::default().as_bytes().is_some_and(|bytes| bytes.is_empty()));
/// ```
#[derive(Default)]
pub struct RequestBody(Inner);

type DynBody = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>;

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    /// The mutex only makes the type `Sync`; polling goes through `get_mut` and never locks.
    Streamed(Mutex<DynBody>),
}

impl RequestBody {
    /// Returns no content.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// Returns content that can be sent only once.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Inner::Streamed(Mutex::new(Box::pin(Boxed(Box::pin(body))))))
    }

    /// Returns the content, when all of it is at hand.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        static EMPTY: Bytes = Bytes::new();
        match &self.0 {
            Inner::Empty => Some(&EMPTY),
            Inner::Bytes(bytes) => Some(bytes),
            Inner::Streamed(_) => None,
        }
    }

    /// Returns another body of the same content, unless it is streamed.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Inner::Empty => Some(Self::empty()),
            Inner::Bytes(bytes) => Some(Self(Inner::Bytes(bytes.clone()))),
            Inner::Streamed(_) => None,
        }
    }

    /// Returns the content that is left when what can be sent only once was sent.
    pub(crate) fn spent() -> Self {
        Self::wrap(Self::empty())
    }

    /// Returns the content as a key may depend on it.
    pub(crate) fn content(&self) -> Content<'_> {
        match &self.0 {
            Inner::Empty => Content::Empty,
            Inner::Bytes(bytes) => Content::Bytes(bytes),
            Inner::Streamed(_) => Content::Streamed,
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Inner::Empty } else { Inner::Bytes(bytes) })
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for RequestBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for RequestBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inner::Empty => Poll::Ready(None),
            Inner::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Inner::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Inner::Streamed(body) => {
                body.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty => true,
            Inner::Bytes(_) => false,
            Inner::Streamed(body) => body.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Streamed(body) => body.lock().unwrap_or_else(PoisonError::into_inner).size_hint(),
        }
    }
}

impl fmt::Debug for RequestBody {
    /// Shows how long the content is, and not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.content(), f)
    }
}

/// Another body, with its data as [`Bytes`] and its errors boxed.
struct Boxed<B>(Pin<Box<B>>);

impl<B> HttpBody for Boxed<B>
where
    B: HttpBody,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = self.0.as_mut().poll_frame(cx);
        frame.map(|frame| {
            frame.map(|frame| {
                frame
                    .map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
                    .map_err(Into::into)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
