//! http-cache-stream's default storage: a file for the head and one for the body, under advisory locks.

use std::path::Path;

use ::http_cache_stream::storage::{CacheStorage, DefaultCacheStorage};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, response};
use http_body_util::{BodyExt, Full};
use http_cache_semantics::CachePolicy;
use larder_core::{BoxError, CacheKey};

use crate::contender::{Contender, Survives, Terms};
use crate::sample;

/// A storage directory.
pub(super) struct Stream {
    storage: DefaultCacheStorage,
    parts: response::Parts,
    policy: CachePolicy,
}

impl Stream {
    pub(super) fn new(directory: &Path) -> Result<Self, BoxError> {
        let head = sample::head();
        let (request, ()) = Request::get(head.url).body(())?.into_parts();
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.headers = head.headers;
        let policy = CachePolicy::new(&request, &parts);
        Ok(Self { storage: DefaultCacheStorage::new(directory), parts, policy })
    }
}

#[async_trait]
impl Contender for Stream {
    fn name(&self) -> &'static str {
        "http-cache-stream"
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "the process's end; a power loss may tear it",
            survives: Survives::Torn,
            verification: "nothing",
            processes: "many processes",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        let (key, parts, policy) = (key.to_string(), self.parts.clone(), self.policy.clone());
        let mut response = self.storage.store(key, parts, Full::new(body), policy).await?;
        // What is not read to its end is not stored.
        while let Some(frame) = response.body_mut().frame().await {
            frame?;
        }
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        let Some(stored) = self.storage.get::<Full<Bytes>>(key.as_str()).await? else {
            return Ok(None);
        };
        Ok(Some(stored.response.into_body().collect().await?.to_bytes()))
    }

    /// Opens the response, without its body: a storage has no other way to say whether it is there.
    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.storage.get::<Full<Bytes>>(key.as_str()).await?.is_some())
    }

    /// Returns `true` even if there was nothing: a storage does not tell.
    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.storage.delete(key.as_str()).await?;
        Ok(true)
    }
}
