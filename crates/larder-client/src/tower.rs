//! The cache as a layer in front of any HTTP service of tower: a client's, or a server's.
//!
//! [`CacheLayer`] makes a [`Cache`] of a service. The service is the origin: it is called once for each exchange, and
//! not at all for a hit.
//!
//! # What it does not do
//!
//! - It follows no redirects: they are answers. Put what follows them outside of it, so that each hop is a request.
//! - It keeps no trailers of responses: do not put it in front of gRPC.
//! - It changes no content. What the service decompresses is stored decompressed; a layer that decompresses goes
//!   outside of it, and what is stored is then what came over the wire.
//!
//! # In front of a client
//!
//! The service takes a [`RequestBody`](crate::RequestBody), as hyper-util's client does when it is asked for one:
//!
//! ```
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use larder_client::tower::CacheLayer;
//! use larder_client::{CacheStatus, RequestBody, ResponseCache};
//! use tower::{Layer, ServiceExt};
//!
//! # async fn fetch(cache: ResponseCache) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(TokioExecutor::new()).build_http::<RequestBody>();
//! let service = CacheLayer::new(cache).layer(client);
//!
//! let request = http::Request::get("http://example.org/").body(RequestBody::empty())?;
//! let response = service.oneshot(request).await?;
//! println!("{:?}", response.extensions().get::<CacheStatus>());
//! println!("{} bytes", response.into_body().bytes().await?.len());
//! # Ok(())
//! # }
//! ```
//!
//! # Inside a server
//!
//! A server answers many users from one cache, so that its options are
//! [`shared`](crate::CacheOptions::shared).
//!
//! ```
//! use axum::{Router, routing::get};
//! use larder_client::tower::CacheLayer;
//! use larder_client::{CacheOptions, ResponseCache};
//! use larder_core::CacheBackend;
//!
//! # fn router(backend: CacheBackend) -> larder_core::Result<Router> {
//! let cache = ResponseCache::new(backend, CacheOptions::standard().shared())?;
//! let slow = get(|| async { ([("cache-control", "max-age=60")], "worked out once a minute") });
//! Ok(Router::new().route("/", slow).layer(CacheLayer::new(cache)))
//! # }
//! ```
//!
//! Layer the outermost router: within a nested one the target has lost its beginning, so that two of them with one
//! cache would take each other's responses for their own.

mod layer;
mod origin;
mod service;
mod target;

pub use layer::CacheLayer;
pub use service::{Cache, ResponseFuture};
