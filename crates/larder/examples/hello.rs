//! Fetches a URL; the second time, from the disk.

use std::time::Duration;

use larder::{CacheOptions, FileBackend, ResponseCache, reqwest::Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: hello URL")?;
    let backend = FileBackend::new("hello").use_temp(true).open().await?;
    let cache = ResponseCache::new(backend, CacheOptions::fixed(Duration::from_hours(24)))?;
    let response = Client::new(cache)?.get(url).send().await?;
    println!("{}, from the cache: {}", response.status(), response.from_cache());
    println!("{}", response.text().await?);
    Ok(())
}
