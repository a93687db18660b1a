//! What is deleted is gone, counted once, and nothing else is.

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{Sample, Store, holds, key, keys, misses, noise};

async fn fill(store: &Store, names: &[&str]) -> Verdict {
    for name in names {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    Ok(())
}

pub(crate) async fn contains_says_whether_there_is_an_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let contract = "contains returns whether there is an entry under the key";
    equal(store.contains(&key("a")).await?, false, contract)?;
    fill(&store, &["a", "b"]).await?;
    equal(store.contains(&key("a")).await?, true, contract)?;
    equal(store.contains(&key("c")).await?, false, contract)?;
    store.delete(&key("a")).await?;
    equal(store.contains(&key("a")).await?, false, contract)?;
    equal(store.contains(&key("b")).await?, true, contract)
}

pub(crate) async fn a_deleted_entry_is_gone(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a", "b"]).await?;
    store.delete(&key("a")).await?;
    misses(&store, &key("a"), "delete deletes the entry").await?;
    equal(store.read_head(&key("a")).await?, None, "delete deletes the head too")?;
    holds(&store, &key("b"), &Sample::new("b"), "delete does not touch another entry").await
}

pub(crate) async fn delete_says_whether_there_was_an_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let contract = "delete returns whether there was an entry";
    equal(store.delete(&key("a")).await?, false, contract)?;
    fill(&store, &["a"]).await?;
    equal(store.delete(&key("a")).await?, true, contract)?;
    equal(store.delete(&key("a")).await?, false, contract)
}

pub(crate) async fn a_deleted_entry_can_be_written_again(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let long = Sample::with_body("long", noise(100_000, 4));
    store.write(&key("a"), long.response()).await?;
    store.delete(&key("a")).await?;
    fill(&store, &["a"]).await?;
    holds(&store, &key("a"), &Sample::new("a"), "a write after a delete stores the entry").await
}

pub(crate) async fn bulk_delete_deletes_the_named_entries(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a", "b", "c", "d"]).await?;
    let deleted = store.bulk_delete(&[key("a"), key("c")]).await?;
    equal(deleted, 2, "bulk_delete returns how many entries there were")?;
    for gone in ["a", "c"] {
        misses(&store, &key(gone), "bulk_delete deletes every entry that it is given").await?;
    }
    for kept in ["b", "d"] {
        holds(&store, &key(kept), &Sample::new(kept), "bulk_delete does not touch another entry").await?;
    }
    Ok(())
}

pub(crate) async fn bulk_delete_passes_over_absent_keys(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a", "b"]).await?;
    let deleted = store.bulk_delete(&[key("x"), key("a"), key("y"), key("b"), key("z")]).await?;
    equal(deleted, 2, "bulk_delete counts only entries that there were")?;
    misses(&store, &key("b"), "bulk_delete goes on after a key without an entry").await
}

pub(crate) async fn bulk_delete_counts_a_key_named_twice_once(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a", "b"]).await?;
    let deleted = store.bulk_delete(&[key("a"), key("a"), key("b"), key("a")]).await?;
    equal(deleted, 2, "a key that is named twice counts once")
}

pub(crate) async fn bulk_delete_of_nothing_deletes_nothing(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a"]).await?;
    equal(store.bulk_delete(&[]).await?, 0, "no keys are no entries")?;
    holds(&store, &key("a"), &Sample::new("a"), "bulk_delete does not touch another entry").await
}

pub(crate) async fn bulk_delete_takes_ten_thousand_keys(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let named = keys("k", 10_000);
    let (entries, sample) = (named.iter().step_by(100), Sample::new("many"));
    for key in entries.clone() {
        store.write(key, sample.response()).await?;
    }
    store.write(&key("other"), sample.response()).await?;
    equal(store.bulk_delete(&named).await?, entries.len() as u64, "bulk_delete takes any number of keys")?;
    equal(store.size().await?, 1, "bulk_delete deletes every entry that it is given, and no other")
}

pub(crate) async fn clear_deletes_every_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    store.clear().await?;
    fill(&store, &["a", "b", "c"]).await?;
    store.clear().await?;
    for name in ["a", "b", "c"] {
        misses(&store, &key(name), "clear deletes every entry").await?;
    }
    equal(store.size().await?, 0, "a cleared store is empty")
}

pub(crate) async fn a_cleared_store_can_be_written(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for _ in 0..3 {
        fill(&store, &["a", "b"]).await?;
        holds(&store, &key("a"), &Sample::new("a"), "a write after a clear stores the entry").await?;
        store.clear().await?;
    }
    fill(&store, &["b"]).await?;
    equal(store.size().await?, 1, "what is written after a clear is all that there is")
}

pub(crate) async fn closing_twice_is_closing_once(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    fill(&store, &["a"]).await?;
    store.close().await?;
    store.close().await?;
    // What is asked of a closed store may fail, but it ends.
    let _ = store.read(&key("a")).await;
    let _ = store.write(&key("b"), Sample::new("b").response()).await;
    Ok(store.close().await?)
}
