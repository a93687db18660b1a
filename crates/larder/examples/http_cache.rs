//! Puts a store of larder under a cache of http-cache, and fetches a page of an origin of its own twice.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use http::header::CACHE_CONTROL;
use http_cache_reqwest::{Cache, CacheMode, HttpCache, HttpCacheOptions};
use larder::FileBackend;
use larder_http_cache::Larder;
use reqwest_middleware::ClientBuilder;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let page = get(async || ([(CACHE_CONTROL, "max-age=60")], "Hello from the origin!"));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", page)).await });

    let backend = FileBackend::new("http_cache").use_temp(true).open().await?;
    let cache = HttpCache {
        mode: CacheMode::Default,
        manager: Larder::new(backend),
        options: HttpCacheOptions::default(),
    };
    // A client with TLS needs a provider of cryptography; this fails if there is one, and that one will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = ClientBuilder::new(reqwest::Client::new()).with(Cache(cache)).build();

    for _ in 0..2 {
        let response = client.get(&url).send().await?;
        let field = response.headers().get("x-cache").ok_or("there is no cache")?;
        println!("{}: {}", response.status(), field.to_str()?);
        println!("{}", response.text().await?);
    }
    Ok(())
}
