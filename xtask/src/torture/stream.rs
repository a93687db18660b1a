//! `cargo xtask torture stream`: a body larger than the memory that it may take, into the store and out again.
//!
//! A process of its own does it, so that its peak memory is that of the streaming alone.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use larder_core::{Body, CacheKey, CachedResponse, ResponseStore};

use super::content::Content;
use super::record::Record;
use super::{Place, block_on, worker};
use crate::Outcome;
use crate::run;
use crate::variant::{Compressed, Format, Variant};

/// The peak of memory that streaming must stay below.
const LIMIT_MIB: u64 = 64;
const MIB: u64 = 1024 * 1024;

/// What to stream.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The length of the body, in GiB
    #[arg(long, default_value_t = 2)]
    gib: u64,
    /// How the store compresses the body, half of which can be compressed
    #[arg(long, value_enum, default_value_t = Compressed::None)]
    compression: Compressed,
    #[command(flatten)]
    place: Place,
}

/// What the process is given.
#[derive(clap::Args)]
pub(crate) struct WorkerArguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    len: u64,
    #[arg(long, value_enum)]
    compression: Compressed,
}

/// Starts the process, and checks the peak of memory that it reports.
///
/// # Errors
///
/// When a byte was wrong, or the peak is too high or cannot be told.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let scratch = arguments.place.scratch()?;
    let compression = format!("{:?}", arguments.compression).to_lowercase();
    let len = (arguments.gib * 1024 * MIB).to_string();
    println!("torture stream: a body of {} GiB, compression {compression}", arguments.gib);
    let mut command = worker("stream-worker")?;
    command
        .args(["--len", &len, "--compression", &compression, "--directory"])
        .arg(scratch.path().join("cache"));
    let output = run::output_of(command.stdin(Stdio::null()))?;
    print!("{output}");
    check_peak(&output)
}

/// Checks the peak of memory that a process has printed.
///
/// # Errors
///
/// When it is too high, or was not printed.
pub(super) fn check_peak(output: &str) -> Outcome {
    let peak = output.lines().find_map(|line| line.strip_prefix("peak memory: ")?.strip_suffix(" KiB"));
    let peak: u64 = peak.ok_or("this system does not tell the peak memory")?.parse()?;
    if peak >= LIMIT_MIB * 1024 {
        return Err(format!("a peak of {} MiB is not below {LIMIT_MIB} MiB", peak / 1024).into());
    }
    println!("{:.1} MiB is below the limit of {LIMIT_MIB} MiB", f64::from(u32::try_from(peak)?) / 1024.0);
    Ok(())
}

/// Streams, and prints throughput and peak memory.
///
/// # Errors
///
/// When the store fails, or a byte is wrong.
pub(crate) fn work(arguments: &WorkerArguments) -> Outcome {
    let len = arguments.len;
    block_on(async {
        let codecs = arguments.compression.with(Format::Msgpack.codecs());
        let store = Variant::ALL[0].builder(&arguments.directory, codecs).open().await?;
        let key = CacheKey::new("large")?;
        let record = Record { version: 1, len, head: 1 };
        let content = Content::new(key.as_str(), record.version).compressible();

        let start = Instant::now();
        let body = Body::from_stream(content.chunks(len));
        store.write(&key, CachedResponse::new(record.head(&key), body)).await?;
        report("in", len, start);

        let start = Instant::now();
        let response = store.read(&key).await?.ok_or("the entry that was written is not there")?;
        Record::of(&key, response).await?;
        report("out, every byte compared", len, start);

        let stored = std::fs::metadata(arguments.directory.join("responses").join(key.as_str()))?.len();
        println!("stored in {} MiB", stored / MIB);
        store.close().await?;
        Ok(())
    })
    .flatten()?;
    print_peak();
    Ok(())
}

/// Prints the peak of memory of this process, where the system tells it.
pub(super) fn print_peak() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
    {
        println!("peak memory: {} KiB", peak.trim().trim_end_matches("kB").trim());
    }
}

/// Prints how fast `len` bytes went since `start`.
pub(super) fn report(direction: &str, len: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let mib = len / MIB;
    println!("{direction}: {mib} MiB in {seconds:.1} s, {:.0} MiB/s", per_second(mib, seconds));
}

fn per_second(count: u64, seconds: f64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from) / seconds
}
