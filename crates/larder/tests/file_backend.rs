//! The wiring of the file backend: each option reaches its part, and options that contradict each other are errors.
#![cfg(all(feature = "file", feature = "msgpack"))]

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use http::{Method, StatusCode, Uri};
use larder::file::FanOut;
use larder::{
    Aliases, Body, CacheBackend, CacheKey, CachedResponse, Durability, Error, ErrorKind, FileBackend, Hop,
    Lookup, RedirectIndex, ResponseHead, ResponseStore, Timestamp,
};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn directory() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

/// Text is compressible, and this is more than any compression thinks too short.
fn response() -> CachedResponse {
    let head = ResponseHead::new(Method::GET, Uri::from_static("http://h/"), StatusCode::OK, NOW);
    let mut response = CachedResponse::new(head, Body::from("larder ".repeat(10_000)));
    response.head.headers.insert("content-type", http::HeaderValue::from_static("text/plain"));
    response
}

async fn store_one(cache: &CacheBackend) -> CacheKey {
    let key = CacheKey::new("one").expect("a key");
    cache.save_response(&key, response(), &Aliases::none()).await.expect("stored");
    key
}

async fn read_one(cache: &CacheBackend) -> bool {
    let key = CacheKey::new("one").expect("a key");
    match cache.get_response(&key, NOW).await {
        Lookup::Hit(mut response) => response.bytes().await.expect("a body").len() == 70_000,
        _ => false,
    }
}

async fn error_of(backend: FileBackend) -> Error {
    backend.open().await.expect_err("options that contradict each other")
}

#[tokio::test]
async fn options_that_contradict_each_other_are_errors() {
    let directory = directory();
    let here = || FileBackend::new(directory.path().join("cache"));
    let absolute = directory.path().join("absolute");
    let made = || std::fs::read_dir(directory.path()).expect("listed").count();
    for (what, backend) in [
        ("an empty name", FileBackend::new("")),
        ("use_temp and an absolute name", FileBackend::new(&absolute).use_temp(true)),
        ("use_temp and a name at home", FileBackend::new("~/cache").use_temp(true)),
        ("use_temp and a name that leads out", FileBackend::new("../cache").use_temp(true)),
        ("no entries", here().max_entry_bytes(0)),
        ("buffers above the longest entry", here().max_entry_bytes(100).buffer_up_to(101)),
        ("buffers above all entries", here().max_total_bytes(100).buffer_up_to(101)),
        ("no bytes at all", here().max_total_bytes(0)),
        ("no entries at all", here().max_entries(0)),
        ("an entry above all of them", here().max_total_bytes(1000).max_entry_bytes(1001)),
        ("no time to wait", here().busy_timeout(Duration::ZERO)),
        #[cfg(feature = "tier")]
        ("a tier of nothing", here().memory_tier(0)),
        ("more than a minute to wait", here().busy_timeout(Duration::from_millis(60_001))),
    ] {
        let error = error_of(backend).await;
        assert_eq!(error.kind(), ErrorKind::Configuration, "{what}: {error}");
        assert_eq!(made(), 0, "{what}: nothing is made");
    }
}

#[tokio::test]
async fn options_that_only_look_contradictory_are_none() {
    let directory = directory();
    let here = |name: &str| FileBackend::new(directory.path().join(name));
    for (what, backend) in [
        ("the default buffer is above this limit", here("a").max_entry_bytes(100)),
        ("a buffer as large as the limit", here("b").max_entry_bytes(100).buffer_up_to(100)),
        ("nothing is buffered", here("c").buffer_up_to(0)),
        ("a minute to wait", here("d").busy_timeout(Duration::from_mins(1))),
    ] {
        backend.open().await.expect(what);
    }
}

#[tokio::test]
async fn a_cache_is_one_directory_and_is_there_the_next_time() {
    let directory = directory();
    let path = directory.path().join("http_cache");
    let cache = FileBackend::new(&path).open().await.expect("opened");
    let key = store_one(&cache).await;
    cache.close().await.expect("closed");
    assert!(path.join("responses").join(key.as_str()).is_file());
    assert!(path.join("redirects.sqlite").is_file());
    assert!(read_one(&FileBackend::new(&path).open().await.expect("opened again")).await);
}

