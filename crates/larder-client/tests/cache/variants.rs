//! Responses that `Vary` tells apart, side by side.

use http::Request;
use larder_client::{CacheOptions, RequestBody};

use crate::support::{Answered, World, get, response};

const WEEK: &str = "max-age=604800";

fn speaking(path: &str, language: &str) -> Request<RequestBody> {
    let mut request = get(path);
    request.headers_mut().insert("accept-language", language.parse().expect("a value"));
    request
}

/// An origin that answers in the language that it is asked for.
fn polyglot(options: CacheOptions) -> World {
    World::with_options(options, |request| {
        let language = request.headers().get("accept-language").map_or("none", |l| l.to_str().expect("text"));
        let tag = format!("\"{language}\"");
        response(
            200,
            &[("cache-control", WEEK), ("vary", "Accept-Language"), ("etag", &tag)],
            language.to_owned(),
        )
    })
}

async fn ask(world: &World, language: &str) -> Answered {
    world.send_whole(speaking("/a", language)).await
}

#[tokio::test]
async fn two_languages_in_turn_are_two_requests() {
    let world = polyglot(CacheOptions::standard());
    for round in 0..6 {
        for language in ["en", "fr"] {
            let answer = ask(&world, language).await;
            assert_eq!((&*answer.body, answer.from_cache), (language.as_bytes(), round > 0));
        }
    }
    assert_eq!((world.origin.count(), world.stored().await), (2, 2));
}

#[tokio::test]
async fn only_so_many_are_kept() {
    let world = polyglot(CacheOptions::standard().max_variants(3));
    for language in ["a", "b", "c", "d", "e"] {
        ask(&world, language).await;
    }
    assert_eq!(world.stored().await, 3);
    // The first is the one that the others are listed in.
    for (language, is_kept) in [("a", true), ("e", true), ("d", true), ("b", false)] {
        assert_eq!(ask(&world, language).await.from_cache, is_kept, "{language}");
    }
}

#[tokio::test]
async fn without_variants_each_replaces_the_other() {
    let world = polyglot(CacheOptions::standard().max_variants(1));
    for language in ["en", "fr", "en"] {
        assert!(!ask(&world, language).await.from_cache);
    }
    assert_eq!(world.stored().await, 1);
}

#[tokio::test]
async fn what_does_not_vary_goes_before_what_did() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let language = request.headers()["accept-language"].to_str().expect("text").to_owned();
        let vary = if language == "any" { "" } else { "accept-language" };
        response(200, &[("cache-control", WEEK), ("vary", vary)], language)
    });
    for language in ["en", "fr", "any"] {
        world.time.advance(std::time::Duration::from_secs(1));
        ask(&world, language).await;
    }
    for language in ["en", "fr", "de"] {
        assert_eq!(ask(&world, language).await.body, "any", "the latest that matches");
    }
}

#[tokio::test]
async fn variants_by_different_fields_are_found() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let english = request.headers()["accept-language"] == "en";
        let vary = if english { "accept-language" } else { "accept-language, x-size" };
        let size = request.headers().get("x-size").map_or("", |size| size.to_str().expect("text"));
        response(200, &[("cache-control", WEEK), ("vary", vary)], format!("{english} {size}"))
    });
    let ask = async |language: &str, size: &str| {
        let mut request = speaking("/a", language);
        request.headers_mut().insert("x-size", size.parse().expect("a value"));
        let answer = world.send_whole(request).await;
        (String::from_utf8(answer.body.to_vec()).expect("text"), answer.from_cache)
    };
    assert_eq!(ask("en", "1").await, ("true 1".to_owned(), false));
    assert_eq!(ask("fr", "1").await, ("false 1".to_owned(), false));
    assert_eq!(ask("fr", "2").await, ("false 2".to_owned(), false));
    assert_eq!(ask("en", "2").await, ("true 1".to_owned(), true));
    assert_eq!(ask("fr", "1").await, ("false 1".to_owned(), true));
    assert_eq!(ask("fr", "2").await, ("false 2".to_owned(), true));
}

#[tokio::test]
async fn a_304_is_about_what_could_have_been_chosen() {
    let world = World::with_options(CacheOptions::standard(), |request| {
        let fields = [("cache-control", "max-age=60"), ("vary", "accept-language"), ("etag", "\"same\"")];
        let status = if request.headers().contains_key("if-none-match") { 304 } else { 200 };
        response(status, &fields, "same")
    });
    ask(&world, "en").await;
    ask(&world, "fr").await;
    world.time.advance(std::time::Duration::from_secs(90));
    for language in ["fr", "en"] {
        let validated = ask(&world, language).await;
        assert_eq!(validated.cache, "larder; fwd=stale; fwd-status=304; ttl=60; stored", "{language}");
    }
}

#[tokio::test]
async fn deleting_a_url_deletes_its_variants() {
    let world = polyglot(CacheOptions::standard());
    ask(&world, "en").await;
    ask(&world, "fr").await;
    let url = "http://h/a".parse().expect("a URL");
    assert!(world.cache.delete_url(&url).await.expect("deleted"));
    assert_eq!(world.stored().await, 0);
}

#[tokio::test]
async fn what_is_private_is_for_whoever_has_the_same_cookie() {
    for field in ["private, max-age=60", "max-age=60"] {
        let world = World::with_options(CacheOptions::standard(), move |request| {
            let user = request.headers().get("cookie").map_or("nobody", |c| c.to_str().expect("text"));
            let fields = [("cache-control", field), ("set-cookie", "seen=1")];
            response(200, &fields, user.to_owned())
        });
        for user in ["alice", "bob", "alice", "bob"] {
            let mut request = get("/me");
            request.headers_mut().insert("cookie", user.parse().expect("a value"));
            assert_eq!(world.send_whole(request).await.body, user);
        }
        assert_eq!(world.get("/me").await.body, "nobody");
        assert_eq!(world.origin.count(), 3, "{field}");
    }
}
