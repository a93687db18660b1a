//! Users of one cache, and the resources that redirects join: what belongs to one never reaches another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderMap, Method, Request};
use larder_client::{CacheOptions, RequestBody};

use crate::support::{Answered, World, field, get_having, request, response, settle, with_fields};

const ETAG: (&str, &str) = ("etag", "\"1\"");
const STALE: Duration = Duration::from_secs(90);

async fn ask(world: &World, path: &str, name: &'static str, value: &str) -> Answered {
    world.send_whole(get_having(path, &[(name, value)])).await
}

fn text(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
}

/// An origin that answers a shared cache with the same to all, and adds a field for whoever has a credential.
fn personal(options: CacheOptions) -> World {
    World::with_options(options, |request| {
        let user = field(request, "authorization");
        let mut fields = vec![ETAG, ("cache-control", "max-age=60")];
        if !user.is_empty() {
            fields.push(("x-account", user));
        }
        let is_empty = !field(request, "if-none-match").is_empty();
        let body = if is_empty || request.method() == Method::HEAD { "" } else { "page" };
        response(if is_empty { 304 } else { 200 }, &fields, body)
    })
}

#[tokio::test]
async fn a_304_for_one_user_sets_no_cookie_of_another() {
    for first_asked in ["alice", "bob"] {
        let world = World::with_options(CacheOptions::standard(), |request| {
            let cookie = format!("session={}", field(request, "cookie"));
            let fields = [ETAG, ("cache-control", "private, max-age=60"), ("set-cookie", &cookie)];
            match field(request, "if-none-match") {
                "" => response(200, &fields[..2], "page"),
                _ => response(304, &fields, ""),
            }
        });
        for user in ["bob", "alice"] {
            ask(&world, "/a", "cookie", user).await;
        }
        world.time.advance(STALE);
        let other = if first_asked == "alice" { "bob" } else { "alice" };
        for user in [first_asked, other] {
            let answer = ask(&world, "/a", "cookie", user).await;
            assert_eq!(
                text(&answer.headers, "set-cookie"),
                [format!("session={user}")],
                "{first_asked} first"
            );
            assert_eq!(answer.body, "page");
        }
    }
}

