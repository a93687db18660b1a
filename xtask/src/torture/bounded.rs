//! `cargo xtask torture bounded`: several processes write far more than a cache may hold, under the eyes of a sampler.
//!
//! No key is ever written twice, so that a file that is looked at again is the one that was there before.

mod sampler;
mod worker;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use futures_util::TryStreamExt;
use larder::file::{FileStore, FileStoreBuilder};
use larder_core::{CacheKey, ResponseStore};

use self::sampler::Sampler;
pub(crate) use self::worker::{Arguments as WorkerArguments, work};
use super::latency::Latencies;
use super::random::{Random, seed};
use super::record::Record;
use super::{Place, block_on, worker as hidden};
use crate::Outcome;
use crate::variant::{Format, Variant};

/// The limit when none is given.
const DEFAULT_LIMIT: ByteSize = ByteSize::mib(64);
/// No write may take longer.
const LONGEST_WRITE: Duration = Duration::from_millis(100);
/// How many entries a process evicts before it takes them off the account, and how long the file of one is at most.
const BATCH: u64 = 16;
const LONGEST: u64 = 512 << 10;
/// At most one write in so many may be given up.
const GIVEN_UP_SHARE: u64 = 100;
/// How many keys are read all the time, unless few entries fit.
const HOT: u64 = 100;

/// How many write what, and what they must keep to.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many processes write
    #[arg(long, default_value_t = 8)]
    writers: u64,
    /// How many entries they write in all
    #[arg(long, default_value_t = 20_000)]
    entries: u64,
    #[command(flatten)]
    limits: Bounds,
    /// Judges neither how long the writes took nor how many were given up: for machines that are busy
    #[arg(long)]
    untimed: bool,
    /// Repeats the decisions of an earlier run, though not its timing
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// The limits of the cache.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Bounds {
    /// The most bytes that the entries may have [default: 64MiB, unless there is --max-entries]
    #[arg(long)]
    max_total_bytes: Option<ByteSize>,
    /// The most entries that there may be
    #[arg(long)]
    max_entries: Option<u64>,
}

impl Bounds {
    fn or_default(self) -> Self {
        let max_total_bytes =
            self.max_total_bytes.or_else(|| self.max_entries.is_none().then_some(DEFAULT_LIMIT));
        Self { max_total_bytes, ..self }
    }

    fn builder(self, directory: &Path) -> FileStoreBuilder {
        let mut builder = Variant::ALL[0].builder(directory, Format::Msgpack.codecs());
        if let Some(bytes) = self.max_total_bytes {
            builder = builder.max_total_bytes(bytes.as_u64());
        }
        if let Some(entries) = self.max_entries {
            builder = builder.max_entries(entries);
        }
        builder
    }

    /// Returns how many keys are read all the time: a tenth of what fits at most.
    fn hot(self) -> u64 {
        self.max_entries.map_or(HOT, |entries| HOT.min(entries / 10))
    }
}

/// Lets the processes write, and compares what was seen with what was promised.
///
/// # Errors
///
/// When a limit was passed, a writer was held up, an entry is damaged, or the account is wrong.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let limits = arguments.limits.or_default();
    let (writers, entries, seed) =
        (arguments.writers.max(1), arguments.entries, arguments.seed.unwrap_or_else(seed));
    println!(
        "torture bounded: {writers} processes write {entries} entries within {limits}, seed {seed}; load {}",
        load()
    );
    let scratch = arguments.place.scratch()?;
    let directory = scratch.path().join("cache");
    block_on(warm_up(limits, &directory))??;
    let sampler = Sampler::start(directory.join("responses"), limits);
    let start = Instant::now();
    let written = write(arguments, writers, limits, seed, &directory);
    let elapsed = start.elapsed();
    let looked = sampler.stop()?;
    let written = written?;
    println!("{:.1} s in all; {}; load {}", elapsed.as_secs_f64(), written.rates(), load());
    println!(
        "writes: {}; {} found no room, {} had to wait for the account for too long",
        written.writes.summary(),
        written.count("refused"),
        written.count("locked out")
    );
    println!("{looked}");
    looked.check(limits, writers)?;
    if !arguments.untimed {
        written.check_times()?;
    }
    written.check_hits()?;
    block_on(look_back(limits, writers, &directory))?
}

/// Makes the cache, and its hot entries.
async fn warm_up(limits: Bounds, directory: &Path) -> Outcome {
    let store = limits.builder(directory).open().await?;
    let mut random = Random::new(0);
    for number in 0..limits.hot() {
        let key = hot_key(number);
        let record = Record { version: number, len: 20_000, head: number };
        store.write(&key, record.response(&key, &mut random)).await?;
    }
    Ok(store.close().await?)
}

/// What the writers said.
struct Written {
    writes: Latencies,
    counts: BTreeMap<String, u64>,
}

