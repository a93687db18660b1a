//! The cache as a middleware, for clients of reqwest-middleware.
//!
//! What comes after it in the chain is the origin: it runs once for each exchange, and not at all for a hit.

use async_trait::async_trait;
use http::{Extensions, Request};
use larder_core::{Body, BoxError, ErrorKind};
use larder_policy::RequestOptions;
use reqwest_middleware::{Error, Middleware, Next};

use super::Response;
use super::convert::{from_http, into_http, received};
use crate::{Origin, RequestBody, ResponseCache};

/// A middleware that answers from a cache.
///
/// Build the inner client without redirects ([`reqwest::redirect::Policy::none`]): the cache follows them, so that it
/// can skip them the next time. If the client follows them by itself, responses that were redirected are not stored.
/// Middleware that adds header fields, such as credentials, comes before this one, so that the cache sees them.
///
/// [`RequestOptions`] are taken from the extensions of the request. The extensions of the response have
/// [`CacheStatus`](crate::CacheStatus) and [`ResponseHead`](larder_core::ResponseHead). Requests with streamed content
/// go to the origin, and their responses are not stored.
///
/// # Examples
///
/// ```no_run
/// use larder_client::{CacheStatus, RequestOptions, ResponseCache, reqwest::CacheMiddleware};
///
/// # async fn fetch(cache: ResponseCache) -> Result<(), Box<dyn std::error::Error>> {
/// let inner = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let client = reqwest_middleware::ClientBuilder::new(inner).with(CacheMiddleware::new(cache)).build();
///
/// let request = client.get("https://example.org/").with_extension(RequestOptions::default().refresh());
/// let response = request.send().await?;
/// println!("{:?}", response.extensions().get::<CacheStatus>());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CacheMiddleware {
    cache: ResponseCache,
}

impl CacheMiddleware {
    /// Returns a middleware that answers from `cache`.
    ///
    /// It sees what the request has when it comes here, and not what the inner client adds: default header fields,
    /// and the cookies of a cookie store. Clients that send different credentials that way need a cache each.
    #[must_use]
    pub fn new(cache: ResponseCache) -> Self {
        Self { cache }
    }

    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &ResponseCache {
        &self.cache
    }
}

#[async_trait]
impl Middleware for CacheMiddleware {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let url = request.url().clone();
        let mut request = into_http(request).map_err(Error::middleware)?;
        if let Some(options) = extensions.get::<RequestOptions>() {
            request.extensions_mut().insert(options.clone());
        }
        let mut origin = Rest { next, extensions, error: None };
        let response = self.cache.send(request, &mut origin).await.map_err(|error| match origin.error {
            Some(theirs) if error.kind() == ErrorKind::Origin => theirs,
            _ => Error::middleware(error),
        })?;
        Ok(Response::new(response, url).into())
    }
}

/// The rest of the chain.
struct Rest<'a> {
    next: Next<'a>,
    extensions: &'a mut Extensions,
    /// The last exchange's error, which an error of the loop could only lend.
    error: Option<Error>,
}

#[async_trait]
impl Origin for Rest<'_> {
    async fn send(&mut self, request: Request<RequestBody>) -> Result<http::Response<Body>, BoxError> {
        let request = from_http(request)?;
        let url = request.url().clone();
        match self.next.clone().run(request, self.extensions).await {
            Ok(response) => Ok(received(response, &url)),
            Err(error) => {
                let message = error.to_string();
                self.error = Some(error);
                Err(message.into())
            }
        }
    }
}
