//! `cargo xtask bench syscalls`: which system calls a warm hit makes, as `strace` counts them.
//!
//! Two processes do the same but for the hits, so that the difference is what these cost.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::workspace::Workspace;
use crate::{Outcome, run};

/// How many hits are looked at.
const HITS: u32 = 1_000;
/// How many calls more a hit may make: what the runtimes of two processes do is not the same.
const TOLERANCE: f64 = 0.1;
/// What a hit may do once, each by any of these names.
const ALLOWED: [(&str, &[&str]); 4] = [
    ("open", &["open", "openat", "openat2"]),
    ("fstat", &["fstat", "newfstatat", "statx"]),
    ("read", &["read", "pread64", "readv", "preadv", "preadv2"]),
    ("close", &["close"]),
];

/// How often each call was made.
type Calls = BTreeMap<String, u32>;

/// Counts the calls of warm hits and prints them.
///
/// Where there is no `strace`, it says so and does nothing.
///
/// # Errors
///
/// When a hit makes more calls than it may, or when they cannot be counted.
pub(super) fn run() -> Outcome {
    if Command::new("strace").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("!!! THE SYSTEM CALLS OF A HIT ARE NOT COUNTED: there is no strace");
        return Ok(());
    }
    run::passed_through(run::cargo().args(["build", "--release", "--package", "larder-bench"]))?;
    let driver = Workspace::here()?.target.join("release/larder-bench");
    let scratch = tempfile::tempdir()?;
    let without = calls(&driver, &scratch.path().join("without"), 0)?;
    let with = calls(&driver, &scratch.path().join("with"), HITS)?;
    let of_hits = per_hit(&without, &with);
    println!("| call | for each of {HITS} warm hits of 10 KiB |\n|---|---:|");
    for (name, count) in of_hits.iter().filter(|(_, count)| **count >= 0.001) {
        println!("| {name} | {count:.3} |");
    }
    match excess(&of_hits) {
        excess if excess.is_empty() => Ok(()),
        excess => Err(format!("a hit makes more calls than it may: {}", excess.join(", ")).into()),
    }
}

/// Counts the calls of a process that fills a cache and reads it so often.
fn calls(driver: &Path, directory: &Path, hits: u32) -> Outcome<Calls> {
    fs::create_dir(directory)?;
    let counted = directory.join("calls");
    let mut command = Command::new("strace");
    command.args(["--follow-forks", "--summary-only", "--summary-columns=calls,name", "--output"]);
    command.arg(&counted).arg(driver).args(["--child", "hits", "--entries", &hits.to_string()]);
    command.args([OsStr::new("--directory"), directory.join("cache").as_os_str()]);
    run::output_of(&mut command)?;
    Ok(parsed(&fs::read_to_string(counted)?))
}

/// Returns the lines of a summary that are a count and a name.
fn parsed(summary: &str) -> Calls {
    let line = |line: &str| {
        let (count, name) = line.trim().split_once(char::is_whitespace)?;
        Some((name.trim().to_owned(), count.parse().ok()?))
    };
    summary.lines().filter_map(line).filter(|(name, _)| name != "total").collect()
}

fn per_hit(without: &Calls, with: &Calls) -> BTreeMap<String, f64> {
    let count = |name: &String, count: u32| {
        let more = f64::from(count) - f64::from(without.get(name).copied().unwrap_or(0));
        (name.clone(), more / f64::from(HITS))
    };
    with.iter().map(|(name, calls)| count(name, *calls)).collect()
}

/// Returns what there is more of than one open, fstat, read and close.
fn excess(of_hits: &BTreeMap<String, f64>) -> Vec<String> {
    let allowed = ALLOWED.iter().filter_map(|(what, names)| {
        let count: f64 = names.iter().filter_map(|name| of_hits.get(*name)).sum();
        (count > 1.0 + TOLERANCE).then(|| format!("{count:.3} {what}"))
    });
    let is_allowed = |name: &str| ALLOWED.iter().any(|(_, names)| names.contains(&name));
    let others = of_hits.iter().filter(|(name, count)| !is_allowed(name) && **count > TOLERANCE);
    allowed.chain(others.map(|(name, count)| format!("{count:.3} {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "    calls syscall\n--------- ----------------\n     1100 openat2\n       12 mmap\n\
                           --------- ----------------\n     1112 total\n";

    #[test]
    fn a_summary_is_counts_and_names() {
        assert_eq!(parsed(SUMMARY), Calls::from([("openat2".into(), 1_100), ("mmap".into(), 12)]));
    }

    #[test]
    fn the_hits_are_what_only_one_process_did() {
        let of_hits = per_hit(&Calls::from([("openat2".into(), 100)]), &parsed(SUMMARY));
        assert_eq!(of_hits, BTreeMap::from([("openat2".into(), 1.0), ("mmap".into(), 0.012)]));
        assert_eq!(excess(&of_hits), [""; 0]);
    }

    #[test]
    fn one_call_of_each_kind_is_allowed_and_nothing_else() {
        for (calls, expected) in [
            (vec![("openat2", 1.0), ("fstat", 1.0), ("preadv2", 1.0), ("close", 1.0)], vec![]),
            (vec![("openat2", 1.0), ("openat", 1.0)], vec!["2.000 open"]),
            (vec![("pread64", 1.5), ("futex", 0.5)], vec!["1.500 read", "0.500 futex"]),
            (vec![("epoll_wait", 0.01)], vec![]),
        ] {
            let calls = calls.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
            assert_eq!(excess(&calls), expected);
        }
    }
}
