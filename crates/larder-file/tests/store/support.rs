//! What the tests of the store share: a store in a directory of its own, and responses to put in it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use larder_core::{CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};
use larder_file::{FileStore, FileStoreBuilder};
use tempfile::TempDir;

/// A store in a directory that goes with it.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) store: FileStore,
}

impl Place {
    pub(crate) async fn open(options: impl FnOnce(FileStoreBuilder) -> FileStoreBuilder) -> Self {
        Self::open_in(tempfile::tempdir().expect("a directory"), options).await
    }

    pub(crate) async fn open_in(
        dir: TempDir,
        options: impl FnOnce(FileStoreBuilder) -> FileStoreBuilder,
    ) -> Self {
        let store = open(dir.path(), options).await;
        Self { dir, store }
    }

    pub(crate) async fn new() -> Self {
        Self::open(|builder| builder).await
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    pub(crate) fn entry(&self, key: &CacheKey) -> PathBuf {
        self.path().join("responses").join(key.as_str())
    }
}

pub(crate) async fn open(
    dir: &Path,
    options: impl FnOnce(FileStoreBuilder) -> FileStoreBuilder,
) -> FileStore {
    let builder = FileStore::builder(dir.join("cache"), larder_codec::default_codecs());
    options(builder).open().await.expect("opens")
}

pub(crate) fn key(text: &str) -> CacheKey {
    CacheKey::new(text).expect("valid")
}

pub(crate) fn head() -> ResponseHead {
    let url = http::Uri::from_static("https://example.org/page");
    let received = Timestamp::from_millis(1_700_000_000_000);
    ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, received)
}

pub(crate) fn response(body: impl Into<larder_core::Body>) -> CachedResponse {
    CachedResponse::new(head(), body)
}

/// Bytes that look like nothing and are the same every time.
pub(crate) fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}

/// Reads the body under `key`: `None` is a miss.
pub(crate) async fn read(store: &FileStore, key: &CacheKey) -> Option<Bytes> {
    let mut response = store.read(key).await.expect("a broken entry is a miss, not an error")?;
    Some(response.bytes().await.expect("its bytes can be read"))
}
