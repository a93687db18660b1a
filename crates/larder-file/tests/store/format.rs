//! The bytes of an entry, against fixtures of every released version and against `docs/format.md`.
//!
//! `LARDER_BLESS=1 cargo test -p larder-file --test store` writes fixtures that are missing; those that are there are
//! never changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{head, key, noise};
use larder_codec::{Cbor, Json, Lz4, MessagePack, Zstd};
use larder_core::{
    Body, CachedResponse, Codec, Codecs, Compression, Hop, ResponseHead, ResponseStore, Timestamp,
};
use larder_file::FileStore;

const KEY: &str = "0a1b.entry_of-Version1";

fn full_head() -> ResponseHead {
    let mut head = head();
    head.reason = Some("Fine".to_owned());
    head.headers.append("content-type", http::HeaderValue::from_static("text/plain; charset=utf-8"));
    head.headers.append("x-bytes", http::HeaderValue::from_bytes(b"\x80\xff").expect("allowed"));
    head.headers.append("x-bytes", http::HeaderValue::from_static(""));
    head.vary_fields.append("accept-language", http::HeaderValue::from_static("de, en;q=0.5"));
    let from = http::Uri::from_static("http://example.org/old");
    head.history.push(Hop::new(http::Method::GET, from, http::StatusCode::MOVED_PERMANENTLY));
    head.expires_at = Some(Timestamp::from_millis(1_900_000_000_123));
    head.metadata.insert("tag".to_owned(), "nightly".to_owned());
    head
}

fn text() -> String {
    "a line that repeats, so that it compresses\n".repeat(2000)
}

fn with(codec: impl Codec) -> Codecs {
    larder_codec::codecs(Arc::new(codec))
}

fn compressed(compression: impl Compression) -> Codecs {
    larder_codec::default_codecs().compress_with(Arc::new(compression))
}

/// The fixtures: a name, the formats that it is written with, its body, and whether that is streamed.
fn fixtures() -> Vec<(&'static str, Codecs, Vec<u8>, bool)> {
    vec![
        ("msgpack", with(MessagePack), b"hello".to_vec(), false),
        ("json", with(Json), Vec::new(), false),
        ("cbor", with(Cbor), noise(70_000).to_vec(), false),
        ("streamed", with(MessagePack), text().repeat(7).into_bytes(), true),
        ("zstd", compressed(Zstd::default()), text().into_bytes(), false),
        ("lz4", compressed(Lz4::default()), text().into_bytes(), false),
    ]
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(name)
}

async fn written(codecs: Codecs, body: &[u8], streamed: bool) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a directory");
    let store = FileStore::builder(dir.path(), codecs).open().await.expect("opens");
    let body = if streamed {
        let pieces: Vec<_> =
            body.chunks(10_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        Body::from_stream(futures_util::stream::iter(pieces))
    } else {
        Body::from(body.to_vec())
    };
    store.write(&key(KEY), CachedResponse::new(full_head(), body)).await.expect("written");
    std::fs::read(dir.path().join("responses").join(KEY)).expect("there")
}

#[tokio::test]
async fn entries_of_every_released_version_are_read() {
    for (name, codecs, body, streamed) in fixtures() {
        let path = fixture(name);
        if std::env::var_os("LARDER_BLESS").is_some() && !path.exists() {
            std::fs::create_dir_all(path.parent().expect("has one")).expect("made");
            std::fs::write(&path, written(codecs, &body, streamed).await).expect("written");
        }
        let dir = tempfile::tempdir().expect("a directory");
        let store =
            FileStore::builder(dir.path(), larder_codec::default_codecs()).open().await.expect("opens");
        std::fs::copy(&path, dir.path().join("responses").join(KEY)).expect("copied");
        let mut response =
            store.read(&key(KEY)).await.expect("read").unwrap_or_else(|| panic!("{name} is a miss"));
        assert_eq!(response.head, full_head(), "{name}");
        assert_eq!(response.bytes().await.expect("read"), body, "{name}");
    }
}

/// Overwrites what is new at every write: revision, salt, and the checksums that depend on them.
fn without_randomness(mut entry: Vec<u8>) -> Vec<u8> {
    let stored_len = u64::from_le_bytes(entry[56..64].try_into().expect("8 bytes"));
    let body_at = u32::from_le_bytes(entry[68..72].try_into().expect("4 bytes"));
    let table_at = usize::try_from(u64::from(body_at) + stored_len).expect("small");
    for range in [16..40, 76..80, table_at..entry.len()] {
        entry[range].fill(0);
    }
    entry
}

#[tokio::test]
async fn what_is_written_today_is_what_the_fixtures_hold() {
    // How a compression compresses is its library's choice: such entries need only be readable.
    let uncompressed = fixtures().into_iter().filter(|(name, ..)| !["zstd", "lz4"].contains(name));
    for (name, codecs, body, streamed) in uncompressed {
        let golden = std::fs::read(fixture(name)).expect("in git");
        let today = written(codecs, &body, streamed).await;
        assert!(without_randomness(today) == without_randomness(golden), "{name} is written in another way");
    }
}

#[tokio::test]
async fn a_reader_written_from_the_document_agrees() {
    for (name, codecs, body, streamed) in fixtures() {
        let entry = written(codecs, &body, streamed).await;
        let number = |at: usize, len: usize| {
            entry[at..at + len].iter().rev().fold(0, |number, byte| (number << 8) | usize::from(*byte))
        };
        assert_eq!(entry[..8], *b"\x89LARDER\n", "{name}");
        assert_eq!((number(8, 2), number(12, 4), number(73, 1), number(74, 2)), (1, 0, 1, 0), "{name}");
        assert_eq!(number(40, 8), 1_900_000_000_123, "{name}");
        let (body_len, stored_len, head_len, body_at) =
            (number(48, 8), number(56, 8), number(64, 4), number(68, 4));
        assert_eq!((body_len, number(72, 1)), (body.len(), KEY.len()), "{name}");
        assert_eq!(&entry[80..80 + KEY.len()], KEY.as_bytes(), "{name}");
        assert!(entry[80 + KEY.len() + head_len..body_at].iter().all(|byte| *byte == 0), "{name}");
        assert_eq!(streamed, body_at % 4096 == 0, "{name}");
        let checksum = crc32fast::hash(&[&entry[..76], &entry[80..body_at]].concat()) as usize;
        assert_eq!(number(76, 4), checksum, "{name}");
        let table_at = body_at + stored_len;
        assert_eq!(entry.len(), table_at + 4 * stored_len.div_ceil(65536), "{name}");
        for (i, chunk) in entry[body_at..table_at].chunks(65536).enumerate() {
            let checksum = crc32fast::hash(&[&entry[32..40], &(i as u64).to_le_bytes(), chunk].concat());
            assert_eq!(number(table_at + 4 * i, 4), checksum as usize, "{name}, chunk {i}");
        }
        assert_eq!(number(11, 1) == 0, entry[body_at..table_at] == body, "{name}");
    }
}
