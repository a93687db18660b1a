//! Entries outlive the instance that wrote them.

use crate::case::Setup;
use crate::cases::responses::revisions::revision;
use crate::failure::{Verdict, ensure, equal};
use crate::samples::{NOW, Sample, at, full_head, holds, key, keys, misses, noise};

pub(crate) async fn entries_outlive_a_close(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let full = Sample { head: full_head(), body: noise(200_000, 8) };
    store.write(&key("full"), full.streamed(50_000)).await?;
    store.write(&key("small"), Sample::new("small").response()).await?;
    store.close().await?;
    drop(store);
    for _ in 0..2 {
        let store = setup.store().await?;
        holds(&store, &key("full"), &full, "an entry is there when the place is opened again").await?;
        holds(&store, &key("small"), &Sample::new("small"), "every entry is there").await?;
        equal(store.size().await?, 2, "nothing else is there")?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn entries_outlive_a_drop(setup: &Setup) -> Verdict {
    let contract = "what a write that returned has stored needs no close";
    for key in keys("k", 3) {
        let store = setup.store().await?;
        store.write(&key, Sample::new(key.as_str()).response()).await?;
        drop(store);
    }
    let store = setup.store().await?;
    for key in keys("k", 3) {
        holds(&store, &key, &Sample::new(key.as_str()), contract).await?;
    }
    Ok(())
}

pub(crate) async fn deletes_outlive_a_close(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for key in keys("k", 5) {
        store.write(&key, Sample::new("k").response()).await?;
    }
    store.delete(&key("k0")).await?;
    store.bulk_delete(&[key("k1"), key("k2")]).await?;
    store.close().await?;
    drop(store);
    let store = setup.store().await?;
    misses(&store, &key("k0"), "what was deleted does not come back").await?;
    equal(store.size().await?, 2, "what was deleted does not come back")?;
    store.clear().await?;
    store.write(&key("after"), Sample::new("after").response()).await?;
    store.close().await?;
    drop(store);
    let store = setup.store().await?;
    holds(&store, &key("after"), &Sample::new("after"), "what was written after a clear is kept").await?;
    equal(store.size().await?, 1, "what was cleared does not come back")
}

pub(crate) async fn revisions_outlive_a_close(setup: &Setup) -> Verdict {
    let (store, key, sample) = (setup.store().await?, key("k"), Sample::new("same"));
    store.write(&key, sample.response()).await?;
    let first = revision(&store, &key).await?;
    store.close().await?;
    drop(store);

    let store = setup.store().await?;
    let contract = "the revision stays as long as the entry is not written";
    equal(revision(&store, &key).await?, first.clone(), contract)?;
    store.write(&key, sample.response()).await?;
    let second = revision(&store, &key).await?;
    ensure(second != first, "a revision is not given again after the place was opened again", "it was")?;
    equal(store.update_head(&key, &first, full_head()).await?, false, "the entry was written since")?;
    store.close().await?;
    drop(store);

    let store = setup.store().await?;
    equal(store.update_head(&key, &second, full_head()).await?, true, "the entry was not written since")?;
    let updated = Sample { head: full_head(), body: sample.body };
    holds(&store, &key, &updated, "update_head gives the entry a new head and keeps its body").await
}

pub(crate) async fn expiries_outlive_a_close(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for (name, ends) in
        [("before", Some(at(-1))), ("now", Some(NOW)), ("after", Some(at(1))), ("never", None)]
    {
        store.write(&key(name), Sample::expiring(name, ends).response()).await?;
    }
    store.close().await?;
    drop(store);
    let store = setup.store().await?;
    equal(store.delete_expired(NOW).await?, 2, "an entry keeps when it expires")?;
    equal(store.size().await?, 2, "an entry keeps when it expires")
}
