//! The stores of larder for the crate http-cache: [`Larder`] is one of its managers.
//!
//! Whoever has a cache of http-cache, in front of reqwest, surf, ureq or tower, changes where it keeps responses, and
//! nothing else. What is stored and when it is used is for http-cache to say, as before; what larder itself decides,
//! and shares, and skips, is in `larder-client`, and not here.
//!
//! What it promises:
//!
//! - A store that fails is a miss, and its failures are traced and counted
//!   ([`CacheBackend::failures`](larder_core::CacheBackend::failures)): no request fails because of it.
//! - What is read is what was stored, whole: response, policy and metadata. An entry without a policy that can be read
//!   is a miss.
//!
//! An entry's head has the facts of the response as any other entry's of larder has, and http-cache's policy in its
//! metadata. That policy holds the fields of the request, credentials among them, as it does in any other manager.
//! Entries have no expiry: they stay until they are replaced or deleted.
//!
//! # Examples
//!
//! ```
//! use http_cache::{CacheMode, HttpCache, HttpCacheOptions};
//! use larder_core::CacheBackend;
//! use larder_http_cache::Larder;
//!
//! # fn cache(backend: CacheBackend) -> HttpCache<Larder> {
//! HttpCache {
//!     mode: CacheMode::Default,
//!     manager: Larder::new(backend),
//!     options: HttpCacheOptions::default(),
//! }
//! # }
//! ```
//!
//! # Features
//!
//! - `streaming` (off by default): [`Larder`] is a `StreamingCacheManager` too. It turns on the feature of the same name
//!   of http-cache, which brings the stores of its own with it.

mod larder;
mod record;
#[cfg(feature = "streaming")]
mod streaming;
#[cfg(feature = "streaming")]
mod tee;

pub use larder::Larder;
#[cfg(feature = "streaming")]
pub use streaming::StoredBody;
