//! The whole suite, over the store and the index together.

use std::sync::Arc;

use larder_conformance::{Fixture, Instance};
use larder_core::{BoxError, async_trait};
use larder_memory::{MemoryRedirects, MemoryStore};

struct Memory;

#[async_trait]
impl Fixture for Memory {
    async fn open(&self) -> Result<Instance, BoxError> {
        Ok(Instance::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new())))
    }
}

larder_conformance::backend_tests! {
    fixture: || Memory,
    skip: [
        sharing: "each instance has a memory of its own",
        durability: "it keeps nothing once it is dropped",
        corruption: "there are no stored bytes",
    ],
}
