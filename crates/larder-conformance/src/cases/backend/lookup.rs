//! A lookup finds an entry directly or through one alias, and never fails.

use larder_core::{Aliases, CacheBackend, Lookup};

use super::spies::{Failing, Watched};
use crate::case::Setup;
use crate::failure::{Failure, Verdict, equal};
use crate::samples::{NOW, Sample, at, key, noise};

/// What a lookup found: the key of the entry, or what else it said.
async fn found(cache: &CacheBackend, name: &str) -> Verdict<String> {
    let (how, response) = match cache.get_response(&key(name), NOW).await {
        Lookup::Hit(response) => (format!("hit {name}"), response),
        Lookup::AliasHit { target, response } => (format!("hit {target} through {name}"), response),
        Lookup::Miss => return Ok("miss".into()),
        Lookup::Failed(_) => return Ok("failed".into()),
        other => return Err(Failure::new("a lookup finds, misses or fails", format!("{other:?}"))),
    };
    let seen = Sample::of(response).await?;
    let expected = Sample::new(how.split(' ').nth(1).unwrap_or_default());
    equal(seen.body, expected.body, "a lookup returns the response of the entry that it found")?;
    Ok(how)
}

async fn save(cache: &CacheBackend, name: &str, aliases: &[&str]) -> Verdict {
    let aliases = Aliases::new(aliases.iter().map(|alias| key(alias)).collect(), None);
    Ok(cache.save_response(&key(name), Sample::new(name).response(), &aliases).await?)
}

pub(crate) async fn an_entry_is_found_under_its_key(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    equal(found(&cache, "k").await?, "miss", "what was never saved is a miss")?;
    save(&cache, "k", &[]).await?;
    equal(found(&cache, "k").await?, "hit k", "a saved response is found under its key")
}

pub(crate) async fn an_entry_is_found_through_its_aliases(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a", "b", "c"]).await?;
    save(&cache, "l", &["c"]).await?;
    for (name, how) in [("a", "hit k through a"), ("b", "hit k through b"), ("c", "hit l through c")] {
        equal(found(&cache, name).await?, how, "a response is found through each of its aliases")?;
    }
    Ok(())
}

pub(crate) async fn an_entry_comes_before_an_alias(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &[]).await?;
    save(&cache, "a", &[]).await?;
    cache.redirects().write(&[key("a")], &key("k"), None).await?;
    equal(found(&cache, "a").await?, "hit a", "a lookup is direct first, then through an alias")
}

pub(crate) async fn an_alias_that_an_entry_replaced_is_gone(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a", "b"]).await?;
    let sample = Sample::expiring("a", Some(NOW));
    cache.save_response(&key("a"), sample.response(), &Aliases::none()).await?;
    equal(found(&cache, "a").await?, "hit a", "the latest save decides what a key names")?;
    cache.delete_expired_responses(NOW).await?;
    let contract = "an alias that an entry replaced does not come back when the entry goes";
    equal(found(&cache, "a").await?, "miss", contract)?;
    equal(cache.contains(&key("a"), NOW).await, false, contract)?;
    equal(found(&cache, "b").await?, "hit k through b", "the other aliases still lead to their entry")
}

pub(crate) async fn an_entry_that_an_alias_replaced_is_gone(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    for name in ["a", "b"] {
        save(&cache, name, &[]).await?;
    }
    save(&cache, "k", &["a"]).await?;
    equal(found(&cache, "a").await?, "hit k through a", "the latest save decides what a key names")?;
    cache.delete(&key("k")).await?;
    let contract = "an entry that an alias replaced does not come back when the alias goes";
    equal(found(&cache, "a").await?, "miss", contract)?;
    equal(found(&cache, "b").await?, "hit b", "the other entries are left alone")
}

pub(crate) async fn a_lookup_is_one_hop(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["b"]).await?;
    cache.redirects().write(&[key("a")], &key("b"), None).await?;
    equal(found(&cache, "a").await?, "miss", "resolution is one hop")?;
    equal(cache.contains(&key("a"), NOW).await, false, "resolution is one hop, for contains too")
}

