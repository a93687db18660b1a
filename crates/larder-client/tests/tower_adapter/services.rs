//! In front of services that mind how they are called.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::IF_NONE_MATCH;
use http::{Method, Request, Response};
use http_body_util::Full;
use larder_client::{CacheOptions, RequestBody};
use larder_core::Body;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Count, get, layer, options, request, status, text};

const URL: &str = "http://example.org/";

/// An error that is nothing but itself.
#[derive(Debug, PartialEq)]
struct Broken(u8);

/// A service that takes a while to be ready for each call, and must not be called before.
struct Slow<F> {
    answer: F,
    was_polled: bool,
    is_ready: bool,
}

impl<F> Slow<F> {
    fn new(answer: F) -> Self {
        Self { answer, was_polled: false, is_ready: false }
    }
}

impl<F: Clone> Clone for Slow<F> {
    /// As services do, a clone starts anew.
    fn clone(&self) -> Self {
        Self::new(self.answer.clone())
    }
}

impl<F> Service<Request<RequestBody>> for Slow<F>
where
    F: Fn(Request<RequestBody>) -> Result<Response<Body>, Broken>,
{
    type Response = Response<Body>;
    type Error = Broken;
    type Future = Ready<Result<Response<Body>, Broken>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.is_ready = self.was_polled;
        if self.is_ready {
            return Poll::Ready(Ok(()));
        }
        self.was_polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        assert!(self.is_ready, "it was called before it was ready");
        (self.was_polled, self.is_ready) = (false, false);
        ready((self.answer)(request))
    }
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_waited_for() {
    let count = Count::default();
    let counted = count.clone();
    let slow = Slow::new(move |_| Ok(Response::new(format!("answer {}", counted.one_more()).into())));
    let mut service = layer(options()).layer(slow);
    for (is_hit, path) in [(false, "a"), (true, "a"), (false, "b")] {
        let mut readiness = ServiceExt::<Request<RequestBody>>::ready(&mut service);
        assert!((&mut readiness).now_or_never().is_none(), "it says that it is not");
        readiness.await.expect("it will be");
        let response = service.call(get(format!("{URL}{path}"))).await.expect("an answer");
        assert_eq!(status(&response).hit, is_hit);
        text(response).await;
    }
    assert_eq!(count.get(), 2);
}

#[tokio::test]
async fn a_second_exchange_for_one_request_waits_too() {
    let count = Count::default();
    let counted = count.clone();
    let slow = Slow::new(move |request: Request<RequestBody>| {
        counted.one_more();
        let is_conditional = request.headers().contains_key(IF_NONE_MATCH);
        // A 304 that validates nothing that is stored, so that the content must be asked for after all.
        let (status, tag) = if is_conditional { (304, "\"other\"") } else { (200, "\"this\"") };
        let response = Response::builder().status(status).header("etag", tag);
        Ok(response.header("cache-control", "max-age=0").body("content".into()).expect("a response"))
    });
    let service = layer(CacheOptions::standard()).layer(slow);
    for exchanges in [1, 3] {
        assert_eq!(text(service.clone().oneshot(get(URL)).await.expect("an answer")).await, "content");
        assert_eq!(count.get(), exchanges);
    }
}

#[tokio::test]
async fn an_error_of_the_service_comes_back_as_itself() {
    let count = Count::default();
    let slow = Slow::new(move |_| Err(Broken(u8::try_from(count.one_more()).expect("a few"))));
    let service = layer(options()).layer(slow);
    for expected in [Broken(1), Broken(2)] {
        assert_eq!(service.clone().oneshot(get(URL)).await.expect_err("it is broken"), expected);
    }
}

#[tokio::test]
async fn bytes_at_hand_are_part_of_the_key_where_the_method_is_allowed() {
    let count = Count::default();
    let counted = count.clone();
    let service = layer(options().allowed_methods([Method::POST])).layer(service_fn(move |_| {
        ready(Ok::<_, Broken>(Response::new(Full::<Bytes>::from(format!("answer {}", counted.one_more())))))
    }));
    for (content, expected) in [("a", "answer 1"), ("b", "answer 2"), ("a", "answer 1")] {
        let request = request(Method::POST, URL, RequestBody::from(content));
        assert_eq!(text(service.clone().oneshot(request).await.expect("an answer")).await, expected);
    }
}

#[tokio::test]
async fn what_happens_behind_an_answer_waits_for_its_own_service() {
    let count = Count::default();
    let counted = count.clone();
    let slow = Slow::new(move |_| {
        let content = format!("answer {}", counted.one_more());
        let response = Response::builder().header("cache-control", "max-age=0, stale-while-revalidate=60");
        Ok(response.body(content.into()).expect("a response"))
    });
    let service = layer(CacheOptions::standard()).layer(slow);
    for _ in 0..2 {
        assert_eq!(text(service.clone().oneshot(get(URL)).await.expect("an answer")).await, "answer 1");
    }
    let asked_again = async {
        while count.get() < 2 {
            tokio::task::yield_now().await;
        }
    };
    let within = std::time::Duration::from_secs(10);
    tokio::time::timeout(within, asked_again).await.expect("it is validated behind the answer");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let service = layer(options()).layer(service_fn(|_| {
        let redirect = Response::builder().status(302).header("location", "http://elsewhere.example/");
        ready(Ok::<_, Broken>(redirect.body(Full::<Bytes>::default()).expect("a response")))
    }));
    assert_eq!(service.oneshot(get(URL)).await.expect("an answer").status(), 302);
}
