//! Bounded caches on a file system that fails, runs full, or keeps silent.

use std::io::ErrorKind as Io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use larder_core::{ErrorKind, ResponseStore};
use larder_file::{Fault, FaultPlan, Limits, Op};

use crate::limits::{endless, file_len, put, quiet, truth, usage, used_ago};
use crate::support::{Place, key, open, read, response};

#[tokio::test]
async fn a_disk_that_runs_full_makes_as_much_go_as_it_is_short_of() {
    let len = file_len(1).await;
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let shows = Arc::new(AtomicBool::new(true));
    let (seen, is_shown) = (Arc::clone(&free), Arc::clone(&shows));
    let plan = FaultPlan::new(move |call| match call.op {
        Op::Room => Some(Fault::Room(seen.load(Ordering::SeqCst))),
        Op::Unlink if call.path.parent().is_some_and(|dir| dir.ends_with("responses")) => {
            let back = if is_shown.load(Ordering::SeqCst) { len } else { 0 };
            seen.fetch_add(back, Ordering::SeqCst);
            None
        }
        // Nothing can be written on a disk that is full, and it is asked before that.
        Op::Write => (seen.load(Ordering::SeqCst) == 0).then_some(Fault::Error(Io::StorageFull)),
        _ => None,
    });
    let place = Place::open(|builder| builder.faults(plan).min_free_bytes(3 * len)).await;
    for number in 0..10 {
        put(&place.store, &key(&format!("k{number}")), || response("x")).await;
        used_ago(&place, &key(&format!("k{number}")), 100 - number);
    }
    free.store(0, Ordering::SeqCst);
    put(&place.store, &key("new"), || response("x")).await;
    assert_eq!(place.store.stats().evicted, 3);
    assert!(read(&place.store, &key("k2")).await.is_none() && read(&place.store, &key("k3")).await.is_some());
    shows.store(false, Ordering::SeqCst);
    free.store(len / 2, Ordering::SeqCst);
    // A writer that is stopped may give up before it has evicted as much.
    for _ in 0..10 {
        let error = place.store.write(&key("newer"), response("x")).await.expect_err("it does not show");
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
    assert_eq!(place.store.stats().evicted, 6, "no more than would do");
    let long = response(endless(&Arc::default()));
    let error = place.store.write(&key("long"), long).await.expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    let limits = Limits::default().min_free_bytes(2 * len);
    let pruned = place.store.prune(limits, |_| {}).await.expect("pruned");
    assert_eq!((pruned.evicted, pruned.entries), (2, 3), "as much as would do, from now on");
    free.store(3 * len, Ordering::SeqCst);
    put(&place.store, &key("newer"), || response("x")).await;
}

/// Makes each entry look as if it had just been used, whenever anybody looks.
fn always_in_use(path: &Path, tick: &AtomicU64) {
    if path.parent().is_some_and(|dir| dir.ends_with("responses"))
        && let Ok(file) = std::fs::File::options().write(true).open(path)
    {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(tick.fetch_add(1, Ordering::SeqCst));
        file.set_times(std::fs::FileTimes::new().set_accessed(used)).expect("set");
    }
}

#[tokio::test]
async fn entries_that_are_used_all_the_time_make_room_at_last() {
    let tick = AtomicU64::new(1_000_000_000);
    let plan = FaultPlan::new(move |call| {
        if call.op == Op::Stat {
            always_in_use(call.path, &tick);
        }
        None
    });
    let place = Place::open(|builder| builder.faults(plan).max_entries(20)).await;
    for number in 0..25 {
        put(&place.store, &key(&format!("k{number}")), || response("x")).await;
    }
    assert_eq!(truth(&place.path()).1, 20);
    let pruned = place.store.prune(Limits::default().max_entries(5), |_| {}).await.expect("pruned");
    assert_eq!((pruned.evicted, truth(&place.path()).1), (15, 5));
}

#[tokio::test]
async fn a_file_that_cannot_be_inspected_stays_in_the_account_and_holds_nobody_up() {
    let plan = FaultPlan::new(|call| {
        (call.op == Op::Stat && call.path.ends_with("responses/broken")).then_some(Fault::Error(Io::Other))
    });
    let place = Place::open(|builder| builder.max_entries(4)).await;
    for name in ["broken", "k0", "k1", "k2"] {
        put(&place.store, &key(name), || response("x")).await;
    }
    let dir = place.dir;
    quiet(place.store).await;
    let store = open(dir.path(), |b| b.faults(plan).max_entries(4)).await;
    for number in 3..10 {
        put(&store, &key(&format!("k{number}")), || response("x")).await;
        assert_eq!(
            (usage(&store), truth(&dir.path().join("cache")).1),
            (truth(&dir.path().join("cache")), 4)
        );
    }
}

#[tokio::test]
async fn who_bounds_nothing_can_do_without_an_account() {
    let dir = tempfile::tempdir().expect("a directory");
    let limited = open(dir.path(), |b| b.max_entries(5)).await;
    put(&limited, &key("k"), || response("x")).await;
    quiet(limited).await;
    let usage = dir.path().join("cache/usage");
    let before = std::fs::read(&usage).expect("there");
    let refusing = |kind: Io| {
        FaultPlan::new(move |call| {
            (call.op == Op::Lock && call.path.ends_with("usage")).then_some(Fault::Error(kind))
        })
    };
    for kind in [Io::ReadOnlyFilesystem, Io::PermissionDenied] {
        let store = open(dir.path(), |b| b.faults(refusing(kind))).await;
        assert_eq!(read(&store, &key("k")).await.expect("a hit"), "x");
        put(&store, &key("other"), || response("y")).await;
        quiet(store).await;
        assert_eq!(std::fs::read(&usage).expect("there"), before);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_a_write_until_space_returns() {
    let full = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&full);
    let plan = FaultPlan::new(move |call| {
        (call.op == Op::Write && seen.load(Ordering::SeqCst) == 1).then_some(Fault::ShortWrite(20))
    });
    let place = Place::open(|builder| builder.faults(plan).max_entries(3)).await;
    put(&place.store, &key("k"), || response("old")).await;
    full.store(1, Ordering::SeqCst);
    let error = place.store.write(&key("k"), response("new")).await.expect_err("the disk is full");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(read(&place.store, &key("k")).await.expect("nothing is torn"), "old");
    full.store(0, Ordering::SeqCst);
    put(&place.store, &key("k"), || response("new")).await;
    assert_eq!((usage(&place.store), truth(&place.path()).1), (truth(&place.path()), 1));
}

/// Fails each operation on files in turn while entries are written, replaced, evicted, deleted and cleared.
#[tokio::test]
async fn whatever_fails_the_limits_hold_and_the_usage_says_no_less_than_there_is() {
    for (portable, kind) in [(false, Io::Other), (true, Io::StorageFull)] {
        for number in 0.. {
            let countdown = Arc::new(AtomicU64::new(u64::MAX));
            let ticking = Arc::clone(&countdown);
            let plan = FaultPlan::new(move |_| {
                let tick = |left: u64| (left != u64::MAX).then(|| left.checked_sub(1).unwrap_or(u64::MAX));
                let struck = ticking.fetch_update(Ordering::SeqCst, Ordering::SeqCst, tick) == Ok(0);
                struck.then_some(Fault::Error(kind))
            });
            let place = Place::open(|b| b.portable(portable).faults(plan).max_entries(3)).await;
            let store = &place.store;
            for name in ["a", "b", "c"] {
                put(store, &key(name), || response("x")).await;
            }
            countdown.store(number, Ordering::SeqCst);
            let check = |what: &str| {
                let (bytes, entries) = truth(&place.path());
                assert!(entries <= 3, "{what}, {kind:?} at {number}: {entries} entries");
                let record = std::fs::read(place.path().join("usage")).expect("there");
                let field = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().expect("8 bytes"));
                let (counted, said) = (record[10] == 1, (field(16), field(24)));
                let enough = said.0 >= bytes && said.1 >= entries;
                assert!(!counted || enough, "{what}, {kind:?} at {number}: {said:?} of {entries}");
            };
            let _ = store.write(&key("d"), response("new")).await;
            check("a new entry");
            let _ = store.write(&key("d"), response("replaced by a longer one")).await;
            check("a replacement");
            let _ = store.delete(&key("b")).await;
            check("a deletion");
            let _ = store.clear().await;
            std::fs::create_dir_all(place.path().join("responses")).expect("there");
            check("a clear");
            let done = countdown.swap(u64::MAX, Ordering::SeqCst) != u64::MAX;
            for name in ["e", "f", "g", "h"] {
                put(store, &key(name), || response("y")).await;
                check("afterwards");
            }
            assert!(truth(&place.path()).1 > 0, "{kind:?} at {number}");
            if done {
                break;
            }
        }
    }
}
