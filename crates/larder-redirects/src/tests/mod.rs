//! Tests of the copy in memory and of shared transactions, which need to see how something was answered or written.

mod currency;
mod group;
mod history;
mod takeover;

use std::path::PathBuf;
use std::time::Duration;

use larder_core::{CacheKey, RedirectIndex};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::SqliteRedirects;

type Outcome = Result<(), Box<dyn std::error::Error>>;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("redirects.sqlite")
    }

    async fn open(&self) -> larder_core::Result<SqliteRedirects> {
        SqliteRedirects::builder(self.path()).busy_timeout(Duration::from_secs(30)).open().await
    }

    fn remove(&self) -> std::io::Result<()> {
        ["", "-wal", "-shm"].iter().try_for_each(|suffix| {
            std::fs::remove_file(self.0.path().join(format!("redirects.sqlite{suffix}")))
        })
    }

    fn raw(&self) -> rusqlite::Result<Connection> {
        Connection::open(self.path())
    }
}

fn key(name: impl std::fmt::Display) -> CacheKey {
    CacheKey::new(name.to_string()).expect("the tests' keys are valid")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// Looks something up until the copy has answered.
async fn warm(index: &SqliteRedirects) -> larder_core::Result<()> {
    let answered = index.lanes().answered();
    for _ in 0..10_000 {
        index.contains(&key("warming")).await?;
        if index.lanes().answered() > answered {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    panic!("the copy never became warm");
}

/// Returns where `from` leads, and whether the copy told it.
async fn told(index: &SqliteRedirects, from: &CacheKey) -> larder_core::Result<(Option<CacheKey>, bool)> {
    let answered = index.lanes().answered();
    let alias = index.read(from).await?;
    Ok((alias.map(|alias| alias.target), index.lanes().answered() > answered))
}
