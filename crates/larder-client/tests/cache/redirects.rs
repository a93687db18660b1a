//! Redirects are followed hop by hop, and skipped only where every hop may be.

use std::sync::Mutex;

use http::{Method, Request, StatusCode};
use larder_client::{CacheOptions, RequestBody, RequestOptions};
use larder_core::{Body, ErrorKind};

use crate::support::{HOUR, World, get, get_with, ok, request, response, settle};

/// Redirects `/0` to `/1` and so on, up to `/3`, which answers; each with `fields`.
fn chain(
    fields: &'static [(&'static str, &'static str)],
) -> impl Fn(&Request<RequestBody>) -> http::Response<Body> {
    move |request| {
        let hop: u32 = request.uri().path()[1..].parse().expect("a number");
        if hop == 3 {
            return ok("the end");
        }
        let location = format!("/{}", hop + 1);
        let mut fields = fields.to_vec();
        fields.push(("location", &location));
        response(302, &fields, "moved")
    }
}

#[tokio::test]
async fn a_repeated_request_skips_its_redirects() {
    let world = World::new(chain(&[]));
    let first = world.get("/0").await;
    assert_eq!((&*first.body, first.hops.join(" ")), (&b"the end"[..], "/0 /1 /2".to_owned()));
    assert_eq!((first.url.path(), world.origin.count()), ("/3", 4));
    for (path, cache, hops) in [
        ("/0", "larder; hit; ttl=3600; detail=alias", "/0 /1 /2"),
        ("/1", "larder; hit; ttl=3600; detail=alias", "/1 /2"),
        ("/2", "larder; hit; ttl=3600; detail=alias", "/2"),
        ("/3", "larder; hit; ttl=3600", ""),
    ] {
        let again = world.get(path).await;
        assert_eq!((again.cache.as_str(), again.hops.join(" ")), (cache, hops.to_owned()), "{path}");
        assert_eq!((&*again.body, again.url.path()), (&b"the end"[..], "/3"), "{path}");
    }
    assert_eq!((world.origin.count(), world.stored().await), (4, 1));
}

#[tokio::test]
async fn a_redirect_that_says_no_store_is_followed_each_time() {
    let world = World::new(chain(&[("cache-control", "no-store")]));
    for round in 1..=3 {
        assert_eq!(world.get("/2").await.url.path(), "/3");
        assert_eq!(world.origin.count(), 1 + round, "only what it leads to is stored");
    }
}

#[tokio::test]
async fn nothing_skips_a_redirect_in_the_middle_that_says_no_store() {
    let world = World::new(|request| {
        let no_store = if request.uri().path() == "/1" { "no-store" } else { "max-age=60" };
        let mut response = chain(&[])(request);
        response.headers_mut().insert("cache-control", no_store.parse().expect("a value"));
        response
    });
    world.get("/0").await;
    for (path, asked) in [("/2", 0), ("/1", 1), ("/0", 2)] {
        let before = world.origin.count();
        assert_eq!(world.get(path).await.url.path(), "/3");
        assert_eq!(world.origin.count() - before, asked, "{path}");
    }
}

#[tokio::test]
async fn an_alias_lives_no_longer_than_its_least_lived_hop() {
    let options = CacheOptions::fixed(10 * HOUR).urls_expire_after([("h/1", HOUR)]);
    let world = World::with_options(options, chain(&[]));
    world.get("/0").await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/0").await.cache, "larder; hit; ttl=32400", "what it leads to is still fresh");
    assert_eq!(world.origin.count(), 4 + 3);
    assert_eq!(
        world.get("/0").await.cache,
        "larder; hit; ttl=32400; detail=alias",
        "there is an alias again"
    );
}

#[tokio::test]
async fn an_expired_response_behind_an_alias_is_reached_by_its_redirects() {
    let options = CacheOptions::fixed(10 * HOUR).urls_expire_after([("h/3", HOUR)]);
    let world = World::with_options(options, chain(&[]));
    world.get("/0").await;
    world.time.advance(HOUR);
    assert_eq!(world.get("/0").await.cache, "larder; fwd=stale; ttl=3600; stored");
}

