//! CBOR (RFC 8949): the schema of the other codecs, in a format that has a standard and many readers.

use larder_core::{Codec, Error, ResponseHead, Result};

use crate::error::Cause;
use crate::wire::{FromMap, MAX_DEPTH, Wire};

/// Heads in CBOR (RFC 8949): codec 3.
///
/// # Examples
///
/// ```
/// use http::{Method, StatusCode, Uri};
/// use larder_codec::Cbor;
/// use larder_core::{Codec, ResponseHead, Timestamp};
///
/// let url = Uri::from_static("https://example.org/");
/// let head = ResponseHead::new(Method::GET, url, StatusCode::OK, Timestamp::from_millis(1_700_000_000_000));
/// let mut bytes = Vec::new();
/// Cbor.encode(&head, &mut bytes)?;
/// assert_eq!(Cbor.decode(&bytes)?, head);
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cbor;

impl Codec for Cbor {
    fn id(&self) -> u8 {
        3
    }

    fn name(&self) -> &'static str {
        "cbor"
    }

    fn encode(&self, head: &ResponseHead, out: &mut Vec<u8>) -> Result<()> {
        encode(head, out).map_err(|cause| Error::from(cause).with_context("codec", self.name()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<ResponseHead> {
        decode(bytes).map_err(|cause| Error::from(cause).with_context("codec", self.name()))
    }
}

fn encode(head: &ResponseHead, out: &mut Vec<u8>) -> Result<(), Cause> {
    let wire = Wire::from_head(head)?;
    ciborium::into_writer(&wire, out).map_err(|error| Cause::Encode(error.into()))
}

fn decode(bytes: &[u8]) -> Result<ResponseHead, Cause> {
    let mut rest = bytes;
    let FromMap::<Wire<'_>>(wire) = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH)
        .map_err(|error| Cause::Decode(error.into()))?;
    if rest.is_empty() { wire.into_head() } else { Err(Cause::Trailing) }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode, Uri};
    use larder_core::Timestamp;

    use super::*;

    #[test]
    fn a_field_of_a_later_version_is_ignored() {
        let url = Uri::from_static("/");
        let head = ResponseHead::new(Method::GET, url, StatusCode::OK, Timestamp::UNIX_EPOCH);
        let mut bytes = Vec::new();
        Cbor.encode(&head, &mut bytes).unwrap();
        assert_eq!(bytes[0], 0xa0 + 8, "a map of eight fields");
        bytes[0] += 1;
        bytes.extend_from_slice(b"\x65later\xa1\x61x\x82\xf6\xfb\0\0\0\0\0\0\0\0");
        assert_eq!(Cbor.decode(&bytes).unwrap(), head);
    }
}
