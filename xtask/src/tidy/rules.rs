//! `docs/http.md` against the tests: every rule of HTTP cites one, and what is cited exists.
//!
//! A rule is a row of a table whose last column is headed "tests". An exchange is cited by its name, a Rust test by its
//! path below `crates/` and its function.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{Tree, is_rust};

const PATH: &str = "docs/http.md";
/// How the head of a table of rules ends.
const LAST_COLUMN: &str = "| tests |";
/// What begins the citation of an exchange.
const EXCHANGE: &str = "exchange: \"";

/// A test that the document names.
#[derive(Debug, PartialEq, Eq)]
enum Citation<'a> {
    /// A case of `cargo xtask conformance --http`.
    Exchange(&'a str),
    /// A file and a function in it.
    Function(&'a str, &'a str),
}

/// Returns the findings of the document, given the group and the name of each exchange.
pub(super) fn check(tree: &Tree, exchanges: &[(&str, String)]) -> Vec<Finding> {
    let Some(document) = tree.get(PATH) else { return vec![Finding::new(PATH, "does not exist")] };
    let mut findings = Vec::new();
    let mut groups: BTreeSet<_> = exchanges.iter().map(|(group, _)| *group).collect();
    let mut is_table_of_rules = false;
    for (number, line) in document.lines().enumerate() {
        let place = format!("{PATH}:{}", number + 1);
        let is_head = line.trim_end().ends_with(LAST_COLUMN);
        is_table_of_rules = line.starts_with('|') && (is_table_of_rules || is_head);
        let is_rule = is_table_of_rules && !is_head && !line.starts_with("|-");
        let citations = citations(line);
        if is_rule && citations.is_empty() {
            findings.push(Finding::new(&place, "this rule cites no test"));
        }
        for citation in citations {
            match citation {
                Citation::Exchange(name) => match exchanges.iter().find(|(_, other)| other == name) {
                    Some((group, _)) => drop(groups.remove(group)),
                    None => findings.push(Finding::new(&place, format!("there is no exchange {name:?}"))),
                },
                Citation::Function(path, name) => {
                    let source = tree.get(&format!("crates/{path}"));
                    if !source.is_some_and(|source| source.contains(&format!("fn {name}("))) {
                        findings.push(Finding::new(&place, format!("there is no test {path}::{name}")));
                    }
                }
            }
        }
    }
    let silent = groups.into_iter().map(|group| format!("cites no exchange of the group \"{group}\""));
    findings.extend(silent.map(|what| Finding::new(PATH, what)));
    findings
}

/// Returns what a line cites; a citation does not go on in the next line.
fn citations(line: &str) -> Vec<Citation<'_>> {
    let names = line.split(EXCHANGE).skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    let code = line.split('`').skip(1).step_by(2);
    let functions = code.filter_map(|code| {
        let (path, name) = code.split_once("::")?;
        is_rust(path).then_some(Citation::Function(path, name))
    });
    names.map(Citation::Exchange).chain(functions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
# HTTP\n\n| not done | reason |\n|---|---|\n| this | because |\n\n\
| section | rule | tests |\n|---|---|---|\n\
| 1 | one | exchange: \"a one\"; `larder-x/tests/all.rs::two` |\n\
| 2 | `two` | exchange: \"another\" |\n\nText.\n";

    fn findings(document: &str) -> Vec<String> {
        let tree = Tree::from([
            (PATH, document),
            ("crates/larder-x/tests/all.rs", "//! Head.\n\n#[test]\nfn two() {}\nfn two_more() {}\n"),
        ]);
        let exchanges = [("first", "a one".to_owned()), ("second", "another".to_owned())];
        check(&tree, &exchanges).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn rules_that_cite_tests_that_exist_have_no_finding() {
        assert_eq!(findings(GOOD), [""; 0]);
    }

    #[test]
    fn a_rule_without_a_test_and_a_test_that_does_not_exist_are_found() {
        for (from, to, expected) in [
            (
                "exchange: \"a one\"; `larder-x/tests/all.rs::two`",
                "",
                "docs/http.md:9: this rule cites no test",
            ),
            ("\"a one\"", "\"a on\"", "docs/http.md:9: there is no exchange \"a on\""),
            ("a one", "a one;", "docs/http.md:9: there is no exchange \"a one;\""),
            ("::two`", "::tw`", "docs/http.md:9: there is no test larder-x/tests/all.rs::tw"),
            ("all.rs::two`", "al.rs::two`", "docs/http.md:9: there is no test larder-x/tests/al.rs::two"),
            ("Text.", "`larder-x/a.rs::b`", "docs/http.md:12: there is no test larder-x/a.rs::b"),
            ("exchange: \"another\"", "`x`", "docs/http.md:10: this rule cites no test"),
            (
                "exchange: \"another\"",
                "exchange: \"a one\"",
                "docs/http.md: cites no exchange of the group \"second\"",
            ),
        ] {
            let found = findings(&GOOD.replace(from, to));
            assert_eq!(found.first().map(String::as_str), Some(expected), "{found:?}");
        }
    }

    #[test]
    fn the_document_must_be_there() {
        let findings = check(&Tree::from([("README.md", "")]), &[]);
        assert_eq!(findings, [Finding::new(PATH, "does not exist")]);
    }
}
