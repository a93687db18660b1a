//! What the benchmarks of larder measure: backends, the plain system calls they are compared with, and samples.
//!
//! `cargo xtask bench` runs the benchmarks and prints medians with their ratio to those system calls.

mod clients;
mod contender;
mod driver;
mod larder;
mod limit;
mod origin;
#[cfg(feature = "peers")]
mod peers;
mod sample;
mod subject;

pub use clients::clients;
pub use contender::{Contender, Survives, Terms, WholeClient};
pub use driver::{Arguments, run};
pub use limit::Limit;
pub use origin::Origin;
#[cfg(feature = "peers")]
pub use peers::{Python, PythonOperation, peers};
pub use sample::{SIZES, Size, body, fields, head, key, number_of, response};
pub use subject::{Index, Store};
