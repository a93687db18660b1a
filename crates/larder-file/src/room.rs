//! Room for an entry: taken before it is published, given back if it is not, waited for if there is none.
//!
//! Nobody waits with the lock of an entry held, and nobody waits long.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::cause::{Cause, Result};
use crate::directory::Home;
use crate::evict::{Evictor, Goal, Stepped, Turn};
use crate::limits::Amount;
use crate::recent::{Recent, millis_now};
use crate::store::Shared;
use crate::usage::{Baseline, Generation, Record, Reservation, USAGE, Usage};

/// How long a writer waits for room.
const PATIENCE: Duration = Duration::from_millis(50);
/// After so long it makes room itself, even if another process does.
const LONG: Duration = Duration::from_millis(20);
/// How long it sleeps while somebody else makes room.
const PAUSE: Duration = Duration::from_millis(1);
/// A writer that leaves less room than this part of a limit has room made behind it.
const HIGH: u64 = 32;
/// How long, in milliseconds, nobody begins to make room behind the writers after nothing could go.
const STUCK_MILLIS: u64 = 1000;
/// How often, in milliseconds, a store without limits looks whether somebody has set some.
const LOOK_MILLIS: u64 = 1000;

/// What a store needs to keep its directory bounded.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) recent: Recent,
    pub(crate) evictor: Mutex<Evictor>,
    pub(crate) evicted: AtomicU64,
    /// Whether this process makes room behind its writers now.
    tending: AtomicBool,
    /// Whether the directory's usage is kept.
    accounting: AtomicBool,
    /// When it was last found that nothing could go, in milliseconds since 1970.
    stuck_at: AtomicU64,
    /// Whether an entry could not be evicted before.
    pub(crate) warned: AtomicBool,
    /// When a store without limits last looked for the usage file, in milliseconds since 1970.
    looked_at: AtomicU64,
}

impl Bounds {
    /// Returns whether the directory's usage is kept.
    pub(crate) fn is_accounting(&self) -> bool {
        self.accounting.load(Ordering::Relaxed)
    }

    /// Notes whether the directory that is now worked in has its usage kept.
    pub(crate) fn note_home(&self, home: &Home) {
        self.accounting.store(home.usage.is_some(), Ordering::Relaxed);
    }

    /// Returns whether it is time to look for a usage file again; whoever is told so looks.
    pub(crate) fn is_time_to_look(&self) -> bool {
        let now = millis_now();
        let is_time = now.abs_diff(self.looked_at.load(Ordering::Relaxed)) >= LOOK_MILLIS;
        if is_time {
            self.looked_at.store(now, Ordering::Relaxed);
        }
        is_time
    }
}

/// The state of the usage before an operation opens the directory that it changes.
pub(crate) struct Account {
    shared: Arc<Shared>,
    home: Arc<Home>,
    since: Generation,
}

/// Room that was taken; dropping it gives it back.
pub(crate) struct Room<'a> {
    account: &'a Account,
    reservation: Option<Reservation>,
}

/// Since when a writer waits, if it does.
#[derive(Debug, Default)]
pub(crate) struct Patience(Option<Instant>);

impl Patience {
    /// Returns how long the writer has waited by now.
    fn waited(&mut self) -> Duration {
        let now = Instant::now();
        now.saturating_duration_since(*self.0.get_or_insert(now))
    }
}

impl Account {
    /// Asks what the account is now, whoever has changed it; for who removes many.
    pub(crate) fn renewed(mut self) -> Self {
        let record = self.usage().and_then(|usage| usage.record(&self.shared.fs).ok());
        self.since = record.as_ref().map_or(self.since, Record::generation);
        self
    }

    /// Returns whether there is anything to account for.
    pub(crate) fn is_active(&self) -> bool {
        self.home.usage.is_some()
    }

    /// Returns whether the account was removed, so that another must be asked for.
    pub(crate) fn is_gone(&self) -> bool {
        self.usage().is_some_and(Usage::is_gone)
    }

    /// Returns whether this is still the account of the directory that the store works in.
    pub(crate) fn is_current(&self) -> bool {
        Arc::ptr_eq(&self.home, &self.shared.home())
    }

    fn usage(&self) -> Option<&Usage> {
        self.home.usage.as_ref()
    }

    /// Takes room for `new` in the place of `old`, if there is.
    pub(crate) fn try_take(&self, new: Amount, old: Amount) -> Result<Option<Room<'_>>> {
        let Some(usage) = self.usage() else {
            return Ok(Some(Room { account: self, reservation: None }));
        };
        let limits = &self.shared.options.limits;
        if new.less(old) != Amount::ZERO && !self.shared.is_disk_free() {
            return Ok(None);
        }
        let reservation = usage.reserve(&self.shared.fs, new, old, limits).map_err(in_time)?;
        Ok(reservation.map(|reservation| Room { account: self, reservation: Some(reservation) }))
    }

    /// Takes room for `new`, and makes it if need be.
    pub(crate) fn take(&self, new: Amount, patience: &mut Patience) -> Result<Room<'_>> {
        loop {
            if let Some(room) = self.try_take(new, Amount::ZERO)? {
                return Ok(room);
            }
            self.shared.make_room(new, patience)?;
        }
    }

    /// Returns the state that all entries are about to be removed from.
    pub(crate) fn baseline(&self) -> Option<Baseline> {
        let record = self.usage()?.record(&self.shared.fs);
        record
            .inspect_err(|cause| tracing::debug!(%cause, "the usage is corrected later"))
            .ok()
            .map(|record| record.baseline())
    }

    /// Takes off all that was there before `baseline`.
    pub(crate) fn cleared(&self, baseline: Option<Baseline>) {
        if let (Some(usage), Some(baseline)) = (self.usage(), baseline)
            && let Err(cause) = usage.correct(&self.shared.fs, Amount::ZERO, &baseline)
        {
            tracing::debug!(%cause, "the usage is corrected later");
        }
    }

    /// Takes off what was removed.
    pub(crate) fn removed(&self, amount: Amount) {
        if let Some(usage) = self.usage() {
            usage.removed(&self.shared.fs, amount, self.since);
        }
    }
}

