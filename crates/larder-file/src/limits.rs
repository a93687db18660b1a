//! How large a cache may grow, and what fits.

use std::ops::{Add, AddAssign};

/// How large a cache may grow; made with [`Limits::default`], which has none.
///
/// # Examples
///
/// ```
/// use larder_file::Limits;
///
/// let limits = Limits::default().max_total_bytes(64 << 20).max_entries(10_000);
/// assert_eq!(limits.max_entries, Some(10_000));
/// assert_eq!(limits.min_free_bytes, None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "limits do nothing by themselves"]
pub struct Limits {
    /// The most bytes that the files of all entries may have together.
    pub max_total_bytes: Option<u64>,
    /// The most entries that there may be.
    pub max_entries: Option<u64>,
    /// The fewest bytes that must be left on the file system.
    pub min_free_bytes: Option<u64>,
}

impl Limits {
    /// Sets the most bytes that the files of all entries may have together.
    pub fn max_total_bytes(self, bytes: u64) -> Self {
        Self { max_total_bytes: Some(bytes), ..self }
    }

    /// Sets the most entries that there may be.
    pub fn max_entries(self, entries: u64) -> Self {
        Self { max_entries: Some(entries), ..self }
    }

    /// Sets the fewest bytes that must be left on the file system.
    pub fn min_free_bytes(self, bytes: u64) -> Self {
        Self { min_free_bytes: Some(bytes), ..self }
    }

    /// Returns whether there is any limit.
    pub(crate) fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Returns whether there is a limit that needs to be counted for.
    pub(crate) fn is_counting(&self) -> bool {
        self.max_total_bytes.is_some() || self.max_entries.is_some()
    }

    /// Returns whether `total` is within the limits.
    pub(crate) fn hold(&self, total: Amount) -> bool {
        self.max_total_bytes.is_none_or(|limit| total.bytes <= limit)
            && self.max_entries.is_none_or(|limit| total.entries <= limit)
    }

    /// Returns whether `total` can grow by `growth`; what does not grow fits however full it is.
    pub(crate) fn admit(&self, total: Amount, growth: Amount) -> bool {
        let fits = |total: u64, growth: u64, limit: Option<u64>| {
            growth == 0 || limit.is_none_or(|limit| total.saturating_add(growth) <= limit)
        };
        fits(total.bytes, growth.bytes, self.max_total_bytes)
            && fits(total.entries, growth.entries, self.max_entries)
    }

    /// Returns whether `total` is above `limit - limit / share` of either limit.
    ///
    /// A cache of few entries has no such mark: it may be full to the last entry.
    pub(crate) fn is_above(&self, total: Amount, share: u64) -> bool {
        if total.entries < FEW {
            return false;
        }
        let above = |total: u64, limit: Option<u64>| limit.is_some_and(|limit| total > limit - limit / share);
        above(total.bytes, self.max_total_bytes) || above(total.entries, self.max_entries)
    }
}

/// Fewer entries than these are all looked at when one must go, so that nothing is gained by making room beforehand.
const FEW: u64 = 512;

/// So many bytes in so many entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

impl Amount {
    pub(crate) const ZERO: Self = Self { bytes: 0, entries: 0 };

    /// Returns what one entry with a file of `len` bytes is.
    pub(crate) fn entry(len: u64) -> Self {
        Self { bytes: len, entries: 1 }
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            entries: self.entries.saturating_sub(other.entries),
        }
    }

    pub(crate) fn min(self, other: Self) -> Self {
        Self { bytes: self.bytes.min(other.bytes), entries: self.entries.min(other.entries) }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            entries: self.entries.saturating_add(other.entries),
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_told_by_both_limits() {
        let limits = Limits::default().max_total_bytes(100).max_entries(3);
        let check = |total: (u64, u64), growth: (u64, u64), fits: bool| {
            let amount = |(bytes, entries)| Amount { bytes, entries };
            assert_eq!(limits.admit(amount(total), amount(growth)), fits, "{total:?} and {growth:?}");
        };
        check((0, 0), (100, 1), true);
        check((0, 0), (101, 1), false);
        check((50, 2), (50, 1), true);
        check((50, 3), (1, 1), false);
        check((50, 3), (50, 0), true);
        check((200, 9), (0, 0), true);
        check((u64::MAX, 0), (1, 0), false);
    }

    #[test]
    fn a_cache_of_few_entries_may_be_full() {
        let limits = Limits::default().max_total_bytes(3200);
        assert!(!limits.is_above(Amount { bytes: 3200, entries: 3 }, 32));
        assert!(limits.is_above(Amount { bytes: 3101, entries: 1000 }, 32));
        assert!(!limits.is_above(Amount { bytes: 3100, entries: 1000 }, 32));
        assert!(!Limits::default().is_above(Amount { bytes: u64::MAX, entries: u64::MAX }, 32));
    }
}
