//! The driver: measures groups of rows, and prints them.
//!
//! Larder, the plain system calls and the peers are measured in one run, round by round; what is compared was
//! measured side by side.

mod beside;
mod child;
mod groups;
mod machine;
mod measure;
mod plot;
mod report;
mod row;
mod stage;
mod statistics;
mod written;

use std::path::PathBuf;

use larder_core::BoxError;

use self::child::Child;
use self::groups::Group;
use self::machine::Machine;
use self::stage::Stage;

/// What to measure, and where the numbers go.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "larder-bench", about = "Measures larder beside plain system calls and its peers")]
pub struct Arguments {
    /// What to measure; everything but `scale` if nothing is named
    #[arg(value_enum)]
    groups: Vec<Group>,
    /// Measures the stores and clients of other authors too
    #[cfg(feature = "peers")]
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
    /// Measures one thing for another process of this program
    #[arg(long, hide = true, requires_all = ["directory", "entries"])]
    child: Option<Child>,
}

/// Measures what `arguments` ask for, and prints the tables.
///
/// # Errors
///
/// When something cannot be prepared, or when larder or the plain system calls did not do what they were asked.
pub fn run(arguments: Arguments) -> Result<(), BoxError> {
    if let (Some(child), Some(directory), Some(entries)) =
        (arguments.child, &arguments.directory, arguments.entries)
    {
        return child::answer(child, directory, entries as u64);
    }
    let groups = match arguments.groups.clone() {
        groups if groups.is_empty() => Group::DEFAULT.to_vec(),
        groups => groups,
    };
    let (json, plots) = (arguments.json.clone(), arguments.plots.clone());
    let mut stage = Stage::new(arguments)?;
    let machine = Machine::here(stage.directory(), command());
    for group in groups {
        group.run(&mut stage)?;
    }
    println!("{}", report::markdown(&machine, &stage.rows));
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&report::json(&machine, &stage.rows))? + "\n")?;
    }
    if let Some(directory) = plots {
        plot::write(&stage.rows, &directory)?;
    }
    match report::failures_of_ours(&stage.rows) {
        0 => Ok(()),
        count => Err(format!("{count} measurements failed").into()),
    }
}

/// Returns the command that does the same.
fn command() -> String {
    let arguments = std::env::args().skip(1);
    std::iter::once("cargo xtask bench".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
