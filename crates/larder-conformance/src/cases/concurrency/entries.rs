//! Readers see whole entries, and no write of another key is lost.
//!
//! Tasks work until the others have finished, never for a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, TryStreamExt, future};
use larder_core::{CacheKey, CachedResponse};
use tokio::task::{JoinHandle, yield_now};

use crate::case::Setup;
use crate::failure::{Failure, Verdict, ensure, equal};
use crate::samples::{Sample, Store, holds, key, keys};

/// How often each writer writes.
const ROUNDS: u32 = 40;

/// Waits for tasks that return verdicts.
pub(crate) async fn all(tasks: Vec<JoinHandle<Verdict>>) -> Verdict {
    for task in future::join_all(tasks).await {
        task.map_err(|error| Failure::new("no operation panics", error.to_string()))??;
    }
    Ok(())
}

/// Reads `key` over and over until `done`; every entry that is seen is whole.
fn reader(store: &Store, key: CacheKey, streamed: bool, done: &Arc<AtomicBool>) -> JoinHandle<Verdict> {
    let (store, done) = (Arc::clone(store), Arc::clone(done));
    tokio::spawn(async move {
        loop {
            if streamed {
                if let Some(response) = store.read(&key).await? {
                    whole(response).await?;
                }
            } else if let Some(stored) = store.read_head(&key).await? {
                let label = stored.head.metadata.get("label").and_then(|label| label.parse().ok());
                let expected = Sample::labelled(label.unwrap_or_default()).body.len() as u64;
                equal(stored.body_len, expected, "read_head gives the head and the body_len of one entry")?;
            }
            if done.load(Ordering::Relaxed) {
                return Ok(());
            }
            yield_now().await;
        }
    })
}

/// Fails if head and body are not of one entry; a body that fails half way is none.
async fn whole(response: CachedResponse) -> Verdict {
    match Sample::of(response).await {
        Ok(sample) => sample.label().map(drop),
        Err(_) => Ok(()),
    }
}

/// Waits for the writers, tells the readers to stop, and waits for them.
async fn finish(
    writers: Vec<JoinHandle<Verdict>>,
    readers: Vec<JoinHandle<Verdict>>,
    done: &AtomicBool,
) -> Verdict {
    let written = all(writers).await;
    done.store(true, Ordering::Relaxed);
    let read = all(readers).await;
    written.and(read)
}

fn writer(store: &Store, key: CacheKey, first: u32) -> JoinHandle<Verdict> {
    let store = Arc::clone(store);
    tokio::spawn(async move {
        for label in first..first + ROUNDS {
            let sample = Sample::labelled(label);
            store
                .write(&key, if label % 2 == 0 { sample.response() } else { sample.streamed(20_000) })
                .await?;
        }
        Ok(())
    })
}

pub(crate) async fn readers_see_whole_entries_while_they_are_replaced(setup: &Setup) -> Verdict {
    let (store, key, done) = (setup.store().await?, key("k"), Arc::new(AtomicBool::new(false)));
    store.write(&key, Sample::labelled(0).response()).await?;
    let readers = [true, true, false].map(|streamed| reader(&store, key.clone(), streamed, &done)).into();
    let writers = [0, 1_000].map(|first| writer(&store, key.clone(), first)).into();
    finish(writers, readers, &done).await?;
    equal(store.contains(&key).await?, true, "a replaced entry is always there")
}

pub(crate) async fn a_replaced_entry_is_never_absent(setup: &Setup) -> Verdict {
    let (store, key, done) = (setup.store().await?, key("k"), Arc::new(AtomicBool::new(false)));
    store.write(&key, Sample::labelled(0).response()).await?;
    let (read_from, wanted, stop) = (Arc::clone(&store), key.clone(), Arc::clone(&done));
    let contract = "a reader of an entry that is only ever replaced sees one";
    let looker = tokio::spawn(async move {
        loop {
            ensure(read_from.read(&wanted).await?.is_some(), contract, "no entry")?;
            ensure(read_from.contains(&wanted).await?, contract, "contains says no")?;
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            yield_now().await;
        }
    });
    finish(vec![writer(&store, key, 0)], vec![looker], &done).await
}

pub(crate) async fn readers_see_whole_entries_or_none_while_they_are_deleted(setup: &Setup) -> Verdict {
    let (store, key, done) = (setup.store().await?, key("k"), Arc::new(AtomicBool::new(false)));
    let readers = [true, true, false].map(|streamed| reader(&store, key.clone(), streamed, &done)).into();
    let (delete_in, victim) = (Arc::clone(&store), key.clone());
    let deleter = tokio::spawn(async move {
        for round in 0..ROUNDS {
            match round % 3 {
                0 => delete_in.delete(&victim).await.map(drop)?,
                1 => delete_in.bulk_delete(std::slice::from_ref(&victim)).await.map(drop)?,
                _ => delete_in.clear().await?,
            }
            yield_now().await;
        }
        Ok(())
    });
    finish(vec![writer(&store, key, 0), deleter], readers, &done).await
}

