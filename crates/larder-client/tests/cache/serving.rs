//! What is looked up, and what goes to the origin.

use std::sync::atomic::{AtomicU32, Ordering};

use http::{Method, StatusCode};
use larder_client::{CacheMode, CacheOptions, Expiry, Filter, RequestBody, RequestOptions};

use futures_util::stream;
use larder_core::Error;

use crate::support::{HOUR, World, get, get_with, ok, request, response, settle};

#[tokio::test]
async fn a_second_request_is_a_hit() {
    let world = World::new(|_| response(200, &[("x-a", "1"), ("x-a", "2")], "hello"));
    let first = world.get("/a").await;
    assert_eq!((first.cache.as_str(), first.from_cache), ("larder; fwd=uri-miss; ttl=3600; stored", false));
    let second = world.get("/a").await;
    assert_eq!((second.cache.as_str(), second.from_cache), ("larder; hit; ttl=3600", true));
    assert_eq!((second.body, second.headers, second.url), (first.body, first.headers, first.url));
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn an_expired_response_is_fetched_anew() {
    let world = World::new(|_| ok("x"));
    world.get("/a").await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/a").await.cache, "larder; fwd=stale; ttl=3600; stored");
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn unsafe_methods_reach_the_origin_each_time() {
    let world = World::new(|_| ok("done"));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        for _ in 0..2 {
            let answer = world.send_whole(request(method.clone(), "/a")).await;
            assert_eq!(answer.cache, "larder; fwd=method; detail=no-key", "{method}");
        }
    }
    assert_eq!((world.origin.count(), world.stored().await), (8, 0));
}

#[tokio::test]
async fn a_method_that_the_caller_allows_is_cached_by_its_content() {
    let options = CacheOptions::fixed(HOUR).allowed_methods([Method::GET, Method::POST]);
    let world = World::with_options(options, |request| ok(request.body().as_bytes().expect("bytes").clone()));
    let post = |content: &'static str| {
        let mut post = request(Method::POST, "/search");
        *post.body_mut() = RequestBody::from(content);
        post
    };
    for (content, from_cache) in [("a", false), ("b", false), ("a", true), ("b", true)] {
        let answer = world.send_whole(post(content)).await;
        assert_eq!((&*answer.body, answer.from_cache), (content.as_bytes(), from_cache));
    }
}

#[tokio::test]
async fn streamed_content_passes_and_its_response_is_not_stored() {
    let options = CacheOptions::fixed(HOUR).allowed_methods([Method::GET, Method::POST]);
    let world = World::with_options(options, |request| {
        assert!(request.body().as_bytes().is_none());
        ok("done")
    });
    for _ in 0..2 {
        let mut post = request(Method::POST, "/upload");
        *post.body_mut() = RequestBody::wrap(larder_core::Body::from("streamed"));
        assert_eq!(world.send_whole(post).await.cache, "larder; fwd=bypass; detail=no-key");
    }
    assert_eq!(world.stored().await, 0);
}

#[tokio::test]
async fn two_users_get_their_own() {
    let world =
        World::new(|request| ok(request.headers()["authorization"].to_str().expect("text").to_owned()));
    for from_cache in [false, true] {
        for token in ["Bearer a", "Bearer b"] {
            let mut get = get("/me");
            get.headers_mut().insert("authorization", token.parse().expect("a value"));
            let answer = world.send_whole(get).await;
            assert_eq!((&*answer.body, answer.from_cache), (token.as_bytes(), from_cache));
        }
    }
}

#[tokio::test]
async fn a_variant_that_was_not_asked_for_is_not_used() {
    let world = World::new(|request| {
        let language = request.headers()["accept-language"].to_str().expect("text").to_owned();
        response(200, &[("vary", "accept-language")], language)
    });
    for (language, cache) in [("en", "fwd=uri-miss"), ("fr", "fwd=vary-miss"), ("fr", "hit")] {
        let mut get = get("/a");
        get.headers_mut().insert("accept-language", language.parse().expect("a value"));
        let answer = world.send_whole(get).await;
        assert_eq!(answer.body, language);
        assert!(answer.cache.contains(cache), "{language}: {}", answer.cache);
    }
}

