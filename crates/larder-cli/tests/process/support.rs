//! What the tests share: a cache in a directory of its own, and running the command on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use http::{Method, StatusCode};
use larder::file::FileStore;
use larder::policy::{CacheKeys, KeyRequest};
use larder::redirects::SqliteRedirects;
use larder::{Aliases, Body, CacheBackend, CacheKey, CachedResponse, FileBackend, ResponseHead, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

/// A cache directory that goes with it, not made yet.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Stores responses, and closes the cache again.
    pub(crate) fn fill(&self, responses: impl IntoIterator<Item = (ResponseHead, Body)>) {
        self.with_cache(async |cache, _| {
            for (head, body) in responses {
                let key = key(&head.method, &head.url.to_string());
                cache
                    .save_response(&key, CachedResponse::new(head, body), &Aliases::none())
                    .await
                    .expect("saved");
            }
        });
    }

    /// Runs something on the cache through the library.
    pub(crate) fn with_cache<T>(&self, work: impl AsyncFnOnce(&CacheBackend, &FileStore) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (files, redirects): (FileStore, SqliteRedirects) =
                FileBackend::new(self.cache()).open_parts().await.expect("opened");
            let cache = CacheBackend::new(Arc::new(files.clone()), Arc::new(redirects));
            let done = work(&cache, &files).await;
            cache.close().await.expect("closed");
            done
        })
    }

    pub(crate) fn path_of(&self, key: &CacheKey) -> PathBuf {
        self.with_cache(async |_, files| files.path_of(key))
    }

    /// Returns how many bytes the files of all entries have.
    pub(crate) fn file_bytes(&self) -> u64 {
        let paths: Vec<PathBuf> =
            self.with_cache(async |_, files| files.paths().try_collect().await.expect("listed"));
        paths.iter().map(|path| std::fs::metadata(path).expect("there").len()).sum()
    }

    /// Returns the command on this cache, with nothing of the environment that changes what it does.
    pub(crate) fn larder(&self, arguments: &[&str]) -> Command {
        let mut command = larder(arguments);
        command.arg("--dir").arg(self.cache());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.larder(arguments))
    }
}

/// Returns the command without a cache directory.
pub(crate) fn larder(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_larder"));
    command.args(arguments).env_remove("LARDER_DIR").stdin(Stdio::null());
    command
}

/// How a process ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// Returns the object on each line.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Asserts that it is done, and has nothing to complain about.
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self
    }

    /// Asserts that it failed with this code, and that it said so in one line first.
    pub(crate) fn failed(self, code: i32, complaint: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        let first = self.stderr.lines().next().unwrap_or_default();
        assert!(first.starts_with("larder: ") && first.contains(complaint), "{self:?}");
        self
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("it can be run");
    let text = |bytes| String::from_utf8(bytes).expect("what it writes is UTF-8");
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

pub(crate) fn key(method: &Method, url: &str) -> CacheKey {
    let url = url.parse().expect("a URL");
    CacheKeys::private().key(&KeyRequest::new(method, &url)).expect("a key").to_cache_key()
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

pub(crate) fn head(url: &str) -> ResponseHead {
    let received = Timestamp::from_millis(1_700_000_000_000);
    ResponseHead::new(Method::GET, url.parse().expect("a URL"), StatusCode::OK, received)
}

pub(crate) fn page(url: &str, body: &'static str) -> (ResponseHead, Body) {
    (head(url), body.into())
}

/// Changes one byte in the middle of a file.
pub(crate) fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(path, bytes).expect("written");
}
