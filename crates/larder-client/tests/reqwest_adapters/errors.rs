//! What fails, and how to get at what reqwest says of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use larder_client::Expiry;
use larder_client::reqwest::error_of;
use larder_core::ErrorKind;
use tokio::net::TcpListener;

use crate::origin::{TestOrigin, answer, endless, never, ok, redirect};
use crate::support::{HOUR, cache, client, client_of, options, read};

/// Long enough for an exchange on loopback.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Returns a URL where nobody listens.
pub(crate) async fn refusing_url() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn a_refused_connection_is_an_error_of_reqwest() {
    let error = client().get(refusing_url().await).send().await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Origin);
    assert!(error_of(&error).expect("an error of reqwest").is_connect());
}

#[tokio::test]
async fn the_timeout_of_a_request_holds_on_every_hop() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/start" => redirect(302, "/never"),
        _ => never(),
    })
    .await;
    let client = client();
    let error = client.get(origin.url("/start")).timeout(TIMEOUT).send().await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Origin);
    assert!(error_of(&error).expect("an error of reqwest").is_timeout());
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn the_timeout_of_the_inner_client_holds() {
    let origin = TestOrigin::start(|_| never()).await;
    let client = client_of(cache(options()), |builder| builder.timeout(TIMEOUT));
    let error = client.get(origin.url("/")).send().await.expect_err("no answer");
    assert!(error_of(&error).expect("an error of reqwest").is_timeout());
}

#[tokio::test]
async fn a_body_that_stops_is_an_error_of_reqwest_and_is_not_stored() {
    let origin = TestOrigin::start(|request| match request.field("again") {
        "" => endless("hel"),
        _ => ok("hello"),
    })
    .await;
    let client = client();
    let mut response = client.get(origin.url("/")).timeout(TIMEOUT).send().await.expect("a head");
    assert_eq!(response.chunk().await.expect("the beginning").expect("not the end"), "hel");
    let error = response.chunk().await.expect_err("it does not go on");
    assert_eq!(error.kind(), ErrorKind::Body);
    assert!(error_of(&error).expect("an error of reqwest").is_timeout());

    let again = client.get(origin.url("/")).header("again", "yes").send().await.expect("an answer");
    assert!(!again.from_cache());
    assert_eq!(again.text().await.expect("a body"), "hello");
}

#[tokio::test]
async fn a_request_that_is_none_is_an_error_when_it_is_sent() {
    let client = client();
    for request in [
        client.get("not a url"),
        client.get("/relative"),
        client.get("http://h/").header("no name", "value"),
        client.get("http://h/").header("name", "no\nvalue"),
    ] {
        assert!(request.try_clone().is_none());
        let error = request.send().await.expect_err("it is not valid");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error_of(&error).expect("an error of reqwest").is_builder());
    }
    let error = client.get("ftp://h/").send().await.expect_err("no client for it");
    assert!(error_of(&error).expect("an error of reqwest").is_builder());
}

#[tokio::test]
async fn an_error_status_is_an_error_if_it_is_asked_for() {
    let origin = TestOrigin::start(|request| match request.path_and_query.as_str() {
        "/ok" => ok(""),
        _ => answer(404, &[], "gone"),
    })
    .await;
    let client = client();
    let found = client.get(origin.url("/ok")).send().await.expect("an answer");
    assert!(found.error_for_status_ref().is_ok() && found.error_for_status().is_ok());

    let missing = client.get(origin.url("/missing")).send().await.expect("an answer");
    let error = missing.error_for_status_ref().expect_err("404");
    assert_eq!((error.kind(), error.context("status")), (ErrorKind::Status, Some("404")));
    assert_eq!(missing.text().await.expect("a body"), "gone");
}

#[tokio::test]
async fn too_many_redirects_are_an_error_of_the_cache() {
    let origin = TestOrigin::start(|_| redirect(302, "/again")).await;
    let error = client().get(origin.url("/")).send().await.expect_err("they have no end");
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error_of(&error).is_none());
    assert_eq!(origin.count(), 11);
}

#[tokio::test]
async fn what_is_stored_stands_in_for_an_origin_that_fails() {
    let origin = TestOrigin::start(|request| match request.field("fail") {
        "" => answer(200, &[("etag", "\"1\"")], "kept"),
        _ => answer(503, &[], "failed"),
    })
    .await;
    let client = client();
    let request = || client.get(origin.url("/")).expire_after(Expiry::Immediately);
    assert_eq!(read(request().send().await.expect("an answer")).await, (false, "kept".to_owned()));
    let failing = request().header("fail", "yes").stale_if_error(HOUR);
    let response = failing.send().await.expect("an answer");
    assert!(response.cache_status().stale, "{}", response.cache_status());
    assert!(response.is_expired());
    assert_eq!(read(response).await, (true, "kept".to_owned()));
    assert_eq!(origin.count(), 2);
}
