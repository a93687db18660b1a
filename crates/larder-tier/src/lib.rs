//! A memory tier of larder: recent responses in memory, in front of any store.
//!
//! [`MemoryTier`] implements `larder_core::ResponseStore` around another one. It answers reads of short entries from
//! memory, within a bound in bytes, and passes everything else on. What it promises about changes, in this process
//! and in others, is on the type.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use larder_core::{Body, CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};
//! use larder_memory::MemoryStore;
//! use larder_tier::MemoryTier;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = Arc::new(MemoryStore::new());
//! let tier = MemoryTier::builder(store).max_bytes(16 << 20).max_staleness(Duration::from_secs(5)).build()?;
//!
//! let key = CacheKey::new("greeting")?;
//! let url = http::Uri::from_static("https://example.org/");
//! let head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, Timestamp::UNIX_EPOCH);
//! tier.write(&key, CachedResponse::new(head, Body::from("hello"))).await?;
//!
//! for _ in 0..3 {
//!     let mut stored = tier.read(&key).await?.expect("it was just written");
//!     assert_eq!(stored.bytes().await?, "hello");
//! }
//! assert_eq!((tier.usage().misses, tier.usage().hits), (1, 2));
//! # Ok::<(), larder_core::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod coherence;
mod entry;
mod tier;
mod usage;

pub use builder::MemoryTierBuilder;
pub use tier::MemoryTier;
pub use usage::TierUsage;
