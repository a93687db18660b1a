//! The ways to set up a file store that tasks go through: layout of the directory, system calls, formats.

use std::path::Path;
use std::sync::Arc;

use larder_codec::{Cbor, Json, Lz4, MessagePack, Zstd};
use larder_core::{Codec, Codecs};
use larder_file::{FanOut, FileStore, FileStoreBuilder};

/// A serialization format of larder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Msgpack,
    Json,
    Cbor,
}

impl Format {
    /// Every format.
    pub(crate) const ALL: [Self; 3] = [Self::Msgpack, Self::Json, Self::Cbor];

    /// Returns its name, which is that of its feature.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Msgpack => "msgpack",
            Self::Json => "json",
            Self::Cbor => "cbor",
        }
    }

    /// Returns its codec.
    pub(crate) fn codec(self) -> Arc<dyn Codec> {
        match self {
            Self::Msgpack => Arc::new(MessagePack),
            Self::Json => Arc::new(Json),
            Self::Cbor => Arc::new(Cbor),
        }
    }

    /// Returns the formats of a store that writes it and reads every other.
    pub(crate) fn codecs(self) -> Codecs {
        larder_codec::codecs(self.codec())
    }
}

/// Whether bodies are compressed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Compressed {
    None,
    Zstd,
    Lz4,
}

impl Compressed {
    /// Returns `codecs` with this compression to write.
    pub(crate) fn with(self, codecs: Codecs) -> Codecs {
        match self {
            Self::None => codecs,
            Self::Zstd => codecs.compress_with(Arc::new(Zstd::default())),
            Self::Lz4 => codecs.compress_with(Arc::new(Lz4::default())),
        }
    }
}

/// How a file store is laid out, and by which system calls it works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    /// What a table calls it.
    pub(crate) name: &'static str,
    fan_out: FanOut,
    portable: bool,
}

impl Variant {
    /// Every variant.
    pub(crate) const ALL: [Self; 4] = [
        Self { name: "file, flat", fan_out: FanOut::Flat, portable: false },
        Self { name: "file, fan-out", fan_out: FanOut::Wide, portable: false },
        Self { name: "file, flat, portable", fan_out: FanOut::Flat, portable: true },
        Self { name: "file, fan-out, portable", fan_out: FanOut::Wide, portable: true },
    ];

    /// Returns the builder of such a store in `directory`.
    pub(crate) fn builder(self, directory: &Path, codecs: Codecs) -> FileStoreBuilder {
        FileStore::builder(directory, codecs).fan_out(self.fan_out).portable(self.portable)
    }
}
