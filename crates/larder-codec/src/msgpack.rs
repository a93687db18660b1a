//! MessagePack, the default: compact, quick, and self-describing.
//!
//! A head is a map with the names of its fields, not an array. The names cost about 80 bytes a head;
//! they buy that a later version may add a field, which this one then ignores, under the same codec number.

use larder_core::{Codec, Error, ResponseHead, Result};
use serde::Deserialize;

use crate::error::Cause;
use crate::wire::{FromMap, MAX_DEPTH, Wire};

/// Heads in MessagePack: codec 1, compact and quick.
///
/// # Examples
///
/// ```
/// use http::{Method, StatusCode, Uri};
/// use larder_codec::MessagePack;
/// use larder_core::{Codec, ResponseHead, Timestamp};
///
/// let url = Uri::from_static("https://example.org/");
/// let head = ResponseHead::new(Method::GET, url, StatusCode::OK, Timestamp::from_millis(1_700_000_000_000));
/// let mut bytes = Vec::new();
/// MessagePack.encode(&head, &mut bytes)?;
/// assert_eq!(MessagePack.decode(&bytes)?, head);
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MessagePack;

impl Codec for MessagePack {
    fn id(&self) -> u8 {
        1
    }

    fn name(&self) -> &'static str {
        "msgpack"
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
    rmp_serde::encode::write_named(out, &wire).map_err(|error| Cause::Encode(error.into()))
}

fn decode(bytes: &[u8]) -> Result<ResponseHead, Cause> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    let FromMap::<Wire<'_>>(wire) =
        FromMap::deserialize(&mut deserializer).map_err(|error| Cause::Decode(error.into()))?;
    // The deserializer does not tell where it stands; but a scalar is refused for want of a marker only at the end.
    match bool::deserialize(&mut deserializer) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => wire.into_head(),
        _ => Err(Cause::Trailing),
    }
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
        MessagePack.encode(&head, &mut bytes).unwrap();
        assert_eq!(bytes[0], 0x80 + 8, "a map of eight fields");
        bytes[0] += 1;
        bytes.extend_from_slice(b"\xa5later\x81\xa1x\x92\xc0\xcb\0\0\0\0\0\0\0\0");
        assert_eq!(MessagePack.decode(&bytes).unwrap(), head);
    }
}
