//! Serialization formats for the head of a response, and compressions of its body, for larder.
//!
//! A codec and a compression are values: a store is opened with a set of them, writes with one, and reads
//! whatever the set holds, because every entry names its codec and its compression by number.
//!
//! | type | feature | number | what it is for |
//! |---|---|---|---|
//! | `MessagePack` | `msgpack` (default) | codec 1 | compact and quick; the default |
//! | `Json` | `json` | codec 2 | a head that can be read and searched in any editor |
//! | `Cbor` | `cbor` | codec 3 | the same in RFC 8949, for readers in other languages |
//! | `Zstd` | `zstd` | compression 1 | smaller bodies; brings a C library |
//! | `Lz4` | `lz4` | compression 2 | quicker and less small; pure Rust |
//!
//! [`codecs`] puts everything that is compiled in into one set.
//!
//! Features are additive: turning one on adds to what can be read, and never changes what is written.
//!
//! # What is stored of a head
//!
//! All codecs write the same flat map of named fields. Fields that are absent or empty are left out, and a
//! reader ignores names that it does not know, so that a later version may add a field without a new format.
//!
//! | name | value |
//! |---|---|
//! | `method`, `url` | text |
//! | `status` | integer, 100 to 999 |
//! | `version` | text: `HTTP/0.9`, `HTTP/1.0`, `HTTP/1.1`, `HTTP/2` or `HTTP/3` |
//! | `reason` | text; optional |
//! | `requested_at`, `received_at`, `created_at` | integer: milliseconds since 1970, in UTC |
//! | `expires_at`, `delete_at` | the same; optional |
//! | `headers` | map of a field's name to its value, or to an array of its values when there are several |
//! | `vary_fields` | the same; optional |
//! | `variants` | array of maps of `nominated`, an array of field names, and `key`, a cache key; both text; optional |
//! | `history` | array of maps of `method`, `url`, `status` and `headers`; optional |
//! | `metadata` | map of text to text; optional |
//!
//! The value of a header field is a byte string in `MessagePack` and `Cbor`. In `Json` it is text whose
//! characters U+0000 to U+00FF are the bytes 0x00 to 0xFF, so that it is readable and loses nothing. The mark
//! that a value is sensitive ([`http::HeaderValue::is_sensitive`]) is not kept.

mod codecs;
#[cfg(any(feature = "msgpack", feature = "json", feature = "cbor", feature = "zstd", feature = "lz4"))]
mod error;

#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;

#[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
mod fields;
#[cfg(any(feature = "msgpack", feature = "json", feature = "cbor"))]
mod wire;

#[cfg(any(feature = "zstd", feature = "lz4"))]
mod frame;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(any(feature = "zstd", feature = "lz4"))]
mod worthwhile;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(feature = "zstd")]
pub use self::zstd::Zstd;
#[cfg(feature = "cbor")]
pub use cbor::Cbor;
pub use codecs::codecs;
#[cfg(feature = "msgpack")]
pub use codecs::default_codecs;
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "lz4")]
pub use lz4::Lz4;
#[cfg(feature = "msgpack")]
pub use msgpack::MessagePack;
