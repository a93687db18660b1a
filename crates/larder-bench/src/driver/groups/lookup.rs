//! Looking up without a body: `contains`, what is not there, and what is there by another name.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use larder::FileBackend;
use larder_core::{Aliases, BoxError, CacheBackend, CacheKey, Lookup, Timestamp};

use super::tasks_shown;
#[cfg(feature = "peers")]
use crate::PythonOperation;
use crate::driver::measure::{Lane, Turns};
use crate::driver::row::{Goal, LARDER, LIMIT, Row};
use crate::driver::stage::{Stage, TASKS, keys, reading, scattered};
use crate::larder::FILE_TERMS;
use crate::{Contender, Limit, body, key, number_of, response};

/// How many entries there are.
const ENTRIES: usize = 1_000;
const BYTES: usize = 10 << 10;
/// Where the numbers begin of which there is nothing.
const ABSENT: usize = 1 << 32;
/// More aliases than an index copies to memory by default.
const MANY: usize = 100_000;
/// The table of misses whose keys are never the same.
const FRESH: &str = "miss, a new key each time";
/// The lane of a hit without a redirect.
const DIRECT: &str = "larder, direct hit";

/// Measures the group.
///
/// # Errors
///
/// When the contenders cannot be opened.
pub(crate) fn run(stage: &mut Stage) -> Result<(), BoxError> {
    contains(stage)?;
    miss(stage)?;
    redirect(stage)
}

fn contains(stage: &mut Stage) -> Result<(), BoxError> {
    let contenders = stage.contenders()?;
    let (filled, failed) = stage.fill(&contenders.all, BYTES, ENTRIES);
    let keys = keys(ENTRIES);
    for tasks in TASKS {
        let lanes = filled.iter().map(|contender| {
            let (shared, keys) = (Arc::clone(contender), Arc::clone(&keys));
            let worker = move |mut turns: Turns| {
                let (contender, keys) = (Arc::clone(&shared), Arc::clone(&keys));
                async move {
                    for number in &mut turns {
                        if !contender.contains(&keys[scattered(number) % keys.len()]).await? {
                            return Err("an entry was lost".into());
                        }
                    }
                    Ok(turns)
                }
            };
            Lane::new(contender.name(), tasks, worker).terms(contender.terms())
        });
        #[cfg(feature = "peers")]
        let lanes = lanes.chain(
            stage.python(tasks, move |python, count| python.measure(PythonOperation::Contains, BYTES, count)),
        );
        let mut lanes = stage.measure(&stage.plan(), "contains", &lanes.collect::<Vec<_>>());
        lanes.extend(failed.iter().cloned());
        let goals = [Goal::Times { of: LIMIT, most: 1.5 }];
        stage.rows.push(Row::new("lookup", "contains", tasks_shown(tasks), lanes).at(tasks).goals(goals));
    }
    Ok(())
}

/// A miss asks larder's store and its redirects; the others have no redirects to ask.
fn miss(stage: &mut Stage) -> Result<(), BoxError> {
    let contenders = stage.contenders()?;
    let (peers, failed) = stage.fill(&contenders.all, BYTES, ENTRIES);
    let directory = stage.own()?;
    let backend = stage.runtime.block_on(filled(directory.path(), 1))?;
    let plan = stage.plan().most_operations(4_096);
    let limit = Arc::new(Limit::within(stage.directory())?);
    stage.fill(&[Arc::clone(&limit) as Arc<dyn Contender>], BYTES, ENTRIES);
    for tasks in TASKS {
        for (name, is_fresh) in [("miss, the same keys again", false), (FRESH, true)] {
            let numbers = || Absent::new(is_fresh);
            let mut lanes = vec![opening(&limit, tasks, numbers()), looking_up(&backend, tasks, numbers())];
            let peers = peers.iter().filter(|contender| ![LIMIT, LARDER].contains(&contender.name()));
            lanes.extend(peers.map(|peer| missing(peer, tasks, numbers())));
            let mut lanes = stage.measure(&plan, name, &lanes);
            lanes.extend(failed.iter().cloned());
            let goals = if tasks == 1 { vec![Goal::Most(10_000.0)] } else { Vec::new() };
            stage.rows.push(Row::new("lookup", name, tasks_shown(tasks), lanes).at(tasks).goals(goals));
        }
    }
    // The index answers from memory if it can; whether it has nothing to say, or more than it keeps there.
    for (aliases, column) in [(0, "1 task, no alias"), (MANY / ENTRIES, "1 task, 100,000 aliases")] {
        let directory = stage.own()?;
        let backend = stage.runtime.block_on(filled(directory.path(), aliases))?;
        let lanes = [opening(&limit, 1, Absent::new(true)), looking_up(&backend, 1, Absent::new(true))];
        let lanes = stage.measure(&plan, &format!("{FRESH}, {column}"), &lanes);
        let goals = if aliases == 0 { vec![Goal::Most(10_000.0)] } else { Vec::new() };
        stage.rows.push(Row::new("lookup", FRESH, column, lanes).at(1).goals(goals));
    }
    Ok(())
}

/// The keys of a lane of which there is nothing.
pub(super) struct Absent {
    is_fresh: bool,
    next: AtomicUsize,
}

