//! A write is seen whole or not at all, and a failed one changes nothing.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use larder_core::{Body, BoxError, CachedResponse, ErrorKind, Revision};

use crate::case::Setup;
use crate::failure::{Failure, Verdict, ensure, equal};
use crate::samples::{Feed, Sample, chunks, failing_after, holds, key, misses, noise, poll_times, read};

/// A dropped write is tried after each number of polls up to this, if it takes so many.
const POLLS: usize = 40;

pub(crate) async fn what_was_never_written_is_a_miss(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    store.write(&key("other"), Sample::new("other").response()).await?;
    misses(&store, &key("absent"), "a miss is Ok(None)").await
}

pub(crate) async fn a_write_takes_the_place_of_the_previous_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let key = key("k");
    for (name, len) in [("long", 200_000), ("short", 10), ("empty", 0), ("longer", 300_000)] {
        let sample = Sample::with_body(name, noise(len, len));
        store.write(&key, sample.response()).await?;
        holds(&store, &key, &sample, "a write replaces head and body of what was there").await?;
    }
    equal(store.size().await?, 1, "a replaced entry is one entry")
}

pub(crate) async fn entries_are_kept_apart(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let names: Vec<String> = (0..50).map(|i| format!("entry-{i}")).collect();
    for name in &names {
        store.write(&key(name), Sample::new(name).response()).await?;
    }
    store.write(&key("entry-7"), Sample::new("replaced").response()).await?;
    for name in names.iter().filter(|name| *name != "entry-7") {
        holds(&store, &key(name), &Sample::new(name), "a write does not touch another key").await?;
    }
    Ok(())
}

pub(crate) async fn a_failing_body_leaves_the_previous_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, previous) = (key("k"), Sample::new("previous"));
    store.write(&key, previous.response()).await?;
    for len in [0, 1, 100_000] {
        let body = Body::from_stream(failing_after(noise(len, 5)));
        let written = store.write(&key, CachedResponse::new(Sample::new("new").head, body)).await;
        let kind = written.err().map(|error| error.kind());
        equal(kind, Some(ErrorKind::Body), "a write fails with Body when the body's source fails")?;
        holds(&store, &key, &previous, "a write that fails leaves the previous entry").await?;
    }
    Ok(())
}

pub(crate) async fn a_failing_body_leaves_no_entry_where_there_was_none(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let body = Body::from_stream(failing_after(noise(100_000, 5)));
    let written = store.write(&key("k"), CachedResponse::new(Sample::new("new").head, body)).await;
    equal(written.is_err(), true, "a write fails when the body's source fails")?;
    misses(&store, &key("k"), "a write that fails leaves what was there: nothing").await?;
    equal(store.keys().count().await, 0, "a write that fails leaves nothing that is listed")
}

pub(crate) async fn a_body_of_another_length_than_promised_is_not_stored(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, previous) = (key("k"), Sample::new("previous"));
    store.write(&key, previous.response()).await?;
    for promised in [0, 99_999, 100_001, u64::MAX] {
        let body = Body::from_sized_stream(chunks(&noise(100_000, 5), 30_000), promised);
        let written = store.write(&key, CachedResponse::new(Sample::new("new").head, body)).await;
        // A promise of more than the store takes may be refused for its size.
        let refused = matches!(written, Err(ref error) if matches!(error.kind(), ErrorKind::Body | ErrorKind::TooLarge));
        ensure(
            refused,
            "a body that breaks its promised length is a failure of kind Body",
            format_args!("{written:?}"),
        )
        .map_err(|failure| failure.with(promised))?;
        holds(&store, &key, &previous, "a write that fails leaves the previous entry").await?;
    }
    Ok(())
}

pub(crate) async fn an_entry_is_not_visible_before_its_body_has_ended(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (old, new) = (Sample::new("old"), Sample::with_body("new", noise(200_000, 2)));
    store.write(&key("replaced"), old.response()).await?;
    for name in ["replaced", "added"] {
        let (feed, body) = Feed::new();
        let (writer, writing) = (store.clone(), CachedResponse::new(new.head.clone(), body));
        let write = tokio::spawn(async move { writer.write(&key(name), writing).await });
        feed.taken(new.body.slice(..100_000)).await?;
        feed.taken(new.body.slice(100_000..)).await?;
        let contract = "an entry is visible only when it is whole";
        if name == "replaced" {
            holds(&store, &key(name), &old, contract).await?;
        } else {
            misses(&store, &key(name), contract).await?;
            let listed: Vec<_> = store.keys().filter_map(|key| async { key.ok() }).collect().await;
            equal(listed, vec![key("replaced")], "keys lists whole entries only")?;
        }
        drop(feed);
        write.await.map_err(|error| Failure::new("a write ends", error.to_string()))??;
        holds(&store, &key(name), &new, "a write that returned is seen").await?;
    }
    Ok(())
}

