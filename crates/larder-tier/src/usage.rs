//! What a tier holds and has done: numbers to look at, which decide nothing.

/// What a tier has done since it was made, and how full it is; [`MemoryTier::usage`] returns it.
///
/// The numbers are read one after another, so that they may be of slightly different moments.
///
/// [`MemoryTier::usage`]: crate::MemoryTier::usage
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierUsage {
    /// The reads that were answered from memory without asking the store.
    pub hits: u64,
    /// The reads that were answered from memory after the store said that the entry is unchanged.
    pub checked: u64,
    /// The reads that the store answered.
    pub misses: u64,
    /// The entries in memory.
    pub entries: u64,
    /// The bytes in memory: bodies, and what heads and bookkeeping are estimated at.
    pub bytes: u64,
    /// The most bytes that there may be.
    pub max_bytes: u64,
}
