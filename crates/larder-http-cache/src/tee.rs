//! A body that is stored while it is read, by whoever reads it: no task is started.
//!
//! The reader drives the store, and takes no chunk for which the store has no room. A store that fails is given up, and
//! the reader goes on. Only a whole body is stored: whatever ends early drops the store's future, which leaves what was
//! there before.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_channel::mpsc::{Sender, channel};
use futures_core::future::BoxFuture;
use http_body::{Body as _, Frame};
use larder_core::{Body, Result};

/// How many chunks the store may be behind the reader.
const BEHIND: usize = 8;

pub(crate) struct Tee {
    source: Body,
    store: Option<Store>,
    /// The last chunk, while the store is not done: whoever knows the length has seen the end with it.
    last: Option<Frame<Bytes>>,
}

/// The store's side.
struct Store {
    write: BoxFuture<'static, ()>,
    /// None when there is no more to come.
    chunks: Option<Sender<Result<Bytes>>>,
}

impl Tee {
    /// Returns a body of `source`, which `write` stores under way.
    ///
    /// If it is not as long as was `announced` (RFC 9110, section 8.6), what `write` is given fails.
    pub(crate) fn new(
        source: Body,
        announced: Option<u64>,
        write: impl FnOnce(Body) -> BoxFuture<'static, ()>,
    ) -> Self {
        let (sender, receiver) = channel(BEHIND);
        let body = match announced.or(source.exact_len()) {
            Some(len) => Body::from_sized_stream(receiver, len),
            None => Body::from_stream(receiver),
        };
        Self { source, store: Some(Store { write: write(body), chunks: Some(sender) }), last: None }
    }

    pub(crate) fn source(&self) -> &Body {
        &self.source
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(store) = &mut self.store {
            match (store.write.as_mut().poll(cx), &mut store.chunks) {
                (Poll::Ready(()), _) => self.store = None,
                // The end is not told before the entry is there.
                (Poll::Pending, None) => return Poll::Pending,
                // What is disconnected fails when it is polled again.
                (Poll::Pending, Some(chunks)) => drop(ready!(chunks.poll_ready(cx))),
            }
        }
        if let Some(last) = self.last.take() {
            return Poll::Ready(Some(Ok(last)));
        }
        match ready!(Pin::new(&mut self.source).poll_frame(cx)) {
            Some(Ok(frame)) => {
                let is_last = self.source.is_end_stream() || self.source.exact_len() == Some(0);
                if let (Some(chunk), Some(store)) = (frame.data_ref(), &mut self.store)
                    && let Some(chunks) = &mut store.chunks
                {
                    drop(chunks.start_send(Ok(chunk.clone())));
                    if is_last {
                        store.chunks = None;
                        self.last = Some(frame);
                        return self.poll_frame(cx);
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.store = None;
                Poll::Ready(Some(Err(error)))
            }
            None => self.finish(cx),
        }
    }

    /// Waits for the store, now that all is read.
    fn finish(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(store) = &mut self.store {
            store.chunks = None;
            ready!(store.write.as_mut().poll(cx));
            self.store = None;
        }
        Poll::Ready(None)
    }
}
