//! Checks of single files by their text: heads, sizes, exceptions, leftovers, lints.

use super::Finding;
use super::source::{code_lines, code_of};
use super::tree::Tree;

/// The most lines of code that a file may have.
const MAX_CODE_LINES: usize = 600;

/// Marks of unfinished work, in comments too; put together here, so that this file has none.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Code that must not be committed, and what to do instead.
const FORBIDDEN: [(&str, &str); 5] = [
    ("#[allow(", "an exception is #[expect(…, reason = \"…\")]"),
    ("#![allow(", "an exception is #![expect(…, reason = \"…\")]"),
    (", allow(", "an exception is expect(…, reason = \"…\")"),
    ("todo!(", "unfinished code"),
    ("dbg!(", "debugging output"),
];

/// Returns the findings of every source and manifest.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.sources().flat_map(|(path, text)| check_source(path, text));
    let manifests = tree.manifests().filter_map(|(path, text)| check_manifest(path, text));
    sources.chain(manifests).collect()
}

fn check_source(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A test may be the code of a document, word for word.
    if !path.contains("/tests/") && !text.trim_start().starts_with("//!") {
        findings.push(Finding::new(path, "does not begin with a //! head"));
    }
    let lines = code_lines(text);
    if lines > MAX_CODE_LINES {
        findings.push(Finding::new(path, format!("{lines} lines of code are more than {MAX_CODE_LINES}")));
    }
    let code = code_of(text);
    for (number, (line, code)) in text.lines().zip(code.lines()).enumerate() {
        let place = format!("{path}:{}", number + 1);
        for mark in MARKS.iter().filter(|mark| line.contains(**mark)) {
            findings.push(Finding::new(&place, format!("{mark} belongs where it is tracked")));
        }
        for (needle, reason) in FORBIDDEN.iter().filter(|(needle, _)| code.contains(needle)) {
            findings.push(Finding::new(&place, format!("{needle}…): {reason}")));
        }
    }
    findings
}

/// A member that does not inherit the lints is one where `unsafe` compiles.
fn check_manifest(path: &str, text: &str) -> Option<Finding> {
    let inherits = text
        .split_once("\n[lints]\n")
        .is_some_and(|(_, section)| section.trim_start().starts_with("workspace = true"));
    (!inherits).then(|| Finding::new(path, "does not inherit [workspace.lints]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Tree::from([(path, text)])).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_good_file_has_no_finding() {
        let text = "//! Head.\n\n#[expect(clippy::x, reason = \"why\")]\nfn f() { g(\"dbg!(x)\") }\n";
        assert!(findings("crates/a/src/a.rs", text).is_empty());
        assert!(findings("crates/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n").is_empty());
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        let found = findings("xtask/src/a.rs", "// no head\nfn f() {}\n");
        assert_eq!(found, ["xtask/src/a.rs: does not begin with a //! head"]);
    }

    #[test]
    fn a_long_file_is_found_by_its_code_alone() {
        let comments = "// why\n\n".repeat(700);
        let long = |lines: usize| format!("//! Head.\n{comments}{}", "f();\n".repeat(lines));
        assert!(findings("crates/a/src/a.rs", &long(600)).is_empty());
        let found = findings("crates/a/src/a.rs", &long(601));
        assert_eq!(found, ["crates/a/src/a.rs: 601 lines of code are more than 600"]);
    }

    #[test]
    fn exceptions_without_a_reason_and_leftovers_are_found() {
        for line in [
            "#[allow(dead_code)]",
            "#![allow(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))]",
            "fn f() { todo!() }",
            "fn f() { dbg!(1); }",
            concat!("// TO", "DO: later"),
            concat!("// FIX", "ME"),
        ] {
            let found = findings("crates/a/src/a.rs", &format!("//! Head.\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert!(found[0].starts_with("crates/a/src/a.rs:2: "), "{found:?}");
        }
    }

    #[test]
    fn a_manifest_without_the_lints_is_found() {
        let found = findings("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");
        assert_eq!(found, ["crates/a/Cargo.toml: does not inherit [workspace.lints]"]);
    }
}
