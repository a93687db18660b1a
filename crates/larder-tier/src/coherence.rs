//! Which of what was read may be put into memory, and from when on what is there can be trusted.
//!
//! A change takes its keys out of memory when it begins, and nothing is put there for them before it has ended. What a
//! read returned is admitted only if no change of its key ended since the read began. So a read that overlaps a change
//! leaves nothing behind, and what is in memory is what a read saw after the last change. Taking out and putting in
//! happen under the locks here, which are never held across an `.await`.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use larder_core::{CacheKey, Timestamp};
use tokio::time::Instant;

/// Keys of one stripe share a count of changes, so that a change of one may keep another out of memory once.
const STRIPES: usize = 256;

/// For how long a change whose future was dropped may still take effect, as far as anything is promised.
///
/// A store may have handed it to a thread, which goes on. Checking for longer than that thread works costs little.
const DOUBT: Duration = Duration::from_mins(1);

/// How many keys of a stripe may each be in doubt. With more, the doubt about the first is one about the whole stripe.
const DOUBTFUL: usize = 16;

/// What changes at the same time as it is read.
#[derive(Debug)]
pub(crate) struct Coherence {
    begun: Instant,
    hasher: RandomState,
    stripes: Box<[Stripe]>,
    sweeps: RwLock<Sweeps>,
    /// A check of any key that began before does not count.
    trusted_from: AtomicU64,
}

#[derive(Debug, Default)]
struct Stripe {
    changes: Mutex<Changes>,
    /// A check that began from then on counts, whichever key it was of.
    undoubted_from: AtomicU64,
}

/// The changes of single keys.
#[derive(Debug, Default)]
struct Changes {
    ended: u64,
    /// The keys that are being changed, as often as they are; few at any time.
    running: Vec<CacheKey>,
    /// The keys of changes that were dropped, the first of them first; a check of one that began before does not count.
    doubtful: VecDeque<(CacheKey, u64)>,
    /// As of a doubtful key, for all of the stripe.
    trusted_from: u64,
}

/// The changes of many keys.
#[derive(Debug, Default)]
struct Sweeps {
    ended: u64,
    /// How many are running that change any key.
    of_all: u64,
    /// The moments that those go by which are running and delete what has expired.
    of_expired: Vec<Timestamp>,
    closed: bool,
}

/// What a sweep may change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// Any entry.
    All,
    /// The entries that a purge at this moment may delete.
    Expired(Timestamp),
}

/// What a read remembers of the moment it began.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) at: u64,
    pub(crate) stripe: usize,
    changes: u64,
    sweeps: u64,
}

/// A change of keys that is running; call [`Change::end`] when the store has done it.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    coherence: &'a Coherence,
    keys: &'a [CacheKey],
    has_ended: bool,
}

/// A change of many keys that is running; call [`Sweep::end`] when the store has done it.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    coherence: &'a Coherence,
    scope: Scope,
    has_ended: bool,
}

impl Coherence {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Stripe::default()).collect(),
            sweeps: RwLock::default(),
            trusted_from: AtomicU64::new(0),
        }
    }

    /// Returns the time, in nanoseconds since the tier was made.
    pub(crate) fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    /// Returns whether a check of `key`, which is of `stripe`, counts if it began at `checked_at`.
    pub(crate) fn trusts(&self, key: &CacheKey, stripe: usize, checked_at: u64) -> bool {
        let stripe = &self.stripes[stripe];
        checked_at >= self.trusted_from.load(Ordering::Acquire)
            && (checked_at >= stripe.undoubted_from.load(Ordering::Acquire)
                || stripe.changes().trust(key, checked_at))
    }

    /// Begins a read of `key`.
    pub(crate) fn ticket(&self, key: &CacheKey) -> Ticket {
        let at = self.now();
        let stripe = self.stripe(key);
        let sweeps = self.sweeps().ended;
        Ticket { at, stripe, changes: self.stripes[stripe].changes().ended, sweeps }
    }

    /// Calls `put` if what the read of `key` returned, to be purged at `purge_at`, is still what the store has.
    pub(crate) fn admit(
        &self,
        key: &CacheKey,
        ticket: &Ticket,
        purge_at: Option<Timestamp>,
        put: impl FnOnce(),
    ) {
        let sweeps = self.sweeps();
        let changes = self.stripes[ticket.stripe].changes();
        if sweeps.ended == ticket.sweeps
            && !sweeps.change(purge_at)
            && changes.ended == ticket.changes
            && !changes.running.contains(key)
        {
            put();
        }
    }

    /// Begins a change of `keys`; `take` is called for each, to take it out of memory.
    pub(crate) fn change<'a>(&'a self, keys: &'a [CacheKey], take: impl Fn(&CacheKey)) -> Change<'a> {
        for key in keys {
            let mut changes = self.stripes[self.stripe(key)].changes();
            changes.running.push(key.clone());
            take(key);
        }
        Change { coherence: self, keys, has_ended: false }
    }

    /// Begins a change of many keys; `take` is called to take them out of memory.
    pub(crate) fn sweep(&self, scope: Scope, take: impl FnOnce()) -> Sweep<'_> {
        self.sweeps_mut().begin(scope);
        take();
        Sweep { coherence: self, scope, has_ended: false }
    }

    /// Puts nothing into memory from now on, and calls `take` to take everything out of it.
    pub(crate) fn close(&self, take: impl FnOnce()) {
        self.sweeps_mut().closed = true;
        take();
    }

    /// Until when a check does not count that begins now, because a change may take effect after it.
    fn doubtful_until(&self) -> u64 {
        self.now().saturating_add(nanos(DOUBT))
    }

    fn stripe(&self, key: &CacheKey) -> usize {
        // The remainder is less than the number of stripes, whatever is cut off here.
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash do")]
        let hash = self.hasher.hash_one(key) as usize;
        hash % STRIPES
    }

    fn sweeps(&self) -> RwLockReadGuard<'_, Sweeps> {
        self.sweeps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn sweeps_mut(&self) -> RwLockWriteGuard<'_, Sweeps> {
        self.sweeps.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stripe {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    fn trust(&self, key: &CacheKey, checked_at: u64) -> bool {
        let is_doubtful = |(other, until): &(CacheKey, u64)| checked_at < *until && other == key;
        checked_at >= self.trusted_from && !self.doubtful.iter().any(is_doubtful)
    }

    /// Doubts checks of `key` that begin before `until`. No doubt is forgotten, because what it is about may be in memory
    /// for ever; where the minute of the first one is over, each entry of the stripe is checked once.
    fn doubt(&mut self, key: &CacheKey, until: u64) {
        self.doubtful.retain(|(other, _)| other != key);
        if self.doubtful.len() == DOUBTFUL
            && let Some((_, until)) = self.doubtful.pop_front()
        {
            self.trusted_from = self.trusted_from.max(until);
        }
        self.doubtful.push_back((key.clone(), until));
    }
}

