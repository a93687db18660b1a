//! The candidates for eviction: of all that were looked at, those whose last use is longest ago.
//!
//! As in Redis, a pool that outlives the samples makes a good choice out of few: what was not old enough to go at one
//! time is there to be compared at the next.

use std::collections::BTreeMap;
use std::path::Path;

use larder_core::CacheKey;

use crate::limits::Amount;
use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::Dir;

/// The most candidates that are kept.
const MOST: usize = 2048;

/// An entry as it was when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) len: u64,
    pub(crate) id: Option<(u64, u64)>,
}

/// Candidates by when they were last used.
#[derive(Debug)]
pub(crate) struct Pool {
    candidates: BTreeMap<(u64, CacheKey), Candidate>,
    most: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Pool {
    /// Returns a pool that keeps at most `most` candidates.
    pub(crate) fn of(most: usize) -> Self {
        Self { candidates: BTreeMap::new(), most }
    }

    /// Looks at the file `name` of an entry; returns what it takes, or `None` if the file system does not say.
    ///
    /// That is no failure: one broken file shall not keep all others where they are.
    pub(crate) fn look(&mut self, shared: &Shared, dir: &Dir, name: &str) -> Option<Amount> {
        match shared.fs.stat(dir, Path::new(name)) {
            Ok(stat) if stat.is_file => {
                if self.takes(stat.used)
                    && let Ok(key) = CacheKey::new(name)
                {
                    self.offer(key, stat.used, Candidate { len: stat.len, id: stat.id });
                }
                Some(Amount::entry(stat.len))
            }
            Err(error) if !is_absence(&error) => {
                let path = dir.path().join(name);
                tracing::debug!(path = %path.display(), %error, "cannot inspect an entry");
                None
            }
            _ => Some(Amount::ZERO),
        }
    }

    /// Returns whether an entry that was last used at `used` would be a candidate.
    fn takes(&self, used: u64) -> bool {
        self.candidates.len() < self.most
            || self.candidates.last_key_value().is_some_and(|((youngest, _), _)| used < *youngest)
    }

    /// Adds an entry that was last used at `used`, unless so many are older.
    fn offer(&mut self, key: CacheKey, used: u64, candidate: Candidate) {
        if !self.takes(used) {
            return;
        }
        self.candidates.insert((used, key), candidate);
        if self.candidates.len() > self.most {
            self.candidates.pop_last();
        }
    }

    /// Takes the one that was last used longest ago.
    pub(crate) fn take_oldest(&mut self) -> Option<(CacheKey, u64, Candidate)> {
        self.candidates.pop_first().map(|((used, key), candidate)| (key, used, candidate))
    }

    pub(crate) fn len(&self) -> usize {
        self.candidates.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOME: Candidate = Candidate { len: 1, id: None };

    fn key(number: usize) -> CacheKey {
        CacheKey::new(format!("k{number}")).expect("valid")
    }

    /// Offers entries that were last used at these times; they leave in this order.
    fn check(most: usize, offered: &[u64], taken: &[u64]) {
        let mut pool = Pool::of(most);
        for (number, used) in offered.iter().enumerate() {
            pool.offer(key(number), *used, SOME);
        }
        let order: Vec<u64> = std::iter::from_fn(|| pool.take_oldest()).map(|(_, used, _)| used).collect();
        assert_eq!(order, taken, "{offered:?}");
    }

    #[test]
    fn the_oldest_of_all_that_were_offered_leave_first() {
        check(3, &[], &[]);
        check(3, &[5, 1, 3], &[1, 3, 5]);
        check(3, &[5, 1, 3, 4], &[1, 3, 4]);
        check(3, &[5, 1, 3, 9], &[1, 3, 5]);
        check(3, &[2, 2, 2, 2], &[2, 2, 2]);
        check(1, &[5, 4, 3, 2, 1], &[1]);
    }

    #[test]
    fn an_entry_that_is_seen_twice_is_there_once() {
        let mut pool = Pool::default();
        pool.offer(key(0), 7, SOME);
        pool.offer(key(0), 7, SOME);
        assert_eq!(pool.len(), 1);
    }

    proptest! {
        #[test]
        fn the_pool_is_the_oldest_of_what_it_saw(
            mut offered in proptest::collection::vec(0..100_u64, 0..60),
            most in 1..20_usize,
        ) {
            let mut pool = Pool::of(most);
            for (number, used) in offered.iter().enumerate() {
                pool.offer(key(number), *used, SOME);
            }
            offered.sort_unstable();
            offered.truncate(most);
            let order: Vec<u64> = std::iter::from_fn(|| pool.take_oldest()).map(|(_, used, _)| used).collect();
            prop_assert_eq!(order, offered);
        }
    }
}
