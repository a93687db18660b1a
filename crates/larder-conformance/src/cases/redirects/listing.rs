//! A listing names every alias once.

use futures_util::{StreamExt, TryStreamExt};
use larder_core::CacheKey;

use crate::case::Setup;
use crate::failure::{Verdict, ensure, equal};
use crate::samples::{at, key, keys};

fn sorted(mut keys: Vec<CacheKey>) -> Vec<CacheKey> {
    keys.sort();
    keys
}

pub(crate) async fn an_empty_index_lists_nothing(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let contract = "an empty index has nothing to list";
    equal(index.size().await?, 0, contract)?;
    equal(index.keys().count().await, 0, contract)?;
    equal(index.values().count().await, 0, contract)
}

pub(crate) async fn size_counts_the_aliases(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let contract = "size returns how many aliases there are";
    index.write(&keys("a", 5), &key("t"), None).await?;
    index.write(&keys("a", 3), &key("u"), None).await?;
    equal(index.size().await?, 5, contract)?;
    index.delete(&key("a1")).await?;
    equal(index.size().await?, 4, contract)
}

pub(crate) async fn keys_lists_every_alias_once(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let all = sorted(keys("a", 3_000));
    index.write(&all, &key("t"), None).await?;
    index.write(&all[..10], &key("u"), None).await?;
    let seen: Vec<CacheKey> = index.keys().try_collect().await?;
    equal(sorted(seen), all, "keys lists each alias exactly once, and no target")
}

pub(crate) async fn values_lists_every_alias_with_its_target(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let (to_t, to_u) = (keys("t", 1_500), keys("u", 1_500));
    index.write(&to_t, &key("T"), None).await?;
    index.write(&to_u, &key("U"), Some(at(3))).await?;
    let mut seen = Vec::new();
    for (from, alias) in index.values().try_collect::<Vec<_>>().await? {
        let end = from.as_str().starts_with('u').then(|| at(3));
        let expected = (from.as_str()[..1].to_uppercase(), end);
        let contract = "values lists each alias with its target and expiry";
        equal((alias.target.to_string(), alias.expires_at), expected, contract)?;
        seen.push(from);
    }
    equal(sorted(seen), sorted([to_t, to_u].concat()), "values lists each alias exactly once")
}

pub(crate) async fn a_listing_begins_at_its_first_poll(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let (names, values) = (index.keys(), index.values());
    let all = sorted(keys("a", 20));
    index.write(&all, &key("t"), None).await?;
    let contract = "an alias that is there from the first poll to the end is listed";
    equal(sorted(names.try_collect().await?), all.clone(), contract)?;
    equal(sorted(values.map_ok(|(key, _)| key).try_collect().await?), all, contract)
}

pub(crate) async fn a_listing_keeps_what_stays_while_others_come_and_go(setup: &Setup) -> Verdict {
    let index = setup.index().await?;
    let (stay, go) = (sorted(keys("stay", 1_500)), keys("go", 1_500));
    index.write(&stay, &key("t"), None).await?;
    index.write(&go, &key("t"), None).await?;
    let mut listing = index.keys();
    let mut seen: Vec<CacheKey> = listing.try_next().await?.into_iter().collect();
    index.bulk_delete(&go).await?;
    index.write(&keys("come", 1_500), &key("t"), None).await?;
    seen.extend(listing.try_collect::<Vec<_>>().await?);
    let mut unique = sorted(seen.clone());
    unique.dedup();
    ensure(
        unique.len() == seen.len(),
        "a listing names no key twice",
        format_args!("{} repeats", seen.len() - unique.len()),
    )?;
    let seen: Vec<CacheKey> = unique.into_iter().filter(|key| key.as_str().starts_with("stay")).collect();
    equal(seen, stay, "an alias that is there all the time is listed exactly once")
}