impl Absent {
    pub(super) fn new(is_fresh: bool) -> Arc<Self> {
        Arc::new(Self { is_fresh, next: AtomicUsize::new(ABSENT) })
    }

    /// Returns as many keys as a task has turns. They are made before its first.
    fn keys(&self, turns: &Turns) -> Vec<CacheKey> {
        let count = turns.len();
        let first = if self.is_fresh { self.next.fetch_add(count, Ordering::Relaxed) } else { ABSENT };
        (first..first + count).map(key).collect()
    }
}

pub(super) fn opening(limit: &Arc<Limit>, tasks: usize, absent: Arc<Absent>) -> Lane {
    let limit = Arc::clone(limit);
    let worker = move |mut turns: Turns| {
        let (limit, keys) = (Arc::clone(&limit), absent.keys(&turns));
        async move {
            for (_, key) in (&mut turns).zip(&keys) {
                limit.open_absent(key.as_str())?;
            }
            Ok(turns)
        }
    };
    Lane::new(LIMIT, tasks, worker)
}

pub(super) fn looking_up(backend: &CacheBackend, tasks: usize, absent: Arc<Absent>) -> Lane {
    let backend = backend.clone();
    let worker = move |mut turns: Turns| {
        let (backend, keys) = (backend.clone(), absent.keys(&turns));
        async move {
            for (_, key) in (&mut turns).zip(&keys) {
                match backend.get_response(key, Timestamp::UNIX_EPOCH).await {
                    Lookup::Miss => {}
                    other => return Err(format!("{other:?} is no miss").into()),
                }
            }
            Ok(turns)
        }
    };
    Lane::new("larder", tasks, worker).terms(FILE_TERMS)
}

fn missing(peer: &Arc<dyn Contender>, tasks: usize, absent: Arc<Absent>) -> Lane {
    let shared = Arc::clone(peer);
    let worker = move |mut turns: Turns| {
        let (peer, keys) = (Arc::clone(&shared), absent.keys(&turns));
        async move {
            for (_, key) in (&mut turns).zip(&keys) {
                if peer.read(key).await?.is_some() {
                    return Err("there is something that nobody wrote".into());
                }
            }
            Ok(turns)
        }
    };
    Lane::new(peer.name(), tasks, worker).terms(peer.terms())
}

fn redirect(stage: &mut Stage) -> Result<(), BoxError> {
    let directory = stage.own()?;
    let backend = stage.runtime.block_on(filled(directory.path(), 1))?;
    let limit: Arc<dyn Contender> = Arc::new(Limit::within(stage.directory())?);
    let (limits, _) = stage.fill(&[limit], BYTES, ENTRIES);
    let direct = keys(ENTRIES);
    let aliases: Arc<[CacheKey]> = (0..ENTRIES).map(|number| alias(number, 0)).collect();
    for tasks in TASKS {
        let lanes = limits.iter().map(|limit| reading(limit, tasks, &direct, BYTES)).chain(
            [(DIRECT, &direct), ("larder", &aliases)].map(|(name, keys)| {
                let (backend, keys) = (backend.clone(), Arc::clone(keys));
                let worker = move |mut turns: Turns| {
                    let (backend, keys) = (backend.clone(), Arc::clone(&keys));
                    async move {
                        for number in &mut turns {
                            let at = scattered(number) % keys.len();
                            let found = backend.get_response(&keys[at], Timestamp::UNIX_EPOCH).await;
                            let found = found.into_response().ok_or("an entry was lost")?;
                            if number_of(&found.body.bytes().await?) != Some(at) {
                                return Err("another body was read".into());
                            }
                        }
                        Ok(turns)
                    }
                };
                Lane::new(name, tasks, worker).terms(FILE_TERMS)
            }),
        );
        let lanes = stage.measure(&stage.plan(), "redirect hit", &lanes.collect::<Vec<_>>());
        let goals = [Goal::Times { of: DIRECT, most: 2.5 }];
        stage.rows.push(
            Row::new("lookup", "redirect hit, 10 KiB", tasks_shown(tasks), lanes).at(tasks).goals(goals),
        );
    }
    Ok(())
}

/// Returns the key of an alias of an entry.
fn alias(number: usize, of_entry: usize) -> CacheKey {
    key(ABSENT - 1 - (of_entry * ENTRIES + number))
}

/// Returns a cache of entries with so many aliases each, every byte of which was read by its name and an alias.
///
/// An index makes its copy at the second lookup, so that it is there when all of that is done.
async fn filled(directory: &Path, aliases: usize) -> Result<CacheBackend, BoxError> {
    let backend = FileBackend::new(directory.join("cache")).open().await?;
    for number in 0..ENTRIES {
        let aliases = (0..aliases).map(|of_entry| alias(number, of_entry)).collect();
        let aliases = Aliases::new(aliases, None);
        backend.save_response(&key(number), response(number, BYTES), &aliases).await?;
    }
    for number in 0..ENTRIES {
        for key in std::iter::once(key(number)).chain((0..aliases.min(1)).map(|at| alias(number, at))) {
            let found = backend.get_response(&key, Timestamp::UNIX_EPOCH).await.into_response();
            let bytes = found.ok_or("an entry was lost")?.body.bytes().await?;
            if bytes != body(number, BYTES) {
                return Err("an entry has other bytes".into());
            }
        }
    }
    Ok(backend)
}
