//! Every file operation failed in turn under the whole store: nothing is lost, nothing is wrong.

use std::io::ErrorKind as Io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{Place, head, key, noise, read, response};
use larder_core::{Durability, ResponseStore};
use larder_file::{Fault, FaultPlan, Op};

/// Returns whether a fault does something to an operation of this kind.
fn struck_for(op: Op, fault: Fault) -> bool {
    match fault {
        Fault::ShortWrite(_) => op == Op::Write,
        Fault::Flip(_) => matches!(op, Op::Read | Op::ReadCached),
        _ => true,
    }
}

/// A plan that fails the operation that is `countdown` ahead, once.
struct Ahead {
    plan: FaultPlan,
    countdown: Arc<AtomicU64>,
}

const IDLE: u64 = u64::MAX;

impl Ahead {
    fn new(fault: Fault) -> Self {
        let countdown = Arc::new(AtomicU64::new(IDLE));
        let ticking = Arc::clone(&countdown);
        let plan = FaultPlan::new(move |call| {
            let tick = |left: u64| (left != IDLE).then(|| left.checked_sub(1).unwrap_or(IDLE));
            let hit = ticking.fetch_update(Ordering::SeqCst, Ordering::SeqCst, tick) == Ok(0);
            (hit && struck_for(call.op, fault)).then_some(fault)
        });
        Self { plan, countdown }
    }

    /// Returns whether the fault has struck since it was armed, and disarms it.
    fn struck(&self) -> bool {
        self.countdown.swap(IDLE, Ordering::SeqCst) == IDLE
    }

    fn arm(&self, ahead: u64) {
        self.countdown.store(ahead, Ordering::SeqCst);
    }
}

const FAULTS: [Fault; 4] = [
    Fault::Error(Io::StorageFull),
    Fault::Error(Io::Other),
    Fault::Error(Io::NotFound),
    Fault::ShortWrite(10),
];

async fn place(ahead: &Ahead, portable: bool) -> Place {
    let plan = ahead.plan.clone();
    Place::open(|builder| builder.portable(portable).durability(Durability::Durable).faults(plan)).await
}

#[tokio::test]
async fn a_write_that_fails_anywhere_leaves_the_old_entry_or_the_new_one() {
    for (portable, fault) in
        [false, true].into_iter().flat_map(|portable| FAULTS.map(|fault| (portable, fault)))
    {
        let ahead = Ahead::new(fault);
        let place = place(&ahead, portable).await;
        let k = key("a");
        let (old, new) = (noise(100_000), noise(90_000));
        for number in 0.. {
            place.store.write(&k, response(old.clone())).await.expect("no fault yet");
            ahead.arm(number);
            let written = place.store.write(&k, response(new.clone())).await;
            let done = !ahead.struck();
            let found = read(&place.store, &k).await.unwrap_or_else(|| panic!("{fault:?} at {number}: lost"));
            assert!(found == old || found == new, "{fault:?} at {number}: another body");
            assert!(written.is_err() || found == new, "{fault:?} at {number}: acknowledged and lost");
            if done {
                break;
            }
        }
        place.store.sweep().await.expect("swept");
        assert_eq!(place.path().join("tmp").read_dir().expect("there").count(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_new_head_that_fails_anywhere_leaves_the_old_head_or_the_new_one() {
    for (portable, fault) in
        [false, true].into_iter().flat_map(|portable| FAULTS.map(|fault| (portable, fault)))
    {
        let ahead = Ahead::new(fault);
        let place = place(&ahead, portable).await;
        let k = key("a");
        let body = noise(100_000);
        for number in 0.. {
            place.store.write(&k, response(body.clone())).await.expect("no fault yet");
            let revision = place.store.read_head(&k).await.expect("read").expect("there").revision;
            let mut new = head();
            new.reason = Some("updated".to_owned());
            ahead.arm(number);
            let updated = place.store.update_head(&k, &revision, new.clone()).await;
            let done = !ahead.struck();
            let mut found = place.store.read(&k).await.expect("read").expect("there");
            assert!(found.head == head() || found.head == new, "{fault:?} at {number}");
            assert_eq!(found.bytes().await.expect("read"), body, "{fault:?} at {number}");
            assert!(!matches!(updated, Ok(true)) || found.head == new, "{fault:?} at {number}");
            if done {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_anywhere_is_an_error_or_a_miss_and_the_entry_stays() {
    for fault in FAULTS {
        let ahead = Ahead::new(fault);
        let place = place(&ahead, false).await;
        let k = key("a");
        place.store.write(&k, response("stays")).await.expect("written");
        for number in 0.. {
            ahead.arm(number);
            let found = place.store.read(&k).await;
            let done = !ahead.struck();
            if let Ok(Some(mut response)) = found {
                assert_eq!(response.bytes().await.expect("in memory"), "stays", "{fault:?} at {number}");
            }
            assert_eq!(read(&place.store, &k).await.expect("still there"), "stays", "{fault:?} at {number}");
            if done {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_bit_that_a_read_flips_is_never_handed_out() {
    for (at, portable) in
        [0, 8, 20, 90, 400, 5_000, 70_000].into_iter().flat_map(|at| [(at, false), (at, true)])
    {
        let ahead = Ahead::new(Fault::Flip(at));
        let place = place(&ahead, portable).await;
        let k = key("a");
        let body = noise(100_000);
        let mut misses = 0;
        for number in 0..6 {
            place.store.write(&k, response(body.clone())).await.expect("written");
            ahead.arm(number);
            let found = read(&place.store, &k).await;
            ahead.struck();
            misses += u32::from(found.is_none());
            assert!(found.is_none_or(|found| found == body), "byte {at}, operation {number}");
        }
        // What is read where it is asked for is read again before anything is removed.
        assert_eq!(misses, u32::from(portable), "byte {at} was flipped in one read");
    }
}

#[tokio::test]
async fn a_delete_that_fails_deletes_nothing_else() {
    let ahead = Ahead::new(Fault::Error(Io::Other));
    let place = place(&ahead, false).await;
    place.store.write(&key("b"), response("b")).await.expect("written");
    for number in 0.. {
        place.store.write(&key("a"), response("a")).await.expect("written");
        ahead.arm(number);
        let deleted = place.store.delete(&key("a")).await;
        let done = !ahead.struck();
        assert!(deleted.is_err() || read(&place.store, &key("a")).await.is_none(), "operation {number}");
        assert_eq!(read(&place.store, &key("b")).await.expect("another entry"), "b");
        if done {
            break;
        }
    }
}
