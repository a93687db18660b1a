//! What may stand in a cache directory: planted things, leftovers, strange permissions, nothing at all.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use crate::support::{Place, key, noise, open, read, response};
use futures_util::StreamExt;
use larder_core::{CacheKey, ErrorKind, ResponseStore, Timestamp};
use larder_file::{FanOut, FileStore};

/// Puts something into an entry's place.
type Plant = fn(&Path, outside: &Path);

const PLANTS: [(&str, Plant); 7] = [
    ("a symbolic link to a file", |at, outside| symlink(outside.join("secret"), at).expect("made")),
    ("a symbolic link to itself", |at, _| symlink(at, at).expect("made")),
    ("a FIFO", |at, _| {
        rustix::fs::mkfifoat(rustix::fs::CWD, at, rustix::fs::Mode::RUSR).expect("made");
    }),
    ("an empty directory", |at, _| std::fs::create_dir(at).expect("made")),
    ("a directory with something in it", |at, _| {
        std::fs::create_dir_all(at.join("deep/er")).expect("made");
        std::fs::write(at.join("deep/file"), "x").expect("made");
    }),
    ("a foreign file", |at, _| std::fs::write(at, noise(5000)).expect("made")),
    ("a huge sparse file", |at, _| {
        std::fs::File::create(at).and_then(|file| file.set_len(1 << 42)).expect("made");
    }),
];

#[tokio::test]
async fn what_is_planted_is_a_miss_and_a_write_replaces_it() {
    for portable in [false, true] {
        for (what, plant) in PLANTS {
            let place = Place::open(|builder| builder.portable(portable)).await;
            let outside = tempfile::tempdir().expect("a directory");
            std::fs::write(outside.path().join("secret"), "secret").expect("written");
            let k = key("planted");
            plant(&place.entry(&k), outside.path());

            assert!(read(&place.store, &k).await.is_none(), "{what} is a miss");
            assert!(place.store.read_head(&k).await.expect(what).is_none(), "{what} has no head");
            assert!(!place.store.delete(&k).await.expect(what) || what.ends_with("file"), "{what}");
            place.store.write(&k, response("ours")).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(read(&place.store, &k).await.expect(what), "ours");
            assert!(std::fs::symlink_metadata(place.entry(&k)).expect(what).is_file(), "{what} is replaced");
            assert_eq!(
                std::fs::read_to_string(outside.path().join("secret")).expect("still there"),
                "secret",
                "{what} was not followed"
            );
            place.store.sweep().await.expect("swept");
            assert_eq!(std::fs::read_dir(place.path().join("tmp")).expect("there").count(), 0, "{what}");
        }
    }
}

#[tokio::test]
async fn a_forged_length_allocates_nothing() {
    let place = Place::new().await;
    let k = key("forged");
    place.store.write(&k, response("x")).await.expect("written");
    let mut bytes = std::fs::read(place.entry(&k)).expect("there");
    let body_len = 1_u64 << 41;
    let body_at = u64::from(u32::from_le_bytes(bytes[68..72].try_into().expect("4 bytes")));
    // The lengths fit together and the prologue's checksum is right: only the chunks are not what they should be.
    bytes[48..56].copy_from_slice(&body_len.to_le_bytes());
    bytes[56..64].copy_from_slice(&body_len.to_le_bytes());
    let prefix = bytes[..usize::try_from(body_at).expect("small")].to_vec();
    let checksum = crc32fast::hash(&[&prefix[..76], &prefix[80..]].concat());
    bytes[76..80].copy_from_slice(&checksum.to_le_bytes());
    for portable in [false, true] {
        let store = open(place.dir.path(), |builder| builder.portable(portable)).await;
        std::fs::write(place.entry(&k), &bytes).expect("forged");
        let file = std::fs::OpenOptions::new().write(true).open(place.entry(&k)).expect("there");
        file.set_len(body_at + body_len + 4 * (body_len / 65536)).expect("sparse");
        assert_eq!(store.read_head(&k).await.expect("read").expect("a head").body_len, body_len);
        let mut response = store.read(&k).await.expect("read").expect("a stream");
        assert_eq!(response.body.chunk().await.expect_err("not the chunk").kind(), ErrorKind::Corrupt);
        assert!(read(&store, &k).await.is_none(), "the damaged entry is gone");
    }
}

