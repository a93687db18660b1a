//! Bounded caches: the limits hold at every instant, and what was used lately stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use larder_core::{Body, CacheKey, CachedResponse, Error, ErrorKind, ResponseStore, Result, Timestamp};
use larder_file::{FanOut, FileStore, FileStoreBuilder, Limits, Pruned};
use proptest::prelude::*;

use crate::support::{Place, head, key, noise, open, read, response};

/// How many bytes the file of an entry has with a body of `len`.
pub(crate) async fn file_len(len: usize) -> u64 {
    let place = Place::new().await;
    put(&place.store, &key("k0"), || response(noise(len))).await;
    std::fs::metadata(place.entry(&key("k0"))).expect("there").len()
}

/// What is among the entries of a cache directory: bytes and entries.
pub(crate) fn truth(cache: &Path) -> (u64, u64) {
    let (mut bytes, mut entries) = (0, 0);
    let mut dirs = vec![cache.join("responses")];
    while let Some(dir) = dirs.pop() {
        for listed in std::fs::read_dir(dir).expect("there") {
            let path = listed.expect("listed").path();
            // What goes while this looks is not there any more.
            let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                dirs.push(path);
            } else {
                bytes += metadata.len();
                entries += 1;
            }
        }
    }
    (bytes, entries)
}

pub(crate) fn usage(store: &FileStore) -> (u64, u64) {
    let stats = store.stats();
    (stats.bytes.expect("counted"), stats.entries.expect("counted"))
}

/// Returns whether a writer gave up waiting, as it may on a machine that is busy.
fn is_impatience(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::Unavailable)
}

/// Writes an entry, again if need be.
pub(crate) async fn put(store: &FileStore, key: &CacheKey, make: impl Fn() -> CachedResponse) {
    for _ in 0..100 {
        match store.write(key, make()).await {
            Err(error) if is_impatience(&error) => {}
            written => return written.expect("written"),
        }
    }
    panic!("there is no room for {key}");
}

/// Waits until what a store does in the background is done.
pub(crate) async fn quiet(store: FileStore) {
    store.close().await.expect("closed");
}

/// Sets when the entry was last used: so many seconds ago.
pub(crate) fn used_ago(place: &Place, key: &CacheKey, seconds: u64) {
    let used = SystemTime::now() - Duration::from_secs(seconds);
    let file = std::fs::File::options().write(true).open(place.entry(key)).expect("there");
    file.set_times(std::fs::FileTimes::new().set_accessed(used)).expect("set");
}

