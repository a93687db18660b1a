//! `cargo xtask test`: every test, without building the peers of the benchmarks.
//!
//! They are behind the feature `peers` of `larder-bench`, which therefore must not get every feature.

use std::process::Command;

use crate::{Outcome, run};

/// Runs the tests.
///
/// # Errors
///
/// When one fails.
pub(crate) fn run() -> Outcome {
    for mut command in everywhere("test") {
        run::passed_through(&mut command)?;
    }
    Ok(())
}

/// Returns a command of cargo for every package, with every feature but `peers`.
pub(crate) fn everywhere(command: &str) -> [Command; 2] {
    let workspace = ["--workspace", "--exclude", "larder-bench", "--all-features"];
    [&workspace[..], &["--package", "larder-bench"]].map(|scope| {
        let mut cargo = run::cargo();
        cargo.arg(command).args(scope);
        cargo
    })
}
