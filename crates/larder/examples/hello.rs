//! Stores one response, and reads it back.

use std::time::SystemTime;

use http::{Method, StatusCode};
use larder::policy::{CacheKeys, KeyRequest};
use larder::{Aliases, Body, CachedResponse, FileBackend, ResponseHead, Timestamp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = FileBackend::new("hello").use_temp(true).open().await?;
    let url = "https://example.org/".parse()?;
    let key = CacheKeys::private().key(&KeyRequest::new(&Method::GET, &url))?.to_cache_key();
    let now = Timestamp::from(SystemTime::now());

    let head = ResponseHead::new(Method::GET, url, StatusCode::OK, now);
    let response = CachedResponse::new(head, Body::from("Hello from the disk!"));
    cache.save_response(&key, response, &Aliases::none()).await?;

    let mut stored = cache.get_response(&key, now).await.into_response().ok_or("nothing is stored")?;
    let body = stored.bytes().await?;
    println!("{} {}: {body:?}", stored.status(), stored.url());
    println!("{} entry, {key}", cache.size().await?);
    Ok(cache.close().await?)
}
