//! Between the types of reqwest and those of the request loop; nothing is lost but a URL's fragment.

use std::net::SocketAddr;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Uri};
use http_body::Body as _;
use larder_core::{Body, BoxError, Error, ErrorKind, Result};
use reqwest::{Client, Url};

use crate::{FinalUrl, Origin, RequestBody, Unshared};

/// The peer's address; an extension of the responses of an origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct RemoteAddr(pub(super) SocketAddr);

#[async_trait]
impl Origin for Client {
    async fn send(&mut self, request: Request<RequestBody>) -> Result<http::Response<Body>, BoxError> {
        let request = from_http(request)?;
        let url = request.url().clone();
        Ok(received(self.execute(request).await?, &url))
    }

    fn detached(&self) -> Option<Box<dyn Origin>> {
        Some(Box::new(self.clone()))
    }
}

/// Returns `request` as the loop takes it; a timeout of its own is among the extensions.
pub(super) fn into_http(request: reqwest::Request) -> Result<Request<RequestBody>> {
    let has_timeout = request.timeout().is_some();
    let mut request = Request::<reqwest::Body>::try_from(request).map_err(invalid)?.map(content);
    if has_timeout {
        request.extensions_mut().insert(Unshared);
    }
    Ok(request)
}

/// Returns `request` as the inner client takes it.
pub(super) fn from_http(request: Request<RequestBody>) -> Result<reqwest::Request, reqwest::Error> {
    request
        .map(|body| match body.as_bytes() {
            Some(bytes) => reqwest::Body::from(bytes.clone()),
            None => reqwest::Body::wrap(body),
        })
        .try_into()
}

/// Returns the inner client's response to a request of `url` as the loop takes it.
pub(super) fn received(response: reqwest::Response, url: &Url) -> http::Response<Body> {
    let final_url =
        (response.url() != url).then(|| Uri::try_from(response.url().as_str()).unwrap_or_default());
    let remote_addr = response.remote_addr();
    let mut response = http::Response::<reqwest::Body>::from(response).map(|body| {
        // What has no body is stored even if nobody reads it.
        if body.size_hint().exact() == Some(0) { Body::empty() } else { Body::wrap(body) }
    });
    if let Some(url) = final_url {
        response.extensions_mut().insert(FinalUrl(url));
    }
    if let Some(address) = remote_addr {
        response.extensions_mut().insert(RemoteAddr(address));
    }
    response
}

/// Returns the error of a request that could not be made.
pub(super) fn invalid(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("there is no such request: {error}")).with_source(error)
}

fn content(body: reqwest::Body) -> RequestBody {
    match body.as_bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes).into(),
        None => RequestBody::wrap(body),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use http::Method;

    #[test]
    fn a_timeout_goes_along_and_keeps_others_out() {
        let url = Url::parse("http://example.org/").expect("a URL");
        let plain = reqwest::Request::new(Method::GET, url);
        let mut bounded = plain.try_clone().expect("no body");
        *bounded.timeout_mut() = Some(Duration::from_secs(1));
        for (request, timeout) in [(plain, None), (bounded, Some(&Duration::from_secs(1)))] {
            let request = into_http(request).expect("a request");
            assert_eq!(request.extensions().get::<Unshared>().is_some(), timeout.is_some());
            assert_eq!(from_http(request).expect("a request").timeout(), timeout);
        }
    }
}
