//! The request loop of the larder HTTP response cache: look up, decide, fetch, store, answer.
//!
//! [`ResponseCache`] puts a [`CacheBackend`](larder_core::CacheBackend) and a [`Policy`] in front of an [`Origin`], which
//! is whatever sends requests. With the feature `reqwest`, [`reqwest`](mod@reqwest) has a client that caches, to be
//! used in place of reqwest's own; with the feature `tower`, [`tower`](mod@tower) has a layer for any HTTP service.
//!
//! What it promises:
//!
//! - No failure of the cache makes a request fail. A store that fails, panics, fills up or takes too long is a miss.
//! - The caller has the response while it is being stored, in bounded memory whatever its size; only whole responses
//!   are stored.
//! - Requests of the same at the same time make one exchange with the origin.
//! - Redirects are followed here, hop by hop, so that a later request may skip those that may be skipped.
//! - Unsafe methods reach the origin, unless the caller allowed the method.
//!
//! # Features
//!
//! All are off by default, and none changes what is stored.
//!
//! - `reqwest`: the module [`reqwest`](mod@reqwest) with a client for reqwest 0.13.
//! - `reqwest-middleware`: `CacheMiddleware` in it, for reqwest-middleware 0.5.
//! - `rustls`: TLS for that client, by rustls with *ring*, which becomes the process's provider unless there is one.
//! - `response`: text, JSON and parsed header fields of a response.
//! - `tower`: the module [`tower`](mod@tower) with a layer for services of tower.

mod arrival;
mod behind;
mod body;
mod cache;
mod clock;
mod exchange;
mod explain;
mod flights;
mod forward;
mod guard;
mod invalidation;
mod origin;
mod recovery;
mod redirect;
mod request;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod response;
mod shared;
mod spool;
mod status;
mod stored;
mod storing;
mod sweep;
#[cfg(feature = "tower")]
pub mod tower;
mod trail;
mod variants;

pub use body::RequestBody;
pub use cache::{Disabled, ResponseCache, ResponseCacheBuilder};
pub use explain::{Explanation, StoredEntry};
pub use origin::{FinalUrl, Origin, Unshared};
pub use response::Response;
pub use status::{CacheStatus, NotStored};

pub use larder_policy::{
    Bypass, CacheMode, CacheOptions, Decision, Expiry, Filter, Forward, Freshness, LifetimeSource,
    NotStorable, Policy, RequestOptions, remove_hop_by_hop,
};
