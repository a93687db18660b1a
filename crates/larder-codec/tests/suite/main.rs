//! The public behaviour of every codec and compression that is compiled in.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod bodies;
mod golden;
mod heads;
mod support;