#[tokio::test]
async fn an_unsafe_request_that_redirects_reaches_the_origin_each_time() {
    let world = World::new(|request| match request.uri().path() {
        "/logout" => response(303, &[("location", "/bye")], ""),
        _ => ok("bye"),
    });
    for round in 1..=3 {
        let answer = world.send_whole(request(Method::POST, "/logout")).await;
        assert_eq!((&*answer.body, answer.hops.join(" ")), (&b"bye"[..], "/logout".to_owned()));
        let posts = world.origin.seen().iter().filter(|seen| seen.method == Method::POST).count();
        assert_eq!(posts, round);
    }
    assert_eq!(world.origin.count(), 6, "where it led is invalid each time");
}

#[tokio::test]
async fn the_method_and_the_content_after_a_redirect_are_those_of_the_standard() {
    let world = World::new(|request| match request.uri().path() {
        "/to" => ok(request.body().as_bytes().expect("bytes").clone()),
        path => {
            let location = format!("/to?{}{path}", request.method());
            response(path[1..].parse().expect("a status"), &[("location", &location)], "")
        }
    });
    for (method, status, expected, content) in [
        (Method::POST, "301", Method::GET, ""),
        (Method::POST, "302", Method::GET, ""),
        (Method::POST, "303", Method::GET, ""),
        (Method::PUT, "303", Method::GET, ""),
        (Method::PUT, "301", Method::PUT, "content"),
        (Method::POST, "307", Method::POST, "content"),
        (Method::DELETE, "308", Method::DELETE, "content"),
        (Method::HEAD, "303", Method::HEAD, "content"),
    ] {
        let mut sent = request(method.clone(), &format!("/{status}"));
        *sent.body_mut() = RequestBody::from("content");
        sent.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
        let answer = world.send_whole(sent).await;
        let last = world.origin.seen().pop().expect("a request");
        assert_eq!(last.method, expected, "{method} {status}");
        assert_eq!(last.headers.contains_key("content-type"), !content.is_empty(), "{method} {status}");
        if method != Method::HEAD {
            assert_eq!(answer.body, content, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn content_that_was_streamed_is_not_sent_again() {
    let world = World::new(|_| response(307, &[("location", "/to")], "moved"));
    let mut sent = request(Method::POST, "/from");
    *sent.body_mut() = RequestBody::wrap(Body::from("streamed"));
    let answer = world.send_whole(sent).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::TEMPORARY_REDIRECT, &b"moved"[..]));
    assert_eq!(world.origin.count(), 1);
}

#[tokio::test]
async fn credentials_do_not_cross_origins() {
    let world = World::new(|request| match (request.uri().host(), request.uri().path()) {
        (Some("h"), "/same") => response(302, &[("location", "/away")], ""),
        (Some("h"), "/away") => response(302, &[("location", "http://other/end")], ""),
        _ => ok("the end"),
    });
    let mut sent = get("/same");
    for name in ["authorization", "cookie", "proxy-authorization", "x-mine"] {
        sent.headers_mut().insert(name, "secret".parse().expect("a value"));
    }
    world.send_whole(sent).await;
    let with_credentials: Vec<bool> =
        world.origin.seen().iter().map(|seen| seen.headers.contains_key("authorization")).collect();
    assert_eq!(with_credentials, [true, true, false]);
    let last = world.origin.seen().pop().expect("a request");
    assert!(!last.headers.contains_key("cookie") && !last.headers.contains_key("proxy-authorization"));
    assert!(last.headers.contains_key("x-mine"));

    assert!(world.get("http://other/end").await.from_cache, "what it led to is stored without credentials");
    let before = world.origin.count();
    world.get("/same").await;
    assert_eq!(world.origin.count() - before, 2, "the alias of another is not for those without credentials");
}

#[tokio::test]
async fn there_is_a_bound_on_the_redirects() {
    let world = World::new(|_| response(302, &[("location", "/again")], ""));
    let error = world.send(get("/again")).await.expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains("more than 10 redirects"), "{error}");
    assert!(world.origin.count() <= 11);
}

#[tokio::test]
async fn a_redirect_to_itself_is_asked_again() {
    let asked = Mutex::new(0);
    let world = World::new(move |_| {
        let mut asked = asked.lock().expect("no panic");
        *asked += 1;
        // As a site that sets a cookie first.
        if *asked == 1 { response(302, &[("location", "/a")], "") } else { ok("welcome") }
    });
    assert_eq!(world.get("/a").await.body, "welcome");
}

#[tokio::test]
async fn what_cannot_be_followed_is_the_answer() {
    for location in ["myapp://callback", "http://[", "mailto:a@b"] {
        let world = World::new(move |_| response(302, &[("location", location)], "moved"));
        assert_eq!(world.get("/a").await.status, StatusCode::FOUND, "{location}");
    }
    let world = World::new(|_| response(302, &[], "no location"));
    assert_eq!(world.get("/a").await.body, "no location");
}

#[tokio::test]
async fn relative_locations_and_fragments_are_resolved() {
    for (location, expected) in [
        ("../c?d=e#f", "http://h/c?d=e"),
        ("//other/x", "http://other/x"),
        ("?q", "http://h/a/b?q"),
        ("sp ace", "http://h/a/sp%20ace"),
    ] {
        let world = World::new(move |request| {
            if request.uri() == "http://h/a/b" {
                response(301, &[("location", location)], "")
            } else {
                ok("x")
            }
        });
        assert_eq!(world.get("/a/b").await.url.to_string(), expected, "{location}");
    }
}

#[tokio::test]
async fn a_redirect_that_is_allowed_is_stored_itself() {
    let codes = [StatusCode::OK, StatusCode::FOUND];
    let world = World::with_options(CacheOptions::fixed(HOUR).allowed_codes(codes), |request| match request
        .uri()
        .path()
    {
        "/from" => response(302, &[("location", "/to"), ("cache-control", "no-store")], "moved"),
        _ => response(404, &[], "not stored"),
    });
    for asked in [2, 3, 4] {
        assert_eq!(world.get("/from").await.hops, ["/from"]);
        // It is stored when its body has come, which nobody waits for.
        while world.stored().await == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.origin.count(), asked, "the redirect is asked once");
    }
}

