//! The driver of the benchmarks; `cargo xtask bench` builds and runs it.
fn main() {}