async fn keys(store: &FileStore) -> Vec<String> {
    let mut keys: Vec<_> =
        store.keys().map_ok(|key| key.as_str().to_owned()).try_collect().await.expect("listed");
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn the_least_recently_used_entry_makes_room() {
    for portable in [false, true] {
        let place = Place::open(|builder| builder.portable(portable).max_entries(4)).await;
        for (number, ago) in [(0, 40), (1, 50), (2, 30), (3, 20)] {
            put(&place.store, &key(&format!("k{number}")), || response("x")).await;
            used_ago(&place, &key(&format!("k{number}")), ago);
        }
        put(&place.store, &key("k4"), || response("x")).await;
        assert_eq!(keys(&place.store).await, ["k0", "k2", "k3", "k4"]);
        assert!(read(&place.store, &key("k0")).await.is_some(), "a use");
        put(&place.store, &key("k5"), || response("x")).await;
        assert_eq!(keys(&place.store).await, ["k0", "k3", "k4", "k5"], "what was touched survives");
        assert_eq!(usage(&place.store).1, 4);
        assert_eq!(place.store.stats().evicted, 2);
    }
}

#[tokio::test]
async fn a_use_is_known_to_other_stores_once_it_is_written_down() {
    let place = Place::open(|builder| builder.max_entries(2)).await;
    for name in ["old", "new"] {
        put(&place.store, &key(name), || response("x")).await;
    }
    used_ago(&place, &key("old"), 100);
    used_ago(&place, &key("new"), 50);
    let other = open(place.dir.path(), |builder| builder).await;
    read(&other, &key("old")).await.expect("a hit in a store without limits");
    quiet(other).await;
    put(&place.store, &key("newer"), || response("x")).await;
    assert_eq!(keys(&place.store).await, ["newer", "old"]);
}

#[tokio::test]
async fn a_replacement_in_a_full_cache_evicts_nobody() {
    let len = file_len(1000).await;
    for portable in [false, true] {
        let place = Place::open(|b| b.portable(portable).max_entries(10).max_total_bytes(10 * len)).await;
        for number in 0..10 {
            put(&place.store, &key(&format!("k{number}")), || response(noise(1000))).await;
        }
        assert_eq!(usage(&place.store), (10 * len, 10));
        for number in 0..10 {
            let k = key(&format!("k{number}"));
            put(&place.store, &k, || response(noise(999))).await;
            put(&place.store, &k, || response(noise(1000))).await;
            let revision = place.store.read_head(&k).await.expect("read").expect("there").revision;
            assert!(place.store.update_head(&k, &revision, head()).await.expect("the same head"));
        }
        assert_eq!(place.store.stats().evicted, 0);
        assert_eq!((usage(&place.store), truth(&place.path())), ((10 * len, 10), (10 * len, 10)));
        put(&place.store, &key("k3"), || response(noise(1001))).await;
        assert_eq!(place.store.stats().evicted, 1);
        assert_eq!(truth(&place.path()).1, 9);
        quiet(place.store).await;
    }
}

#[tokio::test]
async fn a_new_head_that_is_longer_makes_room() {
    let len = file_len(1000).await;
    let place = Place::open(|b| b.max_total_bytes(3 * len)).await;
    for number in 0..3 {
        put(&place.store, &key(&format!("k{number}")), || response(noise(1000))).await;
        used_ago(&place, &key(&format!("k{number}")), 100 - number);
    }
    let k = key("k2");
    let revision = place.store.read_head(&k).await.expect("read").expect("there").revision;
    let mut longer = head();
    longer.reason = Some("a longer reason".to_owned());
    assert!(place.store.update_head(&k, &revision, longer).await.expect("room is made"));
    assert_eq!(keys(&place.store).await, ["k1", "k2"]);
    assert_eq!(usage(&place.store), truth(&place.path()));
}

#[tokio::test]
async fn an_entry_that_can_never_fit_is_too_large_and_evicts_nobody() {
    let place = Place::open(|builder| builder.max_total_bytes(50_000)).await;
    put(&place.store, &key("small"), || response("x")).await;
    let error = place.store.write(&key("large"), response(noise(60_000))).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(read(&place.store, &key("small")).await.is_some());
}

/// A body of unknown length that counts how much of it was taken.
pub(crate) fn endless(taken: &std::sync::Arc<std::sync::atomic::AtomicU64>) -> Body {
    let taken = std::sync::Arc::clone(taken);
    let chunk = noise(64 * 1024);
    Body::from_stream(futures_util::stream::repeat_with(move || {
        taken.fetch_add(chunk.len() as u64, std::sync::atomic::Ordering::SeqCst);
        Ok::<Bytes, std::io::Error>(chunk.clone())
    }))
}

#[tokio::test]
async fn a_streamed_entry_is_given_up_as_soon_as_it_is_too_long() {
    let limits: [fn(FileStoreBuilder) -> FileStoreBuilder; 2] =
        [|b| b.max_entry_bytes(2 << 20), |b| b.max_total_bytes(2 << 20)];
    for limit in limits {
        let place = Place::open(limit).await;
        put(&place.store, &key("k"), || response("stays")).await;
        let taken = std::sync::Arc::default();
        let error = place.store.write(&key("k"), response(endless(&taken))).await.expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(taken.load(std::sync::atomic::Ordering::SeqCst) < 4 << 20, "it was not read to its end");
        assert_eq!(read(&place.store, &key("k")).await.expect("the previous entry"), "stays");
        assert_eq!(std::fs::read_dir(place.path().join("tmp")).expect("there").count(), 0);
    }
}

#[tokio::test]
async fn what_is_removed_makes_room() {
    let place = Place::open(|builder| builder.max_entries(6)).await;
    let store = &place.store;
    let fill = async |names: &[&str]| {
        for name in names {
            let expires_at = name.starts_with("brief").then_some(Timestamp::from_millis(1_000));
            let make = || {
                let mut response = response("x");
                response.head.expires_at = expires_at;
                response
            };
            put(store, &key(name), make).await;
        }
    };
    fill(&["a", "b", "c", "d", "brief", "broken"]).await;
    assert!(store.delete(&key("a")).await.expect("deleted"));
    assert_eq!(store.bulk_delete(&[key("b"), key("c"), key("none")]).await.expect("deleted"), 2);
    assert_eq!(usage(store), truth(&place.path()));
    assert_eq!(store.delete_expired(Timestamp::from_millis(2_000)).await.expect("purged"), 1);
    assert_eq!(usage(store), truth(&place.path()));
    let bytes = std::fs::read(place.entry(&key("broken"))).expect("there");
    std::fs::write(place.entry(&key("broken")), [&bytes[..90], &[bytes[90] ^ 1], &bytes[91..]].concat())
        .expect("damaged");
    assert!(read(store, &key("broken")).await.is_none());
    assert_eq!((usage(store), truth(&place.path()).1), (truth(&place.path()), 1));
    fill(&["a", "b", "c", "e", "f"]).await;
    assert_eq!(store.stats().evicted, 0);
    store.clear().await.expect("cleared");
    assert_eq!(usage(store), (0, 0));
    fill(&["a", "b", "c", "d", "e", "f"]).await;
    assert_eq!((usage(store), store.stats().evicted), (truth(&place.path()), 0));
}

#[tokio::test]
async fn two_stores_on_one_directory_keep_one_account() {
    let len = file_len(1000).await;
    let dir = tempfile::tempdir().expect("a directory");
    let limited = open(dir.path(), |b| b.max_total_bytes(6 * len)).await;
    let unlimited = open(dir.path(), |b| b).await;
    let stores = [&limited, &unlimited];
    for number in 0..6 {
        let k = key(&format!("k{number}"));
        put(stores[number % 2], &k, || response(noise(1000))).await;
    }
    put(&limited, &key("k6"), || response(noise(1000))).await;
    assert_eq!(truth(&dir.path().join("cache")), (6 * len, 6));
    put(&unlimited, &key("k7"), || response(noise(1000))).await;
    assert_eq!(truth(&dir.path().join("cache")), (7 * len, 7));
    put(&limited, &key("k8"), || response(noise(1000))).await;
    assert_eq!(truth(&dir.path().join("cache")), (6 * len, 6));
    assert_eq!(usage(&limited), (6 * len, 6));
}

#[tokio::test]
async fn a_cache_that_was_there_before_its_limits_is_counted_and_cut() {
    for fan_out in [FanOut::Flat, FanOut::Wide] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path(), |b| b.fan_out(fan_out)).await;
        for number in 0..50 {
            put(&store, &key(&format!("k{number}")), || response(noise(1000))).await;
        }
        assert_eq!(store.stats().entries, None);
        assert!(!dir.path().join("cache/usage").exists(), "nobody accounts without limits");
        quiet(store).await;

        let store = open(dir.path(), |b| b.max_entries(20)).await;
        put(&store, &key("new"), || response(noise(1000))).await;
        assert!(truth(&dir.path().join("cache")).1 <= 20);
        assert_eq!(usage(&store), truth(&dir.path().join("cache")));
        assert!(read(&store, &key("new")).await.is_some());
        quiet(store).await;
    }
}

