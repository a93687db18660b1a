//! HTTP/1.1 on a socket, byte by byte: requests as the origin sees them, responses as the client sees them.
//!
//! Fields keep their order, their lines and their bytes; nothing is joined, decoded or mended on the way.

use std::{fmt, io};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, ToSocketAddrs};

/// The field lines of a message, in order.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, Vec<u8>)>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |(name, value): &(String, Vec<u8>)| {
            let shown = value.escape_ascii().to_string();
            if shown.len() > 200 {
                format!("{name}: {}…", &shown[..200])
            } else {
                format!("{name}: {shown}")
            }
        };
        f.debug_list().entries(self.0.iter().map(line)).finish()
    }
}

impl Fields {
    /// Returns the values of the lines called `name`, in order.
    pub(super) fn lines(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.0.iter().filter(|(line, _)| line.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_slice()).collect()
    }

    /// Whether a line is called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.lines(name).is_empty()
    }

    /// Returns the lines called `name` as one line of text.
    pub(super) fn text(&self, name: &str) -> String {
        self.lines(name).iter().map(|value| String::from_utf8_lossy(value)).collect::<Vec<_>>().join(", ")
    }

    fn from_parsed(parsed: &[httparse::Header<'_>]) -> Self {
        Self(parsed.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect())
    }
}

/// A request, with its whole content.
#[derive(Debug)]
pub(super) struct Request {
    /// The method.
    pub(super) method: String,
    /// The target, as in the request line.
    pub(super) target: String,
    /// The field lines.
    pub(super) fields: Fields,
    /// The content.
    pub(super) content: Vec<u8>,
}

/// What comes before the content of a response.
#[derive(Clone, Debug)]
pub(super) struct ResponseHead {
    /// The status code.
    pub(super) status: u16,
    /// The field lines.
    pub(super) fields: Fields,
}

/// A response, read to its end or to where it broke off.
#[derive(Debug)]
pub(super) struct Response {
    /// The interim responses that came first.
    pub(super) interim: Vec<ResponseHead>,
    /// The final status and its fields.
    pub(super) head: ResponseHead,
    /// The content, as far as it came.
    pub(super) content: Vec<u8>,
    /// Whether the content came to the end that the head announced.
    pub(super) is_complete: bool,
}

/// A connection, with what was read of it and not yet used.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Reads and writes messages on `stream`.
    pub(super) fn new(stream: TcpStream) -> Self {
        // Without it, interim responses wait for acknowledgements; failing to set it only makes the test slower.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::new() }
    }

    /// Connects to `address`.
    pub(super) async fn open(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::new(TcpStream::connect(address).await?))
    }

    /// Sends these bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads a request, or nothing when the connection ends before one.
    pub(super) async fn request(&mut self) -> io::Result<Option<Request>> {
        let Some(head) = self.head().await? else { return Ok(None) };
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut parsed = httparse::Request::new(&mut lines);
        parsed.parse(&head).map_err(invalid)?;
        let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Fields::from_parsed(parsed.headers),
            content: Vec::new(),
        };
        if request.fields.has("Transfer-Encoding") {
            self.chunks(&mut request.content).await?;
        } else if let Some(length) = length(&request.fields) {
            self.exactly(length, &mut request.content).await?;
        }
        Ok(Some(request))
    }

    /// Reads the head of the next response, an interim one included.
    pub(super) async fn response_head(&mut self) -> io::Result<ResponseHead> {
        let head = self.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut parsed = httparse::Response::new(&mut lines);
        parsed.parse(&head).map_err(invalid)?;
        Ok(ResponseHead {
            status: parsed.code.unwrap_or_default(),
            fields: Fields::from_parsed(parsed.headers),
        })
    }

    /// Reads a final response with its content, and the interim ones before it.
    ///
    /// Content that breaks off is no error here: the response says that it is not complete.
    pub(super) async fn response(&mut self, method: &str) -> io::Result<Response> {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.response_head().await?;
            if head.status >= 200 {
                break head;
            }
            interim.push(head);
        };
        let mut content = Vec::new();
        let is_complete = self.content_of(&head, method, &mut content).await.is_ok();
        Ok(Response { interim, head, content, is_complete })
    }

    /// Reads the content that `head` announces into `content`, which holds what came when it breaks off.
    pub(super) async fn content_of(
        &mut self,
        head: &ResponseHead,
        method: &str,
        content: &mut Vec<u8>,
    ) -> io::Result<()> {
        if method == "HEAD" || head.status == 204 || head.status == 304 {
            Ok(())
        } else if head.fields.has("Transfer-Encoding") {
            self.chunks(content).await
        } else if let Some(length) = length(&head.fields) {
            self.exactly(length, content).await
        } else {
            content.append(&mut self.buffer);
            self.stream.read_to_end(content).await.map(drop)
        }
    }

    /// Reads `count` bytes, or fewer when the connection ends, which is an error.
    pub(super) async fn exactly(&mut self, count: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let mut missing = count;
        loop {
            let taken = missing.min(self.buffer.len());
            into.extend(self.buffer.drain(..taken));
            missing -= taken;
            if missing == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn chunks(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((line, size))) => {
                    self.buffer.drain(..line);
                    if size == 0 {
                        return self.trailer().await;
                    }
                    self.exactly(usize::try_from(size).map_err(invalid)?, into).await?;
                    self.exactly(2, &mut Vec::new()).await?;
                }
                Ok(httparse::Status::Partial) => self.fill().await?,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Reads past the trailer section.
    async fn trailer(&mut self) -> io::Result<()> {
        loop {
            let Some(end) = find(&self.buffer, b"\r\n") else {
                self.fill().await?;
                continue;
            };
            self.buffer.drain(..end + 2);
            if end == 0 {
                return Ok(());
            }
        }
    }

    async fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            if let Some(end) = find(&self.buffer[searched..], b"\r\n\r\n") {
                return Ok(Some(self.buffer.drain(..searched + end + 4).collect()));
            }
            searched = self.buffer.len().saturating_sub(3);
            match self.fill().await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.buffer.is_empty() => {
                    return Ok(None);
                }
                filled => filled?,
            }
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(64 * 1024);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// More lines than any case has.
const MAX_LINES: usize = 256;

fn length(fields: &Fields) -> Option<usize> {
    fields.text("Content-Length").parse().ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
