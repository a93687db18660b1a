//! Zstandard (RFC 8878): one frame per body, with a checksum of what it decompresses to.
//!
//! The window is 8 MiB at most on both sides: no level that can be set asks for more, and no frame that asks
//! for more is read.

use std::io::{self, Read, Write};

use larder_core::{Compression, Compressor, Error, ResponseHead, Result};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};
use zstd::stream::write::Encoder;

use crate::error::Cause;
use crate::frame::{cut_off, expect_end, fill, invalid};
use crate::worthwhile::{DEFAULT_MIN_LEN, is_worthwhile};

/// 2 to this power bytes is the largest window that is read.
const WINDOW_LOG_MAX: u32 = 23;
/// The highest level whose window is no larger than that.
const LEVEL_MAX: i32 = 19;
/// The first bytes of a frame. The library would take skippable frames as well, and see empty bodies in them.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
const INPUT_LEN: usize = 64 * 1024;

/// Bodies in Zstandard frames: compression 1.
///
/// # Examples
///
/// ```
/// use std::io::{Cursor, Read};
/// use larder_codec::Zstd;
/// use larder_core::Compression;
///
/// let zstd = Zstd::default().level(7).min_len(4096);
/// let mut compressed = Vec::new();
/// let mut compressor = zstd.compressor()?;
/// compressor.compress(b"to be, or not ", &mut compressed)?;
/// compressor.compress(b"to be", &mut compressed)?;
/// compressor.finish(&mut compressed)?;
///
/// let mut text = String::new();
/// zstd.decompressor(Box::new(Cursor::new(compressed)))?.read_to_string(&mut text)?;
/// assert_eq!(text, "to be, or not to be");
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zstd {
    level: i32,
    min_len: u64,
}

impl Default for Zstd {
    /// Returns level 3, for bodies of 1 KiB or more.
    fn default() -> Self {
        Self { level: 3, min_len: DEFAULT_MIN_LEN }
    }
}

impl Zstd {
    /// Sets the level: 1, the quickest, to 19, the smallest; what lies outside is brought inside.
    #[must_use]
    pub fn level(mut self, level: i32) -> Self {
        self.level = level.clamp(1, LEVEL_MAX);
        self
    }

    /// Sets the length in bytes below which a body is not worth compressing.
    #[must_use]
    pub fn min_len(mut self, min_len: u64) -> Self {
        self.min_len = min_len;
        self
    }
}

impl Compression for Zstd {
    fn id(&self) -> u8 {
        1
    }

    fn name(&self) -> &'static str {
        "zstd"
    }

    fn is_worthwhile(&self, head: &ResponseHead, body_len: Option<u64>) -> bool {
        is_worthwhile(head, body_len, self.min_len)
    }

    fn compressor(&self) -> Result<Box<dyn Compressor>> {
        let mut encoder = Encoder::new(Vec::new(), self.level).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        Ok(Box::new(ZstdCompressor(encoder)))
    }

    fn decompressor(&self, compressed: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
        let mut library = Decoder::new().map_err(failed)?;
        library.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(failed)?;
        Ok(Box::new(Decompressor {
            compressed,
            library,
            input: vec![0; INPUT_LEN].into_boxed_slice(),
            start: 0,
            end: 0,
            state: State::Before,
        }))
    }
}

fn failed(error: io::Error) -> Error {
    Error::from(Cause::Compression(error)).with_context("compression", "zstd")
}

struct ZstdCompressor(Encoder<'static, Vec<u8>>);

impl Compressor for ZstdCompressor {
    fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.0.write_all(input).map_err(failed)?;
        out.append(self.0.get_mut());
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        out.append(&mut self.0.finish().map_err(failed)?);
        Ok(())
    }
}

/// Reads what one frame decompresses to, and makes sure that nothing follows the frame.
struct Decompressor {
    compressed: Box<dyn Read + Send>,
    library: Decoder<'static>,
    /// Compressed bytes; those from `start` to `end` are still to be taken.
    input: Box<[u8]>,
    start: usize,
    end: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No byte has been read.
    Before,
    /// The library wants more input.
    Hungry,
    /// The library may hold output for which there was no room.
    Full,
    /// The frame has ended, and so have the bytes.
    Ended,
    /// The bytes are no frame; every later read says so too.
    Broken,
}

impl Read for Decompressor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || self.state == State::Ended {
            return Ok(0);
        }
        if self.state == State::Broken {
            return Err(invalid("an earlier part of the zstd frame is broken"));
        }
        self.advance(buf).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.state = State::Broken;
            }
        })
    }
}

impl Decompressor {
    /// Decompresses into `buf`, which is not empty, until there is output or the frame ends.
    fn advance(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.state == State::Before {
                fill(&mut self.compressed, &mut self.input[..MAGIC.len()])?;
                if !self.input.starts_with(&MAGIC) {
                    return Err(invalid("not a zstd frame"));
                }
                (self.end, self.state) = (MAGIC.len(), State::Hungry);
            } else if self.start == self.end && self.state == State::Hungry {
                (self.start, self.end) = (0, self.compressed.read(&mut self.input)?);
                if self.end == 0 {
                    return Err(cut_off());
                }
            }
            let mut input = InBuffer::around(&self.input[self.start..self.end]);
            let mut output = OutBuffer::around(&mut *buf);
            let hint = self.library.run(&mut input, &mut output).map_err(invalid)?;
            self.start += input.pos();
            let written = output.pos();
            if hint == 0 {
                if self.start < self.end {
                    return Err(invalid("bytes follow the compressed body"));
                }
                expect_end(&mut self.compressed)?;
                self.state = State::Ended;
                return Ok(written);
            }
            self.state = if written == buf.len() { State::Full } else { State::Hungry };
            if written > 0 {
                return Ok(written);
            }
        }
    }
}
