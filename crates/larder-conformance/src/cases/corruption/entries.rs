//! A broken entry is a miss, whatever is broken about it, and hurts no other.

use bytes::Bytes;
use futures_util::StreamExt;
use larder_core::{CacheKey, CachedResponse, ResponseHead};

use crate::case::Setup;
use crate::cases::responses::revisions::revision;
use crate::failure::{Failure, Verdict, ensure, equal};
use crate::samples::{NOW, Sample, Store, full_head, holds, key, misses, noise};

/// How many positions of an entry are damaged, one after another.
const POSITIONS: usize = 1_500;

/// Bytes that no store takes for an entry.
const GARBAGE: [&[u8]; 4] = [b"", b"\0", b"<html>not an entry</html>", &[0xff; 5_000]];

async fn stored(setup: &Setup, key: &CacheKey) -> Verdict<Vec<u8>> {
    let bytes = setup.fixture.stored_entry(key).await.map_err(Failure::fixture)?;
    ensure(!bytes.is_empty(), "the fixture returns the bytes that are stored for an entry", "no bytes")?;
    Ok(bytes)
}

async fn set(setup: &Setup, key: &CacheKey, bytes: &[u8]) -> Verdict {
    setup.fixture.set_stored_entry(key, bytes.to_vec()).await.map_err(Failure::fixture)
}

/// What a reader makes of a damaged entry.
#[derive(Debug, PartialEq)]
enum Seen {
    Miss,
    /// The right head, and a body that is right as far as it goes, and then fails.
    Broken,
    Whole,
}

/// Reads what `sample` was, and fails if any of it is something else.
async fn look(store: &Store, key: &CacheKey, sample: &Sample) -> Verdict<Seen> {
    let contract = "bytes that do not match their checksums read as Ok(None), and are never handed out";
    if let Some(stored) = store.read_head(key).await? {
        same_head(&stored.head, &sample.head, contract)?;
        equal(stored.body_len, sample.body.len() as u64, contract)?;
    }
    let Some(CachedResponse { head, mut body, .. }) = store.read(key).await? else { return Ok(Seen::Miss) };
    same_head(&head, &sample.head, contract)?;
    let mut seen = Vec::new();
    let ended = loop {
        match body.chunk().await {
            Ok(Some(chunk)) => seen.extend_from_slice(&chunk),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    ensure(
        sample.body.starts_with(&seen),
        contract,
        format_args!("{} bytes, not all of them right", seen.len()),
    )?;
    match ended {
        true if seen.len() == sample.body.len() => Ok(Seen::Whole),
        true => Err(Failure::new(contract, format!("a body that ends after {} bytes", seen.len()))),
        false => Ok(Seen::Broken),
    }
}

#[track_caller]
fn same_head(seen: &ResponseHead, expected: &ResponseHead, contract: &str) -> Verdict {
    equal(seen, expected, contract)
}

/// Writes an entry with every field set, and returns it with its stored bytes.
async fn victim(setup: &Setup, store: &Store, key: &CacheKey, body: Bytes) -> Verdict<(Sample, Vec<u8>)> {
    let sample = Sample { head: full_head(), body };
    store.write(key, sample.response()).await?;
    let bytes = stored(setup, key).await?;
    Ok((sample, bytes))
}

/// Returns at most [`POSITIONS`] of `len` positions, the first and the last ones among them.
fn positions(len: usize) -> impl Iterator<Item = usize> {
    let step = len.div_ceil(POSITIONS).max(1);
    (0..len).filter(move |position| position % step == 0 || *position < 200 || len - position < 200)
}

pub(crate) async fn what_the_fixture_puts_back_is_the_entry(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    set(setup, &key, b"not an entry").await?;
    misses(&store, &key, "what else stands in the entry's place reads as Ok(None)").await?;
    set(setup, &key, &bytes).await?;
    holds(&store, &key, &sample, "an entry is what its stored bytes say").await
}

pub(crate) async fn no_flipped_byte_is_handed_out(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    for position in positions(bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        set(setup, &key, &damaged).await?;
        look(&store, &key, &sample)
            .await
            .map_err(|failure| failure.with(format_args!("byte {position} of {} flipped", bytes.len())))?;
    }
    Ok(())
}

pub(crate) async fn no_flipped_byte_of_a_long_body_is_handed_out(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, bytes) = victim(setup, &store, &key, noise(200_000, 1)).await?;
    for position in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x80;
        set(setup, &key, &damaged).await?;
        look(&store, &key, &sample)
            .await
            .map_err(|failure| failure.with(format_args!("byte {position} of {} flipped", bytes.len())))?;
    }
    Ok(())
}

pub(crate) async fn a_truncated_entry_is_not_whole(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    for len in positions(bytes.len()) {
        set(setup, &key, &bytes[..len]).await?;
        let seen = look(&store, &key, &sample).await;
        let seen = seen.map_err(|failure| failure.with(format_args!("{len} of {} bytes", bytes.len())))?;
        ensure(
            seen != Seen::Whole,
            "an entry that lacks bytes is a miss",
            format_args!("it whole with {len} bytes"),
        )?;
    }
    Ok(())
}

pub(crate) async fn what_is_appended_is_not_handed_out(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    for more in [&b"\0"[..], b"more", &bytes, &vec![0; 70_000]] {
        set(setup, &key, &[&bytes, more].concat()).await?;
        look(&store, &key, &sample)
            .await
            .map_err(|failure| failure.with(format_args!("{} more bytes", more.len())))?;
    }
    Ok(())
}

