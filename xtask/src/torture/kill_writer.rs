//! The writer that is killed: says what it is about to do, does it, and says that it is done.
//!
//! Each task has keys of its own, so that at most one operation is under way for a key; a clear waits for all.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use larder::{Aliases, CacheBackend, CacheKey};
use larder_redirects::SqliteRedirects;
use tokio::sync::RwLock;

use super::block_on;
use super::kill_model::Line;
use super::random::{Random, mix};
use super::record::Record;
use crate::Outcome;
use crate::variant::{Format, Variant};

/// How many tasks write at the same time.
const TASKS: u64 = 4;
/// How many keys each of them has.
const KEYS: u64 = 8;

/// Which cache to write into.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    setup: Setup,
    #[arg(long)]
    round: u64,
}

/// A cache directory, and how it is opened.
#[derive(clap::Args)]
pub(super) struct Setup {
    /// The directory.
    #[arg(long)]
    pub(super) directory: PathBuf,
    /// The place in the list of variants.
    #[arg(long)]
    pub(super) variant: usize,
}

impl Setup {
    /// Returns the arguments that say the same.
    pub(super) fn arguments(&self) -> [std::ffi::OsString; 4] {
        [
            "--directory".into(),
            self.directory.clone().into(),
            "--variant".into(),
            self.variant.to_string().into(),
        ]
    }

    /// Opens the cache; opening the store sweeps what dead writers left.
    pub(super) async fn open(&self) -> Outcome<CacheBackend> {
        let variant = Variant::ALL.get(self.variant).ok_or("there is no such variant")?;
        let store = variant.builder(&self.directory, Format::Msgpack.codecs()).open().await?;
        let redirects = SqliteRedirects::builder(self.directory.join("redirects.sqlite")).open().await?;
        Ok(CacheBackend::new(Arc::new(store), Arc::new(redirects)))
    }
}

/// Returns every key that is written.
pub(super) fn keys() -> impl Iterator<Item = CacheKey> {
    (0..TASKS).flat_map(keys_of)
}

/// Returns the alias that leads to the entry of `key`.
pub(super) fn alias_of(key: &CacheKey) -> CacheKey {
    CacheKey::new(format!("alias-{key}")).expect("short and path-safe")
}

fn keys_of(task: u64) -> impl Iterator<Item = CacheKey> {
    (0..KEYS).map(move |key| CacheKey::new(format!("t{task}-{key}")).expect("short and path-safe"))
}

/// Writes until it is killed.
///
/// # Errors
///
/// When the cache cannot be opened, or does something wrong; the parent then reads why.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let outcome = block_on(async {
        let cache = arguments.setup.open().await?;
        say(&Line::Ready)?;
        let gate = Arc::new(RwLock::new(()));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let random = Random::new(mix(arguments.round * TASKS + task));
            let version = (arguments.round + 1) * 1_000_000 + task * 100_000;
            let writer = Writer { cache: cache.clone(), gate: Arc::clone(&gate), random, version };
            tasks.spawn(writer.work(keys_of(task).collect()));
        }
        // No task ends but by a failure, and the first one ends the process.
        match tasks.join_next().await {
            Some(ended) => ended?,
            None => Ok(()),
        }
    })?;
    if let Err(error) = &outcome {
        say(&Line::Error(error.to_string()))?;
    }
    outcome
}

/// Prints a line in one system call, so that a kill cannot leave a part of it.
fn say(line: &Line) -> Outcome {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    Ok(out.flush()?)
}

struct Writer {
    cache: CacheBackend,
    gate: Arc<RwLock<()>>,
    random: Random,
    version: u64,
}

impl Writer {
    async fn work(mut self, keys: Vec<CacheKey>) -> Outcome {
        loop {
            self.version += 1;
            let key = self.random.pick(&keys).clone();
            match self.random.below(100) {
                0..50 => self.save(&key).await?,
                50..75 => self.update(&key).await?,
                75..98 => self.delete(&key).await?,
                _ => self.clear().await?,
            }
            if self.cache.failures() > 0 {
                return Err("a failure of the cache was passed over".into());
            }
        }
    }

    async fn save(&mut self, key: &CacheKey) -> Outcome {
        let _open = self.gate.read().await;
        let record = Record::new(self.version, &mut self.random);
        let response = record.response(key, &mut self.random);
        say(&Line::Save(key.to_string(), record))?;
        self.cache.save_response(key, response, &Aliases::new(vec![alias_of(key)], None)).await?;
        say(&Line::Done(key.to_string()))
    }

    async fn update(&mut self, key: &CacheKey) -> Outcome {
        let _open = self.gate.read().await;
        let Some(stored) = self.cache.responses().read_head(key).await? else { return Ok(()) };
        let record = Record { head: self.version, ..Record::of_head(key, &stored.head)? };
        say(&Line::Update(key.to_string(), record))?;
        if !self.cache.update_head(key, &stored.revision, record.head(key)).await? {
            return Err(format!("{key}: an update of the only writer was refused").into());
        }
        say(&Line::Done(key.to_string()))
    }

    async fn delete(&mut self, key: &CacheKey) -> Outcome {
        let _open = self.gate.read().await;
        let there = self.cache.responses().contains(key).await?;
        say(&Line::Delete(key.to_string()))?;
        if self.cache.delete(key).await? != there {
            return Err(format!("{key}: the entry was there: {there}; deleting it says otherwise").into());
        }
        say(&Line::Done(key.to_string()))
    }

    async fn clear(&mut self) -> Outcome {
        let _closed = self.gate.write().await;
        say(&Line::Clear)?;
        self.cache.clear().await?;
        say(&Line::Cleared)
    }
}
