//! larder's reqwest client on its file backend, with the options that it has by default.

use std::path::Path;

use ::larder::{CacheOptions, FileBackend, ResponseCache, reqwest::Client};
use async_trait::async_trait;
use bytes::Bytes;
use larder_core::BoxError;

use crate::contender::{Terms, WholeClient};
use crate::larder::FILE_TERMS;

/// A caching client.
pub(super) struct Larder {
    name: &'static str,
    client: Client,
}

impl Larder {
    pub(super) async fn open(
        name: &'static str,
        options: CacheOptions,
        directory: &Path,
    ) -> Result<Self, BoxError> {
        let backend = FileBackend::new(directory.join("cache")).open().await?;
        let cache = ResponseCache::new(backend, options)?;
        Ok(Self { name, client: Client::builder(cache).reqwest(super::inner).build()? })
    }
}

#[async_trait]
impl WholeClient for Larder {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        FILE_TERMS
    }

    async fn get(&self, url: &str) -> Result<Bytes, BoxError> {
        Ok(self.client.get(url).send().await?.error_for_status()?.bytes().await?)
    }
}
