//! The conformance suite on the file store: every codec, both layouts, both flavours of the file system.

use std::path::PathBuf;
use std::sync::Arc;

use larder_codec::{Cbor, Json, Lz4, MessagePack, Zstd};
use larder_conformance::{Fixture, Instance};
use larder_core::{BoxError, CacheKey, Codec, Codecs, async_trait};
use larder_file::{FanOut, FileStore, FileStoreBuilder};
use tempfile::TempDir;

type Configure = fn(FileStoreBuilder) -> FileStoreBuilder;

struct Files {
    dir: TempDir,
    codecs: Codecs,
    configure: Configure,
}

fn files(codec: impl Codec, configure: Configure) -> Files {
    files_of(larder_codec::codecs(Arc::new(codec)), configure)
}

fn files_of(codecs: Codecs, configure: Configure) -> Files {
    Files { dir: tempfile::tempdir().expect("a directory"), codecs, configure }
}

impl Files {
    fn entry(&self, key: &CacheKey) -> PathBuf {
        let responses = self.dir.path().join("responses");
        let layout = std::fs::read_to_string(self.dir.path().join("layout")).expect("it was opened");
        let shard = crc32fast::hash(key.as_str().as_bytes()) & 0xff;
        if layout.contains("wide") {
            responses.join(format!("{shard:02x}")).join(key.as_str())
        } else {
            responses.join(key.as_str())
        }
    }
}

#[async_trait]
impl Fixture for Files {
    async fn open(&self) -> Result<Instance, BoxError> {
        let builder = FileStore::builder(self.dir.path(), self.codecs.clone());
        Ok(Instance::responses_only(Arc::new((self.configure)(builder).open().await?)))
    }

    async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
        Ok(std::fs::read(self.entry(key))?)
    }

    async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
        Ok(std::fs::write(self.entry(key), bytes)?)
    }
}

macro_rules! configurations {
    ($($name:ident: $fixture:expr;)*) => {$(
        mod $name {
            use super::*;

            larder_conformance::backend_tests! {
                fixture: || $fixture,
                skip: [redirects: "this crate is a store alone"],
            }
        }
    )*};
}

configurations! {
    msgpack_flat: files(MessagePack, |b| b.fan_out(FanOut::Flat));
    msgpack_wide: files(MessagePack, |b| b.fan_out(FanOut::Wide));
    json_flat: files(Json, |b| b.fan_out(FanOut::Flat));
    json_wide: files(Json, |b| b.fan_out(FanOut::Wide));
    cbor_flat: files(Cbor, |b| b.fan_out(FanOut::Flat));
    cbor_wide: files(Cbor, |b| b.fan_out(FanOut::Wide));
    portable_flat: files(MessagePack, |b| b.portable(true));
    portable_wide: files(MessagePack, |b| b.portable(true).fan_out(FanOut::Wide));
    durable: files(MessagePack, |b| b.durability(larder_core::Durability::Durable));
    zstd: files_of(larder_codec::default_codecs().compress_with(Arc::new(Zstd::default().min_len(0))), |b| b);
    lz4: files_of(larder_codec::default_codecs().compress_with(Arc::new(Lz4::default().min_len(0))), |b| b);
}
