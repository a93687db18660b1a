//! Every valid key names an entry of its own.

use futures_util::TryStreamExt;
use larder_core::CacheKey;

use crate::case::Setup;
use crate::failure::{Verdict, equal};
use crate::samples::{Sample, holds, key, misses};

/// Writes an entry under each key, then reads and lists all of them.
async fn distinct(setup: &Setup, keys: impl IntoIterator<Item = CacheKey>, contract: &str) -> Verdict {
    let store = setup.store().await?;
    let mut all: Vec<CacheKey> = keys.into_iter().collect();
    for (i, key) in all.iter().enumerate() {
        misses(&store, key, contract).await?;
        store.write(key, Sample::new(&format!("entry-{i}")).response()).await?;
    }
    for (i, key) in all.iter().enumerate() {
        holds(&store, key, &Sample::new(&format!("entry-{i}")), contract).await?;
    }
    let mut listed: Vec<CacheKey> = store.keys().try_collect().await?;
    listed.sort();
    all.sort();
    equal(listed, all, contract)
}

pub(crate) async fn keys_that_differ_in_case_are_different(setup: &Setup) -> Verdict {
    distinct(setup, ["key", "KEY", "Key", "kEy"].map(key), "a key is compared byte by byte").await
}

pub(crate) async fn keys_that_begin_alike_are_different(setup: &Setup) -> Verdict {
    let long = "k".repeat(CacheKey::MAX_LEN - 1);
    let keys = ["k", "kk", "kkk", "k.", "k-", "k_", &long, &format!("{long}k"), &format!("{long}l")].map(key);
    distinct(setup, keys, "a key is compared to its end").await
}

pub(crate) async fn the_longest_and_the_shortest_key_are_keys(setup: &Setup) -> Verdict {
    let longest = "L".repeat(CacheKey::MAX_LEN);
    distinct(setup, ["0", "-", "_", &longest].map(key), "any valid key names an entry").await
}

pub(crate) async fn keys_that_look_like_files_are_keys(setup: &Setup) -> Verdict {
    let names = [
        "a..b",
        "a.",
        "a.tmp",
        "index.html",
        "responses",
        "redirects.sqlite",
        "redirects.sqlite-wal",
        "CON",
        "nul",
        "com1.txt",
        "-rf",
        "--help",
        "_",
        "lock",
        "a.lock",
        "x.json",
        "tmp",
        "CACHEDIR.TAG",
    ];
    distinct(setup, names.map(key), "a key is a name of an entry and of nothing else").await
}

pub(crate) async fn digests_are_keys(setup: &Setup) -> Verdict {
    let digests = (0..100_u8).map(|byte| CacheKey::digest([byte]));
    distinct(setup, digests, "any valid key names an entry").await
}
