//! Damage of every kind to the file of an entry: a miss, never a wrong byte, and healed by the next write.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{Place, key, noise, read, response};
use bytes::Bytes;
use larder_codec::Zstd;
use larder_core::{ErrorKind, ResponseStore};
use larder_file::FileStore;

/// Two whole chunks and a bit of a third.
const THREE_CHUNKS: usize = 2 * 64 * 1024 + 700;

/// An entry's file under a second name, so that it can be damaged and put back.
struct Victim {
    entry: PathBuf,
    kept: PathBuf,
    file: File,
}

impl Victim {
    fn new(place: &Place, entry: &Path) -> Self {
        let kept = place.dir.path().join("kept");
        std::fs::hard_link(entry, &kept).expect("linked");
        let file = OpenOptions::new().read(true).write(true).open(&kept).expect("opened");
        Self { entry: entry.to_owned(), kept, file }
    }

    fn len(&self) -> u64 {
        self.file.metadata().expect("ours").len()
    }

    fn flip(&self, at: u64, mask: u8) {
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, at).expect("inside");
        self.file.write_all_at(&[byte[0] ^ mask], at).expect("written");
    }

    /// Puts the file back in the entry's place, if the store has removed it.
    fn put_back(&self) {
        match std::fs::hard_link(&self.kept, &self.entry) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => panic!("{error}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_flipped_byte_of_three_chunks_is_a_miss() {
    let place = Place::new().await;
    let (victim_key, other) = (key("victim"), key("other"));
    let body = noise(THREE_CHUNKS);
    place.store.write(&other, response("untouched")).await.expect("written");
    place.store.write(&victim_key, response(body.clone())).await.expect("written");
    let victim = Victim::new(&place, &place.entry(&victim_key));
    for at in 0..victim.len() {
        let mask = 1 << (at % 8);
        victim.flip(at, mask);
        assert!(read(&place.store, &victim_key).await.is_none(), "byte {at} of {}", victim.len());
        victim.flip(at, mask);
        victim.put_back();
    }
    assert_eq!(read(&place.store, &victim_key).await.expect("undamaged again"), body);
    assert!(place.store.damaged_entries() > THREE_CHUNKS as u64, "damage is counted");
    assert_eq!(read(&place.store, &other).await.expect("another entry"), "untouched");
}

#[tokio::test]
async fn every_length_that_three_chunks_are_cut_to_is_a_miss() {
    let place = Place::new().await;
    let victim_key = key("victim");
    place.store.write(&victim_key, response(noise(THREE_CHUNKS))).await.expect("written");
    let victim = Victim::new(&place, &place.entry(&victim_key));
    for len in (0..victim.len()).rev() {
        victim.file.set_len(len).expect("cut");
        assert!(read(&place.store, &victim_key).await.is_none(), "cut to {len}");
        victim.put_back();
    }
}

#[tokio::test]
async fn the_next_write_heals_damage_anywhere() {
    let place = Place::new().await;
    let victim_key = key("victim");
    let body = noise(THREE_CHUNKS);
    let len = {
        place.store.write(&victim_key, response(body.clone())).await.expect("written");
        std::fs::metadata(place.entry(&victim_key)).expect("there").len()
    };
    for at in (0..len).step_by(997) {
        let file = OpenOptions::new().read(true).write(true).open(place.entry(&victim_key)).expect("there");
        file.write_all_at(&[0xA5], at).expect("written");
        file.write_all_at(&[0x5A], (at * 7) % len).expect("written");
        let _ = read(&place.store, &victim_key).await;
        place.store.write(&victim_key, response(body.clone())).await.expect("healed");
        assert_eq!(read(&place.store, &victim_key).await.expect("healed"), body, "byte {at}");
    }
}

#[tokio::test]
async fn a_streamed_body_ends_in_an_error_before_a_wrong_byte() {
    let place = Place::open(|builder| builder.buffer_up_to(0)).await;
    let victim_key = key("victim");
    let body = noise(2 * 1024 * 1024 + 17);
    place.store.write(&victim_key, response(body.clone())).await.expect("written");
    let victim = Victim::new(&place, &place.entry(&victim_key));
    let body_at = victim.len() - body.len() as u64 - 4 * (body.len() as u64).div_ceil(64 * 1024);
    for at in (body_at..victim.len()).step_by(60_013) {
        victim.flip(at, 0x10);
        let mut response = place.store.read(&victim_key).await.expect("the head is whole").expect("a hit");
        let mut seen = 0;
        let error = loop {
            match response.body.chunk().await {
                Ok(Some(chunk)) => {
                    assert_eq!(chunk, body.slice(seen..seen + chunk.len()), "at {seen}, byte {at} flipped");
                    seen += chunk.len();
                }
                Ok(None) => panic!("byte {at} flipped, and the body came to its end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        victim.flip(at, 0x10);
        victim.put_back();
    }
}

#[tokio::test]
async fn verifying_names_damage_anywhere_and_leaves_the_entry_in_its_place() {
    let plain = larder_codec::default_codecs();
    let compressed = plain.clone().compress_with(Arc::new(Zstd::default().min_len(0)));
    // More than the first read, and than what is buffered.
    let text = Bytes::from("all work and no play makes jack a dull boy\n".repeat(30_000));
    for (codecs, body) in [(plain, noise(2 * 1024 * 1024 + 17)), (compressed, text)] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = FileStore::builder(dir.path().join("cache"), codecs).open().await.expect("opens");
        let victim_key = key("victim");
        assert!(!store.verify(&victim_key).await.expect("an absent entry is no failure"));
        store.write(&victim_key, response(body)).await.expect("written");
        let entry = store.path_of(&victim_key);
        let file = OpenOptions::new().read(true).write(true).open(&entry).expect("there");
        let victim = Victim { kept: entry.clone(), entry, file };
        assert!(store.verify(&victim_key).await.expect("whole"));
        let steps = (0..200).chain((0..victim.len()).step_by(60_013)).chain([victim.len() - 1]);
        for at in steps.filter(|at| *at < victim.len()) {
            victim.flip(at, 0x10);
            let error = store.verify(&victim_key).await.expect_err("damaged");
            assert!(
                matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported),
                "byte {at}: {error}"
            );
            assert_eq!(error.context("key"), Some("victim"));
            victim.flip(at, 0x10);
        }
        assert!(store.verify(&victim_key).await.expect("undamaged again, and never removed"));
        assert_eq!(store.damaged_entries(), 0, "nothing was removed");
    }
}

#[tokio::test]
async fn every_flipped_byte_of_a_compressed_entry_is_a_miss() {
    let codecs = larder_codec::default_codecs().compress_with(Arc::new(Zstd::default().min_len(0)));
    let dir = tempfile::tempdir().expect("a directory");
    let store = FileStore::builder(dir.path().join("cache"), codecs).open().await.expect("opens");
    let place = Place { dir, store };
    let victim_key = key("victim");
    let body = "all work and no play makes jack a dull boy\n".repeat(3000);
    place.store.write(&victim_key, response(body.clone())).await.expect("written");
    let victim = Victim::new(&place, &place.entry(&victim_key));
    assert!(victim.len() < 2000, "it is compressed: {} bytes", victim.len());
    for at in 0..victim.len() {
        for mask in [1, 0x80] {
            victim.flip(at, mask);
            assert!(read(&place.store, &victim_key).await.is_none(), "byte {at}");
            victim.flip(at, mask);
            victim.put_back();
        }
    }
    assert_eq!(read(&place.store, &victim_key).await.expect("undamaged again"), body);
}
