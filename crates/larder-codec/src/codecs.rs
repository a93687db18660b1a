//! The set of everything that is compiled in: what a store can read does not depend on what it writes.

use std::sync::Arc;

use larder_core::{Codec, Codecs, Compression};

/// Returns the set that writes with `writer` and reads everything compiled in.
///
/// Bodies are written as they are; [`Codecs::compress_with`] sets a compression to write.
#[must_use]
pub fn codecs(writer: Arc<dyn Codec>) -> Codecs {
    let readers: [Arc<dyn Codec>; _] = [
        #[cfg(feature = "msgpack")]
        Arc::new(crate::MessagePack),
        #[cfg(feature = "json")]
        Arc::new(crate::Json),
        #[cfg(feature = "cbor")]
        Arc::new(crate::Cbor),
    ];
    let decompressions: [Arc<dyn Compression>; _] = [
        #[cfg(feature = "zstd")]
        Arc::new(crate::Zstd::default()),
        #[cfg(feature = "lz4")]
        Arc::new(crate::Lz4::default()),
    ];
    let codecs = readers.into_iter().fold(Codecs::new(writer), Codecs::and_read);
    decompressions.into_iter().fold(codecs, Codecs::and_decompress)
}

/// Returns the set that writes MessagePack, without compression, and reads everything compiled in.
///
/// # Examples
///
/// ```
/// let codecs = larder_codec::default_codecs();
/// assert_eq!(codecs.writer().name(), "msgpack");
/// ```
#[cfg(feature = "msgpack")]
#[must_use]
pub fn default_codecs() -> Codecs {
    codecs(Arc::new(crate::MessagePack))
}
