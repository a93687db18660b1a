//! Eviction: entries go that were not used for long, in short steps beside the traffic.
//!
//! A step holds a lock that only one process has at a time, looks at some hundred names where the last step ended,
//! and removes the least recently used of the candidates that it has gathered. It never opens an entry's file. Each
//! time it has come round, it has seen every entry, and corrects the usage.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{PoisonError, TryLockError};
use std::time::{Duration, Instant};

use larder_core::CacheKey;

use crate::cause::{Cause, Result};
use crate::directory::LOCKS;
use crate::limits::Amount;
use crate::listing::Walk;
use crate::lock::{Lock, lock_file_for};
use crate::pool::{Candidate, Pool};
use crate::store::Shared;
use crate::sys::Stat;
use crate::usage::{Baseline, Record, Usage};

/// The file in `locks/` whose lock whoever evicts holds.
const EVICT: &str = "evict";
/// How long a step takes.
const STEP: Duration = Duration::from_millis(5);
/// How many names are looked at before any of them goes; so many entries are a sample of all, or all.
const SAMPLE: usize = 1024;
/// Of those that were looked at, one in so many may go before others are looked at.
const SHARE: usize = 4;
/// How many are removed before that is written down, so that who waits for room has it.
const BATCH: usize = 16;
/// So often all entries are looked at before it is believed that none of them can go.
const ROUNDS: u32 = 3;
/// How long a file system may take to show what was given back to it: some free at their next commit, half a minute later.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);
/// Before that is believed, one in so many parts of what shall be left goes beyond what it is short of.
const MARGIN: u64 = 16;
/// Eviction goes on until there is so much room: one in so many parts of each limit.
const LOW: u64 = 16;

/// What a step is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// That this fits.
    Room(Amount),
    /// That many writers need not wait for room.
    Calm,
}

/// Whose turn it is to evict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Whoever has the lock, which is free or not.
    Free,
    /// This process's: whoever has the lock does not get on. It is only there to save work.
    Mine,
}

/// What eviction leaves alone, however old it was when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exempt {
    /// What was used since.
    Used,
    Nothing,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stepped {
    Reached,
    /// Another step goes on from here.
    More,
    /// There is nothing that could go.
    Nothing,
    /// Somebody else evicts now.
    Elsewhere,
}

/// What a process keeps from one step to the next.
#[derive(Debug, Default)]
pub(crate) struct Evictor {
    cycle: Option<Cycle>,
    pool: Pool,
    /// How many candidates may go before others are looked at.
    credit: usize,
    /// How many ways through all entries were begun since one of them went, or none had to.
    rounds: u32,
    shortage: Option<Shortage>,
}

/// Too little is left on the disk.
#[derive(Debug, Clone, Copy)]
struct Shortage {
    /// When it was first seen, or something last given back.
    since: Instant,
    /// How many bytes were left when it was first seen.
    free: u64,
    /// How many bytes of entries were given back since.
    given_back: u64,
}

/// What the disk wants of eviction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Free,
    Short,
    /// As much went as it was short of, but that does not show yet.
    Awaited,
}

/// One way through all entries.
#[derive(Debug)]
struct Cycle {
    walk: Walk,
    baseline: Baseline,
    seen: Amount,
    /// Whether all that was there could be inspected.
    is_whole: bool,
}

/// Where a step works.
struct Place<'a> {
    shared: &'a Shared,
    usage: &'a Usage,
    deadline: Instant,
}

impl Shared {
    /// Evicts for a few milliseconds, if it is this process's `turn`.
    pub(crate) fn evict_step(&self, goal: Goal, turn: Turn) -> Result<Stepped> {
        let home = self.home();
        let Some(usage) = &home.usage else { return Ok(Stepped::Nothing) };
        let mut evictor = match self.bounds.evictor.try_lock() {
            Ok(evictor) => evictor,
            Err(TryLockError::WouldBlock) => return Ok(Stepped::Elsewhere),
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
        };
        let lock = self.try_lock_file(EVICT);
        if lock.is_none() && turn == Turn::Free {
            return Ok(Stepped::Elsewhere);
        }
        self.flush_recent();
        let place = Place { shared: self, usage, deadline: Instant::now() + STEP };
        match evictor.step(&place, goal) {
            Err(_) if usage.is_gone() => {
                self.reopen_home()?;
                Ok(Stepped::More)
            }
            stepped => stepped,
        }
    }

