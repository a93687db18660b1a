//! `larder explain`: what is stored for a request, and what the cache would do about it.
//!
//! Nothing is done: the origin is not asked, and what is stored stays as it is.

use std::path::PathBuf;

use http::{HeaderMap, Method, Request, Uri};
use larder::client::{RequestBody, ResponseCache};

use crate::arguments::Explain;
use crate::cache::Cache;
use crate::output::Output;
use crate::status::{Failure, Result, Status};

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Explain, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let responses = ResponseCache::new(cache.backend.clone(), arguments.policy.options())?;
    let explanation = responses.explain(&request(&arguments)?).await.to_string();
    for line in explanation.lines() {
        output.line(line)?;
    }
    cache.close().await?;
    Ok(Status::Done)
}

/// Returns the request that the arguments describe.
fn request(arguments: &Explain) -> Result<Request<RequestBody>> {
    let mut url = arguments.url.clone();
    url.set_fragment(None);
    let url = url.as_str().parse::<Uri>();
    let url = url.map_err(|error| Failure::usage("this is no URL that can be requested").because(error))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &arguments.headers {
        headers.append(name, value.clone());
    }
    let mut request = Request::new(RequestBody::empty());
    *request.method_mut() = arguments.method.clone().unwrap_or(Method::GET);
    *request.uri_mut() = url;
    *request.headers_mut() = headers;
    Ok(request)
}
