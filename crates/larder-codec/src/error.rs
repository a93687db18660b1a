//! Why a codec or a compression failed, mapped once to [`Error`].

use larder_core::{Error, ErrorKind};

/// The cause of a failure in this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// A field of a head that is to be encoded has a value that would not be read back.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the {0} of the response cannot be expressed")]
    Inexpressible(&'static str),
    /// The serializer refused the head.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the response head cannot be encoded: {0}")]
    Encode(#[source] larder_core::BoxError),
    /// The bytes are not in the format, or not of the schema.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("not the encoding of a response head: {0}")]
    Decode(#[source] larder_core::BoxError),
    /// A field of a decoded head has a value that HTTP does not allow.
    #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
    #[error("the encoded {field} is not valid: {source}")]
    Invalid { field: &'static str, source: larder_core::BoxError },
    /// The head ends before its bytes do.
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    #[error("bytes follow the encoding of the response head")]
    Trailing,
    /// The compression library could not be set up, or failed on good input.
    #[cfg(any(feature = "zstd", feature = "lz4"))]
    #[error("the compression library failed: {0}")]
    Compression(#[source] std::io::Error),
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        let kind = match cause {
            #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
            Cause::Inexpressible(_) | Cause::Encode(_) => ErrorKind::InvalidInput,
            #[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
            Cause::Decode(_) | Cause::Invalid { .. } => ErrorKind::Corrupt,
            #[cfg(any(feature = "msgpack", feature = "cbor"))]
            Cause::Trailing => ErrorKind::Corrupt,
            #[cfg(any(feature = "zstd", feature = "lz4"))]
            Cause::Compression(_) => ErrorKind::Other,
        };
        Self::new(kind, cause.to_string()).with_source(cause)
    }
}
