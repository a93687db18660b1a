//! Stored bodies that break, and parts: the caller gets the right bytes, or an error, and never others.

use std::sync::Arc;

use http::Request;
use larder_client::{CacheOptions, RequestBody};
use larder_core::{Body, Result};
use larder_memory::MemoryStore;

use crate::failing::{Broken, Flaw};
use crate::support::{ScriptedOrigin, World, field, get, get_having, response, settle};

const FRESH: [(&str, &str); 2] = [("cache-control", "max-age=600"), ("etag", "\"1\"")];
/// What the origin has.
const TEXT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const WHOLE: &str = "bytes 0-35/36";

/// Answers as an origin that has `TEXT` does.
fn serve(request: &Request<RequestBody>) -> http::Response<Body> {
    let Some((first, last)) = field(request, "range").strip_prefix("bytes=").and_then(|r| r.split_once('-'))
    else {
        return response(200, &FRESH, TEXT);
    };
    let first: usize = first.parse().expect("a position");
    let last: usize = last.parse().unwrap_or(35).min(35);
    if first > 35 {
        return response(416, &[("content-range", "bytes */36")], "");
    }
    let range = format!("bytes {first}-{last}/36");
    let fields = [&FRESH[..], &[("content-range", &range)]].concat();
    response(206, &fields, &TEXT[first..=last])
}

fn broken(flaw: Flaw) -> World {
    let store = Arc::new(Broken { flaw, inner: MemoryStore::new() });
    let origin = ScriptedOrigin::new(|request| {
        let answer = serve(&request);
        async { Ok(answer) }
    });
    World::with_store(store, CacheOptions::standard(), origin, |builder| builder)
}

/// An origin that answers the first five bytes, and the request for the rest by `rest`.
fn completing(rest: impl Fn() -> http::Response<Body> + Send + Sync + 'static) -> World {
    World::with_options(CacheOptions::standard(), move |request| match field(request, "range") {
        "" => response(200, &FRESH, "0123456789"),
        "bytes=0-4" => response(206, &[FRESH[0], FRESH[1], ("content-range", "bytes 0-4/10")], "01234"),
        _ => rest(),
    })
}

async fn body(world: &World, request: Request<RequestBody>) -> Result<String> {
    let bytes = world.send(request).await.expect("a head").bytes().await?;
    Ok(String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_part_of_a_stored_body_that_is_lost_half_way_is_completed_by_the_origin() {
    for (range, expected, asked) in [
        ("bytes=0-19", "0123456789abcdefghij", "bytes=10-"),
        ("bytes=5-14", "56789abcde", "bytes=10-"),
        ("bytes=20-", "klmnopqrstuvwxyz", "bytes=10-"),
        ("bytes=0-9", "0123456789", ""),
        ("", TEXT, "bytes=10-"),
    ] {
        let world = broken(Flaw::LosesTails);
        world.get("/a").await;
        let mut request = get("/a");
        if !range.is_empty() {
            request.headers_mut().insert("range", range.parse().expect("a value"));
        }
        let answer = world.send(request).await.expect("a head");
        assert!(answer.from_cache(), "{range}");
        assert_eq!(answer.bytes().await.expect("all of it"), expected, "{range}");
        let last = world.origin.seen().pop().expect("a request").headers;
        assert_eq!(last.get("range").map_or("", |range| range.to_str().expect("text")), asked, "{range}");
    }
}

#[tokio::test]
async fn a_stored_part_that_is_lost_half_way_is_completed_by_the_origin() {
    let world = broken(Flaw::LosesTails);
    let part = get_having("/a", &[("range", "bytes=0-19")]);
    assert_eq!(world.send_whole(part).await.body, &TEXT[..20]);
    let whole = world.send(get("/a")).await.expect("a head");
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.bytes().await.expect("all of it"), TEXT);
    let seen = world.origin.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| seen.headers["range"].to_str().expect("text")).collect();
    assert_eq!(ranges, ["bytes=0-19", "bytes=20-", "bytes=10-19"]);
}

