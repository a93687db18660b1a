//! One body type for bytes in memory and bytes that are still to come.
//!
//! A body is read once. Whoever gets a [`Body`] may ask for its bytes at once ([`Body::as_bytes`]) and falls
//! back to polling frames; nobody needs two interfaces.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use http_body::{Body as HttpBody, Frame, SizeHint};

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
        Self(Inner::Streamed(Mutex::new(Box::pin(Wrapped { body: Box::pin(body), ended: false }))))
    }

    /// Returns a body of the chunks of `stream`, whose total length is not known.
    pub fn from_stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::wrap(Chunks { stream: Box::pin(stream), remaining: None })
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
        Self::wrap(Chunks { stream: Box::pin(stream), remaining: Some(len) })
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

    /// Returns the next chunk, or `None` at the end.
    ///
    /// A dropped future loses nothing: the chunk is still to come.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Body`], or what the store says, when the bytes cannot be had.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Returns all bytes that are left.
    ///
    /// A buffered body is returned as it is, without a copy. A dropped future loses the body.
    ///
    /// # Errors
    ///
    /// Those of [`Body::chunk`].
    pub async fn bytes(self) -> Result<Bytes> {
        self.bytes_up_to(u64::MAX).await
    }

    /// Returns all bytes that are left, unless they are more than `limit`.
    ///
    /// A dropped future loses the body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] as soon as more than `limit` bytes are known to come, and those of
    /// [`Body::chunk`].
    pub async fn bytes_up_to(mut self, limit: u64) -> Result<Bytes> {
        if self.size_hint().lower() > limit {
            return Err(over(limit));
        }
        let Some(first) = self.chunk_within(0, limit).await? else { return Ok(Bytes::new()) };
        // Most bodies are one chunk, which is returned without a copy.
        let Some(second) = self.chunk_within(first.len(), limit).await? else { return Ok(first) };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk_within(all.len(), limit).await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Returns a body whose bytes were taken and never came back.
    pub(crate) fn lost() -> Self {
        let error = Error::new(ErrorKind::Body, "the body was lost");
        Self::from_stream(stream::iter([Err::<Bytes, Error>(error)]))
    }

    /// Returns the next chunk, unless it and the bytes `read` before it are more than `limit`.
    async fn chunk_within(&mut self, read: usize, limit: u64) -> Result<Option<Bytes>> {
        match self.chunk().await? {
            Some(chunk) if (read + chunk.len()) as u64 > limit => Err(over(limit)),
            chunk => Ok(chunk),
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut *self).poll_frame(cx)) {
                None => Ok(None),
                Some(Err(error)) => Err(error),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) if chunk.is_empty() => continue,
                    Ok(chunk) => Ok(Some(chunk)),
                    Err(_not_data) => continue,
                },
            });
        }
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

fn over(limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, format!("the body is longer than {limit} bytes"))
}

fn into_error(error: impl Into<BoxError>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(ours) => *ours,
        Err(theirs) => {
            Error::new(ErrorKind::Body, format!("the body's source failed: {theirs}")).with_source(theirs)
        }
    }
}

/// Another body, with its data as [`Bytes`], its errors as [`Error`], and its end fused.
struct Wrapped<B> {
    body: Pin<Box<B>>,
    /// Whether its end or an error was seen; the other body may panic when it is polled after that.
    ended: bool,
}

impl<B> HttpBody for Wrapped<B>
where
    B: HttpBody,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            return Poll::Ready(match ready!(self.body.as_mut().poll_frame(cx)) {
                None => {
                    self.ended = true;
                    None
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(mut data) => Some(Ok(Frame::data(data.copy_to_bytes(data.remaining())))),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    self.ended = true;
                    Some(Err(into_error(error)))
                }
            });
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.ended { SizeHint::with_exact(0) } else { self.body.size_hint() }
    }
}

/// A stream of chunks as a body; `remaining` is what it still owes when its length was promised.
struct Chunks<S> {
    stream: Pin<Box<S>>,
    remaining: Option<u64>,
}

