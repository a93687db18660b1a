//! What the manifests of the workspace say, as `cargo metadata` reads them.
//!
//! Nothing here resolves a dependency or uses the network: only the members' own manifests are looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Outcome, run};

/// The workspace that the task was started in.
pub(crate) struct Workspace {
    /// The directory of the root manifest.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One member's manifest.
#[derive(Default)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Where its manifest is, relative to the root.
    pub(crate) manifest: String,
    /// Its features, and what each turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a member.
pub(crate) struct Dependency {
    /// The crate's name.
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Returns the workspace around the current directory.
    ///
    /// # Errors
    ///
    /// When there is none, or cargo cannot read it.
    pub(crate) fn here() -> Outcome<Self> {
        let text =
            run::output_of(run::cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]))?;
        Self::parse(&serde_json::from_str(&text)?).ok_or_else(|| "cargo metadata has an unknown form".into())
    }

    /// Returns the member called `name`.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let target = PathBuf::from(metadata["target_directory"].as_str()?);
        let packages = metadata["packages"].as_array()?;
        let packages =
            packages.iter().map(|package| Package::parse(&root, package)).collect::<Option<_>>()?;
        Some(Self { root, target, packages })
    }
}

impl Package {
    fn parse(root: &Path, package: &Value) -> Option<Self> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let features = package["features"].as_object()?.iter().map(|(name, parts)| {
            let parts = parts.as_array()?.iter().map(|part| Some(part.as_str()?.to_owned()));
            Some((name.clone(), parts.collect::<Option<_>>()?))
        });
        let dependencies = package["dependencies"].as_array()?.iter().map(|dependency| {
            let name = dependency["name"].as_str()?.to_owned();
            Some(Dependency { name, dev: dependency["kind"].as_str() == Some("dev") })
        });
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            manifest: manifest.strip_prefix(root).unwrap_or(manifest).display().to_string(),
            features: features.collect::<Option<_>>()?,
            dependencies: dependencies.collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_becomes_packages_with_their_dependencies() {
        let metadata = json!({
            "workspace_root": "/w",
            "target_directory": "/w/target",
            "packages": [{
                "name": "a",
                "manifest_path": "/w/crates/a/Cargo.toml",
                "features": { "default": ["x"], "x": [] },
                "dependencies": [{ "name": "b", "kind": null }, { "name": "c", "kind": "dev" }],
            }],
        });
        let workspace = Workspace::parse(&metadata).expect("the form of cargo metadata");
        let package = workspace.package("a").expect("listed");
        assert_eq!(package.manifest, "crates/a/Cargo.toml");
        assert_eq!(package.features["default"], ["x"]);
        let dependencies: Vec<_> = package.dependencies.iter().map(|d| (d.name.as_str(), d.dev)).collect();
        assert_eq!(dependencies, [("b", false), ("c", true)]);
        assert!(Workspace::parse(&json!({})).is_none());
    }
}