impl Sweeps {
    fn begin(&mut self, scope: Scope) {
        match scope {
            Scope::All => self.of_all += 1,
            Scope::Expired(now) => self.of_expired.push(now),
        }
    }

    fn end(&mut self, scope: Scope) {
        self.ended += 1;
        match scope {
            Scope::All => self.of_all -= 1,
            Scope::Expired(now) => take_one(&mut self.of_expired, &now),
        }
    }

    /// Returns whether one of those that run may change an entry to be purged at `purge_at`.
    fn change(&self, purge_at: Option<Timestamp>) -> bool {
        let expires = purge_at.is_some_and(|at| self.of_expired.iter().any(|now| at <= *now));
        self.closed || self.of_all > 0 || expires
    }
}

impl Change<'_> {
    /// Ends the change: the store has returned, whatever it returned.
    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        for key in self.keys {
            let stripe = &self.coherence.stripes[self.coherence.stripe(key)];
            let mut changes = stripe.changes();
            if !self.has_ended {
                let until = self.coherence.doubtful_until();
                changes.doubt(key, until);
                stripe.undoubted_from.fetch_max(until, Ordering::AcqRel);
            }
            take_one(&mut changes.running, key);
            changes.ended += 1;
        }
    }
}

impl Sweep<'_> {
    /// Ends the change: the store has returned, whatever it returned.
    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Sweep<'_> {
    fn drop(&mut self) {
        let mut sweeps = self.coherence.sweeps_mut();
        if !self.has_ended {
            self.coherence.trusted_from.fetch_max(self.coherence.doubtful_until(), Ordering::AcqRel);
        }
        sweeps.end(self.scope);
    }
}

/// Takes `item` out of `items`, once.
fn take_one<T: PartialEq>(items: &mut Vec<T>, item: &T) {
    if let Some(at) = items.iter().position(|other| other == item) {
        items.swap_remove(at);
    }
}

/// Returns a duration in whole nanoseconds, and the most there are if it is longer.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> CacheKey {
        CacheKey::new(n.to_string()).expect("the tests' keys are valid")
    }

    /// Returns which of `keys` are not trusted, if all were checked at `checked_at`.
    fn doubted(coherence: &Coherence, keys: &[CacheKey], checked_at: u64) -> usize {
        keys.iter().filter(|key| !coherence.trusts(key, coherence.stripe(key), checked_at)).count()
    }

    #[test]
    fn a_dropped_change_puts_its_own_key_in_doubt_and_no_other() {
        let coherence = Coherence::new();
        let keys: Vec<_> = (0..10 * STRIPES).map(key).collect();
        drop(coherence.change(&keys[..1], |_| {}));
        assert_eq!(doubted(&coherence, &keys, coherence.now()), 1);
        assert_eq!(doubted(&coherence, &keys, coherence.doubtful_until()), 0);
    }

    #[test]
    fn however_many_changes_are_dropped_each_key_is_in_doubt() {
        let coherence = Coherence::new();
        let keys: Vec<_> = (0..4 * DOUBTFUL * STRIPES).map(key).collect();
        for key in &keys {
            drop(coherence.change(std::slice::from_ref(key), |_| {}));
        }
        assert_eq!(doubted(&coherence, &keys, coherence.now()), keys.len());
        assert_eq!(doubted(&coherence, &keys, coherence.doubtful_until()), 0);
    }
}
