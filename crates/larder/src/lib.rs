//! larder keeps HTTP responses on the local file system and answers from there.
//!
//! [`FileBackend`] opens a cache directory: one file per response, and the redirects that led to it in SQLite. It
//! gives a [`CacheBackend`], which [`ResponseCache`] puts in front of an origin, by options that say how long what is
//! kept. [`reqwest::Client`] is such an origin with its cache, and is used as reqwest's own client is.
//!
//! A cache that fails does not fail its caller: a store that fails, panics or takes too long is a miss. Everything of
//! `larder-core` is here at the top; the other crates are modules.
//!
//! # Examples
//!
//! ```no_run
//! # #[cfg(all(feature = "file", feature = "msgpack", feature = "reqwest"))] {
//! use std::time::Duration;
//!
//! use larder::{CacheOptions, FileBackend, ResponseCache, reqwest::Client};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let backend = FileBackend::new("~/.cache/example").open().await?;
//! let cache = ResponseCache::new(backend, CacheOptions::fixed(Duration::from_hours(24)))?;
//! let client = Client::new(cache)?;
//!
//! let response = client.get("https://example.org/").send().await?;
//! println!("{}, from the cache: {}", response.status(), response.from_cache());
//! println!("{}", response.text().await?);
//! # Ok::<(), larder::Error>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without a client, a backend takes and gives responses by key, here one that `policy` makes:
//!
//! ```
//! # #[cfg(all(feature = "file", feature = "msgpack", feature = "policy"))] {
//! use std::time::SystemTime;
//!
//! use http::{Method, StatusCode};
//! use larder::policy::{CacheKeys, KeyRequest};
//! use larder::{Aliases, Body, CachedResponse, FileBackend, ResponseHead, Timestamp};
//!
//! # let directory = tempfile::tempdir()?;
//! # let cache_name = directory.path().join("http_cache");
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let cache = FileBackend::new(cache_name).open().await?;
//! let url = "https://example.org/".parse()?;
//! let key = CacheKeys::private().key(&KeyRequest::new(&Method::GET, &url))?.to_cache_key();
//! let now = Timestamp::from(SystemTime::now());
//!
//! let head = ResponseHead::new(Method::GET, url, StatusCode::OK, now);
//! cache.save_response(&key, CachedResponse::new(head, Body::from("hello")), &Aliases::none()).await?;
//!
//! let mut stored = cache.get_response(&key, now).await.into_response().expect("it was just stored");
//! assert_eq!(stored.bytes().await?, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! All are additive, and none changes what is written or what a default does.
//!
//! | feature | on by default | what it adds |
//! |---|---|---|
//! | `file` | yes | [`FileBackend`], and the modules `file`, `redirects` and `codec` |
//! | `memory` | no | `MemoryBackend`, and the module `memory` |
//! | `msgpack` | yes | `codec::MessagePack`, the format that is written unless another is chosen |
//! | `json`, `cbor` | no | `codec::Json`, `codec::Cbor` |
//! | `zstd`, `lz4` | no | `codec::Zstd`, `codec::Lz4` |
//! | `response` | no | `CachedResponse::{text, json, links, cookies, content_disposition}` |
//! | `policy` | no | `CacheOptions` and what else decides what is stored and used, and the module `policy` |
//! | `client` | no | `ResponseCache`, the request loop for any client, and the module `client`; with `policy` |
//! | `reqwest` | no | `reqwest::Client`, which is used as reqwest's own is, and caches |
//! | `reqwest-middleware` | no | `reqwest::CacheMiddleware`, for the clients of reqwest-middleware |
//! | `tower` | no | `tower::CacheLayer`, for the services of tower: hyper-util's client, or a server of axum |
//! | `tier` | no | `FileBackend::memory_tier`, recent responses in memory, and the module `tier` |
//! | `metrics` | no | the numbers of `CacheBackend::stats`, and latencies, for a recorder of the crate metrics |
//! | `rustls` | no | TLS for `reqwest::Client`: rustls with *ring*, and the certificates of the system |
//! | `full` | no | all of them but `rustls` |
//!
//! Without `rustls` the client has whatever TLS the features of `reqwest` itself give it. With it, a program that
//! also builds a `reqwest::Client` of its own installs a provider of cryptography first, as reqwest's feature
//! `rustls-no-provider` asks for; `reqwest::Client` here does so by itself.

#[cfg(feature = "file")]
mod file_backend;
#[cfg(all(doctest, feature = "file"))]
mod guide;
#[cfg(feature = "memory")]
mod memory_backend;

#[cfg(feature = "file")]
pub use file_backend::FileBackend;
#[cfg(feature = "memory")]
pub use memory_backend::MemoryBackend;

#[cfg(feature = "reqwest")]
pub use larder_client::reqwest;
#[cfg(feature = "tower")]
pub use larder_client::tower;
#[cfg(feature = "client")]
pub use larder_client::{CacheStatus, ResponseCache};
pub use larder_core::*;
#[cfg(feature = "policy")]
pub use larder_policy::{CacheMode, CacheOptions, Expiry, RequestOptions};

#[cfg(feature = "client")]
pub use larder_client as client;
#[cfg(feature = "file")]
pub use larder_codec as codec;
#[cfg(feature = "file")]
pub use larder_file as file;
#[cfg(feature = "memory")]
pub use larder_memory as memory;
#[cfg(feature = "policy")]
pub use larder_policy as policy;
#[cfg(feature = "file")]
pub use larder_redirects as redirects;
#[cfg(feature = "tier")]
pub use larder_tier as tier;
