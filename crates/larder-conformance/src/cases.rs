//! The cases, one module per group, listed in `table.rs`.
//!
//! A case is a function of its [`Setup`](crate::case::Setup): it opens the place, and returns the first clause of
//! the contract that does not hold. It never sleeps, and reads no clock.

pub(crate) mod backend;
pub(crate) mod codec;
pub(crate) mod concurrency;
pub(crate) mod corruption;
pub(crate) mod durability;
pub(crate) mod redirects;
pub(crate) mod responses;
pub(crate) mod sharing;
