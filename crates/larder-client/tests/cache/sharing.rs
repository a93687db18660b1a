//! Whose answer one exchange may be, and whom nobody has to wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::Request;
use larder_client::{CacheOptions, Filter, RequestBody};
use larder_core::BoxError;
use tokio::time::Instant;

use crate::support::{
    Answered, ScriptedOrigin, World, behind_gate, field, get, get_having, response, settle, spawn, trickle,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn directed(directives: &str) -> Request<RequestBody> {
    if directives.is_empty() { get("/a") } else { get_having("/a", &[("cache-control", directives)]) }
}

#[tokio::test]
async fn a_permission_of_one_request_is_none_of_those_who_wait() {
    let is_down = Arc::new(AtomicU16::new(0));
    let flag = Arc::clone(&is_down);
    let (world, gate) = behind_gate(CacheOptions::standard(), move |_| match flag.load(Ordering::SeqCst) {
        0 => response(200, &[("cache-control", "max-age=10")], "old"),
        _ => response(503, &[], "down"),
    });
    world.get("/a").await;
    is_down.store(1, Ordering::SeqCst);
    world.time.advance(secs(20));
    gate.send(false).expect("somebody waits");
    let leader = spawn(&world, directed("stale-if-error=100"));
    settle().await;
    let followers = ["", "stale-if-error=5", "stale-if-error=100"].map(|line| spawn(&world, directed(line)));
    settle().await;
    assert_eq!(world.origin.count(), 2, "they wait");
    gate.send(true).expect("somebody waits");
    assert_eq!(leader.await.expect("no panic").body, "old");
    for (follower, expected) in followers.into_iter().zip([(503, "down"), (503, "down"), (200, "old")]) {
        let answer = follower.await.expect("no panic");
        assert_eq!((answer.status.as_u16(), &*answer.body), (expected.0, expected.1.as_bytes()));
    }
}

#[tokio::test]
async fn an_answer_that_a_request_may_not_reuse_is_not_its_answer() {
    for (leading, following, fields, is_shared) in [
        ("", "", &[("cache-control", "max-age=60")][..], true),
        ("", "no-cache", &[("cache-control", "max-age=60")], false),
        ("", "max-age=0", &[("cache-control", "max-age=60"), ("age", "5")], false),
        ("", "min-fresh=60", &[("cache-control", "max-age=60"), ("age", "5")], false),
        ("max-stale=100", "", &[("cache-control", "max-age=10"), ("age", "50")], false),
        ("max-stale=100", "max-stale=100", &[("cache-control", "max-age=10"), ("age", "50")], true),
    ] {
        let (world, gate) = behind_gate(CacheOptions::standard(), |_| response(200, fields, "a"));
        gate.send(false).expect("somebody waits");
        let leader = spawn(&world, directed(leading));
        settle().await;
        let follower = spawn(&world, directed(following));
        settle().await;
        gate.send(true).expect("somebody waits");
        assert_eq!(leader.await.expect("no panic").body, "a");
        let answer = follower.await.expect("no panic");
        assert_eq!(answer.body, "a");
        assert_eq!(
            world.origin.count(),
            if is_shared { 1 } else { 2 },
            "{leading:?} {following:?}: {}",
            answer.cache
        );
    }
}

#[tokio::test]
async fn a_long_answer_is_joined_only_while_it_is_fresh() {
    let (sender, body) = trickle();
    let body = std::sync::Mutex::new(Some(body));
    let world = World::with_options(CacheOptions::standard(), move |_| {
        let body = body.lock().expect("no panic").take().unwrap_or_else(|| "new".into());
        response(200, &[("cache-control", "max-age=10")], body)
    });
    let leader = world.send(get("/a")).await.expect("a head");
    let follower = world.send(get("/a")).await.expect("a head");
    assert!(follower.cache_status().collapsed);
    world.time.advance(secs(20));
    let late = world.get("/a").await;
    assert_eq!((&*late.body, world.origin.count()), (&b"new"[..], 2));
    sender.send(Ok("old".into())).expect("somebody reads");
    drop(sender);
    for response in [leader, follower] {
        assert_eq!(Answered::of(response).await.body, "old");
    }
}

#[tokio::test(start_paused = true)]
async fn what_must_be_validated_each_time_is_not_waited_for_in_turn() {
    let origin = ScriptedOrigin::new(|request| async move {
        tokio::time::sleep(secs(1)).await;
        let fields = [("cache-control", "no-cache"), ("etag", "\"1\"")];
        let status = if field(&request, "if-none-match").is_empty() { 200 } else { 304 };
        Ok::<_, BoxError>(response(status, &fields, if status == 200 { "a" } else { "" }))
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    world.get("/a").await;
    // First nothing is known of how its answers go, and then that they are not shared.
    for (passed, longest) in [(200, 2), (1, 1)] {
        world.time.advance(secs(passed));
        let begin = Instant::now();
        let tasks: Vec<_> = (0..8).map(|_| spawn(&world, get("/a"))).collect();
        for task in tasks {
            assert_eq!(task.await.expect("no panic").body, "a");
        }
        assert!(begin.elapsed() <= secs(longest) + Duration::from_millis(10), "{:?}", begin.elapsed());
    }
    assert_eq!(world.origin.count(), 17, "each was validated for itself");
}

#[tokio::test]
async fn different_variants_do_not_wait_for_one_another() {
    for control in ["max-age=10, stale-while-revalidate=1000", "max-age=10"] {
        let fields = [("cache-control", control), ("vary", "accept-language"), ("etag", "\"1\"")];
        let (gate, gated) = tokio::sync::watch::channel(true);
        let origin = ScriptedOrigin::new(move |request: Request<RequestBody>| {
            let mut gated = gated.clone();
            async move {
                if field(&request, "accept-language") == "en" {
                    gated.wait_for(|open| *open).await?;
                }
                let status = if field(&request, "if-none-match").is_empty() { 200 } else { 304 };
                Ok::<_, BoxError>(response(status, &fields, if status == 200 { "a" } else { "" }))
            }
        });
        let world = World::with(CacheOptions::standard(), origin, |builder| builder);
        let speaking = |language| get_having("/a", &[("accept-language", language)]);
        world.send_whole(speaking("en")).await;
        world.time.advance(secs(200));
        gate.send(false).expect("somebody waits");
        let english = spawn(&world, speaking("en"));
        settle().await;
        let french = spawn(&world, speaking("fr"));
        let again = spawn(&world, speaking("en"));
        settle().await;
        assert!(french.is_finished(), "{control}");
        assert_eq!(world.origin.count(), 3, "the same variant is asked for once");
        gate.send(true).expect("somebody waits");
        for task in [english, french, again] {
            assert_eq!(task.await.expect("no panic").body, "a");
        }
    }
}

#[tokio::test]
async fn what_has_an_answer_of_its_own_waits_for_nobody() {
    for fields in [
        ("range", "bytes=0-1"),
        ("if-none-match", "\"2\""),
        ("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT"),
    ] {
        let (world, gate) =
            behind_gate(CacheOptions::standard(), |_| response(200, &[("cache-control", "max-age=60")], "a"));
        gate.send(false).expect("somebody waits");
        let plain = spawn(&world, get("/a"));
        settle().await;
        let own = spawn(&world, get_having("/a", &[fields]));
        settle().await;
        assert_eq!(world.origin.count(), 2, "{fields:?}");
        gate.send(true).expect("somebody waits");
        for task in [plain, own] {
            assert_eq!(task.await.expect("no panic").body, "a");
        }
    }
}

#[tokio::test]
async fn what_a_filter_does_not_let_out_is_not_shared_either() {
    let options = CacheOptions::standard().filter_on_read(Filter::new(|head| head.url.path() != "/a"));
    let (world, gate) = behind_gate(options, |_| response(200, &[("cache-control", "max-age=60")], "a"));
    for (path, exchanges) in [("/a", 2), ("/b", 1)] {
        let before = world.origin.count();
        gate.send(false).expect("somebody waits");
        let leader = spawn(&world, get(path));
        settle().await;
        let follower = spawn(&world, get(path));
        settle().await;
        gate.send(true).expect("somebody waits");
        for task in [leader, follower] {
            assert_eq!(task.await.expect("no panic").body, "a");
        }
        assert_eq!(world.origin.count() - before, exchanges, "{path}");
    }
}