    /// Waits up to `patience` for the lock of those who evict.
    pub(crate) fn evict_turn(&self, patience: Duration) -> Result<Lock> {
        let home = self.home();
        let relative = Path::new(LOCKS).join(EVICT);
        let path = home.root.path().join(&relative);
        lock_file_for(&self.fs, &home, &relative, patience).map_err(Cause::io("lock the evictions", &path))
    }

    /// Removes the entry of `key` if it still is what it was when it was looked at; returns the length of its file.
    ///
    /// Nothing is opened and nobody waited for.
    pub(crate) fn evict_one(
        &self,
        key: &CacheKey,
        used: u64,
        candidate: &Candidate,
        exempt: Exempt,
    ) -> Option<u64> {
        let is_exempt = exempt == Exempt::Used;
        if is_exempt && self.bounds.recent.contains(key) {
            return None;
        }
        let _lock = self.try_lock(key)?;
        let dir = self.existing_dir(key).ok()??;
        let unchanged = |stat: &Stat| {
            let is_same = stat.is_file && stat.id == candidate.id && stat.len == candidate.len;
            is_same && (stat.used == used || !is_exempt)
        };
        match self.remove_if(&dir, key, unchanged) {
            Ok(removed) => {
                self.bounds.evicted.fetch_add(u64::from(removed.is_some()), Ordering::Relaxed);
                removed
            }
            Err(cause) if self.bounds.warned.swap(true, Ordering::Relaxed) => {
                tracing::debug!(%key, %cause, "cannot evict an entry");
                None
            }
            Err(cause) => {
                tracing::warn!(%key, %cause, "cannot evict an entry; from now on that is not worth a warning");
                None
            }
        }
    }
}

impl Evictor {
    fn step(&mut self, place: &Place<'_>, goal: Goal) -> Result<Stepped> {
        let mut record = place.usage.record(&place.shared.fs)?;
        loop {
            let is_known = record.counted || !place.shared.options.limits.is_counting();
            if is_known && place.fits(record.total, goal) {
                match self.disk(place.shared) {
                    Disk::Free => {
                        self.rounds = 0;
                        return Ok(Stepped::Reached);
                    }
                    Disk::Awaited => return Ok(Stepped::Nothing),
                    Disk::Short => {}
                }
            }
            if place.is_late() {
                return Ok(Stepped::More);
            }
            if is_known && self.credit > 0 && !self.pool.is_empty() {
                record = self.evict_some(place, record, goal);
            } else if self.cycle.is_none() && self.rounds >= ROUNDS {
                // Whoever comes next looks at all of them once more.
                self.rounds = ROUNDS - 1;
                self.pool = Pool::default();
                return Ok(Stepped::Nothing);
            } else {
                record = self.sample(place, record)?;
                if self.cycle.is_none() && self.pool.is_empty() {
                    self.rounds = ROUNDS;
                }
            }
        }
    }

    /// Looks at the next names; returns the record, corrected if that was the last of all.
    fn sample(&mut self, place: &Place<'_>, record: Record) -> Result<Record> {
        let shared = place.shared;
        let mut cycle = self.cycle.take().unwrap_or_else(|| {
            self.rounds += 1;
            let (walk, baseline) = (Walk::new(shared.layout), record.baseline());
            Cycle { walk, baseline, seen: Amount::ZERO, is_whole: true }
        });
        let began_with = cycle.seen.entries;
        let mut looked = 0;
        while looked < SAMPLE && (looked % 32 != 31 || !place.is_late()) {
            let Some(advanced) = cycle.walk.advance(shared) else {
                let seen_at_once = began_with == 0;
                self.credit = if seen_at_once { self.pool.len() } else { self.credit + looked / SHARE };
                if record.counted && !cycle.is_whole {
                    // What could not be inspected is in the account, for all that is known.
                    return Ok(record);
                }
                return place.usage.correct(&shared.fs, cycle.seen, &cycle.baseline);
            };
            advanced?;
            looked += 1;
            if let Some((dir, name)) = cycle.walk.at() {
                let seen = self.pool.look(shared, dir, name);
                cycle.is_whole &= seen.is_some();
                cycle.seen += seen.unwrap_or_default();
            }
        }
        self.credit += (looked / SHARE).max(1);
        self.cycle = Some(cycle);
        Ok(record)
    }

