//! `cargo xtask torture purge`: very many entries, of which some expire and some are evicted, beside readers.
//!
//! What is measured is a ratio, that of the readers' latencies to those before; what is checked is which entries are
//! left, and that memory does not grow with their number.

mod readers;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use larder::file::{FileStore, Limits};
use larder_core::{Body, CacheKey, CachedResponse, ResponseHead, ResponseStore, Timestamp};

use self::readers::Readers;
use super::latency::Latencies;
use super::{Place, block_on};
use crate::Outcome;
use crate::variant::{Format, Variant};

/// How many tasks write at the same time.
const WRITERS: u64 = 64;
/// The length of each body.
const LEN: usize = 1024;
/// One entry in so many has expired.
const EXPIRED: u64 = 100;
/// One entry in so many is evicted.
const EVICTED: u64 = 10;
/// How much more memory purge and eviction may take than reading does.
const LIMIT_KIB: u64 = 64 * 1024;

/// How many entries.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many entries there are
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    #[command(flatten)]
    place: Place,
}

/// Writes the entries, purges and evicts beside readers, and checks what is left.
///
/// # Errors
///
/// When an entry is there that should be gone, or the reverse, or memory has grown.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let entries = arguments.entries.max(EXPIRED);
    println!("torture purge: {entries} entries, of which one in {EXPIRED} has expired");
    let scratch = arguments.place.scratch()?;
    block_on(purge(entries, &scratch.path().join("cache")))?
}

async fn purge(entries: u64, directory: &Path) -> Outcome {
    let builder = Variant::ALL[0].builder(directory, Format::Msgpack.codecs());
    let store = builder.max_entries(entries * 2).open().await?;
    let start = Instant::now();
    populate(&store, entries).await?;
    println!("{:>8.1} s to write them, by {WRITERS} tasks", start.elapsed().as_secs_f64());
    write_back(directory)?;

    let readers = Readers { store: store.clone(), entries };
    // Once to warm up: the first readers find nothing in the caches of the system.
    let reads = (entries / 10).clamp(5_000, 100_000);
    readers.read(reads).await?;
    let before = readers.read(reads).await?;
    report("before", &before, &before);
    let memory = Memory::now();

    let expired = entries.div_ceil(EXPIRED);
    let now = Timestamp::from(SystemTime::now());
    let (purged, during) = readers.beside(timed(store.delete_expired(now))).await?;
    let (elapsed, deleted) = (purged.0, purged.1?);
    report("delete_expired", &during, &before);
    println!("{:>8.1} s, {deleted} deleted; {}", elapsed.as_secs_f64(), memory.growth());
    expect("deleted as expired", deleted, expired)?;
    check_left(&store, entries, expired).await?;
    report("after it", &readers.read(reads).await?, &before);

    let left = entries - entries / EVICTED;
    let prune = timed(store.prune(Limits::default().max_entries(left), |_| {}));
    let ((elapsed, pruned), during) = readers.beside(prune).await?;
    let evicted = pruned?.evicted;
    report("eviction", &during, &before);
    println!("{:>8.1} s, {evicted} evicted; {}", elapsed.as_secs_f64(), memory.growth());
    expect("evicted", evicted, entries - expired - left)?;
    expect("left", store.size().await?, left)?;
    report("after it", &readers.read(reads).await?, &before);
    store.close().await?;
    memory.check()
}

/// Writes the entries by many tasks.
async fn populate(store: &FileStore, entries: u64) -> Outcome {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (task..entries).step_by(usize::try_from(WRITERS)?) {
                let key = key(number);
                store.write(&key, response(&key, number)).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Waits until the system has written down what was written, which would otherwise be measured too.
#[cfg(target_os = "linux")]
fn write_back(directory: &Path) -> Outcome {
    Ok(rustix::fs::syncfs(std::fs::File::open(directory)?)?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn write_back(_: &Path) -> Outcome {
    Ok(())
}

fn key(number: u64) -> CacheKey {
    CacheKey::new(format!("entry-{number}")).expect("short and path-safe")
}

fn is_expired(number: u64) -> bool {
    number.is_multiple_of(EXPIRED)
}

fn response(key: &CacheKey, number: u64) -> CachedResponse {
    let url = format!("http://localhost/{key}").parse().expect("a key is a path");
    let mut head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, Timestamp::UNIX_EPOCH);
    let now = Timestamp::from(SystemTime::now());
    let hour = Duration::from_hours(1);
    head.expires_at =
        Some(if is_expired(number) { now.saturating_sub(hour) } else { now.saturating_add(24 * hour) });
    let byte = u8::try_from(number % 251).expect("below 251");
    CachedResponse::new(head, Body::from(vec![byte; LEN]))
}

/// Returns how long `work` takes, and what it returns.
async fn timed<T>(work: impl Future<Output = larder_core::Result<T>>) -> (Duration, larder_core::Result<T>) {
    let start = Instant::now();
    let done = work.await;
    (start.elapsed(), done)
}

/// Checks that all entries are there but those that have expired.
async fn check_left(store: &FileStore, entries: u64, expired: u64) -> Outcome {
    let mut keys = store.keys();
    let mut seen = vec![false; usize::try_from(entries)?];
    let mut count = 0;
    while let Some(key) = keys.try_next().await? {
        let number: u64 = key.as_str().strip_prefix("entry-").ok_or("a key that nobody wrote")?.parse()?;
        let seen = seen.get_mut(usize::try_from(number)?).ok_or("a key that nobody wrote")?;
        if std::mem::replace(seen, true) {
            return Err(format!("{key} is listed twice").into());
        }
        if is_expired(number) {
            return Err(format!("{key} has expired, and is still there").into());
        }
        count += 1;
    }
    expect("left", count, entries - expired)
}

fn expect(what: &str, count: u64, expected: u64) -> Outcome {
    if count == expected { Ok(()) } else { Err(format!("{count} {what}, and not {expected}").into()) }
}

fn report(phase: &str, latencies: &Latencies, before: &Latencies) {
    let ratio =
        |percent| latencies.percentile(percent).as_secs_f64() / before.percentile(percent).as_secs_f64();
    let [half, most] = [50.0, 99.0].map(ratio);
    println!("reads {phase}: {}; ratio to before: p50 {half:.2}, p99 {most:.2}", latencies.summary());
}

/// The memory of this process, where the system tells it: what it had once, and the most since.
struct Memory {
    at_first: Option<u64>,
}

impl Memory {
    /// Takes the memory of now, and forgets the peak.
    fn now() -> Self {
        // Where the peak cannot be forgotten, that of the writers counts too.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        Self { at_first: kib("VmRSS:") }
    }

    fn grown(&self) -> Option<u64> {
        Some(kib("VmHWM:")?.saturating_sub(self.at_first?))
    }

    fn growth(&self) -> String {
        match (self.at_first, self.grown()) {
            (Some(first), Some(grown)) => {
                format!("memory {} MiB, at most {} MiB more", first >> 10, grown >> 10)
            }
            _ => "this system does not tell the memory".to_owned(),
        }
    }

    fn check(&self) -> Outcome {
        match self.grown() {
            Some(grown) if grown >= LIMIT_KIB => {
                Err(format!("{} MiB more than reading takes are too much", grown >> 10).into())
            }
            _ => Ok(()),
        }
    }
}

fn kib(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().trim_end_matches("kB").trim().parse().ok()
}
