//! Waiting for locks that others hold, never beyond a deadline.
//!
//! SQLite's own busy timeout sleeps up to 100 ms at a time, so that a process among others that write without pause may
//! never meet the lock free. Here the naps are short, and one deadline covers all that an operation waits for:
//! the lock beside the database and the locks within it.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use larder_core::ErrorKind;

use crate::error::Cause;

thread_local! {
    // SQLite calls a busy handler on the thread of the operation, and rusqlite takes a plain function for it.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does `work`, in which waiting for locks ends at `deadline`.
pub(crate) fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    DEADLINE.set(Some(deadline));
    let result = work();
    DEADLINE.set(None);
    result
}

/// Does `work`, in which no lock is waited for, whatever deadline there is around it.
pub(crate) fn at_once<T>(work: impl FnOnce() -> T) -> T {
    let deadline = DEADLINE.take();
    let result = work();
    DEADLINE.set(deadline);
    result
}

/// Waits a moment after `attempts` failed ones; returns `false` when the deadline has passed.
pub(crate) fn wait(attempts: i32) -> bool {
    let left =
        DEADLINE.get().map_or(Duration::ZERO, |deadline| deadline.saturating_duration_since(Instant::now()));
    if left.is_zero() {
        return false;
    }
    let nap = if attempts < 200 { Duration::from_millis(1) } else { Duration::from_millis(5) };
    thread::sleep(nap.min(left));
    true
}

/// How long the operations that share some connections wait for locks.
#[derive(Debug)]
pub(crate) struct Patience {
    timeout: Duration,
    gave_up: Mutex<Option<Instant>>,
}

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, gave_up: Mutex::new(None) }
    }

    /// Returns until when an operation that was asked for at `asked` waits, now that it has a connection.
    ///
    /// One that stood in the queue while another ran out of time does not wait once more: with a lock that is
    /// never released, each operation ends after about two timeouts, however many there are.
    pub(crate) fn deadline(&self, asked: Instant) -> Instant {
        let now = Instant::now();
        let gave_up = *self.gave_up.lock().unwrap_or_else(PoisonError::into_inner);
        if gave_up.is_some_and(|gave_up| gave_up >= asked) { now } else { now + self.timeout }
    }

    /// Does `work`, in which waiting for locks ends at the deadline of what was asked for at `asked`.
    pub(crate) fn until<T>(
        &self,
        asked: Instant,
        work: impl FnOnce() -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let result = until(self.deadline(asked), work);
        if matches!(&result, Err(cause) if cause.kind() == ErrorKind::Unavailable) {
            self.give_up();
        }
        result
    }

    /// Notes that an operation has waited in vain.
    fn give_up(&self) {
        *self.gave_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_waited_for_without_a_deadline_or_after_it() {
        assert!(!wait(0));
        assert!(!until(Instant::now(), || wait(0)));
        assert!(until(Instant::now() + Duration::from_mins(1), || wait(0)));
        assert!(!wait(0), "the deadline ends with the work");
    }

    #[test]
    fn what_is_done_at_once_waits_for_nothing_and_leaves_the_deadline_as_it_was() {
        let waited = until(Instant::now() + Duration::from_mins(1), || (at_once(|| wait(0)), wait(0)));
        assert_eq!(waited, (false, true));
    }

    #[test]
    fn who_queued_while_another_gave_up_does_not_wait_again() {
        let patience = Patience::new(Duration::from_mins(1));
        let early = Instant::now();
        assert!(patience.deadline(early) > Instant::now());
        patience.give_up();
        assert!(patience.deadline(early) <= Instant::now());
        let late = Instant::now() + Duration::from_millis(1);
        assert!(patience.deadline(late) > Instant::now());
    }
}
