//! Changes behind the tier's back, in time that stands still until a test lets it go on.

use std::time::Duration;

use larder_core::{ErrorKind, ResponseStore};
use tokio::time::advance;

use crate::{body, key, response, tier};

const BOUND: Duration = Duration::from_millis(400);

#[tokio::test(start_paused = true)]
async fn within_the_bound_the_store_is_not_asked() {
    let (tier, store) = tier(BOUND);
    tier.write(&key("a"), response("one")).await.expect("memory");
    assert_eq!(body(&*tier, "a").await, Some("one".into()));
    store.asked();
    advance(Duration::from_millis(399)).await;
    assert_eq!(body(&*tier, "a").await, Some("one".into()));
    assert!(tier.contains(&key("a")).await.expect("memory"));
    let stored = tier.read_head(&key("a")).await.expect("memory").expect("an entry");
    assert_eq!(stored, store.inner.read_head(&key("a")).await.expect("memory").expect("an entry"));
    assert_eq!(store.asked(), [""; 0]);
    let usage = tier.usage();
    assert_eq!((usage.misses, usage.hits, usage.checked), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_an_unchanged_entry_is_checked_and_kept() {
    let (tier, store) = tier(BOUND);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    body(&*tier, "a").await;
    store.asked();
    for (wait, asked) in [(400, &["read_head"][..]), (200, &[]), (200, &["read_head"]), (150, &[])] {
        advance(Duration::from_millis(wait)).await;
        assert_eq!(body(&*tier, "a").await, Some("one".into()));
        assert_eq!(store.asked(), asked, "a check is good for as long as a read");
    }
    assert_eq!((tier.usage().misses, tier.usage().hits, tier.usage().checked), (1, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_entry_in_use_is_read_from_the_store_each_second() {
    let (tier, store) = tier(BOUND);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    for _ in 0..100 {
        body(&*tier, "a").await;
        advance(Duration::from_millis(100)).await;
    }
    let asked = store.asked();
    let reads = asked.iter().filter(|operation| **operation == "read").count();
    assert!((8..=10).contains(&reads), "{reads} reads in ten seconds");
    assert!(asked.len() <= 25, "{} questions in ten seconds", asked.len());
}

#[tokio::test(start_paused = true)]
async fn a_change_behind_the_tier_is_seen_at_the_bound() {
    for bound in [BOUND, Duration::from_secs(3)] {
        let (tier, store) = tier(bound);
        store.inner.write(&key("a"), response("one")).await.expect("memory");
        body(&*tier, "a").await;
        for (change, expected) in [(Some("two"), Some("two")), (None, None), (Some("three"), Some("three"))] {
            match change {
                Some(text) => store.inner.write(&key("a"), response(text)).await.expect("memory"),
                None => drop(store.inner.delete(&key("a")).await.expect("memory")),
            }
            advance(bound).await;
            assert_eq!(body(&*tier, "a").await, expected.map(Into::into));
            assert_eq!(tier.usage().entries, u64::from(expected.is_some()), "what is gone is not kept");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn age_is_reckoned_from_before_the_store_was_asked() {
    let (tier, store) = tier(BOUND);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    let stop = store.stop("read", crate::watched::At::End);
    let read = tokio::spawn({
        let tier = tier.clone();
        async move { body(&*tier, "a").await }
    });
    let go = stop.arrived().await;
    advance(BOUND).await;
    store.inner.write(&key("a"), response("two")).await.expect("memory");
    go.send(()).expect("it waits");
    assert_eq!(read.await.expect("no panic"), Some("one".into()));
    assert_eq!(body(&*tier, "a").await, Some("two".into()), "the first was too old when it came");
}

#[tokio::test(start_paused = true)]
async fn without_a_bound_every_hit_is_checked_and_every_change_seen() {
    let (tier, store) = tier(Duration::ZERO);
    for text in ["one", "two"] {
        store.inner.write(&key("a"), response(text)).await.expect("memory");
        store.asked();
        for _ in 0..3 {
            assert_eq!(body(&*tier, "a").await, Some(text.into()));
            assert!(tier.contains(&key("a")).await.expect("memory"));
        }
        let asked = store.asked();
        assert_eq!(asked.iter().filter(|operation| **operation == "read").count(), 1);
        assert_eq!(asked.iter().filter(|operation| **operation == "contains").count(), 3);
    }
    store.inner.clear().await.expect("memory");
    assert_eq!(body(&*tier, "a").await, None);
}

#[tokio::test(start_paused = true)]
async fn with_an_endless_bound_the_store_is_never_asked_again() {
    let (tier, store) = tier(Duration::MAX);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    body(&*tier, "a").await;
    store.asked();
    advance(Duration::from_hours(10_000)).await;
    assert_eq!(body(&*tier, "a").await, Some("one".into()));
    assert_eq!(store.asked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_not_used() {
    let (tier, store) = tier(BOUND);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    body(&*tier, "a").await;
    store.fail(true);
    assert_eq!(body(&*tier, "a").await, Some("one".into()), "it need not be checked yet");
    for step in [BOUND, Duration::from_secs(2)] {
        advance(step).await;
        assert_eq!(tier.read(&key("a")).await.expect_err("the store fails").kind(), ErrorKind::Io);
    }
    store.fail(false);
    assert_eq!(body(&*tier, "a").await, Some("one".into()));
}

#[tokio::test(start_paused = true)]
async fn misses_are_not_remembered() {
    let (tier, store) = tier(Duration::MAX);
    for _ in 0..2 {
        assert_eq!(body(&*tier, "a").await, None);
    }
    assert_eq!(store.asked(), ["read"; 2]);
    store.inner.write(&key("a"), response("one")).await.expect("memory");
    assert_eq!(body(&*tier, "a").await, Some("one".into()));
}
