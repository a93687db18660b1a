//! `cargo xtask bench`: builds and runs the driver of the benchmarks, which prints what it measured.
//!
//! Three groups are measured here: single operations by criterion, the system calls of a hit, and what it costs to
//! build larder.

mod build;
mod operations;
mod syscalls;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::{Outcome, run};

/// What to measure, and where the numbers go.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure: read, write, lookup, client, memory, mix, stream (all of these if nothing is named), scale,
    /// operations (single ones, by criterion), syscalls or build
    groups: Vec<String>,
    /// Measures the stores and clients of other authors too; they are built for it
    #[arg(long)]
    peers: bool,
    /// Takes a fraction of the time
    #[arg(long)]
    quick: bool,
    /// Writes everything that was measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes plots to this directory
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// How many entries there are at most, in the groups that are about many
    #[arg(long, value_name = "COUNT")]
    entries: Option<usize>,
    /// Where the entries are while it runs; the system's directory for temporary files by default
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Arguments {
    /// Returns whether there are options that only the driver knows.
    fn are_for_the_driver(&self) -> bool {
        let paths = [&self.json, &self.plots, &self.directory];
        self.peers || self.entries.is_some() || paths.into_iter().any(Option::is_some)
    }
}

/// Measures and prints.
///
/// # Errors
///
/// When something cannot be built or measured.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let is_here = |group: &&String| ["operations", "syscalls", "build"].contains(&group.as_str());
    let (here, driven): (Vec<_>, Vec<_>) = arguments.groups.iter().partition(is_here);
    if here.is_empty() || !driven.is_empty() {
        drive(arguments, &driven)?;
    } else if arguments.are_for_the_driver() {
        let groups: Vec<&str> = here.iter().map(|group| group.as_str()).collect();
        return Err(format!("{} takes none of the options but --quick", groups.join(", ")).into());
    }
    for group in here {
        match group.as_str() {
            "operations" => operations::run(arguments.quick)?,
            "syscalls" => syscalls::run()?,
            _ => build::run()?,
        }
    }
    Ok(())
}

/// Runs the driver, built for speed.
fn drive(arguments: &Arguments, groups: &[&String]) -> Outcome {
    let mut command = run::cargo();
    command.args(["run", "--release", "--package", "larder-bench"]);
    if arguments.peers {
        command.args(["--features", "peers"]);
    }
    command.arg("--").args(groups);
    for (flag, is_on) in [("--peers", arguments.peers), ("--quick", arguments.quick)] {
        if is_on {
            command.arg(flag);
        }
    }
    let entries = arguments.entries.map(|count| OsString::from(count.to_string()));
    let path = |path: &Option<PathBuf>| path.clone().map(OsString::from);
    for (flag, value) in [
        ("--json", path(&arguments.json)),
        ("--plots", path(&arguments.plots)),
        ("--entries", entries),
        ("--directory", path(&arguments.directory)),
    ] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    run::passed_through(&mut command)
}
