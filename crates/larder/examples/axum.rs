//! Puts the cache inside a server of axum, whose one page takes long to work out, and asks it twice.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::CACHE_CONTROL;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use larder::tower::CacheLayer;
use larder::{CacheOptions, MemoryBackend, ResponseCache};
use tokio::net::TcpListener;

static RUNS: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A server answers many users from one cache.
    let options = CacheOptions::standard().shared();
    let cache =
        ResponseCache::builder(MemoryBackend::new().open(), options).cache_status_field(true).build()?;
    let page = get(async || {
        let content = format!("run {}", RUNS.fetch_add(1, Ordering::Relaxed) + 1);
        ([(CACHE_CONTROL, "max-age=60")], content)
    });
    let router = Router::new().route("/", page).layer(CacheLayer::new(cache));

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, router).await });

    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    for _ in 0..2 {
        let response = client.get(url.parse()?).await?;
        let field = response.headers().get("cache-status").ok_or("the server has no cache")?;
        println!("{}: {}", response.status(), field.to_str()?);
        let content = response.into_body().collect().await?.to_bytes();
        println!("{}", String::from_utf8_lossy(&content));
    }
    Ok(())
}
