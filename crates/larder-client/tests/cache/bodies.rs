//! Bodies are stored while they are read, whole or not at all, and nobody holds anybody up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use larder_client::{CacheOptions, Response};
use larder_core::{Body, Error, ErrorKind};
use tokio::sync::mpsc;

use crate::support::{Answered, HOUR, World, get, ok, response, settle, trickle};

type Chunks = mpsc::UnboundedSender<Result<Bytes, larder_core::BoxError>>;

/// Starts a GET whose body comes by the sender.
async fn start(
    world: impl FnOnce(Box<dyn Fn() -> http::Response<Body> + Send + Sync>) -> World,
) -> (World, Response, Chunks) {
    let senders: Arc<Mutex<Vec<Chunks>>> = Arc::default();
    let kept = Arc::clone(&senders);
    let world = world(Box::new(move || {
        let (sender, body) = trickle();
        kept.lock().expect("no panic").push(sender);
        ok(body)
    }));
    let response = world.send(get("/a")).await.expect("an answer");
    let sender = senders.lock().expect("no panic").pop().expect("it was asked");
    (world, response, sender)
}

async fn start_plain() -> (World, Response, Chunks) {
    start(|answer| World::new(move |_| answer())).await
}

async fn start_in_background() -> (World, Response, Chunks) {
    start(|answer| {
        let origin = crate::support::ScriptedOrigin::new(move |_| {
            let response = answer();
            async { Ok(response) }
        });
        World::with(CacheOptions::fixed(HOUR), origin, |builder| builder.complete_in_background(true))
    })
    .await
}

#[tokio::test]
async fn the_first_byte_does_not_wait_for_the_last() {
    let (world, mut response, sender) = start_plain().await;
    sender.send(Ok("first".into())).expect("somebody reads");
    assert_eq!(response.chunk().await.expect("a chunk"), Some("first".into()));
    assert_eq!(world.stored().await, 0, "nothing is visible before it is whole");
    sender.send(Ok(" last".into())).expect("somebody reads");
    drop(sender);
    assert_eq!(Answered::of(response).await.body, " last");
    assert_eq!(world.get("/a").await.body, "first last");
}

#[tokio::test]
async fn a_caller_that_stops_reading_half_way_leaves_nothing_behind() {
    let (world, mut response, sender) = start_plain().await;
    sender.send(Ok("first".into())).expect("somebody reads");
    response.chunk().await.expect("a chunk");
    drop(response);
    sender.closed().await;
    settle().await;
    assert_eq!((world.stored().await, world.cache.failures()), (0, 0));
}

#[tokio::test]
async fn the_download_completes_in_the_background_where_it_is_told_to() {
    let (world, mut response, sender) = start_in_background().await;
    sender.send(Ok("first".into())).expect("somebody reads");
    response.chunk().await.expect("a chunk");
    drop(response);
    settle().await;
    sender.send(Ok(" last".into())).expect("the store reads on");
    drop(sender);
    settle().await;
    let hit = world.get("/a").await;
    assert_eq!((&*hit.body, hit.from_cache), (&b"first last"[..], true));
}

#[tokio::test]
async fn a_body_that_breaks_is_not_stored() {
    let (world, response, sender) = start_plain().await;
    sender.send(Ok("first".into())).expect("somebody reads");
    sender.send(Err("connection reset".into())).expect("somebody reads");
    let error = response.bytes().await.expect_err("it broke");
    assert_eq!(error.kind(), ErrorKind::Body);
    assert!(error.to_string().contains("connection reset"), "{error}");
    settle().await;
    assert_eq!((world.stored().await, world.cache.failures()), (0, 0));
}

#[tokio::test]
async fn a_body_of_another_length_than_announced_is_served_and_not_stored() {
    for (announced, is_buffered) in [("4", false), ("6", false), ("4", true), ("6", true)] {
        let world = World::new(move |_| {
            let (sender, streamed) = trickle();
            sender.send(Ok("hello".into())).expect("the body is there");
            let body = if is_buffered { Body::from("hello") } else { streamed };
            response(200, &[("content-length", announced)], body)
        });
        assert_eq!(world.get("/a").await.body, "hello", "{announced}");
        assert_eq!(world.stored().await, 0, "{announced}");
    }
}

#[tokio::test]
async fn a_slow_reader_holds_nobody_up_and_misses_nothing() {
    const CHUNK: usize = 64 << 10;
    const CHUNKS: usize = 64;
    let (world, slow, sender) = start_plain().await;
    let fast = world.send(get("/a")).await.expect("an answer");
    let chunk = |i: usize| Bytes::from(vec![u8::try_from(i).expect("a byte"); CHUNK]);
    for i in 0..CHUNKS {
        sender.send(Ok(chunk(i))).expect("somebody reads");
    }
    drop(sender);
    // Four times as much as the window, before the other one has read anything.
    let expected: Vec<u8> = (0..CHUNKS).flat_map(|i| chunk(i).to_vec()).collect();
    assert_eq!(fast.bytes().await.expect("a whole body"), expected);
    assert_eq!(slow.bytes().await.expect("a whole body"), expected);
    assert_eq!(world.origin.count(), 1);
    assert_eq!(world.get("/a").await.body, expected);
}

#[tokio::test]
async fn nothing_is_taken_from_the_origin_before_somebody_wants_it() {
    const CHUNK: usize = 64 << 10;
    const WINDOW: usize = (1 << 20) / CHUNK;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let world = World::new(move |_| {
        let count = Arc::clone(&count);
        let chunks = stream::iter(0..64).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(vec![0; CHUNK])
        });
        ok(Body::from_stream(chunks))
    });
    let mut response = world.send(get("/a")).await.expect("an answer");
    for read in 0..8 {
        settle().await;
        let ahead = taken.load(Ordering::Relaxed) - read;
        assert!(ahead <= WINDOW, "{ahead} chunks are taken ahead, and a window is {WINDOW}");
        response.chunk().await.expect("a chunk").expect("there is more");
    }
}

#[tokio::test]
async fn a_body_that_panics_fails_its_readers_and_nobody_after_them() {
    let world = World::new(|request| {
        if request.uri().path() == "/panics" {
            let panics =
                stream::iter([Ok::<_, Error>("first")]).chain(stream::once(async { panic!("on purpose") }));
            return ok(Body::from_stream(panics));
        }
        ok("hello")
    });
    for _ in 0..2 {
        let response = world.send(get("/panics")).await.expect("an answer");
        assert_eq!(response.bytes().await.expect_err("it stopped").kind(), ErrorKind::Body);
        settle().await;
    }
    assert_eq!((world.origin.count(), world.stored().await), (2, 0));
}

#[test]
fn a_body_whose_runtime_is_gone_fails_and_does_not_hang() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let first = runtime();
    let (world, response, _sender) = first.block_on(start_plain());
    first.shutdown_background();
    runtime().block_on(async {
        let bytes = tokio::time::timeout(Duration::from_mins(1), response.bytes());
        assert_eq!(bytes.await.expect("it ends").expect_err("it stopped").kind(), ErrorKind::Body);
        let again = tokio::time::timeout(Duration::from_mins(1), world.send(get("/a")));
        again.await.expect("nobody waits for what is gone").expect("an answer");
    });
}

#[tokio::test]
async fn tiny_chunks_are_no_burden() {
    let world = World::new(|_| {
        let chunks = stream::iter(0..200_000).map(|_| Ok::<_, Error>(Bytes::from_static(b"x")));
        ok(Body::from_stream(chunks))
    });
    assert_eq!(world.get("/a").await.body.len(), 200_000);
    assert!(world.get("/a").await.from_cache);
}
