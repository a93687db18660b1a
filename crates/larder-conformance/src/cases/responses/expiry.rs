//! Only `delete_expired` looks at an entry's expiry.

use larder_core::Timestamp;

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{NOW, Sample, at, holds, key, misses};

pub(crate) async fn delete_expired_deletes_what_ends_now_or_before(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let ends =
        [("before", at(-1)), ("now", NOW), ("after", at(1)), ("ancient", Timestamp::from_millis(i64::MIN))];
    for (name, end) in ends {
        store.write(&key(name), Sample::expiring(name, Some(end)).response()).await?;
    }
    equal(store.delete_expired(NOW).await?, 3, "delete_expired returns how many entries it deleted")?;
    for name in ["before", "now", "ancient"] {
        misses(&store, &key(name), "delete_expired deletes the entries with expires_at <= now").await?;
    }
    let after = Sample::expiring("after", Some(at(1)));
    holds(&store, &key("after"), &after, "delete_expired keeps the entries with expires_at > now").await?;
    equal(store.delete_expired(NOW).await?, 0, "what was deleted is not counted again")
}

pub(crate) async fn an_entry_without_expiry_never_expires(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (never, last) = (Sample::new("never"), Sample::expiring("last", Some(Timestamp::MAX)));
    store.write(&key("never"), never.response()).await?;
    store.write(&key("last"), last.response()).await?;
    equal(store.delete_expired(Timestamp::MAX).await?, 1, "only an entry with an expiry expires")?;
    holds(&store, &key("never"), &never, "no expiry is never").await?;
    misses(&store, &key("last"), "an expiry at the end of time is one").await
}

pub(crate) async fn the_expiry_of_the_latest_write_counts(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for (first, second) in [("early", "late"), ("late", "early")] {
        for end in [first, second] {
            let end = if end == "early" { at(-1) } else { at(1) };
            store.write(&key(second), Sample::expiring(second, Some(end)).response()).await?;
        }
    }
    let contract = "delete_expired looks at the expiry of the entry that is there";
    equal(store.delete_expired(NOW).await?, 1, contract)?;
    misses(&store, &key("early"), contract).await
}

pub(crate) async fn an_expired_entry_is_there_until_it_is_deleted(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::expiring("k", Some(Timestamp::from_millis(-1))));
    let contract = "no operation but delete_expired looks at expires_at";
    store.write(&key, sample.response()).await?;
    holds(&store, &key, &sample, contract).await?;
    equal(store.contains(&key).await?, true, contract)?;
    equal(store.size().await?, 1, contract)?;
    equal(store.read_head(&key).await?.is_some(), true, contract)?;
    equal(store.delete(&key).await?, true, contract)
}

pub(crate) async fn an_expired_entry_is_kept_until_its_delete_time(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let until = |name, delete_at| {
        let mut sample = Sample::expiring(name, Some(at(-2)));
        sample.head.delete_at = Some(delete_at);
        sample
    };
    let (kept, ended) = (until("kept", at(1)), until("ended", NOW));
    let mut never_expires = Sample::new("never-expires");
    never_expires.head.delete_at = Some(NOW);
    for sample in [("kept", &kept), ("ended", &ended), ("never-expires", &never_expires)] {
        store.write(&key(sample.0), sample.1.response()).await?;
    }
    let contract = "a delete time goes before the expiry";
    equal(store.delete_expired(NOW).await?, 2, contract)?;
    holds(&store, &key("kept"), &kept, contract).await?;
    misses(&store, &key("ended"), contract).await?;
    misses(&store, &key("never-expires"), contract).await
}

pub(crate) async fn delete_expired_of_an_empty_store_is_nothing(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    equal(store.delete_expired(Timestamp::MAX).await?, 0, "there is nothing to delete")
}
