//! Cache groups (RFC 9875), and what is deleted by its head.

use http::Method;
use larder_client::CacheOptions;

use crate::support::{World, request, response};

/// Returns a world whose origin puts `/a1` and `/a2` into one group each, and both into a third.
fn world() -> World {
    World::with_options(CacheOptions::standard(), |sent| {
        let groups = match sent.uri().path() {
            "/a1" => "\"1\", \"a\"",
            "/a2" => "\"2\", \"a\"",
            "/b2" => "\"2\"",
            _ => "",
        };
        response(200, &[("cache-control", "max-age=60"), ("cache-groups", groups)], "x")
    })
}

async fn fetch(world: &World) {
    for url in ["/a1", "/a2", "/b2", "/c"] {
        world.get(url).await;
    }
}

async fn check(world: &World, expected: [bool; 4]) {
    let mut hits = [false; 4];
    for (hit, url) in hits.iter_mut().zip(["/a1", "/a2", "/b2", "/c"]) {
        *hit = world.get(url).await.from_cache;
    }
    assert_eq!(hits, expected);
}

#[tokio::test]
async fn what_becomes_invalid_takes_its_groups_along_and_they_no_more() {
    let world = world();
    fetch(&world).await;
    world.send_whole(request(Method::DELETE, "/a1")).await;
    check(&world, [false, false, true, true]).await;
}

#[tokio::test]
async fn groups_of_an_origin_are_deleted_by_hand() {
    let world = world();
    fetch(&world).await;
    let url = "http://h/".parse().expect("a URL");
    let deleted = world.cache.delete_groups(&url, &["2".to_owned()]).await;
    assert_eq!(deleted.expect("nothing fails"), 2);
    check(&world, [true, false, false, true]).await;
    let other = "http://other/".parse().expect("a URL");
    let deleted = world.cache.delete_groups(&other, &["1".to_owned(), "2".to_owned()]).await;
    assert_eq!(deleted.expect("nothing fails"), 0);
    check(&world, [true; 4]).await;
}

#[tokio::test]
async fn what_is_chosen_by_its_head_is_deleted_by_hand() {
    let world = world();
    fetch(&world).await;
    let deleted = world.cache.delete_where(|head| head.url.path().starts_with("/a")).await;
    assert_eq!(deleted.expect("nothing fails"), 2);
    check(&world, [false, false, true, true]).await;
}