#[tokio::test]
async fn both_parts_are_to_be_had_alone() {
    let directory = directory();
    let path = directory.path().join("http_cache");
    let (store, redirects) = FileBackend::new(&path).open_parts().await.expect("opened");
    assert_eq!(store.directory(), path);
    assert_eq!(redirects.path().file_name(), Some("redirects.sqlite".as_ref()));
    let cache = CacheBackend::new(std::sync::Arc::new(store.clone()), std::sync::Arc::new(redirects));
    let key = store_one(&cache).await;
    let paths: Vec<_> = store.paths().try_collect().await.expect("listed");
    assert_eq!(paths, [path.join("responses").join(key.as_str())]);
}

#[tokio::test]
async fn the_fan_out_and_the_limit_reach_the_store() {
    let directory = directory();
    let wide = || FileBackend::new(directory.path().join("wide")).fan_out(FanOut::Wide);
    let (store, _) = wide().open_parts().await.expect("opened");
    assert_eq!(store.fan_out(), FanOut::Wide);

    let cache = wide().max_entry_bytes(1000).open().await.expect("opened");
    let key = CacheKey::new("one").expect("a key");
    let error = cache.save_response(&key, response(), &Aliases::none()).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn the_limits_of_the_whole_cache_reach_the_store() {
    let directory = directory();
    let bounded = FileBackend::new(directory.path().join("bounded"))
        .max_total_bytes(1 << 20)
        .max_entries(7)
        .min_free_bytes(1);
    let (store, _) = bounded.open_parts().await.expect("opened");
    let stats = store.stats();
    assert_eq!((stats.max_bytes, stats.max_entries), (Some(1 << 20), Some(7)));
    assert_eq!((stats.bytes, stats.entries), (Some(0), Some(0)));
}

#[tokio::test]
async fn the_buffer_decides_whether_a_body_is_streamed() {
    let directory = directory();
    for (bytes, is_buffered) in [(100_000, true), (100, false)] {
        let backend = FileBackend::new(directory.path().join("cache")).buffer_up_to(bytes);
        let cache = backend.open().await.expect("opened");
        let key = store_one(&cache).await;
        let response = cache.get_response(&key, NOW).await.into_response().expect("stored");
        assert_eq!(response.body.as_bytes().is_some(), is_buffered, "{bytes}");
    }
}

#[tokio::test]
async fn every_durability_stores_and_reads() {
    let directory = directory();
    for durability in [Durability::Relaxed, Durability::Ordered, Durability::Durable] {
        let path = directory.path().join(format!("{durability:?}"));
        let backend = FileBackend::new(path).durability(durability).busy_timeout(Duration::from_secs(5));
        let cache = backend.open().await.expect("opened");
        store_one(&cache).await;
        assert!(read_one(&cache).await, "{durability:?}");
    }
}

#[tokio::test]
async fn the_portable_store_reads_what_the_other_wrote() {
    let directory = directory();
    let path = directory.path().join("cache");
    store_one(&FileBackend::new(&path).open().await.expect("opened")).await;
    let portable = FileBackend::new(&path).portable(true).open().await.expect("opened");
    assert!(read_one(&portable).await);
}

#[cfg(feature = "json")]
#[tokio::test]
async fn the_codec_is_written_and_every_other_is_read() {
    let directory = directory();
    let path = directory.path().join("cache");
    let key =
        store_one(&FileBackend::new(&path).codec(larder::codec::Json).open().await.expect("opened")).await;
    let entry = std::fs::read(path.join("responses").join(key.as_str())).expect("an entry");
    assert!(String::from_utf8_lossy(&entry).contains(r#""status""#), "the head is JSON");
    assert!(read_one(&FileBackend::new(&path).open().await.expect("opened")).await);
}

#[cfg(feature = "zstd")]
#[tokio::test]
async fn the_compression_is_written_and_read_without_being_chosen() {
    let directory = directory();
    let path = directory.path().join("cache");
    let backend = FileBackend::new(&path).compression(larder::codec::Zstd::default());
    let key = store_one(&backend.open().await.expect("opened")).await;
    let entry = std::fs::metadata(path.join("responses").join(key.as_str())).expect("an entry");
    assert!(entry.len() < 10_000, "{} bytes", entry.len());
    assert!(read_one(&FileBackend::new(&path).open().await.expect("opened")).await);
}

#[tokio::test]
async fn the_bound_of_redirects_in_memory_reaches_the_index() {
    for (most, is_in_memory) in [(None, true), (Some(0), false)] {
        let directory = directory();
        let mut backend = FileBackend::new(directory.path().join("cache"));
        if let Some(most) = most {
            backend = backend.max_redirects_in_memory(most);
        }
        let (_store, redirects) = backend.open_parts().await.expect("opened");
        let absent = CacheKey::digest("absent");
        let is_answered = || !format!("{redirects:?}").contains("answered_from_memory: 0");
        for _ in 0..1_000 {
            assert!(!redirects.contains(&absent).await.expect("looked up"));
            if is_answered() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(is_answered(), is_in_memory, "{most:?}");
    }
}

#[tokio::test]
async fn redirects_of_a_newer_release_are_an_error() {
    let directory = directory();
    let path = directory.path().join("cache");
    std::fs::create_dir_all(&path).expect("made");
    let newer = rusqlite::Connection::open(path.join("redirects.sqlite")).expect("opened");
    newer.execute_batch("PRAGMA application_id = 0x6c726472; PRAGMA user_version = 1000").expect("made");
    drop(newer);
    assert_eq!(error_of(FileBackend::new(&path)).await.kind(), ErrorKind::Unsupported);
}

#[cfg(feature = "tier")]
#[tokio::test]
async fn a_memory_tier_answers_without_the_file() {
    let directory = directory();
    let path = directory.path().join("cache");
    for (tier, found) in [(None, false), (Some(1 << 20), true)] {
        let mut backend = FileBackend::new(&path);
        if let Some(bytes) = tier {
            backend = backend.memory_tier(bytes);
        }
        let cache = backend.open().await.expect("opened");
        store_one(&cache).await;
        assert!(read_one(&cache).await);
        std::fs::remove_file(path.join("responses/one")).expect("removed");
        assert_eq!(read_one(&cache).await, found, "{tier:?}");
        assert_eq!(cache.size().await.expect("counted"), 0);
    }
}

#[tokio::test]
async fn a_redirected_exchange_is_stored_found_and_deleted() {
    use larder::policy::{CacheKeys, KeyRequest};

    let directory = directory();
    let cache = FileBackend::new(directory.path().join("cache")).open().await.expect("opened");
    let keys = CacheKeys::private();
    let url = |url: &str| -> Uri { url.parse().expect(url) };
    let key = |of: &str| {
        let url = url(of);
        keys.key(&KeyRequest::new(&Method::GET, &url)).expect("a key").to_cache_key()
    };
    let mut response = response();
    response.head.history = vec![
        Hop::new(Method::GET, url("http://h/a"), StatusCode::FOUND),
        Hop::new(Method::GET, url("http://h/b"), StatusCode::FOUND),
    ];
    let aliases = Aliases::new(vec![key("http://h/a"), key("http://h/b")], None);
    cache.save_response(&key("http://h/"), response, &aliases).await.expect("stored");

    for (of, is_alias) in [("http://h/", false), ("HTTP://H:80/a", true), ("http://h/b", true)] {
        match cache.get_response(&key(of), NOW).await {
            Lookup::AliasHit { target, response } => {
                assert!(is_alias && target == key("http://h/"), "{of}");
                assert_eq!(response.history().len(), 2);
            }
            found => assert!(!is_alias && matches!(found, Lookup::Hit(_)), "{of}: {found:?}"),
        }
    }
    assert_eq!(cache.redirects().size().await.expect("counted"), 2);
    assert!(cache.delete(&key("http://h/a")).await.expect("deleted"), "by its alias");
    assert_eq!(
        (cache.size().await.expect("counted"), cache.redirects().size().await.expect("counted")),
        (0, 0)
    );
    assert_eq!(cache.failures(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    fn check(path: &Path) {
        let metadata = std::fs::symlink_metadata(path).expect("there");
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path).expect("listed") {
                check(&entry.expect("an entry").path());
            }
        }
    }

    let directory = directory();
    let path = directory.path().join("cache");
    let cache = FileBackend::new(&path).open().await.expect("opened");
    store_one(&cache).await;
    check(&path);
}
