//! Options that contradict each other.

use std::sync::Arc;

use larder_core::ErrorKind;
use larder_memory::MemoryStore;
use larder_tier::{MemoryTier, MemoryTierBuilder};

fn options() -> MemoryTierBuilder {
    MemoryTier::builder(Arc::new(MemoryStore::new()))
}

#[test]
fn bounds_that_allow_nothing_are_refused() {
    for (wrong, says) in [
        (options().max_bytes(0), "max_bytes and max_entry_bytes of a memory tier must be above zero"),
        (options().max_entry_bytes(0), "max_bytes and max_entry_bytes of a memory tier must be above zero"),
        (
            options().max_bytes(100).max_entry_bytes(101),
            "max_entry_bytes is 101, and max_bytes allows no entry above 100",
        ),
    ] {
        let error = wrong.build().expect_err(says);
        assert_eq!(
            (error.kind(), error.to_string().contains(says)),
            (ErrorKind::Configuration, true),
            "{error}"
        );
    }
}

#[test]
fn any_other_bounds_are_kept() {
    for bytes in [1, 7, 100, 1 << 20, 1 << 30, u64::MAX] {
        let tier = options().max_bytes(bytes).build().expect("consistent");
        let max = tier.usage().max_bytes;
        assert!(max <= bytes && max >= bytes - bytes / 16, "{max} of {bytes}");
        options().max_bytes(bytes).max_entry_bytes(bytes).build().expect("consistent");
    }
}