#[tokio::test]
async fn a_head_is_answered_from_a_stored_get() {
    let world = World::new(|_| response(200, &[("content-length", "5")], "hello"));
    world.get("/a").await;
    let head = world.send_whole(request(Method::HEAD, "/a")).await;
    assert_eq!((&*head.body, head.from_cache), (&b""[..], true));
    assert_eq!(head.headers["content-length"], "5");
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn a_head_that_varies_from_the_stored_get_has_an_entry_of_its_own() {
    let world = World::new(|_| response(200, &[("vary", "accept")], ""));
    world.get("/a").await;
    for from_cache in [false, true] {
        let mut head = request(Method::HEAD, "/a");
        head.headers_mut().insert("accept", "text/html".parse().expect("a value"));
        assert_eq!(world.send_whole(head).await.from_cache, from_cache);
    }
}

#[tokio::test]
async fn a_head_that_nobody_reads_is_stored() {
    let world = World::new(|_| {
        // As HTTP/2 has it: the length that a GET would have.
        let body = larder_core::Body::from_sized_stream(stream::empty::<Result<&str, Error>>(), 5);
        response(200, &[("content-length", "5")], body)
    });
    drop(world.send(request(Method::HEAD, "/a")).await.expect("an answer"));
    settle().await;
    let head = world.send_whole(request(Method::HEAD, "/a")).await;
    assert_eq!((head.from_cache, &*head.body), (true, &b""[..]));
}

#[tokio::test]
async fn another_host_than_that_of_the_url_is_not_cached() {
    let world = World::new(|request| ok(request.headers()["host"].to_str().expect("text").to_owned()));
    for (host, cache) in [("a", "detail=no-key"), ("b", "detail=no-key"), ("H", "stored")] {
        let mut get = get("/a");
        get.headers_mut().insert("host", host.parse().expect("a value"));
        let answer = world.send_whole(get).await;
        assert_eq!(answer.body, host);
        assert!(answer.cache.ends_with(cache), "{host}: {}", answer.cache);
    }
}

#[tokio::test]
async fn a_key_of_ones_own_does_not_cover_streamed_content() {
    let world = World::new(|_| ok("x"));
    let key = larder_core::CacheKey::new("mine").expect("a key");
    for _ in 0..2 {
        let mut get = get_with("/a", RequestOptions::default().key(key.clone()));
        *get.body_mut() = RequestBody::wrap(larder_core::Body::from("streamed"));
        assert!(!world.send_whole(get).await.from_cache);
    }
}

#[tokio::test]
async fn a_stored_head_does_not_answer_a_get() {
    let world = World::new(|request| {
        let body = if request.method() == Method::HEAD { "" } else { "hello" };
        response(200, &[("content-length", "5")], body)
    });
    assert_eq!(world.send_whole(request(Method::HEAD, "/a")).await.status, StatusCode::OK);
    assert!(world.send_whole(request(Method::HEAD, "/a")).await.from_cache, "a HEAD is stored for HEAD");
    assert_eq!(world.get("/a").await.body, "hello");
}

#[tokio::test]
async fn the_modes_of_a_request_are_heeded() {
    let world = World::new(|_| ok("x"));
    let mode = |mode| get_with("/a", RequestOptions::default().mode(mode));
    let refused = world.send_whole(mode(CacheMode::OnlyIfCached)).await;
    assert_eq!(
        (refused.status, refused.cache.as_str()),
        (StatusCode::GATEWAY_TIMEOUT, "larder; detail=only-if-cached")
    );
    for (asked, cache, count) in [
        (CacheMode::NoStore, "larder; fwd=bypass; detail=no-key", 1),
        (CacheMode::Default, "larder; fwd=uri-miss; ttl=3600; stored", 2),
        (CacheMode::NoStore, "larder; fwd=bypass; detail=no-key", 3),
        (CacheMode::Reload, "larder; fwd=request; ttl=3600; stored", 4),
        (CacheMode::NoCache, "larder; fwd=request; ttl=3600; stored", 5),
        (CacheMode::OnlyIfCached, "larder; hit; ttl=3600", 5),
        (CacheMode::ForceCache, "larder; hit; ttl=3600", 5),
    ] {
        assert_eq!(
            (world.send_whole(mode(asked)).await.cache.as_str(), world.origin.count()),
            (cache, count)
        );
    }
    let mut post = request(Method::POST, "/a");
    post.extensions_mut().insert(RequestOptions::default().mode(CacheMode::OnlyIfCached));
    assert_eq!(world.send_whole(post).await.status, StatusCode::GATEWAY_TIMEOUT, "not even what has no key");
    world.time.advance(2 * HOUR);
    let stale = world.send_whole(mode(CacheMode::ForceCache)).await;
    assert_eq!(stale.cache, "larder; hit; ttl=-3600; detail=stale");
}

#[tokio::test]
async fn the_options_of_a_request_are_heeded() {
    let world = World::new(|_| ok("x"));
    let options = RequestOptions::default;
    world.send_whole(get_with("/a", options().expire_after(2 * HOUR))).await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/a").await.cache, "larder; hit; ttl=3600");

    world.send_whole(get_with("/b", options().expire_after(Expiry::DoNotStore))).await;
    assert!(!world.get("/b").await.from_cache);

    let key = larder_core::CacheKey::new("mine").expect("a key");
    world.send_whole(get_with("/c", options().key(key.clone()))).await;
    assert!(world.send_whole(get_with("/other", options().key(key))).await.from_cache);
}

#[tokio::test]
async fn a_status_that_is_not_allowed_is_not_stored() {
    let world = World::new(|_| response(404, &[], "no"));
    for _ in 0..2 {
        assert_eq!(world.get("/a").await.cache, "larder; fwd=uri-miss; detail=status");
    }
    assert_eq!(world.stored().await, 0);
}

#[tokio::test]
async fn filters_admit_and_a_filter_that_panics_does_not() {
    let asked = std::sync::Arc::new(AtomicU32::new(0));
    let count = std::sync::Arc::clone(&asked);
    let options = CacheOptions::fixed(HOUR)
        .filter_on_write(Filter::new(|head| {
            assert!(head.url.path() != "/panic", "on purpose");
            head.url.path() != "/write"
        }))
        .filter_on_read(Filter::new_async(move |head| {
            count.fetch_add(1, Ordering::Relaxed);
            async move { head.url.path() != "/read" }
        }));
    let world = World::with_options(options, |_| response(200, &[("etag", "\"1\"")], "x"));
    for path in ["/write", "/read", "/panic"] {
        for _ in 0..2 {
            assert!(!world.get(path).await.from_cache, "{path}");
        }
    }
    assert_eq!((world.stored().await, asked.load(Ordering::Relaxed)), (1, 1));
    world.time.advance(HOUR);
    let seen = world.origin.count();
    assert!(!world.get("/read").await.from_cache, "what is not admitted is not validated either");
    assert!(!world.origin.seen()[seen].headers.contains_key("if-none-match"));
    world.get("/ok").await;
    assert!(world.get("/ok").await.from_cache);
}

#[tokio::test]
async fn a_disabled_cache_is_passed_by_until_the_last_scope_ends() {
    let world = World::new(|_| ok("x"));
    world.get("/a").await;
    let (outer, inner) = (world.cache.disabled(), world.cache.disabled());
    assert_eq!(world.get("/a").await.cache, "larder; fwd=bypass; detail=disabled");
    let offline = get_with("/a", RequestOptions::default().mode(CacheMode::OnlyIfCached));
    assert_eq!(world.send_whole(offline).await.status, StatusCode::GATEWAY_TIMEOUT);
    drop(inner);
    assert!(!world.get("/a").await.from_cache);
    drop(outer);
    assert!(world.get("/a").await.from_cache);

    let cache = world.cache.clone();
    let panics = tokio::spawn(async move {
        let _scope = cache.disabled();
        panic!("on purpose");
    });
    assert!(panics.await.is_err());
    assert!(world.get("/a").await.from_cache, "a panic ends a scope");
}

#[tokio::test]
async fn a_response_that_came_by_hidden_redirects_is_not_stored() {
    let world = World::new(|_| {
        let mut response = ok("x");
        let url = larder_client::FinalUrl("http://elsewhere/".parse().expect("a URL"));
        response.extensions_mut().insert(url);
        response
    });
    let url: http::Uri = "http://elsewhere/".parse().expect("a URL");
    let answer = world.get("/a").await;
    assert_eq!(answer.cache, "larder; fwd=uri-miss; detail=hidden-redirects");
    assert_eq!((answer.url, world.stored().await), (url.clone(), 0));
    assert_eq!(
        world.send_whole(request(Method::POST, "/a")).await.url,
        url,
        "whatever the cache has to do with it"
    );
}