#[tokio::test]
async fn a_key_of_ones_own_names_what_the_redirects_lead_to() {
    let world = World::new(chain(&[]));
    let key = larder_core::CacheKey::new("mine").expect("a key");
    let options = RequestOptions::default().key(key);
    world.send_whole(get_with("/0", options.clone())).await;
    let again = world.send_whole(get_with("/0", options)).await;
    assert_eq!((again.cache.as_str(), &*again.body), ("larder; hit; ttl=3600", &b"the end"[..]));
}

#[tokio::test]
async fn a_stored_redirect_that_varies_has_no_alias() {
    let codes = [StatusCode::OK, StatusCode::FOUND];
    let world = World::with_options(CacheOptions::fixed(HOUR).allowed_codes(codes), |request| {
        if request.uri().path() != "/home" {
            return ok(request.uri().path().to_owned());
        }
        let language = request.headers()["accept-language"].to_str().expect("text");
        response(302, &[("location", language), ("vary", "accept-language")], "")
    });
    for language in ["en", "en", "fr", "en"] {
        let mut home = get("/home");
        home.headers_mut().insert("accept-language", language.parse().expect("a value"));
        assert_eq!(world.send_whole(home).await.url.path(), format!("/{language}"));
        settle().await;
    }
}

#[tokio::test]
async fn an_alias_that_leads_to_an_alias_outlives_neither() {
    let options = CacheOptions::fixed(10 * HOUR).urls_expire_after([("h/0", HOUR)]);
    let world = World::with_options(options, |request| match request.uri().path() {
        "/x" => response(302, &[("location", "/0")], ""),
        "/0" => response(302, &[("location", "/3")], ""),
        _ => ok("the end"),
    });
    world.get("/0").await;
    world.get("/x").await;
    world.time.advance(HOUR);
    let before = world.origin.count();
    world.get("/x").await;
    assert!(world.origin.count() > before, "what /0 redirects to may have changed");
    assert!(world.origin.seen().iter().skip(before).any(|seen| seen.path == "/0"));
}

