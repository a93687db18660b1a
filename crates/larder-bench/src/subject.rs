//! The backends that are measured, each by itself and with the options that it has by default.

use std::sync::Arc;

use larder_core::{RedirectIndex, ResponseStore, Result};
use larder_file::{FanOut, FileStore};
use larder_memory::{MemoryRedirects, MemoryStore};
use larder_redirects::SqliteRedirects;
use tempfile::TempDir;

/// A response store, and what a table calls it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Store {
    /// The name.
    pub name: &'static str,
    /// The store.
    pub store: Arc<dyn ResponseStore>,
    _directory: Option<TempDir>,
}

impl Store {
    /// Returns every store, empty.
    ///
    /// # Errors
    ///
    /// When one of them cannot be opened.
    pub async fn all() -> Result<Vec<Self>> {
        let memory = Self { name: "memory", store: Arc::new(MemoryStore::new()), _directory: None };
        let flat = Self::file("file, flat", FanOut::Flat).await?;
        let wide = Self::file("file, fan-out", FanOut::Wide).await?;
        Ok(vec![memory, flat, wide])
    }

    async fn file(name: &'static str, fan_out: FanOut) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let builder = FileStore::builder(directory.path().join("cache"), larder_codec::default_codecs());
        let store = builder.fan_out(fan_out).open().await?;
        Ok(Self { name, store: Arc::new(store), _directory: Some(directory) })
    }
}

/// A redirect index, and what a table calls it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Index {
    /// The name.
    pub name: &'static str,
    /// The index.
    pub index: Arc<dyn RedirectIndex>,
    _directory: Option<TempDir>,
}

impl Index {
    /// Returns every index, empty.
    ///
    /// # Errors
    ///
    /// When one of them cannot be opened.
    pub async fn all() -> Result<Vec<Self>> {
        let memory = Self { name: "memory", index: Arc::new(MemoryRedirects::new()), _directory: None };
        let directory = tempfile::tempdir()?;
        let sqlite = SqliteRedirects::builder(directory.path().join("redirects.sqlite")).open().await?;
        let sqlite = Self { name: "SQLite", index: Arc::new(sqlite), _directory: Some(directory) };
        Ok(vec![memory, sqlite])
    }
}
