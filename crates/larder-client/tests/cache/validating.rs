//! Stale responses: validated, or used because the origin fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use larder_client::{CacheOptions, RequestOptions};
use larder_core::ErrorKind;

use crate::support::{HOUR, ScriptedOrigin, World, get, get_with, ok, request, response};

#[tokio::test]
async fn a_304_freshens_what_is_stored() {
    let world = World::new(|request| match request.headers().get("if-none-match") {
        Some(_) => response(304, &[("etag", "\"1\""), ("x-new", "yes")], ""),
        None => response(200, &[("etag", "\"1\"")], "hello"),
    });
    world.get("/a").await;
    world.time.advance(HOUR);
    let validated = world.get("/a").await;
    assert_eq!(validated.cache, "larder; fwd=stale; fwd-status=304; ttl=3600; stored");
    assert_eq!(
        (validated.status, &*validated.body, validated.from_cache),
        (StatusCode::OK, &b"hello"[..], true)
    );
    assert_eq!(validated.headers["x-new"], "yes");
    let seen = world.origin.seen();
    assert_eq!(seen[1].headers["if-none-match"], "\"1\"");
    assert_eq!(world.get("/a").await.cache, "larder; hit; ttl=3600");
}

#[tokio::test]
async fn a_refresh_validates_what_is_fresh() {
    let world = World::new(|request| match request.headers().get("if-modified-since") {
        Some(_) => response(304, &[], ""),
        None => response(200, &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], "hello"),
    });
    world.get("/a").await;
    let refreshed = world.send_whole(get_with("/a", RequestOptions::default().refresh())).await;
    assert_eq!(refreshed.cache, "larder; fwd=request; fwd-status=304; ttl=3600; stored");
    assert_eq!(refreshed.body, "hello");
}

#[tokio::test]
async fn a_changed_response_replaces_what_is_stored() {
    let changed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&changed);
    let world = World::new(move |_| {
        if flag.load(Ordering::Relaxed) {
            response(200, &[("etag", "\"2\"")], "new")
        } else {
            response(200, &[("etag", "\"1\"")], "old")
        }
    });
    world.get("/a").await;
    changed.store(true, Ordering::Relaxed);
    world.time.advance(HOUR);
    assert_eq!(world.get("/a").await.body, "new");
    let hit = world.get("/a").await;
    assert_eq!((&*hit.body, hit.from_cache), (&b"new"[..], true));
}

#[tokio::test]
async fn a_304_for_another_response_causes_one_unconditional_fetch() {
    let world = World::new(|request| match request.headers().get("if-none-match") {
        Some(_) => response(304, &[("etag", "\"other\"")], ""),
        None => response(200, &[("etag", "\"1\"")], "hello"),
    });
    world.get("/a").await;
    world.time.advance(HOUR);
    let answer = world.get("/a").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"hello"[..]));
    assert_eq!(world.origin.count(), 3);
    assert!(world.origin.seen()[2].headers.get("if-none-match").is_none());
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_passed_on() {
    let world = World::new(|_| response(304, &[], ""));
    assert_eq!(world.get("/a").await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(world.stored().await, 0);
}

/// An origin that answers once and then fails, with a status or without an answer.
fn failing_later(status: Option<u16>) -> ScriptedOrigin {
    let answered = AtomicBool::new(false);
    ScriptedOrigin::new(move |_| {
        let first = !answered.swap(true, Ordering::Relaxed);
        async move {
            match status {
                _ if first => Ok(ok("old")),
                Some(status) => Ok(response(status, &[], "failed")),
                None => Err("connection refused".into()),
            }
        }
    })
}

#[tokio::test]
async fn a_stale_response_stands_in_for_a_failing_origin_where_it_may() {
    for status in [None, Some(500), Some(502), Some(503), Some(504)] {
        let options = CacheOptions::fixed(HOUR).stale_if_error(2 * HOUR);
        let world = World::with(options, failing_later(status), |builder| builder);
        world.get("/a").await;
        world.time.advance(2 * HOUR);
        let stale = world.get("/a").await;
        let said = status.map_or(String::new(), |status| format!("; fwd-status={status}"));
        let expected = format!("larder; fwd=stale{said}; ttl=-3600; detail=stale");
        assert_eq!((&*stale.body, stale.cache, stale.from_cache), (&b"old"[..], expected, true));
        world.time.advance(2 * HOUR);
        if let Some(status) = status {
            assert_eq!(world.get("/a").await.status, status);
            continue;
        }
        let error = world.send(get("/a")).await.expect_err("nothing will do");
        assert_eq!(error.kind(), ErrorKind::Origin);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_stale_response_does_not_stand_in_unless_it_may() {
    let world = World::with(CacheOptions::fixed(HOUR), failing_later(Some(503)), |builder| builder);
    world.get("/a").await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/a").await.status, 503);
    assert_eq!(world.stored().await, 1, "a failure does not replace what is stored");
}

#[tokio::test]
async fn what_a_304_forbids_to_keep_is_gone() {
    for (field, value) in [
        ("cache-control", "no-store, max-age=600"),
        ("cache-control", "no-store"),
        ("cache-control", "max-age=600, NO-STORE"),
        ("vary", "*"),
    ] {
        let world = World::with_options(CacheOptions::standard(), move |request| {
            if request.headers().contains_key("if-none-match") {
                return response(304, &[("etag", "\"1\""), (field, value)], "");
            }
            let expires = ("expires", "Fri, 31 Dec 2099 00:00:00 GMT");
            response(200, &[("etag", "\"1\""), ("cache-control", "max-age=10"), expires], "a")
        });
        world.get("/a").await;
        world.time.advance(Duration::from_secs(20));
        let validated = world.get("/a").await;
        assert_eq!((validated.status, &*validated.body), (StatusCode::OK, &b"a"[..]));
        assert_eq!(world.stored().await, 0, "{value}");
        assert_eq!(world.get("/a").await.cache, "larder; fwd=uri-miss; ttl=10; stored", "{value}");
    }
}

#[tokio::test]
async fn what_a_head_forbids_to_keep_is_gone() {
    let world = World::with_options(CacheOptions::standard(), |request| match request.method().as_str() {
        "HEAD" => response(200, &[("cache-control", "no-store, max-age=600")], ""),
        _ => response(200, &[("cache-control", "max-age=600")], "a"),
    });
    world.get("/a").await;
    world.time.advance(HOUR);
    world.send_whole(request(Method::HEAD, "/a")).await;
    assert_eq!(world.stored().await, 0);
    assert!(!world.get("/a").await.from_cache);
}

#[tokio::test]
async fn what_is_understood_is_kept_by_a_304_that_says_so() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let fields = [("cache-control", "must-understand, no-store, max-age=10"), ("etag", "\"1\"")];
        let status = if request.headers().contains_key("if-none-match") { 304 } else { 200 };
        response(status, &fields, if status == 200 { "a" } else { "" })
    });
    world.get("/a").await;
    world.time.advance(Duration::from_secs(20));
    assert_eq!(world.get("/a").await.cache, "larder; fwd=stale; fwd-status=304; ttl=10; stored");
    assert_eq!(world.get("/a").await.cache, "larder; hit; ttl=10");
}
