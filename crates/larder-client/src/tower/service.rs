//! The service: takes a request of any content, and answers from the cache or by the service within.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use http_body::Body as HttpBody;
use larder_core::{Body, BoxError};
use tower_service::Service;

use super::CacheLayer;
use super::origin::{Inner, error_of};
use super::target::target;
use crate::{CacheStatus, RequestBody, ResponseCache};

/// A service that answers from a cache, and from the service within what the cache cannot.
///
/// It takes requests of any content. Only a [`RequestBody`] that has its bytes at hand can be part of a key, where the
/// cache's options allow the method: any other content is streamed to the service, and its response is not stored.
/// [`RequestOptions`](crate::RequestOptions) are taken from the extensions of the request. The extensions of the
/// response have [`CacheStatus`] and [`ResponseHead`](larder_core::ResponseHead).
///
/// It is ready when the service within is, for a hit too. What it does behind an answer, such as validation, it does
/// with clones of that service, each of which it waits for to be ready. Call it in a Tokio runtime with its timer on.
///
/// # Errors
///
/// The service's own, as they are. A failure of the cache is none: the request goes to the service. If a request fails
/// otherwise, the answer is 502 without content, as a gateway's is.
#[derive(Debug, Clone)]
pub struct Cache<S> {
    inner: S,
    layer: CacheLayer,
}

impl<S> Cache<S> {
    pub(super) fn new(inner: S, layer: CacheLayer) -> Self {
        Self { inner, layer }
    }

    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &ResponseCache {
        self.layer.cache()
    }

    /// Returns the service within.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the service within, without the cache.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, A, B> Service<Request<A>> for Cache<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Send + 'static, Future: Send>
        + Clone
        + Send
        + 'static,
    A: HttpBody<Error: Into<BoxError>> + Send + 'static,
    B: HttpBody<Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> ResponseFuture<S::Error> {
        // The service that was polled is the one that is ready, and not its clone.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let mut request = request.map(content);
        let mut uri = None;
        if let Some(target) = target(request.uri(), request.headers(), self.layer.default_scheme()) {
            uri = Some(std::mem::replace(request.uri_mut(), target));
        }
        let cache = self.cache().clone();
        ResponseFuture(Box::pin(async move {
            match cache.send_once(request, &mut Inner::ready(ready, uri)).await {
                Ok(response) => Ok(response.into_http()),
                Err(error) => error_of(&error).map_or_else(|| Ok(bad_gateway(&error)), Err),
            }
        }))
    }
}

/// Returns the content as the loop takes it.
fn content<A>(body: A) -> RequestBody
where
    A: HttpBody<Error: Into<BoxError>> + Send + 'static,
{
    if body.is_end_stream() || body.size_hint().exact() == Some(0) {
        return RequestBody::empty();
    }
    let mut body = Some(body);
    // Wrapped once more, it would lose its bytes.
    if let Some(ours) = (&mut body as &mut dyn Any).downcast_mut::<Option<RequestBody>>() {
        return ours.take().unwrap_or_default();
    }
    body.map(RequestBody::wrap).unwrap_or_default()
}

/// Returns the answer to a request that the loop gave up without an error of the service.
fn bad_gateway(error: &larder_core::Error) -> Response<Body> {
    let cause: &(dyn std::error::Error + 'static) = error;
    tracing::warn!(kind = %error.kind(), error = cause, "a request failed, and not by the inner service");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(CacheStatus::default());
    response
}

/// The future of a response of [`Cache`]; if it is dropped, the exchange is given up and nothing is stored.
#[must_use = "nothing is asked before it is polled"]
pub struct ResponseFuture<E>(Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>);

impl<E> Future for ResponseFuture<E> {
    type Output = Result<Response<Body>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<E> fmt::Debug for ResponseFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use larder_core::{Error, ErrorKind};

    #[test]
    fn what_the_service_did_not_cause_is_answered_as_a_gateway_would() {
        let error = Error::new(ErrorKind::Redirect, "more than 10 redirects");
        assert!(error_of::<std::io::Error>(&error).is_none());
        assert_eq!(bad_gateway(&error).status(), StatusCode::BAD_GATEWAY);
    }
}
