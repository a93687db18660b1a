//! Ranges and conditions of the caller, and parts that are stored, put together and completed.

use http::{Request, StatusCode};
use larder_client::{CacheOptions, RequestBody};

use crate::support::{Answered, World, get, response};

const TEXT: &str = "0123456789";

fn with(path: &str, fields: &[(&'static str, &str)]) -> Request<RequestBody> {
    let mut request = get(path);
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().expect("a value"));
    }
    request
}

/// An origin with ten bytes that answers ranges and conditions.
fn origin() -> World {
    World::with_options(CacheOptions::standard(), |request| {
        let field = |name: &str| request.headers().get(name).map(|value| value.to_str().expect("text"));
        let fields = [("cache-control", "max-age=60"), ("etag", "\"1\"")];
        if field("if-none-match") == Some("\"1\"") {
            return response(304, &fields, "");
        }
        let Some(range) = field("range").and_then(|range| range.strip_prefix("bytes=")) else {
            return response(200, &fields, TEXT);
        };
        let (first, last) = range.split_once('-').expect("a range");
        let first: usize = first.parse().expect("a position");
        let last: usize = last.parse().unwrap_or(9);
        let range = format!("bytes {first}-{last}/10");
        let fields = [&fields[..], &[("content-range", &range)]].concat();
        response(206, &fields, &TEXT[first..=last])
    })
}

async fn part(world: &World, range: &str) -> Answered {
    world.send_whole(with("/a", &[("range", range)])).await
}

#[tokio::test]
async fn a_stored_response_answers_ranges() {
    let world = origin();
    world.get("/a").await;
    for (range, status, content_range, body) in [
        ("bytes=0-1", 206, "bytes 0-1/10", "01"),
        ("bytes=8-", 206, "bytes 8-9/10", "89"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=5-99", 206, "bytes 5-9/10", "56789"),
        ("bytes=10-", 416, "bytes */10", ""),
        ("bytes=0-1,4-5", 200, "", TEXT),
        ("lines=0-1", 200, "", TEXT),
    ] {
        let answer = part(&world, range).await;
        let seen = answer.headers.get("content-range").map_or("", |range| range.to_str().expect("text"));
        assert_eq!((answer.status.as_u16(), seen, &*answer.body), (status, content_range, body.as_bytes()));
        assert!(answer.from_cache, "{range}");
    }
    let other = world.send_whole(with("/a", &[("range", "bytes=0-1"), ("if-range", "\"2\"")])).await;
    assert_eq!((other.status, &*other.body), (StatusCode::OK, TEXT.as_bytes()));
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn a_stored_response_answers_conditions() {
    let world = origin();
    world.get("/a").await;
    let same = world.send_whole(with("/a", &[("if-none-match", "\"0\", W/\"1\"")])).await;
    assert_eq!((same.status, same.headers["etag"].to_str().ok()), (StatusCode::NOT_MODIFIED, Some("\"1\"")));
    let other = world.send_whole(with("/a", &[("if-none-match", "\"2\"")])).await;
    assert_eq!((other.status, &*other.body), (StatusCode::OK, TEXT.as_bytes()));
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn a_condition_on_what_is_stale_is_evaluated_after_validation() {
    let world = origin();
    world.get("/a").await;
    world.time.advance(std::time::Duration::from_secs(90));
    let other = world.send_whole(with("/a", &[("if-none-match", "\"2\"")])).await;
    assert_eq!((other.status, &*other.body), (StatusCode::OK, TEXT.as_bytes()));
    assert_eq!(world.origin.seen()[1].headers["if-none-match"], "\"1\"", "the store's own");
    assert_eq!(world.send_whole(with("/a", &[("if-none-match", "\"1\"")])).await.status, 304);
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn a_condition_reaches_the_origin_when_nothing_is_stored() {
    let world = origin();
    let answer = world.send_whole(with("/a", &[("if-none-match", "\"1\"")])).await;
    assert_eq!((answer.status, world.stored().await), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn a_part_is_stored_and_answers_what_lies_within_it() {
    let world = origin();
    assert_eq!(part(&world, "bytes=2-6").await.body, "23456");
    let within = part(&world, "bytes=3-4").await;
    assert_eq!(
        (&*within.body, within.status, within.from_cache),
        (&b"34"[..], StatusCode::PARTIAL_CONTENT, true)
    );
    assert_eq!(within.headers["content-range"], "bytes 3-4/10");
    assert!(!part(&world, "bytes=6-7").await.from_cache);
    assert_eq!(world.get("/a").await.body, TEXT, "a part never answers for the whole");
}

#[tokio::test]
async fn parts_are_put_together() {
    let world = origin();
    part(&world, "bytes=2-4").await;
    part(&world, "bytes=5-6").await;
    assert_eq!(part(&world, "bytes=3-6").await.body, "3456");
    part(&world, "bytes=0-2").await;
    assert_eq!(part(&world, "bytes=1-5").await.body, "12345");
    assert_eq!(world.origin.count(), 3);
    part(&world, "bytes=7-9").await;
    let whole = world.get("/a").await;
    assert_eq!((&*whole.body, whole.status, whole.from_cache), (TEXT.as_bytes(), StatusCode::OK, true));
    assert!(!whole.headers.contains_key("content-range"));
    assert_eq!(world.origin.count(), 4);
}

#[tokio::test]
async fn what_is_missing_is_asked_for() {
    let world = origin();
    part(&world, "bytes=0-3").await;
    let whole = world.get("/a").await;
    assert_eq!((&*whole.body, whole.status), (TEXT.as_bytes(), StatusCode::OK));
    let seen = world.origin.seen();
    assert_eq!(
        (&seen[1].headers["range"], &seen[1].headers["if-range"]),
        (&"bytes=4-".parse().expect("a value"), &"\"1\"".parse().expect("a value"))
    );
    assert!(world.get("/a").await.from_cache);
    assert_eq!(world.origin.count(), 2);
}

#[tokio::test]
async fn parts_of_another_representation_are_kept_apart() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let range = request.headers().get("range").map_or("", |range| range.to_str().expect("text"));
        match range {
            "bytes=0-1" => response(
                206,
                &[("cache-control", "max-age=60"), ("etag", "\"1\""), ("content-range", "bytes 0-1/4")],
                "ab",
            ),
            "bytes=2-" | "bytes=2-3" => response(
                206,
                &[("cache-control", "max-age=60"), ("etag", "\"2\""), ("content-range", "bytes 2-3/4")],
                "CD",
            ),
            _ => response(200, &[("cache-control", "max-age=60"), ("etag", "\"2\"")], "ABCD"),
        }
    });
    part(&world, "bytes=0-1").await;
    assert_eq!(world.get("/a").await.body, "ABCD", "a 206 of another tag completes nothing");
    assert_eq!(world.origin.count(), 3);
}

#[tokio::test]
async fn a_part_that_is_not_as_long_as_it_says_is_not_stored() {
    let world = World::with_options(CacheOptions::standard(), |_| {
        let fields = [("cache-control", "max-age=60"), ("content-range", "bytes 4-9/10")];
        response(206, &fields, "01234")
    });
    assert_eq!(part(&world, "bytes=4-9").await.body, "01234");
    assert_eq!(world.stored().await, 0);
}
