//! What the tests of bodies share.

use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt, stream};

use crate::{Body, BoxError, Result};

/// Returns a stream of `parts`, which never fails.
pub(super) fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, BoxError>> + use<> {
    stream::iter(parts.iter().map(|part| Ok(Bytes::from(*part))).collect::<Vec<_>>())
}

/// Returns a body of `chunks`: buffered (kind 0), of promised length (1), or of unknown length (2).
pub(super) fn streamed(chunks: &[Vec<u8>], kind: u8) -> Body {
    let parts: Vec<_> = chunks.iter().map(|chunk| Ok::<_, BoxError>(Bytes::from(chunk.clone()))).collect();
    let len = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    match kind {
        0 => Body::from(chunks.concat()),
        1 => Body::from_sized_stream(stream::iter(parts), len),
        _ => Body::from_stream(stream::iter(parts)),
    }
}

/// Returns `stream`, and what tells whether it was dropped.
pub(super) fn drop_noticed<S>(
    stream: S,
) -> (impl Stream<Item = Result<Bytes, BoxError>> + Send, impl Fn() -> bool)
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    let held = Arc::new(());
    let holds = Arc::downgrade(&held);
    let stream = stream.inspect(move |_| {
        let _ = &held;
    });
    (stream, move || holds.strong_count() == 0)
}
