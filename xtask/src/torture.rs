//! `cargo xtask torture`: attempts to make the file store lose or mix up what it was given, the client to hold it up, and
//! the proxy to keep what it should let go.
//!
//! Every body can be computed from the key and the version that its head names, so that a reader notices any byte
//! that no writer wrote.

mod bounded;
mod content;
mod download;
#[cfg(target_os = "linux")]
mod full;
mod kill;
mod kill_model;
mod kill_writer;
mod latency;
mod processes;
mod processes_worker;
#[cfg(target_os = "linux")]
mod proxy;
mod purge;
mod random;
mod record;
mod stream;

use std::path::PathBuf;

use tempfile::TempDir;

pub(crate) use content::Content;

use crate::Outcome;
use crate::workspace::Workspace;

/// The attempts, and the processes that they start.
#[derive(clap::Subcommand)]
pub(crate) enum Torture {
    /// Kills a writer at random moments, and checks that nothing acknowledged is lost and nothing is left over
    Kill(kill::Arguments),
    /// Lets several processes write, read, delete and clear in one directory
    Processes(processes::Arguments),
    /// Streams a large body into the store and out again, and checks the peak memory
    Stream(stream::Arguments),
    /// Puts a large response through the caching client, and kills clients in mid-download
    Download(download::Arguments),
    /// Loads a proxy with clients that go away, and checks that nothing of them is left
    #[cfg(target_os = "linux")]
    Proxy(proxy::Arguments),
    /// Lets several processes write far more into one cache than it may hold
    Bounded(bounded::Arguments),
    /// Fills the disk under a client, and makes room again
    #[cfg(target_os = "linux")]
    Full(full::Arguments),
    /// Purges and evicts among very many entries, beside readers
    Purge(purge::Arguments),
    #[command(hide = true)]
    BoundedWorker(bounded::WorkerArguments),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    FullWorker(full::WorkerArguments),
    #[command(hide = true)]
    KillWriter(kill_writer::Arguments),
    #[command(hide = true)]
    ProcessesWorker(processes_worker::Arguments),
    #[command(hide = true)]
    StreamWorker(stream::WorkerArguments),
    #[command(hide = true)]
    DownloadWorker(download::WorkerArguments),
}

/// Runs one of them.
///
/// # Errors
///
/// When a promise is broken, or the attempt itself fails.
pub(crate) fn run(torture: &Torture) -> Outcome {
    match torture {
        Torture::Kill(arguments) => kill::run(arguments),
        Torture::Processes(arguments) => processes::run(arguments),
        Torture::Stream(arguments) => stream::run(arguments),
        Torture::KillWriter(arguments) => kill_writer::run(arguments),
        Torture::ProcessesWorker(arguments) => processes_worker::run(arguments),
        Torture::StreamWorker(arguments) => stream::work(arguments),
        Torture::Download(arguments) => download::run(arguments),
        #[cfg(target_os = "linux")]
        Torture::Proxy(arguments) => proxy::run(arguments),
        Torture::Bounded(arguments) => bounded::run(arguments),
        Torture::BoundedWorker(arguments) => bounded::work(arguments),
        #[cfg(target_os = "linux")]
        Torture::Full(arguments) => full::run(arguments),
        #[cfg(target_os = "linux")]
        Torture::FullWorker(arguments) => full::work(arguments),
        Torture::Purge(arguments) => purge::run(arguments),
        Torture::DownloadWorker(arguments) => download::work(arguments),
    }
}

/// Where the cache directories of an attempt go.
#[derive(clap::Args)]
struct Place {
    /// Where to put the cache directories [default: below cargo's target directory]
    #[arg(long)]
    directory: Option<PathBuf>,
}

impl Place {
    /// Returns a new directory, which is removed when it is dropped.
    ///
    /// By default it is below cargo's target directory: `/tmp` is often memory.
    fn scratch(&self) -> Outcome<TempDir> {
        let parent = match &self.directory {
            Some(directory) => directory.clone(),
            None => Workspace::here()?.target.join("torture"),
        };
        std::fs::create_dir_all(&parent)?;
        Ok(tempfile::Builder::new().prefix("torture-").tempdir_in(parent)?)
    }
}

/// Returns a command that runs this program with a hidden task.
fn worker(task: &str) -> Outcome<std::process::Command> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(["torture", task]);
    Ok(command)
}

/// Runs `future` on a runtime of two threads.
fn block_on<F: Future>(future: F) -> Outcome<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(runtime.block_on(future))
}
