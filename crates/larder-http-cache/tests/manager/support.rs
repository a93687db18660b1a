//! A manager in memory, and what it is to keep.

use std::sync::Arc;

use http::{Request, Response};
use http_cache::{HttpHeaders, HttpResponse, HttpVersion, url_parse};
use http_cache_semantics::CachePolicy;
use larder_core::{CacheBackend, ResponseStore};
use larder_http_cache::Larder;
use larder_memory::{MemoryRedirects, MemoryStore};

pub(crate) const KEY: &str = "GET:http://me:secret@example.org/a?b";

/// No UTF-8, and a null.
pub(crate) const BODY: &[u8] = b"\0binary\xff\xfe\r\n";

pub(crate) fn larder() -> Larder {
    over(Arc::new(MemoryStore::new()))
}

pub(crate) fn over(store: Arc<dyn ResponseStore>) -> Larder {
    Larder::new(CacheBackend::new(store, Arc::new(MemoryRedirects::new())))
}

pub(crate) fn response() -> HttpResponse {
    let mut headers = HttpHeaders::new();
    for (name, value) in
        [("x-name", "J\u{fc}rgen"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("etag", "")]
    {
        headers.append(name.to_owned(), value.to_owned());
    }
    HttpResponse {
        body: BODY.to_vec(),
        headers,
        status: 206,
        url: url_parse("http://me:secret@example.org/a?b#part").expect("a URL"),
        version: HttpVersion::H2,
        metadata: Some(vec![0, 255, 7]),
    }
}

/// Returns a policy of a response that is fresh for a minute and varies on a field that is no text.
pub(crate) fn policy() -> CachePolicy {
    let request = Request::get("http://me:secret@example.org/a?b").header("x-name", &b"J\xfcrgen"[..]);
    let response = Response::builder().status(206).header("cache-control", "max-age=60");
    let response = response.header("vary", "x-name");
    CachePolicy::new(&request.body(()).expect("a request"), &response.body(()).expect("a response"))
}

/// Returns all that a policy is.
pub(crate) fn shown(policy: &CachePolicy) -> String {
    format!("{policy:?}")
}
