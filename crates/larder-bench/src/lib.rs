//! What the benchmarks of larder measure: backends, the plain system calls they are compared with, and samples.
//!
//! `cargo xtask bench` runs the benchmarks and prints medians with their ratio to those system calls.

mod contender;
mod limit;
mod origin;
mod sample;
mod subject;

pub use contender::{Contender, Terms, WholeClient};
pub use limit::Limit;
pub use origin::Origin;
pub use sample::{SIZES, Size, body, fields, head, key, response};
pub use subject::{Index, Store};
