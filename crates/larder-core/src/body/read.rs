//! Reading a body: chunk by chunk, or whole, and then never more than the caller allows.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Body as HttpBody;

use crate::{Body, Error, ErrorKind, Result};

/// So much memory is asked for at most for bytes that have not come.
const MOST_RESERVED: usize = 32 << 20;

impl Body {
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
        // What an origin says is to come need not come.
        let to_come = usize::try_from(self.size_hint().lower()).unwrap_or(usize::MAX).min(MOST_RESERVED);
        let mut all = BytesMut::with_capacity(first.len() + second.len() + to_come);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk_within(all.len(), limit).await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Returns the next chunk, unless it and the bytes `read` before it are more than `limit`.
    async fn chunk_within(&mut self, read: usize, limit: u64) -> Result<Option<Bytes>> {
        match self.chunk().await? {
            Some(chunk) if (read + chunk.len()) as u64 > limit => Err(over(limit)),
            chunk => Ok(chunk),
        }
    }

    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
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

fn over(limit: u64) -> Error {
    Error::new(ErrorKind::TooLarge, format!("the body is longer than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::testing::chunks;
    use futures_executor::block_on;
    use futures_util::{FutureExt, StreamExt, stream};

    #[test]
    fn a_streamed_body_gives_its_bytes_in_order() {
        assert_eq!(block_on(Body::from_stream(chunks(&["a", "", "bc", "d"])).bytes()).expect("read"), "abcd");
        assert_eq!(block_on(Body::from_stream(chunks(&[])).bytes()).expect("read"), "");
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
}
