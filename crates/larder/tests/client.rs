//! The client over the file backend: what one program has fetched, the next one finds.
#![cfg(all(feature = "file", feature = "msgpack", feature = "reqwest"))]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_RANGE, ETAG, LOCATION, RANGE, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use larder::reqwest::Client;
use larder::{CacheOptions, FileBackend, ResponseCache};
use tokio::net::TcpListener;

/// A body that is not read whole before it is handed out.
const LONG: usize = 3 << 20;

/// Says who asked, and counts how often; `/to` redirects to the page, `/long` is long and has ranges, and
/// `/chunked` is long and does not say so.
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
                let response = Response::builder();
                let response = match (request.uri().path(), request.headers().get(RANGE)) {
                    ("/to", _) => {
                        response.status(StatusCode::FOUND).header(LOCATION, "/page").body(Full::default())
                    }
                    // Whoever reads this does not know how long it will be.
                    ("/chunked", _) => response.header(TRANSFER_ENCODING, "chunked").body(Full::new(long())),
                    ("/long", None) => response.header(ETAG, "\"1\"").body(Full::new(long())),
                    ("/long", Some(range)) => {
                        let range = range.to_str().expect("text").trim_matches(|c: char| !c.is_ascii_digit());
                        let start: usize = range.parse().expect("one range to the end");
                        let content_range = format!("bytes {start}-{}/{LONG}", LONG - 1);
                        let response = response.status(StatusCode::PARTIAL_CONTENT).header(ETAG, "\"1\"");
                        response.header(CONTENT_RANGE, content_range).body(Full::new(long().slice(start..)))
                    }
                    _ => response.body(Full::new(Bytes::from(who.to_owned()))),
                };
                async { response }
            });
            tokio::spawn(async {
                http1::Builder::new().serve_connection(TokioIo::new(connection), service).await
            });
        }
    });
    (address, asked)
}

fn long() -> Bytes {
    (0..LONG).map(|i| u8::try_from(i % 251).expect("less than 251")).collect()
}

/// Returns a client over `directory`, as a program that starts now has it.
async fn open(directory: &Path) -> Client {
    open_with(FileBackend::new(directory)).await
}

async fn open_with(backend: FileBackend) -> Client {
    let backend = backend.open().await.expect("open");
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

#[tokio::test]
async fn a_long_body_that_is_damaged_on_the_disk_is_completed_by_its_origin() {
    let directory = tempfile::tempdir().expect("a directory");
    let (address, asked) = start_origin().await;
    let client = open(directory.path()).await;
    let get = async || {
        let response = client.get(format!("http://{address}/long")).send().await.expect("an answer");
        (response.from_cache(), response.bytes().await.expect("a body") == long())
    };
    assert_eq!(get().await, (false, true));
    assert_eq!(get().await, (true, true));
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let entry = longest_file(&directory.path().join("responses"));
    let mut bytes = std::fs::read(&entry).expect("an entry");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&entry, bytes).expect("damaged");
    assert_eq!(get().await, (true, true));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_is_too_long_for_the_cache_is_served_all_the_same() {
    for path in ["long", "chunked"] {
        for limit in [
            |backend: FileBackend| backend.max_entry_bytes(2 << 20),
            |b: FileBackend| b.max_total_bytes(2 << 20),
        ] {
            let directory = tempfile::tempdir().expect("a directory");
            let (address, asked) = start_origin().await;
            let client = open_with(limit(FileBackend::new(directory.path()))).await;
            let get = async |path: &str| {
                let response =
                    client.get(format!("http://{address}/{path}")).send().await.expect("an answer");
                (response.from_cache(), response.bytes().await.expect("a whole body"))
            };
            assert_eq!(get("page").await, (false, Bytes::from("nobody")));
            assert_eq!((get(path).await, get(path).await), ((false, long()), (false, long())));
            assert_eq!(get("page").await, (true, Bytes::from("nobody")));
            assert_eq!(asked.load(Ordering::Relaxed), 3);
            client.cache().backend().close().await.expect("closed");
        }
    }
}

fn longest_file(directory: &Path) -> PathBuf {
    let mut directories = vec![directory.to_owned()];
    let mut longest = (0, PathBuf::new());
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("listed").map(|entry| entry.expect("listed")) {
            let metadata = entry.metadata().expect("metadata");
            match metadata.is_dir() {
                true => directories.push(entry.path()),
                false if metadata.len() > longest.0 => longest = (metadata.len(), entry.path()),
                false => {}
            }
        }
    }
    longest.1
}
