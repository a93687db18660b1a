//! Reads beside changes: whatever overlaps, what is read after a change has returned is what it left.

use std::sync::Arc;
use std::time::Duration;

use larder_core::{CacheKey, ResponseStore, Timestamp};
use larder_tier::MemoryTier;
use tokio::task::JoinHandle;

use crate::watched::{At, Watched};
use crate::{NOW, body, key, response, tier};

/// A change of the entry `a`, through the tier.
#[derive(Debug, Clone, Copy)]
enum Change {
    Write,
    UpdateHead,
    Delete,
    BulkDelete,
    BulkDeleteOfMany,
    Clear,
    DeleteExpired,
}

const CHANGES: [Change; 7] = [
    Change::Write,
    Change::UpdateHead,
    Change::Delete,
    Change::BulkDelete,
    Change::BulkDeleteOfMany,
    Change::Clear,
    Change::DeleteExpired,
];

impl Change {
    fn operation(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::UpdateHead => "update_head",
            Self::Delete => "delete",
            Self::BulkDelete | Self::BulkDeleteOfMany => "bulk_delete",
            Self::Clear => "clear",
            Self::DeleteExpired => "delete_expired",
        }
    }

    async fn make(self, tier: &MemoryTier, store: &Watched) {
        match self {
            Self::Write => tier.write(&key("a"), response("new")).await,
            Self::UpdateHead => {
                let stored = store.inner.read_head(&key("a")).await.expect("memory").expect("an entry");
                let mut head = stored.head;
                head.reason = Some("Updated".into());
                tier.update_head(&key("a"), &stored.revision, head).await.map(|updated| assert!(updated))
            }
            Self::Delete => tier.delete(&key("a")).await.map(drop),
            Self::BulkDelete => tier.bulk_delete(&[key("a"), key("b"), key("a")]).await.map(drop),
            Self::BulkDeleteOfMany => {
                let keys: Vec<CacheKey> =
                    (0..2_000).map(|at| key(&format!("k{at}"))).chain([key("a")]).collect();
                tier.bulk_delete(&keys).await.map(drop)
            }
            Self::Clear => tier.clear().await,
            Self::DeleteExpired => tier.delete_expired(NOW).await.map(drop),
        }
        .expect("the store does not fail");
    }

    fn spawn(self, tier: &Arc<MemoryTier>, store: &Arc<Watched>) -> JoinHandle<()> {
        let (tier, store) = (Arc::clone(tier), Arc::clone(store));
        tokio::spawn(async move { self.make(&tier, &store).await })
    }
}

/// What tells the entry before a change from the one after it.
type Seen = Option<(bytes::Bytes, Option<String>)>;

async fn seen(store: &dyn ResponseStore) -> Seen {
    let response = store.read(&key("a")).await.expect("the store does not fail")?;
    let reason = response.head.reason.clone();
    Some((response.body.bytes().await.expect("the body is in memory"), reason))
}

fn spawn_read(tier: &Arc<MemoryTier>) -> JoinHandle<Seen> {
    let tier = Arc::clone(tier);
    tokio::spawn(async move { seen(&*tier).await })
}

/// Fails unless the tier has what the store has, and the same the second time, from memory if it is there.
async fn agree(tier: &MemoryTier, store: &Watched, change: Change) {
    let expected = seen(&store.inner).await;
    assert_ne!(expected, Some(("old".into(), None)), "{change:?} changed the entry");
    for _ in 0..2 {
        assert_eq!(seen(tier).await, expected, "{change:?}");
    }
}

async fn with_an_old_entry() -> (Arc<MemoryTier>, Arc<Watched>) {
    let (tier, store) = tier(Duration::MAX);
    store.inner.write(&key("a"), response("old")).await.expect("memory");
    (tier, store)
}

#[tokio::test]
async fn what_is_in_memory_is_gone_with_the_change() {
    for change in CHANGES {
        let (tier, store) = with_an_old_entry().await;
        let old = seen(&*tier).await;
        assert_eq!(seen(&*tier).await, old);
        assert_eq!(store.asked(), ["read"], "the second read is from memory");
        change.make(&tier, &store).await;
        agree(&tier, &store, change).await;
    }
}

#[tokio::test]
async fn a_read_around_a_change_leaves_nothing_behind() {
    for change in CHANGES {
        let (tier, store) = with_an_old_entry().await;
        let stop = store.stop("read", At::End);
        let read = spawn_read(&tier);
        let go = stop.arrived().await;
        change.make(&tier, &store).await;
        go.send(()).expect("it waits");
        assert_eq!(read.await.expect("no panic"), Some(("old".into(), None)), "it began before the change");
        agree(&tier, &store, change).await;
    }
}

