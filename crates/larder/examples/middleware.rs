//! Puts the cache into a client of reqwest-middleware, and fetches a URL twice.

use std::time::Duration;

use larder::reqwest::CacheMiddleware;
use larder::{CacheOptions, CacheStatus, FileBackend, RequestOptions, ResponseCache};
use reqwest::redirect;
use reqwest_middleware::ClientBuilder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: middleware URL")?;
    let backend = FileBackend::new("middleware").use_temp(true).open().await?;
    let cache = ResponseCache::new(backend, CacheOptions::fixed(Duration::from_hours(24)))?;

    // A client with TLS needs a provider of cryptography; this fails if there is one, and that one will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The cache follows redirects, so that it can skip them the next time.
    let inner = reqwest::Client::builder().redirect(redirect::Policy::none()).build()?;
    let client = ClientBuilder::new(inner).with(CacheMiddleware::new(cache)).build();

    for _ in 0..2 {
        let options = RequestOptions::default().expire_after(Duration::from_mins(5));
        let response = client.get(&url).with_extension(options).send().await?;
        let status = response.extensions().get::<CacheStatus>().cloned().unwrap_or_default();
        println!("{} {}: {status}", response.status(), response.url());
        println!("{} bytes", response.bytes().await?.len());
    }
    Ok(())
}
