//! `cargo xtask tidy`: the rules of the tree that no compiler checks.
//!
//! Every check is a function from what was read to findings, so that a test can show each of them fail.

mod arrows;
mod constraints;
mod lib_rs;
mod readme;
mod rules;
mod source;
mod text;
mod tree;

use std::fmt;

use crate::workspace::Workspace;
use crate::{Outcome, http};
use tree::Tree;

/// One broken rule: where, and what.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    what: String,
}

impl Finding {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Runs every check and prints the findings, one a line.
///
/// # Errors
///
/// When there is a finding, or the workspace cannot be read.
pub(crate) fn run() -> Outcome {
    let workspace = Workspace::here()?;
    let tree = Tree::load(&workspace.root)?;
    let mut findings = arrows::check(&workspace.packages);
    findings.extend(text::check(&tree));
    findings.extend(lib_rs::check(&tree));
    findings.extend(readme::check(&tree, &workspace));
    findings.extend(rules::check(&tree, &http::names()));
    findings.extend(constraints::check()?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: {} files and {} packages, no finding", tree.len(), workspace.packages.len()),
        1 => return Err("tidy: 1 finding".into()),
        count => return Err(format!("tidy: {count} findings").into()),
    }
    Ok(())
}
