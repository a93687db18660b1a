//! The conformance suite that every backend of larder runs, its own and third parties' alike.
//!
//! The contracts are those of [`ResponseStore`](larder_core::ResponseStore),
//! [`RedirectIndex`](larder_core::RedirectIndex) and [`CacheBackend`](larder_core::CacheBackend); this crate
//! has a case for each of their clauses.
//!
//! A backend's whole test file is a [`Fixture`] and one call of [`backend_tests!`]. The fixture is made anew
//! for each case and opens an empty place:
//!
//! ```
//! use std::sync::Arc;
//!
//! use larder_conformance::{Fixture, Instance};
//! use larder_core::{BoxError, async_trait};
//! use larder_memory::{MemoryRedirects, MemoryStore};
//!
//! struct Memory;
//!
//! #[async_trait]
//! impl Fixture for Memory {
//!     async fn open(&self) -> Result<Instance, BoxError> {
//!         Ok(Instance::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new())))
//!     }
//! }
//!
//! larder_conformance::backend_tests! {
//!     fixture: || Memory,
//!     skip: [
//!         sharing: "each instance has a memory of its own",
//!         durability: "it keeps nothing once it is dropped",
//!         corruption: "there are no stored bytes",
//!     ],
//! }
//! # fn main() {}
//! ```
//!
//! Each case becomes a `#[test]` of its own, `redirects::an_alias_leads_to_its_target` for instance. Those that
//! need a skipped [`Capability`] are reported as ignored, with the reason; a capability that is not skipped
//! must be delivered. A fixture with a directory keeps it and opens it:
//!
//! ```ignore
//! struct Files(TempDir);
//!
//! #[async_trait]
//! impl Fixture for Files {
//!     async fn open(&self) -> Result<Instance, BoxError> {
//!         Ok(Instance::responses_only(Arc::new(FileStore::open(self.0.path()).await?)))
//!     }
//!
//!     async fn stored_entry(&self, key: &CacheKey) -> Result<Vec<u8>, BoxError> {
//!         Ok(std::fs::read(self.0.path().join(key.as_str()))?)
//!     }
//!
//!     async fn set_stored_entry(&self, key: &CacheKey, bytes: Vec<u8>) -> Result<(), BoxError> {
//!         Ok(std::fs::write(self.0.path().join(key.as_str()), bytes)?)
//!     }
//! }
//!
//! larder_conformance::backend_tests! {
//!     fixture: || Files(TempDir::new().expect("a temporary directory")),
//!     skip: [redirects: "this crate is a store alone"],
//! }
//! ```
//!
//! Serialization formats have cases of their own: [`codec_tests!`]. A program runs the same cases with
//! [`cases`], [`Case::run`] and a [`Subject`].

mod case;
#[deny(dead_code)]
mod cases;
mod codec_case;
mod failure;
mod fixture;
mod macros;
#[doc(hidden)]
pub mod private;
mod samples;
mod subject;
mod table;

pub use case::{Case, Outcome};
pub use codec_case::CodecCase;
pub use fixture::{Fixture, Instance};
pub use subject::{Capability, Subject};
pub use table::{cases, codec_cases};
