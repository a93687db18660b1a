//! Why a codec or a compression failed, mapped once to [`Error`].
//!
//! The message of a cause leaves out what its source says, and the source takes its place in the chain: whoever
//! prints a chain prints each sentence once.

use larder_core::{BoxError, Error, ErrorKind};

/// The cause of a failure in this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// A field of a head that is to be encoded has a value that would not be read back.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the {0} of the response cannot be expressed")]
    Inexpressible(&'static str),
    /// The serializer refused the head.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the response head cannot be encoded")]
    Encode(#[source] BoxError),
    /// The bytes are not in the format, or not of the schema.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("not the encoding of a response head")]
    Decode(#[source] BoxError),
    /// A field of a decoded head has a value that HTTP does not allow.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the encoded {field} is not valid")]
    Invalid { field: &'static str, source: BoxError },
    /// The head ends before its bytes do.
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    #[error("bytes follow the encoding of the response head")]
    Trailing,
    /// The compression library could not be set up, or failed on good input.
    #[cfg(any(feature = "zstd", feature = "lz4"))]
    #[error("the compression library failed")]
    Compression(#[source] std::io::Error),
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        let message = cause.to_string();
        let (kind, source): (_, Option<BoxError>) = match cause {
            #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
            Cause::Inexpressible(_) => (ErrorKind::InvalidInput, None),
            #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
            Cause::Encode(source) => (ErrorKind::InvalidInput, Some(source)),
            #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
            Cause::Decode(source) | Cause::Invalid { source, .. } => (ErrorKind::Corrupt, Some(source)),
            #[cfg(any(feature = "msgpack", feature = "cbor"))]
            Cause::Trailing => (ErrorKind::Corrupt, None),
            #[cfg(any(feature = "zstd", feature = "lz4"))]
            Cause::Compression(source) => (ErrorKind::Other, Some(source.into())),
        };
        let error = Self::new(kind, message);
        match source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}
