//! An entry is written before its aliases.

use larder_core::{Aliases, Lookup};

use super::spies::{Failing, Watched};
use crate::case::Setup;
use crate::failure::{Verdict, ensure, equal};
use crate::samples::{NOW, Sample, at, full_head, holds, key, keys, misses, noise, poll_times, target};

pub(crate) async fn an_entry_is_written_before_its_aliases(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Neither).await?;
    let aliases = Aliases::new(keys("a", 3), Some(at(9)));
    watched.cache.save_response(&key("k"), Sample::new("k").response(), &aliases).await?;
    let expected = vec!["store.write", "index.write", "store.delete"];
    let contract = "an entry is written before its aliases, those at once, and what they replace goes last";
    equal(watched.changes(), expected, contract)?;
    let seen = target(&watched.index, "a1").await?;
    equal(seen, Some(("k".into(), Some(at(9)))), "an alias leads to the entry until it ends")
}

pub(crate) async fn an_alias_that_is_the_key_is_ignored(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Neither).await?;
    let sample = Sample::new("k");
    let aliases = Aliases::new(vec![key("k"), key("a"), key("k")], None);
    watched.cache.save_response(&key("k"), sample.response(), &aliases).await?;
    equal(target(&watched.index, "k").await?, None, "an entry is not an alias of itself")?;
    equal(watched.index.size().await?, 1, "the other aliases are written")?;
    watched.changes();
    watched.cache.save_response(&key("k"), sample.response(), &Aliases::new(vec![key("k")], None)).await?;
    watched.cache.save_response(&key("k"), sample.response(), &Aliases::none()).await?;
    equal(watched.changes(), vec!["store.write"; 2], "no aliases are no call of the index")
}

pub(crate) async fn an_entry_that_cannot_be_written_gets_no_aliases(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Store).await?;
    let aliases = Aliases::new(vec![key("a")], None);
    let saved = watched.cache.save_response(&key("k"), Sample::new("k").response(), &aliases).await;
    equal(saved.is_err(), true, "save_response fails when the store does")?;
    equal(watched.index.size().await?, 0, "an entry that is not there gets no aliases")
}

pub(crate) async fn an_entry_is_saved_though_its_aliases_are_not(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Index).await?;
    let (sample, aliases) = (Sample::new("k"), Aliases::new(vec![key("a")], None));
    watched.cache.save_response(&key("k"), sample.response(), &aliases).await?;
    equal(watched.cache.failures(), 1, "aliases that cannot be written are counted")?;
    holds(&watched.store, &key("k"), &sample, "the entry is stored all the same").await
}

pub(crate) async fn a_dropped_save_leaves_no_alias_without_its_entry(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    let sample = Sample::with_body("k", noise(100_000, 3));
    for polls in 0..40 {
        let (key, alias) = (key(&format!("k{polls}")), key(&format!("a{polls}")));
        let aliases = Aliases::new(vec![alias.clone()], None);
        let ended = {
            let save = cache.save_response(&key, sample.streamed(30_000), &aliases);
            poll_times(std::pin::pin!(save).as_mut(), polls).await
        };
        let dangling = cache.redirects().contains(&alias).await? && !cache.responses().contains(&key).await?;
        ensure(!dangling, "an entry is written before its aliases", "an alias without its entry")?;
        if ended {
            break;
        }
    }
    Ok(())
}

pub(crate) async fn aliases_are_added_to_an_entry_that_is_there(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Neither).await?;
    let sample = Sample::new("k");
    watched.cache.save_response(&key("k"), sample.response(), &Aliases::none()).await?;
    watched.changes();
    watched.cache.save_aliases(&key("k"), &Aliases::new(vec![key("a")], None)).await?;
    equal(watched.changes(), vec!["index.write", "store.delete"], "the entry is not written again")?;
    let lookup = watched.cache.get_response(&key("a"), NOW).await;
    let leads = matches!(&lookup, Lookup::AliasHit { target, .. } if *target == key("k"));
    ensure(leads, "the alias leads to the entry", format_args!("{lookup:?}"))
}

pub(crate) async fn update_head_reaches_the_store(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    let (key, sample) = (key("k"), Sample::new("k"));
    cache.save_response(&key, sample.response(), &Aliases::none()).await?;
    let read = cache.get_response(&key, NOW).await.into_response();
    let Some(revision) = read.as_ref().and_then(|response| response.revision()) else {
        return ensure(false, "a response that was read carries its revision", "it has none");
    };
    equal(cache.update_head(&key, revision, full_head()).await?, true, "it is still at that revision")?;
    let updated = Sample { head: full_head(), body: sample.body };
    holds(cache.responses(), &key, &updated, "update_head gives the entry a new head and keeps its body")
        .await?;
    equal(cache.update_head(&key, revision, full_head()).await?, false, "it is at another revision now")
}

pub(crate) async fn a_saved_response_takes_the_place_of_a_dangling_alias(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    cache.redirects().write(&[key("k")], &key("elsewhere"), None).await?;
    misses(cache.responses(), &key("k"), "an alias is no entry").await?;
    cache.save_response(&key("k"), Sample::new("k").response(), &Aliases::none()).await?;
    let lookup = cache.get_response(&key("k"), NOW).await;
    ensure(
        matches!(lookup, Lookup::Hit(_)),
        "an entry comes before an alias of the same key",
        format_args!("{lookup:?}"),
    )
}
