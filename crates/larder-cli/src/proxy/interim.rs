//! A client's connection, into which interim responses can be written while its request is under way.
//!
//! hyper's server writes final responses only. So an interim response (RFC 9110, section 15.2) is written past it,
//! under one lock with its writes, and only where it can disturb none of them: while a request is being answered, and
//! when nothing is left that hyper has begun to write. Where it cannot be written at once it is left out, which is no
//! fault: a client needs no interim response to understand the final one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How many bytes are taken from a connection at a time. hyper's buffers may grow to what the largest head needs; with
/// this they only do for a head.
pub(crate) const MOST_AT_ONCE: usize = 32 * 1024;

/// A client's connection, as hyper's server uses it.
#[derive(Debug)]
pub(crate) struct ClientStream {
    reader: OwnedReadHalf,
    writer: Arc<Mutex<Writer>>,
}

/// Where the interim responses to one request are written.
#[derive(Debug, Clone)]
pub(crate) struct Interim {
    /// Weak, so that an exchange that outlives the connection does not keep it open.
    writer: Weak<Mutex<Writer>>,
    request: u64,
}

/// The side of a connection that tells which request is being answered.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Weak<Mutex<Writer>>);

#[derive(Debug)]
struct Writer {
    half: OwnedWriteHalf,
    /// What is left of an interim response; it goes before whatever hyper writes.
    rest: BytesMut,
    /// Whether hyper may have more to write of what it began: it has not flushed since it last wrote.
    is_outstanding: bool,
    /// How many requests there were.
    requests: u64,
    /// Whether the last of them has no final response yet.
    is_open: bool,
}

impl ClientStream {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let (reader, half) = stream.into_split();
        let writer =
            Writer { half, rest: BytesMut::new(), is_outstanding: false, requests: 0, is_open: false };
        Self { reader, writer: Arc::new(Mutex::new(writer)) }
    }

    pub(crate) fn turns(&self) -> Turns {
        Turns(Arc::downgrade(&self.writer))
    }
}

impl Turns {
    /// Begins the turn of a request; interim responses to it may be written from now on.
    pub(crate) fn begin(&self) -> Interim {
        let mut request = 0;
        if let Some(writer) = self.0.upgrade() {
            let mut writer = lock(&writer);
            writer.requests += 1;
            writer.is_open = true;
            request = writer.requests;
        }
        Interim { writer: self.0.clone(), request }
    }

    /// Returns whether nothing is left to be written of what was begun.
    pub(crate) fn is_all_written(&self) -> bool {
        self.0.upgrade().is_none_or(|writer| {
            let writer = lock(&writer);
            !writer.is_outstanding && writer.rest.is_empty()
        })
    }

    /// Ends it; call it before hyper gets the final response.
    pub(crate) fn end(&self) {
        if let Some(writer) = self.0.upgrade() {
            lock(&writer).is_open = false;
        }
    }
}

impl Interim {
    /// Writes an interim response, if its request is still being answered and nothing else is being written.
    pub(crate) fn write(&self, status: StatusCode, headers: &HeaderMap) {
        let Some(writer) = self.writer.upgrade() else { return };
        let mut writer = lock(&writer);
        let is_turn = writer.is_open && writer.requests == self.request;
        if !is_turn || writer.is_outstanding || !writer.rest.is_empty() {
            return;
        }
        let mut head = head(status, headers);
        // A connection that takes nothing now, or never again, is no failure of the request.
        if let Ok(written) = writer.half.try_write(&head) {
            head.advance(written);
            writer.rest = head;
        }
    }
}