#[tokio::test]
async fn a_huge_buffer_does_not_make_a_sparse_file_huge_in_memory() {
    let place = Place::open(|builder| builder.buffer_up_to(u64::MAX)).await;
    let (sparse, ours) = (key("sparse"), key("ours"));
    std::fs::File::create(place.entry(&sparse)).and_then(|file| file.set_len(1 << 42)).expect("made");
    assert!(read(&place.store, &sparse).await.is_none());
    place.store.write(&ours, response(noise(5 << 20))).await.expect("written");
    assert_eq!(read(&place.store, &ours).await.expect("whole"), noise(5 << 20));
}

#[tokio::test]
async fn a_cache_that_was_removed_and_made_again_is_the_one_that_is_used() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable).fan_out(FanOut::Wide)).await;
        let k = key("a");
        std::fs::remove_dir_all(place.path()).expect("removed");
        place.store.write(&k, response("made again")).await.expect("written");
        let other = open(place.dir.path(), |builder| builder).await;
        assert_eq!(other.fan_out(), FanOut::Wide, "the layout is recorded again");
        assert_eq!(read(&other, &k).await.expect("there"), "made again");

        std::fs::remove_dir_all(place.path()).expect("removed");
        let other = open(place.dir.path(), |builder| builder.fan_out(FanOut::Wide)).await;
        for change in ["delete", "bulk_delete", "clear"] {
            other.write(&k, response("another process's")).await.expect("written");
            match change {
                "delete" => assert!(place.store.delete(&k).await.expect("deleted")),
                "bulk_delete" => {
                    assert_eq!(place.store.bulk_delete(std::slice::from_ref(&k)).await.expect("deleted"), 1);
                }
                _ => place.store.clear().await.expect("cleared"),
            }
            assert!(read(&other, &k).await.is_none(), "{change}");
            std::fs::remove_dir_all(place.path().join("tmp")).expect("removed");
        }
    }
}

#[tokio::test]
async fn a_new_head_never_brings_back_what_was_cleared_or_written_over() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable)).await;
        let k = key("a");
        for round in 0..150 {
            place.store.write(&k, response("old")).await.expect("written");
            let stored = place.store.read_head(&k).await.expect("read").expect("there");
            let (updating, clearing) = (place.store.clone(), place.store.clone());
            let (update_key, write_key) = (k.clone(), k.clone());
            let update = tokio::spawn(async move {
                updating.update_head(&update_key, &stored.revision, stored.head).await.expect("no error")
            });
            let replace = tokio::spawn(async move {
                clearing.clear().await.expect("cleared");
                clearing.write(&write_key, response("new")).await.expect("written");
            });
            replace.await.expect("no panic");
            update.await.expect("no panic");
            assert_eq!(read(&place.store, &k).await.expect("acknowledged"), "new", "round {round}");
        }
    }
}

#[tokio::test]
async fn a_damaged_record_of_the_layout_is_not_guessed() {
    let place = Place::open(|builder| builder.fan_out(FanOut::Wide)).await;
    place.store.write(&key("a"), response("a")).await.expect("written");
    std::fs::write(place.path().join("layout"), "larder layout 1\nfan-out wild\n").expect("damaged");
    let builder = || FileStore::builder(place.path(), larder_codec::default_codecs());
    assert_eq!(builder().open().await.expect_err("not guessed").kind(), ErrorKind::Corrupt);
    builder().fan_out(FanOut::Wide).open().await.expect("told");
    assert_eq!(read(&builder().open().await.expect("recorded again"), &key("a")).await.expect("there"), "a");
}

#[tokio::test]
async fn listings_pass_over_what_is_not_an_entry() {
    let place = Place::new().await;
    place.store.write(&key("a"), response("a")).await.expect("written");
    for (i, (_, plant)) in PLANTS.iter().enumerate() {
        plant(&place.path().join("responses").join(format!("p{i}")), place.dir.path());
    }
    std::fs::write(place.path().join("responses/.hidden"), "x").expect("made");
    std::fs::write(place.path().join("responses/with space"), "x").expect("made");
    let heads: Vec<_> = place.store.heads().collect().await;
    let keys: Vec<CacheKey> = heads.into_iter().map(|item| item.expect("no error").0).collect();
    assert_eq!(keys, [key("a")]);
    let paths: Vec<_> = place.store.paths().map(|path| path.expect("a path")).collect().await;
    assert!(paths.contains(&place.entry(&key("a"))));
}

