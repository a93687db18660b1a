//! `cargo xtask torture download`: a large response through the caching client, and a client that is killed.
//!
//! The client is a process of its own, so that its peak memory is that of caching alone and it can be killed.

mod worker;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use larder::client::reqwest::Client;
use larder::{CacheOptions, Expiry, FileBackend, ResponseCache};

pub(crate) use self::worker::{Arguments as WorkerArguments, work};
use super::random::{Random, seed};
use super::stream::check_peak;
use super::{Place, block_on, worker as hidden};
use crate::origin::{self, Origin};
use crate::{Outcome, run};

/// What to download, and how often to kill.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The length of the large body, in GiB
    #[arg(long, default_value_t = 2)]
    gib: u64,
    /// How many downloading clients to kill
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// How many first bytes to wait for, with a cache and without
    #[arg(long, default_value_t = 50)]
    first_bytes: usize,
    #[command(flatten)]
    place: Place,
}

/// Downloads, waits for first bytes, and kills.
///
/// # Errors
///
/// When a byte is wrong, the peak of memory is too high, or a killed client leaves something behind.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let scratch = arguments.place.scratch()?;
    let origin = Origin::start()?;
    large(arguments.gib, &origin, &scratch.path().join("large"))?;
    block_on(async {
        first_bytes(arguments.first_bytes, &origin, &scratch.path().join("first")).await?;
        kill(arguments.rounds, &origin, &scratch.path().join("killed")).await
    })?
}

/// Puts a large response through a client into the store, and answers it from there.
fn large(gib: u64, origin: &Origin, directory: &Path) -> Outcome {
    println!("torture download: a response of {gib} GiB");
    let url = origin.large(gib << 30);
    let mut command = hidden("download-worker")?;
    command.args(["--times", "2", "--url", &url, "--directory"]).arg(directory).stdin(Stdio::null());
    let output = run::output_of(&mut command)?;
    print!("{output}");
    match origin.answered() {
        1 => check_peak(&output),
        count => Err(format!("the origin was asked {count} times, and not once").into()),
    }
}

/// Compares when the first byte of a response comes that takes long to come whole.
async fn first_bytes(count: usize, origin: &Origin, directory: &Path) -> Outcome {
    let backend = FileBackend::new(directory).open().await?;
    let cached = Client::new(ResponseCache::new(backend, CacheOptions::fixed(Expiry::Never))?)?;
    let plain = cached.inner().clone();
    let (mut with_cache, mut without) = (Vec::new(), Vec::new());
    for number in 0..count {
        let url = origin.trickle(&number.to_string());
        let start = Instant::now();
        let mut response = plain.get(&url).send().await?;
        response.chunk().await?;
        without.push(start.elapsed());
        drop(response);
        let start = Instant::now();
        let mut response = cached.get(&url).send().await?;
        response.chunk().await?;
        with_cache.push(start.elapsed());
    }
    let (with_cache, without) = (median(with_cache), median(without));
    println!(
        "first byte of a response that trickles: {with_cache:?} with a cache, {without:?} without, ratio {:.2}",
        with_cache.as_secs_f64() / without.as_secs_f64()
    );
    if with_cache > origin::WHOLE_AFTER / 2 {
        return Err("the first byte waits for the last".into());
    }
    Ok(())
}

/// Kills clients in mid-download, and looks at what the next one finds.
async fn kill(rounds: u64, origin: &Origin, directory: &Path) -> Outcome {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut left_over = 0;
    for round in 0..rounds {
        let url = origin.trickle("killed");
        let mut command = hidden("download-worker")?;
        command.args(["--times", "1", "--url", &url, "--directory"]).arg(directory);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("the client has no output")?;
        let is_reading =
            BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line == worker::READING);
        std::thread::sleep(Duration::from_micros(random.below(20_000)));
        child.kill()?;
        child.wait()?;
        if !is_reading {
            return Err(format!("round {round}: the client did not begin to read").into());
        }
        left_over += names(&directory.join("tmp"))?.len();
        let backend = FileBackend::new(directory).open().await?;
        let left =
            (backend.size().await?, names(&directory.join("responses"))?, names(&directory.join("tmp"))?);
        if left != (0, Vec::new(), Vec::new()) {
            return Err(format!("round {round}, seed {seed}: left behind: {left:?}").into());
        }
        backend.close().await?;
    }
    println!(
        "{rounds} clients killed in mid-download: nothing was visible; {left_over} leftovers, all swept"
    );
    Ok(())
}

fn names(directory: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
