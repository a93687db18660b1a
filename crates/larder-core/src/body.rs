//! One body type for bytes in memory and bytes that are still to come.
//!
//! A body is read once. Whoever gets a [`Body`] may ask for its bytes at once ([`Body::as_bytes`]) and falls
//! back to polling frames; nobody needs two interfaces.

mod chain;
mod read;
mod slice;
mod source;
#[cfg(test)]
mod testing;

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use http_body::{Body as HttpBody, Frame, SizeHint};

use self::source::{Chunks, Wrapped};
use crate::{BoxError, Error, ErrorKind, Result};

/// The body of a response: buffered or streamed.
///
/// It implements [`http_body::Body`]. Its frames are data frames only: trailers are not kept. Its errors are
/// of [`ErrorKind::Body`] unless the source gave an [`Error`] of its own, and nothing follows an error.
///
/// # Examples
///
/// ```
/// use larder_core::Body;
///
/// let body = Body::from("hello");
/// assert_eq!(body.exact_len(), Some(5));
/// assert_eq!(body.as_bytes().expect("buffered").as_ref(), b"hello");
/// ```
pub struct Body(Inner);

type DynBody = Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send>>;

enum Inner {
    Buffered(Bytes),
    /// The mutex only makes the type `Sync`; polling goes through `get_mut` and never locks.
    Streamed(Mutex<DynBody>),
}

impl Body {
    /// Returns a body of no bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Inner::Buffered(Bytes::new()))
    }

    /// Returns a body that streams another one's data frames; trailers are dropped.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Inner::Streamed(Mutex::new(Box::pin(Wrapped::new(body)))))
    }

    /// Returns a body of the chunks of `stream`, whose total length is not known.
    pub fn from_stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::wrap(Chunks::new(stream, None))
    }

    /// Returns a body of the chunks of `stream`, which are `len` bytes in all.
    ///
    /// Should the stream end before or go on beyond `len`, the body fails with [`ErrorKind::Body`].
    pub fn from_sized_stream<S, D, E>(stream: S, len: u64) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::wrap(Chunks::new(stream, Some(len)))
    }

    /// Returns the bytes that are left, when all of them are in memory.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Buffered(bytes) => Some(bytes),
            Inner::Streamed(_) => None,
        }
    }

    /// Returns how many bytes are left, when that is known.
    #[must_use]
    pub fn exact_len(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// Returns a body whose bytes were taken and never came back.
    pub(crate) fn lost() -> Self {
        Self::failed(Error::new(ErrorKind::Body, "the body was lost"))
    }

    /// Returns a body that has nothing but `error` to give.
    fn failed(error: Error) -> Self {
        Self::from_stream(stream::iter([Err::<Bytes, Error>(error)]))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        match &mut self.0 {
            Inner::Buffered(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Buffered(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Streamed(body) => {
                body.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Buffered(bytes) => bytes.is_empty(),
            Inner::Streamed(body) => body.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Buffered(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Streamed(body) => body.lock().unwrap_or_else(PoisonError::into_inner).size_hint(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Buffered(bytes) => write!(f, "Body(buffered, {} bytes)", bytes.len()),
            Inner::Streamed(_) => match self.exact_len() {
                Some(len) => write!(f, "Body(streamed, {len} bytes)"),
                None => f.write_str("Body(streamed)"),
            },
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Buffered(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_send_and_sync() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Body>();
    }
}