#[tokio::test]
async fn what_a_304_says_to_one_user_reaches_nobody_else() {
    let world = personal(CacheOptions::standard().shared());
    world.get("/a").await;
    world.time.advance(STALE);
    let alice = ask(&world, "/a", "authorization", "alice").await;
    assert_eq!((text(&alice.headers, "x-account"), alice.status.as_u16()), (vec!["alice".to_owned()], 200));
    for _ in 0..2 {
        let anybody = world.get("/a").await;
        assert_eq!((text(&anybody.headers, "x-account"), &*anybody.body), (Vec::new(), &b"page"[..]));
    }
    assert_eq!(
        text(&ask(&world, "/a", "authorization", "bob").await.headers, "x-account"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_a_head_says_to_one_user_reaches_nobody_else() {
    for fields in [&[("authorization", "alice"), ("cache-control", "no-cache")][..], &[]] {
        let is_private = fields.is_empty();
        let world = if is_private {
            World::with_options(CacheOptions::standard().shared(), |request| match *request.method() {
                Method::HEAD => response(200, &[("cache-control", "private"), ("x-account", "alice")], ""),
                _ => response(200, &[("cache-control", "max-age=60")], "page"),
            })
        } else {
            personal(CacheOptions::standard().shared())
        };
        world.get("/a").await;
        world.time.advance(STALE);
        world.send_whole(with_fields(request(Method::HEAD, "/a"), fields)).await;
        for _ in 0..2 {
            let anybody = world.get("/a").await;
            assert_eq!((text(&anybody.headers, "x-account"), &*anybody.body), (Vec::new(), &b"page"[..]));
        }
    }
}

#[tokio::test]
async fn a_cookie_that_a_304_sets_in_a_shared_cache_is_for_whoever_asked() {
    let world = World::with_options(CacheOptions::standard().shared(), |request| {
        match field(request, "if-none-match") {
            "" => response(200, &[ETAG, ("cache-control", "max-age=60")], "page"),
            _ => response(304, &[ETAG, ("set-cookie", "session=1")], ""),
        }
    });
    world.get("/a").await;
    world.time.advance(STALE);
    let validated = world.get("/a").await;
    assert_eq!(validated.cache, "larder; fwd=stale; fwd-status=304; ttl=60; stored");
    assert_eq!(text(&validated.headers, "set-cookie"), ["session=1"]);
    let hit = world.get("/a").await;
    assert_eq!((hit.cache.as_str(), text(&hit.headers, "set-cookie")), ("larder; hit; ttl=60", Vec::new()));
}

#[tokio::test]
async fn each_jar_has_its_own_responses_unless_they_say_that_they_are_for_all() {
    const MODIFIED: (&str, &str) = ("last-modified", "Mon, 01 Jan 2001 00:00:00 GMT");
    let control = |line: &'static str| ("cache-control", line);
    for (fields, is_for_all) in [
        (vec![control("max-age=60")], false),
        (vec![control("max-age=60, must-revalidate")], false),
        (vec![control("private, max-age=60")], false),
        (vec![control("public, private, max-age=60")], false),
        (vec![("expires", "Fri, 31 Dec 2099 00:00:00 GMT")], false),
        (vec![MODIFIED], false),
        (vec![control("private"), MODIFIED], false),
        (vec![control("max-age=60"), ("set-cookie", "a=b")], false),
        (vec![control("max-age=60"), ("vary", "accept")], false),
        (vec![control("public, max-age=60")], true),
        (vec![control("max-age=60, s-maxage=60")], true),
    ] {
        let scripted = fields.clone();
        let world = World::with_options(CacheOptions::standard(), move |request| {
            response(200, &scripted, field(request, "cookie").to_owned())
        });
        for _ in 0..2 {
            for user in ["alice", "bob"] {
                let expected = if is_for_all { "alice" } else { user };
                assert_eq!(ask(&world, "/a", "cookie", user).await.body, expected, "{fields:?}");
            }
        }
        assert_eq!(world.origin.count(), if is_for_all { 1 } else { 2 }, "{fields:?}");
    }
}

#[tokio::test]
async fn credentials_that_a_shared_cache_is_told_of_select() {
    let world = World::with_options(CacheOptions::standard().shared(), |request| {
        let fields = [("cache-control", "public, max-age=60"), ("vary", "authorization")];
        response(200, &fields, field(request, "authorization").to_owned())
    });
    for round in 0..2 {
        for user in ["alice", "bob"] {
            let answer = ask(&world, "/a", "authorization", user).await;
            assert_eq!((&*answer.body, answer.from_cache), (user.as_bytes(), round > 0));
        }
        assert_eq!(world.get("/a").await.body, "");
    }
}

/// Answers five bytes of ten that are all the same, or all of them.
fn part_of(request: &Request<RequestBody>, byte: &str, control: &str) -> http::Response<larder_core::Body> {
    let fields = [ETAG, ("cache-control", control)];
    let range = match field(request, "range") {
        "bytes=0-4" => "bytes 0-4/10",
        "bytes=5-9" | "bytes=5-" => "bytes 5-9/10",
        _ => return response(200, &fields, byte.repeat(10)),
    };
    response(206, &[ETAG, fields[1], ("content-range", range)], byte.repeat(5))
}

#[tokio::test]
async fn parts_of_two_users_are_never_put_together() {
    for control in ["private, max-age=60", "max-age=60"] {
        let world = World::with_options(CacheOptions::standard(), move |request| {
            part_of(request, if field(request, "cookie") == "alice" { "A" } else { "b" }, control)
        });
        for (user, range) in [("alice", "bytes=0-4"), ("bob", "bytes=5-9")] {
            world.send_whole(get_having("/a", &[("range", range), ("cookie", user)])).await;
        }
        settle().await;
        for (user, expected) in [("bob", "bbbbbbbbbb"), ("alice", "AAAAAAAAAA"), ("bob", "bbbbbbbbbb")] {
            assert_eq!(ask(&world, "/a", "cookie", user).await.body, expected, "{control}");
        }
    }
}

/// An origin whose `/a` is a redirect to `/b` until the flag is set, and then something of its own with the same tag.
fn moving(
    answer: impl Fn(&Request<RequestBody>, &str) -> http::Response<larder_core::Body> + Send + Sync + 'static,
) -> (World, Arc<AtomicBool>) {
    let is_back = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_back);
    let world = World::with_options(CacheOptions::standard(), move |request| {
        if request.uri().path() != "/a" {
            return answer(request, "b");
        }
        if flag.load(Ordering::SeqCst) {
            return answer(request, "A");
        }
        response(301, &[("location", "http://other/b"), ("cache-control", "max-age=1000")], "")
    });
    (world, is_back)
}

#[tokio::test]
async fn parts_of_what_a_redirect_led_to_are_not_put_together_with_its_own() {
    let (world, is_back) = moving(|request, byte| part_of(request, byte, "max-age=600"));
    assert_eq!(ask(&world, "/a", "range", "bytes=0-4").await.body, "bbbbb");
    is_back.store(true, Ordering::SeqCst);
    assert_eq!(ask(&world, "/a", "range", "bytes=5-9").await.body, "AAAAA");
    settle().await;
    assert_eq!(world.get("/a").await.body, "AAAAAAAAAA");
    assert_eq!(world.get("http://other/b").await.body, "bbbbbbbbbb");
}

#[tokio::test]
async fn what_is_stored_of_a_target_is_never_validated_at_the_redirect() {
    let (world, is_back) = moving(|request, content| {
        let fields = [ETAG, ("cache-control", "max-age=10, stale-while-revalidate=100")];
        match field(request, "if-none-match") {
            "" => response(200, &fields, content.to_owned()),
            _ => response(304, &fields, ""),
        }
    });
    assert_eq!(world.get("/a").await.body, "b");
    is_back.store(true, Ordering::SeqCst);
    world.time.advance(Duration::from_secs(20));
    assert_eq!(world.get("/a").await.body, "A", "the target's is stale");
    settle().await;
    assert_eq!(world.get("/a").await.body, "A");
    assert_eq!(world.get("http://other/b").await.body, "b");
    let seen = world.origin.seen();
    let at_redirect: Vec<_> = seen.iter().filter(|seen| seen.path == "/a").collect();
    assert_eq!(at_redirect.len(), 2);
    assert!(at_redirect.iter().all(|seen| !seen.headers.contains_key("if-none-match")), "{seen:?}");
}
