//! What the origin of a case answers, down to the bytes.
//!
//! A reply says only what its case is about: a `Date`, a body of its own and the framing come by themselves.

use std::io;
use std::time::SystemTime;

use super::lines::Braces;
use super::origin::Asked;

/// One scripted response.
#[derive(Clone)]
pub(super) struct Reply {
    /// The status code.
    pub(super) status: u16,
    lines: Vec<Vec<u8>>,
    text: Option<Vec<u8>>,
    has_date: bool,
    framing: Framing,
    interim: Vec<(u16, Vec<Vec<u8>>)>,
    surplus: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunks,
    Close,
    CutLength,
    CutChunks,
}

/// A 200 response with these field lines.
pub(super) fn ok(lines: &[&str]) -> Reply {
    reply(200, lines)
}

/// A 304 response with these field lines.
pub(super) fn not_modified(lines: &[&str]) -> Reply {
    reply(304, lines)
}

/// A response of this status with these field lines.
pub(super) fn reply(status: u16, lines: &[&str]) -> Reply {
    Reply {
        status,
        lines: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
        text: None,
        has_date: true,
        framing: Framing::Length,
        interim: Vec::new(),
        surplus: "",
    }
}

impl Reply {
    /// Adds a line of any bytes.
    pub(super) fn with(mut self, line: impl Into<Vec<u8>>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Has this content instead of one that names the case and the exchange.
    pub(super) fn text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Has no `Date`.
    pub(super) fn undated(mut self) -> Self {
        self.has_date = false;
        self
    }

    /// Comes in chunks.
    pub(super) fn chunked(mut self) -> Self {
        self.framing = Framing::Chunks;
        self
    }

    /// Ends with the connection, without a length.
    pub(super) fn until_close(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// Breaks off half-way through the content that its length announces.
    pub(super) fn cut(mut self) -> Self {
        self.framing = Framing::CutLength;
        self
    }

    /// Breaks off in the middle of its chunks.
    pub(super) fn cut_chunks(mut self) -> Self {
        self.framing = Framing::CutChunks;
        self
    }

    /// Is followed by bytes that belong to no response.
    pub(super) fn surplus(mut self, bytes: &'static str) -> Self {
        self.surplus = bytes;
        self
    }

    /// Comes after an interim response.
    pub(super) fn after(mut self, status: u16, lines: &[&str]) -> Self {
        self.interim.push((status, lines.iter().map(|line| line.as_bytes().to_vec()).collect()));
        self
    }

    /// Returns the content, which is `own` when the case does not say.
    pub(super) fn content<'a>(&'a self, own: &'a [u8]) -> &'a [u8] {
        self.text.as_deref().unwrap_or(own)
    }

    /// Returns the whole response as it goes over the wire, and whether the connection ends with it.
    pub(super) fn bytes(&self, method: &str, own: &[u8], braces: &Braces) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        for (status, lines) in &self.interim {
            push_head(&mut bytes, *status, lines, braces);
            bytes.extend_from_slice(b"\r\n");
        }
        push_head(&mut bytes, self.status, &self.lines, braces);
        if self.has_date && !self.has("date") {
            let now = httpdate::fmt_http_date(SystemTime::now());
            bytes.extend_from_slice(format!("Date: {now}\r\n").as_bytes());
        }
        let content = self.content(own);
        let has_content = self.status != 304 && self.status != 204;
        match self.framing {
            _ if !has_content || self.has("content-length") => {}
            Framing::Length | Framing::CutLength => {
                bytes.extend_from_slice(format!("Content-Length: {}\r\n", content.len()).as_bytes());
            }
            Framing::Chunks | Framing::CutChunks => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            }
            Framing::Close => bytes.extend_from_slice(b"Connection: close\r\n"),
        }
        bytes.extend_from_slice(b"\r\n");
        if has_content && method != "HEAD" {
            let (first, second) = content.split_at(content.len() / 2);
            match self.framing {
                Framing::Length | Framing::Close => bytes.extend_from_slice(content),
                Framing::CutLength => bytes.extend_from_slice(first),
                Framing::Chunks => {
                    push_chunk(&mut bytes, first);
                    push_chunk(&mut bytes, second);
                    bytes.extend_from_slice(b"0\r\n\r\n");
                }
                Framing::CutChunks => push_chunk(&mut bytes, first),
            }
        }
        bytes.extend_from_slice(self.surplus.as_bytes());
        let ends = matches!(self.framing, Framing::Close | Framing::CutLength | Framing::CutChunks);
        (bytes, ends)
    }

    /// Sends the response, and either ends the connection or waits for the next request on it.
    pub(super) async fn answer(&self, mut asked: Asked, own: &[u8], braces: &Braces) -> io::Result<()> {
        let (bytes, ends) = self.bytes(&asked.request.method, own, braces);
        asked.wire.send(&bytes).await?;
        if !ends {
            asked.keep_alive();
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|line| {
            let end = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            line[..end].eq_ignore_ascii_case(name.as_bytes())
        })
    }
}

fn push_head(bytes: &mut Vec<u8>, status: u16, lines: &[Vec<u8>], braces: &Braces) {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    bytes.extend_from_slice(format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or("Other")).as_bytes());
    for line in lines {
        bytes.extend_from_slice(&braces.fill(line));
        bytes.extend_from_slice(b"\r\n");
    }
}

fn push_chunk(bytes: &mut Vec<u8>, chunk: &[u8]) {
    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
    bytes.extend_from_slice(chunk);
    bytes.extend_from_slice(b"\r\n");
}
