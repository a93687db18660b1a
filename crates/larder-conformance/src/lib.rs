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
//! must be delivered. A fixture with a directory keeps the directory and opens a store on it; `open` is called
//! again for what two processes would see, and for what is there after a restart. The guide
//! `docs/writing-a-backend.md` in the repository has a whole backend with its test file.
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

#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-a-backend.md")]
struct Guide;