#[tokio::test]
async fn a_read_within_a_change_leaves_nothing_behind() {
    for change in CHANGES {
        for at in [At::Start, At::End] {
            let (tier, store) = with_an_old_entry().await;
            let stop = store.stop(change.operation(), at);
            let changing = change.spawn(&tier, &store);
            let go = stop.arrived().await;
            let now = seen(&store.inner).await;
            assert_eq!(seen(&*tier).await, now, "what the store has, at the {at:?} of {change:?}");
            go.send(()).expect("it waits");
            changing.await.expect("no panic");
            agree(&tier, &store, change).await;
        }
    }
}

#[tokio::test]
async fn a_read_that_ends_while_a_change_runs_leaves_nothing_behind() {
    for change in CHANGES {
        let (tier, store) = with_an_old_entry().await;
        let stop_read = store.stop("read", At::End);
        let read = spawn_read(&tier);
        let go_read = stop_read.arrived().await;
        let stop_change = store.stop(change.operation(), At::Start);
        let changing = change.spawn(&tier, &store);
        let go_change = stop_change.arrived().await;
        go_read.send(()).expect("it waits");
        read.await.expect("no panic");
        go_change.send(()).expect("it waits");
        changing.await.expect("no panic");
        agree(&tier, &store, change).await;
    }
}

#[tokio::test]
async fn a_read_that_begins_while_a_change_runs_leaves_nothing_behind() {
    for change in CHANGES {
        let (tier, store) = with_an_old_entry().await;
        let stop_change = store.stop(change.operation(), At::Start);
        let changing = change.spawn(&tier, &store);
        let go_change = stop_change.arrived().await;
        let stop_read = store.stop("read", At::End);
        let read = spawn_read(&tier);
        let go_read = stop_read.arrived().await;
        go_change.send(()).expect("it waits");
        changing.await.expect("no panic");
        go_read.send(()).expect("it waits");
        read.await.expect("no panic");
        agree(&tier, &store, change).await;
    }
}

