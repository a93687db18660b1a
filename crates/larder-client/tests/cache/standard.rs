//! The loop as RFC 9111 wants it: stale answers, invalidation, and methods beside GET.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use larder_client::{CacheOptions, Decision, Forward, LifetimeSource, RequestBody};
use larder_core::{Body, BoxError};

use crate::support::{ScriptedOrigin, World, get, request, response, settle};

const MINUTE: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("etag", "\"1\"")];

fn world(answer: impl Fn(&Request<RequestBody>) -> http::Response<Body> + Send + Sync + 'static) -> World {
    World::with_options(CacheOptions::standard(), answer)
}

#[tokio::test]
async fn a_response_says_how_old_it_is() {
    let world = world(|_| response(200, &[("cache-control", "max-age=60"), ("age", "20")], "a"));
    assert_eq!(world.get("/a").await.headers["age"], "20");
    world.time.advance(Duration::from_secs(10));
    let hit = world.get("/a").await;
    assert_eq!(
        (hit.cache.as_str(), &hit.headers["age"]),
        ("larder; hit; ttl=30", &"30".parse().expect("a value"))
    );
}

#[tokio::test]
async fn a_stale_answer_is_validated_behind_it_once() {
    let version = Arc::new(AtomicU16::new(1));
    let current = Arc::clone(&version);
    let (gate, gated) = tokio::sync::watch::channel(true);
    let origin = ScriptedOrigin::new(move |_| {
        let (current, mut gated) = (Arc::clone(&current), gated.clone());
        async move {
            gated.wait_for(|open| *open).await.expect("the test holds the gate");
            let body = current.load(Ordering::SeqCst).to_string();
            let fields = [("cache-control", "max-age=60, stale-while-revalidate=600")];
            Ok::<_, BoxError>(response(200, &fields, body))
        }
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    world.get("/a").await;
    version.store(2, Ordering::SeqCst);
    world.time.advance(Duration::from_secs(90));
    gate.send(false).expect("somebody waits");
    for _ in 0..5 {
        let stale = world.get("/a").await;
        assert_eq!((&*stale.body, stale.cache.as_str()), (&b"1"[..], "larder; hit; ttl=-30; detail=stale"));
    }
    settle().await;
    assert_eq!(world.origin.count(), 2, "one validation for five answers");
    gate.send(true).expect("somebody waits");
    settle().await;
    let fresh = world.get("/a").await;
    assert_eq!((&*fresh.body, fresh.cache.as_str()), (&b"2"[..], "larder; hit; ttl=60"));
    world.time.advance(Duration::from_secs(700));
    assert_eq!(world.get("/a").await.cache, "larder; fwd=stale; ttl=60; stored", "past the window");
}

#[tokio::test]
async fn an_unsafe_request_makes_what_is_stored_invalid() {
    for (status, is_invalidated) in [(200, true), (204, true), (303, true), (404, false), (500, false)] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"] {
            let world = world(move |request| match request.method().as_str() {
                "GET" => response(200, MINUTE, "a"),
                _ => response(
                    status,
                    &[("content-location", "/b"), ("location", "http://h/c"), ("location", "http://other/d")],
                    "",
                ),
            });
            for url in ["/a", "/b", "/c", "http://other/d", "/e"] {
                world.get(url).await;
            }
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let sent = world.cache.send_once(request(method, "/a"), &mut world.origin.clone()).await;
            assert_eq!(sent.expect("an answer").status().as_u16(), status);
            for (url, is_named) in
                [("/a", true), ("/b", true), ("/c", true), ("http://other/d", false), ("/e", false)]
            {
                let is_hit = world.get(url).await.from_cache;
                assert_eq!(is_hit, !(is_named && is_invalidated), "{status} {url}");
            }
        }
    }
}

