//! The manager: a backend under the keys of http-cache.

use bytes::Bytes;
use http::StatusCode;
use http_cache::{CacheManager, HttpResponse, Result};
use http_cache_semantics::CachePolicy;
use larder_core::{Body, CacheBackend, CacheKey, CachedResponse, Error, ErrorKind, ResponseHead};

use crate::record::{Record, fields, header_map};

/// Any backend of larder, as a manager of http-cache.
///
/// Cloning is cheap; the clones are the same store. One store may be used by caches of larder's own too: their keys
/// never meet.
#[derive(Debug, Clone)]
pub struct Larder {
    pub(crate) backend: CacheBackend,
}

impl Larder {
    /// Returns a manager that keeps responses in `backend`.
    #[must_use]
    pub fn new(backend: CacheBackend) -> Self {
        Self { backend }
    }

    /// Returns the backend.
    #[must_use]
    pub fn backend(&self) -> &CacheBackend {
        &self.backend
    }

    /// Returns what is stored under `cache_key`; a failure is nothing.
    pub(crate) async fn look_up(&self, cache_key: &str) -> Option<(Record, CachedResponse)> {
        let response = match self.backend.responses().read(&store_key(cache_key)).await {
            Ok(response) => response?,
            Err(error) => {
                self.backend.pass_over("get", &error);
                return None;
            }
        };
        Some((Record::of(&response.head, cache_key)?, response))
    }

    /// Stores `body` under `cache_key`, or passes the failure over.
    pub(crate) async fn store(&self, cache_key: &str, head: larder_core::Result<ResponseHead>, body: Body) {
        let stored = match head {
            Ok(head) => {
                let response = CachedResponse::new(head, body);
                self.backend.responses().write(&store_key(cache_key), response).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            self.backend.pass_over("put", &error);
        }
    }

    pub(crate) async fn remove(&self, cache_key: &str) -> Result<()> {
        self.backend.responses().delete(&store_key(cache_key)).await?;
        Ok(())
    }
}

/// The manager for whole bodies.
///
/// [`put`](CacheManager::put) has no error, and returns what it was given: what cannot be stored is not.
/// [`delete`](CacheManager::delete) returns the error of the store, because what was to go may still be there. If a
/// future is dropped, the entry is as it was before, or as it was to be, whole.
impl CacheManager for Larder {
    async fn get(&self, cache_key: &str) -> Result<Option<(HttpResponse, CachePolicy)>> {
        let Some((record, CachedResponse { head, body, .. })) = self.look_up(cache_key).await else {
            return Ok(None);
        };
        let Ok(version) = head.version.try_into() else { return Ok(None) };
        let body = match body.bytes().await {
            Ok(bytes) => bytes.into(),
            Err(error) => {
                self.backend.pass_over("get", &error);
                return Ok(None);
            }
        };
        let Record { url, policy, metadata, .. } = record;
        let headers = fields(&head.headers);
        let status = head.status.as_u16();
        Ok(Some((HttpResponse { body, headers, status, url, version, metadata }, policy)))
    }

    async fn put(
        &self,
        cache_key: String,
        mut response: HttpResponse,
        policy: CachePolicy,
    ) -> Result<HttpResponse> {
        let bytes = Bytes::from(std::mem::take(&mut response.body));
        let head = head(&cache_key, &response, policy);
        self.store(&cache_key, head, bytes.clone().into()).await;
        response.body = bytes.into();
        Ok(response)
    }

    async fn delete(&self, cache_key: &str) -> Result<()> {
        self.remove(cache_key).await
    }
}

/// Returns the key of the store for a key of http-cache, which may be any text.
pub(crate) fn store_key(cache_key: &str) -> CacheKey {
    // The keys of larder itself are digests too, and of nothing that begins like this.
    CacheKey::digest([b"http-cache\0", cache_key.as_bytes()].concat())
}

fn head(key: &str, response: &HttpResponse, policy: CachePolicy) -> larder_core::Result<ResponseHead> {
    let status = StatusCode::from_u16(response.status)
        .map_err(|error| Error::new(ErrorKind::InvalidInput, "the status is none").with_source(error))?;
    let (url, metadata) = (response.url.clone(), response.metadata.clone());
    let record = Record { key: key.to_owned(), url, policy, metadata };
    let mut head = record.into_head(status, header_map(&response.headers)?)?;
    head.version = response.version.into();
    Ok(head)
}
