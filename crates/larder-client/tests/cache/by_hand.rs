//! What is done to a cache by hand.

use larder_client::{CacheOptions, NotStorable};
use larder_core::ErrorKind;

use crate::support::{HOUR, World, get, ok, response};

#[tokio::test]
async fn a_response_saved_by_hand_is_a_hit() {
    let world = World::new(|_| ok("from the origin"));
    let saved = response(200, &[("x-a", "1")], "by hand");
    world.cache.save_response(&get("/a"), saved).await.expect("it is stored");
    let hit = world.get("/a").await;
    assert_eq!((&*hit.body, hit.cache.as_str()), (&b"by hand"[..], "larder; hit; ttl=3600"));
    assert_eq!(hit.headers["x-a"], "1");
}

#[tokio::test]
async fn a_response_that_the_policy_does_not_store_is_refused_with_the_reason() {
    let world = World::with_options(CacheOptions::fixed(HOUR).cache_control(true), |_| ok("x"));
    let error = world
        .cache
        .save_response(&get("/a"), response(200, &[("cache-control", "no-store")], "x"))
        .await
        .expect_err("no-store");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let reason = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
    assert_eq!(reason, Some(&NotStorable::NoStore));
}

#[tokio::test]
async fn urls_are_asked_for_and_deleted() {
    let world = World::new(|request| match request.uri().path() {
        "/from" => response(301, &[("location", "/to")], ""),
        _ => ok("x"),
    });
    let [from, to] = ["http://h/from", "http://h/to"].map(|url| url.parse().expect("a URL"));
    assert!(!world.cache.has_url(&from).await);
    assert!(!world.cache.delete_url(&from).await.expect("nothing fails"));
    world.get("/from").await;
    assert!(world.cache.has_url(&from).await && world.cache.has_url(&to).await);
    assert!(world.cache.delete_url(&from).await.expect("nothing fails"));
    assert!(!world.cache.has_url(&from).await && !world.cache.has_url(&to).await);
    assert!(!world.cache.has_url(&"/relative".parse().expect("a URI")).await);
    let error = world.cache.delete_url(&"/relative".parse().expect("a URI")).await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