#[tokio::test]
async fn a_directory_that_vanished_is_a_miss_and_a_write_makes_it_again() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable)).await;
        let k = key("a");
        for vanished in ["", "responses", "tmp", "locks"] {
            place.store.write(&k, response("before")).await.expect("written");
            std::fs::remove_dir_all(place.path().join(vanished)).expect("removed");
            let _ = place.store.read(&k).await.expect("no error");
            assert!(place.store.size().await.expect("no error") <= 1);
            for body in ["new", "replaced"] {
                place
                    .store
                    .write(&k, response(body))
                    .await
                    .unwrap_or_else(|error| panic!("{vanished:?}: {error}"));
                assert_eq!(read(&place.store, &k).await.expect("written"), body, "{vanished:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_layout_is_what_the_directory_records() {
    let place = Place::open(|builder| builder.fan_out(FanOut::Wide)).await;
    place.store.write(&key("a"), response("a")).await.expect("written");
    let again = open(place.dir.path(), |builder| builder).await;
    assert_eq!(again.fan_out(), FanOut::Wide);
    assert_eq!(read(&again, &key("a")).await.expect("there"), "a");
    let builder = FileStore::builder(place.path(), larder_codec::default_codecs()).fan_out(FanOut::Flat);
    let error = builder.open().await.expect_err("another layout");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let shard = place.path().join("responses").read_dir().expect("there").next().expect("one").expect("one");
    assert!(shard.file_name().len() == 2 && shard.file_type().expect("known").is_dir());

    std::fs::write(place.path().join("layout"), "larder layout 2\n").expect("written");
    let error =
        FileStore::builder(place.path(), larder_codec::default_codecs()).open().await.expect_err("newer");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable)).await;
        let temporaries = place.path().join("tmp");
        let name = |prefix: &str, number: u8| format!("{prefix}-{number:032x}");
        std::fs::write(temporaries.join(name("new", 1)), "x").expect("made");
        std::fs::write(temporaries.join(name("new", 4) + ".0"), "x").expect("made");
        std::fs::create_dir_all(temporaries.join(name("cleared", 2)).join("00")).expect("made");
        std::fs::write(temporaries.join(name("cleared", 2)).join("00/a"), "x").expect("made");
        let living = std::fs::File::create(temporaries.join(name("new", 3))).expect("made");
        living.lock().expect("locked");
        std::fs::write(temporaries.join("notes.txt"), "somebody else's").expect("made");
        place.store.sweep().await.expect("swept");
        let mut left: Vec<_> =
            temporaries.read_dir().expect("there").map(|entry| entry.expect("one").file_name()).collect();
        left.sort();
        assert_eq!(left, [name("new", 3).as_str(), "notes.txt"]);
    }
}

#[tokio::test]
async fn a_directory_with_files_of_others_is_not_taken_for_a_cache() {
    for portable in [false, true] {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, file) in [("responses", "users.json"), ("tmp", "notes.txt")] {
            std::fs::create_dir(directory.path().join(name)).expect("made");
            std::fs::write(directory.path().join(name).join(file), "theirs").expect("made");
        }
        let builder = FileStore::builder(directory.path(), larder_codec::default_codecs()).portable(portable);
        let error = builder.open().await.expect_err("it is no cache");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("responses"), "{error}");
        for path in ["responses/users.json", "tmp/notes.txt"] {
            assert_eq!(std::fs::read(directory.path().join(path)).expect(path), b"theirs");
        }
    }
}

#[tokio::test]
async fn a_write_that_is_dropped_or_fails_leaves_nothing_behind() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable)).await;
        let k = key("a");
        place.store.write(&k, response("before")).await.expect("written");
        let pieces = futures_util::stream::iter([Ok(noise(1 << 20)), Ok(noise(1 << 20))]);
        let failing = pieces.clone().chain(futures_util::stream::iter([Err("the origin went away")]));
        let error = place
            .store
            .write(&k, response(larder_core::Body::from_stream(failing)))
            .await
            .expect_err("fails");
        assert_eq!(error.kind(), ErrorKind::Body);
        let endless = pieces.chain(futures_util::stream::pending::<Result<_, &str>>());
        let mut write = place.store.write(&k, response(larder_core::Body::from_stream(endless)));
        for _ in 0..200 {
            assert!(futures_util::future::poll_immediate(&mut write).await.is_none());
            tokio::task::yield_now().await;
        }
        drop(write);
        assert_eq!(read(&place.store, &k).await.expect("the old one"), "before");
        place.store.close().await.expect("closed");
        let again = open(place.dir.path(), |builder| builder).await;
        again.sweep().await.expect("swept");
        assert_eq!(place.path().join("tmp").read_dir().expect("there").count(), 0);
    }
}

