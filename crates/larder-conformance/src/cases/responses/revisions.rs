//! Revisions tell writes apart, and `update_head` changes only the one that it names.

use bytes::Bytes;
use futures_util::TryStreamExt;
use larder_core::{CacheKey, Revision, Timestamp};

use crate::case::Setup;
use crate::failure::{Failure, Verdict, ensure, equal};
use crate::samples::{Sample, Store, at, full_head, holds, key, misses, noise, read};

/// Returns the revision that a read of `key` carries.
pub(crate) async fn revision(store: &Store, key: &CacheKey) -> Verdict<Revision> {
    let read = store.read(key).await?;
    let response = read.ok_or_else(|| Failure::new("an entry that was written is there", "no entry"))?;
    let revision = response.revision().cloned();
    revision.ok_or_else(|| Failure::new("a response that was read carries its revision", "it has none"))
}

pub(crate) async fn no_two_writes_have_the_same_revision(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("same"));
    let mut seen = Vec::new();
    for i in 0..20 {
        store.write(&key, sample.response()).await?;
        seen.push(revision(&store, &key).await?);
        // Neither a delete nor a clear sets the revisions back.
        match i % 3 {
            0 => store.delete(&key).await.map(drop)?,
            1 => store.clear().await?,
            _ => {}
        }
    }
    for (i, revision) in seen.iter().enumerate() {
        let contract = "two writes of one key never have the same revision, whatever they store";
        ensure(!seen[..i].contains(revision), contract, format_args!("{revision:?} twice"))?;
    }
    Ok(())
}

pub(crate) async fn a_revision_lasts_until_the_next_write(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    store.write(&key("k"), Sample::new("k").response()).await?;
    let first = revision(&store, &key("k")).await?;
    store.write(&key("other"), Sample::new("other").response()).await?;
    let contract = "the revision stays as long as the entry is not written";
    equal(revision(&store, &key("k")).await?, first, contract)
}

pub(crate) async fn every_way_of_reading_gives_the_same_revision(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let key = key("k");
    store.write(&key, Sample::new("k").response()).await?;
    let read = revision(&store, &key).await?;
    let head = store.read_head(&key).await?.map(|stored| stored.revision);
    equal(head.as_ref(), Some(&read), "read_head gives the revision that read gives")?;
    let heads: Vec<_> = store.heads().map_ok(|(_, stored)| stored.revision).try_collect().await?;
    equal(heads, vec![read.clone()], "heads gives the revision that read gives")?;
    let values: Vec<_> =
        store.values().map_ok(|(_, response)| response.revision().cloned()).try_collect().await?;
    equal(values, vec![Some(read)], "values gives the revision that read gives")
}

pub(crate) async fn update_head_replaces_the_head_and_keeps_the_body(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for len in [0, 1, 65_536, 200_000] {
        let (key, old) = (key(&format!("len-{len}")), Sample::with_body("old", noise(len, 3)));
        store.write(&key, old.response()).await?;
        let revision = revision(&store, &key).await?;
        let updated = store.update_head(&key, &revision, full_head()).await?;
        equal(updated, true, "update_head returns that it did, when the entry is still at the revision")?;
        let new = Sample { head: full_head(), body: old.body };
        holds(&store, &key, &new, "update_head gives the entry a new head and keeps its body").await?;
        let len_after = store.read_head(&key).await?.map(|stored| stored.body_len);
        equal(len_after, Some(len as u64), "body_len is that of the kept body")?;
    }
    Ok(())
}

pub(crate) async fn update_head_changes_the_revision(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("k"));
    store.write(&key, sample.response()).await?;
    let mut seen = vec![revision(&store, &key).await?];
    for _ in 0..5 {
        let last = &seen[seen.len() - 1];
        let updated = store.update_head(&key, last, sample.head.clone()).await?;
        equal(updated, true, "an updated entry can be updated again, from its new revision")?;
        let next = revision(&store, &key).await?;
        let contract = "an updated entry is at another revision";
        ensure(!seen.contains(&next), contract, format_args!("{next:?} again"))?;
        seen.push(next);
    }
    Ok(())
}

