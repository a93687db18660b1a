//! http-cache's managers: buffered responses in cacache, redb or moka, and streamed ones in files beside redb.
//!
//! A manager stores a response with a policy of http-cache-semantics; the head is that of every other contender.

use std::path::{Path, PathBuf};

use ::http_cache::{
    CACacheManager, CacheManager, HttpResponse, HttpVersion, MokaCache, MokaManager, RedbManager,
    StreamingCacheManager, StreamingManager, Url,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, request, response};
use http_body_util::{BodyExt, Full};
use http_cache_semantics::CachePolicy;
use larder_core::{BoxError, CacheKey};

use super::{ENTRIES, cacache::is_absent};
use crate::contender::{Contender, Survives, Terms};
use crate::sample;

/// What the manager of cacache promises, which uses its default, SHA-256.
pub(crate) const CACACHE: Terms = Terms {
    durability: "the process's end; a power loss may lose it",
    survives: Survives::Whole,
    verification: "the content and the line of the index, by SHA-256",
    processes: "many processes",
    in_memory: false,
};

/// What the manager of redb promises, which flushes every 64 writes, as is its default.
pub(crate) const REDB: Terms = Terms {
    durability: "nothing: up to 63 writes are lost when the process is killed",
    survives: Survives::Nothing,
    verification: "nothing",
    processes: "one process",
    in_memory: false,
};

/// What the manager of moka promises.
pub(crate) const MOKA: Terms = Terms {
    durability: "nothing",
    survives: Survives::Nothing,
    verification: "nothing",
    processes: "one process",
    in_memory: true,
};

/// The largest body that the streaming manager takes; its default, 100 MB, is a choice and not a limit.
const MAX_BODY: u64 = 1 << 30;

/// A manager of buffered responses.
pub(super) struct Buffered<M> {
    name: &'static str,
    terms: Terms,
    manager: M,
    head: Head,
}

/// The manager of streamed responses.
pub(super) struct Streaming {
    manager: StreamingManager,
    head: Head,
}

/// What every response has but its body.
struct Head {
    url: Url,
    parts: response::Parts,
    response: HttpResponse,
    policy: CachePolicy,
}

impl Head {
    fn new() -> Result<Self, BoxError> {
        let head = sample::head();
        let url = head.url.to_string();
        let (request, ()): (request::Parts, _) = Request::get(&url).body(())?.into_parts();
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.headers = head.headers;
        let policy = CachePolicy::new(&request, &parts);
        let url: Url = url.parse()?;
        let response = HttpResponse {
            body: Vec::new(),
            headers: (&parts.headers).into(),
            status: parts.status.as_u16(),
            url: url.clone(),
            version: HttpVersion::Http11,
            metadata: None,
        };
        Ok(Self { url, parts, response, policy })
    }
}

/// Returns where a manager of redb keeps its file.
pub(crate) fn redb_path(directory: &Path) -> PathBuf {
    directory.join("http-cache.redb")
}

/// Returns a cache of moka that has room for everything.
pub(crate) fn moka_cache<V: Clone + Send + Sync + 'static>() -> MokaCache<String, V> {
    MokaCache::new(ENTRIES)
}

/// Returns the manager that keeps responses in cacache.
pub(super) fn cacache(directory: &Path) -> Result<Buffered<CACacheManager>, BoxError> {
    let manager = CACacheManager::new(directory.to_owned(), true);
    Buffered::new("http-cache, cacache manager", CACACHE, manager)
}

/// Returns the manager that keeps responses in redb.
pub(super) fn redb(directory: &Path) -> Result<Buffered<RedbManager>, BoxError> {
    Buffered::new("http-cache, redb manager (blocks)", REDB, RedbManager::new(redb_path(directory))?)
}

/// Returns the manager that keeps serialized responses in memory.
pub(super) fn moka() -> Result<Buffered<MokaManager>, BoxError> {
    Buffered::new("http-cache, moka manager", MOKA, MokaManager::new(moka_cache()))
}

impl<M: CacheManager> Buffered<M> {
    fn new(name: &'static str, terms: Terms, manager: M) -> Result<Self, BoxError> {
        Ok(Self { name, terms, manager, head: Head::new()? })
    }
}

#[async_trait]
impl<M: CacheManager> Contender for Buffered<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        // Each response has a URL of its own. Without anything of its own, equal bodies would be one content of
        // cacache, which the deletion of one entry takes from the others.
        let metadata = Some(key.as_str().into());
        let response = HttpResponse { body: body.into(), metadata, ..self.head.response.clone() };
        self.manager.put(key.to_string(), response, self.head.policy.clone()).await?;
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        let found = self.manager.get(key.as_str()).await?;
        Ok(found.map(|(response, _)| response.body.into()))
    }

    /// Reads the response: a manager has no other way to say whether it is there.
    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.manager.get(key.as_str()).await?.is_some())
    }

    /// Returns `true` even if there was nothing, where the manager does not tell.
    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        match self.manager.delete(key.as_str()).await {
            Ok(()) => Ok(true),
            Err(error) if error.downcast_ref().is_some_and(is_absent) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Streaming {
    pub(super) async fn open(directory: &Path) -> Result<Self, BoxError> {
        let manager = StreamingManager::with_max_body_size(directory.to_owned(), ENTRIES, MAX_BODY);
        Ok(Self { manager: manager.await?, head: Head::new()? })
    }
}

#[async_trait]
impl Contender for Streaming {
    fn name(&self) -> &'static str {
        "http-cache, streaming manager"
    }

    fn terms(&self) -> Terms {
        Terms {
            durability: "a power loss",
            survives: Survives::PowerLoss,
            verification: "the body, by BLAKE3",
            processes: "one process",
            in_memory: false,
        }
    }

    async fn write(&self, key: &CacheKey, body: Bytes) -> Result<(), BoxError> {
        let response = Response::from_parts(self.head.parts.clone(), Full::new(body));
        let (policy, url) = (self.head.policy.clone(), self.head.url.clone());
        self.manager.put(key.to_string(), response, policy, url, None).await?;
        Ok(())
    }

    async fn read(&self, key: &CacheKey) -> Result<Option<Bytes>, BoxError> {
        let Some((response, _)) = self.manager.get(key.as_str()).await? else {
            return Ok(None);
        };
        Ok(Some(response.into_body().collect().await?.to_bytes()))
    }

    /// Opens the response, without its body: a manager has no other way to say whether it is there.
    async fn contains(&self, key: &CacheKey) -> Result<bool, BoxError> {
        Ok(self.manager.get(key.as_str()).await?.is_some())
    }

    /// Returns `true` even if there was nothing: a manager does not tell.
    async fn delete(&self, key: &CacheKey) -> Result<bool, BoxError> {
        self.manager.delete(key.as_str()).await?;
        Ok(true)
    }
}
