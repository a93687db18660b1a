//! The file store of larder: one checksummed file per response.
//!
//! [`FileStore`] implements `larder_core::ResponseStore` in a directory that any number of processes may share.
//! The layout of the directory and every byte of an entry are described in `docs/format.md`.
//!
//! # Examples
//!
//! ```
//! use larder_core::{Body, CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};
//! use larder_file::FileStore;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let cache_name = directory.path().join("http_cache");
//! let store = FileStore::builder(cache_name, larder_codec::default_codecs()).open().await?;
//!
//! let key = CacheKey::new("greeting")?;
//! let url = http::Uri::from_static("https://example.org/");
//! let head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, Timestamp::UNIX_EPOCH);
//! store.write(&key, CachedResponse::new(head, Body::from("hello"))).await?;
//!
//! let mut stored = store.read(&key).await?.expect("it was just written");
//! assert_eq!(stored.bytes().await?, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).map_err(|error| error.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `fault-injection`: `FileStoreBuilder::faults` puts failures under the whole store, by plan. For tests.

mod body;
mod buffers;
mod builder;
mod cause;
mod directory;
mod entry;
mod evict;
mod frame;
mod limits;
mod listing;
mod lock;
mod lookups;
mod pool;
mod prune;
mod publish;
mod random;
mod recent;
mod remove;
mod room;
mod store;
mod sweep;
mod sys;
mod usage;
mod write;

pub use builder::FileStoreBuilder;
pub use directory::FanOut;
pub use limits::Limits;
pub use prune::Pruned;
pub use store::FileStore;
#[cfg(feature = "fault-injection")]
pub use sys::{Call, Fault, FaultPlan, Op};
