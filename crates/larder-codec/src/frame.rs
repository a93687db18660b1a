//! What the readers of compressed frames share: a frame that is cut off, broken or followed by more is an
//! error, never an early end.

use std::io::{self, ErrorKind, Read};

use larder_core::BoxError;

/// Returns the error for bytes that no compressor wrote.
pub(crate) fn invalid(error: impl Into<BoxError>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// Returns the error for bytes that end within a frame.
pub(crate) fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the compressed body is cut off")
}

/// Reads until `buf` is full; unlike `read_exact` it tells an end of the bytes from an error of `source`.
pub(crate) fn fill(source: &mut dyn Read, buf: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buf.len() {
        match source.read(&mut buf[filled..]) {
            Ok(0) => return Err(cut_off()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes sure that `source` has ended.
pub(crate) fn expect_end(source: &mut dyn Read) -> io::Result<()> {
    loop {
        match source.read(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) => return Err(invalid("bytes follow the compressed body")),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
