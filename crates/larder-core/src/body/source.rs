//! Where streamed bytes come from: another body, or a stream of chunks.
//!
//! Whatever the source does, nothing is asked of it after its end or an error.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::{BoxError, Error, ErrorKind, Result};

/// Another body, with its data as [`Bytes`], its errors as [`Error`], and its end fused.
pub(super) struct Wrapped<B> {
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

impl<B> Wrapped<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body: Box::pin(body), ended: false }
    }
}

/// A stream of chunks as a body; `remaining` is what it still owes when its length was promised.
pub(super) struct Chunks<S> {
    stream: Pin<Box<S>>,
    remaining: Option<u64>,
}

impl<S> Chunks<S> {
    pub(super) fn new(stream: S, remaining: Option<u64>) -> Self {
        Self { stream: Box::pin(stream), remaining }
    }
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
            (None, Some(missing)) => Some(Err(early(missing))),
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

/// The error of a body that owes `missing` bytes at its end.
pub(super) fn early(missing: u64) -> Error {
    Error::new(ErrorKind::Body, format!("the body ended {missing} bytes early"))
}

fn into_error(error: impl Into<BoxError>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(ours) => *ours,
        Err(theirs) => {
            Error::new(ErrorKind::Body, format!("the body's source failed: {theirs}")).with_source(theirs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;
    use crate::body::testing::chunks;
    use futures_executor::block_on;
    use futures_util::stream;

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
}
