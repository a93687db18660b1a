//! One of the processes that share a cache directory: random operations on keys that all of them use.
//!
//! It checks all that it reads, counts what it does, and stops at the first thing that is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use larder::{Aliases, CacheBackend, CacheKey, FileBackend, Lookup, Timestamp};

use super::block_on;
use super::random::{Random, mix};
use super::record::Record;
use crate::Outcome;

/// How many tasks each process has.
const TASKS: u64 = 2;
/// How many keys there are.
const KEYS: u64 = 24;

/// Where, how long, and which of the processes this is.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    number: u64,
    #[arg(long)]
    seed: u64,
}

/// Works for the time, and prints how often it did what.
///
/// # Errors
///
/// When an operation failed, or gave what nobody wrote.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    block_on(async {
        let cache = FileBackend::new(&arguments.directory).open().await?;
        let end = Instant::now() + Duration::from_secs(arguments.seconds);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let number = arguments.number * TASKS + task;
            let random = Random::new(mix(arguments.seed ^ mix(number)));
            let counts = BTreeMap::new();
            let worker = Worker { cache: cache.clone(), random, version: number << 40, counts };
            tasks.spawn(worker.work(end));
        }
        while let Some(counts) = tasks.join_next().await {
            for (what, count) in counts?.inspect_err(|error| println!("{error}"))? {
                println!("{what}: {count}");
            }
        }
        cache.close().await?;
        match cache.failures() {
            0 => Ok(()),
            failures => Err(format!("{failures} failures of the cache were passed over").into()),
        }
    })
    .flatten()
}

struct Worker {
    cache: CacheBackend,
    random: Random,
    /// The number of the last write; no two workers ever have the same.
    version: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Worker {
    async fn work(mut self, end: Instant) -> Outcome<BTreeMap<&'static str, u64>> {
        while Instant::now() < end {
            let key = key(self.random.below(KEYS));
            let done = match self.random.below(1_000) {
                0..300 => self.save(&key).await,
                300..600 => self.get(&key).await,
                600..700 => self.get_through_alias(&key).await,
                700..780 => self.update_head(&key).await,
                780..850 => self.delete(&key).await,
                850..880 => self.bulk_delete().await,
                880..920 => self.contains(&key).await,
                920..950 => self.list_keys().await,
                950..970 => self.list_values().await,
                970..980 => self.list_urls().await,
                980..990 => self.delete_expired().await,
                990..995 => self.count_entries().await,
                _ => self.clear().await,
            };
            *self.counts.entry(done?).or_default() += 1;
        }
        Ok(self.counts)
    }

    async fn save(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        self.version += 1;
        let record = Record::new(self.version, &mut self.random);
        let response = record.response(key, &mut self.random);
        let streamed = response.body.as_bytes().is_none();
        self.cache.save_response(key, response, &Aliases::new(vec![alias_of(key)], None)).await?;
        Ok(if streamed { "save, streamed" } else { "save, buffered" })
    }

    async fn get(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        match self.cache.get_response(key, now()).await {
            Lookup::Hit(response) => Record::of(key, response).await?,
            Lookup::Miss => return Ok("get, miss"),
            other => return Err(format!("{key}: {other:?}").into()),
        };
        Ok("get, hit")
    }

    async fn get_through_alias(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        match self.cache.get_response(&alias_of(key), now()).await {
            Lookup::AliasHit { target, response } if target == *key => Record::of(key, response).await?,
            Lookup::Miss => return Ok("get through alias, miss"),
            other => return Err(format!("alias of {key}: {other:?}").into()),
        };
        Ok("get through alias, hit")
    }

    async fn update_head(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        let Some(stored) = self.cache.responses().read_head(key).await? else {
            return Ok("read_head, miss");
        };
        self.version += 1;
        let record = Record { head: self.version, ..Record::of_head(key, &stored.head)? };
        if stored.body_len != record.len {
            return Err(format!("{key}: {} bytes of {record:?}", stored.body_len).into());
        }
        let done = self.cache.update_head(key, &stored.revision, record.head(key)).await?;
        Ok(if done { "update_head, done" } else { "update_head, replaced meanwhile" })
    }

    async fn delete(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        Ok(if self.cache.delete(key).await? { "delete, there" } else { "delete, not there" })
    }

    async fn bulk_delete(&mut self) -> Outcome<&'static str> {
        let first = self.random.below(KEYS);
        let keys: Vec<_> = (first..first + 4).map(|number| key(number % KEYS)).collect();
        let deleted = self.cache.bulk_delete(&keys).await?;
        if deleted > 4 { Err(format!("{deleted} of 4 keys were deleted").into()) } else { Ok("bulk_delete") }
    }

    async fn contains(&mut self, key: &CacheKey) -> Outcome<&'static str> {
        Ok(if self.cache.contains(key, now()).await { "contains, yes" } else { "contains, no" })
    }

    async fn list_keys(&mut self) -> Outcome<&'static str> {
        let mut keys: Vec<_> = self.cache.keys().try_collect().await?;
        keys.retain(|key| !(0..KEYS).any(|number| *key == self::key(number)));
        if keys.is_empty() { Ok("keys") } else { Err(format!("keys that nobody wrote: {keys:?}").into()) }
    }

    async fn list_values(&mut self) -> Outcome<&'static str> {
        let mut values = self.cache.responses().values();
        while let Some((key, response)) = values.try_next().await? {
            Record::of(&key, response).await?;
        }
        Ok("values")
    }

    async fn list_urls(&mut self) -> Outcome<&'static str> {
        let urls: Vec<_> = self.cache.get_urls().try_collect().await?;
        let wrong = urls.iter().find(|url| url.host() != Some("localhost"));
        wrong.map_or(Ok("get_urls"), |url| Err(format!("a URL that nobody wrote: {url}").into()))
    }

    async fn delete_expired(&mut self) -> Outcome<&'static str> {
        match self.cache.delete_expired_responses(now()).await? {
            0 => Ok("delete_expired_responses"),
            deleted => Err(format!("{deleted} entries expired, and none has an expiry").into()),
        }
    }

    async fn count_entries(&mut self) -> Outcome<&'static str> {
        match self.cache.size().await? {
            0..=KEYS => Ok("size"),
            size => Err(format!("{size} entries of {KEYS} keys").into()),
        }
    }

    async fn clear(&mut self) -> Outcome<&'static str> {
        self.cache.clear().await?;
        Ok("clear")
    }
}

fn key(number: u64) -> CacheKey {
    CacheKey::new(format!("entry-{number}")).expect("short and path-safe")
}

fn alias_of(key: &CacheKey) -> CacheKey {
    CacheKey::new(format!("alias-{key}")).expect("short and path-safe")
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
