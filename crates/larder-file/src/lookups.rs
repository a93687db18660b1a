//! Looking names up where that is asked for: it takes a microsecond if the directory is in the system's memory, which
//! no system call tells beforehand.
//!
//! So the time is taken. A directory whose lookups take long, twice in a row, is left to blocking threads for a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::entry::NotNow;
use crate::recent::millis_now;

/// A lookup that takes longer has waited for the disk, or the thread for its turn.
const LONG: Duration = Duration::from_millis(1);
/// So many long ones in a row are no accident.
const IN_A_ROW: u32 = 2;
/// For so long, in milliseconds, nothing is looked up here then.
const PAUSE_MILLIS: u64 = 1000;

/// How long the last lookups took.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    long_in_a_row: AtomicU32,
    /// When there were too many, in milliseconds since 1970; 0 if there never were.
    slow_at: AtomicU64,
}

impl Lookups {
    /// Does `look` here, unless that has taken long of late.
    pub(crate) fn now<T>(&self, look: impl FnOnce() -> T) -> Result<T, NotNow> {
        let slow_at = self.slow_at.load(Ordering::Relaxed);
        if slow_at != 0 && millis_now().abs_diff(slow_at) < PAUSE_MILLIS {
            return Err(NotNow);
        }
        let began = Instant::now();
        let seen = look();
        self.note(began.elapsed(), millis_now);
        Ok(seen)
    }

    fn note(&self, took: Duration, now: impl FnOnce() -> u64) {
        if took <= LONG {
            if self.long_in_a_row.load(Ordering::Relaxed) > 0 {
                self.long_in_a_row.store(0, Ordering::Relaxed);
            }
        } else if self.long_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW {
            self.long_in_a_row.store(0, Ordering::Relaxed);
            self.slow_at.store(now(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether nothing is looked up here any more, after lookups that took so many milliseconds.
    fn check(took: &[u64], is_slow: bool) {
        let lookups = Lookups::default();
        for millis in took {
            lookups.note(Duration::from_millis(*millis), millis_now);
        }
        assert_eq!(lookups.now(|| ()).is_err(), is_slow, "{took:?}");
    }

    #[test]
    fn two_long_lookups_in_a_row_end_them_for_a_while() {
        check(&[], false);
        check(&[0, 2, 0, 2, 0], false);
        check(&[0, 2], false);
        check(&[0, 2, 2], true);
        let lookups = Lookups::default();
        for _ in 0..IN_A_ROW {
            lookups.note(LONG * 2, || millis_now() - PAUSE_MILLIS);
        }
        assert!(lookups.now(|| ()).is_ok(), "it was slow, and that is a while ago");
    }

    #[cfg(feature = "fault-injection")]
    #[tokio::test]
    async fn what_is_slow_is_looked_up_on_a_blocking_thread() {
        use std::sync::{Arc, Mutex};

        use larder_core::{CacheKey, ResponseStore};

        use crate::{FaultPlan, FileStore, Op};

        let here = std::thread::current().id();
        let asked_here = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked_here);
        let plan = FaultPlan::new(move |call| {
            if call.op == Op::Stat && call.path.ends_with("responses/k") {
                noted.lock().expect("no panic").push(std::thread::current().id() == here);
            }
            None
        });
        let dir = tempfile::tempdir().expect("a directory");
        let builder = FileStore::builder(dir.path().join("cache"), larder_codec::default_codecs());
        let store = builder.faults(plan).open().await.expect("opened");
        let key = CacheKey::new("k").expect("valid");
        assert!(!store.contains(&key).await.expect("asked"));
        for _ in 0..IN_A_ROW {
            store.shared.lookups.note(LONG * 2, millis_now);
        }
        assert!(!store.contains(&key).await.expect("asked"));
        assert_eq!(*asked_here.lock().expect("no panic"), [true, false]);
    }
}
