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

    /// Returns the URL at the origin of what the client calls `uri`; none if no request of `method` has such a target
    /// (RFC 9112, section 3.2). CONNECT, whose target is no URL, has none.
    pub(crate) fn url(&self, method: &Method, uri: &Uri) -> Option<Uri> {
        let path = uri.path_and_query()?.as_str();
        let path = match path.as_bytes().first() {
            Some(b'/') => format!("{}{path}", self.base),
            // A whole URL may leave its path empty (RFC 9110, section 4.2.3).
            Some(b'?') => format!("{}/{path}", self.base),
            _ if Self::is_asterisk(method, uri) => format!("{}/", self.base),
            _ => return None,
        };
        self.uri(path.parse().ok()?).ok()
    }

    /// Returns the URL that stands for the origin itself.
    pub(crate) fn asterisk(&self) -> Result<Uri, http::Error> {
        self.uri(PathAndQuery::from_static("*"))
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
        let url = target.url(&Method::GET, &requested.parse().expect("a target")).expect("a URL");
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
        check("http://a.test/", "http://b.test", "http://a.test/");
        check("http://a.test/", "http://b.test?x=1", "http://a.test/?x=1");
        check("http://a.test/base", "http://b.test?x=1", "http://a.test/base/?x=1");
    }

    #[test]
    fn a_target_has_the_form_that_its_method_has() {
        let target = Target::new(&"http://a.test/".parse().expect("a URL")).expect("an origin");
        for (method, requested, expected) in [
            (Method::OPTIONS, "*", true),
            (Method::GET, "*", false),
            (Method::GET, "a.test:80", false),
            (Method::OPTIONS, "a.test", false),
        ] {
            let url = target.url(&method, &requested.parse().expect("a target"));
            assert_eq!(url.is_some(), expected, "{method} {requested}");
        }
    }

    #[test]
    fn an_origin_is_a_place_and_nothing_more() {
        for origin in ["http://u@a.test/", "http://u:p@a.test/", "http://a.test/?x", "http://a.test/#x"] {
            assert!(Target::new(&origin.parse().expect("a URL")).is_err(), "{origin}");
        }
    }
}
