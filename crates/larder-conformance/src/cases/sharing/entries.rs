//! Two instances of a store are one store.

use std::sync::Arc;

use futures_util::{TryStreamExt, future};
use larder_core::CacheKey;

use crate::case::Setup;
use crate::cases::concurrency::entries::all;
use crate::cases::responses::revisions::revision;
use crate::failure::{Failure, Verdict, ensure, equal, same_bytes};
use crate::samples::{NOW, Sample, full_head, holds, key, misses, noise};

pub(crate) async fn an_instance_sees_the_others_writes(setup: &Setup) -> Verdict {
    let (one, two) = (setup.store().await?, setup.store().await?);
    let contract = "a write is seen by every instance once it returned";
    misses(&two, &key("a"), contract).await?;
    one.write(&key("a"), Sample::new("a").response()).await?;
    two.write(&key("b"), Sample::new("b").streamed(3)).await?;
    for store in [&one, &two] {
        holds(store, &key("a"), &Sample::new("a"), contract).await?;
        holds(store, &key("b"), &Sample::new("b"), contract).await?;
        equal(store.contains(&key("a")).await?, true, contract)?;
        equal(store.size().await?, 2, contract)?;
    }
    two.write(&key("a"), Sample::new("replaced").response()).await?;
    holds(&one, &key("a"), &Sample::new("replaced"), contract).await
}

pub(crate) async fn an_instance_sees_the_others_deletes(setup: &Setup) -> Verdict {
    let (one, two) = (setup.store().await?, setup.store().await?);
    let contract = "a delete is seen by every instance once it returned";
    for name in ["a", "b", "c", "d"] {
        let sample = Sample::expiring(name, (name == "c").then_some(NOW));
        one.write(&key(name), sample.response()).await?;
        for store in [&one, &two] {
            holds(store, &key(name), &sample, "a write is seen by every instance once it returned").await?;
        }
    }
    equal(two.delete(&key("a")).await?, true, "an instance deletes what another one wrote")?;
    misses(&one, &key("a"), contract).await?;
    equal(two.bulk_delete(&[key("a"), key("b")]).await?, 1, "an instance deletes what another one wrote")?;
    misses(&one, &key("b"), contract).await?;
    equal(two.delete_expired(NOW).await?, 1, "an instance deletes what another one wrote")?;
    misses(&one, &key("c"), contract).await?;
    holds(&one, &key("d"), &Sample::new("d"), "a delete does not touch another entry").await
}

pub(crate) async fn an_instance_sees_the_others_clear(setup: &Setup) -> Verdict {
    let (one, two) = (setup.store().await?, setup.store().await?);
    for (clearing, other) in [(&one, &two), (&two, &one)] {
        one.write(&key("a"), Sample::new("a").response()).await?;
        two.write(&key("b"), Sample::new("b").response()).await?;
        holds(other, &key("a"), &Sample::new("a"), "a write is seen by every instance").await?;
        clearing.clear().await?;
        for name in ["a", "b"] {
            misses(other, &key(name), "a clear is seen by every instance once it returned").await?;
        }
        equal(other.size().await?, 0, "a clear is seen by every instance once it returned")?;
        other.write(&key("c"), Sample::new("c").response()).await?;
        holds(clearing, &key("c"), &Sample::new("c"), "every instance can write after a clear").await?;
    }
    Ok(())
}

pub(crate) async fn an_instance_lists_the_others_entries(setup: &Setup) -> Verdict {
    let (one, two) = (setup.store().await?, setup.store().await?);
    one.write(&key("a"), Sample::new("a").response()).await?;
    two.write(&key("b"), Sample::new("b").response()).await?;
    let contract = "a listing is of what every instance wrote";
    for store in [&one, &two] {
        let mut keys: Vec<CacheKey> = store.keys().try_collect().await?;
        keys.sort();
        equal(keys, vec![key("a"), key("b")], contract)?;
        equal(store.heads().try_collect::<Vec<_>>().await?.len(), 2, contract)?;
        equal(store.values().try_collect::<Vec<_>>().await?.len(), 2, contract)?;
    }
    Ok(())
}

