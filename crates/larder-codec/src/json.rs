//! JSON, for heads that people read: indented, every field named, header values as text.

use larder_core::{Codec, Error, ResponseHead, Result};

use crate::error::Cause;
use crate::wire::{FromMap, Wire};

/// Heads in JSON: codec 2, readable and searchable in any editor.
///
/// # Examples
///
/// ```
/// use http::{HeaderValue, Method, StatusCode, Uri};
/// use larder_codec::Json;
/// use larder_core::{Codec, ResponseHead, Timestamp};
///
/// let url = Uri::from_static("https://example.org/");
/// let mut head = ResponseHead::new(Method::GET, url, StatusCode::OK, Timestamp::from_millis(1_700_000_000_000));
/// head.headers.append("content-type", HeaderValue::from_static("text/html"));
/// head.headers.append("set-cookie", HeaderValue::from_static("a=1"));
/// head.headers.append("set-cookie", HeaderValue::from_static("b=2"));
///
/// let mut bytes = Vec::new();
/// Json.encode(&head, &mut bytes)?;
/// assert_eq!(
///     String::from_utf8_lossy(&bytes),
///     r#"{
///   "method": "GET",
///   "url": "https://example.org/",
///   "status": 200,
///   "version": "HTTP/1.1",
///   "requested_at": 1700000000000,
///   "received_at": 1700000000000,
///   "created_at": 1700000000000,
///   "headers": {
///     "content-type": "text/html",
///     "set-cookie": [
///       "a=1",
///       "b=2"
///     ]
///   }
/// }"#
/// );
/// assert_eq!(Json.decode(&bytes)?, head);
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Json;

impl Codec for Json {
    fn id(&self) -> u8 {
        2
    }

    fn name(&self) -> &'static str {
        "json"
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
    serde_json::to_writer_pretty(out, &wire).map_err(|error| Cause::Encode(error.into()))
}

fn decode(bytes: &[u8]) -> Result<ResponseHead, Cause> {
    // It limits the depth to 128 by itself, skips unknown fields without recursion, and refuses trailing bytes
    // other than white space.
    let FromMap::<Wire<'_>>(wire) =
        serde_json::from_slice(bytes).map_err(|error| Cause::Decode(error.into()))?;
    wire.into_head()
}
