//! The reference backend of larder: entries and aliases in memory.
//!
//! It is written to be read: whoever writes a backend finds here the contract of
//! [`ResponseStore`](larder_core::ResponseStore) and [`RedirectIndex`](larder_core::RedirectIndex) met with as
//! little as it takes. It has no bound and writes nothing to disk, so that its use is in tests and in short
//! programs. `docs/writing-a-backend.md` in the repository explains how to write one's own.
//!
//! ```
//! use std::sync::Arc;
//!
//! use larder_core::CacheBackend;
//! use larder_memory::{MemoryRedirects, MemoryStore};
//!
//! let cache = CacheBackend::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()));
//! ```

mod redirects;
mod store;

pub use redirects::MemoryRedirects;
pub use store::MemoryStore;
