//! `cargo xtask ci`: everything that the workflows run, one named step after the other.
//!
//! A step that fails does not stop the others, so that one run shows all that is wrong.

mod steps;

use std::time::Instant;

use crate::Outcome;
use steps::Step;

/// Which steps to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs these steps only
    #[arg(long, value_enum, conflicts_with = "skip")]
    only: Vec<Step>,
    /// Leaves these steps out
    #[arg(long, value_enum)]
    skip: Vec<Step>,
}

/// Runs the steps, and prints how each ended and how long it took.
///
/// # Errors
///
/// When a step failed.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let is_wanted = |step: &Step| {
        if arguments.only.is_empty() { !arguments.skip.contains(step) } else { arguments.only.contains(step) }
    };
    let mut lines = Vec::new();
    let mut failed = 0_usize;
    for step in Step::ALL.into_iter().filter(is_wanted) {
        eprintln!("\n== {step}");
        let start = Instant::now();
        let outcome = step.run();
        let seconds = start.elapsed().as_secs();
        failed += usize::from(outcome.is_err());
        lines.push(match outcome {
            Ok(()) => format!("{seconds:>5} s  {step}"),
            Err(error) => format!("{seconds:>5} s  {step}: FAILED: {error}"),
        });
    }
    println!("\n{}", lines.join("\n"));
    if failed == 0 { Ok(()) } else { Err(format!("ci: {failed} steps failed").into()) }
}
