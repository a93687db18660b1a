//! Which entries were used lately, until that is written into the access times of their files.
//!
//! A hit touches memory only. Behind it, one blocking job at a time writes down what has gathered.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use larder_core::CacheKey;

use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::Dir;

/// So many keys are written down at once.
const BATCH: usize = 128;
/// More keys than these are not remembered; it takes a disk that does not answer to come to that.
const MOST: usize = 4096;
/// After so long, in milliseconds, even few keys are written down.
const SOON_MILLIS: u64 = 1000;

/// Keys that were used, and when.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    used: Mutex<HashMap<CacheKey, SystemTime>>,
    /// When they were last written down, in milliseconds since 1970.
    flushed_at: AtomicU64,
    flushing: AtomicBool,
}

impl Recent {
    /// Remembers a use of `key`; returns whether it is time to write down what has gathered.
    fn note(&self, key: &CacheKey, now: SystemTime) -> bool {
        let gathered = {
            let mut used = self.used();
            if let Some(known) = used.get_mut(key) {
                *known = now;
            } else if used.len() < MOST {
                used.insert(key.clone(), now);
            }
            used.len()
        };
        let is_time =
            gathered >= BATCH || millis(now).abs_diff(self.flushed_at.load(Ordering::Relaxed)) >= SOON_MILLIS;
        is_time && !self.flushing.swap(true, Ordering::AcqRel)
    }

    /// Returns whether a use of `key` is not written down yet.
    pub(crate) fn contains(&self, key: &CacheKey) -> bool {
        self.used().contains_key(key)
    }

    fn used(&self) -> MutexGuard<'_, HashMap<CacheKey, SystemTime>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what the clock says, in milliseconds since 1970.
pub(crate) fn millis_now() -> u64 {
    millis(SystemTime::now())
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Shared {
    /// Records that the entry of `key` was used, if anybody evicts by that. Nothing is waited for.
    pub(crate) fn used(self: &Arc<Self>, key: &CacheKey) {
        if !self.bounds.is_accounting() {
            if self.bounds.is_time_to_look() {
                self.in_background(|shared| _ = shared.join());
            }
            return;
        }
        if !self.bounds.recent.note(key, SystemTime::now()) {
            return;
        }
        let flushing = Flushing(Arc::clone(self));
        self.in_background(move |_| flushing.0.flush_recent());
    }

    /// Writes down what has gathered; what cannot be written is forgotten.
    pub(crate) fn flush_recent(&self) {
        let recent = &self.bounds.recent;
        recent.flushed_at.store(millis_now(), Ordering::Relaxed);
        let gathered: Vec<_> = recent.used().iter().map(|(key, used)| (key.clone(), *used)).collect();
        if gathered.is_empty() {
            return;
        }
        let home = self.home();
        let mut dirs: BTreeMap<PathBuf, Option<Dir>> = BTreeMap::new();
        for (key, used) in &gathered {
            let dir = dirs.entry(self.layout.dir_of(key));
            let dir = dir.or_insert_with_key(|relative| self.fs.open_dir(&home.root, relative).ok());
            if let Some(Err(error)) = dir.as_ref().map(|dir| self.fs.touch(dir, key, *used))
                && !is_absence(&error)
            {
                tracing::debug!(%key, %error, "cannot record the use of an entry");
            }
        }
        // Until now they were no victims; whoever was used again meanwhile stays.
        let mut pending = recent.used();
        for (key, used) in &gathered {
            if pending.get(key) == Some(used) {
                pending.remove(key);
            }
        }
    }
}

/// That this process writes down what has gathered; until it is dropped.
struct Flushing(Arc<Shared>);

impl Drop for Flushing {
    fn drop(&mut self) {
        self.0.bounds.recent.flushing.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(number: usize) -> CacheKey {
        CacheKey::new(format!("k{number}")).expect("valid")
    }

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn a_batch_or_a_second_is_written_down() {
        let recent = Recent::default();
        recent.flushed_at.store(10_000, Ordering::Relaxed);
        assert!(!recent.note(&key(0), at(10_500)));
        assert!(!recent.note(&key(0), at(10_999)), "the same one again");
        assert!(recent.note(&key(0), at(11_000)), "a second has passed");
        assert!(!recent.note(&key(1), at(11_001)), "one job at a time");
        recent.flushing.store(false, Ordering::Relaxed);
        recent.flushed_at.store(11_001, Ordering::Relaxed);
        let due: Vec<_> = (0..BATCH).filter(|number| recent.note(&key(*number), at(11_002))).collect();
        assert_eq!(due, [BATCH - 1]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let recent = Recent::default();
        for number in 0..MOST + 10 {
            recent.note(&key(number), at(0));
        }
        assert_eq!(recent.used().len(), MOST);
        assert!(recent.contains(&key(0)) && !recent.contains(&key(MOST)));
    }
}
