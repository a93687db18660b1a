//! The contract of a response store, case by case.

use std::sync::Arc;

use larder_conformance::{Fixture, Instance};
use larder_core::{BoxError, async_trait};
use my_backend::TreeStore;

/// A place that outlives its instances, as a directory or a server does.
struct Place(TreeStore);

#[async_trait]
impl Fixture for Place {
    async fn open(&self) -> Result<Instance, BoxError> {
        Ok(Instance::responses_only(Arc::new(self.0.clone())))
    }
}

larder_conformance::backend_tests! {
    fixture: || Place(TreeStore::default()),
    skip: [
        redirects: "this crate is a store alone",
        corruption: "there are no stored bytes to damage",
    ],
}

/// Above this line stands what `docs/writing-a-backend.md` shows; below, what makes this its crate, and its check.
#[expect(unreachable_pub, reason = "in the guide it is a crate")]
mod my_backend;

#[test]
fn the_guide_shows_this_code() {
    let guide = include_str!("../../../../docs/writing-a-backend.md");
    let (shown, _) = include_str!("main.rs").split_once("\n/// Above this line").expect("the line above");
    assert!(guide.contains(&format!("```rust\n{}```\n", include_str!("my_backend.rs"))), "src/lib.rs");
    assert!(guide.contains(&format!("```rust,ignore\n{shown}```\n")), "tests/conformance.rs");
}