pub(crate) async fn a_dangling_alias_is_a_miss(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    cache.redirects().write(&[key("a")], &key("gone"), None).await?;
    equal(found(&cache, "a").await?, "miss", "an alias without its entry is a miss")?;
    equal(cache.contains(&key("a"), NOW).await, false, "an alias without its entry is a miss")?;
    equal(cache.failures(), 0, "a dangling alias is no failure")
}

pub(crate) async fn an_ended_alias_is_a_miss(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    for (name, ends) in [("before", -1), ("now", 0), ("after", 1)] {
        let aliases = Aliases::new(vec![key(name)], Some(at(ends)));
        cache.save_response(&key("k"), Sample::new("k").response(), &aliases).await?;
    }
    for (name, how) in [("before", "miss"), ("now", "miss"), ("after", "hit k through after")] {
        equal(found(&cache, name).await?, how, "an alias leads to its entry until it ends")?;
        let contains = cache.contains(&key(name), NOW).await;
        equal(contains, how != "miss", "contains says what a lookup would find")?;
    }
    Ok(())
}

pub(crate) async fn an_expired_entry_is_found(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    let sample = Sample::expiring("k", Some(at(-1)));
    cache.save_response(&key("k"), sample.response(), &Aliases::new(vec![key("a")], None)).await?;
    equal(found(&cache, "k").await?, "hit k", "a lookup does not look at the entry's own expiry")?;
    equal(found(&cache, "a").await?, "hit k through a", "a lookup does not look at the entry's own expiry")
}

pub(crate) async fn contains_looks_through_aliases(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    save(&cache, "k", &["a"]).await?;
    for (name, there) in [("k", true), ("a", true), ("x", false)] {
        equal(cache.contains(&key(name), NOW).await, there, "contains says what a lookup would find")?;
    }
    Ok(())
}

pub(crate) async fn a_failing_index_is_a_miss(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Index).await?;
    watched.store.write(&key("k"), Sample::new("k").response()).await?;
    watched.index.write(&[key("a")], &key("k"), None).await?;
    let cache = &watched.cache;
    equal(found(cache, "k").await?, "hit k", "an entry is found without the index")?;
    equal(cache.failures(), 0, "the index is not asked for what the store has")?;
    equal(found(cache, "a").await?, "miss", "a failure of the index is a miss")?;
    equal(cache.contains(&key("a"), NOW).await, false, "a failure of the index is a miss")?;
    equal(cache.failures(), 2, "a failure that was passed over is counted")
}

pub(crate) async fn lookups_and_saves_are_counted(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    let clone = cache.clone();
    save(&cache, "k", &["a"]).await?;
    let streamed = Sample::with_body("l", noise(100_000, 1)).streamed(1_000);
    clone.save_response(&key("l"), streamed, &Aliases::none()).await?;
    for name in ["k", "a", "l", "none"] {
        clone.get_response(&key(name), NOW).await;
    }
    let stats = cache.stats();
    let contract = "lookups and saves are counted, each once";
    equal((stats.lookups_found, stats.lookups_missed, stats.stored), (3, 1, 2), contract)?;
    let bytes = 100_000 + Sample::new("k").body.len() as u64;
    equal(stats.bytes_stored, bytes, "the bytes of a body are counted, streamed ones too")?;
    equal(stats.requests(), 0, "a lookup is not a request")?;
    equal(stats.store, cache.responses().stats(), "the store's own numbers are among them")
}

pub(crate) async fn a_failing_store_is_a_lookup_that_failed(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Store).await?;
    watched.store.write(&key("k"), Sample::new("k").response()).await?;
    let cache = &watched.cache;
    equal(found(cache, "k").await?, "failed", "a failure of the store is Lookup::Failed")?;
    equal(cache.contains(&key("k"), NOW).await, false, "a failure is not an entry")?;
    equal(cache.failures() >= 2, true, "a failure that was passed over is counted")?;
    let response = cache.get_response(&key("k"), NOW).await.into_response();
    equal(response.is_none(), true, "a lookup that failed has no response")
}
