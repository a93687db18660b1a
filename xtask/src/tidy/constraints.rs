//! What a crate alone must not pull in, whatever way it would come.
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

/// Asks cargo for the tree of each crate, and returns the broken promises.
pub(super) fn check() -> Outcome<Vec<Finding>> {
    let mut findings = Vec::new();
    for (package, without) in PROMISES {
        let arguments = ["tree", "--offline", "--prefix=none", "--edges=normal", "--package", package];
        let tree = run::output_of(run::cargo().args(arguments))?;
        findings.extend(broken(package, &tree, &without.concat()));
    }
    Ok(findings)
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
}