pub(crate) async fn update_head_from_a_stale_revision_does_nothing(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, old, new) = (key("k"), Sample::new("old"), Sample::new("new"));
    let contract = "update_head returns false when the entry was written or updated since";
    store.write(&key, old.response()).await?;
    let stale = revision(&store, &key).await?;
    store.write(&key, new.response()).await?;
    equal(store.update_head(&key, &stale, full_head()).await?, false, contract)?;
    holds(&store, &key, &new, "an update_head that returns false changes nothing").await?;

    let stale = revision(&store, &key).await?;
    equal(store.update_head(&key, &stale, old.head.clone()).await?, true, "it is at that revision")?;
    equal(store.update_head(&key, &stale, full_head()).await?, false, contract)?;
    let kept = Sample { head: old.head, body: new.body };
    holds(&store, &key, &kept, "an update_head that returns false changes nothing").await
}

pub(crate) async fn update_head_notices_an_equal_entry_written_since(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("same"));
    let contract = "update_head returns false when the entry was written since, whatever was written";
    store.write(&key, sample.response()).await?;
    let stale = revision(&store, &key).await?;
    store.write(&key, sample.response()).await?;
    equal(store.update_head(&key, &stale, full_head()).await?, false, contract)?;
    store.delete(&key).await?;
    store.write(&key, sample.response()).await?;
    equal(store.update_head(&key, &stale, full_head()).await?, false, contract)?;
    holds(&store, &key, &sample, "an update_head that returns false changes nothing").await
}

pub(crate) async fn update_head_makes_no_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let contract = "update_head returns false when there is no entry";
    store.write(&key("k"), Sample::new("k").response()).await?;
    let revision = revision(&store, &key("k")).await?;
    equal(store.update_head(&key("never"), &revision, full_head()).await?, false, contract)?;
    store.delete(&key("k")).await?;
    equal(store.update_head(&key("k"), &revision, full_head()).await?, false, contract)?;
    misses(&store, &key("k"), "an update_head that returns false makes no entry").await?;
    misses(&store, &key("never"), "an update_head that returns false makes no entry").await
}

pub(crate) async fn update_head_takes_no_foreign_revision(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("k"));
    store.write(&key, sample.response()).await?;
    for bytes in [&b""[..], b"\0", b"a revision of some other store, which is rather long", &[0xff; 8]] {
        let updated = store.update_head(&key, &Revision::new(Bytes::from(bytes)), full_head()).await;
        // A store may say that such a revision is none of its own.
        ensure(
            !matches!(updated, Ok(true)),
            "an entry is not at a revision that it never had",
            "it was updated",
        )?;
    }
    holds(&store, &key, &sample, "an update_head that did not happen changes nothing").await
}

pub(crate) async fn update_head_sets_the_expiry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let cases: [(&str, Option<Timestamp>, Option<Timestamp>, bool); 4] = [
        ("extended", Some(at(-1)), Some(at(1)), true),
        ("shortened", Some(at(1)), Some(at(-1)), false),
        ("for-ever", Some(at(-1)), None, true),
        ("no-longer", None, Some(at(-1)), false),
    ];
    for (name, before, after, _) in cases {
        let sample = Sample::expiring(name, before);
        store.write(&key(name), sample.response()).await?;
        let revision = revision(&store, &key(name)).await?;
        store.update_head(&key(name), &revision, Sample::expiring(name, after).head).await?;
    }
    let contract = "delete_expired looks at the expiry that update_head set";
    equal(store.delete_expired(at(0)).await?, 2, contract)?;
    for (name, _, _, kept) in cases {
        equal(read(&store, &key(name)).await?.is_some(), kept, contract)
            .map_err(|failure| failure.with(name))?;
    }
    Ok(())
}
