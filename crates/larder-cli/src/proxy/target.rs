//! Where requests go: the origin that the user named, and the URL there of each request.
//!
//! A client's own idea of the host is not used: a reverse proxy has one origin (RFC 9110, section 7.4).

use http::header::HeaderValue;
use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{Method, Uri};
use url::Url;

use crate::status::{Failure, Result};

/// The origin of a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    scheme: Scheme,
    authority: Authority,
    host: HeaderValue,
    /// What every path begins with; without a slash at its end.
    base: String,
}

/// That a request is about the origin itself, and not about something there (RFC 9112, section 3.2.4).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asterisk;

impl Target {
    /// Returns the origin at `url`.
    pub(crate) fn new(url: &Url) -> Result<Self> {
        let wrong = |what: &str| Failure::usage(format!("an origin has {what}"));
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("no user name and no password in its URL"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("no query and no fragment in its URL"));
        }
        let host = url.host_str().ok_or_else(|| wrong("a host in its URL"))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let no_url = |error| Failure::usage("the origin has no URL that can be requested").because(error);
        Ok(Self {
            scheme: if url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP },
            host: HeaderValue::from_str(&authority)
                .map_err(|error| Failure::usage("the origin's host is no host").because(error))?,
            authority: authority.parse().map_err(|error: InvalidUri| no_url(error))?,
            base: url.path().trim_end_matches('/').to_owned(),
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Returns the value of `Host` in requests to the origin.
    pub(crate) fn host(&self) -> HeaderValue {
        self.host.clone()
    }

    /// Returns whether a request of `uri` is about the origin itself.
    pub(crate) fn is_asterisk(method: &Method, uri: &Uri) -> bool {
        method == Method::OPTIONS && uri.path() == "*"
    }

    /// Returns the URL at the origin of what the client calls `uri`.
    pub(crate) fn url(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let path = match uri.path_and_query() {
            Some(path) if path.as_str().starts_with('/') => path.as_str(),
            _ => "/",
        };
        let path = if self.base.is_empty() { path.parse()? } else { self.below_base(path)? };
        self.uri(path)
    }

    /// Returns the URL that stands for the origin itself.
    pub(crate) fn asterisk(&self) -> Result<Uri, http::Error> {
        self.uri(PathAndQuery::from_static("*"))
    }

    fn below_base(&self, path: &str) -> Result<PathAndQuery, InvalidUri> {
        format!("{}{path}", self.base).parse()
    }

    fn uri(&self, path: PathAndQuery) -> Result<Uri, http::Error> {
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        uri.path_and_query(path).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &str, requested: &str, expected: &str) {
        let target = Target::new(&origin.parse().expect("a URL")).expect("an origin");
        let url = target.url(&requested.parse().expect("a target")).expect("a URL");
        assert_eq!(url.to_string(), expected);
    }

    #[test]
    fn a_request_goes_to_the_same_path_below_the_origin() {
        check("http://a.test", "/", "http://a.test/");
        check("http://a.test:80/", "/x?y=%2F", "http://a.test/x?y=%2F");
        check("https://a.test:8443/base/", "/x//y", "https://a.test:8443/base/x//y");
        check("http://[::1]:8080/base", "/", "http://[::1]:8080/base/");
        check("http://a.test/", "http://b.test/x", "http://a.test/x");
        check("http://a.test/", "/a%zz\"{}", "http://a.test/a%zz\"{}");
    }

    #[test]
    fn an_origin_is_a_place_and_nothing_more() {
        for origin in ["http://u@a.test/", "http://u:p@a.test/", "http://a.test/?x", "http://a.test/#x"] {
            assert!(Target::new(&origin.parse().expect("a URL")).is_err(), "{origin}");
        }
    }
}