#[tokio::test]
async fn a_file_time_is_the_expiry_and_the_prologue_has_the_last_word() {
    let place = Place::new().await;
    for (name, expires_at) in [("never", None), ("soon", Some(5_000)), ("later", Some(9_000))] {
        let mut response = response(name);
        response.head.expires_at = expires_at.map(Timestamp::from_millis);
        place.store.write(&key(name), response).await.expect("written");
    }
    assert_eq!(std::fs::metadata(place.entry(&key("soon"))).expect("there").mtime(), 5);
    let touched = std::fs::File::open(place.entry(&key("never"))).expect("there");
    touched.set_modified(std::time::UNIX_EPOCH).expect("touched");
    assert_eq!(place.store.delete_expired(Timestamp::from_millis(5_000)).await.expect("purged"), 1);
    assert_eq!(place.store.size().await.expect("counted"), 2);
}

#[tokio::test]
async fn an_entry_over_the_limit_is_refused_before_and_while_it_arrives() {
    let place = Place::open(|builder| builder.max_entry_bytes(1 << 20)).await;
    let k = key("a");
    place.store.write(&k, response("small")).await.expect("written");
    let pieces = || futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(noise(1 << 16)));
    for body in [noise(1 << 20).into(), larder_core::Body::from_stream(pieces())] {
        let error = place.store.write(&k, response(body)).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
    assert_eq!(read(&place.store, &k).await.expect("the old one"), "small");
}

#[tokio::test]
async fn a_closed_store_says_so_and_one_without_a_runtime_too() {
    let place = Place::new().await;
    place.store.close().await.expect("closed");
    place.store.close().await.expect("again");
    assert_eq!(place.store.read(&key("a")).await.expect_err("closed").kind(), ErrorKind::Closed);
    let store = open(place.dir.path(), |builder| builder).await;
    let outside =
        std::thread::spawn(move || futures_util::FutureExt::now_or_never(store.size()).expect("at once"));
    assert!(outside.join().expect("no panic").expect_err("no runtime").to_string().contains("tokio"));
}

#[tokio::test]
async fn a_reader_finishes_what_was_replaced_and_cleared() {
    let place = Place::open(|builder| builder.buffer_up_to(0)).await;
    let k = key("a");
    let body = noise(5 << 20);
    place.store.write(&k, response(body.clone())).await.expect("written");
    let mut first = place.store.read(&k).await.expect("read").expect("a hit");
    place.store.write(&k, response("another")).await.expect("replaced");
    let mut second = place.store.read(&k).await.expect("read").expect("a hit");
    place.store.clear().await.expect("cleared");
    assert_eq!(first.bytes().await.expect("goes on"), body);
    assert_eq!(second.bytes().await.expect("goes on"), "another");
    assert!(read(&place.store, &k).await.is_none());
}

#[tokio::test]
async fn a_new_head_keeps_a_large_body() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable)).await;
        let k = key("a");
        let body = noise(3 << 20);
        place.store.write(&k, response(body.clone())).await.expect("written");
        let stored = place.store.read_head(&k).await.expect("read").expect("there");
        let mut head = stored.head;
        head.headers.insert("x-validated", http::HeaderValue::from_static("yes"));
        head.expires_at = Some(Timestamp::from_millis(77_000));
        assert!(place.store.update_head(&k, &stored.revision, head.clone()).await.expect("updated"));
        assert!(!place.store.update_head(&k, &stored.revision, head.clone()).await.expect("stale"));
        let mut updated = place.store.read(&k).await.expect("read").expect("there");
        assert_eq!(updated.head, head);
        assert_eq!(updated.bytes().await.expect("read"), body);
        assert_eq!(std::fs::metadata(place.entry(&k)).expect("there").mtime(), 77);
    }
}