#[tokio::test]
async fn damage_to_the_usage_is_counted_anew() {
    for damage in [&b"not a usage"[..], &[], &[0; 128], &[0xff; 4096]] {
        let place = Place::open(|builder| builder.max_entries(5)).await;
        for number in 0..5 {
            put(&place.store, &key(&format!("k{number}")), || response("x")).await;
        }
        std::fs::write(place.path().join("usage"), damage).expect("damaged");
        put(&place.store, &key("new"), || response("x")).await;
        assert_eq!((usage(&place.store), truth(&place.path()).1), (truth(&place.path()), 5));
    }
}

#[tokio::test]
async fn a_usage_that_says_too_much_is_corrected_before_anybody_goes() {
    let place = Place::open(|builder| builder.max_entries(5)).await;
    for number in 0..5 {
        put(&place.store, &key(&format!("k{number}")), || response("x")).await;
    }
    // Somebody else deletes files; a writer that dies between its reservation and its entry leaves the same.
    for number in 0..3 {
        std::fs::remove_file(place.entry(&key(&format!("k{number}")))).expect("there");
    }
    put(&place.store, &key("k5"), || response("x")).await;
    put(&place.store, &key("k6"), || response("x")).await;
    assert_eq!(keys(&place.store).await, ["k3", "k4", "k5", "k6"], "nobody had to go");
    assert_eq!(usage(&place.store), truth(&place.path()));
}

#[tokio::test]
async fn options_that_contradict_each_other_are_refused() {
    let refused: [fn(FileStoreBuilder) -> FileStoreBuilder; 4] = [
        |b| b.max_total_bytes(0),
        |b| b.max_entries(0),
        |b| b.max_entry_bytes(0),
        |b| b.max_entry_bytes(1001).max_total_bytes(1000),
    ];
    for options in refused {
        let dir = tempfile::tempdir().expect("a directory");
        let builder = options(FileStore::builder(dir.path().join("cache"), larder_codec::default_codecs()));
        assert_eq!(builder.open().await.expect_err("refused").kind(), ErrorKind::Configuration);
        assert!(!dir.path().join("cache").exists());
    }
}