#[tokio::test]
async fn an_unsafe_request_makes_groups_invalid() {
    let world = world(|request| match (request.method().as_str(), request.uri().path()) {
        ("GET", "/a" | "/b") => {
            response(200, &[("cache-control", "max-age=60"), ("cache-groups", "\"x\", \"y\"")], "a")
        }
        ("GET", _) => response(200, MINUTE, "a"),
        _ => response(200, &[("cache-group-invalidation", "\"y\"")], ""),
    });
    for url in ["/a", "/b", "http://other/a", "/c"] {
        world.get(url).await;
    }
    world.send_whole(request(Method::POST, "/elsewhere")).await;
    for (url, is_hit) in [("/a", false), ("/b", false), ("http://other/a", true), ("/c", true)] {
        assert_eq!(world.get(url).await.from_cache, is_hit, "{url}");
    }
}

#[tokio::test]
async fn what_was_made_invalid_while_it_was_under_way_is_not_stored() {
    let (gate, gated) = tokio::sync::watch::channel(false);
    let origin = ScriptedOrigin::new(move |request| {
        let mut gated = gated.clone();
        async move {
            if request.method() == Method::GET {
                gated.wait_for(|open| *open).await.expect("the test holds the gate");
            }
            Ok::<_, BoxError>(response(200, MINUTE, "a"))
        }
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    let other = world.clone();
    let slow = tokio::spawn(async move { other.get("/a").await });
    settle().await;
    world.send_whole(request(Method::PUT, "/a")).await;
    gate.send(true).expect("somebody waits");
    assert_eq!(slow.await.expect("no panic").cache, "larder; fwd=uri-miss; detail=invalidated");
    assert_eq!(world.get("/a").await.cache, "larder; fwd=uri-miss; ttl=60; stored");
    assert_eq!(world.get("/a").await.cache, "larder; hit; ttl=60");
}

#[tokio::test]
async fn what_a_post_says_is_at_its_own_url_answers_a_get() {
    let world = world(|request| {
        let fields = [("cache-control", "max-age=60"), ("content-location", request.uri().path())];
        response(200, &fields, request.method().to_string())
    });
    let mut post = Request::new(RequestBody::from("content"));
    *post.method_mut() = Method::POST;
    *post.uri_mut() = "http://h/a".parse().expect("a URL");
    let posted = world.send_whole(post).await;
    assert_eq!((&*posted.body, posted.cache.as_str()), (&b"POST"[..], "larder; fwd=method; ttl=60; stored"));
    let hit = world.get("/a").await;
    assert_eq!((&*hit.body, hit.from_cache), (&b"POST"[..], true));
}

#[tokio::test]
async fn a_head_freshens_or_deletes_what_a_get_has_stored() {
    let version = Arc::new(AtomicU16::new(1));
    let current = Arc::clone(&version);
    let world = world(move |_| {
        let tag = format!("\"{}\"", current.load(Ordering::SeqCst));
        response(200, &[("cache-control", "max-age=60"), ("etag", &tag)], "body")
    });
    world.get("/a").await;
    assert!(world.send_whole(request(Method::HEAD, "/a")).await.from_cache);
    world.time.advance(Duration::from_secs(90));
    assert!(!world.send_whole(request(Method::HEAD, "/a")).await.from_cache);
    assert_eq!(world.get("/a").await.cache, "larder; hit; ttl=60");
    version.store(2, Ordering::SeqCst);
    world.time.advance(Duration::from_secs(90));
    world.send_whole(request(Method::HEAD, "/a")).await;
    assert_eq!(world.get("/a").await.cache, "larder; fwd=uri-miss; ttl=60; stored");
}

#[tokio::test]
async fn what_is_stale_stands_in_for_an_origin_that_cannot_be_reached_and_not_for_one_that_fails() {
    for (directive, status, is_used) in [
        ("", None, true),
        ("", Some(503), false),
        (", must-revalidate", None, false),
        (", stale-if-error=60", Some(503), true),
        (", stale-if-error=10", None, false),
    ] {
        let is_down = Arc::new(AtomicU16::new(0));
        let down = Arc::clone(&is_down);
        let origin = ScriptedOrigin::new(move |_| {
            let down = down.load(Ordering::SeqCst);
            async move {
                match down {
                    0 => {
                        let field = format!("max-age=60{directive}");
                        Ok(response(200, &[("cache-control", &field)], "a"))
                    }
                    1 => Err(BoxError::from("refused")),
                    status => Ok(response(status, &[], "")),
                }
            }
        });
        let world = World::with(CacheOptions::standard(), origin, |builder| builder);
        world.get("/a").await;
        is_down.store(status.unwrap_or(1), Ordering::SeqCst);
        world.time.advance(Duration::from_secs(90));
        let answer = world.send(get("/a")).await;
        let is_stale = answer.is_ok_and(|answer| answer.cache_status().stale);
        assert_eq!(is_stale, is_used, "{directive} {status:?}");
    }
}

#[tokio::test]
async fn what_must_be_validated_each_time_is_no_answer_for_those_who_wait() {
    let (gate, gated) = tokio::sync::watch::channel(false);
    let origin = ScriptedOrigin::new(move |_| {
        let mut gated = gated.clone();
        async move {
            gated.wait_for(|open| *open).await.expect("the test holds the gate");
            Ok::<_, BoxError>(response(200, &[("cache-control", "no-cache"), ("etag", "\"1\"")], "a"))
        }
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.get("/a").await })
        })
        .collect();
    settle().await;
    assert_eq!(world.origin.count(), 1);
    gate.send(true).expect("somebody waits");
    for task in tasks {
        assert_eq!(task.await.expect("no panic").body, "a");
    }
    assert_eq!(world.origin.count(), 4, "each was validated for itself");
}

