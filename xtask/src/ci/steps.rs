//! The steps of `cargo xtask ci`: each is a few commands that can be run by hand.

use std::fmt;

use clap::ValueEnum;

use crate::origin::Origin;
use crate::test::everywhere;
use crate::workspace::Workspace;
use crate::{Outcome, run};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Step {
    /// The formatting
    Fmt,
    /// The lints, with every feature
    Clippy,
    /// The lints with each feature alone, and with none
    Features,
    /// The documentation
    Docs,
    /// Every test
    Test,
    /// The rules of the tree
    Tidy,
    /// The conformance matrix, and the HTTP exchanges
    Conformance,
    /// The examples, as a reader of the README runs them
    Examples,
    /// Kills, several processes, a large body and a full disk, for a short while
    Torture,
}

impl Step {
    /// Every step, in the order in which they run: what fails soonest comes first.
    pub(super) const ALL: [Self; 9] = [
        Self::Fmt,
        Self::Tidy,
        Self::Clippy,
        Self::Features,
        Self::Docs,
        Self::Test,
        Self::Conformance,
        Self::Examples,
        Self::Torture,
    ];

    /// Runs the step.
    ///
    /// # Errors
    ///
    /// When a command of it fails, or does not print what it must.
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Clippy => {
                for mut command in everywhere("clippy") {
                    run::passed_through(command.args(["--locked", "--all-targets"]).args(DENY))?;
                }
                Ok(())
            }
            Self::Features => features(),
            Self::Docs => {
                for mut command in everywhere("doc") {
                    command.env("RUSTDOCFLAGS", "-D warnings");
                    run::passed_through(command.arg("--no-deps"))?;
                }
                Ok(())
            }
            Self::Test => crate::test::run(),
            Self::Tidy => xtask(&["tidy"]),
            Self::Conformance => {
                xtask(&["conformance"])?;
                xtask(&["conformance", "--http"])
            }
            Self::Examples => examples(),
            Self::Torture => torture(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// A task of a program that is built for speed. Without naming the package, so that it shares what the examples built.
const RELEASE_XTASK: &[&str] = &["run", "--release", "--bin", "xtask", "--"];

const DENY: &[&str] = &["--", "-D", "warnings"];

fn cargo(arguments: &[&str]) -> Outcome {
    run::passed_through(run::cargo().args(arguments))
}

/// Runs a task of this same program.
fn xtask(arguments: &[&str]) -> Outcome {
    run::passed_through(std::process::Command::new(std::env::current_exe()?).args(arguments))
}

/// Features are additive, so that none alone and none at all must build as well as all together.
fn features() -> Outcome {
    let workspace = Workspace::here()?;
    for package in workspace.packages.iter().filter(|package| !package.features.is_empty()) {
        // The peers of the benchmarks are built where they are measured.
        let names = package.features.keys().map(String::as_str);
        let names = names.filter(|name| !["default", "peers"].contains(name));
        for feature in std::iter::once("").chain(names) {
            let scope =
                ["clippy", "--package", &package.name, "--no-default-features", "--features", feature];
            cargo(&[&scope, DENY].concat())?;
        }
    }
    Ok(())
}

/// The second run of each must answer everything from the disk of the first.
fn examples() -> Outcome {
    let scratch = tempfile::tempdir()?;
    let origin = Origin::start()?;
    let example = |name: &str, arguments: &[&str]| -> Outcome<String> {
        let mut command = run::cargo();
        command.args(["run", "--package", "larder", "--example", name, "--"]).args(arguments);
        // Where the caches of the examples are.
        run::output_of(command.env("TMPDIR", scratch.path()))
    };
    for from_cache in [false, true] {
        let printed = example("hello", &[&origin.greeting()])?;
        let expected = format!("200 OK, from the cache: {from_cache}\nHello from the origin!\n");
        check_printed(&printed, &expected)?;
        check_readme(&printed)?;
    }
    let url = origin.greeting() + "middleware";
    let printed = example("middleware", &[&url])?;
    check_miss_and_hit(&printed, "middleware")?;
    match origin.answered() {
        2 => {}
        count => return Err(format!("the examples asked the origin {count} times, and not twice").into()),
    }
    // These have an origin of their own.
    for name in ["tower", "axum"] {
        check_miss_and_hit(&example(name, &[])?, name)?;
    }
    let printed = example("http_cache", &[])?;
    check_printed(&printed, "200 OK: MISS\nHello from the origin!\n200 OK: HIT\nHello from the origin!\n")?;
    let quickstart = || -> Outcome<String> {
        let mut command = run::cargo();
        command.args(["run", "--release", "--example", "quickstart", "--", "--dir"]).arg(scratch.path());
        let output = run::output_of(&mut command)?;
        print!("{output}");
        Ok(output)
    };
    check_quickstart(&quickstart()?, &quickstart()?)
}

fn check_printed(printed: &str, expected: &str) -> Outcome {
    if printed == expected {
        return Ok(());
    }
    Err(format!("printed was\n{printed}and not\n{expected}").into())
}

/// What an example prints of two requests of the same, a line for each begins with its status.
fn check_miss_and_hit(printed: &str, name: &str) -> Outcome {
    let lines: Vec<_> = printed.lines().filter(|line| line.starts_with("200 OK")).collect();
    match lines[..] {
        [miss, hit]
            if miss.contains(": larder; fwd=uri-miss; ttl=") && hit.contains(": larder; hit; ttl=") =>
        {
            Ok(())
        }
        _ => Err(format!("{name} did not miss and then hit:\n{printed}").into()),
    }
}

fn check_quickstart(first: &str, second: &str) -> Outcome {
    let has_no_miss = |output: &str| output.lines().any(|line| line.starts_with("0 misses, "));
    if has_no_miss(first) {
        return Err("the first run of the quickstart has no miss, with an empty cache".into());
    }
    if !has_no_miss(second) {
        return Err("the second run of the quickstart has a miss".into());
    }
    let alias_hits = |output: &str| output.lines().filter(|line| line.starts_with("alias hit ")).count();
    if alias_hits(second) != 1 {
        return Err("the second run of the quickstart does not answer the redirects by one alias hit".into());
    }
    Ok(())
}

/// What the README says that its program prints must be what it prints.
fn check_readme(printed: &str) -> Outcome {
    let readme = std::fs::read_to_string(Workspace::here()?.root.join("README.md"))?;
    match printed.lines().find(|line| !readme.contains(line)) {
        Some(line) => Err(format!("README.md does not show what the program prints: {line}").into()),
        None => Ok(()),
    }
}

/// Bounded versions of what is run at length by hand; the large body is built for speed, as its data is.
fn torture() -> Outcome {
    xtask(&["torture", "kill", "--rounds", "20"])?;
    xtask(&["torture", "processes", "--seconds", "5"])?;
    xtask(&["torture", "proxy", "--seconds", "10"])?;
    xtask(&["torture", "full"])?;
    for compression in ["none", "zstd"] {
        let task = ["torture", "stream", "--gib", "1", "--compression", compression];
        cargo(&[RELEASE_XTASK, &task[..]].concat())?;
    }
    let download = ["torture", "download", "--gib", "1", "--rounds", "20", "--first-bytes", "20"];
    cargo(&[RELEASE_XTASK, &download[..]].concat())?;
    // Nothing is judged by its time here: who else uses the machine is not known.
    let bounded = ["torture", "bounded", "--entries", "6000", "--max-total-bytes", "32MiB", "--untimed"];
    cargo(&[RELEASE_XTASK, &bounded[..]].concat())?;
    let purge = ["torture", "purge", "--entries", "5000"];
    cargo(&[RELEASE_XTASK, &purge[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quickstart_that_misses_twice_or_never_is_noticed() {
        let first = "miss  1 ms\n\n10 misses, 10 hits, 0 alias hits\n";
        let second = "alias hit  1 ms\n\n0 misses, 20 hits, 1 alias hits\n";
        assert!(check_quickstart(first, second).is_ok());
        assert!(check_quickstart(first, first).is_err());
        assert!(check_quickstart(second, second).is_err());
        assert!(check_quickstart(first, "0 misses, 21 hits, 0 alias hits\n").is_err());
        assert!(check_quickstart(first, &format!("alias hit  1 ms\n{second}")).is_err());
    }

    #[test]
    fn an_example_that_does_not_miss_and_then_hit_is_noticed() {
        let [miss, hit] = ["fwd=uri-miss; ttl=60; stored", "hit; ttl=60"]
            .map(|status| format!("200 OK http://h/: larder; {status}\nHello\n"));
        assert!(check_miss_and_hit(&format!("{miss}{hit}"), "it").is_ok());
        for printed in [String::new(), format!("{miss}{miss}"), format!("{hit}{hit}"), miss] {
            assert!(check_miss_and_hit(&printed, "it").is_err(), "{printed}");
        }
    }

    #[test]
    fn every_step_is_run() {
        for step in Step::value_variants() {
            assert!(Step::ALL.contains(step), "{step}");
        }
    }
}