impl<S, D, E> HttpBody for Chunks<S>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Bytes>,
    E: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let next = ready!(self.stream.as_mut().poll_next(cx));
        Poll::Ready(match (next, self.remaining) {
            (Some(Err(error)), _) => Some(Err(into_error(error))),
            (None, None | Some(0)) => None,
            (None, Some(missing)) => {
                Some(Err(Error::new(ErrorKind::Body, format!("the body ended {missing} bytes early"))))
            }
            (Some(Ok(chunk)), None) => Some(Ok(Frame::data(chunk.into()))),
            (Some(Ok(chunk)), Some(remaining)) => {
                let chunk = chunk.into();
                Some(if let Some(rest) = remaining.checked_sub(chunk.len() as u64) {
                    self.remaining = Some(rest);
                    Ok(Frame::data(chunk))
                } else {
                    Err(Error::new(ErrorKind::Body, "the body is longer than its length says"))
                })
            }
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use futures_util::{FutureExt, StreamExt};

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, BoxError>> + use<> {
        stream::iter(parts.iter().map(|part| Ok(Bytes::from(*part))).collect::<Vec<_>>())
    }

    #[test]
    fn a_streamed_body_gives_its_bytes_in_order() {
        assert_eq!(block_on(Body::from_stream(chunks(&["a", "", "bc", "d"])).bytes()).expect("read"), "abcd");
        assert_eq!(block_on(Body::from_stream(chunks(&[])).bytes()).expect("read"), "");
    }

    #[test]
    fn a_body_that_breaks_its_promised_length_fails() {
        for (parts, len) in [(&["abc"][..], 4), (&["abc", "de"], 4)] {
            let error =
                block_on(Body::from_sized_stream(chunks(parts), len).bytes()).expect_err("wrong length");
            assert_eq!(error.kind(), ErrorKind::Body);
        }
        let whole = Body::from_sized_stream(chunks(&["abc", "d"]), 4);
        assert_eq!(whole.exact_len(), Some(4));
        assert_eq!(block_on(whole.bytes()).expect("right length"), "abcd");
    }

    #[test]
    fn a_limit_is_exact() {
        assert_eq!(block_on(Body::from("abcd").bytes_up_to(4)).expect("at the limit"), "abcd");
        for body in [Body::from("abcde"), Body::from_stream(chunks(&["ab", "cd", "e"]))] {
            assert_eq!(block_on(body.bytes_up_to(4)).expect_err("over").kind(), ErrorKind::TooLarge);
        }
    }

    #[test]
    fn a_limit_is_noticed_with_the_chunk_that_exceeds_it() {
        for parts in [&["abcde"][..], &["ab", "cde"], &["ab", "c", "de"]] {
            let body = Body::from_stream(chunks(parts).chain(stream::pending()));
            let error = body.bytes_up_to(4).now_or_never().expect("no chunk more is waited for");
            assert_eq!(error.expect_err("over").kind(), ErrorKind::TooLarge, "{parts:?}");
        }
    }

    #[test]
    fn nothing_follows_the_end() {
        // An exhausted `unfold` panics when it is polled again.
        let once = |first: bool| async move { first.then(|| (Ok::<_, BoxError>("a"), false)) };
        let mut body = Body::from_stream(stream::unfold(true, once));
        assert_eq!(block_on(body.chunk()).expect("first"), Some(Bytes::from("a")));
        assert!(!body.is_end_stream());
        for _ in 0..3 {
            assert_eq!(block_on(body.chunk()).expect("the end"), None);
            assert!(body.is_end_stream());
            assert_eq!(body.exact_len(), Some(0));
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        let parts: Vec<Result<&'static str, std::io::Error>> =
            vec![Ok("a"), Err(std::io::Error::other("gone")), Ok("b")];
        let mut body = Body::from_stream(stream::iter(parts.into_iter().map(|part| part.map(Bytes::from))));
        assert_eq!(block_on(body.chunk()).expect("first"), Some(Bytes::from("a")));
        assert_eq!(block_on(body.chunk()).expect_err("second").kind(), ErrorKind::Body);
        assert_eq!(block_on(body.chunk()).expect("fused"), None);
    }

    #[test]
    fn a_body_is_send_and_sync() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Body>();
    }
}
