//! Accounts that are begun, lost and fought over: whatever stores do beside each other, one account says it all.

use std::path::Path;
use std::time::{Duration, SystemTime};

use larder_core::{ErrorKind, ResponseStore};
use larder_file::FileStore;

use crate::limits::{put, quiet, truth, usage, used_ago};
use crate::support::{Place, key, noise, open, read, response};

/// Asks until it is so; a store looks for what others have begun once a second.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked_from = std::time::Instant::now();
    while !is_so().await {
        assert!(asked_from.elapsed() < Duration::from_mins(1), "never: {what}");
        // What runs behind the operations has its turn.
        tokio::task::spawn_blocking(|| {}).await.expect("no panic");
    }
}

async fn fill(store: &FileStore, prefix: &str, entries: u32) {
    for number in 0..entries {
        put(store, &key(&format!("{prefix}{number}")), || response(noise(1000))).await;
    }
}

#[tokio::test]
async fn a_usage_that_was_removed_is_made_again_and_counted() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable).max_entries(5)).await;
        fill(&place.store, "k", 5).await;
        std::fs::remove_file(place.path().join("usage")).expect("there");
        put(&place.store, &key("new"), || response("x")).await;
        assert!(place.path().join("usage").exists(), "it is made again");
        assert_eq!((usage(&place.store), truth(&place.path()).1), (truth(&place.path()), 5));

        std::fs::remove_file(place.path().join("usage")).expect("there");
        let revision = place.store.read_head(&key("new")).await.expect("read").expect("there").revision;
        assert!(
            place.store.update_head(&key("new"), &revision, crate::support::head()).await.expect("updated")
        );
        assert!(place.path().join("usage").exists(), "a new head has it made again, too");
    }
}

#[tokio::test]
async fn stores_whose_directory_was_made_again_by_another_keep_one_account() {
    for portable in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = dir.path().join("cache");
        let first = open(dir.path(), |b| b.portable(portable).max_entries(4)).await;
        fill(&first, "k", 2).await;
        std::fs::remove_dir_all(&cache).expect("there");
        let second = open(dir.path(), |b| b.portable(portable).max_entries(4)).await;
        fill(&first, "a", 4).await;
        fill(&second, "b", 4).await;
        assert_eq!(truth(&cache).1, 4);
        assert_eq!(usage(&second), truth(&cache));
        fill(&first, "c", 1).await;
        assert_eq!((usage(&first), truth(&cache).1), (truth(&cache), 4));
    }
}

#[tokio::test]
async fn what_a_store_wrote_before_it_joined_an_account_is_counted() {
    for portable in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = dir.path().join("cache");
        let unlimited = open(dir.path(), |b| b.portable(portable)).await;
        // It has just looked, and found that nobody accounts; the directory is empty again.
        put(&unlimited, &key("gone"), || response("x")).await;
        assert!(unlimited.delete(&key("gone")).await.expect("deleted"));
        let limited = open(dir.path(), |b| b.max_entries(6)).await;
        fill(&unlimited, "early", 8).await;
        // Hits are enough to join, after which all is counted.
        let known = async || {
            read(&unlimited, &key("early0")).await;
            unlimited.stats().entries.is_some() || {
                let record = std::fs::read(cache.join("usage")).expect("there");
                record[10] == 0 || u64::from_le_bytes(record[24..32].try_into().expect("8 bytes")) >= 8
            }
        };
        eventually("the unlimited store joins", known).await;
        put(&limited, &key("new"), || response("x")).await;
        assert!(truth(&cache).1 <= 6);
        assert_eq!(usage(&limited), truth(&cache));
        put(&unlimited, &key("late"), || response("x")).await;
        put(&limited, &key("newer"), || response("x")).await;
        assert_eq!((usage(&limited), truth(&cache).1), (truth(&cache), 6));
    }
}

#[tokio::test]
async fn hits_of_a_store_that_was_open_before_the_limits_count_as_uses() {
    let dir = tempfile::tempdir().expect("a directory");
    let unlimited = open(dir.path(), |b| b).await;
    let limited = open(dir.path(), |b| b.max_entries(2)).await;
    let place = Place { dir, store: limited };
    for (name, ago) in [("old", 100), ("new", 50)] {
        put(&place.store, &key(name), || response("x")).await;
        used_ago(&place, &key(name), ago);
    }
    let is_noted = async || {
        read(&unlimited, &key("old")).await.expect("there");
        let used = std::fs::metadata(place.entry(&key("old"))).expect("there").accessed().expect("kept");
        used.elapsed().is_ok_and(|ago| ago < Duration::from_secs(90))
    };
    eventually("the use is written down", is_noted).await;
    put(&place.store, &key("newer"), || response("x")).await;
    assert!(read(&place.store, &key("old")).await.is_some());
    assert!(read(&place.store, &key("new")).await.is_none());
    quiet(unlimited).await;
}

#[tokio::test]
async fn a_writer_that_cannot_have_the_usage_in_time_has_no_room() {
    let place = Place::open(|builder| builder.max_entries(5)).await;
    fill(&place.store, "k", 2).await;
    let held = std::fs::File::open(place.path().join("usage")).expect("there");
    held.lock().expect("free");
    let error = place.store.write(&key("new"), response("x")).await.expect_err("somebody has the lock");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(place.store.delete(&key("k0")).await.expect("what is deleted is taken off later"));
    drop(held);
    put(&place.store, &key("new"), || response("x")).await;
    assert_eq!(usage(&place.store), truth(&place.path()));
}

