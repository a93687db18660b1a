//! What a store counts, it counts rightly; whether it counts entries and bytes at all is its own affair.

use larder_core::StoreStats;

use crate::case::Setup;
use crate::failure::{Verdict, ensure, equal};
use crate::samples::{NOW, Sample, Store, at, key, noise};

/// The operations that add, replace and remove entries, each of which leaves at least one but the last two.
const STEPS: usize = 9;

/// Carries out one step; the steps before it were carried out.
async fn step(store: &Store, step: usize) -> Verdict {
    let large = Sample::with_body("large", noise(150_000, step));
    match step {
        0 => store.write(&key("a"), Sample::new("a").response()).await?,
        1 => store.write(&key("b"), large.response()).await?,
        2 => store.write(&key("c"), large.streamed(10_000)).await?,
        3 => store.write(&key("b"), Sample::expiring("b", Some(NOW)).response()).await?,
        4 => {
            let Some(stored) = store.read_head(&key("a")).await? else { return Ok(()) };
            store.update_head(&key("a"), &stored.revision, large.head).await.map(drop)?;
        }
        5 => store.delete(&key("c")).await.map(drop)?,
        6 => store.delete_expired(at(1)).await.map(drop)?,
        7 => store.bulk_delete(&[key("a"), key("b")]).await.map(drop)?,
        _ => {
            store.write(&key("d"), large.response()).await?;
            store.clear().await?;
        }
    }
    Ok(())
}

pub(crate) async fn counts_never_go_back(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let mut before = store.stats();
    let mut look = |now: StoreStats| {
        let forwards = now.evicted >= before.evicted && now.damaged >= before.damaged;
        let seen = format_args!("{now:?} after {before:?}").to_string();
        before = now;
        ensure(forwards, "a count never goes back", seen)
    };
    for number in 0..STEPS {
        step(&store, number).await?;
        look(store.stats()).map_err(|failure| failure.with(format_args!("step {number}")))?;
    }
    store.close().await?;
    look(store.stats())
}

pub(crate) async fn what_was_asked_for_is_not_counted_as_an_eviction(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for number in 0..STEPS {
        step(&store, number).await?;
    }
    let StoreStats { evicted, damaged, .. } = store.stats();
    equal(evicted, 0, "entries that were deleted or replaced are not evicted")?;
    equal(damaged, 0, "whole entries are not damaged")
}

pub(crate) async fn the_size_that_is_told_is_the_size(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for number in 0..STEPS {
        step(&store, number).await?;
        let (StoreStats { entries, bytes, .. }, size) = (store.stats(), store.size().await?);
        let told = || {
            equal(entries.unwrap_or(size), size, "stats tells as many entries as size")?;
            let none = bytes.map_or(size == 0, |bytes| bytes == 0);
            equal(none, size == 0, "no entries take no bytes, and entries take some")
        };
        told().map_err(|failure| failure.with(format_args!("step {number}")))?;
    }
    Ok(())
}

pub(crate) async fn the_bytes_that_are_told_come_and_go_with_entries(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (large, small) = (Sample::with_body("k", noise(150_000, 1)), Sample::new("k"));
    store.write(&key("other"), Sample::new("other").response()).await?;
    let Some(first) = store.stats().bytes else { return Ok(()) };
    store.write(&key("k"), large.response()).await?;
    let with = store.stats().bytes.unwrap_or_default();
    let seen = format_args!("{first}, and {with} with 150,000 more").to_string();
    ensure(
        with >= first + 150_000,
        "the bytes of an entry that no compression makes shorter are told",
        seen,
    )?;
    store.write(&key("k"), small.response()).await?;
    let replaced = store.stats().bytes.unwrap_or_default();
    let seen = format_args!("{replaced}, and {with} before").to_string();
    ensure(replaced + 100_000 < with, "what was replaced takes no bytes", seen)?;
    store.delete(&key("k")).await?;
    equal(store.stats().bytes, Some(first), "what was deleted takes no bytes")
}

pub(crate) async fn what_is_there_is_within_the_limits_that_are_told(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let StoreStats { max_entries, max_bytes, .. } = store.stats();
    for number in 0..STEPS {
        step(&store, number).await?;
        let now = store.stats();
        equal((now.max_entries, now.max_bytes), (max_entries, max_bytes), "limits are of the whole store")?;
        let within =
            |value: Option<u64>, most: Option<u64>| value.zip(most).is_none_or(|(value, most)| value <= most);
        let holds = within(now.entries, max_entries) && within(now.bytes, max_bytes);
        ensure(holds, "what is there is within the limits", format_args!("{now:?} after step {number}"))?;
    }
    Ok(())
}