fn write(
    arguments: &Arguments,
    writers: u64,
    limits: Bounds,
    seed: u64,
    directory: &Path,
) -> Outcome<Written> {
    let mut children = Vec::new();
    for number in 0..writers {
        let entries = arguments.entries / writers + u64::from(number < arguments.entries % writers);
        let mut command = hidden("bounded-worker")?;
        command.arg("--directory").arg(directory);
        for (name, value) in [("--number", number), ("--entries", entries), ("--seed", seed)] {
            command.args([name, &value.to_string()]);
        }
        if let Some(bytes) = limits.max_total_bytes {
            command.args(["--max-total-bytes", &bytes.as_u64().to_string()]);
        }
        if let Some(entries) = limits.max_entries {
            command.args(["--max-entries", &entries.to_string()]);
        }
        children.push(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    }
    let mut written = Written { writes: Latencies::new(), counts: BTreeMap::new() };
    let mut outcome = Ok(());
    for (number, child) in children.into_iter().enumerate() {
        // All are waited for, so that none writes on when this one has returned.
        let heard = written.hear(child).map_err(|error| format!("writer {number}: {error}"));
        outcome = outcome.and(heard);
    }
    outcome?;
    Ok(written)
}

impl Written {
    /// Waits for a writer, and adds what it printed.
    fn hear(&mut self, child: Child) -> Outcome {
        let output = child.wait_with_output()?;
        for line in String::from_utf8(output.stdout)?.lines() {
            let (what, value) = line.split_once(": ").ok_or_else(|| line.to_owned())?;
            if what == worker::WRITES {
                self.writes.merge(&value.parse()?);
            } else {
                let count: u64 = value.parse().map_err(|_| line.to_owned())?;
                *self.counts.entry(what.to_owned()).or_default() += count;
            }
        }
        if output.status.success() { Ok(()) } else { Err(output.status.to_string().into()) }
    }

    fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Returns how many in a thousand reads of `what` were hits.
    fn hits(&self, what: &str) -> u64 {
        let [hits, misses] = ["hit", "miss"].map(|end| self.count(&format!("{what} {end}")));
        hits * 1000 / (hits + misses).max(1)
    }

    fn rates(&self) -> String {
        let [hot, cold] = ["hot", "cold"].map(|what| self.hits(what));
        let percent = |rate: u64| format!("{}.{} %", rate / 10, rate % 10);
        format!(
            "{} evicted; hits of what is read all the time {}, of the rest {}",
            self.count("evicted"),
            percent(hot),
            percent(cold)
        )
    }

    fn check_times(&self) -> Outcome {
        let longest = self.writes.longest();
        if longest > LONGEST_WRITE {
            return Err(format!("a write took {longest:.1?}, and {LONGEST_WRITE:?} is the most").into());
        }
        let given_up = self.count("refused") + self.count("locked out");
        if given_up * GIVEN_UP_SHARE > self.writes.count() {
            return Err(format!("more than one write in {GIVEN_UP_SHARE} was given up").into());
        }
        Ok(())
    }

    fn check_hits(&self) -> Outcome {
        // Others know of a use within a second, in which a fast machine replaces a small cache several times.
        if self.count("evicted") > 0 && self.hits("hot") * 2 < self.hits("cold") * 3 {
            return Err("what is read all the time does not stay longer than the rest".into());
        }
        Ok(())
    }
}

/// Opens the cache as the next process would: its account must be right, and its entries whole.
async fn look_back(limits: Bounds, writers: u64, directory: &Path) -> Outcome {
    let store = limits.builder(directory).open().await?;
    let mut values = store.values();
    let (mut whole, mut hot) = (0_u64, 0);
    while let Some((key, response)) = values.try_next().await? {
        Record::of(&key, response).await?;
        whole += 1;
        hot += u64::from(is_hot(&key));
    }
    store.close().await?;
    println!(
        "{whole} entries read back whole, {hot} of {} that were read all the time; account: {}",
        limits.hot(),
        check_account(&store, directory, writers)?
    );
    match store.stats().damaged {
        0 => Ok(()),
        damaged => Err(format!("{damaged} entries were damaged").into()),
    }
}

/// Compares the account of a store that is closed with the files that are there: it never says less, and little more.
///
/// Who evicts while somebody else corrects the account takes nothing off; a later round does.
fn check_account(store: &FileStore, directory: &Path, writers: u64) -> Outcome<String> {
    let (mut bytes, mut entries) = (0, 0_u64);
    for entry in fs::read_dir(directory.join("responses"))? {
        bytes += entry?.metadata()?.len();
        entries += 1;
    }
    let stats = store.stats();
    let said = stats.entries.zip(stats.bytes).ok_or("the account was not counted")?;
    let more = said.0.checked_sub(entries).filter(|_| said.1 >= bytes);
    match more {
        Some(0) if said.1 == bytes => Ok(format!("{entries} entries of {}, as on the disk", ByteSize(bytes))),
        Some(more) if more <= writers * BATCH && said.1 - bytes <= more * LONGEST => Ok(format!(
            "{entries} entries of {}, and {more} that are gone are still to be taken off",
            ByteSize(bytes)
        )),
        _ => Err(format!(
            "{entries} entries of {bytes} bytes are there after {writers} writers, and the account says {said:?}"
        )
        .into()),
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.max_total_bytes.map(|bytes| bytes.to_string());
        let entries = self.max_entries.map(|entries| format!("{entries} entries"));
        f.write_str(&[bytes, entries].into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}

fn hot_key(number: u64) -> CacheKey {
    CacheKey::new(format!("hot-{number}")).expect("short and path-safe")
}

fn is_hot(key: &CacheKey) -> bool {
    key.as_str().starts_with("hot-")
}

/// Returns how busy the machine was in the last minute, where it says so.
fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}