#[tokio::test]
async fn the_field_says_what_the_cache_did_after_those_before_it() {
    let origin = ScriptedOrigin::new(async |_| {
        let fields = [("cache-control", "max-age=60"), ("cache-status", "edge; hit")];
        Ok::<_, BoxError>(response(200, &fields, "a"))
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder.cache_status_field(true));
    for expected in ["larder; fwd=uri-miss; ttl=60; stored", "larder; hit; ttl=60"] {
        let answer = world.get("/a").await;
        let lines: Vec<_> = answer.headers.get_all("cache-status").iter().collect();
        assert_eq!(lines, ["edge; hit", expected]);
    }
}

#[tokio::test]
async fn a_request_is_explained_without_being_sent() {
    let world = world(|_| response(200, MINUTE, "hello"));
    let nothing = world.cache.explain(&get("/a")).await;
    assert!(nothing.stored.is_none());
    assert_eq!(nothing.decision, Decision::Fetch { reason: Forward::UriMiss });
    world.get("/a").await;
    world.time.advance(Duration::from_secs(45));
    let fresh = world.cache.explain(&get("/a")).await;
    let stored = fresh.stored.as_ref().expect("something");
    assert_eq!(stored.freshness.source, LifetimeSource::MaxAge);
    assert_eq!((stored.freshness.age.as_secs(), stored.body_len), (45, Some(5)));
    assert_eq!(fresh.decision, Decision::Use);
    let text = fresh.to_string();
    assert!(text.contains("60 - 45 = 15 s, fresh until Tue, 14 Nov 2023 22:14:20 GMT"), "{text}");
    world.time.advance(Duration::from_secs(45));
    let text = world.cache.explain(&get("/a")).await.to_string();
    assert!(
        text.ends_with("decision: ask the origin (stale) whether it is still valid: if-none-match: \"1\""),
        "{text}"
    );
    let post = world.cache.explain(&request(Method::POST, "/a")).await;
    assert!(post.to_string().contains("key: none, since responses to POST are not kept"), "{post}");
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn one_exchange_follows_no_redirect() {
    let world = world(|_| response(301, &[("location", "/b"), ("cache-control", "max-age=60")], ""));
    for from_cache in [false, true] {
        let answer = world.cache.send_once(get("/a"), &mut world.origin.clone()).await.expect("an answer");
        assert_eq!((answer.status(), answer.from_cache()), (StatusCode::MOVED_PERMANENTLY, from_cache));
        answer.bytes().await.expect("an empty body");
    }
}
