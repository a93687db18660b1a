//! Modes whatever the umask. The umask is the whole process's, so that this is a test program of its own.

use std::os::unix::fs::PermissionsExt;

use larder_core::{CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};
use larder_file::{FanOut, FileStore};
use rustix::fs::Mode;

#[tokio::test]
async fn files_and_directories_are_private_whatever_the_umask() {
    let before = rustix::process::umask(Mode::empty());
    for (umask, portable) in
        [0o000, 0o027, 0o277, 0o777].into_iter().flat_map(|umask| [(umask, false), (umask, true)])
    {
        rustix::process::umask(Mode::empty());
        let dir = tempfile::tempdir().expect("a directory");
        rustix::process::umask(Mode::from_raw_mode(umask));
        let cache = dir.path().join("cache");
        let builder = FileStore::builder(&cache, larder_codec::default_codecs()).fan_out(FanOut::Wide);
        let store = builder.portable(portable).open().await.expect("opens");
        let key = CacheKey::new("a").expect("valid");
        let url = http::Uri::from_static("https://example.org/");
        let head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, Timestamp::UNIX_EPOCH);
        for body in ["written", "replaced"] {
            store.write(&key, CachedResponse::new(head.clone(), body)).await.expect("written");
            let mut response = store.read(&key).await.expect("read").expect("there");
            assert_eq!(response.bytes().await.expect("read"), body);
        }
        store.clear().await.expect("cleared");
        store.write(&key, CachedResponse::new(head, "again")).await.expect("written");
        store.close().await.expect("closed");
        let mut ahead = vec![cache];
        while let Some(path) = ahead.pop() {
            let metadata = std::fs::symlink_metadata(&path).expect("there");
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(
                metadata.permissions().mode() & 0o777,
                expected,
                "umask {umask:o}: {}",
                path.display()
            );
            if metadata.is_dir() {
                ahead.extend(path.read_dir().expect("ours").map(|entry| entry.expect("one").path()));
            }
        }
    }
    rustix::process::umask(before);
}
