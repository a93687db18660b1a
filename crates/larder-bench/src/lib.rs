//! What the benchmarks of larder measure: backends, the plain system calls they are compared with, and samples.
//!
//! `cargo xtask bench` runs the benchmarks and prints medians with their ratio to those system calls.

mod limit;
mod sample;
mod subject;

pub use limit::Limit;
pub use sample::{SIZES, Size, key, response};
pub use subject::{Index, Store};
