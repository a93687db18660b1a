//! Every request is counted once, in one of seven ways, whatever it took to answer it.

use http::{Method, Request};
use larder_client::{CacheMode, CacheOptions, RequestBody, RequestOptions};
use larder_core::{CacheStats, StoreStats};

use crate::support::{
    HOUR, World, behind_gate, field, get, get_with, ok, request, response, settle, spawn, trickle,
};

/// An origin of ten bytes for whatever is asked, which can be validated, and fails where it shall.
fn world() -> World {
    World::new(|request: &Request<RequestBody>| match request.uri().path() {
        "/redirect" => response(302, &[("location", "/a"), ("cache-control", "max-age=60")], "moved"),
        "/private" => response(200, &[("cache-control", "no-store")], "0123456789"),
        _ if request.headers().contains_key("if-none-match") => response(304, &[("etag", "\"1\"")], ""),
        _ => response(200, &[("etag", "\"1\"")], "0123456789"),
    })
}

/// Returns what was counted of requests, the way it was first.
fn counted(world: &World) -> Vec<(&'static str, u64)> {
    let stats = world.cache.backend().stats();
    let CacheStats { hits, stale, revalidated, coalesced, misses, bypassed, refused, .. } = stats;
    let all = [
        ("hits", hits),
        ("stale", stale),
        ("revalidated", revalidated),
        ("coalesced", coalesced),
        ("misses", misses),
        ("bypassed", bypassed),
        ("refused", refused),
    ];
    assert_eq!(stats.requests(), all.iter().map(|(_, count)| count).sum::<u64>());
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn a_miss_and_its_hits_are_counted() {
    let world = world();
    assert_eq!(world.cache.backend().stats().requests(), 0);
    for _ in 0..4 {
        world.get("/a").await;
    }
    assert_eq!(counted(&world), [("hits", 3), ("misses", 1)]);
    let stats = world.cache.backend().stats();
    assert_eq!((stats.bytes_from_cache, stats.stored, stats.bytes_stored), (30, 1, 10));
    assert_eq!((stats.lookups_found, stats.not_stored, stats.failures), (3, 0, 0));
    assert_eq!(stats.store, StoreStats::default().with_size(Some(1), Some(10)));
}

#[tokio::test]
async fn what_a_head_leaves_out_is_not_counted_as_bytes() {
    let world = world();
    world.get("/a").await;
    world.send_whole(request(Method::HEAD, "/a")).await;
    assert_eq!(counted(&world), [("hits", 1), ("misses", 1)]);
    assert_eq!(world.cache.backend().stats().bytes_from_cache, 0);
}

#[tokio::test]
async fn a_validated_response_is_counted_as_such() {
    let world = world();
    world.get("/a").await;
    world.time.advance(HOUR);
    world.get("/a").await;
    assert_eq!(counted(&world), [("revalidated", 1), ("misses", 1)]);
    let stats = world.cache.backend().stats();
    assert_eq!((stats.stored, stats.bytes_from_cache), (1, 10), "a new head is not another response");
}

#[tokio::test]
async fn a_stale_response_is_counted_as_such_whether_the_origin_was_asked_or_not() {
    let options = CacheOptions::fixed(HOUR).stale_if_error(2 * HOUR);
    let origin = |request: &Request<RequestBody>| match field(request, "if-none-match") {
        "" => response(200, &[("etag", "\"1\"")], "0123456789"),
        _ => response(503, &[], "no"),
    };
    let world = World::with_options(options, origin);
    world.get("/a").await;
    world.time.advance(HOUR + HOUR / 2);
    world.get("/a").await;
    world.send_whole(get_with("/a", RequestOptions::default().mode(CacheMode::ForceCache))).await;
    assert_eq!(counted(&world), [("stale", 2), ("misses", 1)]);
    assert_eq!(world.cache.backend().stats().bytes_from_cache, 20);
}

#[tokio::test]
async fn who_waits_for_another_is_counted_as_coalesced() {
    let (world, gate) = behind_gate(CacheOptions::fixed(HOUR), |_| ok("0123456789"));
    gate.send_replace(false);
    let all: Vec<_> = (0..5).map(|_| spawn(&world, get("/a"))).collect();
    settle().await;
    gate.send_replace(true);
    for answered in all {
        answered.await.expect("an answer");
    }
    assert_eq!(counted(&world), [("coalesced", 4), ("misses", 1)]);
    assert_eq!(world.cache.backend().stats().bytes_from_cache, 0, "none of it was stored before");
}

#[tokio::test]
async fn who_passes_the_cache_by_is_counted_apart() {
    let world = world();
    world.send_whole(request(Method::POST, "/a")).await;
    let disabled = world.cache.disabled();
    world.get("/a").await;
    drop(disabled);
    assert_eq!(counted(&world), [("bypassed", 2)]);
    assert_eq!(world.cache.backend().stats().not_stored, 0, "they were not for the cache");
}

#[tokio::test]
async fn what_may_not_be_stored_is_counted() {
    let world = World::with_options(CacheOptions::standard(), |_| {
        response(200, &[("cache-control", "no-store")], "0123456789")
    });
    world.get("/private").await;
    assert_eq!(counted(&world), [("misses", 1)]);
    let stats = world.cache.backend().stats();
    assert_eq!((stats.not_stored, stats.stored), (1, 0));
}

#[tokio::test]
async fn a_refusal_is_counted() {
    let world = world();
    let offline = RequestOptions::default().mode(CacheMode::OnlyIfCached);
    world.send_whole(get_with("/a", offline)).await;
    assert_eq!(counted(&world), [("refused", 1)]);
}

#[tokio::test]
async fn a_chain_of_redirects_is_one_request() {
    let world = world();
    world.get("/redirect").await;
    assert_eq!(counted(&world), [("misses", 1)]);
    world.get("/redirect").await;
    assert_eq!(counted(&world), [("hits", 1), ("misses", 1)]);
}

#[tokio::test]
async fn the_bytes_of_a_body_of_unknown_length_are_counted_as_they_are_stored() {
    let world = World::new(|_| {
        let (sender, body) = trickle();
        for _ in 0..5 {
            sender.send(Ok("a chunk of 20 bytes.".into())).expect("it is read");
        }
        ok(body)
    });
    world.get("/a").await;
    let stats = world.cache.backend().stats();
    assert_eq!((stats.stored, stats.bytes_stored, stats.bytes_from_cache), (1, 100, 0));
    world.get("/a").await;
    assert_eq!(world.cache.backend().stats().bytes_from_cache, 100);
}

#[tokio::test]
async fn clones_count_together() {
    let world = world();
    let clone = world.cache.backend().clone();
    world.get("/a").await;
    assert_eq!(clone.stats(), world.cache.backend().stats());
    assert_eq!(clone.stats().misses, 1);
}