pub(crate) async fn garbage_is_a_miss(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    victim(setup, &store, &key, noise(300, 1)).await?;
    let contract = "whatever else stands in the entry's place reads as Ok(None)";
    for garbage in GARBAGE {
        set(setup, &key, garbage).await?;
        equal(store.read_head(&key).await?, None, contract)?;
        // A read may have removed it.
        set(setup, &key, garbage).await?;
        misses(&store, &key, contract).await?;
        store.contains(&key).await?;
    }
    Ok(())
}

pub(crate) async fn the_next_write_heals_a_broken_entry(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (_, bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    for damaged in GARBAGE.into_iter().chain([&bytes[..bytes.len() / 2]]) {
        set(setup, &key, damaged).await?;
        let sample = Sample::new("healed");
        store.write(&key, sample.response()).await?;
        holds(&store, &key, &sample, "the next write replaces a broken entry").await?;
    }
    equal(store.size().await?, 1, "a healed entry is one entry")
}

pub(crate) async fn a_broken_entry_hurts_no_other(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for name in ["a", "b", "c"] {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    set(setup, &key("b"), b"not an entry").await?;
    misses(&store, &key("b"), "whatever else stands in the entry's place reads as Ok(None)").await?;
    for name in ["a", "c"] {
        holds(&store, &key(name), &Sample::new(name), "a failure with one key does not touch another")
            .await?;
    }
    Ok(())
}

pub(crate) async fn a_broken_entry_can_be_deleted(setup: &Setup) -> Verdict {
    let (store, k) = (setup.store().await?, key("k"));
    for operation in ["delete", "bulk_delete", "clear", "delete_expired"] {
        victim(setup, &store, &k, noise(300, 1)).await?;
        store.write(&key("old"), Sample::expiring("old", Some(NOW)).response()).await?;
        set(setup, &k, b"not an entry").await?;
        match operation {
            "delete" => store.delete(&k).await.map(drop)?,
            "bulk_delete" => store.bulk_delete(&[k.clone(), key("old")]).await.map(drop)?,
            "clear" => store.clear().await?,
            _ => store.delete_expired(NOW).await.map(drop)?,
        }
        misses(&store, &k, "a broken entry stays a miss").await.map_err(|failure| failure.with(operation))?;
        let others = store.read(&key("old")).await?.is_some();
        let contract = "a broken entry does not keep others from being deleted";
        equal(others, operation == "delete", contract).map_err(|failure| failure.with(operation))?;
    }
    Ok(())
}

pub(crate) async fn update_head_does_not_revive_a_broken_entry(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    victim(setup, &store, &key, noise(300, 1)).await?;
    let revision = revision(&store, &key).await?;
    set(setup, &key, b"not an entry").await?;
    let updated = store.update_head(&key, &revision, full_head()).await;
    ensure(!matches!(updated, Ok(true)), "a broken entry has no head to update", "it was updated")?;
    misses(&store, &key, "a broken entry stays a miss").await
}

pub(crate) async fn a_broken_entry_is_counted(setup: &Setup) -> Verdict {
    let (store, key) = (setup.store().await?, key("k"));
    let (sample, mut bytes) = victim(setup, &store, &key, noise(300, 1)).await?;
    let before = store.stats().damaged;
    // What is no entry at all may be somebody else's; this one is, and was damaged.
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    set(setup, &key, &bytes).await?;
    look(&store, &key, &sample).await?;
    let counted = store.stats().damaged - before;
    ensure(counted > 0, "a damaged entry that was met is counted", "no more than before")
}

pub(crate) async fn an_entry_in_the_place_of_another_is_a_miss(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for name in ["mine", "other"] {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    let others = stored(setup, &key("other")).await?;
    set(setup, &key("mine"), &others).await?;
    let contract = "an entry of another key is a miss";
    equal(store.read_head(&key("mine")).await?, None, contract)?;
    set(setup, &key("mine"), &others).await?;
    misses(&store, &key("mine"), contract).await
}

pub(crate) async fn a_broken_entry_never_ends_a_listing(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let names: Vec<String> = (0..20).map(|i| format!("k{i}")).collect();
    for name in &names {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    let broken = ["k0", "k7", "k13", "k19"];
    let whole: Vec<&str> = names.iter().map(String::as_str).filter(|name| !broken.contains(name)).collect();
    for listing in ["keys", "heads", "values"] {
        for name in broken {
            set(setup, &key(name), b"not an entry").await?;
        }
        let listed: Vec<Option<CacheKey>> = match listing {
            "keys" => store.keys().map(Result::ok).collect().await,
            "heads" => store.heads().map(|item| item.ok().map(|(key, _)| key)).collect().await,
            _ => store.values().map(|item| item.ok().map(|(key, _)| key)).collect().await,
        };
        let mut listed: Vec<CacheKey> = listed.into_iter().flatten().collect();
        listed.retain(|key| whole.contains(&key.as_str()));
        listed.sort_by_key(|key| names.iter().position(|name| name == key.as_str()));
        let listed: Vec<&str> = listed.iter().map(CacheKey::as_str).collect();
        equal(listed, whole.clone(), "a broken entry never ends a listing: every other one is in it once")
            .map_err(|failure| failure.with(listing))?;
    }
    Ok(())
}
