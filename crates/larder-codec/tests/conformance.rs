//! The cases of the conformance suite for serialization formats, over every format that is compiled in.

#[cfg(feature = "msgpack")]
mod msgpack {
    larder_conformance::codec_tests! { codec: std::sync::Arc::new(larder_codec::MessagePack) }
}

#[cfg(feature = "json")]
mod json {
    larder_conformance::codec_tests! { codec: std::sync::Arc::new(larder_codec::Json) }
}

#[cfg(feature = "cbor")]
mod cbor {
    larder_conformance::codec_tests! { codec: std::sync::Arc::new(larder_codec::Cbor) }
}
