//! Which requests of a redirected exchange may find its entry directly.
//!
//! Each hop's key is made of what the client sent to that hop, not of what it sent first: credentials do not cross
//! origins, and an alias must not claim that they did.

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
    COOKIE, HeaderName, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method};
use larder_core::{CacheKey, Hop};

use crate::url::{CanonicalUrl, Origin};
use crate::{CacheKeys, KeyRequest};

/// The fields that do not go on to another origin (RFC 9110, section 15.4).
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// The fields that do not go on when the method becomes GET or HEAD (same section).
const ABOUT_CONTENT: [HeaderName; 6] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, TRANSFER_ENCODING];

impl CacheKeys {
    /// Returns the keys of the GET and HEAD requests of `history`, each once, for [`larder_core::Aliases`].
    ///
    /// `headers` are the fields of the first request. What follows is taken to have been sent as RFC 9110,
    /// section 15.4 tells clients to: without `Authorization`, `Cookie` and `Proxy-Authorization` from the first
    /// hop of another origin on, and without content after a hop of another method than GET and HEAD. A hop of
    /// such a method, or without a key, has no alias; those after it may have one.
    ///
    /// Nobody can tell from a history whether a client sent user information of a URL (`user:password@`) on as
    /// credentials. So once a hop's URL has some, a later hop of the same origin without any has no alias.
    /// [`Hop::new`] drops user information: a client that sends it as `Authorization` passes that field here.
    /// The key of the entry itself has the same question: it is made of what the last request was sent with.
    ///
    /// Whether the redirects may be stored at all, and until when, is for the caller to decide.
    #[must_use]
    pub fn aliases(&self, history: &[Hop], headers: &HeaderMap) -> Vec<CacheKey> {
        let mut headers = headers.clone();
        let mut first: Option<Origin> = None;
        let mut with_userinfo: Vec<Origin> = Vec::new();
        let mut keys = Vec::new();
        for hop in history {
            let url = CanonicalUrl::of(&hop.url, &self.ignored_params).ok();
            let has_userinfo = url.as_ref().is_some_and(|url| url.userinfo.is_some());
            let origin = url.map(CanonicalUrl::into_origin);
            let may_inherit_userinfo =
                !has_userinfo && origin.as_ref().is_some_and(|origin| with_userinfo.contains(origin));
            if has_userinfo {
                with_userinfo.extend(origin.clone());
            }
            match (&first, origin) {
                (None, Some(origin)) => first = Some(origin),
                (Some(first), Some(origin)) if *first == origin => {}
                // Without an origin nothing says that the credentials may go on.
                _ => remove(&mut headers, &CREDENTIALS),
            }
            if !matches!(hop.method, Method::GET | Method::HEAD) {
                remove(&mut headers, &ABOUT_CONTENT);
                continue;
            }
            if may_inherit_userinfo {
                continue;
            }
            if let Ok(key) = self.key(&KeyRequest::new(&hop.method, &hop.url).with_headers(&headers)) {
                let key = key.to_cache_key();
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, StatusCode};

    /// Checks that the aliases of `history` are the keys of `expected`: URLs, and whether with credentials.
    fn check(history: &[(Method, &str)], expected: &[(&str, bool)]) {
        let keys = CacheKeys::private();
        let mut with = HeaderMap::new();
        with.insert(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
        with.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let without = HeaderMap::new();
        let history: Vec<Hop> = history
            .iter()
            .map(|(method, url)| {
                let mut hop = Hop::new(method.clone(), url.parse().expect(url), StatusCode::FOUND);
                // As it was requested: `Hop::new` drops user information.
                hop.url = url.parse().expect(url);
                hop
            })
            .collect();
        let expected: Vec<CacheKey> = expected
            .iter()
            .map(|(url, has_credentials)| {
                let url = url.parse().expect(url);
                let headers = if *has_credentials { &with } else { &without };
                let request = KeyRequest::new(&Method::GET, &url).with_headers(headers);
                keys.key(&request).expect("a key").to_cache_key()
            })
            .collect();
        assert_eq!(keys.aliases(&history, &with), expected, "{history:?}");
    }

    #[test]
    fn each_hop_of_one_origin_has_an_alias_once() {
        let (a, b) = ((Method::GET, "http://h/a"), (Method::GET, "HTTP://H:80/b"));
        check(&[], &[]);
        check(&[a.clone(), b.clone(), a.clone()], &[("http://h/a", true), ("http://h/b", true)]);
    }

    #[test]
    fn credentials_do_not_cross_origins_and_do_not_come_back() {
        let away = [(Method::GET, "http://h/a"), (Method::GET, "https://h/b"), (Method::GET, "http://h/c")];
        check(&away, &[("http://h/a", true), ("https://h/b", false), ("http://h/c", false)]);
        let port = [(Method::GET, "http://h/a"), (Method::GET, "http://h:8080/b")];
        check(&port, &[("http://h/a", true), ("http://h:8080/b", false)]);
        let unknown = [(Method::GET, "/a"), (Method::GET, "http://h/b")];
        check(&unknown, &[("http://h/b", false)]);
    }

    #[test]
    fn user_information_is_not_taken_to_stay_behind() {
        let get = |url: &'static str| (Method::GET, url);
        let (a, b) = (get("http://u:p@h/a"), get("http://H:80/b"));
        check(&[a.clone(), b.clone()], &[("http://u:p@h/a", true)]);
        check(&[b.clone(), a.clone()], &[("http://h/b", true), ("http://u:p@h/a", true)]);
        check(&[a.clone(), get("http://u:p@h/b")], &[("http://u:p@h/a", true), ("http://u:p@h/b", true)]);
        check(&[a.clone(), get("http://g/b")], &[("http://u:p@h/a", true), ("http://g/b", false)]);
        check(&[a.clone(), get("/c"), b.clone()], &[("http://u:p@h/a", true)]);
        check(&[(Method::POST, "http://u:p@h/a"), b], &[]);
    }

    #[test]
    fn an_unsafe_hop_has_no_alias_and_the_next_one_has() {
        let history = [(Method::POST, "http://h/form"), (Method::GET, "http://h/done")];
        check(&history, &[("http://h/done", true)]);
        let allowed = CacheKeys::private().allow_methods([Method::POST]);
        let hop = Hop::new(Method::POST, "http://h/form".parse().expect("a URL"), StatusCode::SEE_OTHER);
        assert_eq!(allowed.aliases(&[hop], &HeaderMap::new()), []);
    }

    #[test]
    fn content_of_the_first_request_does_not_go_on_with_a_get() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
        let hop =
            |method, url: &'static str| Hop::new(method, url.parse().expect(url), StatusCode::SEE_OTHER);
        let history = [hop(Method::POST, "http://h/form"), hop(Method::GET, "http://h/done")];
        assert_eq!(CacheKeys::private().aliases(&history, &headers).len(), 1);
        assert_eq!(CacheKeys::private().aliases(&history[1..], &headers).len(), 0, "a GET with content");
    }
}