/// Returns the bytes of a response without content (RFC 9112, section 4).
fn head(status: StatusCode, headers: &HeaderMap) -> BytesMut {
    let mut head = BytesMut::from("HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.extend_from_slice(b" ");
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    for (name, value) in headers {
        for part in [b"\r\n", name.as_str().as_bytes(), b": ", value.as_bytes()] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n\r\n");
    head
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Writes what is left of an interim response.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.half).poll_write(cx, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        read_some(Pin::new(&mut self.reader), cx, buffer)
    }
}

/// Reads no more than [`MOST_AT_ONCE`], however much room there is.
pub(crate) fn read_some<R: AsyncRead>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let room = buffer.remaining().min(MOST_AT_ONCE);
    let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
    ready!(reader.poll_read(cx, &mut part))?;
    let read = part.filled().len();
    buffer.advance(read);
    Poll::Ready(Ok(()))
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut writer = lock(&self.writer);
        writer.is_outstanding = true;
        ready!(writer.poll_rest(cx))?;
        Pin::new(&mut writer.half).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut writer = lock(&self.writer);
        writer.is_outstanding = true;
        ready!(writer.poll_rest(cx))?;
        Pin::new(&mut writer.half).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        lock(&self.writer).half.is_write_vectored()
    }

    /// Flushes; hyper does it only when it has written all that it has.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writer = lock(&self.writer);
        ready!(writer.poll_rest(cx))?;
        ready!(Pin::new(&mut writer.half).poll_flush(cx))?;
        writer.is_outstanding = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writer = lock(&self.writer);
        ready!(writer.poll_rest(cx))?;
        Pin::new(&mut writer.half).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    use http::HeaderValue;
    use http::header::LINK;

    use super::*;

    /// Runs `work` on the proxy's end of a connection, and returns what the client gets until it ends.
    fn received(work: impl AsyncFnOnce(&mut ClientStream)) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let client = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a connection");
            let mut received = Vec::new();
            client.read_to_end(&mut received).map(|_| received).expect("read")
        });
        runtime.block_on(async {
            let mut stream = ClientStream::new(TcpStream::connect(address).await.expect("connected"));
            work(&mut stream).await;
        });
        client.join().expect("no panic")
    }

    async fn write(stream: &mut ClientStream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await.expect("written");
            bytes = &bytes[written..];
        }
    }

    async fn flush(stream: &mut ClientStream) {
        poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await.expect("flushed");
    }

    fn hint(link: &str) -> HeaderMap {
        HeaderMap::from_iter([(LINK, HeaderValue::from_str(link).expect("a value"))])
    }

    #[test]
    fn an_interim_response_goes_before_the_final_one_of_its_request() {
        let received = received(async |stream| {
            let turns = stream.turns();
            let interim = turns.begin();
            interim.write(StatusCode::EARLY_HINTS, &hint("</a>"));
            turns.end();
            write(stream, b"final").await;
        });
        assert_eq!(received, b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nfinal");
    }

    #[test]
    fn an_interim_response_that_comes_out_of_turn_is_left_out() {
        let received = received(async |stream| {
            let turns = stream.turns();
            let first = turns.begin();
            turns.end();
            first.write(StatusCode::PROCESSING, &HeaderMap::new());
            write(stream, b"first").await;
            // What hyper has begun it may go on with.
            let second = turns.begin();
            second.write(StatusCode::PROCESSING, &HeaderMap::new());
            flush(stream).await;
            first.write(StatusCode::PROCESSING, &HeaderMap::new());
            turns.end();
            write(stream, b"second").await;
        });
        assert_eq!(received, b"firstsecond");
    }

    #[test]
    fn an_interim_response_that_is_taken_in_part_is_finished_first() {
        let link = "x".repeat(16 << 20);
        let received = received(async |stream| {
            let turns = stream.turns();
            turns.begin().write(StatusCode::EARLY_HINTS, &hint(&link));
            turns.end();
            write(stream, b"final").await;
        });
        let expected = format!("HTTP/1.1 103 Early Hints\r\nlink: {link}\r\n\r\nfinal");
        assert!(received == expected.as_bytes(), "{} bytes", received.len());
    }

    #[test]
    fn an_exchange_that_outlives_its_connection_writes_nowhere() {
        let received = received(async |stream| {
            let interim = stream.turns().begin();
            let stream = std::mem::replace(stream, ClientStream::new(unconnected().await));
            drop(stream);
            interim.write(StatusCode::PROCESSING, &HeaderMap::new());
        });
        assert_eq!(received, b"");
    }

    async fn unconnected() -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected")
    }
}
