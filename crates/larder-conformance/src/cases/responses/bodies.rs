//! Bodies come back byte for byte, whatever their length and however they arrive.

use bytes::Bytes;
use futures_util::{future, stream};
use larder_core::{Body, CachedResponse};

use crate::case::Setup;
use crate::failure::{Failure, Verdict, equal, same_bytes};
use crate::samples::{Feed, Sample, chunks, holds, key, noise, read};

const SAME: &str = "a read returns the body that was written";

/// The length of the pieces that larder's own stores check and hand out.
const CHUNK: usize = 64 * 1024;

/// Lengths on both sides of each boundary.
const LENGTHS: [usize; 11] = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK - 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    3 * CHUNK,
    1_000_000,
    16 * CHUNK + 1,
];

pub(crate) async fn an_empty_body_is_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let sample = Sample::with_body("empty", Bytes::new());
    store.write(&key("buffered"), sample.response()).await?;
    store.write(&key("streamed"), sample.streamed(1)).await?;
    holds(&store, &key("buffered"), &sample, SAME).await?;
    holds(&store, &key("streamed"), &sample, SAME).await
}

pub(crate) async fn a_body_of_every_byte_is_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let sample = Sample::with_body("bytes", (0..=255).chain((0..=255).rev()).collect());
    store.write(&key("bytes"), sample.response()).await?;
    holds(&store, &key("bytes"), &sample, SAME).await
}

pub(crate) async fn bodies_of_every_length_are_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for (seed, len) in (1..).zip(LENGTHS) {
        let (key, sample) = (key(&format!("len-{len}")), Sample::with_body("len", noise(len, seed)));
        store.write(&key, sample.response()).await?;
        holds(&store, &key, &sample, SAME).await.map_err(|failure| failure.with(len))?;
    }
    Ok(())
}

pub(crate) async fn bodies_of_unknown_length_are_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for len in LENGTHS {
        let (key, sample) = (key(&format!("len-{len}")), Sample::with_body("len", noise(len, 7)));
        store.write(&key, sample.streamed(10_000)).await?;
        holds(&store, &key, &sample, SAME).await.map_err(|failure| failure.with(len))?;
    }
    Ok(())
}

pub(crate) async fn bodies_of_promised_length_are_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for len in LENGTHS {
        let (key, sample) = (key(&format!("len-{len}")), Sample::with_body("len", noise(len, 7)));
        let body = Body::from_sized_stream(chunks(&sample.body, 10_000), len as u64);
        store.write(&key, CachedResponse::new(sample.head.clone(), body)).await?;
        holds(&store, &key, &sample, SAME).await.map_err(|failure| failure.with(len))?;
    }
    Ok(())
}

pub(crate) async fn the_size_of_the_chunks_does_not_matter(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    for size in [1, 7, 1_000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let body = noise(if size < 100 { 300 * size } else { 3 * CHUNK + 5 }, 9);
        let (key, sample) = (key(&format!("size-{size}")), Sample::with_body("size", body));
        store.write(&key, sample.streamed(size)).await?;
        holds(&store, &key, &sample, SAME).await.map_err(|failure| failure.with(size))?;
    }
    Ok(())
}

pub(crate) async fn empty_chunks_are_not_the_end(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let parts = ["", "the ", "", "", "body", " of x", ""].map(Ok::<_, larder_core::Error>);
    let sample = Sample::new("x");
    let body = Body::from_stream(stream::iter(parts));
    store.write(&key("x"), CachedResponse::new(sample.head.clone(), body)).await?;
    holds(&store, &key("x"), &sample, "the body ends where its stream ends").await
}

pub(crate) async fn a_body_that_arrives_slowly_is_kept(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let sample = Sample::with_body("slow", noise(3 * CHUNK, 3));
    let (feed, body) = Feed::new();
    let response = CachedResponse::new(sample.head.clone(), body);
    let origin = async {
        for chunk in sample.body.chunks(CHUNK / 2) {
            feed.taken(sample.body.slice_ref(chunk)).await?;
        }
        drop(feed);
        Ok::<_, Failure>(())
    };
    let key = key("slow");
    let (written, sent) = future::join(store.write(&key, response), origin).await;
    written?;
    sent?;
    holds(&store, &key, &sample, SAME).await
}

pub(crate) async fn an_entry_can_be_read_again_and_again(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("again"), Sample::with_body("again", noise(3 * CHUNK, 3)));
    store.write(&key, sample.streamed(CHUNK)).await?;
    let (one, two) = (store.read(&key).await?, store.read(&key).await?);
    for response in [two, one].into_iter().flatten() {
        same_bytes(&Sample::of(response).await?.body, &sample.body, "readers do not disturb each other")?;
    }
    holds(&store, &key, &sample, "reading an entry does not use it up").await
}

pub(crate) async fn a_body_need_not_be_read_to_its_end(setup: &Setup) -> Verdict {
    let store = setup.store().await?;
    let (key, sample) = (key("part"), Sample::with_body("part", noise(16 * CHUNK, 3)));
    store.write(&key, sample.response()).await?;
    for _ in 0..100 {
        let mut response = store.read(&key).await?.ok_or_else(|| Failure::new(SAME, "no entry"))?;
        let first = response.body.chunk().await?.unwrap_or_default();
        same_bytes(&first, &sample.body.slice(..first.len()), "a body begins with its first bytes")?;
    }
    equal(read(&store, &key).await?.is_some(), true, "a reader that stops early leaves the entry as it is")
}
