//! `cargo xtask torture full`: a disk that another file fills, and a client that goes on asking.
//!
//! The disk is a file system in memory that exists for one process alone, and goes away with it.

mod client;
mod worker;

use std::path::Path;
use std::process::{Command, Stdio};

use super::Place;
use crate::{Outcome, run};

pub(crate) use self::worker::{Arguments as WorkerArguments, work};

/// The ways to have a file system that nobody else sees: for root, and for everybody.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];

/// How large the disk is, and how much is asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The size of the disk
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(16..=1024))]
    mib: u64,
    /// How many URLs are asked for in each phase
    #[arg(long, default_value_t = 600)]
    urls: u64,
    #[command(flatten)]
    place: Place,
}

/// Fills a disk under a client, without and with `min_free_bytes`; where no disk can be made, says so.
///
/// # Errors
///
/// When a request is not answered rightly, something torn is there, or caching does not resume.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let scratch = arguments.place.scratch()?;
    let directory = scratch.path().join("disk");
    std::fs::create_dir(&directory)?;
    let Some(way) = WAYS.into_iter().find(|way| can_mount(way, &directory)) else {
        eprintln!("SKIPPED: torture full shows nothing here, as this user may not mount a tmpfs");
        println!("torture full: SKIPPED, a tmpfs cannot be mounted");
        return Ok(());
    };
    let (mib, urls) = (arguments.mib.to_string(), arguments.urls.to_string());
    for limit in [None, Some("--min-free")] {
        let mut command = Command::new("unshare");
        command.args(way).arg(std::env::current_exe()?).args(["torture", "full-worker"]);
        command.args(["--mib", &mib, "--urls", &urls, "--directory"]).arg(&directory).args(limit);
        run::passed_through(command.stdin(Stdio::null()))?;
    }
    Ok(())
}

fn can_mount(way: &[&str], directory: &Path) -> bool {
    let mut command = Command::new("unshare");
    command.args(way).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(directory);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