/// A cache that is too large to be looked at in one go.
#[tokio::test]
async fn of_many_entries_those_that_go_are_among_the_oldest() {
    const ENTRIES: u64 = 3000;
    for fan_out in [FanOut::Flat, FanOut::Wide] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path(), |b| b.fan_out(fan_out)).await;
        let now = SystemTime::now();
        for number in 0..ENTRIES {
            let k = key(&format!("k{number}"));
            put(&store, &k, || response("x")).await;
            let file = std::fs::File::options().write(true).open(store.path_of(&k)).expect("there");
            let used = now - Duration::from_secs(10_000 - number);
            file.set_times(std::fs::FileTimes::new().set_accessed(used)).expect("set");
        }
        quiet(store).await;
        let store = open(dir.path(), |b| b.max_entries(2500)).await;
        put(&store, &key("new"), || response("x")).await;
        quiet(store).await;
        let store = open(dir.path(), |b| b).await;
        let left = keys(&store).await;
        assert!((2000..=2500).contains(&left.len()), "{} are left", left.len());
        let number = |key: &String| key.strip_prefix('k').and_then(|number| number.parse().ok());
        let mut gone: std::collections::BTreeSet<u64> = (0..ENTRIES).collect();
        for kept in left.iter().filter_map(number) {
            gone.remove(&kept);
        }
        assert!(gone.last().is_some_and(|youngest| *youngest < ENTRIES * 2 / 5), "{:?}", gone.last());
    }
}

#[tokio::test]
async fn who_stopped_while_it_evicted_holds_nobody_up() {
    let place = Place::open(|builder| builder.max_entries(3)).await;
    for number in 0..3 {
        put(&place.store, &key(&format!("k{number}")), || response("x")).await;
    }
    let options = || std::fs::File::options().create(true).write(true).truncate(false).to_owned();
    let held = options().open(place.path().join("locks/evict")).expect("ours");
    held.lock().expect("free");
    put(&place.store, &key("new"), || response("x")).await;
    assert_eq!((usage(&place.store), truth(&place.path()).1), (truth(&place.path()), 3));
    // Where the locks of all entries are held, none of them can go.
    let stripes: Vec<_> = (0..64)
        .map(|stripe| {
            let file = options().open(place.path().join(format!("locks/{stripe:02x}"))).expect("ours");
            file.lock().expect("free");
            file
        })
        .collect();
    let error = place.store.write(&key("newer"), response("x")).await.expect_err("nobody can go");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    drop(stripes);
    put(&place.store, &key("newer"), || response("x")).await;
}

#[tokio::test]
async fn many_writers_never_exceed_the_limits() {
    let len = file_len(5000).await;
    let limit = 40 * len;
    let dir = tempfile::tempdir().expect("a directory");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store =
            open(dir.path(), |b| b.max_total_bytes(limit).max_entries(40).portable(writer == 3)).await;
        writers.spawn(async move {
            let (mut written, mut refused) = (0, 0);
            for number in 0..60 {
                // Some are replaced by several at the same time.
                let k = key(&format!("k{}", (writer * 37 + number * 7) % 97));
                match store.write(&k, response(noise(5000 - number % 3))).await {
                    Ok(()) => written += 1,
                    Err(error) if is_impatience(&error) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            quiet(store).await;
            (written, refused)
        });
    }
    let mut written = 0;
    while let Some(done) = writers.join_next().await {
        let (some, _) = done.expect("no panic");
        written += some;
    }
    // While somebody writes, the files cannot be seen all at one instant.
    let (bytes, entries) = truth(&dir.path().join("cache"));
    assert!(bytes <= limit && entries <= 40, "{bytes} of {limit} bytes, {entries} entries");
    assert!(written > 40, "{written} were written");
    let store = open(dir.path(), |b| b.max_total_bytes(limit)).await;
    // What is taken off while a walk corrects the usage is left to the next one.
    let (said, found) = (usage(&store), truth(&dir.path().join("cache")));
    assert!(said.0 >= found.0 && said.1 >= found.1, "{said:?} of {found:?}");
}

#[tokio::test]
async fn pruning_evicts_the_oldest_and_says_how_far_it_is() {
    for options in [|b| b, |b: FileStoreBuilder| b.max_entries(1000).portable(true)] {
        let place = Place::open(options).await;
        for number in 0..20_u64 {
            let k = key(&format!("k{number:02}"));
            put(&place.store, &k, || response(noise(1000))).await;
            used_ago(&place, &k, 1000 - 10 * number);
        }
        let len = truth(&place.path()).0 / 20;
        let mut seen = Vec::new();
        let limits = Limits::default().max_total_bytes(5 * len);
        let pruned = place.store.prune(limits, |so_far: &Pruned| seen.push(*so_far)).await.expect("pruned");
        assert_eq!((pruned.evicted, pruned.evicted_bytes), (15, 15 * len));
        assert_eq!((pruned.bytes, pruned.entries), truth(&place.path()));
        assert_eq!(seen.last(), Some(&pruned));
        assert_eq!(keys(&place.store).await, ["k15", "k16", "k17", "k18", "k19"]);
        assert_eq!(place.store.stats().entries.unwrap_or(5), 5);
        let again = place.store.prune(Limits::default().max_entries(0), |_| {}).await.expect("pruned");
        assert_eq!((again.evicted, again.entries, truth(&place.path())), (5, 0, (0, 0)));
    }
}

/// What may be done to a bounded store.
#[derive(Debug, Clone)]
enum Op {
    Write { key: u8, len: usize, brief: bool },
    UpdateHead { key: u8, reason: usize },
    Read(u8),
    Delete(u8),
    BulkDelete(u8, u8),
    Clear,
    Purge,
    Prune(u64),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0..12_u8, 0..3000_usize, any::<bool>()).prop_map(|(key, len, brief)| Op::Write { key, len, brief }),
        3 => (0..12_u8, 0..300_usize).prop_map(|(key, reason)| Op::UpdateHead { key, reason }),
        4 => (0..12_u8).prop_map(Op::Read),
        2 => (0..12_u8).prop_map(Op::Delete),
        1 => (0..12_u8, 0..12_u8).prop_map(|(a, b)| Op::BulkDelete(a, b)),
        1 => Just(Op::Clear),
        1 => Just(Op::Purge),
        1 => (0..8_u64).prop_map(Op::Prune),
        1 => Just(Op::Reopen),
    ]
}

