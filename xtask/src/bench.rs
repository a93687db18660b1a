//! `cargo xtask bench`: runs the benchmarks, and prints medians beside those of the plain system calls.
//!
//! What is printed is what criterion measured in this run; nothing of an earlier one is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::workspace::Workspace;
use crate::{Outcome, run};

/// The row of plain system calls that the others are compared with.
const LIMIT: &str = "limit";

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only the benchmarks whose name holds this, for instance `read` or `write_new/1 KiB`
    filter: Option<String>,
    /// Measures each for a fraction of the time
    #[arg(long)]
    quick: bool,
}

/// Runs the benchmarks and prints the table.
///
/// # Errors
///
/// When they cannot be run, or the filter matches none.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let start = SystemTime::now();
    let mut command = run::cargo();
    command.args(["bench", "--package", "larder-bench", "--bench", "backends", "--"]);
    command.args(&arguments.filter);
    if arguments.quick {
        command.args(["--warm-up-time", "0.1", "--measurement-time", "0.2"]);
    }
    run::passed_through(&mut command)?;
    let mut medians = Vec::new();
    collect(&Workspace::here()?.target.join("criterion"), start, &mut medians)?;
    if medians.is_empty() {
        return Err("no benchmark has such a name".into());
    }
    print!("\n{}", table(&medians));
    Ok(())
}

/// The median of one benchmark.
#[derive(Debug, PartialEq)]
struct Median {
    /// What was measured, with the size of the body if it matters.
    what: String,
    /// Which backend, or [`LIMIT`].
    who: String,
    nanoseconds: f64,
}

/// Collects what was measured since `start` from criterion's directories.
fn collect(directory: &Path, start: SystemTime, medians: &mut Vec<Median>) -> Outcome {
    let estimates = directory.join("estimates.json");
    if directory.ends_with("new") && estimates.exists() {
        if fs::metadata(&estimates)?.modified()? >= start {
            let benchmark = serde_json::from_str(&fs::read_to_string(directory.join("benchmark.json"))?)?;
            let estimates = serde_json::from_str(&fs::read_to_string(estimates)?)?;
            medians.push(median(&benchmark, &estimates).ok_or("criterion's files have an unknown form")?);
        }
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), start, medians)?;
        }
    }
    Ok(())
}

fn median(benchmark: &Value, estimates: &Value) -> Option<Median> {
    Some(Median {
        what: benchmark["group_id"].as_str()?.to_owned(),
        who: benchmark["function_id"].as_str()?.to_owned(),
        nanoseconds: estimates["median"]["point_estimate"].as_f64()?,
    })
}

/// Returns one line for each thing that was measured, with one column for each backend.
fn table(medians: &[Median]) -> String {
    let mut rows: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for median in medians {
        rows.entry(&median.what).or_default().insert(&median.who, median.nanoseconds);
    }
    let who: BTreeSet<&str> = medians.iter().map(|median| median.who.as_str()).collect();
    let who: Vec<&str> = who.iter().copied().filter(|who| *who != LIMIT).collect();
    let mut lines = vec![
        line("median (times the limit)", std::iter::once(LIMIT).chain(who.iter().copied())),
        format!("|---|{}", "---:|".repeat(who.len() + 1)),
    ];
    for (what, row) in rows {
        let limit = row.get(LIMIT);
        let cell = |who: &&str| match (row.get(who), limit) {
            (None, _) => String::new(),
            (Some(time), Some(limit)) => format!("{} ({:.1}x)", shown(*time), time / limit),
            (Some(time), None) => shown(*time),
        };
        let limit = limit.map_or_else(String::new, |time| shown(*time));
        lines.push(line(what, std::iter::once(limit).chain(who.iter().map(cell))));
    }
    lines.join("\n") + "\n"
}

fn line(first: &str, cells: impl Iterator<Item = impl std::fmt::Display>) -> String {
    cells.fold(format!("| {first} |"), |line, cell| format!("{line} {cell} |"))
}

fn shown(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn criterion_s_files_become_a_median() {
        let benchmark = json!({ "group_id": "read/1 KiB", "function_id": "memory", "value_str": null });
        let estimates = json!({ "median": { "point_estimate": 1500.0 } });
        let expected = Median { what: "read/1 KiB".into(), who: "memory".into(), nanoseconds: 1500.0 };
        assert_eq!(median(&benchmark, &estimates), Some(expected));
        assert_eq!(median(&json!({}), &estimates), None);
    }

    #[test]
    fn a_row_compares_with_its_limit_if_it_has_one() {
        let median =
            |what: &str, who: &str, nanoseconds| Median { what: what.into(), who: who.into(), nanoseconds };
        let text = table(&[
            median("read", "limit", 2_000.0),
            median("read", "file", 5_000.0),
            median("keys", "file", 2e6),
            median("keys", "memory", 10.0),
        ]);
        assert_eq!(
            text,
            "| median (times the limit) | limit | file | memory |\n|---|---:|---:|---:|\n\
             | keys |  | 2.00 ms | 10 ns |\n| read | 2.0 µs | 5.0 µs (2.5x) |  |\n"
        );
    }
}
