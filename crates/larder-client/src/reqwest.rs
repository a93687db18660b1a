//! A caching client in place of reqwest's, and a middleware for those who have a client.
//!
//! [`Client`] is used as reqwest's own is. It follows redirects hop by hop, so that each hop is a request of the inner
//! client: what that one adds by itself to a request (default header fields, cookies) the cache never sees.
//!
//! # What is stored
//!
//! What the inner client returns. With its decompression on (reqwest's features `gzip`, `brotli`, `zstd`, `deflate`),
//! that is the decoded body, and `Content-Encoding` and `Content-Length` are gone from the header fields; without,
//! it is what came over the wire.
//!
//! # Users
//!
//! Requests with different `Authorization` never share a response. Cookies of the inner client's cookie store are
//! sent and kept on every exchange with an origin, but are no part of the key: two users with cookies of their own
//! need two caches, or [`RequestBuilder::cache_key`].
//!
//! # Examples
//!
//! ```no_run
//! use larder_client::{ResponseCache, reqwest::Client};
//!
//! # async fn fetch(cache: ResponseCache) -> larder_core::Result<()> {
//! let client = Client::new(cache)?;
//! let response = client.get("https://example.org/").send().await?;
//! println!("{}, from the cache: {}", response.status(), response.from_cache());
//! println!("{}", response.text().await?);
//! # Ok(())
//! # }
//! ```

mod client;
mod convert;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod request;
mod response;

pub use client::{Client, ClientBuilder};
#[cfg(feature = "reqwest-middleware")]
pub use middleware::CacheMiddleware;
pub use request::RequestBuilder;
pub use response::Response;

/// Returns the error of reqwest that `error` came from, if it came from one.
///
/// # Examples
///
/// ```
/// use larder_client::reqwest;
///
/// # fn show(error: larder_core::Error) {
/// if reqwest::error_of(&error).is_some_and(|error| error.is_timeout()) {
///     println!("the origin is slow");
/// }
/// # }
/// ```
#[must_use]
pub fn error_of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a ::reqwest::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}