#[tokio::test]
async fn a_check_around_a_change_leaves_nothing_behind() {
    for change in CHANGES {
        let (tier, store) = tier(Duration::ZERO);
        store.inner.write(&key("a"), response("old")).await.expect("memory");
        seen(&*tier).await;
        let stop = store.stop("read_head", At::End);
        let read = spawn_read(&tier);
        let go = stop.arrived().await;
        change.make(&tier, &store).await;
        go.send(()).expect("it waits");
        assert_eq!(read.await.expect("no panic"), Some(("old".into(), None)), "it began before the change");
        agree(&tier, &store, change).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_goes_on_after_it_was_dropped_is_seen() {
    for change in CHANGES {
        let (tier, store) = with_an_old_entry().await;
        let stop = store.stop(change.operation(), At::Start);
        let changing = change.spawn(&tier, &store);
        let _go = stop.arrived().await;
        changing.abort();
        assert!(changing.await.expect_err("aborted").is_cancelled());
        assert_eq!(seen(&*tier).await, Some(("old".into(), None)));
        assert_eq!(seen(&*tier).await, Some(("old".into(), None)), "{change:?} had no effect so far");

        // What a thread of the store would do now, of which the tier hears nothing.
        let elsewhere = MemoryTier::builder(Arc::new(store.inner.clone())).build().expect("consistent");
        change.make(&elsewhere, &store).await;
        agree(&tier, &store, change).await;

        store.asked();
        seen(&*tier).await;
        assert_ne!(store.asked(), [""; 0], "every hit is checked for a minute");
        store.inner.write(&key("a"), response("later")).await.expect("memory");
        tokio::time::advance(Duration::from_secs(61)).await;
        seen(&*tier).await;
        store.asked();
        assert_eq!(seen(&*tier).await, Some(("later".into(), None)));
        assert_eq!(store.asked(), [""; 0], "{change:?} is over, and checked");
    }
}

#[tokio::test]
async fn a_change_leaves_the_other_entries_in_memory() {
    for change in
        [Change::Write, Change::UpdateHead, Change::Delete, Change::BulkDelete, Change::BulkDeleteOfMany]
    {
        let (tier, store) = with_an_old_entry().await;
        store.inner.write(&key("other"), response("other")).await.expect("memory");
        body(&*tier, "other").await;
        let stop = store.stop(change.operation(), At::Start);
        let changing = change.spawn(&tier, &store);
        let go = stop.arrived().await;
        store.asked();
        assert_eq!(body(&*tier, "other").await, Some("other".into()));
        go.send(()).expect("it waits");
        changing.await.expect("no panic");
        assert_eq!(body(&*tier, "other").await, Some("other".into()));
        assert_eq!(store.asked(), [""; 0], "{change:?}");
    }
}

#[tokio::test]
async fn a_purge_leaves_in_memory_what_it_does_not_delete() {
    let (tier, store) = with_an_old_entry().await;
    let mut lasting = response("lasting");
    lasting.head.expires_at = Some(Timestamp::MAX);
    store.inner.write(&key("lasting"), lasting).await.expect("memory");
    let mut endless = response("endless");
    endless.head.expires_at = None;
    store.inner.write(&key("endless"), endless).await.expect("memory");
    body(&*tier, "lasting").await;

    let stop = store.stop("delete_expired", At::Start);
    let purging = Change::DeleteExpired.spawn(&tier, &store);
    let go = stop.arrived().await;
    store.asked();
    for _ in 0..2 {
        for name in ["lasting", "endless", "a"] {
            body(&*tier, name).await;
        }
    }
    assert_eq!(store.asked(), ["read"; 3], "one of `endless`, two of what is being deleted");
    go.send(()).expect("it waits");
    purging.await.expect("no panic");
    for name in ["lasting", "endless"] {
        body(&*tier, name).await;
    }
    assert_eq!(store.asked(), [""; 0]);
    assert_eq!(body(&*tier, "a").await, None);
}

#[tokio::test]
async fn a_failed_change_leaves_what_the_store_has() {
    for change in [Change::Write, Change::Delete, Change::BulkDelete, Change::Clear, Change::DeleteExpired] {
        let (tier, store) = with_an_old_entry().await;
        seen(&*tier).await;
        store.fail(true);
        let failed = match change {
            Change::Write => tier.write(&key("a"), response("new")).await.is_err(),
            Change::Delete => tier.delete(&key("a")).await.is_err(),
            Change::BulkDelete => tier.bulk_delete(&[key("a")]).await.is_err(),
            Change::Clear => tier.clear().await.is_err(),
            _ => tier.delete_expired(NOW).await.is_err(),
        };
        assert!(failed, "{change:?}");
        store.fail(false);
        store.asked();
        for _ in 0..2 {
            assert_eq!(seen(&*tier).await, Some(("old".into(), None)));
        }
        assert_eq!(store.asked(), ["read"], "{change:?} is over, and what was read after it is remembered");
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_read_does_not_take_the_place_of_a_newer_one() {
    let (tier, store) = with_an_old_entry().await;
    let stop = store.stop("read", At::End);
    let read = spawn_read(&tier);
    let go = stop.arrived().await;
    tokio::time::advance(Duration::from_millis(1)).await;
    store.inner.write(&key("a"), response("another process's")).await.expect("memory");
    assert_eq!(body(&*tier, "a").await, Some("another process's".into()));
    go.send(()).expect("it waits");
    assert_eq!(read.await.expect("no panic"), Some(("old".into(), None)));
    store.asked();
    assert_eq!(body(&*tier, "a").await, Some("another process's".into()));
    assert_eq!(store.asked(), [""; 0]);
}

#[tokio::test]
async fn a_closed_tier_remembers_nothing() {
    let (tier, store) = with_an_old_entry().await;
    seen(&*tier).await;
    tier.close().await.expect("the store closes");
    assert_eq!(tier.usage().entries, 0);
    seen(&*tier).await;
    assert_eq!((tier.usage().entries, tier.usage().bytes), (0, 0));
    tier.close().await.expect("a second time too");
    assert_eq!(store.asked(), ["read", "close", "read", "close"]);
}

#[tokio::test]
async fn what_is_forgotten_is_read_again() {
    let (tier, store) = with_an_old_entry().await;
    seen(&*tier).await;
    let stop = store.stop("read", At::End);
    tier.forget();
    let read = spawn_read(&tier);
    let go = stop.arrived().await;
    tier.forget();
    go.send(()).expect("it waits");
    read.await.expect("no panic");
    assert_eq!(tier.usage().entries, 0, "a read that began before does not bring it back");
    seen(&*tier).await;
    seen(&*tier).await;
    assert_eq!(store.asked(), ["read"; 3]);
}
