//! What is listed are entries, not aliases; and closing closes both parts.

use futures_util::{TryStreamExt, future};
use larder_core::Aliases;

use super::spies::{Failing, Watched};
use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{Sample, key};

pub(crate) async fn listings_are_of_entries_alone(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    for name in ["a", "b", "c"] {
        let aliases = Aliases::new(vec![key(&format!("to-{name}"))], None);
        cache.save_response(&key(name), Sample::new(name).response(), &aliases).await?;
    }
    let contract = "a listing is of the entries, without their aliases";
    equal(cache.size().await?, 3, contract)?;
    let mut keys: Vec<String> = cache.keys().map_ok(|key| key.to_string()).try_collect().await?;
    keys.sort();
    equal(keys, vec!["a", "b", "c"], contract)?;
    let mut urls: Vec<String> = cache.values().map_ok(|value| value.url().to_string()).try_collect().await?;
    urls.sort();
    let expected = ["a", "b", "c"].map(|name| format!("https://example.org/{name}")).to_vec();
    equal(urls, expected, contract)
}

pub(crate) async fn get_urls_lists_the_url_of_every_entry(setup: &Setup) -> Verdict {
    let cache = setup.cache().await?;
    for (name, url) in [("k1", "a"), ("k2", "b"), ("k3", "a")] {
        let aliases = Aliases::new(vec![key("alias")], None);
        cache.save_response(&key(name), Sample::new(url).response(), &aliases).await?;
    }
    let mut urls: Vec<String> = cache.get_urls().map_ok(|url| url.to_string()).try_collect().await?;
    urls.sort();
    let expected = ["a", "a", "b"].map(|name| format!("https://example.org/{name}")).to_vec();
    equal(urls, expected, "get_urls returns the URL of every entry")
}

pub(crate) async fn closing_closes_both_parts(setup: &Setup) -> Verdict {
    let watched = Watched::new(setup, Failing::Neither).await?;
    watched.cache.close().await?;
    let mut closed = watched.changes();
    closed.sort_unstable();
    equal(closed, vec!["index.close", "store.close"], "close closes index and store")?;
    watched.cache.close().await?;
    Ok(())
}

pub(crate) async fn both_parts_are_closed_when_one_fails(setup: &Setup) -> Verdict {
    for failing in [Failing::Index, Failing::Store] {
        let watched = Watched::new(setup, failing).await?;
        equal(watched.cache.close().await.is_err(), true, "close says what could not be finished")?;
        let mut closed = watched.changes();
        closed.sort_unstable();
        equal(closed, vec!["index.close", "store.close"], "both are closed in any case")?;
        // The part that the suite made fail is still open.
        future::try_join(watched.store.close(), watched.index.close()).await?;
    }
    Ok(())
}
