//! The same operations with a thousand entries and with a million.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use larder::FileBackend;
use larder_core::{BoxError, CacheBackend, CacheKey, CachedResponse, Timestamp};
use tempfile::TempDir;

use super::limits;
use super::lookup::{Absent, looking_up, opening};
use crate::driver::beside;
use crate::driver::child::{self, Child};
use crate::driver::measure::{Lane, Measured, Plan};
use crate::driver::row::{Goal, LIMIT, Row, Unit};
use crate::driver::stage::{Stage, each, keys, reading};
use crate::driver::written::writing_new;
use crate::larder::{FILE_TERMS, Larder};
use crate::{Contender, Limit, body, head, key};

const COUNTS: [usize; 3] = [1_000, 100_000, 1_000_000];
pub(super) const BYTES: usize = 1 << 10;
/// The number of entries that the goals are about.
const GOAL_AT: usize = 1_000_000;
/// Where the numbers begin of entries that are written while others are there.
const BESIDE: usize = 1 << 33;
const MOST_WRITTEN: usize = 4_096;

/// Measures the group.
///
/// # Errors
///
/// When a cache cannot be made, or an operation of it fails.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    let most = stage.arguments.entries.unwrap_or(if stage.arguments.quick { 1_000 } else { GOAL_AT });
    for entries in COUNTS.into_iter().filter(|count| *count <= most) {
        let cache = Cache::open(stage, entries)?;
        cache.operations(stage);
        cache.opening(stage)?;
        cache.listings(stage);
        cache.memory(stage)?;
        cache.expiry(stage)?;
        // Last, because all stores on a directory account for what they write once one of them has a limit.
        limits::run(stage, &cache)?;
        cache.end(stage)?;
    }
    Ok(())
}

/// A cache of so many entries, and as many bare files.
pub(super) struct Cache {
    pub(super) entries: usize,
    pub(super) backend: CacheBackend,
    larder: Arc<dyn Contender>,
    bare: Arc<Limit>,
    pub(super) limit: Arc<dyn Contender>,
    directory: TempDir,
}

