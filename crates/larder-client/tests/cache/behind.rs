//! Validation behind an answer that was stale (RFC 5861, section 3): of the whole, and bounded.

use std::time::Duration;

use http::Request;
use larder_client::{CacheOptions, RequestBody};
use larder_core::Body;

use crate::support::{World, behind_gate, field, get, get_having, response, settle, spawn};

const CONTROL: (&str, &str) = ("cache-control", "max-age=10, stale-while-revalidate=1000");
const STALE: Duration = Duration::from_secs(20);
const TEXT: &str = "0123456789";

/// Answers `fields`, and ranges from the first to the fifth byte.
fn serve(request: &Request<RequestBody>) -> http::Response<Body> {
    match field(request, "range") {
        "" if !field(request, "if-modified-since").is_empty() => response(304, &[CONTROL], ""),
        "" => response(200, &[CONTROL], TEXT),
        _ => response(206, &[CONTROL, ("content-range", "bytes 0-4/10")], "01234"),
    }
}

#[tokio::test]
async fn a_range_of_what_is_stale_does_not_replace_the_whole_by_a_part() {
    let world = World::with_options(CacheOptions::standard(), serve);
    world.get("/a").await;
    world.time.advance(STALE);
    let part = world.send_whole(get_having("/a", &[("range", "bytes=0-4")])).await;
    assert_eq!((part.status.as_u16(), &*part.body), (206, &b"01234"[..]));
    assert_eq!(part.cache, "larder; hit; ttl=-10; detail=stale");
    settle().await;
    let whole = world.get("/a").await;
    assert_eq!((whole.cache.as_str(), &*whole.body), ("larder; hit; ttl=10", TEXT.as_bytes()));
    assert!(!world.origin.seen()[1].headers.contains_key("range"));
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn a_request_that_waits_for_a_validation_behind_a_part_gets_the_whole() {
    let (world, gate) = behind_gate(CacheOptions::standard(), serve);
    world.send_whole(get_having("/a", &[("range", "bytes=0-4")])).await;
    world.time.advance(STALE);
    gate.send(false).expect("somebody waits");
    let part = world.send_whole(get_having("/a", &[("range", "bytes=0-4")])).await;
    assert_eq!((part.status.as_u16(), &*part.body), (206, &b"01234"[..]));
    let plain = spawn(&world, get("/a"));
    settle().await;
    gate.send(true).expect("somebody waits");
    let whole = plain.await.expect("no panic");
    assert_eq!((whole.status.as_u16(), &*whole.body), (200, TEXT.as_bytes()));
    settle().await;
    assert_eq!(world.get("/a").await.body, TEXT);
}

#[tokio::test]
async fn conditions_of_the_caller_do_not_go_along() {
    for (name, value) in [
        ("if-modified-since", "Fri, 31 Dec 2021 00:00:00 GMT"),
        ("if-none-match", "\"1\""),
        ("if-range", "\"1\""),
    ] {
        let world = World::with_options(CacheOptions::standard(), serve);
        world.get("/a").await;
        world.time.advance(STALE);
        for expected in ["larder; hit; ttl=-10; detail=stale", "larder; hit; ttl=10"] {
            assert_eq!(world.send_whole(get_having("/a", &[(name, value)])).await.cache, expected, "{name}");
            settle().await;
        }
        assert!(!world.origin.seen()[1].headers.contains_key(name));
        assert_eq!(world.origin.count(), 2, "{name}");
    }
}

#[tokio::test]
async fn only_so_many_are_under_way_at_once() {
    let (world, gate) = behind_gate(CacheOptions::standard(), serve);
    let paths: Vec<String> = (0..80).map(|number| format!("/{number}")).collect();
    for path in &paths {
        world.get(path).await;
    }
    world.time.advance(STALE);
    gate.send(false).expect("somebody waits");
    for _ in 0..2 {
        for path in &paths {
            assert_eq!(world.get(path).await.cache, "larder; hit; ttl=-10; detail=stale");
        }
        settle().await;
        assert_eq!(world.origin.count(), 80 + 64, "each once, and not all");
    }
    gate.send(true).expect("somebody waits");
    settle().await;
    for path in &paths {
        assert!(world.get(path).await.from_cache);
    }
    settle().await;
    assert_eq!(world.origin.count(), 80 + 80, "the others when there was room");
}
