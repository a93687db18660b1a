//! Two bodies, one after the other.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::{Body, Error, Result};

impl Body {
    /// Returns a body of the bytes of this one, and then those of `next`.
    ///
    /// Nothing is copied: the chunks are those of the two bodies. `next` is not polled before this body has ended,
    /// and this one is dropped then; the error of either is the last that is heard of both. The length is
    /// known ([`Body::exact_len`]) when both are. An empty buffered body leaves the other as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::Body;
    ///
    /// let body = Body::from("stored, ").chain(Body::from("fetched"));
    /// assert_eq!(body.exact_len(), Some(15));
    /// ```
    #[must_use]
    pub fn chain(self, next: Self) -> Self {
        match (self.as_bytes(), next.as_bytes()) {
            (Some(none), _) if none.is_empty() => next,
            (_, Some(none)) if none.is_empty() => self,
            _ => Self::wrap(Chain { first: Some(self), next }),
        }
    }
}

/// A body that goes on with another.
struct Chain {
    /// `None` once it has ended.
    first: Option<Body>,
    next: Body,
}

impl HttpBody for Chain {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(first) = &mut self.first {
            if let Some(frame) = ready!(Pin::new(first).poll_frame(cx)) {
                return Poll::Ready(Some(frame));
            }
            self.first = None;
        }
        Pin::new(&mut self.next).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.first.as_ref().is_none_or(HttpBody::is_end_stream) && self.next.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (first, next) = (self.first.as_ref().map(HttpBody::size_hint), self.next.size_hint());
        let Some(first) = first else { return next };
        let mut both = SizeHint::new();
        both.set_lower(first.lower().saturating_add(next.lower()));
        if let Some(upper) = first.upper().zip(next.upper()).and_then(|(a, b)| a.checked_add(b)) {
            both.set_upper(upper);
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::testing::{chunks, drop_noticed, streamed};
    use crate::{BoxError, ErrorKind};
    use futures_executor::block_on;
    use futures_util::{StreamExt, stream};
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn the_second_body_follows_the_first_which_is_dropped() {
        let (first, first_dropped) = drop_noticed(chunks(&["a", "b"]));
        let (next, next_dropped) = drop_noticed(chunks(&["c"]));
        let mut body = Body::from_stream(first).chain(Body::from_stream(next));
        for (expected, dropped) in [("a", false), ("b", false), ("c", true)] {
            assert_eq!(block_on(body.chunk()).expect("read"), Some(Bytes::from(expected)));
            assert_eq!((first_dropped(), next_dropped(), body.is_end_stream()), (dropped, false, false));
        }
        assert_eq!(block_on(body.chunk()).expect("the end"), None);
        assert!(body.is_end_stream());
    }

    #[test]
    fn the_length_is_known_when_both_are() {
        let sized = || Body::from_sized_stream(chunks(&["ab", "c"]), 3);
        let unsized_ = || Body::from_stream(chunks(&["ab", "c"]));
        for (first, next, len) in [
            (Body::from("ab"), Body::from("c"), Some(3)),
            (sized(), Body::from("c"), Some(4)),
            (sized(), sized(), Some(6)),
            (sized(), unsized_(), None),
            (unsized_(), sized(), None),
            (Body::empty(), sized(), Some(3)),
            (sized(), Body::empty(), Some(3)),
            (Body::from_sized_stream(chunks(&[]), u64::MAX), sized(), None),
        ] {
            let body = first.chain(next);
            assert_eq!(body.exact_len(), len, "{body:?}");
        }
        let mut body = sized().chain(Body::from("d"));
        for left in [2, 1, 0] {
            block_on(body.chunk()).expect("read");
            assert_eq!(body.exact_len(), Some(left));
        }
    }

    #[test]
    fn nothing_follows_an_error_of_the_first() {
        let first = stream::iter([Ok("a"), Err(BoxError::from("gone"))]).map(|part| part.map(Bytes::from));
        let mut body = Body::from_stream(first).chain(Body::from("b"));
        assert_eq!(block_on(body.chunk()).expect("first"), Some(Bytes::from("a")));
        assert_eq!(block_on(body.chunk()).expect_err("second").kind(), ErrorKind::Body);
        assert_eq!(block_on(body.chunk()).expect("fused"), None);
    }

    #[test]
    fn an_empty_body_leaves_the_other_as_it_is() {
        for body in [Body::empty().chain(Body::from("a")), Body::from("a").chain(Body::empty())] {
            assert_eq!(body.as_bytes().expect("still buffered"), "a");
        }
    }

    proptest! {
        #[test]
        fn chained_bodies_give_the_bytes_of_each_in_order(
            bodies in vec((vec(vec(any::<u8>(), 0..9), 0..5), 0..3_u8), 0..5),
        ) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|(chunks, _)| chunks.concat()).collect();
            let all_sized = bodies.iter().all(|(_, kind)| *kind != 2);
            let chained = bodies.iter().map(|(chunks, kind)| streamed(chunks, *kind)).rev();
            let chained = chained.fold(Body::empty(), |next, body| body.chain(next));
            if all_sized {
                prop_assert_eq!(chained.exact_len(), Some(bytes.len() as u64));
            }
            prop_assert_eq!(block_on(chained.bytes())?, bytes);
        }
    }
}