impl Cache {
    fn open(stage: &Stage, entries: usize) -> Result<Self, BoxError> {
        let directory = stage.own()?;
        let path = directory.path().join("cache");
        let backend = stage.runtime.block_on(FileBackend::new(path).open())?;
        let store = Arc::clone(backend.responses());
        let larder: Arc<dyn Contender> = Arc::new(Larder::new("larder", FILE_TERMS, store));
        let bare = Arc::new(Limit::within(directory.path())?);
        let limit: Arc<dyn Contender> = Arc::clone(&bare) as Arc<dyn Contender>;
        eprintln!("scale: writing {entries} entries");
        let (_, failed) = stage.fill(&[Arc::clone(&limit), Arc::clone(&larder)], BYTES, entries);
        match failed.into_iter().find_map(|lane| lane.failure) {
            Some(failure) => Err(failure.into()),
            None => Ok(Self { entries, backend, larder, bare, limit, directory }),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    pub(super) fn row(&self, what: &str, lanes: Vec<Measured>) -> Row {
        Row::new("scale", what, format!("{} entries", self.entries), lanes).at(self.entries)
    }

    /// Returns `goals`, if this is the number of entries that they are about.
    pub(super) fn goals<const N: usize>(&self, goals: [Goal; N]) -> Vec<Goal> {
        if self.entries == GOAL_AT { goals.to_vec() } else { Vec::new() }
    }

    fn operations(&self, stage: &mut Stage) {
        let keys = keys(self.entries);
        let both = [&self.limit, &self.larder];
        for (tasks, what) in [(1, "hit, 1 KiB, 1 task"), (64, "hit, 1 KiB, 64 tasks")] {
            let lanes = both.map(|contender| reading(contender, tasks, &keys, BYTES));
            let lanes = stage.measure(&stage.plan(), what, &lanes);
            stage.rows.push(self.row(what, lanes));
        }
        let what = "miss, a new key each time, 1 task";
        let lanes =
            vec![opening(&self.bare, 1, Absent::new(true)), looking_up(&self.backend, 1, Absent::new(true))];
        let lanes = stage.measure(&stage.plan().most_operations(4_096), what, &lanes);
        stage.rows.push(self.row(what, lanes));

        let what = "write new, 1 KiB, 64 tasks";
        let written: Arc<[CacheKey]> = (BESIDE * 2..BESIDE * 2 + MOST_WRITTEN).map(key).collect();
        let lanes = both.map(|contender| writing_new(contender, 64, &written, BYTES));
        let plan = stage.plan().most_operations(MOST_WRITTEN);
        let lanes = stage.measure(&plan, what, &lanes);
        stage.rows.push(self.row(what, lanes));
    }

    fn listings(&self, stage: &mut Stage) {
        let rounds = Plan::single(if self.entries < GOAL_AT { 11 } else { 5 });
        let path = self.path();
        let again = Lane::counted("larder", move |_| {
            let path = path.clone();
            async move {
                let start = Instant::now();
                let backend = FileBackend::new(path).open().await?;
                let elapsed = start.elapsed();
                backend.close().await?;
                Ok(elapsed)
            }
        });
        let what = "open, in a process that has it open";
        let lanes = stage.measure(&rounds, what, &[again]);
        stage.rows.push(self.row(what, lanes));

        let list = |bare: &Arc<Limit>, expected| {
            let bare = Arc::clone(bare);
            Lane::counted(LIMIT, move |_| {
                let bare = Arc::clone(&bare);
                async move {
                    let start = Instant::now();
                    let count = bare.list()?;
                    let elapsed = start.elapsed();
                    if count == expected { Ok(elapsed) } else { Err(format!("{count} files").into()) }
                }
            })
        };
        let (backend, expected) = (self.backend.clone(), self.entries);
        let keys = Lane::counted("larder", move |_| {
            let backend = backend.clone();
            async move {
                let start = Instant::now();
                let count = backend.keys().try_fold(0_usize, async |count, _| Ok(count + 1)).await?;
                let elapsed = start.elapsed();
                if count == expected { Ok(elapsed) } else { Err(format!("{count} keys").into()) }
            }
        });
        let lanes = stage.measure(&rounds, "keys", &[list(&self.bare, expected), keys]);
        let goals = self.goals([Goal::Times { of: LIMIT, most: 1.5 }]);
        stage.rows.push(self.row("keys", lanes).goals(goals));

        let backend = self.backend.clone();
        let size = Lane::counted("larder", move |_| {
            let backend = backend.clone();
            async move {
                let start = Instant::now();
                let count = backend.size().await?;
                let elapsed = start.elapsed();
                if count == expected as u64 { Ok(elapsed) } else { Err(format!("{count} entries").into()) }
            }
        });
        let lanes = stage.measure(&rounds, "size", &[list(&self.bare, expected), size]);
        stage.rows.push(self.row("size", lanes));
    }

    /// Opens the cache in processes that have nothing else to do.
    fn opening(&self, stage: &mut Stage) -> Result<(), BoxError> {
        eprintln!("open");
        let opened = |_| child::run(Child::Open, &self.path(), self.entries as u64);
        let opened = (0..5).map(opened).collect::<Result<Vec<_>, _>>()?;
        let rounds = opened.into_iter().map(|report| report.nanoseconds).collect();
        let lanes = vec![Measured::of("larder", rounds)];
        stage.rows.push(self.row("open", lanes).goals(self.goals([Goal::Most(20e6)])));
        Ok(())
    }

    fn memory(&self, stage: &mut Stage) -> Result<(), BoxError> {
        eprintln!("resident memory, idle");
        let report = child::run(Child::Idle, &self.path(), self.entries as u64)?;
        let lanes = vec![Measured::of("larder", vec![report.bytes])];
        let goals = self.goals([Goal::Most(64.0 * 1024.0 * 1024.0)]);
        stage.rows.push(self.row("resident memory, idle", lanes).unit(Unit::Bytes).goals(goals));
        Ok(())
    }

    fn expiry(&self, stage: &mut Stage) -> Result<(), BoxError> {
        let expired = self.entries / 100;
        let (backend, larder) = (self.backend.clone(), self.backend.clone());
        let purge = Lane::counted("larder", move |_| {
            let backend = backend.clone();
            async move { purge_expired(&backend, expired).await }
        })
        .prepare(move |_| expire(larder.clone(), expired));
        let bare = Arc::clone(&self.bare);
        let look = Lane::counted(LIMIT, move |_| {
            let bare = Arc::clone(&bare);
            async move {
                let start = Instant::now();
                bare.list_with_times()?;
                Ok(start.elapsed())
            }
        });
        let lanes = stage.measure(&Plan::single(3), "delete_expired, 1 %", &[look, purge]);
        stage.rows.push(self.row("delete_expired, 1 %", lanes).goals(self.goals([Goal::Most(4e9)])));

        eprintln!("delete_expired, peak memory");
        stage.runtime.block_on(expire(self.backend.clone(), expired))?;
        let report = child::run(Child::Purge, &self.path(), expired as u64)?;
        let lanes = vec![Measured::of("larder", vec![report.bytes])];
        let goals = self.goals([Goal::Most(64.0 * 1024.0 * 1024.0)]);
        let row = self.row("delete_expired, peak memory", lanes).unit(Unit::Bytes);
        stage.rows.push(row.goals(goals));

        eprintln!("reads beside delete_expired");
        let lanes = stage.runtime.block_on(async {
            expire(self.backend.clone(), expired).await?;
            let purge = purge_expired(&self.backend, expired);
            beside::reads(&self.larder, self.entries, 0.0, purge).await
        })?;
        self.beside(stage, "delete_expired", lanes);
        Ok(())
    }

    /// Adds the rows of reads beside `work`.
    pub(super) fn beside(&self, stage: &mut Stage, work: &str, lanes: [(&str, Vec<Measured>); 2]) {
        for (what, lanes) in lanes {
            let goals = match what {
                "p99" => self.goals([Goal::Times { of: beside::BEFORE, most: 3.0 }]),
                _ => Vec::new(),
            };
            let what = format!("read beside {work}, {what}");
            stage.rows.push(self.row(&what, lanes).subject(beside::DURING).goals(goals));
        }
    }

    fn end(self, stage: &mut Stage) -> Result<(), BoxError> {
        let backend = self.backend.clone();
        let clear = Lane::counted("larder", move |_| {
            let backend = backend.clone();
            async move {
                let start = Instant::now();
                backend.clear().await?;
                let elapsed = start.elapsed();
                match backend.size().await? {
                    0 => Ok(elapsed),
                    left => Err(format!("{left} entries are left").into()),
                }
            }
        });
        let lanes = stage.measure(&Plan::single(1), "clear", &[clear]);
        stage.rows.push(self.row("clear", lanes).goals(self.goals([Goal::Most(20e6)])));
        eprintln!("scale: removing {} entries", self.entries);
        stage.runtime.block_on(self.backend.close())?;
        remove(self.directory.path())
    }
}

/// Writes entries that have expired beside the others.
async fn expire(backend: CacheBackend, expired: usize) -> Result<(), BoxError> {
    each(expired, move |number| {
        let backend = backend.clone();
        async move {
            let mut head = head();
            head.expires_at = Some(Timestamp::from_millis(1));
            let response = CachedResponse::new(head, body(number, BYTES));
            Ok(backend.responses().write(&key(BESIDE + number), response).await?)
        }
    })
    .await
}

/// Deletes what has expired, and returns how long that took.
async fn purge_expired(backend: &CacheBackend, expired: usize) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let deleted = backend.delete_expired_responses(Timestamp::from(SystemTime::now())).await?;
    let elapsed = start.elapsed();
    if deleted == expired as u64 { Ok(elapsed) } else { Err(format!("{deleted} entries had expired").into()) }
}

/// Removes a directory; what is removed by the cache itself meanwhile is no error.
fn remove(directory: &Path) -> Result<(), BoxError> {
    for _ in 0..10 {
        match std::fs::remove_dir_all(directory) {
            Err(error) if error.kind() != ErrorKind::NotFound && directory.exists() => {}
            _ => return Ok(()),
        }
    }
    Err(format!("{} cannot be removed", directory.display()).into())
}
