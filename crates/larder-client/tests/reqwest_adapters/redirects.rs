//! Redirects: followed by the cache, skipped the second time, and what an inner client does that follows them itself.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode};
use larder_client::ResponseCache;
use larder_client::reqwest::Client;
use larder_core::{CacheBackend, Hop};
use larder_memory::{MemoryRedirects, MemoryStore};
use reqwest::redirect::Policy;

use crate::origin::{TestOrigin, ok, redirect};
use crate::support::{alone, cache, client, client_of, get, inner, options};

async fn chain() -> TestOrigin {
    TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/a" => redirect(301, "/b"),
        "/b" => redirect(302, "c"),
        "/c" => redirect(307, "/page"),
        _ => ok("page"),
    })
    .await
}

#[tokio::test]
async fn a_chain_of_redirects_is_one_lookup_the_second_time() {
    let origin = chain().await;
    let client = client();
    for is_alias in [false, true] {
        let response = client.get(origin.url("/a")).send().await.expect("an answer");
        assert_eq!(response.cache_status().alias, is_alias);
        assert_eq!((response.status(), response.url().as_str()), (StatusCode::OK, &*origin.url("/page")));
        let hop = |hop: &Hop| (hop.status.as_u16(), hop.url.to_string());
        let history: Vec<_> = response.history().iter().map(hop).collect();
        let expected =
            [(301, "/a"), (302, "/b"), (307, "/c")].map(|(status, path)| (status, origin.url(path)));
        assert_eq!(history, expected);
        assert_eq!(response.text().await.expect("a body"), "page");
    }
    assert_eq!(origin.count(), 4);
    assert_eq!(get(&client, &origin.url("/b")).await, (true, "page".to_owned()));
}

#[tokio::test]
async fn a_redirect_policy_of_the_inner_client_has_no_effect() {
    let origin = chain().await;
    let client = client_of(cache(options()), |builder| builder.redirect(Policy::limited(1)));
    let response = client.get(origin.url("/a")).send().await.expect("an answer");
    assert_eq!(response.history().len(), 3);
}

#[tokio::test]
async fn a_cache_that_follows_no_redirects_returns_them() {
    let origin = chain().await;
    let backend = CacheBackend::new(Arc::new(MemoryStore::new()), Arc::new(MemoryRedirects::new()));
    let cache = ResponseCache::builder(backend, options()).max_redirects(0).build().expect("good options");
    let response = client_of(cache, |builder| builder).get(origin.url("/a")).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(response.headers()["location"], "/b");
}

#[tokio::test]
async fn credentials_do_not_cross_to_another_origin() {
    let other = TestOrigin::start(|request| ok(request.field("authorization").to_owned())).await;
    let location = other.url("/");
    let origin = TestOrigin::start(move |request| match request.path_and_query.as_str() {
        "/away" => redirect(302, &location),
        "/near" => redirect(302, "/"),
        _ => ok(request.field("authorization").to_owned()),
    })
    .await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("secret"));
    let builder = Client::builder(cache(options())).reqwest(alone).default_headers(headers);
    let client = builder.build().expect("the options are good");
    assert_eq!(get(&client, &origin.url("/near")).await.1, "secret");
    assert_eq!(get(&client, &origin.url("/away")).await.1, "");
}

#[tokio::test]
async fn redirects_that_the_cache_does_not_see_are_not_stored() {
    let origin = chain().await;
    let client = Client::from_client(inner(|builder| builder), cache(options()));
    for count in [4, 8] {
        let response = client.get(origin.url("/a")).send().await.expect("an answer");
        assert_eq!(response.cache_status().to_string(), "larder; fwd=uri-miss; detail=hidden-redirects");
        assert_eq!(response.url().as_str(), origin.url("/page"));
        assert_eq!(response.text().await.expect("a body"), "page");
        assert_eq!(origin.count(), count);
    }
    assert_eq!(get(&client, &origin.url("/page")).await, (false, "page".to_owned()));
    assert_eq!(get(&client, &origin.url("/page")).await, (true, "page".to_owned()));
}
