//! An entry is deleted after its aliases.

use larder_core::{Aliases, CacheBackend, Timestamp};

use super::spies::{Failing, Watched};
use crate::case::Setup;
use crate::failure::{Verdict, ensure, equal};
use crate::samples::{NOW, Sample, at, holds, key, misses, target};

async fn save(cache: &CacheBackend, name: &str, aliases: &[&str]) -> Verdict {
    let aliases = Aliases::new(aliases.iter().map(|alias| key(alias)).collect(), None);
    Ok(cache.save_response(&key(name), Sample::new(name).response(), &aliases).await?)
}

/// Fails unless the aliases were changed before the entries were.
fn aliases_first(changes: &[&str]) -> Verdict {
    let both = changes.iter().any(|change| change.starts_with("index."))
        && changes.iter().any(|change| change.starts_with("store."));
    let first_entry = changes.iter().position(|change| change.starts_with("store."));
    let last_alias = changes.iter().rposition(|change| change.starts_with("index."));
    let contract = "an entry is deleted after its aliases";
    ensure(both && last_alias < first_entry, contract, format_args!("{changes:?}"))
}

pub(crate) async fn aliases_are_deleted_before_their_entry(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Neither).await?;
    for name in ["delete", "bulk_delete", "clear"] {
        save(&watched.cache, name, &["a", "b"]).await?;
        watched.changes();
        match name {
            "delete" => watched.cache.delete(&key(name)).await.map(drop)?,
            "bulk_delete" => watched.cache.bulk_delete(&[key(name), key("x")]).await.map(drop)?,
            _ => watched.cache.clear().await?,
        }
        aliases_first(&watched.changes()).map_err(|failure| failure.with(name))?;
    }
    Ok(())
}

pub(crate) async fn delete_takes_the_aliases_along(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a", "b"]).await?;
    save(&cache, "l", &["c"]).await?;
    equal(cache.delete(&key("k")).await?, true, "delete returns whether there was an entry")?;
    misses(cache.responses(), &key("k"), "delete deletes the entry").await?;
    for (name, there) in [("a", false), ("b", false), ("c", true)] {
        let seen = target(cache.redirects(), name).await?.is_some();
        equal(seen, there, "delete deletes the entry's aliases, and no others")?;
    }
    holds(cache.responses(), &key("l"), &Sample::new("l"), "delete does not touch another entry").await?;
    equal(cache.delete(&key("k")).await?, false, "delete returns whether there was an entry")
}

pub(crate) async fn delete_goes_through_an_alias(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a", "b"]).await?;
    equal(cache.delete(&key("a")).await?, true, "delete deletes the entry that the alias leads to")?;
    misses(cache.responses(), &key("k"), "delete deletes the entry that the alias leads to").await?;
    equal(cache.redirects().size().await?, 0, "delete deletes all of the entry's aliases")
}

pub(crate) async fn bulk_delete_takes_the_aliases_along(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a"]).await?;
    save(&cache, "l", &["b"]).await?;
    save(&cache, "m", &["c"]).await?;
    let deleted = cache.bulk_delete(&[key("k"), key("x"), key("l"), key("k")]).await?;
    equal(deleted, 2, "bulk_delete returns how many entries there were")?;
    equal(cache.size().await?, 1, "bulk_delete deletes every entry that it is given, and no other")?;
    equal(cache.redirects().size().await?, 1, "bulk_delete deletes the aliases of each, and no others")?;
    equal(cache.bulk_delete(&[]).await?, 0, "no keys are no entries")
}

pub(crate) async fn clear_deletes_entries_and_aliases(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a", "b"]).await?;
    cache.clear().await?;
    equal(cache.size().await?, 0, "clear deletes every entry")?;
    equal(cache.redirects().size().await?, 0, "clear deletes every alias")?;
    save(&cache, "k", &["a"]).await?;
    equal(cache.contains(&key("a"), NOW).await, true, "a cleared cache can be written")
}

pub(crate) async fn delete_expired_responses_takes_dangling_aliases_along(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    for (name, alias, ends) in
        [("old", "to-old", Some(NOW)), ("new", "to-new", None), ("kept", "to-kept", Some(at(1)))]
    {
        let aliases = Aliases::new(vec![key(alias)], None);
        cache.save_response(&key(name), Sample::expiring(name, ends).response(), &aliases).await?;
    }
    cache.redirects().write(&[key("ended")], &key("new"), Some(NOW)).await?;
    let deleted = cache.delete_expired_responses(NOW).await?;
    equal(deleted, 1, "delete_expired_responses returns how many entries it deleted")?;
    misses(cache.responses(), &key("old"), "it deletes what has expired").await?;
    for (name, there) in [("to-old", false), ("ended", false), ("to-new", true), ("to-kept", true)] {
        let contract = "it deletes the aliases that have ended or lead nowhere, and no others";
        equal(target(cache.redirects(), name).await?.is_some(), there, contract)
            .map_err(|failure| failure.with(name))?;
    }
    cache.redirects().write(&[key("astray"), key("lost")], &key("nowhere"), None).await?;
    equal(cache.delete_dangling().await?, 2, "delete_dangling returns how many aliases it deleted")?;
    for (name, there) in [("astray", false), ("lost", false), ("to-new", true), ("to-kept", true)] {
        equal(
            target(cache.redirects(), name).await?.is_some(),
            there,
            "it deletes what leads nowhere, alone",
        )
        .map_err(|failure| failure.with(name))?;
    }
    equal(cache.delete_expired_responses(Timestamp::MAX).await?, 1, "an entry without expiry is kept")
}

pub(crate) async fn a_failing_index_does_not_keep_entries_from_going(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Index).await?;
    let cache = &watched.cache;
    for name in ["a", "b", "c", "d"] {
        let sample = Sample::expiring(name, (name == "c").then_some(NOW));
        watched.store.write(&key(name), sample.response()).await?;
    }
    equal(cache.delete(&key("a")).await?, true, "an entry is deleted without the index")?;
    equal(cache.bulk_delete(&[key("b"), key("x")]).await?, 1, "entries are deleted without the index")?;
    equal(cache.delete_expired_responses(NOW).await?, 1, "expired entries are deleted without the index")?;
    ensure(cache.failures() >= 3, "a failure that was passed over is counted", cache.failures())?;
    equal(cache.clear().await.is_err(), true, "clear says when aliases may be left")?;
    equal(watched.store.size().await?, 0, "the entries are cleared even when the aliases cannot be")
}

pub(crate) async fn a_failing_store_is_an_error_of_deleting(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Store).await?;
    let cache = &watched.cache;
    let contract = "what could not be deleted is an error";
    equal(cache.delete(&key("a")).await.is_err(), true, contract)?;
    equal(cache.bulk_delete(&[key("a"), key("b")]).await.is_err(), true, contract)?;
    equal(cache.clear().await.is_err(), true, contract)?;
    equal(cache.delete_expired_responses(NOW).await.is_err(), true, contract)
}
