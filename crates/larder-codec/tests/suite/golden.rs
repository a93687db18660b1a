//! What was written by every released version of the format is read by this one, and written the same.
//!
//! The files of `tests/fixtures/v1` are written anew, for a format that has not been released yet, by
//! `LARDER_BLESS=1 cargo test -p larder-codec --all-features golden`. Once a version is released its files stay.

use std::fs;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use larder_core::Compression;

use crate::support::{codecs, compressions, encode, full_head};

/// Returns what the fixture `name` holds, which is `current` if the fixtures are being written anew.
fn fixture(name: &str, current: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(name);
    if std::env::var_os("LARDER_BLESS").is_some() {
        fs::write(&path, current).unwrap();
    }
    fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn golden_heads_are_read_and_written_the_same() {
    let mut without_variants = full_head();
    without_variants.variants.clear();
    for (name, head) in [("head", without_variants), ("variants", full_head())] {
        for codec in codecs() {
            let name = format!("{name}.{}", codec.name());
            let current = encode(&*codec, &head);
            let golden = fixture(&name, &current);
            assert_eq!(codec.decode(&golden).unwrap(), head, "{name}");
            assert_eq!(current.escape_ascii().to_string(), golden.escape_ascii().to_string(), "{name}");
        }
    }
}

/// Which bytes a compression writes is its library's affair; that they are read is ours.
#[test]
fn golden_bodies_are_read() {
    let body = "All work and no play makes Jack a dull boy.\n".repeat(2000).into_bytes();
    for compression in compressions() {
        let golden = fixture(&format!("body.{}", compression.name()), &compress(&*compression, &body));
        let mut out = Vec::new();
        compression.decompressor(Box::new(Cursor::new(golden))).unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, body, "{}", compression.name());
    }
}

#[test]
fn numbers_and_names_are_what_entries_hold() {
    let codecs: Vec<_> = codecs().iter().map(|codec| (codec.id(), codec.name())).collect();
    assert!(
        codecs.iter().all(|named| [(1, "msgpack"), (2, "json"), (3, "cbor")].contains(named)),
        "{codecs:?}"
    );
    let compressions: Vec<_> = compressions().iter().map(|c| (c.id(), c.name())).collect();
    assert!(compressions.iter().all(|named| [(1, "zstd"), (2, "lz4")].contains(named)), "{compressions:?}");
}

fn compress(compression: &dyn Compression, body: &[u8]) -> Vec<u8> {
    let mut compressor = compression.compressor().unwrap();
    let mut out = Vec::new();
    compressor.compress(body, &mut out).unwrap();
    compressor.finish(&mut out).unwrap();
    out
}