/// Puts a file among the entries as another program might: nobody accounts for it.
fn plant(cache: &Path, name: &str) {
    let path = cache.join("responses").join(name);
    std::fs::write(&path, noise(1000)).expect("written");
    let long_ago = SystemTime::now() - Duration::from_secs(1000);
    let file = std::fs::File::options().write(true).open(path).expect("there");
    file.set_times(std::fs::FileTimes::new().set_accessed(long_ago)).expect("set");
}

#[tokio::test]
async fn files_that_others_put_there_are_counted_by_the_next_round() {
    let place = Place::open(|builder| builder.max_entries(10)).await;
    fill(&place.store, "k", 10).await;
    for number in 0..20 {
        plant(&place.path(), &format!("foreign{number}"));
    }
    for number in 0..3 {
        put(&place.store, &key(&format!("new{number}")), || response("x")).await;
    }
    assert_eq!((usage(&place.store), truth(&place.path()).1), (truth(&place.path()), 10));
    assert!(read(&place.store, &key("k9")).await.is_some());
}

#[tokio::test]
async fn many_keys_are_taken_off_though_another_store_has_corrected() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(dir.path(), |b| b.max_entries(1000)).await;
    let second = open(dir.path(), |b| b.max_entries(1000)).await;
    second.clear().await.expect("clearing nothing is a correction, too");
    fill(&second, "k", 300).await;
    let keys: Vec<_> = (0..300).map(|number| key(&format!("k{number}"))).collect();
    assert_eq!(first.bulk_delete(&keys).await.expect("deleted"), 300);
    put(&second, &key("new"), || response("x")).await;
    assert_eq!(usage(&second), truth(&dir.path().join("cache")));
}

#[tokio::test]
async fn an_account_of_another_release_is_left_alone() {
    let place = Place::open(|builder| builder.max_entries(5)).await;
    fill(&place.store, "k", 2).await;
    let (dir, path) = (place.dir, place.store.directory().join("usage"));
    quiet(place.store).await;
    let mut record = std::fs::read(&path).expect("there");
    record[8] = 2;
    let sum = crc32fast::hash(&record[..124]);
    record[124..].copy_from_slice(&sum.to_le_bytes());
    std::fs::write(&path, &record).expect("written");
    let limited = FileStore::builder(dir.path().join("cache"), larder_codec::default_codecs()).max_entries(5);
    assert_eq!(limited.open().await.expect_err("it cannot account").kind(), ErrorKind::Unsupported);
    let unlimited = open(dir.path(), |b| b).await;
    fill(&unlimited, "k", 3).await;
    assert_eq!(std::fs::read(&path).expect("there"), record);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_use_of_an_entry_is_written_nowhere_else() {
    let place = Place::open(|builder| builder.max_entries(5)).await;
    fill(&place.store, "k", 1).await;
    let elsewhere = place.dir.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("new");
    let other = elsewhere.join("k0");
    std::fs::write(&other, "somebody's").expect("written");
    let file = std::fs::File::options().write(true).open(&other).expect("there");
    let accessed = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    file.set_times(std::fs::FileTimes::new().set_accessed(accessed)).expect("set");
    used_ago(&place, &key("k0"), 100);
    read(&place.store, &key("k0")).await.expect("a hit, which is written down at once");
    let is_noted = async || {
        let used = std::fs::metadata(place.entry(&key("k0"))).expect("there").accessed().expect("kept");
        used.elapsed().is_ok_and(|ago| ago < Duration::from_secs(90))
    };
    eventually("the use is written down", is_noted).await;
    read(&place.store, &key("k0")).await.expect("a hit, which is noted");
    std::fs::rename(place.path().join("responses"), place.dir.path().join("aside")).expect("ours");
    std::os::unix::fs::symlink(&elsewhere, place.path().join("responses")).expect("made");
    quiet(place.store).await;
    assert_eq!(std::fs::metadata(&other).expect("there").accessed().expect("kept"), accessed);
}

#[cfg(all(target_os = "linux", feature = "fault-injection"))]
#[tokio::test]
async fn an_entry_is_in_the_account_of_the_directory_that_it_is_published_in() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use larder_file::{FaultPlan, Op};

    let dir = tempfile::tempdir().expect("a directory");
    let cache = dir.path().join("cache");
    let (armed, removed) = (Arc::new(AtomicBool::new(false)), cache.clone());
    let is_armed = Arc::clone(&armed);
    // Somebody removes the cache between the making of a file and its publication.
    let plan = FaultPlan::new(move |call| {
        if call.op == Op::SetTimes && is_armed.swap(false, Ordering::SeqCst) {
            std::fs::remove_dir_all(&removed).expect("there");
        }
        None
    });
    let store = open(dir.path(), |b| b.faults(plan).max_entries(4)).await;
    fill(&store, "k", 2).await;
    armed.store(true, Ordering::SeqCst);
    put(&store, &key("new"), || response("x")).await;
    assert!(!armed.load(Ordering::SeqCst));
    assert_eq!((usage(&store), truth(&cache).1), (truth(&cache), 1));
}
