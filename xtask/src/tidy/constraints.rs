//! What a crate alone must not pull in, whatever way it would come, and how much of it.
//!
//! `cargo tree` resolves each crate by itself, with its default features and normal dependencies only.

use super::Finding;
use crate::{Outcome, run};

/// Crates that speak SQLite.
const SQLITE: &[&str] = &["rusqlite", "libsqlite3-sys", "deadpool-sqlite", "sqlx", "sqlite"];
/// Crates that run futures.
const RUNTIMES: &[&str] =
    &["tokio", "async-std", "smol", "async-io", "async-executor", "futures-executor", "glommio", "monoio"];
/// Crates that are a format of serde.
const FORMATS: &[&str] =
    &["rmp-serde", "rmp", "ciborium", "serde_json", "bincode", "postcard", "toml", "serde_yaml", "simd-json"];

/// What each crate is promised to be without.
const PROMISES: &[(&str, &[&[&str]])] = &[
    ("larder-core", &[RUNTIMES, FORMATS, SQLITE]),
    ("larder-policy", &[RUNTIMES, SQLITE]),
    ("larder-codec", &[RUNTIMES, SQLITE]),
    ("larder-memory", &[SQLITE, FORMATS]),
    ("larder-file", &[SQLITE, FORMATS]),
];

/// How many crates the tree of each may have at most, itself among them.
const LIMITS: &[(&str, usize)] = &[("larder", 59), ("larder-file", 39)];

/// Asks cargo for the tree of each crate, and returns the broken promises.
pub(super) fn check() -> Outcome<Vec<Finding>> {
    let mut findings = Vec::new();
    for (package, without) in PROMISES {
        findings.extend(broken(package, &tree_of(package)?, &without.concat()));
    }
    for (package, most) in LIMITS {
        findings.extend(too_long(package, &tree_of(package)?, *most));
    }
    Ok(findings)
}

fn tree_of(package: &str) -> Outcome<String> {
    let arguments = ["tree", "--offline", "--prefix=none", "--edges=normal", "--package", package];
    run::output_of(run::cargo().args(arguments))
}

/// Returns whether the output of `cargo tree` names more than `most` crates, each version of one for itself.
fn too_long(package: &str, tree: &str, most: usize) -> Option<Finding> {
    let mut crates: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    let count = crates.len();
    (count > most).then(|| {
        let what = format!("{package} alone pulls in {count} crates, and may have {most}");
        Finding::new(format!("crates/{package}/Cargo.toml"), what)
    })
}

/// Returns which of `without` the output of `cargo tree` names.
fn broken(package: &str, tree: &str, without: &[&str]) -> Vec<Finding> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut found: Vec<_> = names.filter(|name| without.contains(name)).collect();
    found.sort_unstable();
    found.dedup();
    let finding = |name| {
        Finding::new(format!("crates/{package}/Cargo.toml"), format!("{package} alone pulls in {name}"))
    };
    found.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_crate_is_found_once_by_its_whole_name() {
        let tree = "larder-file v0.1.0 (/w/crates/larder-file)\ntokio v1.0.0\nrusqlite v0.40.0\nrusqlite v0.40.0 (*)\n";
        let found: Vec<_> = broken("larder-file", tree, SQLITE).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["crates/larder-file/Cargo.toml: larder-file alone pulls in rusqlite"]);
        assert!(broken("larder-policy", "tokio-util v1.0.0\n", RUNTIMES).is_empty());
    }

    #[test]
    fn a_tree_of_too_many_crates_is_found() {
        let tree =
            "larder v0.1.0 (/w/crates/larder)\nbytes v1.0.0\nrand v0.9.0\nrand v0.10.0\nbytes v1.0.0 (*)\n";
        assert_eq!(too_long("larder", tree, 4), None);
        let found = too_long("larder", tree, 3).map(|finding| finding.to_string());
        let expected = "crates/larder/Cargo.toml: larder alone pulls in 4 crates, and may have 3";
        assert_eq!(found.as_deref(), Some(expected));
    }
}
