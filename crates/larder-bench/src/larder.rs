//! larder itself as a contender: any of its stores, with the options that it has by default.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{BoxError, CacheKey, CachedResponse, ResponseHead, ResponseStore};

use crate::sample::head;
use crate::{Contender, Survives, Terms};

/// What the file store promises by default.
pub(crate) const FILE_TERMS: Terms = Terms {
    durability: "the process's end; a power loss leaves it whole or absent",
    survives: Survives::Whole,
    verification: "every byte, by CRC-32",
    processes: "many processes",
    in_memory: false,
};

/// What a store in memory promises.
pub(crate) const MEMORY_TERMS: Terms = Terms {
    durability: "nothing",
    survives: Survives::Nothing,
    verification: "nothing",
    processes: "one process",
    in_memory: true,
};

/// A response store of larder, and what a table calls it.
#[derive(Debug, Clone)]
pub(crate) struct Larder {
    name: &'static str,
    terms: Terms,
    store: Arc<dyn ResponseStore>,
    head: ResponseHead,
}

impl Larder {
    /// Returns `store` as a contender.
    #[must_use]
    pub(crate) fn new(name: &'static str, terms: Terms, store: Arc<dyn ResponseStore>) -> Self {
        Self { name, terms, store, head: head() }
    }
}

#[async_trait]
impl Contender for Larder {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        Ok(self.store.write(key, CachedResponse::new(self.head.clone(), body)).await?)
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        match self.store.read(key).await? {
            Some(response) => Ok(Some(response.body.bytes().await?)),
            None => Ok(None),
        }
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.store.contains(key).await?)
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.store.delete(key).await?)
    }
}
