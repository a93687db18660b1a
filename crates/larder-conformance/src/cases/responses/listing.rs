//! A listing names every entry once, and goes on whatever happens meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future};
use larder_core::CacheKey;

use crate::case::Setup;
use crate::failure::{Verdict, ensure, equal, same_bytes};
use crate::samples::{Sample, Store, key, keys, noise};

/// Writes an entry under each key, named after it.
async fn fill(store: &Store, keys: &[CacheKey]) -> Verdict {
    for key in keys {
        store.write(key, Sample::new(key.as_str()).response()).await?;
    }
    Ok(())
}

fn sorted(mut keys: Vec<CacheKey>) -> Vec<CacheKey> {
    keys.sort();
    keys
}

pub(crate) async fn an_empty_store_lists_nothing(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let contract = "an empty store has nothing to list";
    equal(store.size().await?, 0, contract)?;
    equal(store.keys().count().await, 0, contract)?;
    equal(store.heads().count().await, 0, contract)?;
    equal(store.values().count().await, 0, contract)
}

pub(crate) async fn size_counts_the_entries(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let contract = "size returns how many entries there are";
    fill(&store, &keys("k", 30)).await?;
    equal(store.size().await?, 30, contract)?;
    fill(&store, &keys("k", 10)).await?;
    store.delete(&key("k3")).await?;
    store.delete(&key("k3")).await?;
    equal(store.size().await?, 29, contract)
}

pub(crate) async fn keys_lists_every_key_once(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let all = sorted(keys("k", 700));
    fill(&store, &all).await?;
    fill(&store, &all[..50]).await?;
    let seen: Vec<CacheKey> = store.keys().try_collect().await?;
    equal(sorted(seen), all, "keys lists each entry exactly once")
}

pub(crate) async fn heads_lists_every_head_once(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let all = sorted(keys("k", 300));
    fill(&store, &all).await?;
    let seen: Vec<_> = store.heads().try_collect().await?;
    for (key, stored) in &seen {
        let sample = Sample::new(key.as_str());
        equal(&stored.head, &sample.head, "heads lists each key with the head of its own entry")?;
        equal(stored.body_len, sample.body.len() as u64, "heads lists each head with its body's length")?;
    }
    let seen = seen.into_iter().map(|(key, _)| key).collect();
    equal(sorted(seen), all, "heads lists each entry exactly once")
}

pub(crate) async fn values_lists_every_response_once(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let all = sorted(keys("k", 300));
    fill(&store, &all).await?;
    let large = Sample::with_body("k7", noise(200_000, 7));
    store.write(&key("k7"), large.response()).await?;
    let mut seen = Vec::new();
    let mut values = store.values();
    while let Some((key, response)) = values.try_next().await? {
        let sample = if key.as_str() == "k7" { large.clone() } else { Sample::new(key.as_str()) };
        let found = Sample::of(response).await?;
        equal(&found.head, &sample.head, "values lists each key with the head of its own entry")?;
        same_bytes(&found.body, &sample.body, "values lists each key with the body of its own entry")?;
        seen.push(key);
    }
    equal(sorted(seen), all, "values lists each entry exactly once")
}

pub(crate) async fn responses_of_a_listing_can_be_read_in_any_order(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let bodies: BTreeMap<CacheKey, Bytes> =
        (1..).zip(keys("k", 5)).map(|(seed, key)| (key, noise(100_000, seed))).collect();
    for (key, body) in &bodies {
        store.write(key, Sample::with_body(key.as_str(), body.clone()).response()).await?;
    }
    let mut values: Vec<_> = store.values().try_collect().await?;
    values.reverse();
    for (key, response) in values {
        let expected = bodies.get(&key).cloned().unwrap_or_default();
        same_bytes(
            &Sample::of(response).await?.body,
            &expected,
            "the responses of a listing are independent",
        )?;
    }
    Ok(())
}

pub(crate) async fn a_listing_begins_at_its_first_poll(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (names, heads, values) = (store.keys(), store.heads(), store.values());
    let all = sorted(keys("k", 20));
    fill(&store, &all).await?;
    let contract = "an entry that is there from the first poll to the end is listed";
    equal(sorted(names.try_collect().await?), all.clone(), contract)?;
    equal(sorted(heads.map_ok(|(key, _)| key).try_collect().await?), all.clone(), contract)?;
    equal(sorted(values.map_ok(|(key, _)| key).try_collect().await?), all, contract)
}

pub(crate) async fn a_listing_can_be_left_and_begun_again(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let all = sorted(keys("k", 50));
    fill(&store, &all).await?;
    for _ in 0..3 {
        let first: Vec<CacheKey> = store.keys().take(5).try_collect().await?;
        equal(first.len(), 5, "a listing gives as many entries as are asked for")?;
    }
    let (one, two) = (store.keys().try_collect::<Vec<_>>(), store.heads().try_collect::<Vec<_>>());
    let (one, two) = future::try_join(one, two).await?;
    let contract = "listings do not disturb each other";
    equal(sorted(one), all.clone(), contract)?;
    equal(two.len(), all.len(), contract)
}

pub(crate) async fn a_listing_keeps_what_stays_while_others_come_and_go(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (stay, go) = (sorted(keys("stay", 200)), keys("go", 200));
    fill(&store, &stay).await?;
    fill(&store, &go).await?;
    let mut listing = store.keys();
    let mut seen: Vec<CacheKey> = listing.try_next().await?.into_iter().collect();
    store.bulk_delete(&go).await?;
    fill(&store, &keys("come", 200)).await?;
    seen.extend(listing.try_collect::<Vec<_>>().await?);
    let mut unique = sorted(seen.clone());
    unique.dedup();
    ensure(
        unique.len() == seen.len(),
        "a listing names no key twice",
        format_args!("{} repeats", seen.len() - unique.len()),
    )?;
    let seen: Vec<CacheKey> = unique.into_iter().filter(|key| key.as_str().starts_with("stay")).collect();
    equal(seen, stay, "an entry that is there all the time is listed exactly once")
}

pub(crate) async fn a_listing_passes_over_what_is_deleted_meanwhile(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let all = keys("k", 100);
    fill(&store, &all).await?;
    let (mut heads, mut values) = (store.heads(), store.values());
    heads.try_next().await?;
    values.try_next().await?;
    store.clear().await?;
    // Whether what was deleted is still listed is open; that it fails the listing is not.
    let heads: Vec<_> = heads.try_collect().await?;
    ensure(
        heads.len() < all.len(),
        "a listing names no key twice",
        format_args!("{} more heads", heads.len()),
    )?;
    let mut more = 0;
    while values.try_next().await?.is_some() {
        more += 1;
    }
    ensure(more < all.len(), "a listing names no key twice", format_args!("{more} more responses"))
}
