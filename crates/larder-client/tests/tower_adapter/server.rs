//! Inside a server of axum.

use std::io;

use axum::extract::{Extension, Request};
use axum::routing::{any, get as on_get, post};
use axum::{Router, body};
use bytes::Bytes;
use futures_util::stream;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderValue, Method, Response, StatusCode};
use larder_client::CacheStatus;
use larder_client::tower::CacheLayer;
use larder_core::ResponseHead;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::support::{Count, layer, options, request};

fn shared() -> CacheLayer {
    layer(options().shared())
}

fn of_host(method: Method, path: &str, host: &'static str, body: &'static str) -> Request {
    let mut request = request(method, path, body::Body::from(body));
    request.headers_mut().insert(HOST, HeaderValue::from_static(host));
    request
}

fn get(path: &str) -> Request {
    of_host(Method::GET, path, "example.org", "")
}

async fn send(router: &Router, request: Request) -> Response<body::Body> {
    router.clone().oneshot(request).await.expect("it has no error")
}

fn head(response: &Response<body::Body>) -> &ResponseHead {
    response.extensions().get().expect("the head")
}

fn is_hit(response: &Response<body::Body>) -> bool {
    response.extensions().get::<CacheStatus>().expect("what the cache did").hit
}

async fn text(response: Response<body::Body>) -> String {
    let bytes = body::to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
    String::from_utf8(bytes.into()).expect("text")
}

/// A router that answers with the URI that its handler sees and how often it was asked.
fn router(count: &Count, layer: CacheLayer) -> Router {
    let count = count.clone();
    let show = async move |request: Request| format!("{} {}", request.uri(), count.one_more());
    Router::new().route("/{name}", any(show)).layer(layer)
}

#[tokio::test]
async fn the_second_request_does_not_reach_the_handler() {
    let count = Count::default();
    let router = router(&count, shared());
    for hit in [false, true] {
        let response = send(&router, get("/a?b")).await;
        assert_eq!((response.status(), is_hit(&response)), (StatusCode::OK, hit));
        assert_eq!(head(&response).url, "http://example.org/a?b");
        assert_eq!(text(response).await, "/a?b 1", "the handler sees the target as it came");
    }
    assert_eq!(count.get(), 1);
}

#[tokio::test]
async fn hosts_and_schemes_are_kept_apart() {
    let count = Count::default();
    let layer = shared();
    let plain = router(&count, layer.clone());
    let secure = router(&count, layer.scheme(Scheme::HTTPS));
    for (router, host, url, asked) in [
        (&plain, "a.example", "http://a.example/x", 1),
        (&plain, "b.example:81", "http://b.example:81/x", 2),
        (&secure, "a.example", "https://a.example/x", 3),
        (&plain, "a.example", "http://a.example/x", 3),
    ] {
        let response = send(router, of_host(Method::GET, "/x", host, "")).await;
        assert_eq!(head(&response).url, url);
        text(response).await;
        assert_eq!(count.get(), asked, "{url}");
    }
}

#[tokio::test]
async fn a_request_without_a_host_reaches_the_handler_and_is_not_stored() {
    let count = Count::default();
    let router = router(&count, shared());
    for expected in ["/a 1", "/a 2"] {
        let response = send(&router, request(Method::GET, "/a", body::Body::empty())).await;
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn every_post_reaches_the_handler_with_its_content() {
    let count = Count::default();
    let counted = count.clone();
    let echo = async move |content: String| format!("{content} {}", counted.one_more());
    let router = Router::new().route("/", post(echo)).layer(shared());
    for expected in ["content 1", "content 2"] {
        let response = send(&router, of_host(Method::POST, "/", "example.org", "content")).await;
        assert!(!is_hit(&response));
        assert_eq!(text(response).await, expected);
    }
}

#[tokio::test]
async fn a_body_is_passed_on_as_it_comes() {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, io::Error>>(1);
    let receiver = std::sync::Arc::new(tokio::sync::Mutex::new(receiver));
    let trickle = async move || {
        body::Body::from_stream(stream::unfold(receiver, async |receiver| {
            let chunk = receiver.lock().await.recv().await?;
            Some((chunk, receiver))
        }))
    };
    let router = Router::new().route("/", on_get(trickle)).layer(shared());
    let mut body = send(&router, get("/")).await.into_body();
    for chunk in ["one", "two"] {
        sender.send(Ok(chunk.into())).await.expect("somebody reads");
        let frame = http_body_util::BodyExt::frame(&mut body).await.expect("a frame").expect("a chunk");
        assert_eq!(frame.into_data().expect("data"), chunk, "before the next is there");
    }
    drop(sender);
    assert!(http_body_util::BodyExt::frame(&mut body).await.is_none());
    assert!(is_hit(&send(&router, get("/")).await));
}

#[tokio::test]
async fn what_the_server_says_of_a_request_reaches_the_handler() {
    let whose = async |Extension(peer): Extension<&'static str>| peer;
    let router = Router::new().route("/", on_get(whose)).layer(shared());
    let mut request = get("/");
    request.extensions_mut().insert("a peer");
    assert_eq!(text(send(&router, request).await).await, "a peer");
}

#[tokio::test]
async fn a_change_of_protocol_passes_through() {
    let switch = async |request: Request| {
        assert_eq!(request.headers()["upgrade"], "x");
        let mut response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        response = response.header("connection", "upgrade").header("upgrade", "x");
        response.extension("what the connection becomes").body(body::Body::empty()).expect("a response")
    };
    let router = Router::new().route("/", on_get(switch)).layer(shared());
    for _ in 0..2 {
        let mut request = get("/");
        for (name, value) in [("connection", "upgrade"), ("upgrade", "x")] {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        let response = send(&router, request).await;
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()["connection"], "upgrade");
        assert_eq!(response.headers()["upgrade"], "x");
        assert!(response.extensions().get::<&str>().is_some());
    }
}
