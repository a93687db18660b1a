//! `README.md` against the tree: its tables are what the manifests say, its program is the example.
//!
//! A table is found by the heading above it, and its rows by the first `code` of each.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;
use crate::workspace::{Package, Workspace};

const PATH: &str = "README.md";
/// The example that the README shows, without its head.
const PROGRAM: &str = "crates/larder/examples/hello.rs";

/// Returns the findings of all three tables and of the program.
pub(super) fn check(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let Some(readme) = tree.get(PATH) else { return vec![Finding::new(PATH, "does not exist")] };
    let mut findings = Vec::new();
    if let Some(larder) = workspace.package("larder") {
        findings.extend(compare(readme, "Features", larder.features.keys().map(String::as_str)));
        findings.extend(compare_defaults(readme, larder));
    }
    if let Some(codec) = workspace.package("larder-codec") {
        let formats = codec.features.keys().map(String::as_str).filter(|name| *name != "default");
        findings.extend(compare(readme, "Formats", formats));
    }
    let program = tree.get(PROGRAM).and_then(|text| text.split_once("\n\n"));
    if !program.is_some_and(|(_, code)| readme.contains(code)) {
        findings.push(Finding::new(PATH, format!("does not show the program {PROGRAM}")));
    }
    let backends = workspace.packages.iter().filter(|package| is_backend(package));
    findings.extend(compare(readme, "Backends", backends.map(|package| package.name.as_str())));
    findings
}

/// A backend depends on the core, and runs the suite in its tests; the facade and the formats do too.
fn is_backend(package: &Package) -> bool {
    let has = |name: &str, dev: bool| package.dependencies.iter().any(|d| d.name == name && d.dev == dev);
    !matches!(package.name.as_str(), "larder" | "larder-codec")
        && has("larder-core", false)
        && has("larder-conformance", true)
}

fn compare<'a>(readme: &str, heading: &str, manifest: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    let Some(rows) = table(readme, heading) else {
        return vec![Finding::new(PATH, format!("has no table under \"{heading}\""))];
    };
    let listed: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    let there: BTreeSet<_> = manifest.collect();
    let missing =
        there.difference(&listed).map(|name| format!("the table \"{heading}\" does not list `{name}`"));
    let surplus = listed
        .difference(&there)
        .map(|name| format!("the table \"{heading}\" lists `{name}`, which is not in a manifest"));
    missing.chain(surplus).map(|what| Finding::new(PATH, what)).collect()
}

/// The second column of the features says which are on by default.
fn compare_defaults(readme: &str, larder: &Package) -> Vec<Finding> {
    let defaults = larder.features.get("default").map(Vec::as_slice).unwrap_or_default();
    let rows = table(readme, "Features").unwrap_or_default();
    let wrong = rows.iter().filter(|row| row.name != "default").filter_map(|row| {
        let is_default = defaults.iter().any(|name| name == row.name);
        (is_default != (row.second == "yes")).then(|| {
            let state = if is_default { "on" } else { "off" };
            Finding::new(PATH, format!("`{}` is {state} by default, and the table says otherwise", row.name))
        })
    });
    wrong.collect()
}

struct Row<'a> {
    name: &'a str,
    second: &'a str,
}

/// Returns the rows below `heading`; a row without `code` in its first column is the table's own head.
fn table<'a>(readme: &'a str, heading: &str) -> Option<Vec<Row<'a>>> {
    let is_heading = |line: &&str| line.trim_start_matches('#').trim() == heading && line.starts_with('#');
    let mut lines = readme.lines().skip_while(|line| !is_heading(line));
    lines.next()?;
    let rows = lines
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix('|'))
        .filter_map(|line| {
            let mut columns = line.split('|').map(str::trim);
            let name = columns.next()?.split('`').nth(1)?;
            Some(Row { name, second: columns.next().unwrap_or_default() })
        });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    const GOOD: &str = "\
# larder\n\n```rust\nfn main() {}\n```\n\n## Backends\n\n| crate | keeps |\n|---|---|\n| [`larder-memory`](x) | `HashMap` |\n\n\
## Formats\n\n| feature | default |\n|---|---|\n| `json` | yes |\n\n\
## Features\n\n| feature | default | what |\n|---|---|---|\n| `default` | | `file` |\n| `file` | yes | x |\n\
| `memory` | no | x |\n";

    fn workspace() -> Workspace {
        let dependency = |name: &str, dev| Dependency { name: name.to_owned(), dev };
        let features = |list: &[(&str, &[&str])]| {
            let owned = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
            list.iter().map(|(name, parts)| ((*name).to_owned(), owned(parts))).collect()
        };
        let package = |name: &str, list: &[(&str, &[&str])], dependencies| Package {
            name: name.to_owned(),
            features: features(list),
            dependencies,
            ..Package::default()
        };
        let backend = || vec![dependency("larder-core", false), dependency("larder-conformance", true)];
        Workspace {
            root: "/w".into(),
            target: "/w/target".into(),
            packages: vec![
                package("larder", &[("default", &["file"]), ("file", &[]), ("memory", &[])], backend()),
                package("larder-codec", &[("default", &["json"]), ("json", &[])], backend()),
                package("larder-memory", &[], backend()),
            ],
        }
    }

    fn findings(readme: &str) -> Vec<String> {
        let program = (PROGRAM, "//! Head.\n\nfn main() {}\n");
        let findings = check(&Tree::from([(PATH, readme), program]), &workspace());
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn tables_that_say_what_the_manifests_say_have_no_finding() {
        assert_eq!(findings(GOOD), [""; 0]);
    }

    #[test]
    fn a_missing_row_a_surplus_row_and_a_wrong_default_are_found() {
        for (from, to, expected) in [
            ("| `memory` | no | x |\n", "", "the table \"Features\" does not list `memory`"),
            ("`json`", "`xml`", "the table \"Formats\" does not list `json`"),
            (
                "[`larder-memory`](x)",
                "`larder-redis`",
                "the table \"Backends\" does not list `larder-memory`",
            ),
            ("| `file` | yes |", "| `file` | no |", "`file` is on by default, and the table says otherwise"),
            (
                "| `memory` | no |",
                "| `memory` | yes |",
                "`memory` is off by default, and the table says otherwise",
            ),
            ("## Backends", "## Stores", "has no table under \"Backends\""),
            ("fn main() {}", "fn main() { }", "does not show the program crates/larder/examples/hello.rs"),
        ] {
            let found = findings(&GOOD.replace(from, to));
            assert_eq!(found.first().map(String::as_str), Some(expected), "{found:?}");
        }
        let surplus = findings(&GOOD.replace("`json`", "`xml`"));
        assert_eq!(surplus[1], "the table \"Formats\" lists `xml`, which is not in a manifest");
    }
}
