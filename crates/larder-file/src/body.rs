//! The body of an entry on its way out: from memory when it is small, else streamed from the file.
//!
//! What is in the system's memory is read where it is asked for, a batch at a time. From where the disk has to be
//! waited for, blocking threads read: the batch that was asked for, and the next, which is read meanwhile.

use std::fs::File;
use std::future::Future;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use larder_core::{Body, CacheKey, Error};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::task::coop::poll_proceed;

use crate::cause::{Cause, Result, from_io, into_io};
use crate::entry::{Chunks, Stored};
use crate::store::Shared;
use crate::sys::Wait;

/// How much of a body a blocking thread reads at a time.
const BATCH: usize = 512 * 1024;
/// How much of a body is read at a time where it is asked for.
const BATCH_NOW: usize = 128 * 1024;

/// Returns the body of an entry: in memory if it is no longer than what is to be buffered.
pub(crate) fn of_entry(shared: &Arc<Shared>, stored: Stored) -> Result<Body> {
    let (key, file, body_len) = (stored.key.clone(), Arc::clone(&stored.file), stored.prologue.body_len);
    let source = match Source::of_entry(shared, stored)? {
        Source::Memory(bytes) => return Ok(Body::from(bytes)),
        source => source,
    };
    if body_len <= shared.options.buffer_up_to {
        return read_all(source, body_len, || shared.path_of(&key)).map(Body::from);
    }
    Ok(Body::wrap(Streamed {
        shared: Arc::clone(shared),
        key,
        file,
        runtime: Handle::try_current().map_err(|_| Cause::NoRuntime)?,
        state: State::Idle(source),
        unread: body_len,
    }))
}

/// Reads the body of an entry to its end, a batch at a time, and keeps none of it.
pub(crate) fn verify(shared: &Arc<Shared>, stored: Stored) -> Result<()> {
    let (key, mut unread) = (stored.key.clone(), stored.prologue.body_len);
    let mut source = Source::of_entry(shared, stored)?;
    while unread > 0 {
        unread -= source.next(unread, || shared.path_of(&key))?.len() as u64;
    }
    Ok(())
}

fn read_all(mut source: Source, body_len: u64, path: impl Fn() -> PathBuf) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while (body.len() as u64) < body_len {
        body.extend_from_slice(&source.next(body_len - body.len() as u64, &path)?);
    }
    Ok(body)
}

/// Where the bytes of a body come from.
enum Source {
    /// All of them, verified.
    Memory(Bytes),
    Stored(Chunks),
    Decompressed(Box<dyn Read + Send>),
}

impl Source {
    fn of_entry(shared: &Arc<Shared>, stored: Stored) -> Result<Self> {
        let compression = match stored.prologue.compression {
            0 => None,
            id => Some(
                shared
                    .codecs
                    .decompression(id)
                    .ok_or(Cause::Unknown { whole: "the entry", what: "compression", id: id.into() })?
                    .clone(),
            ),
        };
        Ok(match (stored.body_in_memory()?, compression) {
            (Some(bytes), None) => Self::Memory(bytes),
            (Some(bytes), Some(compression)) => {
                Self::Decompressed(compression.decompressor(Box::new(Cursor::new(bytes)))?)
            }
            (None, None) => Self::Stored(Chunks::new(Arc::clone(shared), stored)),
            (None, Some(compression)) => {
                let chunks = Chunks::new(Arc::clone(shared), stored);
                let stored = StoredReader { chunks, batch: Cursor::default() };
                Self::Decompressed(compression.decompressor(Box::new(stored))?)
            }
        })
    }

    /// Returns the next bytes of the `left` that are to come: at least one, and all that there is at the end.
    fn next(&mut self, left: u64, path: impl Fn() -> PathBuf) -> Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(std::mem::take(bytes)),
            Self::Stored(chunks) => chunks.next(BATCH, Wait::Allowed),
            Self::Decompressed(reader) => {
                let wanted = left.min(BATCH as u64);
                let mut batch = Vec::new();
                reader.take(wanted).read_to_end(&mut batch).map_err(|error| from_io(error, &path))?;
                if (batch.len() as u64) < wanted {
                    return Err(Cause::Damaged("length"));
                }
                // The last read also meets the end of the compressed bytes, and whatever is wrong with it.
                if wanted == left && reader.read(&mut [0]).map_err(|error| from_io(error, &path))? > 0 {
                    return Err(Cause::Damaged("length"));
                }
                Ok(batch.into())
            }
        }
    }

    /// Returns some of the next bytes if that takes neither waiting nor much work; `None` leaves it to a hop.
    ///
    /// Now and then it is pending, so that other tasks have their turns.
    fn poll_now(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Self::Stored(chunks) = self else { return Poll::Ready(None) };
        let turn = ready!(poll_proceed(cx));
        // What goes wrong goes wrong again on a blocking thread, which may take the time to remove the entry.
        let batch = chunks.next(BATCH_NOW, Wait::Never).ok();
        if batch.is_some() {
            turn.made_progress();
        }
        Poll::Ready(batch)
    }
}

/// A stored body as a reader, for a decompressor.
struct StoredReader {
    chunks: Chunks,
    batch: Cursor<Bytes>,
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.batch.position() == self.batch.get_ref().len() as u64 {
            self.batch = Cursor::new(self.chunks.next(BATCH, Wait::Allowed).map_err(into_io)?);
        }
        self.batch.read(buffer)
    }
}

/// A body that is read from its file while it is consumed.
struct Streamed {
    shared: Arc<Shared>,
    key: CacheKey,
    file: Arc<File>,
    runtime: Handle,
    state: State,
    /// How many bytes are still to be handed out.
    unread: u64,
}

enum State {
    Idle(Source),
    Reading(JoinHandle<(Source, Result<Bytes>)>),
    Ended,
}

impl Streamed {
    fn begin_read(&self, mut source: Source) -> State {
        let left = self.unread;
        let (shared, key, file) = (Arc::clone(&self.shared), self.key.clone(), Arc::clone(&self.file));
        State::Reading(self.runtime.spawn_blocking(move || {
            let batch = source.next(left, || shared.path_of(&key));
            let batch = batch.inspect_err(|cause| shared.give_up(&key, cause, Some(&file)));
            (source, batch)
        }))
    }

    /// Hands out `batch`, and goes on as `next` says while bytes are left.
    fn hand_out(&mut self, batch: Bytes, next: impl FnOnce(&Self) -> State) -> Frame<Bytes> {
        self.unread -= batch.len() as u64;
        self.state = if self.unread > 0 { next(self) } else { State::Ended };
        Frame::data(batch)
    }

    fn fail(&mut self, cause: Cause) -> Error {
        self.state = State::Ended;
        Error::from(cause)
            .with_operation("read")
            .with_key(&self.key)
            .with_context("path", self.shared.path_of(&self.key).display())
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(_) if self.unread == 0 => return Poll::Ready(None),
                State::Idle(mut source) => match source.poll_now(cx) {
                    Poll::Pending => {
                        self.state = State::Idle(source);
                        return Poll::Pending;
                    }
                    Poll::Ready(Some(batch)) => {
                        return Poll::Ready(Some(Ok(self.hand_out(batch, |_| State::Idle(source)))));
                    }
                    Poll::Ready(None) => self.state = self.begin_read(source),
                },
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    return Poll::Ready(Some(match read {
                        Err(error) => Err(self.fail(Cause::Task(error))),
                        Ok((_, Err(cause))) => Err(self.fail(cause)),
                        Ok((source, Ok(batch))) => Ok(self.hand_out(batch, |body| body.begin_read(source))),
                    }));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.unread)
    }
}