pub(crate) async fn writes_of_different_keys_are_all_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let tasks = (0..8_u32).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for i in 0..15 {
                let label = task * 100 + i;
                store.write(&key(&format!("k{label}")), Sample::labelled(label).response()).await?;
            }
            Ok(())
        })
    });
    all(tasks.collect()).await?;
    for label in (0..8).flat_map(|task| (0..15).map(move |i| task * 100 + i)) {
        let contract = "no write of one key loses another";
        holds(&store, &key(&format!("k{label}")), &Sample::labelled(label), contract).await?;
    }
    equal(store.size().await?, 120, "no write of one key loses another")
}

pub(crate) async fn the_last_of_racing_writes_is_whole(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    all((0..4).map(|task| writer(&store, key.clone(), task * 1_000)).collect()).await?;
    let response =
        store.read(&key).await?.ok_or_else(|| Failure::new("one of the writes is there", "no entry"))?;
    Sample::of(response).await?.label()?;
    equal(store.size().await?, 1, "racing writes of one key leave one entry")
}

pub(crate) async fn one_of_racing_update_heads_wins(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for round in 0..10 {
        let (key, sample) = (key(&format!("k{round}")), Sample::new("k"));
        store.write(&key, sample.response()).await?;
        let revision = store.read_head(&key).await?.map(|stored| stored.revision);
        let revision =
            revision.ok_or_else(|| Failure::new("an entry that was written is there", "no head"))?;
        let tasks = (0..8).map(|task| {
            let (store, key, revision) = (Arc::clone(&store), key.clone(), revision.clone());
            let head = Sample::new(&format!("by-{task}")).head;
            tokio::spawn(async move { store.update_head(&key, &revision, head).await })
        });
        let mut winners = Vec::new();
        for (task, updated) in future::join_all(tasks).await.into_iter().enumerate() {
            if updated.map_err(|error| Failure::new("no operation panics", error.to_string()))?? {
                winners.push(task);
            }
        }
        equal(winners.len(), 1, "exactly one of racing update_heads from one revision succeeds")?;
        let won = Sample { head: Sample::new(&format!("by-{}", winners[0])).head, body: sample.body };
        holds(&store, &key, &won, "the head is that of the update_head that succeeded").await?;
    }
    Ok(())
}

pub(crate) async fn update_head_never_gives_a_body_another_head(setup: &Setup) -> Verdict {
    let (store, key, done) = (setup.store().await?, key("k"), Arc::new(AtomicBool::new(false)));
    store.write(&key, Sample::labelled(0).response()).await?;
    let (update_in, entry, stop) = (Arc::clone(&store), key.clone(), Arc::clone(&done));
    let updater = tokio::spawn(async move {
        loop {
            if let Some(mut stored) = update_in.read_head(&entry).await? {
                stored.head.metadata.insert("validated".into(), "yes".into());
                update_in.update_head(&entry, &stored.revision, stored.head).await?;
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            yield_now().await;
        }
    });
    let readers =
        vec![updater, reader(&store, key.clone(), true, &done), reader(&store, key.clone(), false, &done)];
    finish(vec![writer(&store, key, 0)], readers, &done).await
}

pub(crate) async fn one_of_racing_deletes_counts(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    for _ in 0..10 {
        store.write(&key, Sample::new("k").response()).await?;
        let tasks = (0..8).map(|task| {
            let (store, key) = (Arc::clone(&store), key.clone());
            tokio::spawn(async move {
                if task % 2 == 0 {
                    store.delete(&key).await.map(u64::from)
                } else {
                    store.bulk_delete(&[key]).await
                }
            })
        });
        let mut deleted = 0;
        for count in future::join_all(tasks).await {
            deleted += count.map_err(|error| Failure::new("no operation panics", error.to_string()))??;
        }
        equal(deleted, 1, "an entry is deleted, and counted, once")?;
    }
    Ok(())
}

pub(crate) async fn listings_go_on_while_entries_change(setup: &Setup) -> Verdict {
    let (store, done) = (setup.store().await?, Arc::new(AtomicBool::new(false)));
    let stay: BTreeSet<CacheKey> = keys("stay", 40).into_iter().collect();
    for key in &stay {
        store.write(key, Sample::labelled(1).response()).await?;
    }
    let (listing, expected, stop) = (Arc::clone(&store), stay.clone(), Arc::clone(&done));
    let lister = tokio::spawn(async move {
        loop {
            let keys: Vec<CacheKey> = listing.keys().try_collect().await?;
            let listed = keys.iter().filter(|key| expected.contains(*key)).count();
            equal(listed, expected.len(), "an entry that is there all the time is listed exactly once")?;
            let mut values = listing.values();
            while let Some(item) = values.next().await {
                whole(item?.1).await?;
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            yield_now().await;
        }
    });
    let changing = Arc::clone(&store);
    let writer = tokio::spawn(async move {
        for (label, key) in (0..).zip(keys("go", 60)) {
            changing.write(&key, Sample::labelled(label).response()).await?;
            if label % 3 != 0 {
                changing.delete(&key).await?;
            }
        }
        Ok(())
    });
    finish(vec![writer], vec![lister], &done).await
}
