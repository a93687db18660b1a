//! What an unsafe request makes invalid (RFC 9111, section 4.4), also of what is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::header::ACCEPT;
use http::{Method, Request, StatusCode};
use larder_client::{CacheOptions, RequestBody, RequestOptions};
use larder_core::{Body, CacheKey};
use larder_memory::MemoryStore;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::failing::{Broken, Flaw};
use crate::support::{
    ScriptedOrigin, World, field, get, get_having, request, response, settle, spawn, with_fields,
};

const FRESH: (&str, &str) = ("cache-control", "max-age=600");

fn post(path: &str) -> Request<RequestBody> {
    request(Method::POST, path)
}

/// An origin that a POST gives another version, and whose first version waits at the gate after it was made.
fn versioned(fields: &'static [(&'static str, &'static str)]) -> (World, watch::Sender<bool>) {
    let (gate, gated) = watch::channel(false);
    let version = Arc::new(AtomicU16::new(1));
    let origin = ScriptedOrigin::new(move |request: Request<RequestBody>| {
        let (mut gated, version) = (gated.clone(), Arc::clone(&version));
        async move {
            if request.method() == Method::POST {
                version.store(2, Ordering::SeqCst);
                return Ok(response(204, &[], ""));
            }
            let version = version.load(Ordering::SeqCst);
            if version == 1 {
                gated.wait_for(|open| *open).await?;
            }
            Ok(response(200, fields, format!("{version}{}", field(&request, "accept-language"))))
        }
    });
    (World::with(CacheOptions::standard(), origin, |builder| builder), gate)
}

#[tokio::test]
async fn what_was_under_way_before_is_neither_joined_nor_stored() {
    let (world, gate) = versioned(&[FRESH]);
    let old = spawn(&world, get("/a"));
    settle().await;
    let joined_before = spawn(&world, get("/a"));
    settle().await;
    assert_eq!(world.origin.count(), 1);
    world.send_whole(post("/a")).await;
    let after = spawn(&world, get("/a"));
    settle().await;
    assert!(after.is_finished(), "it waits for nobody");
    assert_eq!(after.await.expect("no panic").body, "2");
    gate.send(true).expect("somebody waits");
    assert_eq!(old.await.expect("no panic").body, "1");
    joined_before.await.expect("no panic");
    settle().await;
    world.time.advance(Duration::from_secs(1));
    let later = world.get("/a").await;
    assert_eq!((&*later.body, later.from_cache), (&b"2"[..], true));
}

#[tokio::test]
async fn a_variant_that_was_under_way_before_is_not_stored() {
    let (world, gate) = versioned(&[FRESH, ("vary", "accept-language")]);
    let english = || get_having("/a", &[("accept-language", "en")]);
    let french = || get_having("/a", &[("accept-language", "fr")]);
    gate.send(true).expect("somebody waits");
    assert_eq!(world.send_whole(english()).await.body, "1en");
    gate.send(false).expect("somebody waits");
    let old = spawn(&world, french());
    settle().await;
    world.send_whole(post("/a")).await;
    assert_eq!(world.send_whole(english()).await.body, "2en");
    gate.send(true).expect("somebody waits");
    assert_eq!(old.await.expect("no panic").body, "1fr");
    settle().await;
    for (request, expected) in [(english(), "2en"), (french(), "2fr")] {
        assert_eq!(world.send_whole(request).await.body, expected);
    }
}

