//! What the usage file says: how many bytes and entries there are, never fewer than there are.
//!
//! Everything here is arithmetic on one record. Whoever publishes an entry reserves room for it first and settles
//! afterwards; whoever removes one takes it off afterwards. A walk over all entries can then correct the total
//! whatever happens beside it: what it saw, plus all that was published since it began or may yet be. That is all of
//! each entry, however little of it is growth: a walk may miss a name that is replaced under it.

use larder_core::Timestamp;

use crate::cause::{Cause, Result};
use crate::limits::{Amount, Limits};

/// The length of the file.
pub(crate) const LEN: usize = 128;
const MAGIC: [u8; 8] = *b"\x89LARUSE\n";
const VERSION: u16 = 1;
/// How long a reservation is waited for before its writer is taken for dead: at least once this, at most twice.
const EPOCH_MILLIS: i64 = 60_000;

/// The record in the usage file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whether `total` can be believed; else somebody has to count.
    pub(crate) counted: bool,
    /// No less than there is.
    pub(crate) total: Amount,
    /// All that was published since the record was made, or whose writer was taken for dead.
    finished: Amount,
    /// What was reserved in this epoch and not settled yet, and in the one before.
    pending: [Amount; 2],
    /// Which epoch it is.
    epoch: u64,
    /// When it began, in milliseconds since 1970.
    epoch_began: i64,
    /// Which record this is: random, new when it is made anew.
    series: u64,
    /// How many times the total was corrected.
    corrections: u64,
    /// Which start of the machine it is from: after another one, not all that was written need be on the disk.
    boot: u64,
}

/// Room for an entry that is about to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// What it takes beyond what it replaces.
    growth: Amount,
    /// All that it takes.
    whole: Amount,
    epoch: u64,
    series: u64,
}

/// The state that something is removed from: what is taken off later counts only if nobody has corrected it since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generation {
    series: u64,
    corrections: u64,
}

/// The state that a walk over all entries begins in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Baseline {
    series: u64,
    finished: Amount,
    /// The total, if it was counted.
    total: Option<Amount>,
}

impl Record {
    /// Returns the record of a cache that is empty, or, if it is not `counted`, of one that nobody has counted.
    pub(crate) fn new(series: u64, boot: u64, counted: bool) -> Self {
        Self {
            counted,
            total: Amount::ZERO,
            finished: Amount::ZERO,
            pending: [Amount::ZERO; 2],
            epoch: 0,
            epoch_began: 0,
            series,
            corrections: 0,
            boot,
        }
    }

    /// Returns the record that `bytes` are: `None` if they are damaged.
    ///
    /// One that is whole and of another version is an error: some other release keeps the account.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Ok(bytes) = <&[u8; LEN]>::try_from(bytes) else { return Ok(None) };
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let amount = |at: usize| Amount { bytes: number(at), entries: number(at + 8) };
        let sum = u32::from_le_bytes(bytes[LEN - 4..].try_into().expect("4 bytes"));
        if bytes[..8] != MAGIC || sum != crc32fast::hash(&bytes[..LEN - 4]) {
            return Ok(None);
        }
        let version = u16::from_le_bytes(bytes[8..10].try_into().expect("2 bytes"));
        if version != VERSION {
            return Err(Cause::Unknown { whole: "the account", what: "usage record", id: version.into() });
        }
        Ok((bytes[10] <= 1).then(|| Self {
            counted: bytes[10] == 1,
            total: amount(16),
            finished: amount(32),
            pending: [amount(48), amount(64)],
            epoch: number(80),
            epoch_began: i64::from_le_bytes(bytes[88..96].try_into().expect("8 bytes")),
            series: number(96),
            corrections: number(104),
            boot: number(112),
        }))
    }

    /// Returns the bytes of the record.
    pub(crate) fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = u8::from(self.counted);
        let [now, before] = self.pending;
        let amounts = [self.total, self.finished, now, before];
        let numbers = amounts.into_iter().flat_map(|amount| [amount.bytes, amount.entries]).chain([
            self.epoch,
            u64::from_le_bytes(self.epoch_began.to_le_bytes()),
            self.series,
            self.corrections,
            self.boot,
        ]);
        for (number, place) in numbers.zip(bytes[16..].chunks_exact_mut(8)) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes[..LEN - 4]);
        bytes[LEN - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn boot(&self) -> u64 {
        self.boot
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation { series: self.series, corrections: self.corrections }
    }

    pub(crate) fn baseline(&self) -> Baseline {
        let total = self.counted.then_some(self.total);
        Baseline { series: self.series, finished: self.finished, total }
    }

    /// Takes room for `new` in the place of `old`, if that fits.
    pub(crate) fn reserve(
        &mut self,
        new: Amount,
        old: Amount,
        limits: &Limits,
        now: Timestamp,
    ) -> Option<Reservation> {
        self.turn(now);
        let growth = new.less(old);
        let grows = growth != Amount::ZERO;
        if (limits.is_counting() && grows && !self.counted) || !limits.admit(self.total, growth) {
            return None;
        }
        self.total += growth;
        self.pending[0] += new;
        Some(Reservation { growth, whole: new, epoch: self.epoch, series: self.series })
    }

    /// Ends a reservation whose entry was published, or was not.
    pub(crate) fn settle(&mut self, reservation: &Reservation, was_published: bool) {
        let Reservation { growth, whole, .. } = *reservation;
        let age = self.epoch.checked_sub(reservation.epoch).filter(|_| self.series == reservation.series);
        match age {
            Some(age @ (0 | 1)) => {
                let pending = &mut self.pending[usize::from(age == 1)];
                *pending = pending.less(whole);
                if was_published {
                    self.finished += whole;
                } else {
                    self.total = self.total.less(growth);
                }
            }
            // Nobody waited for it, so that a correction may have left it out: better twice than not at all.
            _ if was_published => {
                self.total += whole;
                self.finished += whole;
            }
            _ => {}
        }
    }

    /// Takes off what was removed from the state `since`.
    pub(crate) fn remove(&mut self, removed: Amount, since: Generation) {
        if self.generation() == since {
            self.total = self.total.less(removed);
        }
    }

    /// Corrects the total by what a walk saw that began at `baseline`; a walk from before another record says nothing.
    ///
    /// It is lowered to the most that there can be, and raised to that if the walk saw more than can be if the total
    /// was right when it began: others put files there, or what was removed had never been accounted for.
    pub(crate) fn correct(&mut self, seen: Amount, baseline: &Baseline) {
        if baseline.series != self.series {
            return;
        }
        let [now, before] = self.pending;
        let published = self.finished.less(baseline.finished) + now + before;
        let most = seen + published;
        let said_too_little =
            baseline.total.is_some_and(|total| seen.less(total + published) != Amount::ZERO);
        self.total = if self.counted && !said_too_little { self.total.min(most) } else { most };
        self.counted = true;
        self.corrections = self.corrections.wrapping_add(1);
    }

    /// Begins the next epoch if it is time.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        let now = now.as_millis();
        let since = now.saturating_sub(self.epoch_began);
        // A clock that was set back begins an epoch again.
        if (0..EPOCH_MILLIS).contains(&since) {
            return;
        }
        if since >= EPOCH_MILLIS {
            // A walk that is under way may have missed what a dead writer did publish.
            self.finished += self.pending[1];
            self.pending = [Amount::ZERO, self.pending[0]];
            self.epoch = self.epoch.wrapping_add(1);
        }
        self.epoch_began = now;
    }
}

#[cfg(test)]
mod tests;
