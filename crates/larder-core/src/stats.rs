//! What is counted while a cache is in use.
//!
//! A count never goes back for as long as its cache or store is open, whatever is deleted meanwhile.

use std::time::Duration;

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

/// What a cache has counted since it was made, and what its store has.
///
/// Requests are counted by whoever answers them, such as the client, each once and in one of seven ways. Lookups are
/// counted by [`CacheBackend::get_response`](crate::CacheBackend::get_response) whoever makes them: one request may look
/// up several keys, or none. The numbers are not of one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Requests that were answered by a fresh stored response, without asking the origin.
    pub hits: u64,
    /// Requests that were answered by a stale stored response, whether the origin was asked and failed or not.
    pub stale: u64,
    /// Requests that were answered by a stored response after the origin said that it is valid.
    pub revalidated: u64,
    /// Requests that were answered by another request's exchange.
    pub coalesced: u64,
    /// Requests that the origin answered for lack of a stored response that could be used.
    pub misses: u64,
    /// Requests that went past the cache: it was disabled, or they have no key.
    pub bypassed: u64,
    /// Requests that the origin must not be asked for, and nothing stored would do.
    pub refused: u64,
    /// The bytes of the bodies of hits, stale and revalidated responses, as far as their lengths were known, whether they
    /// were read to their end or not.
    pub bytes_from_cache: u64,
    /// Lookups that found an entry.
    pub lookups_found: u64,
    /// Lookups that found none, or failed.
    pub lookups_missed: u64,
    /// Responses that were stored.
    pub stored: u64,
    /// The bytes of their bodies, before any compression.
    pub bytes_stored: u64,
    /// Responses of the origin that were not stored because they may not be.
    pub not_stored: u64,
    /// Failures of the cache that were passed over.
    pub failures: u64,
    /// What the store has counted.
    pub store: StoreStats,
}

impl CacheStats {
    /// Returns how many requests were answered. One that ended in an error is in none of the numbers.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.from_cache() + self.coalesced + self.misses + self.bypassed + self.refused
    }

    /// Returns how many requests were answered with a stored body: hits, stale and revalidated ones.
    #[must_use]
    pub fn from_cache(&self) -> u64 {
        self.hits + self.stale + self.revalidated
    }
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// By a fresh stored response, without asking the origin.
    Hit,
    /// By a stale stored response, whether the origin was asked and failed or not.
    Stale,
    /// By a stored response after the origin said that it is valid.
    Revalidated,
    /// By another request's exchange.
    Coalesced,
    /// By the origin, for lack of a stored response that could be used.
    Miss,
    /// By the origin, past the cache.
    Bypass,
    /// By nobody: the origin must not be asked, and nothing stored would do.
    Refused,
}

impl CacheOutcome {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 7] =
        [Self::Hit, Self::Stale, Self::Revalidated, Self::Coalesced, Self::Miss, Self::Bypass, Self::Refused];

    /// Returns its name, in lower case: the value of the label `outcome` of the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::Coalesced => "coalesced",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Refused => "refused",
        }
    }

    /// Returns whether the body came from the store.
    #[must_use]
    pub fn is_from_cache(self) -> bool {
        matches!(self, Self::Hit | Self::Stale | Self::Revalidated)
    }
}

/// A request that was answered, to be counted by [`CacheBackend::count`](crate::CacheBackend::count).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use larder_core::{CacheOutcome, Served};
///
/// let served = Served::new(CacheOutcome::Hit).body_len(Some(10_240)).latency(Some(Duration::from_micros(8)));
/// # let _ = served;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Served {
    pub(crate) outcome: CacheOutcome,
    pub(crate) body_len: Option<u64>,
    pub(crate) latency: Option<Duration>,
    pub(crate) not_stored: bool,
}

impl Served {
    /// Returns a request that was answered in this way.
    #[must_use]
    pub fn new(outcome: CacheOutcome) -> Self {
        Self { outcome, body_len: None, latency: None, not_stored: false }
    }

    /// Sets the length of the answer's body, if it is known.
    #[must_use]
    pub fn body_len(self, body_len: Option<u64>) -> Self {
        Self { body_len, ..self }
    }

    /// Sets the time from the request to the head of the answer, if it was measured.
    #[must_use]
    pub fn latency(self, latency: Option<Duration>) -> Self {
        Self { latency, ..self }
    }

    /// Sets whether the answer came from the origin and may not be stored; it is not so unless set.
    #[must_use]
    pub fn not_stored(self, not_stored: bool) -> Self {
        Self { not_stored, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_at_its_number() {
        for (number, outcome) in CacheOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, number, "{outcome:?}");
        }
    }
}
