//! A cache in memory, a service that counts, and an origin on a loopback port.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use http::{Method, Request, Response};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use larder_client::tower::CacheLayer;
use larder_client::{CacheOptions, CacheStatus, RequestBody, ResponseCache};
use larder_core::{Body, CacheBackend};
use larder_memory::{MemoryRedirects, MemoryStore};
use tokio::net::TcpListener;

pub(crate) fn options() -> CacheOptions {
    CacheOptions::fixed(Duration::from_hours(1))
}

pub(crate) fn layer(options: CacheOptions) -> CacheLayer {
    let backend = CacheBackend::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()));
    CacheLayer::new(ResponseCache::new(backend, options).expect("the options are good"))
}

/// How often something was asked; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn one_more(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn request<B>(method: Method, uri: impl AsRef<str>, body: B) -> Request<B> {
    Request::builder().method(method).uri(uri.as_ref()).body(body).expect("a request")
}

pub(crate) fn get(uri: impl AsRef<str>) -> Request<RequestBody> {
    request(Method::GET, uri, RequestBody::empty())
}

pub(crate) fn status(response: &Response<Body>) -> &CacheStatus {
    response.extensions().get().expect("what the cache did")
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().bytes().await.expect("a whole body");
    String::from_utf8(bytes.into()).expect("text")
}

/// Serves `router` on a free port until the test ends.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
        }
        Ok::<_, Infallible>(())
    });
    address
}
