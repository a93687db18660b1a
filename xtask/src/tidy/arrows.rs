//! Which crate of the workspace may depend on which: `docs/architecture.md` as a table.
//!
//! Arrows point down only and siblings never see each other. A crate that is not in the table is a finding, so that
//! adding one is a decision.

use super::Finding;
use crate::workspace::Package;

/// The backends, which depend on the core alone.
const BACKENDS: &[&str] = &[
    "larder-memory",
    "larder-file",
    "larder-redirects",
    "larder-redis",
    "larder-object-store",
    "larder-tier",
];

/// What a crate of one name may depend on.
enum Allowed {
    These(&'static [&'static str]),
    Anything,
}

/// Returns the wrong arrows.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let is_ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut findings = Vec::new();
    for package in packages {
        let Some(allowed) = allowed(&package.name) else {
            findings.push(Finding::new(&package.manifest, format!("{} has no layer", package.name)));
            continue;
        };
        // A package may ask itself for features in its tests and examples.
        let others = package.dependencies.iter().filter(|dependency| dependency.name != package.name);
        for dependency in others.filter(|dependency| is_ours(&dependency.name)) {
            let is_allowed = match allowed {
                Allowed::Anything => true,
                Allowed::These(names) => {
                    names.contains(&dependency.name.as_str())
                        || (dependency.dev && is_allowed_in_tests(&package.name, &dependency.name))
                }
            };
            if !is_allowed {
                let kind = if dependency.dev { "dev-depend" } else { "depend" };
                findings.push(Finding::new(
                    &package.manifest,
                    format!("{} must not {kind} on {}", package.name, dependency.name),
                ));
            }
        }
    }
    findings
}

fn allowed(name: &str) -> Option<Allowed> {
    Some(Allowed::These(match name {
        "larder-core" => &[],
        "larder-codec" | "larder-policy" | "larder-conformance" | "larder-http-cache" => &["larder-core"],
        _ if BACKENDS.contains(&name) => &["larder-core"],
        "larder-client" => &["larder-core", "larder-policy"],
        "larder" => &[
            "larder-core",
            "larder-policy",
            "larder-client",
            "larder-codec",
            "larder-memory",
            "larder-file",
            "larder-redirects",
            "larder-redis",
            "larder-object-store",
            "larder-tier",
        ],
        "larder-cli" => &["larder"],
        "larder-bench" | "xtask" => return Some(Allowed::Anything),
        _ => return None,
    }))
}

/// Tests of any crate may use the suite, the reference backend and the formats.
///
/// Those of the facade have the documents' snippets too, some of which are about crates that it does not bring; those
/// of the memory tier have what it stands in front of.
fn is_allowed_in_tests(package: &str, name: &str) -> bool {
    matches!(name, "larder-conformance" | "larder-memory" | "larder-codec")
        || matches!((package, name), ("larder", "larder-http-cache") | ("larder-tier", "larder-file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, normal: &[&str], dev: &[&str]) -> Package {
        let dependency = |dev| move |name: &&str| Dependency { name: (*name).to_owned(), dev };
        Package {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            dependencies: normal
                .iter()
                .map(dependency(false))
                .chain(dev.iter().map(dependency(true)))
                .collect(),
            ..Package::default()
        }
    }

    fn check(name: &str, normal: &[&str], dev: &[&str]) -> Vec<String> {
        let mut packages = vec![package(name, normal, dev)];
        for other in [
            "larder-core",
            "larder-file",
            "larder-memory",
            "larder-codec",
            "larder-conformance",
            "larder-http-cache",
            "larder-tier",
            "larder",
        ] {
            if other != name {
                packages.push(package(other, &[], &[]));
            }
        }
        super::check(&packages).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn arrows_down_are_allowed() {
        assert!(
            check("larder-file", &["larder-core", "tokio"], &["larder-conformance", "larder-codec"])
                .is_empty()
        );
        assert!(check("larder", &["larder-file", "larder-memory"], &["larder-conformance"]).is_empty());
        assert!(check("larder", &[], &["larder-http-cache"]).is_empty());
        assert!(check("larder-http-cache", &["larder-core"], &["larder-memory"]).is_empty());
        assert!(check("larder-tier", &["larder-core"], &["larder-file"]).is_empty());
        assert!(check("xtask", &["larder", "larder-file"], &[]).is_empty());
    }

    #[test]
    fn arrows_up_and_aside_are_findings() {
        for (name, normal, dev, expected) in [
            ("larder-core", &["larder-file"][..], &[][..], "larder-core must not depend on larder-file"),
            ("larder-file", &["larder-codec"], &[], "larder-file must not depend on larder-codec"),
            (
                "larder-file",
                &["larder-conformance"],
                &[],
                "larder-file must not depend on larder-conformance",
            ),
            ("larder-memory", &[], &["larder"], "larder-memory must not dev-depend on larder"),
            ("larder", &["larder-http-cache"], &[], "larder must not depend on larder-http-cache"),
            ("larder-tier", &["larder-file"], &[], "larder-tier must not depend on larder-file"),
            ("larder-file", &[], &["larder-tier"], "larder-file must not dev-depend on larder-tier"),
            ("larder-extra", &[], &[], "larder-extra has no layer"),
        ] {
            assert_eq!(check(name, normal, dev), [expected]);
        }
    }
}
