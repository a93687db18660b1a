//! LZ4 in its frame format: one frame per body, of independent blocks of 64 KiB, with a checksum of the whole.
//!
//! The library's frame reader takes the end of its input for the end of the frame, wherever it comes. So it
//! reads through an [`Outline`], which follows the frame's structure and knows where its end is.

use std::io::{self, Read, Write};

use larder_core::{Compression, Compressor, Error, ResponseHead, Result};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use crate::error::Cause;
use crate::frame::{cut_off, expect_end, fill, invalid};
use crate::worthwhile::{DEFAULT_MIN_LEN, is_worthwhile};

/// Bodies in LZ4 frames: compression 2.
///
/// # Examples
///
/// ```
/// use std::io::{Cursor, Read};
/// use larder_codec::Lz4;
/// use larder_core::Compression;
///
/// let lz4 = Lz4::default().min_len(4096);
/// let mut compressed = Vec::new();
/// let mut compressor = lz4.compressor()?;
/// compressor.compress(b"to be, or not ", &mut compressed)?;
/// compressor.compress(b"to be", &mut compressed)?;
/// compressor.finish(&mut compressed)?;
///
/// let mut text = String::new();
/// lz4.decompressor(Box::new(Cursor::new(compressed)))?.read_to_string(&mut text)?;
/// assert_eq!(text, "to be, or not to be");
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lz4 {
    min_len: u64,
}

impl Default for Lz4 {
    /// Returns the compression for bodies of 1 KiB or more.
    fn default() -> Self {
        Self { min_len: DEFAULT_MIN_LEN }
    }
}

impl Lz4 {
    /// Sets the length in bytes below which a body is not worth compressing.
    #[must_use]
    pub fn min_len(mut self, min_len: u64) -> Self {
        self.min_len = min_len;
        self
    }
}

impl Compression for Lz4 {
    fn id(&self) -> u8 {
        2
    }

    fn name(&self) -> &'static str {
        "lz4"
    }

    fn is_worthwhile(&self, head: &ResponseHead, body_len: Option<u64>) -> bool {
        is_worthwhile(head, body_len, self.min_len)
    }

    fn compressor(&self) -> Result<Box<dyn Compressor>> {
        let info = FrameInfo::new()
            .block_size(BlockSize::Max64KB)
            .block_mode(BlockMode::Independent)
            .content_checksum(true);
        Ok(Box::new(Lz4Compressor(FrameEncoder::with_frame_info(info, Vec::new()))))
    }

    fn decompressor(&self, compressed: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(Decompressor {
            library: FrameDecoder::new(Outline::new(compressed)),
            state: State::Within,
        }))
    }
}

struct Lz4Compressor(FrameEncoder<Vec<u8>>);

impl Compressor for Lz4Compressor {
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

fn failed(error: impl Into<io::Error>) -> Error {
    Error::from(Cause::Compression(error.into())).with_context("compression", "lz4")
}

/// Reads what one frame decompresses to, and makes sure that nothing follows the frame.
struct Decompressor {
    library: FrameDecoder<Outline>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// The frame has not ended yet.
    Within,
    /// The frame has ended, and so have the bytes.
    Ended,
    /// The bytes are no frame; every later read says so too.
    Broken,
}

impl Read for Decompressor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        match self.state {
            State::Within => {}
            State::Ended => return Ok(0),
            State::Broken => return Err(invalid("an earlier part of the lz4 frame is broken")),
        }
        self.state = State::Broken;
        let read = self.library.read(buf).map_err(as_invalid)?;
        if read == 0 {
            self.library.get_mut().expect_end()?;
            self.state = State::Ended;
        } else {
            self.state = State::Within;
        }
        Ok(read)
    }
}

/// The library calls some broken blocks an error of another kind.
fn as_invalid(error: io::Error) -> io::Error {
    match error.get_ref() {
        Some(inner) if inner.is::<lz4_flex::frame::Error>() => invalid(error),
        _ => error,
    }
}

/// The bytes of one frame, whose end is known only when its end mark and its checksum have been read.
///
/// It admits the frames that [`Lz4`] writes and those with larger blocks: version 1, independent blocks, a
/// checksum of the content, no dictionary. A block has at most 4 MiB, so that the library holds at most 8 MiB.
struct Outline {
    source: Box<dyn Read + Send>,
    /// The header, the length of a block, or the end mark and the checksum; what is left of it is to be read.
    staged: [u8; STAGED_LEN],
    unread: std::ops::Range<usize>,
    /// How many bytes of a block are left.
    block_left: u32,
    next: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Header,
    Block,
    Nothing,
}

const STAGED_LEN: usize = 8;
const HEADER_LEN: usize = 7;
const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
/// Version 1, independent blocks, a checksum of the content.
const FLAGS: u8 = 0b0110_0100;
/// The blocks' sizes that there are, 64 KiB to 4 MiB.
const BLOCK_SIZES: [u8; 4] = [0x40, 0x50, 0x60, 0x70];
/// The bit of a block's length that says that the block is not compressed.
const UNCOMPRESSED: u32 = 1 << 31;

impl Outline {
    fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, staged: [0; STAGED_LEN], unread: 0..0, block_left: 0, next: Part::Header }
    }

    /// Makes sure that the frame has been read to its end, and that nothing follows it.
    fn expect_end(&mut self) -> io::Result<()> {
        match self.next {
            Part::Nothing if self.unread.is_empty() => expect_end(&mut self.source),
            _ => Err(cut_off()),
        }
    }

    fn stage_header(&mut self) -> io::Result<()> {
        fill(&mut self.source, &mut self.staged[..HEADER_LEN])?;
        let [m0, m1, m2, m3, flags, block_size, ..] = self.staged;
        if [m0, m1, m2, m3] != MAGIC || flags != FLAGS || !BLOCK_SIZES.contains(&block_size) {
            return Err(invalid("not an lz4 frame of the kind that is written"));
        }
        (self.unread, self.next) = (0..HEADER_LEN, Part::Block);
        Ok(())
    }

    fn stage_block(&mut self) -> io::Result<()> {
        let (length, checksum) = self.staged.split_at_mut(4);
        fill(&mut self.source, length)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        if length == 0 {
            fill(&mut self.source, checksum)?;
            (self.unread, self.next) = (0..STAGED_LEN, Part::Nothing);
            return Ok(());
        }
        self.block_left = length & !UNCOMPRESSED;
        if self.block_left == 0 {
            return Err(invalid("an empty block in the lz4 frame"));
        }
        self.unread = 0..4;
        Ok(())
    }
}

impl Read for Outline {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() && self.block_left == 0 {
            match self.next {
                Part::Header => self.stage_header()?,
                Part::Block => self.stage_block()?,
                Part::Nothing => return Ok(0),
            }
        }
        if !self.unread.is_empty() {
            let n = self.unread.len().min(buf.len());
            buf[..n].copy_from_slice(&self.staged[self.unread.start..self.unread.start + n]);
            self.unread.start += n;
            return Ok(n);
        }
        let most = buf.len().min(usize::try_from(self.block_left).unwrap_or(usize::MAX));
        let n = self.source.read(&mut buf[..most])?;
        self.block_left -= u32::try_from(n).unwrap_or(self.block_left);
        if n == 0 && most > 0 { Err(cut_off()) } else { Ok(n) }
    }
}
