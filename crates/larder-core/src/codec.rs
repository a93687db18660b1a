//! What a serialization format and a compression do, and the set of them that a store is opened with.
//!
//! Every entry names, by number, the codec and the compression that it was written with; a store reads whatever
//! of them it was given, whichever it writes.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use crate::{ResponseHead, Result};

/// A serialization format for the head of a response.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// Returns the number that entries name this format by: 1 to 127 are larder's, 128 to 255 anybody's.
    fn id(&self) -> u8;

    /// Returns the format's name, in lower case.
    fn name(&self) -> &'static str;

    /// Appends the encoding of `head` to `out`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when the format cannot express the head.
    fn encode(&self, head: &ResponseHead, out: &mut Vec<u8>) -> Result<()>;

    /// Returns the head that `bytes` encode.
    ///
    /// It takes any bytes: it does not panic, and allocates and recurses no more than in proportion to them.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::ErrorKind::Corrupt) when `bytes` are not the encoding of a head.
    fn decode(&self, bytes: &[u8]) -> Result<ResponseHead>;
}

/// A compression of bodies.
pub trait Compression: fmt::Debug + Send + Sync + 'static {
    /// Returns the number that entries name this compression by: 1 to 127 are larder's, 128 to 255 anybody's.
    fn id(&self) -> u8;

    /// Returns the compression's name, in lower case.
    fn name(&self) -> &'static str;

    /// Returns whether a body of this head is worth compressing; `body_len` is its length, if it is known.
    fn is_worthwhile(&self, head: &ResponseHead, body_len: Option<u64>) -> bool;

    /// Returns a compressor for one body.
    ///
    /// # Errors
    ///
    /// [`Other`](crate::ErrorKind::Other) when the library cannot be set up.
    fn compressor(&self) -> Result<Box<dyn Compressor>>;

    /// Returns a reader of what `compressed` decompresses to.
    ///
    /// It holds a bounded amount of memory whatever it reads, and fails with
    /// [`std::io::ErrorKind::InvalidData`] or [`std::io::ErrorKind::UnexpectedEof`] on bytes that no
    /// compressor wrote.
    ///
    /// # Errors
    ///
    /// [`Other`](crate::ErrorKind::Other) when the library cannot be set up.
    fn decompressor(&self, compressed: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>>;
}

/// A compression under way, of one body.
pub trait Compressor: Send {
    /// Takes `input` and appends what output is ready to `out`.
    ///
    /// # Errors
    ///
    /// [`Other`](crate::ErrorKind::Other) when the library fails.
    fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Appends the rest of the output to `out`.
    ///
    /// # Errors
    ///
    /// [`Other`](crate::ErrorKind::Other) when the library fails.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()>;
}

/// The formats of a store: one codec and at most one compression to write, any number to read.
///
/// `larder-codec` makes one of everything that is compiled in.
#[derive(Debug, Clone)]
pub struct Codecs {
    writer: Arc<dyn Codec>,
    readers: Vec<Arc<dyn Codec>>,
    compression: Option<Arc<dyn Compression>>,
    decompressions: Vec<Arc<dyn Compression>>,
}

impl Codecs {
    /// Returns a set that writes and reads `codec`, without compression.
    #[must_use]
    pub fn new(codec: Arc<dyn Codec>) -> Self {
        Self { writer: codec, readers: Vec::new(), compression: None, decompressions: Vec::new() }
    }

    /// Adds a codec to read; one with the number of a codec that is there already is ignored.
    #[must_use]
    pub fn and_read(mut self, codec: Arc<dyn Codec>) -> Self {
        if self.codec(codec.id()).is_none() {
            self.readers.push(codec);
        }
        self
    }

    /// Sets the compression to write; it is also read.
    #[must_use]
    pub fn compress_with(mut self, compression: Arc<dyn Compression>) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Adds a compression to read; one with the number of a compression that is there already is ignored.
    #[must_use]
    pub fn and_decompress(mut self, compression: Arc<dyn Compression>) -> Self {
        if self.decompression(compression.id()).is_none() {
            self.decompressions.push(compression);
        }
        self
    }

    /// Returns the codec that is written.
    #[must_use]
    pub fn writer(&self) -> &Arc<dyn Codec> {
        &self.writer
    }

    /// Returns the codec of number `id`, if it is in the set.
    #[must_use]
    pub fn codec(&self, id: u8) -> Option<&Arc<dyn Codec>> {
        std::iter::once(&self.writer).chain(&self.readers).find(|codec| codec.id() == id)
    }

    /// Returns the compression to write the body of `head` with, if there is one and it is worthwhile.
    #[must_use]
    pub fn compression_for(
        &self,
        head: &ResponseHead,
        body_len: Option<u64>,
    ) -> Option<&Arc<dyn Compression>> {
        self.compression.as_ref().filter(|compression| compression.is_worthwhile(head, body_len))
    }

    /// Returns the compression of number `id`, if it is in the set.
    #[must_use]
    pub fn decompression(&self, id: u8) -> Option<&Arc<dyn Compression>> {
        self.compression.iter().chain(&self.decompressions).find(|compression| compression.id() == id)
    }
}
