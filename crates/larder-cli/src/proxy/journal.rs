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

use super::server::UnderWay;
use crate::output::escaped;
use crate::show_as::{now, rfc3339};
use crate::status::Result;

/// How many lines are kept for the thread that writes them.
const WAITING: usize = 4096;
/// How much of a body is handed on at a time. hyper takes up to 16 parts ahead of what a client reads, and no fewer if they
/// are large.
const PART: usize = 32 * 1024;
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
        under_way: UnderWay,
    ) -> Noted {
        let is_whole = expected == Expected::Nothing || body.is_end_stream();
        self.answer = Some(Answer { status, cache_status, is_whole });
        Noted { body, rest: Bytes::new(), entry: self, expected, failure: None, _under_way: under_way }
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
    /// What is left of the last part of it, to be handed on next.
    rest: Bytes,
    entry: Entry,
    expected: Expected,
    /// What the body has failed with, until what came before is on its way.
    failure: Option<larder::Error>,
    _under_way: UnderWay,
}

impl Noted {
    /// Returns the next part of the body, of at most [`PART`] bytes.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, larder::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(failure)) => return Poll::Ready(Some(Err(failure))),
                None => return Poll::Ready(None),
            }
        }
        let len = self.rest.len().min(PART);
        Poll::Ready(Some(Ok(self.rest.split_to(len))))
    }

    /// Returns whether all that is sent of the body was taken with `frame`.
    fn is_whole(&self, part: Option<&Result<Bytes, larder::Error>>) -> bool {
        match self.expected {
            Expected::Nothing => true,
            // Whoever knows the length does not ask for the end.
            Expected::Bytes(len) => self.entry.bytes >= len,
            Expected::Unknown => match part {
                None => true,
                Some(part) => part.is_ok() && self.is_end_stream(),
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
        let part = ready!(self.poll_part(cx));
        if let Some(Ok(part)) = &part {
            self.entry.bytes += part.len() as u64;
        }
        let is_whole = self.is_whole(part.as_ref());
        if let Some(answer) = &mut self.entry.answer {
            answer.is_whole = is_whole;
        }
        match part {
            Some(Err(failure)) => {
                // With a failure hyper closes the connection, and drops what it has not written; it writes whenever
                // there is nothing more to be had at once.
                self.failure = Some(failure);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            part => Poll::Ready(part.map(|part| part.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower() + rest);
        if let Some(upper) = left.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
