//! `cargo xtask`: the tasks of this repository that are more than one command.
//!
//! Each task is one module, and every workflow and README command is one of them, so that what runs in CI runs on
//! any machine.

mod bench;
mod ci;
mod conformance;
mod http;
mod origin;
mod program;
mod run;
mod test;
mod tidy;
mod torture;
mod variant;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a task returns: an error is printed, and the process exits with 1.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The tasks of the larder repository")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every test, without building the peers of the benchmarks
    Test,
    /// Checks the rules of the tree: layers, module heads, sizes, README tables
    Tidy,
    /// Runs the conformance suite on every backend and codec, and prints the matrix
    Conformance(conformance::Arguments),
    /// Tries to break the file store: kills, several processes, large bodies
    #[command(subcommand)]
    Torture(torture::Torture),
    /// Measures larder beside the plain system calls and its peers, and prints ratios
    Bench(bench::Arguments),
    /// Runs everything that the workflows run
    Ci(ci::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Tidy => tidy::run(),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::Torture(torture) => torture::run(&torture),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Ci(arguments) => ci::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
