//! One line on standard error for each request.
//!
//! Nothing waits for whoever reads the lines: a thread of its own writes them, and what it cannot keep up with is left
//! out.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use larder::{Body, Timestamp};

use crate::output::escaped;
use crate::show_as::{now, rfc3339};
use crate::status::Result;

/// How many lines are kept for the thread that writes them.
const WAITING: usize = 4096;
/// How long the last lines may take.
const LAST: Duration = Duration::from_secs(1);

/// Where requests are noted.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Option<SyncSender<String>>);

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Written(Receiver<()>);

impl Journal {
    /// Returns a journal in which nothing is noted.
    pub(crate) fn silent() -> Self {
        Self(None)
    }

    /// Returns a journal on standard error, and what it ends with.
    pub(crate) fn on_stderr() -> (Self, Written) {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (ended, written) = sync_channel(0);
        std::thread::spawn(move || {
            for line in waiting {
                // If standard error is closed, there is no way left to say so.
                let _ = io::stderr().write_all(line.as_bytes());
            }
            drop(ended);
        });
        (Self(Some(lines)), Written(written))
    }

    /// Begins the line of a request.
    pub(crate) fn entry<B>(&self, request: &Request<B>) -> Entry {
        let lines = self.0.clone();
        let is_noted = lines.is_some();
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        Entry {
            lines,
            request: if is_noted { format!("{} {target}", request.method()) } else { String::new() },
            began_at: now(),
            began: Instant::now(),
            answer: None,
            bytes: 0,
        }
    }
}

impl Written {
    /// Waits until all is written; not for long, because nobody may be reading. Drop every [`Journal`] first.
    pub(crate) fn wait(self) {
        let ended = self.0.recv_timeout(LAST);
        debug_assert!(matches!(ended, Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout)));
    }
}

/// The line of one request; it is written when this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    lines: Option<SyncSender<String>>,
    request: String,
    began_at: Timestamp,
    began: Instant,
    answer: Option<Answer>,
    bytes: u64,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    cache_status: String,
    is_whole: bool,
}

impl Entry {
    /// Notes what the request is answered with, and returns the body that notes the rest.
    pub(crate) fn answered(
        mut self,
        status: StatusCode,
        cache_status: String,
        body: Body,
        expected: Expected,
    ) -> Noted {
        let is_whole = expected == Expected::Nothing || body.is_end_stream();
        self.answer = Some(Answer { status, cache_status, is_whole });
        Noted { body, entry: self, expected, failure: None }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(lines) = &self.lines else { return };
        let (status, cache_status, whole) = match &self.answer {
            Some(answer) => (answer.status.as_str(), answer.cache_status.as_str(), answer.is_whole),
            None => ("-", "-", false),
        };
        let line = format!(
            "{} {} {status} {}B {}ms {cache_status}{}",
            rfc3339(self.began_at),
            self.request,
            self.bytes,
            self.began.elapsed().as_millis(),
            if whole { "" } else { " (broken off)" },
        );
        let _ = lines.try_send(format!("{}\n", escaped(&line)));
    }
}

/// How much of a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// None of it: the request or the status has no content in its response.
    Nothing,
    Bytes(u64),
    /// All that there is.
    Unknown,
}

/// A response's body that notes how much of it was taken, and whether that was all.
#[derive(Debug)]
pub(crate) struct Noted {
    body: Body,
    entry: Entry,
    expected: Expected,
    /// What the body has failed with, until what came before is on its way.
    failure: Option<larder::Error>,
}

impl Noted {
    /// Returns whether all that is sent of the body was taken with `frame`.
    fn is_whole(&self, frame: Option<&Result<Frame<Bytes>, larder::Error>>) -> bool {
        match self.expected {
            Expected::Nothing => true,
            // Whoever knows the length does not ask for the end.
            Expected::Bytes(len) => self.entry.bytes >= len,
            Expected::Unknown => match frame {
                None => true,
                Some(frame) => frame.is_ok() && self.body.is_end_stream(),
            },
        }
    }
}

impl HttpBody for Noted {
    type Data = Bytes;
    type Error = larder::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, larder::Error>>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.entry.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        let is_whole = self.is_whole(frame.as_ref());
        if let Some(answer) = &mut self.entry.answer {
            answer.is_whole = is_whole;
        }
        match frame {
            Some(Err(failure)) => {
                // With a failure hyper closes the connection, and drops what it has not written; it writes whenever
                // there is nothing more to be had at once.
                self.failure = Some(failure);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
