//! The text files of the repository that checks look at, by path.
//!
//! Checks see only this, so that a test makes a tree of a few lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Outcome;

/// Files by their path relative to the root, with `/` between its parts.
#[derive(Default)]
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads the Rust sources and manifests below `crates/` and `xtask/`, and the documents that are
    /// checked.
    pub(super) fn load(root: &Path) -> Outcome<Self> {
        let mut tree = Self::default();
        for folder in ["crates", "xtask"] {
            tree.load_folder(&root.join(folder), folder)?;
        }
        for document in ["README.md", "docs/http.md"] {
            let path = root.join(document);
            if path.exists() {
                tree.0.insert(document.into(), fs::read_to_string(path)?);
            }
        }
        Ok(tree)
    }

    /// Returns how many files there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the text of one file.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Returns path and text of every Rust source.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(|(path, _)| is_rust(path))
    }

    /// Returns path and text of every manifest.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        files.filter(|(path, _)| path.ends_with("/Cargo.toml"))
    }

    fn load_folder(&mut self, folder: &Path, path: &str) -> Outcome {
        for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{path}/{name}");
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    self.load_folder(&entry.path(), &path)?;
                }
            } else if is_rust(&path) || name == "Cargo.toml" {
                self.0.insert(path, fs::read_to_string(entry.path())?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
    }
}

/// Returns whether the path is that of a Rust source.
pub(super) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}
