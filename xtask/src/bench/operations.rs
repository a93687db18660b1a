//! `cargo xtask bench operations`: single operations by criterion, with medians beside those of the plain system calls.
//!
//! What is printed is what criterion measured in this run; nothing of an earlier one is shown.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::workspace::Workspace;
use crate::{Outcome, run};

/// The row of plain system calls that the others are compared with.
const LIMIT: &str = "limit";

/// Runs the benchmarks and prints the table.
///
/// # Errors
///
/// When they cannot be run.
pub(super) fn run(quick: bool) -> Outcome {
    let start = SystemTime::now();
    let mut command = run::cargo();
    command.args(["bench", "--package", "larder-bench", "--bench", "backends", "--"]);
    if quick {
        command.args(["--warm-up-time", "0.1", "--measurement-time", "0.2"]);
    }
    run::passed_through(&mut command)?;
    let mut medians = Vec::new();
    collect(&Workspace::here()?.target.join("criterion"), start, &mut medians)?;
    medians.sort_by_key(|(when, _)| *when);
    let medians: Vec<Median> = medians.into_iter().map(|(_, median)| median).collect();
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

/// Collects what was measured since `start` from criterion's directories, with the time when it was.
fn collect(directory: &Path, start: SystemTime, medians: &mut Vec<(SystemTime, Median)>) -> Outcome {
    let estimates = directory.join("estimates.json");
    if directory.ends_with("new") && estimates.exists() {
        let when = fs::metadata(&estimates)?.modified()?;
        if when >= start {
            let benchmark = serde_json::from_str(&fs::read_to_string(directory.join("benchmark.json"))?)?;
            let estimates = serde_json::from_str(&fs::read_to_string(estimates)?)?;
            let median = median(&benchmark, &estimates).ok_or("criterion's files have an unknown form")?;
            medians.push((when, median));
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

/// Returns one line for each thing that was measured, with one column for each backend, in the order measured.
fn table(medians: &[Median]) -> String {
    let mut what = Vec::new();
    let mut who = Vec::new();
    for median in medians {
        if !what.contains(&&median.what) {
            what.push(&median.what);
        }
        if median.who != LIMIT && !who.contains(&&median.who) {
            who.push(&median.who);
        }
    }
    let time = |what: &str, who: &str| {
        let found = medians.iter().find(|median| median.what == what && median.who == who);
        found.map(|median| median.nanoseconds)
    };
    let heads = std::iter::once(LIMIT).chain(who.iter().map(|who| who.as_str()));
    let mut lines =
        vec![line("median (times the limit)", heads), format!("|---|{}", "---:|".repeat(who.len() + 1))];
    for what in what {
        let limit = time(what, LIMIT);
        let cell = |who: &&String| match (time(what, who), limit) {
            (None, _) => String::new(),
            (Some(time), Some(limit)) if time >= limit / 20.0 => {
                format!("{} ({:.1}x)", shown(time), time / limit)
            }
            (Some(time), _) => shown(time),
        };
        let limit = limit.map_or_else(String::new, shown);
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
            median("read", "memory", 10.0),
            median("keys", "file", 2e6),
        ]);
        assert_eq!(
            text,
            "| median (times the limit) | limit | file | memory |\n|---|---:|---:|---:|\n\
             | read | 2.0 µs | 5.0 µs (2.5x) | 10 ns |\n| keys |  | 2.00 ms |  |\n"
        );
    }
}
