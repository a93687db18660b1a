//! Some of a body's bytes.
//!
//! A slice has as many bytes as were asked for, or it fails: it is never shorter.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::source::early;
use crate::{Body, Error, Result};

impl Body {
    /// Returns a body of the bytes in `range`, counted from the next byte of this one.
    ///
    /// A buffered body is sliced without a copy, and stays buffered. A streamed one is read as the slice is: what
    /// is before the range is passed over, no more than one chunk is held, and with the last byte of the range
    /// the source is dropped, wherever it is. A range that ends at its start or before it has no bytes, and
    /// nothing is read for it.
    ///
    /// The length of a slice is always known ([`Body::exact_len`]). Should this body end before the range does,
    /// the slice fails with [`ErrorKind::Body`]: at once if that is known already, else where this body ends.
    ///
    /// [`ErrorKind::Body`]: crate::ErrorKind::Body
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::Body;
    ///
    /// let slice = Body::from("hello").slice(1..4);
    /// assert_eq!(slice.as_bytes().expect("buffered").as_ref(), b"ell");
    /// ```
    #[must_use]
    pub fn slice(self, range: Range<u64>) -> Self {
        if range.is_empty() {
            return Self::empty();
        }
        match self.size_hint().upper() {
            Some(len) if len < range.end => return Self::failed(early(range.end - len)),
            _ => {}
        }
        match self.as_bytes().and_then(|bytes| slice_bytes(bytes, &range)) {
            Some(bytes) => bytes.into(),
            None => Self::wrap(Slice {
                skipped: range.start,
                remaining: range.end - range.start,
                source: Some(self),
            }),
        }
    }
}

/// Returns the bytes in `range`, or `None` if `bytes` has not all of them.
fn slice_bytes(bytes: &Bytes, range: &Range<u64>) -> Option<Bytes> {
    let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    bytes.get(start..end).map(|slice| bytes.slice_ref(slice))
}

/// A range of a streamed body.
struct Slice {
    /// `None` when nothing more is wanted of it.
    source: Option<Body>,
    /// How many bytes are before the range, still.
    skipped: u64,
    /// How many bytes of the range are still to be handed out; zero only without a source.
    remaining: u64,
}

impl Slice {
    /// Returns what of `chunk`, the next one of the source, is in the range.
    fn take(&mut self, mut chunk: Bytes) -> Bytes {
        let before = within(self.skipped, chunk.len());
        chunk.advance(before);
        self.skipped -= before as u64;
        chunk.truncate(within(self.remaining, chunk.len()));
        self.remaining -= chunk.len() as u64;
        if self.remaining == 0 {
            self.source = None;
        }
        chunk
    }
}

/// Returns `count`, or `len` if that is less.
fn within(count: u64, len: usize) -> usize {
    usize::try_from(count).map_or(len, |count| count.min(len))
}

impl HttpBody for Slice {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        while let Some(source) = &mut self.source {
            let Some(chunk) = ready!(source.poll_chunk(cx)?) else {
                self.source = None;
                return Poll::Ready(Some(Err(early(self.skipped + self.remaining))));
            };
            let chunk = self.take(chunk);
            if !chunk.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::body::testing::{chunks, drop_noticed, streamed};
    use futures_executor::block_on;
    use futures_util::{FutureExt, StreamExt, stream};
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_buffered_body_is_sliced_where_it_is() {
        let bytes = Bytes::from_static(b"abcdef");
        let slice = Body::from(bytes.clone()).slice(2..5);
        let sliced = slice.as_bytes().expect("still buffered");
        assert_eq!((sliced.as_ref(), sliced.as_ptr()), (&b"cde"[..], bytes[2..].as_ptr()));
    }

    #[test]
    fn a_slice_counts_from_the_next_byte() {
        let mut body = Body::from_stream(chunks(&["ab", "cd", "ef"]));
        assert_eq!(block_on(body.chunk()).expect("read"), Some(Bytes::from("ab")));
        assert_eq!(block_on(body.slice(1..3).bytes()).expect("read"), "de");
    }

