//! A cache in memory, and clients that need neither a proxy nor certificates.

use std::sync::Arc;
use std::time::Duration;

use larder_client::reqwest::{Client, Response};
use larder_client::{CacheOptions, ResponseCache};
use larder_core::CacheBackend;
use larder_memory::{MemoryRedirects, MemoryStore};

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn options() -> CacheOptions {
    CacheOptions::fixed(HOUR)
}

pub(crate) fn cache(options: CacheOptions) -> ResponseCache {
    let backend = CacheBackend::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()));
    ResponseCache::new(backend, options).expect("the options are good")
}

/// Returns a client that keeps for an hour.
pub(crate) fn client() -> Client {
    client_of(cache(options()), |builder| builder)
}

pub(crate) fn client_of(
    cache: ResponseCache,
    configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Client {
    let builder = Client::builder(cache).reqwest(|builder| configure(alone(builder)));
    builder.build().expect("the options are good")
}

/// Returns reqwest's own client, made by `configure`.
pub(crate) fn inner(
    configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> reqwest::Client {
    #[cfg(feature = "rustls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    configure(alone(reqwest::Client::builder())).build().expect("the options are good")
}

/// Sets what keeps a client from looking around on this machine.
pub(crate) fn alone(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    #[cfg(feature = "rustls")]
    let builder = builder.tls_certs_only([]);
    builder.no_proxy()
}

/// Sends a GET of `url`, reads all of it, and returns whether it came from the cache, and the text.
pub(crate) async fn get(client: &Client, url: &str) -> (bool, String) {
    read(client.get(url).send().await.expect("an answer")).await
}

pub(crate) async fn read(response: Response) -> (bool, String) {
    (response.from_cache(), response.text().await.expect("a body"))
}
