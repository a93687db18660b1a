//! One of the processes that write: it times each write, and reads what is hot and what is not.
//!
//! A write that finds no room, or cannot have the account in time, is counted; every other failure ends the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use larder::file::FileStore;
use larder_core::{CacheKey, ErrorKind, ResponseStore};

use super::super::block_on;
use super::super::latency::Latencies;
use super::super::random::{Random, mix};
use super::super::record::Record;
use super::{Bounds, hot_key};
use crate::Outcome;

/// How the line begins that says how long the writes took.
pub(super) const WRITES: &str = "writes";
/// How many hot entries are read for each that is written.
const HOT_READS: u64 = 3;

/// Which of the writers this is.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    number: u64,
    #[arg(long)]
    entries: u64,
    #[arg(long)]
    seed: u64,
    #[command(flatten)]
    limits: Bounds,
}

struct Writer {
    store: FileStore,
    random: Random,
    number: u64,
    writes: Latencies,
    counts: BTreeMap<String, u64>,
}

/// Writes and reads, and prints how long it took and how often it hit.
///
/// # Errors
///
/// When an operation fails, or gives what nobody wrote.
pub(crate) fn work(arguments: &Arguments) -> Outcome {
    let outcome = block_on(async {
        let mut writer = Writer {
            store: arguments.limits.builder(&arguments.directory).open().await?,
            random: Random::new(mix(arguments.seed ^ mix(arguments.number))),
            number: arguments.number,
            writes: Latencies::new(),
            counts: BTreeMap::new(),
        };
        for number in 0..arguments.entries {
            writer.write(number).await?;
            for _ in 0..HOT_READS {
                let hot = writer.random.below(arguments.limits.hot().max(1));
                writer.read(&hot_key(hot), "hot").await?;
            }
            let old = writer.random.below(number + 1);
            writer.read(&writer.key(old), "cold").await?;
        }
        writer.store.close().await?;
        *writer.counts.entry("evicted".to_owned()).or_default() += writer.store.stats().evicted;
        println!("{WRITES}: {}", writer.writes);
        for (what, count) in &writer.counts {
            println!("{what}: {count}");
        }
        Ok(())
    })
    .flatten();
    outcome.inspect_err(|error| println!("{error}"))
}

impl Writer {
    fn key(&self, number: u64) -> CacheKey {
        CacheKey::new(format!("{}-{number}", self.number)).expect("short and path-safe")
    }

    async fn write(&mut self, number: u64) -> Outcome {
        let key = self.key(number);
        let len = match self.random.below(100) {
            0 => 60_000 + self.random.below(200_000),
            _ => 1_000 + self.random.below(60_000),
        };
        let version = (self.number << 32) + number;
        let response = Record { version, len, head: version }.response(&key, &mut self.random);
        let start = Instant::now();
        let written = self.store.write(&key, response).await;
        self.writes.add(start.elapsed());
        match written {
            Ok(()) => self.count("stored"),
            Err(error) if error.kind() == ErrorKind::StorageFull => self.count("refused"),
            Err(error) if error.kind() == ErrorKind::Unavailable => self.count("locked out"),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn read(&mut self, key: &CacheKey, what: &str) -> Outcome {
        let is_there = match self.store.read(key).await? {
            Some(response) => {
                Record::of(key, response).await?;
                true
            }
            None => false,
        };
        self.count(&format!("{what} {}", if is_there { "hit" } else { "miss" }));
        Ok(())
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }
}
