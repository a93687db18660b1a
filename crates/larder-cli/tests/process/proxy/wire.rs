//! Both ends of the wire: a client and an origin that write and read bytes, and no more.
//!
//! Every read ends: after ten seconds without a byte a test fails rather than hangs.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(10);

/// One end of a connection.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).expect("somebody listens"))
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(SILENCE)).expect("it has a timeout");
        stream.set_nodelay(true).expect("it is TCP");
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).expect("sent");
    }

    /// Sends nothing more.
    pub(crate) fn end(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).expect("it is connected");
    }

    /// Returns the next head with its empty line, or what there is of one at the end.
    pub(crate) fn head(&mut self) -> Vec<u8> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.0.read_until(b'\n', &mut head).expect("a head") == 0 {
                break;
            }
        }
        head
    }

    pub(crate) fn exactly(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).expect("as many bytes");
        bytes
    }

    /// Returns what comes before the connection ends, by a reset too.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => rest,
        }
    }

    /// Sends a request without content, and returns the response with its whole body.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.send(request);
        self.message()
    }

    /// Sends a request until its answer is stored, and returns the first that comes from the cache.
    ///
    /// For a moment after the last byte of a response there is only its exchange, which another request may share.
    pub(crate) fn ask_until_stored(&mut self, request: impl AsRef<[u8]>) -> Message {
        loop {
            let response = self.ask(&request);
            if !response.cache_status().ends_with("; collapsed") {
                return response;
            }
        }
    }

    /// Returns the next message with its content, if it has a length or chunks.
    pub(crate) fn message(&mut self) -> Message {
        let head = self.head();
        let mut message = Message { head, body: Vec::new() };
        if let Some(len) = message.field("content-length") {
            let len = len.parse().expect("a length");
            message.body = self.exactly(len);
        } else if message.field("transfer-encoding").is_some() {
            loop {
                let chunk = self.chunk();
                if chunk.is_empty() {
                    break;
                }
                message.body.extend(chunk);
            }
        }
        message
    }

    /// Returns the next chunk (RFC 9112, section 7.1); none at the end.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let mut len = String::new();
        self.0.read_line(&mut len).expect("a chunk");
        let len = usize::from_str_radix(len.trim_end(), 16).expect("a length");
        let chunk = self.exactly(len);
        assert_eq!(self.exactly(2), b"\r\n");
        chunk
    }
}

/// A message as it came.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Returns the head as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// Returns the first line.
    pub(crate) fn start(&self) -> String {
        self.text().lines().next().unwrap_or_default().to_owned()
    }

    /// Returns the values of a field, of each line one.
    pub(crate) fn fields(&self, name: &str) -> Vec<String> {
        let lines = self.text();
        let lines = lines.lines().skip(1).filter_map(|line| line.split_once(':'));
        let values = lines.filter(|(of, _)| of.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.trim().to_owned()).collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.fields(name).into_iter().next()
    }

    pub(crate) fn cache_status(&self) -> String {
        self.field("cache-status").unwrap_or_default()
    }
}

/// What an origin does with its connection when it has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
}

/// An origin in threads of its own, which notes what it is asked.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<(usize, Message)>>>,
}

impl Scripted {
    /// Starts an origin that answers each request with `answer`, on the connection that it came on.
    pub(crate) fn start(answer: impl Fn(&Message, &mut Wire) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                thread::spawn(move || {
                    let mut wire = Wire::new(stream.expect("a connection"));
                    // The proxy may keep a connection for as long as it likes.
                    wire.0.get_ref().set_read_timeout(None).expect("it has one");
                    loop {
                        if !wire.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
                            return;
                        }
                        let request = wire.head();
                        let request = Message { head: request, body: Vec::new() };
                        noted.lock().expect("no panic").push((number, request.clone()));
                        if answer(&request, &mut wire) == Then::Close {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, asked }
    }

    /// Starts an origin that answers each request with the same bytes, and keeps its connections.
    pub(crate) fn answering(response: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |_, wire| {
            wire.send(&response);
            Then::Keep
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what it was asked, heads only, in order.
    pub(crate) fn asked(&self) -> Vec<Message> {
        self.asked.lock().expect("no panic").iter().map(|(_, request)| request.clone()).collect()
    }

    /// Returns the number of the connection that each request came on.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.asked.lock().expect("no panic").iter().map(|(connection, _)| *connection).collect()
    }
}

/// Returns a request of `method` without content.
pub(crate) fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: proxy.test\r\n\r\n")
}
