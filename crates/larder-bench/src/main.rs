//! The driver of the benchmarks, which `cargo xtask bench` builds and runs.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match larder_bench::run(larder_bench::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