#[tokio::test]
async fn a_stored_part_that_cannot_be_read_at_all_is_fetched_again() {
    for flaw in [Flaw::LosesBodies, Flaw::BodiesPanic] {
        let world = broken(flaw);
        assert_eq!(
            body(&world, get_having("/a", &[("range", "bytes=0-19")])).await.ok().as_deref(),
            Some(&TEXT[..20])
        );
        for _ in 0..2 {
            assert_eq!(body(&world, get("/a")).await.expect("all of it"), TEXT, "{flaw:?}");
        }
    }
}

#[tokio::test]
async fn a_lost_body_is_not_fetched_where_the_origin_must_not_be_asked() {
    let world = broken(Flaw::LosesBodies);
    assert_eq!(world.get("/a").await.body, TEXT);
    let refused = world.send_whole(get_having("/a", &[("cache-control", "only-if-cached")])).await;
    assert_eq!((refused.status.as_u16(), refused.cache.as_str()), (504, "larder; detail=only-if-cached"));
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn a_rest_that_is_not_as_long_as_it_says_is_never_a_whole() {
    for (rest, expected) in [("56789", true), ("567", false), ("", false), ("56789XX", true)] {
        for is_streamed in [false, true] {
            let world = completing(move || {
                let chunk = futures_util::stream::iter([Ok::<_, larder_core::Error>(rest)]);
                let body = if is_streamed { Body::from_stream(chunk) } else { rest.into() };
                response(206, &[FRESH[0], FRESH[1], ("content-range", "bytes 5-9/10")], body)
            });
            body(&world, get_having("/a", &[("range", "bytes=0-4")])).await.expect("a part");
            let whole = body(&world, get("/a")).await.ok();
            // What is too long is cut to what was asked for: those bytes are the right ones.
            let correct = Some("0123456789".to_owned());
            assert_eq!(whole, correct.clone().filter(|_| expected), "{rest:?} {is_streamed}");
            settle().await;
            let again = body(&world, get("/a")).await.ok();
            assert!(again.is_none() || again == correct, "{rest:?} {is_streamed}: {again:?}");
        }
    }
}

#[tokio::test]
async fn another_part_than_was_asked_for_never_completes() {
    for (range, rest) in [
        ("bytes 4-9/10", "456789"),
        ("bytes 6-9/10", "6789"),
        ("bytes 5-8/10", "5678"),
        ("bytes 5-9/*", "56789"),
        ("bytes 5-9/11", "56789"),
        ("bytes 5-10/10", "56789X"),
        ("bytes 9-5/10", "56789"),
        ("", "56789"),
    ] {
        let world = completing(move || {
            let fields = [FRESH[0], FRESH[1], ("content-range", range)];
            response(206, &fields, rest)
        });
        body(&world, get_having("/a", &[("range", "bytes=0-4")])).await.expect("a part");
        for _ in 0..2 {
            let whole = world.get("/a").await;
            assert_eq!((whole.status.as_u16(), &*whole.body), (200, &b"0123456789"[..]), "{range}");
            settle().await;
        }
    }
}

#[tokio::test]
async fn a_304_to_the_request_for_the_rest_is_no_answer() {
    let world = completing(|| response(304, &FRESH, ""));
    body(&world, get_having("/a", &[("range", "bytes=0-4")])).await.expect("a part");
    let whole = world.get("/a").await;
    assert_eq!((whole.status.as_u16(), &*whole.body), (200, &b"0123456789"[..]));
    let last = world.origin.seen().pop().expect("a request").headers;
    assert!(!last.contains_key("range") && !last.contains_key("if-range"), "{last:?}");
}

#[tokio::test]
async fn a_part_that_is_all_of_it_is_stored_as_the_whole() {
    let world = World::with_options(CacheOptions::standard(), serve);
    let player = world.send_whole(get_having("/a", &[("range", "bytes=0-")])).await;
    assert_eq!(
        (player.status.as_u16(), &player.headers["content-range"]),
        (206, &WHOLE.parse().expect("a value"))
    );
    let whole = world.get("/a").await;
    assert_eq!((whole.status.as_u16(), whole.from_cache, &*whole.body), (200, true, TEXT.as_bytes()));
    assert!(!whole.headers.contains_key("content-range"));
    let again = world.send_whole(get_having("/a", &[("range", "bytes=0-")])).await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["content-range"]),
        (206, &WHOLE.parse().expect("a value"))
    );
    assert_eq!(world.origin.count(), 1);
}