pub(crate) async fn a_dropped_write_leaves_the_previous_entry_or_the_new_one(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (old, new) = (Sample::new("old"), Sample::with_body("new", noise(150_000, 2)));
    for polls in 0..POLLS {
        let key = key(&format!("polls-{polls}"));
        store.write(&key, old.response()).await?;
        let ended = {
            let mut write = std::pin::pin!(store.write(&key, new.streamed(30_000)));
            poll_times(write.as_mut(), polls).await
        };
        let seen = read(&store, &key).await?;
        let whole = seen.as_ref().is_some_and(|seen| *seen == new || (*seen == old && !ended));
        ensure(
            whole,
            "a dropped write leaves the previous entry, or the new one whole",
            shown(seen.as_ref()),
        )
        .map_err(|failure| failure.with(format_args!("a drop after {polls} polls")))?;
        if ended {
            break;
        }
    }
    Ok(())
}

pub(crate) async fn a_dropped_write_of_a_new_key_leaves_nothing_or_the_entry(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let new = Sample::with_body("new", noise(150_000, 2));
    for polls in 0..POLLS {
        let key = key(&format!("polls-{polls}"));
        let ended = {
            let mut write = std::pin::pin!(store.write(&key, new.streamed(30_000)));
            poll_times(write.as_mut(), polls).await
        };
        let seen = read(&store, &key).await?;
        let whole = seen.as_ref().map_or(!ended, |seen| *seen == new);
        ensure(whole, "a dropped write leaves nothing, or the new entry whole", shown(seen.as_ref()))
            .map_err(|failure| failure.with(format_args!("a drop after {polls} polls")))?;
        if ended {
            break;
        }
    }
    Ok(())
}

fn shown(seen: Option<&Sample>) -> String {
    seen.map_or_else(|| "no entry".into(), |seen| format!("{} with {} bytes", seen.head.url, seen.body.len()))
}

pub(crate) async fn a_streamed_read_never_goes_on_with_other_bytes(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let old = Sample::with_body("old", noise(1 << 20, 1));
    let new = Sample::with_body("new", noise(1 << 20, 2));
    for change in ["replace", "shorten", "update_head", "delete", "clear"] {
        let key = key(change);
        store.write(&key, old.response()).await?;
        let mut response = store.read(&key).await?.ok_or_else(|| Failure::new("it is there", "no entry"))?;
        let revision = response.revision().cloned();
        let mut seen = response.body.chunk().await?.unwrap_or_default().to_vec();
        match change {
            "replace" => store.write(&key, new.response()).await?,
            "shorten" => store.write(&key, Sample::new("short").response()).await?,
            "update_head" => {
                let revision = revision.unwrap_or_else(|| Revision::new(Bytes::new()));
                store.update_head(&key, &revision, new.head.clone()).await.map(drop)?;
            }
            "delete" => store.delete(&key).await.map(drop)?,
            _ => store.clear().await?,
        }
        let ended = loop {
            match response.body.chunk().await {
                Ok(Some(chunk)) => seen.extend_from_slice(&chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let ours = if ended { old.body == seen } else { old.body.starts_with(&seen) };
        let contract = "a streamed body goes on to its end or fails, whatever happens to the entry";
        ensure(ours, contract, format_args!("{} bytes, other ones than it began with", seen.len()))
            .map_err(|failure| failure.with(change))?;
    }
    Ok(())
}

pub(crate) async fn a_write_after_a_failed_one_succeeds(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("new"));
    for _ in 0..3 {
        let failing = stream::once(async { Err::<Bytes, BoxError>("the origin hung up".into()) });
        let response = CachedResponse::new(sample.head.clone(), Body::from_stream(failing));
        equal(
            store.write(&key, response).await.is_err(),
            true,
            "a write fails when the body's source fails",
        )?;
    }
    store.write(&key, sample.response()).await?;
    holds(&store, &key, &sample, "a failed write leaves nothing in the way of the next").await
}

pub(crate) async fn a_revision_that_a_response_carries_is_ignored(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("k"), Sample::new("k"));
    let foreign = Revision::new(&b"another store's"[..]);
    store.write(&key, sample.response().at_revision(foreign.clone())).await?;
    holds(&store, &key, &sample, "a response that was read elsewhere is written like any other").await?;
    let read = store.read(&key).await?;
    let revision = read.as_ref().and_then(CachedResponse::revision);
    ensure(revision != Some(&foreign), "the response's own revision is ignored", "it was stored")
}