    #[test]
    fn a_range_that_the_body_is_known_not_to_have_fails_at_once() {
        let sized = || Body::from_sized_stream(chunks(&["ab", "cd"]), 4);
        for (body, range) in [(Body::from("abcd"), 3..5), (Body::from("abcd"), 9..10), (sized(), 3..5)] {
            let error = block_on(body.slice(range).chunk()).expect_err("too short");
            assert_eq!(error.kind(), ErrorKind::Body);
        }
        assert_eq!(
            block_on(Body::from("abcd").slice(4..u64::MAX).chunk()).expect_err("too short").kind(),
            ErrorKind::Body
        );
    }

    #[test]
    fn a_body_that_ends_within_the_range_fails_there() {
        let mut slice = Body::from_stream(chunks(&["ab", "cd"])).slice(1..6);
        assert_eq!(slice.exact_len(), Some(5));
        assert_eq!(block_on(slice.chunk()).expect("read"), Some(Bytes::from("b")));
        assert_eq!(block_on(slice.chunk()).expect("read"), Some(Bytes::from("cd")));
        assert_eq!(slice.exact_len(), Some(2));
        let error = block_on(slice.chunk()).expect_err("too short");
        assert_eq!((error.kind(), error.to_string().contains("2 bytes early")), (ErrorKind::Body, true));
        assert_eq!(block_on(slice.chunk()).expect("fused"), None);
    }

    #[test]
    fn the_error_of_the_source_is_the_slices() {
        let failing = stream::iter([Ok(Bytes::from("ab")), Err(Error::new(ErrorKind::Corrupt, "rotten"))]);
        let error = block_on(Body::from_stream(failing).slice(0..3).bytes()).expect_err("rotten");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn an_empty_range_reads_nothing() {
        #[expect(clippy::reversed_empty_ranges, reason = "it has no bytes either")]
        for range in [0..0, 7..7, 5..2] {
            let (source, dropped) = drop_noticed(stream::pending());
            let slice = Body::from_stream(source).slice(range);
            assert_eq!(slice.exact_len(), Some(0));
            assert!(slice.is_end_stream() && dropped());
        }
    }

    #[test]
    fn the_source_is_dropped_with_the_last_byte_of_the_range() {
        let (source, dropped) = drop_noticed(chunks(&["ab", "cd", "ef"]).chain(stream::pending()));
        let mut slice = Body::from_stream(source).slice(1..4);
        assert_eq!(block_on(slice.chunk()).expect("read"), Some(Bytes::from("b")));
        assert!(!slice.is_end_stream() && !dropped());
        assert_eq!(block_on(slice.chunk()).expect("read"), Some(Bytes::from("cd")));
        assert!(slice.is_end_stream() && dropped());
        assert_eq!(slice.chunk().now_or_never().expect("the end is known").expect("no error"), None);
    }

    proptest! {
        #[test]
        fn a_slice_of_chained_chunks_is_the_slice_of_their_bytes(
            bodies in vec((vec(vec(any::<u8>(), 0..9), 0..5), 0..3_u8), 0..5),
            start in 0..60_u64,
            len in 0..60_u64,
        ) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|(chunks, _)| chunks.concat()).collect();
            let chained = bodies.iter().map(|(chunks, kind)| streamed(chunks, *kind)).fold(Body::empty(), Body::chain);
            let end = start + len;
            let expected = bytes.get(usize::try_from(start)?..usize::try_from(end)?);
            let slice = chained.slice(start..end);
            match (expected, len) {
                (_, 0) => prop_assert_eq!(block_on(slice.bytes())?, Bytes::new()),
                (Some(expected), _) => {
                    prop_assert_eq!(slice.exact_len(), Some(len));
                    prop_assert_eq!(block_on(slice.bytes())?, expected);
                }
                (None, _) => prop_assert_eq!(block_on(slice.bytes()).expect_err("short").kind(), ErrorKind::Body),
            }
        }
    }
}
