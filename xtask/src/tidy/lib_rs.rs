//! `lib.rs` is a table of contents: documentation, attributes, modules and re-exports.
//!
//! Whatever else stands there is logic, and has a better home.

use super::Finding;
use super::source::code_of;
use super::tree::Tree;

/// Returns the findings of every `lib.rs`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let roots = tree.sources().filter(|(path, _)| path.ends_with("/src/lib.rs"));
    let findings = roots.filter_map(|(path, text)| {
        let logic = items(&code_of(text)).err()?;
        Some(Finding::new(path, format!("holds more than docs, mod and use: {logic}")))
    });
    findings.collect()
}

/// Walks over attributes, modules and re-exports; the error is the line that is none of them.
fn items(code: &str) -> Result<(), String> {
    let mut rest = code.trim_start();
    while !rest.is_empty() {
        if let Some(after) = after_doctest(rest) {
            rest = after.trim_start();
            continue;
        }
        rest = after_item(rest).ok_or_else(|| rest.lines().next().unwrap_or_default().to_owned())?;
        if let Some(body) = rest.strip_prefix('{') {
            let end = balanced(rest, '{', '}').unwrap_or(rest.len());
            items(&body[..end.saturating_sub(2)])?;
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(())
}

/// Returns what follows one item: for a module with a body, that body.
fn after_item(item: &str) -> Option<&str> {
    if item.starts_with("#[") || item.starts_with("#![") {
        return item.get(balanced(item, '[', ']')?..);
    }
    let item = without_visibility(item);
    if item.starts_with("use ") || item.starts_with("extern crate ") {
        return item.get(item.find(';')? + 1..);
    }
    let module = item.strip_prefix("mod ")?;
    let end = module.find([';', '{'])?;
    Some(if module[end..].starts_with(';') { &module[end + 1..] } else { &module[end..] })
}

/// Returns what follows a unit struct that is there for the doctests of a document, if `item` is one.
fn after_doctest(item: &str) -> Option<&str> {
    let document = item.strip_prefix("#[cfg(doctest)]")?.trim_start();
    let document = document.starts_with("#[doc").then(|| document.get(balanced(document, '[', ']')?..))??;
    let (name, after) = document.trim_start().strip_prefix("struct ")?.split_once(';')?;
    name.chars().all(char::is_alphanumeric).then_some(after)
}

fn without_visibility(item: &str) -> &str {
    let Some(rest) = item.strip_prefix("pub") else { return item };
    let rest = match balanced(rest, '(', ')') {
        Some(end) if rest.starts_with('(') => &rest[end..],
        _ => rest,
    };
    rest.trim_start()
}

/// Returns where the first group of `text` ends.
fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<Finding> {
        check(&Tree::from([("crates/a/src/lib.rs", text)]))
    }

    #[test]
    fn docs_modules_and_re_exports_are_no_logic() {
        let text = r#"//! Head with `fn f() {}`.
            #![cfg_attr(docsrs, feature(doc_cfg))]
            #![doc = include_str!("../README.md")]
            mod a;
            #[cfg(feature = "b")]
            pub mod b;
            pub(crate) mod c;
            pub use a::{A, B};
            /// Documented.
            pub mod d {
                #[doc(inline)]
                pub use other::*;
            }
            use e as _;
            #[cfg(doctest)]
            #[doc = include_str!("../guide.md")]
            struct Guide;
        "#;
        assert_eq!(findings(text), []);
    }

    #[test]
    fn everything_else_is_logic() {
        for item in [
            "fn f() {}",
            "pub struct S;",
            "#[cfg(doctest)]\nfn f() {}",
            "pub(crate) const N: u8 = 1;",
            "impl A {}",
            "macro_rules! m { () => {} }",
            "mod tests { fn f() {} }",
            "type T = u8;",
        ] {
            let found = findings(&format!("//! Head.\nmod a;\n{item}\npub use a::A;\n"));
            assert_eq!(found.len(), 1, "{item}: {found:?}");
        }
    }

    #[test]
    fn other_files_may_hold_logic() {
        assert_eq!(check(&Tree::from([("crates/a/src/a.rs", "fn f() {}")])), []);
    }
}
