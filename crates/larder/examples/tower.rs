//! Puts the cache in front of hyper-util's client, and fetches a page of an origin of its own twice.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use http::Request;
use http::header::CACHE_CONTROL;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use larder::client::RequestBody;
use larder::tower::CacheLayer;
use larder::{CacheOptions, CacheStatus, MemoryBackend, ResponseCache};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let page = get(async || ([(CACHE_CONTROL, "max-age=60")], "Hello from the origin!"));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", page)).await });

    let cache = ResponseCache::new(MemoryBackend::new().open(), CacheOptions::standard())?;
    let client = Client::builder(TokioExecutor::new()).build_http::<RequestBody>();
    let service = CacheLayer::new(cache).layer(client);

    for _ in 0..2 {
        let request = Request::get(&url).body(RequestBody::empty())?;
        let response = service.clone().oneshot(request).await?;
        let status = response.extensions().get::<CacheStatus>().cloned().unwrap_or_default();
        println!("{}: {status}", response.status());
        let content = response.into_body().bytes().await?;
        println!("{}", String::from_utf8_lossy(&content));
    }
    Ok(())
}
