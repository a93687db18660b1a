//! A cache of http-cache with the file backend for its store, in front of an origin on loopback.
#![cfg(all(feature = "file", feature = "msgpack"))]

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use http_cache_reqwest::{Cache, CacheMode, HttpCache, HttpCacheOptions};
use larder::FileBackend;
use larder_http_cache::Larder;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;

/// No UTF-8, and a null.
const BODY: &[u8] = b"\0binary\xff\xfe\r\n";

/// Serves [`BODY`] with this `Cache-Control` until the test ends; returns its URL, and how often it was asked.
async fn origin(cache_control: &'static str) -> (String, Arc<AtomicUsize>) {
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    let page = async move |request: HeaderMap| {
        counted.fetch_add(1, Ordering::SeqCst);
        let is_valid = request.get(IF_NONE_MATCH).is_some_and(|tag| tag == "\"tag\"");
        let status = if is_valid { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        (status, [(CACHE_CONTROL, cache_control), (ETAG, "\"tag\"")], if is_valid { &[] } else { BODY })
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", get(page))).await });
    (url, count)
}

async fn client(directory: &Path) -> ClientWithMiddleware {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let backend = FileBackend::new(directory).open().await.expect("a directory");
    let inner = reqwest::Client::builder().no_proxy().build().expect("a client");
    let manager = Larder::new(backend);
    let cache = HttpCache { mode: CacheMode::Default, manager, options: HttpCacheOptions::default() };
    ClientBuilder::new(inner).with(Cache(cache)).build()
}

/// Returns what http-cache says of its cache, of a GET with the right content.
async fn fetch(client: &ClientWithMiddleware, url: &str) -> String {
    let response = client.get(url).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let field = response.headers()["x-cache"].to_str().expect("text").to_owned();
    assert_eq!(response.bytes().await.expect("a body"), BODY);
    field
}

#[tokio::test]
async fn the_second_request_is_a_hit_and_so_is_that_of_the_next_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let (url, count) = origin("max-age=60").await;
    let first = client(directory.path()).await;
    assert_eq!(fetch(&first, &url).await, "MISS");
    assert_eq!(fetch(&first, &url).await, "HIT");
    drop(first);
    assert_eq!(fetch(&client(directory.path()).await, &url).await, "HIT");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_stale_is_validated() {
    let directory = tempfile::tempdir().expect("a directory");
    let (url, count) = origin("max-age=0").await;
    let client = client(directory.path()).await;
    assert_eq!(fetch(&client, &url).await, "MISS");
    for _ in 0..2 {
        assert_eq!(fetch(&client, &url).await, "HIT", "the content comes from the store");
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
}
