//! The client over the file backend: what one program has fetched, the next one finds.
#![cfg(all(feature = "file", feature = "msgpack", feature = "reqwest"))]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use larder::reqwest::Client;
use larder::{CacheOptions, FileBackend, ResponseCache};
use tokio::net::TcpListener;

/// Says who asked, and counts how often; what begins with `/to` redirects to the page.
async fn start_origin() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            let service = service_fn(move |request: Request<Incoming>| {
                counter.fetch_add(1, Ordering::Relaxed);
                let who =
                    request.headers().get(AUTHORIZATION).map_or("nobody", |who| who.to_str().expect("text"));
                let mut response = Response::new(Full::new(Bytes::from(who.to_owned())));
                if request.uri().path().starts_with("/to") {
                    *response.status_mut() = StatusCode::FOUND;
                    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/page"));
                }
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(async {
                http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
            });
        }
    });
    (address, asked)
}

/// Returns a client over `directory`, as a program that starts now has it.
async fn open(directory: &Path) -> Client {
    let backend = FileBackend::new(directory).open().await.expect("open");
    let cache =
        ResponseCache::new(backend, CacheOptions::fixed(Duration::from_hours(1))).expect("good options");
    let client = Client::builder(cache).reqwest(|inner| {
        // No certificates are needed on loopback, and some machines have none.
        #[cfg(feature = "rustls")]
        let inner = inner.tls_certs_only([]);
        inner.no_proxy()
    });
    client.build().expect("a client")
}

#[tokio::test]
async fn two_tokens_on_one_url_get_their_own_through_one_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let (address, asked) = start_origin().await;
    for is_second_run in [false, true] {
        let client = open(directory.path()).await;
        for token in ["a", "b"] {
            let request = client.get(format!("http://{address}/page")).bearer_auth(token);
            let response = request.send().await.expect("an answer");
            assert_eq!(response.from_cache(), is_second_run);
            assert_eq!(response.text().await.expect("a body"), format!("Bearer {token}"));
        }
        client.cache().backend().close().await.expect("closed");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_next_program_skips_the_redirects_of_this_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let (address, asked) = start_origin().await;
    for is_second_run in [false, true] {
        let client = open(directory.path()).await;
        let response = client.get(format!("http://{address}/to")).send().await.expect("an answer");
        assert_eq!((response.cache_status().alias, response.history().len()), (is_second_run, 1));
        assert_eq!(response.url().path(), "/page");
        assert_eq!(response.text().await.expect("a body"), "nobody");
        client.cache().backend().close().await.expect("closed");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