impl Room<'_> {
    /// Keeps the room for what was published, in whose place was `shrunk` more.
    pub(crate) fn settle(mut self, shrunk: Amount) {
        let (Some(reservation), Some(usage)) = (self.reservation.take(), self.account.usage()) else {
            return;
        };
        let shared = &self.account.shared;
        let settled = usage.settle(&shared.fs, reservation, true);
        let record = usage.removed(&shared.fs, shrunk, self.account.since).or(settled);
        if let Some(record) = record {
            shared.tend(&record);
        }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if let (Some(reservation), Some(usage)) = (self.reservation, self.account.usage()) {
            usage.settle(&self.account.shared.fs, reservation, false);
        }
    }
}

impl Shared {
    /// Returns the account of an operation; ask before the directory is opened that the operation changes.
    pub(crate) fn account(self: &Arc<Self>) -> Account {
        let mut home = self.home();
        let found = match &home.usage {
            None if self.bounds.is_time_to_look() => self.join(),
            Some(usage) if usage.is_gone() => self.reopen_home().ok(),
            _ => None,
        };
        if let Some(found) = found {
            home = found;
        }
        let since = home.usage.as_ref().map(Usage::generation).unwrap_or_default();
        Account { shared: Arc::clone(self), home, since }
    }

    /// Looks whether another store has begun to keep the usage; joins it then.
    pub(crate) fn join(&self) -> Option<Arc<Home>> {
        self.fs.stat(&self.home().root, Path::new(USAGE)).ok()?;
        let joined = self.reopen_home();
        joined.inspect_err(|cause| tracing::debug!(%cause, "the usage is joined later")).ok()
    }

    /// Makes room for `growth`, or waits a little while somebody else does.
    pub(crate) fn make_room(&self, growth: Amount, patience: &mut Patience) -> Result<()> {
        let waited = patience.waited();
        let turn = if waited < LONG { Turn::Free } else { Turn::Mine };
        match self.evict_step(Goal::Room(growth), turn).map_err(in_time)? {
            Stepped::Nothing => Err(Cause::NoRoom),
            _ if waited >= PATIENCE => Err(Cause::NoRoom),
            Stepped::Elsewhere => {
                std::thread::sleep(PAUSE);
                Ok(())
            }
            Stepped::Reached | Stepped::More => Ok(()),
        }
    }

    /// Makes room on the disk for what is about to be written, if less is left there than shall be.
    pub(crate) fn check_disk(&self) -> Result<()> {
        let mut patience = Patience::default();
        while !self.is_disk_free() {
            self.make_room(Amount::ZERO, &mut patience)?;
        }
        Ok(())
    }

    fn is_disk_free(&self) -> bool {
        self.options.limits.min_free_bytes.is_none_or(|wanted| self.free_bytes() >= wanted)
    }

    /// Returns how many bytes are left on the file system: none if it does not say.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.fs.free(&self.home().root).unwrap_or_else(|error| {
            tracing::debug!(%error, "cannot ask how much room is left");
            0
        })
    }

    /// Makes room in the background, if there is little left and nobody does so in this process.
    pub(crate) fn tend(self: &Arc<Self>, record: &Record) {
        let limits = &self.options.limits;
        let is_needed = limits.is_counting()
            && (!record.counted || !limits.hold(record.total) || limits.is_above(record.total, HIGH));
        let is_stuck = millis_now().abs_diff(self.bounds.stuck_at.load(Ordering::Relaxed)) < STUCK_MILLIS;
        if !is_needed || is_stuck || self.bounds.tending.swap(true, Ordering::AcqRel) {
            return;
        }
        let tending = Tending(Arc::clone(self));
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            // Each step is a hop of its own, so that neither closing the store nor ending the runtime waits for more.
            loop {
                match tending.0.hop(|shared| shared.evict_step(Goal::Calm, Turn::Free)).await {
                    Ok(Stepped::More) => {}
                    Ok(Stepped::Nothing) => {
                        return tending.0.bounds.stuck_at.store(millis_now(), Ordering::Relaxed);
                    }
                    Ok(Stepped::Reached | Stepped::Elsewhere) => return,
                    Err(cause) => return tracing::debug!(%cause, "room is made later"),
                }
            }
        });
    }

    /// Begins to count, and to evict, if that is needed in the directory that was just opened.
    pub(crate) fn tend_home(self: &Arc<Self>) {
        let home = self.home();
        if let Some(record) = home.usage.as_ref().and_then(|usage| usage.record(&self.fs).ok()) {
            self.tend(&record);
        }
    }
}

/// What could not be had in time is no room.
fn in_time(cause: Cause) -> Cause {
    match cause {
        Cause::Busy => Cause::NoRoom,
        cause => cause,
    }
}

/// That this process makes room; until it is dropped.
struct Tending(Arc<Shared>);

impl Drop for Tending {
    fn drop(&mut self) {
        self.0.bounds.tending.store(false, Ordering::Release);
    }
}
