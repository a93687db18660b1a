//! The vocabulary and the backend traits of larder, an HTTP response cache.
//!
//! A backend implements [`ResponseStore`], [`RedirectIndex`] or both, and depends on nothing else of
//! larder but `larder-conformance` in its tests. [`CacheBackend`] puts one store and one index together.
//!
//! | what | where |
//! |---|---|
//! | the name of an entry | [`CacheKey`] |
//! | what was received, as facts | [`ResponseHead`], [`Hop`], [`Variant`], [`Body`], [`CachedResponse`] |
//! | what a backend does | [`ResponseStore`], [`RedirectIndex`] |
//! | what survives a power loss | [`Durability`] |
//! | what a serialization format does | [`Codec`], [`Compression`], chosen through [`Codecs`] |
//! | store and index together | [`CacheBackend`], [`Lookup`], [`Aliases`] |
//! | what is counted | [`CacheStats`], [`StoreStats`], [`CacheOutcome`], [`Served`] |
//! | what went wrong | [`Error`], [`ErrorKind`] |
//!
//! This crate has no runtime, touches no file, reads no clock and knows no format: time is always an
//! argument, a [`Timestamp`].
//!
//! # Features
//!
//! All are off by default, and none changes what is stored.
//!
//! - `text`: [`CachedResponse`] decodes its body by the charset that it names.
//! - `json`: [`CachedResponse`] deserializes its body.
//! - `fields`: [`CachedResponse`] parses `Link`, `Set-Cookie` and `Content-Disposition`.
//! - `metrics`: a [`CacheBackend`] tells its numbers to the recorder of the `metrics` facade.

mod backend;
mod body;
mod codec;
mod counters;
mod durability;
mod error;
mod head;
mod key;
#[cfg_attr(not(feature = "metrics"), path = "recorder/none.rs")]
mod recorder;
mod redirects;
mod response;
mod stats;
mod store;
mod timestamp;

pub use backend::{Aliases, CacheBackend, Lookup};
pub use body::Body;
pub use codec::{Codec, Codecs, Compression, Compressor};
pub use durability::Durability;
pub use error::{BoxError, Error, ErrorKind, Result};
pub use head::{Hop, ResponseHead, Variant};
pub use key::CacheKey;
pub use redirects::{Alias, RedirectIndex};
pub use response::CachedResponse;
#[cfg(feature = "fields")]
pub use response::{ContentDisposition, Cookie, Link};
pub use stats::{CacheOutcome, CacheStats, Served, StoreStats};
pub use store::{ResponseStore, Revision, StoredHead};
pub use timestamp::Timestamp;

pub use async_trait::async_trait;
pub use futures_core::stream::BoxStream;
