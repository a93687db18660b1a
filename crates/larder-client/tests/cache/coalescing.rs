//! Requests of the same at the same time make one exchange, and nobody waits for nothing.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Method;
use larder_client::{CacheMode, CacheOptions, RequestOptions, Response, Unshared};
use larder_core::{Body, BoxError};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::support::{
    Answered, HOUR, ScriptedOrigin, World, get, get_with, ok, request, response, settle, trickle,
};

type Chunks = mpsc::UnboundedSender<Result<Bytes, BoxError>>;

/// An origin that lets requests through one at a time, as permits are added, and answers with `answer`.
fn gated(
    answer: impl Fn() -> Result<http::Response<Body>, BoxError> + Send + Sync + 'static,
) -> (World, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let (held, answer) = (Arc::clone(&gate), Arc::new(answer));
    let origin = ScriptedOrigin::new(move |_| {
        let (gate, answer) = (Arc::clone(&held), Arc::clone(&answer));
        async move {
            gate.acquire().await.expect("the gate stays").forget();
            answer()
        }
    });
    (World::with(CacheOptions::fixed(HOUR), origin, |builder| builder), gate)
}

/// An origin whose every answer trickles, and the senders of their chunks.
fn trickling() -> (World, Arc<Mutex<Vec<Chunks>>>) {
    let senders = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&senders);
    let world = World::new(move |_| {
        let (sender, body) = trickle();
        kept.lock().expect("no panic").push(sender);
        ok(body)
    });
    (world, senders)
}

fn spawn(world: &World, path: &'static str) -> JoinHandle<Result<Response, larder_core::Error>> {
    let world = world.clone();
    tokio::spawn(async move { world.send(get(path)).await })
}

#[tokio::test]
async fn sixty_four_requests_make_one_exchange_and_stream_it() {
    let (world, senders) = trickling();
    let tasks: Vec<_> = (0..64).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 1);
    let mut responses = Vec::new();
    for task in tasks {
        responses.push(task.await.expect("no panic").expect("an answer"));
    }
    let sender = senders.lock().expect("no panic").pop().expect("one exchange");
    for chunk in ["one ", "two ", "three"] {
        sender.send(Ok(chunk.into())).expect("somebody reads");
        for response in &mut responses {
            assert_eq!(response.chunk().await.expect("a chunk"), Some(chunk.into()), "as it arrives");
        }
    }
    drop(sender);
    let collapsed = responses.iter().filter(|response| response.cache_status().collapsed).count();
    assert_eq!(collapsed, 63);
    for mut response in responses {
        assert_eq!(response.chunk().await.expect("the end"), None);
    }
    assert_eq!((world.origin.count(), world.stored().await), (1, 1));
    assert!(world.get("/a").await.from_cache);
}

#[tokio::test]
async fn a_leader_dropped_before_the_head_makes_exactly_one_new_leader() {
    let (world, gate) = gated(|| Ok(ok("hello")));
    let leader = spawn(&world, "/a");
    settle().await;
    let followers: Vec<_> = (0..8).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 1);
    leader.abort();
    settle().await;
    assert_eq!(world.origin.count(), 2, "one of those who wait asks in its place");
    gate.add_permits(1);
    for follower in followers {
        let response = follower.await.expect("no panic").expect("an answer");
        assert_eq!(Answered::of(response).await.body, "hello");
    }
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn a_leader_dropped_in_mid_body_takes_nobody_along() {
    let (world, senders) = trickling();
    let leader = world.send(get("/a")).await.expect("an answer");
    let follower = world.send(get("/a")).await.expect("an answer");
    let sender = senders.lock().expect("no panic").pop().expect("one exchange");
    sender.send(Ok("one ".into())).expect("somebody reads");
    settle().await;
    drop(leader);
    settle().await;
    sender.send(Ok("two".into())).expect("somebody still reads");
    drop(sender);
    assert_eq!(Answered::of(follower).await.body, "one two");
    assert_eq!((world.origin.count(), world.stored().await), (1, 1));
}

#[tokio::test]
async fn a_leader_that_looks_only_at_the_head_makes_exactly_one_new_leader() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let origin = ScriptedOrigin::new(move |_| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.expect("the gate stays").forget();
            let chunks = stream::iter(["hel", "lo"]).then(|chunk| async move {
                tokio::task::yield_now().await;
                Ok::<_, larder_core::Error>(chunk)
            });
            Ok(ok(Body::from_stream(chunks)))
        }
    });
    let world = World::with(CacheOptions::fixed(HOUR), origin, |builder| builder);
    let leader = {
        let world = world.clone();
        tokio::spawn(async move { drop(world.send(get("/a")).await) })
    };
    settle().await;
    let followers: Vec<_> = (0..8).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    gate.add_permits(8);
    leader.await.expect("no panic");
    for follower in followers {
        let response = follower.await.expect("no panic").expect("an answer");
        assert_eq!(Answered::of(response).await.body, "hello");
    }
    assert!(world.origin.count() <= 2, "{} exchanges", world.origin.count());
}

#[tokio::test]
async fn a_failing_leader_makes_one_new_leader_and_a_second_failure_releases_all() {
    let (world, gate) = gated(|| Err("connection refused".into()));
    let tasks: Vec<_> = (0..8).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 1);
    gate.add_permits(1);
    settle().await;
    assert_eq!(world.origin.count(), 2, "one new leader");
    gate.add_permits(1);
    settle().await;
    assert_eq!(world.origin.count(), 8, "nobody queues up behind failures");
    gate.add_permits(8);
    for task in tasks {
        task.await.expect("no panic").expect_err("the origin fails");
    }
    gate.add_permits(8);
    assert!(world.send(get("/a")).await.is_err(), "and it is asked again");
}