    fn disk(&mut self, shared: &Shared) -> Disk {
        let Some(wanted) = shared.options.limits.min_free_bytes else { return Disk::Free };
        let free = shared.free_bytes();
        if free >= wanted {
            self.shortage = None;
            return Disk::Free;
        }
        let now = Instant::now();
        let known = self.shortage.filter(|known| now.saturating_duration_since(known.since) < SHOWN_WITHIN);
        let Some(Shortage { free: at_first, given_back, .. }) = known else {
            self.shortage = Some(Shortage { since: now, free, given_back: 0 });
            return Disk::Short;
        };
        if given_back < (wanted - at_first.min(wanted)).saturating_add(wanted / MARGIN) {
            return Disk::Short;
        }
        // What shows, others have used up meanwhile.
        if free >= at_first.saturating_add(given_back / 2) {
            self.shortage = Some(Shortage { since: now, free, given_back: 0 });
            return Disk::Short;
        }
        Disk::Awaited
    }

    /// Removes some of the candidates, the oldest first; returns the record without them.
    fn evict_some(&mut self, place: &Place<'_>, mut record: Record, goal: Goal) -> Record {
        let since = record.generation();
        // Where all is used all the time, the last round takes what it finds.
        let exempt = if self.rounds < ROUNDS { Exempt::Used } else { Exempt::Nothing };
        let mut removed = Amount::ZERO;
        for _ in 0..BATCH {
            let fits = place.fits(record.total.less(removed), goal) && self.disk(place.shared) != Disk::Short;
            if fits || self.credit == 0 || place.is_late() {
                break;
            }
            let Some((key, used, candidate)) = self.pool.take_oldest() else { break };
            self.credit -= 1;
            if let Some(len) = place.shared.evict_one(&key, used, &candidate, exempt) {
                removed += Amount::entry(len);
                if let Some(shortage) = &mut self.shortage {
                    shortage.given_back += len;
                    shortage.since = Instant::now();
                }
            }
        }
        if removed != Amount::ZERO {
            self.rounds = 0;
        }
        place.usage.removed(&place.shared.fs, removed, since).unwrap_or_else(|| {
            record.total = record.total.less(removed);
            record
        })
    }
}

impl Place<'_> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn fits(&self, total: Amount, goal: Goal) -> bool {
        let limits = &self.shared.options.limits;
        match goal {
            Goal::Room(growth) => limits.admit(total, growth),
            Goal::Calm => limits.hold(total) && !limits.is_above(total, LOW),
        }
    }
}

#[cfg(all(test, feature = "fault-injection"))]
mod tests {
    use std::io::ErrorKind;

    use larder_core::ResponseStore;

    use super::*;
    use crate::{Fault, FaultPlan, FileStore, Op};

    #[tokio::test]
    async fn evicting_what_cannot_be_removed_ends() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = dir.path().join("cache");
        let builder = || FileStore::builder(&cache, larder_codec::default_codecs());
        builder().open().await.expect("opened").close().await.expect("closed");
        for number in 0..2000 {
            std::fs::write(cache.join(format!("responses/k{number}")), "x").expect("written");
        }
        let plan = FaultPlan::new(|call| {
            let refused =
                call.op == Op::Unlink && call.path.parent().is_some_and(|dir| dir.ends_with("responses"));
            refused.then_some(Fault::Error(ErrorKind::PermissionDenied))
        });
        let store = builder().faults(plan).max_entries(1000).open().await.expect("opened");
        let ended = (0..2000).any(|_| {
            let stepped = store.shared.evict_step(Goal::Calm, Turn::Free).expect("no step fails");
            assert_ne!(stepped, Stepped::Reached);
            stepped == Stepped::Nothing
        });
        assert!(ended, "it goes on for ever");
        store.close().await.expect("closed");
    }
}
