//! A service as an origin, and the way back of its errors.
//!
//! The loop's errors have the origin's as their source. What is put there is the service's own error, to be taken out
//! again, so that the layer adds no error type.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use http::{Request, Response, Uri};
use http_body::Body as HttpBody;
use larder_core::{Body, BoxError, Error};
use tower_service::Service;

use crate::{Origin, RequestBody};

/// A service that is called for each exchange.
pub(super) struct Inner<S> {
    /// The mutex only makes the type `Sync`; it is never waited for.
    service: Mutex<S>,
    /// Whether the service is ready for one call.
    is_ready: bool,
    /// The URI that the service is to see, where the cache was given another.
    uri: Option<Uri>,
}

impl<S> Inner<S> {
    /// Returns an origin of a service that is ready.
    pub(super) fn ready(service: S, uri: Option<Uri>) -> Self {
        Self { service: Mutex::new(service), is_ready: true, uri }
    }
}

#[async_trait]
impl<S, B> Origin for Inner<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Send + 'static, Future: Send>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Error: Into<BoxError>> + Send + 'static,
{
    async fn send(&mut self, mut request: Request<RequestBody>) -> Result<Response<Body>, BoxError> {
        if let Some(uri) = &self.uri {
            request.uri_mut().clone_from(uri);
        }
        let service = self.service.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut self.is_ready) {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(Kept::boxed)?;
        }
        let response = service.call(request).await.map_err(Kept::boxed)?;
        // What has no body is stored even if nobody reads it.
        Ok(response.map(|body| if body.is_end_stream() { Body::empty() } else { Body::wrap(body) }))
    }

    fn detached(&self) -> Option<Box<dyn Origin>> {
        // A clone of a ready service is not ready.
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(Box::new(Self { service: Mutex::new(service), is_ready: false, uri: self.uri.clone() }))
    }
}

/// An error of the service, on its way through the loop; empty when it has been taken out.
struct Kept<E>(Mutex<Option<E>>);

impl<E: Send + 'static> Kept<E> {
    fn boxed(error: E) -> BoxError {
        Box::new(Self(Mutex::new(Some(error))))
    }
}

/// Returns the service's own error that `error` of the loop came from, if it came from one.
pub(super) fn error_of<E: Send + 'static>(error: &Error) -> Option<E> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error| (**error).source())
        .find_map(|error| error.downcast_ref::<Kept<E>>())
        .and_then(|kept| kept.0.lock().unwrap_or_else(PoisonError::into_inner).take())
}

impl<E> StdError for Kept<E> {}

impl<E> fmt::Display for Kept<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inner service failed")
    }
}

impl<E> fmt::Debug for Kept<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