#[tokio::test]
async fn what_is_made_invalid_while_it_is_validated_stays_so() {
    let (gate, gated) = watch::channel(true);
    let origin = ScriptedOrigin::new(move |request: Request<RequestBody>| {
        let mut gated = gated.clone();
        async move {
            let fields = [FRESH, ("etag", "\"1\"")];
            if request.method() == Method::POST {
                return Ok(response(204, &[], ""));
            }
            if field(&request, "if-none-match").is_empty() {
                return Ok(response(200, &fields, "a"));
            }
            gated.wait_for(|open| *open).await?;
            Ok(response(304, &fields, ""))
        }
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    world.get("/a").await;
    world.time.advance(Duration::from_mins(15));
    gate.send(false).expect("somebody waits");
    let validating = spawn(&world, get("/a"));
    settle().await;
    world.send_whole(post("/a")).await;
    gate.send(true).expect("somebody waits");
    assert_eq!(validating.await.expect("no panic").body, "a");
    settle().await;
    assert_eq!(world.get("/a").await.cache, "larder; fwd=uri-miss; ttl=600; stored");
}

#[tokio::test]
async fn keys_that_cover_fields_hide_nothing() {
    let options = CacheOptions::standard().include_headers([ACCEPT]);
    let world = World::with_options(options, |_| response(200, &[FRESH], "a"));
    for (path, accept) in [("/a", "json"), ("/a", "text"), ("/b", "json")] {
        world.send_whole(get_having(path, &[("accept", accept)])).await;
    }
    world.send_whole(post("/a")).await;
    for (path, accept, is_hit) in [("/a", "json", false), ("/a", "text", false), ("/b", "json", true)] {
        let answer = world.send_whole(get_having(path, &[("accept", accept)])).await;
        assert_eq!(answer.from_cache, is_hit, "{path} {accept}");
    }
}

#[tokio::test]
async fn the_fields_of_an_unsafe_request_hide_nothing() {
    for fields in [
        &[("cache-control", "no-store")][..],
        &[("range", "bytes=0-1")],
        &[("if-match", "\"1\"")],
        &[("content-type", "text/plain")],
        &[("cookie", "sid=a")],
        &[("authorization", "alice")],
    ] {
        let world = World::with_options(CacheOptions::standard(), |_| response(200, &[FRESH], "a"));
        world.get("/a").await;
        world.send_whole(with_fields(post("/a"), fields)).await;
        assert!(!world.get("/a").await.from_cache, "{fields:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_delays_an_unsafe_request_by_its_timeout_at_most() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    for groups in ["", "\"a\", \"b\""] {
        let origin = ScriptedOrigin::new(move |_| async move {
            let mut answer = response(200, &[("cache-group-invalidation", groups)], "a");
            for number in 0..50 {
                answer.headers_mut().append("location", format!("/{number}").parse()?);
            }
            answer.headers_mut().append("content-location", "/c".parse()?);
            Ok(answer)
        });
        let store = Arc::new(Broken { flaw: Flaw::Hangs, inner: MemoryStore::new() });
        let world = World::with_store(store, CacheOptions::standard(), origin, |builder| {
            builder.store_timeout(TIMEOUT)
        });
        let begin = Instant::now();
        world.send_whole(with_fields(post("/a"), &[("authorization", "alice")])).await;
        assert!(begin.elapsed() < TIMEOUT * 2, "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn of_what_a_response_names_only_so_much_is_made_invalid() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let mut answer = response(200, &[FRESH], "a");
        if request.method() == Method::POST {
            for number in 0..100 {
                answer.headers_mut().append("location", format!("/{number}").parse().expect("a value"));
            }
        }
        answer
    });
    let paths: Vec<String> = (0..100).map(|number| format!("/{number}")).chain(["/a".to_owned()]).collect();
    for path in &paths {
        world.get(path).await;
    }
    world.send_whole(post("/a")).await;
    let mut missing = Vec::new();
    for path in &paths {
        if !world.get(path).await.from_cache {
            missing.push(&**path);
        }
    }
    assert_eq!(missing, ["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/a"]);
}

/// An origin whose response to a POST is one to GET too.
fn posted() -> World {
    World::with_options(CacheOptions::standard(), |_| {
        response(200, &[FRESH, ("content-location", "/a")], Body::from("posted"))
    })
}

#[tokio::test]
async fn what_a_post_brings_is_not_stored_where_it_must_not_be() {
    for (field, stored) in [("max-age=0", 1), ("no-store", 0), ("NO-STORE, max-age=60", 0)] {
        let world = posted();
        world.send_whole(with_fields(post("/a"), &[("cache-control", field)])).await;
        assert_eq!(world.stored().await, stored, "{field}");
    }
    let world = posted();
    let disabled = world.cache.disabled();
    assert_eq!(world.send_whole(post("/a")).await.status, StatusCode::OK);
    assert_eq!(world.stored().await, 0);
    drop(disabled);
    world.send_whole(post("/a")).await;
    assert_eq!(world.stored().await, 1);
}

#[tokio::test]
async fn what_was_under_way_is_not_stored_if_its_group_was_made_invalid() {
    let (gate, gated) = watch::channel(false);
    let origin = ScriptedOrigin::new(move |request: Request<RequestBody>| {
        let mut gated = gated.clone();
        async move {
            if request.method() == Method::POST {
                return Ok(response(204, &[("cache-group-invalidation", "\"g\"")], ""));
            }
            gated.wait_for(|open| *open).await?;
            Ok(response(200, &[FRESH, ("cache-groups", "\"g\"")], "a"))
        }
    });
    let world = World::with(CacheOptions::standard(), origin, |builder| builder);
    let old = spawn(&world, get("/a"));
    settle().await;
    world.send_whole(post("/elsewhere")).await;
    gate.send(true).expect("somebody waits");
    assert_eq!(old.await.expect("no panic").cache, "larder; fwd=uri-miss; detail=invalidated");
    assert!(!world.get("/a").await.from_cache);
    assert!(world.get("/a").await.from_cache);
}

#[tokio::test]
async fn a_request_does_not_make_its_own_answer_invalid() {
    let options = CacheOptions::standard().allowed_methods([Method::GET, Method::POST]);
    let world = World::with_options(options, |_| response(200, &[FRESH], "a"));
    let key = CacheKey::new("own").expect("a key");
    for from_cache in [false, true] {
        let mut request = post("/a");
        request.extensions_mut().insert(RequestOptions::default().key(key.clone()));
        assert_eq!(world.send_whole(request).await.from_cache, from_cache);
    }
}
