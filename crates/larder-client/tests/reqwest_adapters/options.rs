//! What one request asks of the cache.

use http::{Method, StatusCode};
use larder_client::{CacheMode, RequestOptions};
use larder_core::CacheKey;

use crate::origin::{TestOrigin, answer, ok};
use crate::support::{HOUR, client, read};

async fn with_etag() -> TestOrigin {
    TestOrigin::start(|request| match request.field("if-none-match") {
        "\"1\"" => answer(304, &[("etag", "\"1\"")], ""),
        _ => answer(200, &[("etag", "\"1\"")], "hello"),
    })
    .await
}

#[tokio::test]
async fn a_refresh_is_a_conditional_request() {
    let origin = with_etag().await;
    let client = client();
    for (status, count) in
        [("larder; fwd=uri-miss; ttl=", 1), ("larder; fwd=request; fwd-status=304; ttl=", 2)]
    {
        let response = client.get(origin.url("/")).refresh().send().await.expect("an answer");
        let printed = response.cache_status().to_string();
        assert!(printed.starts_with(status), "{printed}");
        assert_eq!(read(response).await, (count == 2, "hello".to_owned()));
        assert_eq!(origin.count(), count);
    }
}

#[tokio::test]
async fn a_request_has_an_expiry_of_its_own() {
    let origin = with_etag().await;
    let client = client();
    let response = client.get(origin.url("/")).expire_after(2 * HOUR).send().await.expect("an answer");
    let lifetime = response.expires_at().expect("it expires").as_millis() - response.created_at().as_millis();
    assert_eq!(u128::try_from(lifetime).expect("later"), (2 * HOUR).as_millis());
}

#[tokio::test]
async fn a_request_chooses_how_the_cache_is_used() {
    let origin = with_etag().await;
    let client = client();
    let with_mode = |mode| client.get(origin.url("/")).cache_mode(mode).send();
    let refused = with_mode(CacheMode::OnlyIfCached).await.expect("an answer");
    assert_eq!((refused.status(), origin.count()), (StatusCode::GATEWAY_TIMEOUT, 0));
    for count in 1..=2 {
        assert!(!read(with_mode(CacheMode::NoStore).await.expect("an answer")).await.0);
        assert_eq!(origin.count(), count);
    }
    assert!(!read(with_mode(CacheMode::Reload).await.expect("an answer")).await.0);
    assert!(read(with_mode(CacheMode::OnlyIfCached).await.expect("an answer")).await.0);
    assert_eq!(origin.count(), 3);
}

#[tokio::test]
async fn a_key_of_ones_own_merges_what_one_says_is_the_same() {
    let origin = TestOrigin::start(|request| ok(request.path_and_query.clone())).await;
    let client = client();
    for (path, expected) in [("/?session=1", (false, "/?session=1")), ("/?session=2", (true, "/?session=1"))]
    {
        let key = CacheKey::new("the-page").expect("a key");
        let response = client.get(origin.url(path)).cache_key(key).send().await.expect("an answer");
        let (from_cache, body) = read(response).await;
        assert_eq!((from_cache, &*body), expected);
    }
}

#[tokio::test]
async fn a_request_that_was_built_keeps_its_options() {
    let origin = with_etag().await;
    let client = client();
    let request =
        client.get(origin.url("/")).cache_options(RequestOptions::default().mode(CacheMode::Reload));
    let request = request.header("x-a", "1").build().expect("a request");
    assert_eq!((request.method(), request.url().as_str()), (&Method::GET, &*origin.url("/")));
    for count in 1..=2 {
        let request = request.try_clone().expect("it has no content");
        assert!(!read(client.execute(request).await.expect("an answer")).await.0);
        assert_eq!((origin.count(), origin.last().field("x-a")), (count, "1"));
    }
    let plain = client.get(origin.url("/")).build().expect("a request");
    assert!(read(client.execute(plain).await.expect("an answer")).await.0);
}

#[tokio::test]
async fn whatever_reqwests_builder_can_do_can_be_done() {
    let origin = TestOrigin::start(|_| ok("")).await;
    let request =
        client().post(origin.url("/")).with(|request| request.basic_auth("u", None::<&str>).body("x"));
    request.send().await.expect("an answer");
    assert_eq!((origin.last().field("authorization"), &*origin.last().body), ("Basic dTo=", &b"x"[..]));
}

#[tokio::test]
async fn a_disabled_cache_is_passed_by() {
    let origin = with_etag().await;
    let client = client();
    read(client.get(origin.url("/")).send().await.expect("an answer")).await;
    let disabled = client.cache().disabled();
    let response = client.get(origin.url("/")).send().await.expect("an answer");
    assert_eq!(response.cache_status().to_string(), "larder; fwd=bypass; detail=disabled");
    drop(disabled);
    assert!(client.get(origin.url("/")).send().await.expect("an answer").from_cache());
}
