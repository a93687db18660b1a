//! The program `larder`, built in the profile of this one.

use std::path::PathBuf;

use crate::workspace::Workspace;
use crate::{Outcome, run};

/// Builds the program and returns where it is.
///
/// With every feature of the workspace, as its tests are built, so that what they have built is used again.
pub(crate) fn build() -> Outcome<PathBuf> {
    let (profile, directory) = if cfg!(debug_assertions) { ("dev", "debug") } else { ("release", "release") };
    let scope =
        ["build", "--quiet", "--workspace", "--exclude", "larder-bench", "--all-features", "--bin", "larder"];
    run::passed_through(run::cargo().args(scope).args(["--profile", profile]))?;
    let program = Workspace::here()?.target.join(directory).join("larder");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}
