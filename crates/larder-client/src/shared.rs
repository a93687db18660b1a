//! One body that arrives once and is read by several: by those who asked for it, and by the store.
//!
//! A task of its own takes the body from its source, no further ahead than one window beyond its fastest reader, so
//! that memory is bounded and the origin is not hurried. What a slower reader still needs is kept in a temporary
//! file, so that it holds nobody up. A store that does not keep up is cut off. When nobody who asked is left, the
//! source is dropped, unless the download is to complete in the background.

mod pump;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use larder_core::{Body, Error, ErrorKind, Result};
use tokio::sync::Notify;

use self::pump::Pump;
use self::state::{Next, State};

/// How a body is shared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// How many bytes are held in memory, beside the chunk that is arriving.
    pub(crate) window: u64,
    /// How long the store may keep everybody waiting.
    pub(crate) store_timeout: Duration,
    /// Whether the store goes on when nobody else is left.
    pub(crate) in_background: bool,
}

/// A body that is arriving; cloning is cheap, and the clones are the same body.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    terms: Terms,
    /// The length of the whole body, when the body knows it.
    len: Option<u64>,
    state: Mutex<State>,
    /// Something arrived, or the body ended, or it is stored.
    arrived: Notify,
    /// A reader advanced or left.
    advanced: Notify,
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Somebody who made a request. It sees the end, and what is known to be the last chunk, only when the store is done.
    Caller,
    /// The store.
    Store,
}

impl Shared {
    /// Returns `body` as it arrives, with its first reader and that of the store.
    ///
    /// The store's fails if it is not `announced` bytes long, should that be known. Call it in a Tokio runtime: it
    /// starts a task, unless all of the body is here.
    pub(crate) fn start(body: Body, announced: Option<u64>, terms: Terms) -> (Self, Body, Body) {
        let len = body.exact_len();
        let shared = Self(Arc::new(Inner {
            terms,
            len,
            state: Mutex::default(),
            arrived: Notify::new(),
            advanced: Notify::new(),
        }));
        let (caller, store) = {
            let mut state = shared.state();
            (state.add_reader(Role::Caller, 0), state.add_reader(Role::Store, 0))
        };
        let caller = shared.body_of(Role::Caller, caller, len);
        let store = shared.body_of(Role::Store, store, announced.or(len));
        match body.as_bytes() {
            Some(bytes) => {
                let mut state = shared.state();
                state.push(bytes.clone());
                state.finish(Ok(()));
            }
            None => drop(tokio::spawn(Pump::new(shared.clone(), body).run())),
        }
        (shared, caller, store)
    }

    /// Returns the body from its beginning for one more caller, unless its beginning is gone.
    pub(crate) fn join(&self) -> Option<Body> {
        let id = {
            let mut state = self.state();
            if !state.has_beginning() {
                return None;
            }
            state.add_reader(Role::Caller, 0)
        };
        Some(self.body_of(Role::Caller, id, self.0.len))
    }

    /// Returns whether the body has ended before it was whole.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().has_failed()
    }

    /// Lets the callers see the end: the store is done with the body, or will not have it.
    pub(crate) fn settle(&self) {
        self.state().is_settled = true;
        self.0.arrived.notify_waiters();
    }

    /// Waits until the source has ended, well or not.
    pub(crate) async fn ended(&self) {
        self.until(State::has_ended).await;
    }

    /// Waits until the callers may see the end.
    pub(crate) async fn settled(&self) {
        self.until(|state| state.is_settled).await;
    }

    /// Returns whether it is known that there are no bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.len == Some(0)
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        loop {
            let arrived = self.0.arrived.notified();
            if holds(&self.state()) {
                return;
            }
            arrived.await;
        }
    }

    /// Locks the state. Nothing panics under the lock, so that poison would mean nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn body_of(&self, role: Role, id: u64, len: Option<u64>) -> Body {
        let reader = Reader { shared: self.clone(), role, id };
        let chunks = stream::try_unfold(reader, async |mut reader| {
            let chunk = reader.next().await?;
            Ok::<_, Error>(chunk.map(|chunk| (chunk, reader)))
        });
        match len {
            Some(len) => Body::from_sized_stream(chunks, len),
            None => Body::from_stream(chunks),
        }
    }
}

/// One reader's place in the body; dropping it leaves.
struct Reader {
    shared: Shared,
    role: Role,
    id: u64,
}

impl Reader {
    /// Returns the next chunk, or `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let arrived = self.shared.0.arrived.notified();
            let next = self.shared.state().next(self.id, self.role);
            match next {
                Next::Chunk(chunk) => {
                    self.shared.0.advanced.notify_one();
                    return Ok(Some(chunk));
                }
                Next::Spooled { spool, position, end } => {
                    let chunk = spool
                        .read(position, end)
                        .await
                        .map_err(|error| Error::from(error).with_operation("read back what had arrived"))?;
                    self.shared.state().advance(self.id, chunk.len() as u64);
                    self.shared.0.advanced.notify_one();
                    return Ok(Some(chunk));
                }
                Next::End => return Ok(None),
                Next::Failed(error) => return Err(error),
                Next::Wait => arrived.await,
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.state().remove_reader(self.id);
        self.shared.0.advanced.notify_one();
    }
}

/// Returns the error of everybody who reads a body whose source failed.
fn failed(cause: &Arc<Error>) -> Error {
    Error::new(ErrorKind::Body, cause.to_string()).with_source(Arc::clone(cause))
}
