//! The cache as a middleware of reqwest-middleware.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::{Method, StatusCode};
use larder_client::reqwest::CacheMiddleware;
use larder_client::{CacheMode, CacheOptions, CacheStatus, RequestOptions};
use larder_core::{ErrorKind, ResponseHead};
use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

use crate::errors::refusing_url;
use crate::origin::{TestOrigin, ok, redirect};
use crate::support::{cache, inner, options};

fn client(options: CacheOptions) -> ClientWithMiddleware {
    let inner = inner(|builder| builder.redirect(Policy::none()));
    ClientBuilder::new(inner).with(CacheMiddleware::new(cache(options))).build()
}

/// Returns what the cache did, and the text.
async fn get(client: &ClientWithMiddleware, url: &str) -> (CacheStatus, String) {
    read(client.get(url).send().await.expect("an answer")).await
}

async fn read(response: reqwest::Response) -> (CacheStatus, String) {
    let status = response.extensions().get::<CacheStatus>().expect("what the cache did").clone();
    (status, response.text().await.expect("a body"))
}

#[tokio::test]
async fn the_second_get_asks_nobody() {
    let origin = TestOrigin::start(|_| ok("hello")).await;
    let client = client(options());
    for is_hit in [false, true] {
        let response = client.get(origin.url("/#part")).send().await.expect("an answer");
        assert_eq!(response.url().as_str(), origin.url("/#part"));
        let head = response.extensions().get::<ResponseHead>().expect("the head");
        assert_eq!((head.status, head.url.to_string()), (StatusCode::OK, origin.url("/")));
        let (status, text) = read(response).await;
        assert_eq!((status.hit, text.as_str()), (is_hit, "hello"));
    }
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn redirects_are_followed_and_skipped_the_second_time() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/a" => redirect(301, "/b"),
        "/b" => redirect(301, "/page"),
        _ => ok("page"),
    })
    .await;
    let client = client(options());
    for is_alias in [false, true] {
        let response = client.get(origin.url("/a")).send().await.expect("an answer");
        assert_eq!(response.url().as_str(), origin.url("/page"));
        assert_eq!(response.extensions().get::<ResponseHead>().expect("the head").history.len(), 2);
        assert_eq!(read(response).await.0.alias, is_alias);
    }
    assert_eq!(origin.count(), 3);
}

#[tokio::test]
async fn options_are_taken_from_the_extensions() {
    let origin = TestOrigin::start(|_| ok("hello")).await;
    let client = client(options());
    let refused = RequestOptions::default().mode(CacheMode::OnlyIfCached);
    let response = client.get(origin.url("/")).with_extension(refused).send().await.expect("an answer");
    assert_eq!((response.status(), origin.count()), (StatusCode::GATEWAY_TIMEOUT, 0));
}

#[tokio::test]
async fn an_error_of_reqwest_stays_one() {
    let error = client(options()).get(refusing_url().await).send().await.expect_err("nobody listens");
    assert!(matches!(error, Error::Reqwest(_)) && error.is_connect());
}

#[tokio::test]
async fn an_error_of_the_cache_is_one_of_a_middleware() {
    let origin = TestOrigin::start(|_| redirect(302, "/again")).await;
    match client(options()).get(origin.url("/")).send().await.expect_err("they have no end") {
        Error::Middleware(error) => {
            let error = error.downcast_ref::<larder_core::Error>().expect("ours");
            assert_eq!(error.kind(), ErrorKind::Redirect);
        }
        other @ Error::Reqwest(_) => panic!("{other}"),
    }
}

#[tokio::test]
async fn streamed_content_passes_through() {
    let origin = TestOrigin::start(|_| ok("done")).await;
    let client = client(options().allowed_methods([Method::POST]));
    for count in 1..=2 {
        let chunks = stream::iter(["a", "b"].map(Ok::<_, io::Error>));
        let request = client.post(origin.url("/")).body(reqwest::Body::wrap_stream(chunks));
        assert!(!read(request.send().await.expect("an answer")).await.0.hit);
        assert_eq!((origin.count(), origin.last().body), (count, Bytes::from("ab")));
    }
}

#[tokio::test]
async fn a_client_that_follows_redirects_still_works_and_stores_none_of_them() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/a" => redirect(301, "/page"),
        _ => ok("page"),
    })
    .await;
    let client =
        ClientBuilder::new(inner(|builder| builder)).with(CacheMiddleware::new(cache(options()))).build();
    for _ in 0..2 {
        let response = client.get(origin.url("/a")).send().await.expect("an answer");
        assert_eq!(response.url().as_str(), origin.url("/page"));
        let (status, text) = read(response).await;
        assert_eq!((status.stored, text.as_str()), (false, "page"));
    }
    assert!(!get(&client, &origin.url("/page")).await.0.hit);
    assert!(get(&client, &origin.url("/page")).await.0.hit);
}