async fn perform(store: &FileStore, op: &Op, model: &mut BTreeMap<u8, usize>) -> Result<()> {
    let name = |key: u8| self::key(&format!("k{key}"));
    match op {
        Op::Write { key, len, brief } => {
            let mut head = head();
            head.expires_at = brief.then_some(Timestamp::from_millis(1_000));
            let written = store.write(&name(*key), CachedResponse::new(head, noise(*len))).await;
            if written.is_ok() {
                model.insert(*key, *len);
            }
            written
        }
        Op::UpdateHead { key, reason } => {
            let Some(old) = store.read_head(&name(*key)).await? else { return Ok(()) };
            let mut head = old.head;
            head.reason = Some("x".repeat(*reason));
            store.update_head(&name(*key), &old.revision, head).await.map(drop)
        }
        Op::Read(key) => store.read(&name(*key)).await.map(drop),
        Op::Delete(key) => store.delete(&name(*key)).await.map(drop),
        Op::BulkDelete(a, b) => store.bulk_delete(&[name(*a), name(*b)]).await.map(drop),
        Op::Clear => store.clear().await,
        Op::Purge => store.delete_expired(Timestamp::from_millis(2_000)).await.map(drop),
        Op::Prune(entries) => store.prune(Limits::default().max_entries(*entries), |_| {}).await.map(drop),
        Op::Reopen => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn after_every_operation_the_limits_hold_and_the_usage_is_true(
        ops in proptest::collection::vec(op(), 1..60),
        bytes in 2_000..12_000_u64,
        entries in 1..8_u64,
        portable in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let dir = tempfile::tempdir().expect("a directory");
            let options = |b: FileStoreBuilder| b.max_total_bytes(bytes).max_entries(entries).portable(portable);
            let mut store = open(dir.path(), options).await;
            let mut model = BTreeMap::new();
            for op in &ops {
                if matches!(op, Op::Reopen) {
                    quiet(store).await;
                    store = open(dir.path(), options).await;
                }
                // A machine that is busy may refuse what it would have room for: the same again.
                for attempt in 0..20 {
                    match perform(&store, op, &mut model).await {
                        Ok(()) => break,
                        Err(error) if error.kind() == ErrorKind::TooLarge => break,
                        Err(error) => assert!(attempt < 19 && is_impatience(&error), "{op:?}: {error}"),
                    }
                }
                let found = truth(&dir.path().join("cache"));
                assert!(found.0 <= bytes && found.1 <= entries, "{op:?}: {found:?} of {bytes}, {entries}");
                assert_eq!(usage(&store), found, "{op:?}");
            }
            let left: Vec<_> = store.values().collect().await;
            for found in left {
                let (key, mut response) = found.expect("whole");
                let number: u8 = key.as_str()[1..].parse().expect("ours");
                assert_eq!(response.bytes().await.expect("whole"), noise(model[&number]));
            }
        });
    }
}
