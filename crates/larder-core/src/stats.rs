//! What is counted while a cache is in use.
//!
//! A count never goes back for as long as its cache or store is open, whatever is deleted meanwhile.

/// What a store has counted since it was opened, and how full it is as far as it knows.
///
/// # Examples
///
/// ```
/// use larder_core::StoreStats;
///
/// let stats = StoreStats::default().with_size(Some(3), Some(4_096)).with_limits(None, Some(1 << 20));
/// assert_eq!((stats.entries, stats.max_bytes, stats.evicted), (Some(3), Some(1 << 20), 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// How many entries this store has removed to keep within its limits; those that somebody deleted do not count.
    pub evicted: u64,
    /// How many damaged entries this store has met; each was a miss, or the error that a body ended in.
    pub damaged: u64,
    /// How many entries there are, if the store keeps count.
    pub entries: Option<u64>,
    /// How many bytes they take as the store counts them, if it does; no entries take none.
    pub bytes: Option<u64>,
    /// The most entries that there may be, if there is such a limit.
    pub max_entries: Option<u64>,
    /// The most bytes that they may take, if there is such a limit.
    pub max_bytes: Option<u64>,
}

impl StoreStats {
    /// Sets what the store has counted: entries that it evicted, and damaged ones that it met.
    #[must_use]
    pub fn with_counts(self, evicted: u64, damaged: u64) -> Self {
        Self { evicted, damaged, ..self }
    }

    /// Sets how full the store is: entries, and the bytes that they take.
    #[must_use]
    pub fn with_size(self, entries: Option<u64>, bytes: Option<u64>) -> Self {
        Self { entries, bytes, ..self }
    }

    /// Sets how full the store may be: entries, and the bytes that they take.
    #[must_use]
    pub fn with_limits(self, max_entries: Option<u64>, max_bytes: Option<u64>) -> Self {
        Self { max_entries, max_bytes, ..self }
    }
}