pub(crate) async fn a_revision_is_good_in_every_instance(setup: &Setup) -> Verdict {
    let (one, two, key) = (setup.store().await?, setup.store().await?, key("k"));
    one.write(&key, Sample::new("k").response()).await?;
    let first = revision(&one, &key).await?;
    equal(revision(&two, &key).await?, first.clone(), "an entry is at one revision, in every instance")?;
    equal(two.update_head(&key, &first, full_head()).await?, true, "it is still at that revision")?;
    let updated = Sample { head: full_head(), body: Sample::new("k").body };
    holds(&one, &key, &updated, "an update_head is seen by every instance once it returned").await?;
    let stale = one.update_head(&key, &first, full_head()).await?;
    equal(stale, false, "update_head returns false when another instance updated the entry since")?;

    let before = revision(&one, &key).await?;
    two.write(&key, updated.response()).await?;
    ensure(revision(&one, &key).await? != before, "two writes never have the same revision", "they have")?;
    let stale = one.update_head(&key, &before, full_head()).await?;
    equal(stale, false, "update_head returns false when another instance wrote the entry since")
}

pub(crate) async fn revisions_of_two_instances_differ(setup: &Setup) -> Verdict {
    let (one, two, key) = (setup.store().await?, setup.store().await?, key("k"));
    let mut seen = Vec::new();
    for _ in 0..5 {
        for store in [&one, &two] {
            store.write(&key, Sample::new("same").response()).await?;
            seen.push(revision(store, &key).await?);
            store.delete(&key).await?;
        }
    }
    for (i, revision) in seen.iter().enumerate() {
        let contract = "two writes of one key never have the same revision, whichever instance writes";
        ensure(!seen[..i].contains(revision), contract, format_args!("{revision:?} twice"))?;
    }
    Ok(())
}

pub(crate) async fn one_of_racing_update_heads_wins(setup: &Setup) -> Verdict {
    let stores = [setup.store().await?, setup.store().await?];
    for round in 0..10 {
        let key = key(&format!("k{round}"));
        stores[0].write(&key, Sample::new("k").response()).await?;
        let revision = revision(&stores[0], &key).await?;
        let tasks = (0..8).map(|task| {
            let (store, key, revision) = (Arc::clone(&stores[task % 2]), key.clone(), revision.clone());
            let head = Sample::new(&format!("by-{task}")).head;
            tokio::spawn(async move { store.update_head(&key, &revision, head).await })
        });
        let mut winners = 0;
        for updated in future::join_all(tasks).await {
            let updated =
                updated.map_err(|error| Failure::new("no operation panics", error.to_string()))??;
            winners += usize::from(updated);
        }
        equal(winners, 1, "exactly one of racing update_heads from one revision succeeds")?;
    }
    Ok(())
}

pub(crate) async fn an_instance_reads_whole_entries_while_another_writes(setup: &Setup) -> Verdict {
    let (one, two, key) = (setup.store().await?, setup.store().await?, key("k"));
    one.write(&key, Sample::labelled(0).response()).await?;
    let same_key = key.clone();
    let writer = tokio::spawn(async move {
        for label in 0..60 {
            one.write(&same_key, Sample::labelled(label).response()).await?;
        }
        Ok(())
    });
    let reader = tokio::spawn(async move {
        for _ in 0..60 {
            if let Some(response) = two.read(&key).await?
                && let Ok(sample) = Sample::of(response).await
            {
                sample.label()?;
            }
        }
        Ok(())
    });
    all(vec![writer, reader]).await
}

pub(crate) async fn a_streamed_read_survives_another_instance(setup: &Setup) -> Verdict {
    let (one, two, key) = (setup.store().await?, setup.store().await?, key("k"));
    let sample = Sample::with_body("k", noise(1 << 20, 6));
    one.write(&key, sample.response()).await?;
    let mut response = one.read(&key).await?.ok_or_else(|| Failure::new("it is there", "no entry"))?;
    let mut seen = response.body.chunk().await?.unwrap_or_default().to_vec();
    two.clear().await?;
    two.write(&key, Sample::with_body("other", noise(1 << 20, 7)).response()).await?;
    while let Ok(Some(chunk)) = response.body.chunk().await {
        seen.extend_from_slice(&chunk);
    }
    let expected = sample.body.slice(..seen.len().min(sample.body.len()));
    same_bytes(&seen.into(), &expected, "a streamed body never goes on with other bytes")
}

pub(crate) async fn closing_one_leaves_the_other_open(setup: &Setup) -> Verdict {
    let (one, two) = (setup.store().await?, setup.store().await?);
    one.write(&key("a"), Sample::new("a").response()).await?;
    one.close().await?;
    drop(one);
    let contract = "an instance goes on when another one is closed";
    holds(&two, &key("a"), &Sample::new("a"), contract).await?;
    two.write(&key("b"), Sample::new("b").response()).await?;
    holds(&two, &key("b"), &Sample::new("b"), contract).await
}