#[tokio::test]
async fn an_answer_that_cannot_be_stored_releases_all_and_is_remembered() {
    let (world, gate) = gated(|| Ok(response(404, &[], "no")));
    let tasks: Vec<_> = (0..8).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 1);
    gate.add_permits(1);
    settle().await;
    assert_eq!(world.origin.count(), 8, "all others at once");
    gate.add_permits(7);
    for task in tasks {
        assert_eq!(task.await.expect("no panic").expect("an answer").status(), 404);
    }
    let tasks: Vec<_> = (0..4).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 12, "and they do not queue up again");
    gate.add_permits(4);
    for task in tasks {
        task.await.expect("no panic").expect("an answer");
    }
    world.time.advance(HOUR);
    let tasks: Vec<_> = (0..4).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 13, "but not for ever");
    gate.add_permits(4);
    for task in tasks {
        task.await.expect("no panic").expect("an answer");
    }
}

#[tokio::test]
async fn a_follower_that_varies_asks_for_itself() {
    let origin = ScriptedOrigin::new(|request| async move {
        tokio::task::yield_now().await;
        let language = request.headers()["accept-language"].to_str().expect("text").to_owned();
        Ok(response(200, &[("vary", "accept-language")], language))
    });
    let world = World::with(CacheOptions::fixed(HOUR), origin, |builder| builder);
    let tasks = ["en", "fr", "en", "fr"].map(|language| {
        let world = world.clone();
        tokio::spawn(async move {
            let mut get = get("/a");
            get.headers_mut().insert("accept-language", language.parse().expect("a value"));
            assert_eq!(world.send_whole(get).await.body, language);
        })
    });
    for task in tasks {
        task.await.expect("each gets its own");
    }
}

#[tokio::test]
async fn a_request_that_asks_for_the_origin_gets_an_exchange_of_its_own() {
    let (world, gate) = gated(|| Ok(ok("hello")));
    let older = spawn(&world, "/a");
    settle().await;
    let asking = [RequestOptions::default().refresh(), RequestOptions::default().mode(CacheMode::Reload)];
    let tasks = asking.map(|options| {
        let world = world.clone();
        tokio::spawn(async move { world.send_whole(get_with("/a", options)).await })
    });
    settle().await;
    assert_eq!(world.origin.count(), 3);
    gate.add_permits(3);
    for task in tasks {
        assert_eq!(task.await.expect("an answer").body, "hello");
    }
    older.await.expect("no panic").expect("an answer");
}

#[tokio::test]
async fn a_request_that_ends_otherwise_than_others_is_not_shared() {
    let (world, gate) = gated(|| Ok(ok("hello")));
    let tasks = [true, false, true].map(|is_unshared| {
        let world = world.clone();
        tokio::spawn(async move {
            let mut get = get("/a");
            if is_unshared {
                get.extensions_mut().insert(Unshared);
            }
            world.send_whole(get).await
        })
    });
    settle().await;
    assert_eq!(world.origin.count(), 3);
    gate.add_permits(3);
    for task in tasks {
        assert_eq!(task.await.expect("an answer").body, "hello");
    }
}

#[tokio::test]
async fn unsafe_requests_are_never_one() {
    let (world, gate) = gated(|| Ok(ok("done")));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.send_whole(request(Method::POST, "/a")).await })
        })
        .collect();
    settle().await;
    assert_eq!(world.origin.count(), 4);
    gate.add_permits(4);
    for task in tasks {
        task.await.expect("an answer");
    }
}

#[tokio::test]
async fn redirects_are_shared_hop_by_hop() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let origin = ScriptedOrigin::new(move |request| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.expect("the gate stays").forget();
            Ok(match request.uri().path() {
                "/from" => response(301, &[("location", "/to")], ""),
                _ => ok("the end"),
            })
        }
    });
    let world = World::with(CacheOptions::fixed(HOUR), origin, |builder| builder);
    let tasks: Vec<_> = (0..8).map(|_| spawn(&world, "/from")).collect();
    settle().await;
    gate.add_permits(1);
    settle().await;
    assert_eq!(world.origin.count(), 2);
    gate.add_permits(1);
    for task in tasks {
        let answer = Answered::of(task.await.expect("no panic").expect("an answer")).await;
        assert_eq!((&*answer.body, answer.hops), (&b"the end"[..], vec!["/from".to_owned()]));
    }
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn a_validation_is_shared() {
    let gate = Arc::new(Semaphore::new(1));
    let held = Arc::clone(&gate);
    let origin = ScriptedOrigin::new(move |request| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.expect("the gate stays").forget();
            Ok(match request.headers().get("if-none-match") {
                Some(_) => response(304, &[], ""),
                None => response(200, &[("etag", "\"1\"")], "hello"),
            })
        }
    });
    let world = World::with(CacheOptions::fixed(HOUR), origin, |builder| builder);
    world.get("/a").await;
    world.time.advance(HOUR);
    let tasks: Vec<_> = (0..8).map(|_| spawn(&world, "/a")).collect();
    settle().await;
    assert_eq!(world.origin.count(), 2);
    gate.add_permits(1);
    for task in tasks {
        let response = task.await.expect("no panic").expect("an answer");
        assert_eq!(Answered::of(response).await.body, "hello");
    }
    assert_eq!(world.origin.count(), 2);
}
