//! A directory with an index in it, and what the tests do to it behind the index's back.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_util::TryStreamExt;
use larder_core::{CacheKey, RedirectIndex};
use larder_redirects::SqliteRedirects;
use tempfile::TempDir;

/// What a test returns.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// The variable that tells a child process where its index is.
const CHILD: &str = "LARDER_TEST_CHILD";

#[derive(Debug)]
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.beside("")
    }

    /// The path of a file beside the database: `-wal`, `.corrupt` and so on.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        self.directory().join(format!("redirects.sqlite{suffix}"))
    }

    pub(crate) async fn open(&self) -> larder_core::Result<SqliteRedirects> {
        SqliteRedirects::builder(self.path()).open().await
    }

    /// Opens the database with SQLite alone.
    pub(crate) fn raw(&self) -> rusqlite::Result<rusqlite::Connection> {
        rusqlite::Connection::open(self.path())
    }

    /// Removes the database and its logs.
    pub(crate) fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // Some of them may be missing, or go meanwhile.
            let _ = fs::remove_file(self.beside(suffix));
        }
    }

    /// The names of all files in the directory, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory()).expect("the directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn key(name: impl std::fmt::Display) -> CacheKey {
    CacheKey::new(name.to_string()).expect("the tests' keys are valid")
}

pub(crate) fn keys(count: usize) -> Vec<CacheKey> {
    (0..count).map(|n| CacheKey::digest(n.to_le_bytes())).collect()
}

/// Every key in the index, in order.
pub(crate) async fn listed(index: &SqliteRedirects) -> larder_core::Result<Vec<CacheKey>> {
    let mut keys: Vec<CacheKey> = index.keys().try_collect().await?;
    keys.sort();
    Ok(keys)
}

/// Writes one alias and reads it back: the index works.
pub(crate) async fn works(index: &SqliteRedirects) -> larder_core::Result<()> {
    let (from, to) = (key("works-from"), key("works-to"));
    index.write(std::slice::from_ref(&from), &to, None).await?;
    assert_eq!(index.read(&from).await?.expect("just written").target, to);
    index.delete(&from).await?;
    Ok(())
}

/// Returns a command that runs the ignored test `name` of this binary in a process of its own.
pub(crate) fn child(name: &str, path: &Path, arguments: &str) -> Command {
    let mut variable = OsString::from(path);
    variable.push("\n");
    variable.push(arguments);
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command
        .args([name, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD, variable)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// In a child process: the path of the index and the arguments. `None` when somebody runs ignored tests by hand.
pub(crate) fn child_arguments() -> Option<(PathBuf, String)> {
    let variable = std::env::var(CHILD).ok()?;
    let (path, arguments) = variable.split_once('\n')?;
    Some((path.into(), arguments.to_owned()))
}
