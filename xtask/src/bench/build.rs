//! `cargo xtask bench build`: how long small programs take to build from nothing, of how many crates, and how large
//! they are.
//!
//! The programs are packages of their own, with the versions of this workspace's lock file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::workspace::Workspace;
use crate::{Outcome, run};

/// A program, and what it depends on.
struct Program {
    name: &'static str,
    dependencies: &'static str,
    source: &'static str,
}

const STORE: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let store = larder_file::FileStore::builder("cache", larder_codec::default_codecs()).open().await?;
        println!("{}", larder_core::ResponseStore::size(&store).await?);
        Ok(())
    })
}
"#;

const BACKEND: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        println!("{}", larder::FileBackend::new("cache").open().await?.size().await?);
        Ok(())
    })
}
"#;

const CLIENT: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let backend = larder::FileBackend::new("cache").open().await?;
        let cache = larder::ResponseCache::new(backend, larder::CacheOptions::standard())?;
        let response = larder::reqwest::Client::new(cache)?.get("http://localhost/").send().await?;
        println!("{}", response.text().await?);
        Ok(())
    })
}
"#;

/// What is built: the store alone, the default of the facade, and a client that caches.
const PROGRAMS: [Program; 3] = [
    Program {
        name: "larder-file and a format",
        dependencies: "larder-core = { path = \"ROOT/crates/larder-core\" }\n\
                       larder-file = { path = \"ROOT/crates/larder-file\" }\n\
                       larder-codec = { path = \"ROOT/crates/larder-codec\", default-features = false, \
                       features = [\"msgpack\"] }\n",
        source: STORE,
    },
    Program {
        name: "larder, file backend",
        dependencies: "larder = { path = \"ROOT/crates/larder\" }\n",
        source: BACKEND,
    },
    Program {
        name: "larder, file backend and reqwest client",
        dependencies: "larder = { path = \"ROOT/crates/larder\", features = [\"reqwest\"] }\n",
        source: CLIENT,
    },
];

/// Builds the programs and prints a table.
///
/// # Errors
///
/// When one cannot be built.
pub(super) fn run() -> Outcome {
    let root = Workspace::here()?.root;
    let mut lines = Vec::new();
    for program in PROGRAMS {
        let scratch = tempfile::tempdir()?;
        program.write(scratch.path(), &root)?;
        // Fetching is not building.
        run::passed_through(cargo(scratch.path()).arg("fetch"))?;
        let tree = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
        let tree = run::output_of(cargo(scratch.path()).args(tree))?;
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        let start = Instant::now();
        run::passed_through(cargo(scratch.path()).args(["build", "--release", "--offline"]))?;
        let seconds = start.elapsed().as_secs_f64();
        let built =
            scratch.path().join("target/release/program").with_extension(std::env::consts::EXE_EXTENSION);
        let kib = fs::metadata(built)?.len() >> 10;
        // The program itself is not one that it depends on.
        lines.push(format!("| {} | {} | {seconds:.0} s | {kib} KiB |", program.name, crates.len() - 1));
    }
    println!("\n| program | crates | build from nothing | stripped size |\n|---|---:|---:|---:|");
    println!("{}", lines.join("\n"));
    Ok(())
}

impl Program {
    /// Writes the package to `directory`.
    fn write(&self, directory: &Path, root: &Path) -> Outcome {
        let dependencies = self.dependencies.replace("ROOT", &root.display().to_string());
        let manifest = format!(
            "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [workspace]\n\n[dependencies]\n{dependencies}tokio = {{ version = \"1\", features = [\"rt\", \"net\", \
             \"time\"] }}\n\n[profile.release]\nstrip = true\n"
        );
        fs::create_dir(directory.join("src"))?;
        fs::write(directory.join("Cargo.toml"), manifest)?;
        fs::write(directory.join("src/main.rs"), self.source)?;
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))?;
        Ok(())
    }
}

/// Returns a cargo in `directory`, which builds there.
fn cargo(directory: &Path) -> std::process::Command {
    let mut command = run::cargo();
    command.current_dir(directory).env("CARGO_TARGET_DIR", directory.join("target"));
    command
}
