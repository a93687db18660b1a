//! In front of hyper-util's client.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get as on_get, post};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream;
use http::Method;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use larder_client::tower::Cache;
use larder_client::{CacheOptions, RequestBody};
use larder_core::ResponseHead;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt};

use crate::support::{Count, get, layer, options, request, serve, status, text};

fn client(options: CacheOptions) -> Cache<Client<HttpConnector, RequestBody>> {
    layer(options).layer(Client::builder(TokioExecutor::new()).build_http())
}

fn counting(count: &Count) -> Router {
    let count = count.clone();
    Router::new().route("/", on_get(async move || format!("answer {}", count.one_more())))
}

#[tokio::test]
async fn the_second_get_asks_nobody() {
    let count = Count::default();
    let url = format!("http://{}/", serve(counting(&count)).await);
    let client = client(options());
    for is_hit in [false, true] {
        let response = client.clone().oneshot(get(&url)).await.expect("an answer");
        assert_eq!(status(&response).hit, is_hit);
        assert_eq!(response.extensions().get::<ResponseHead>().expect("the head").url, url.as_str());
        assert_eq!(text(response).await, "answer 1");
    }
    assert_eq!(count.get(), 1);
}

#[tokio::test]
async fn eight_requests_of_the_same_make_one_exchange() {
    let (count, gate) = (Count::default(), Arc::new(Semaphore::new(0)));
    let (counted, held) = (count.clone(), Arc::clone(&gate));
    let slow = async move || {
        counted.one_more();
        held.acquire().await.expect("the gate stays").forget();
        "slow"
    };
    let url = format!("http://{}/", serve(Router::new().route("/", on_get(slow))).await);
    let client = client(options());
    let mut all = Box::pin(join_all((0..8).map(|_| client.clone().oneshot(get(&url)))));
    assert!((&mut all).now_or_never().is_none(), "the gate is shut");
    gate.add_permits(8);
    let mut asked = 0;
    for response in all.await {
        let response = response.expect("an answer");
        asked += usize::from(!status(&response).hit && !status(&response).collapsed);
        assert_eq!(text(response).await, "slow");
    }
    assert_eq!((asked, count.get()), (1, 1));
}

#[tokio::test]
async fn an_error_of_the_client_comes_back_as_itself() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let error = client(options()).oneshot(get(url)).await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn any_content_reaches_the_origin() {
    let count = Count::default();
    let counted = count.clone();
    let echo = async move |body: Bytes| {
        counted.one_more();
        body
    };
    let url = format!("http://{}/", serve(Router::new().route("/", post(echo))).await);
    let client = client(options().allowed_methods([Method::POST]));
    for _ in 0..2 {
        let whole = request(Method::POST, &url, Full::new(Bytes::from("whole")));
        assert_eq!(text(client.clone().oneshot(whole).await.expect("an answer")).await, "whole");
        let frames = ["in ", "parts"].map(|part| Ok::<_, std::io::Error>(Frame::data(part.as_bytes())));
        let streamed = request(Method::POST, &url, StreamBody::new(stream::iter(frames)));
        assert_eq!(text(client.clone().oneshot(streamed).await.expect("an answer")).await, "in parts");
    }
    assert_eq!(count.get(), 4, "what is streamed has no key");
}
