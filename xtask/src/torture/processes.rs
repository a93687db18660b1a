//! `cargo xtask torture processes`: several processes at work in one cache directory.
//!
//! Whatever they do to each other's entries, nobody may read a byte that nobody wrote, and no operation may fail.

use std::collections::BTreeMap;
use std::process::Stdio;

use super::random::seed;
use super::{Place, worker};
use crate::Outcome;

/// How many, and how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long they work
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// How many there are
    #[arg(long, default_value_t = 2)]
    processes: u64,
    /// Repeats the decisions of an earlier run, though not its timing
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// Starts the processes, waits for them, and prints what they did.
///
/// # Errors
///
/// When one of them failed.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { seconds, processes, .. } = *arguments;
    let seed = arguments.seed.unwrap_or_else(seed);
    println!("torture processes: {processes} processes for {seconds} s in one directory, seed {seed}");
    let scratch = arguments.place.scratch()?;
    let mut children = Vec::new();
    for number in 0..processes {
        let mut command = worker("processes-worker")?;
        command.arg("--directory").arg(scratch.path().join("cache"));
        for (name, value) in [("--seconds", seconds), ("--number", number), ("--seed", seed)] {
            command.args([name, &value.to_string()]);
        }
        children.push(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    }
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let mut failed = 0_u64;
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output()?;
        for line in String::from_utf8(output.stdout)?.lines() {
            match line.rsplit_once(": ").and_then(|(what, count)| Some((what, count.parse::<u64>().ok()?))) {
                Some((what, count)) => *totals.entry(what.to_owned()).or_default() += count,
                None => println!("process {number}: {line}"),
            }
        }
        failed += u64::from(!output.status.success());
    }
    for (what, count) in &totals {
        println!("{count:>10}  {what}");
    }
    let total: u64 = totals.values().sum();
    println!("{total:>10}  in all; {failed} of {processes} processes failed");
    if failed > 0 || total == 0 {
        return Err(
            format!("torture processes, seed {seed}: an operation failed, or a byte was wrong").into()
        );
    }
    Ok(())
}