#[tokio::test]
async fn a_stored_redirect_to_itself_does_not_loop() {
    let asked = Mutex::new(0);
    let codes = [StatusCode::OK, StatusCode::FOUND];
    let world = World::with_options(CacheOptions::fixed(HOUR).allowed_codes(codes), move |_| {
        let mut asked = asked.lock().expect("no panic");
        *asked += 1;
        if *asked % 2 == 1 { response(302, &[("location", "/a")], "") } else { response(404, &[], "no") }
    });
    for round in 1..=3 {
        assert_eq!(world.get("/a").await.status, StatusCode::NOT_FOUND);
        settle().await;
        assert_eq!(world.origin.count(), 2 * round);
    }
}

#[tokio::test]
async fn a_chain_whose_hops_share_a_key_does_not_loop() {
    let codes = [StatusCode::OK, StatusCode::FOUND];
    let options = CacheOptions::fixed(HOUR).allowed_codes(codes).ignored_params(["session"]);
    let world = World::with_options(options, |request| match request.uri().query() {
        None => response(302, &[("location", "/a?session=1")], ""),
        Some(_) => response(404, &[], "no"),
    });
    for _ in 0..2 {
        assert_eq!(world.get("/a").await.status, StatusCode::NOT_FOUND);
        settle().await;
    }
}

#[tokio::test]
async fn a_stale_response_stands_in_behind_redirects_too() {
    let fails = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&fails);
    let options = CacheOptions::fixed(10 * HOUR).urls_expire_after([("h/to", HOUR)]).stale_if_error(HOUR);
    let world = World::with_options(options, move |request| match request.uri().path() {
        _ if flag.load(std::sync::atomic::Ordering::Relaxed) => response(503, &[], "down"),
        "/from" => response(302, &[("location", "/to")], ""),
        _ => ok("the end"),
    });
    world.get("/from").await;
    fails.store(true, std::sync::atomic::Ordering::Relaxed);
    world.time.advance(HOUR);
    let stale = world.get("/from").await;
    assert_eq!(
        (&*stale.body, stale.cache.as_str()),
        (&b"the end"[..], "larder; fwd=uri-miss; fwd-status=503; ttl=0; detail=stale")
    );
}

#[tokio::test]
async fn a_stored_history_says_where_it_led_and_nothing_more() {
    let world = World::new(|request| match request.uri().path() {
        "/from" => response(302, &[("location", "/to"), ("set-cookie", "user=a"), ("x-user", "a")], ""),
        _ => ok("the end"),
    });
    let first = world.send(get("/from")).await.expect("an answer");
    assert!(first.history()[0].headers.contains_key("set-cookie"), "whoever asked sees all of it");
    first.bytes().await.expect("a whole body");
    let again = world.send(get("/from")).await.expect("an answer");
    assert!(again.cache_status().alias);
    let names: Vec<&str> = again.history()[0].headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["location"]);
}

#[tokio::test]
async fn a_head_does_not_go_round_in_what_gets_have_stored() {
    let codes = [StatusCode::OK, StatusCode::FOUND];
    let world = World::with_options(CacheOptions::fixed(HOUR).allowed_codes(codes), |request| {
        match (request.method() == Method::HEAD, request.uri().path()) {
            (true, _) => response(404, &[], ""),
            (false, "/a") => response(302, &[("location", "/b")], ""),
            (false, _) => response(302, &[("location", "/a")], ""),
        }
    });
    assert!(world.send(get("/a")).await.is_err(), "it goes round for a GET");
    settle().await;
    assert_eq!(world.send_whole(request(Method::HEAD, "/a")).await.status, StatusCode::NOT_FOUND);
}
