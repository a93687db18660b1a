//! http-cache-reqwest with each of the managers that buffer.
//!
//! Its status fields are off, which saves it two header fields on each response.

use std::path::PathBuf;
use std::sync::Arc;

use ::http_cache::{
    CACacheManager, CacheManager, CacheMode, HttpCache, HttpCacheOptions, MokaManager, RedbManager,
};
use async_trait::async_trait;
use bytes::Bytes;
use http_cache_reqwest::Cache;
use larder_core::BoxError;
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::contender::{Terms, WholeClient};
use crate::peers::{CACACHE, MOKA, REDB, moka_cache, redb_path};

/// A client of reqwest-middleware.
struct HttpCacheReqwest {
    name: &'static str,
    terms: Terms,
    client: ClientWithMiddleware,
}

/// Returns one for each manager, each in a directory of its own.
pub(super) fn all(
    own: impl Fn(&str) -> Result<PathBuf, BoxError>,
) -> Result<Vec<Arc<dyn WholeClient>>, BoxError> {
    let cacache = CACacheManager::new(own("http-cache-reqwest-cacache")?, true);
    let redb = RedbManager::new(redb_path(&own("http-cache-reqwest-redb")?))?;
    let moka = MokaManager::new(moka_cache());
    Ok(vec![
        Arc::new(HttpCacheReqwest::new("http-cache-reqwest, cacache manager", CACACHE, cacache)?),
        Arc::new(HttpCacheReqwest::new("http-cache-reqwest, redb manager (blocks)", REDB, redb)?),
        Arc::new(HttpCacheReqwest::new("http-cache-reqwest, moka manager", MOKA, moka)?),
    ])
}

impl HttpCacheReqwest {
    fn new(name: &'static str, terms: Terms, manager: impl CacheManager) -> Result<Self, BoxError> {
        let options = HttpCacheOptions { cache_status_headers: false, ..HttpCacheOptions::default() };
        let cache = Cache(HttpCache { mode: CacheMode::Default, manager, options });
        let client = ClientBuilder::new(super::inner(Client::builder()).build()?).with(cache).build();
        Ok(Self { name, terms, client })
    }
}

#[async_trait]
impl WholeClient for HttpCacheReqwest {
    fn name(&self) -> &'static str {
        self.name
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    async fn get(&self, url: &str) -> Result<Bytes, BoxError> {
        Ok(self.client.get(url).send().await?.error_for_status()?.bytes().await?)
    }
}
