//! What of a request its key depends on, as tables: pairs of requests that share a key, and pairs that must not.

use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use larder_core::ErrorKind;
use larder_policy::{Bypass, CacheKeys, CanonicalKey, Content, KeyRequest};

const URL: &str = "http://example.com/";

fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
        .collect::<Vec<_>>()
        .into_iter()
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn try_key(
    keys: &CacheKeys,
    method: &Method,
    url: &str,
    fields: &[(HeaderName, &'static str)],
    content: Content<'_>,
) -> Result<CanonicalKey, Bypass> {
    let url: Uri = url.parse().expect(url);
    keys.key(&KeyRequest::new(method, &url).with_headers(&headers(fields)).with_content(content))
}

fn get(keys: &CacheKeys, fields: &[(HeaderName, &'static str)]) -> CanonicalKey {
    try_key(keys, &Method::GET, URL, fields, Content::Empty).expect("a key")
}

#[test]
fn requests_with_different_authorization_share_no_key_in_a_private_cache() {
    let keys = CacheKeys::private();
    let (nobody, a, b) = (
        get(&keys, &[]),
        get(&keys, &[(AUTHORIZATION, "Bearer a")]),
        get(&keys, &[(AUTHORIZATION, "Bearer b")]),
    );
    assert!(nobody != a && a != b && nobody != b);
    assert_eq!(
        a,
        get(&keys, &[(AUTHORIZATION, " Bearer a\t")]),
        "white space around a value is no part of it"
    );
    let both = get(&keys, &[(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer b")]);
    assert!(both != a && both != b);
}

#[test]
fn authorization_is_no_part_of_a_key_in_a_shared_cache() {
    let keys = CacheKeys::shared();
    assert_eq!(get(&keys, &[]), get(&keys, &[(AUTHORIZATION, "Bearer a")]));
}

#[test]
fn user_information_is_a_credential_in_every_cache() {
    for keys in [CacheKeys::private(), CacheKeys::shared()] {
        let key = |url| try_key(&keys, &Method::GET, url, &[], Content::Empty).expect("a key");
        let (nobody, a, b) = (key("http://h/"), key("http://a:1@h/"), key("http://b:1@h/"));
        assert!(nobody != a && a != b && nobody != b);
        assert_ne!(key("http://a:1@h/"), key("http://a%3A1@h/"), "a colon divides name and password");
    }
}

#[test]
fn nothing_secret_is_in_a_canonical_key() {
    let keys = CacheKeys::private().include_headers([HeaderName::from_static("x-api-key"), AUTHORIZATION]);
    let fields = [(AUTHORIZATION, "Bearer hunter2"), (HeaderName::from_static("x-api-key"), "hunter2")];
    let content = Content::Bytes(b"password=hunter2");
    let key = try_key(&keys, &Method::QUERY, "http://me:hunter2@h/", &fields, content).expect("a key");
    assert!(!key.as_str().contains("hunter2") && !key.as_str().contains("me:"), "{}", key.as_str());
    let with_query = try_key(&keys, &Method::GET, "http://h/?token=hunter2", &[], Content::Empty);
    assert!(!format!("{with_query:?}").contains("hunter2"), "a URL's query is not in the debug form");
    assert_eq!(format!("{content:?}"), "Bytes(16 bytes)");
    let (url, headers) = (Uri::from_static("http://me:hunter2@h/?token=hunter2"), headers(&fields));
    let request = KeyRequest::new(&Method::QUERY, &url).with_headers(&headers).with_content(content);
    assert_eq!(format!("{request:?}"), "KeyRequest { method: QUERY, content: Bytes(16 bytes), .. }");
}

#[test]
fn included_headers_count_with_all_values_in_order() {
    let keys = CacheKeys::private().include_headers([ACCEPT]);
    let distinct: [&[(HeaderName, &'static str)]; 7] = [
        &[],
        &[(ACCEPT, "")],
        &[(ACCEPT, "a")],
        &[(ACCEPT, "a"), (ACCEPT, "b")],
        &[(ACCEPT, "b"), (ACCEPT, "a")],
        &[(ACCEPT, "a, b")],
        &[(ACCEPT, "A")],
    ];
    for (i, left) in distinct.iter().enumerate() {
        for right in &distinct[i + 1..] {
            assert_ne!(get(&keys, left), get(&keys, right), "{left:?} and {right:?}");
        }
    }
    assert_eq!(get(&keys, &[(ACCEPT, "a")]), get(&keys, &[(ACCEPT, "\t a ")]));
    assert_eq!(get(&keys, &[]), get(&keys, &[(CONTENT_TYPE, "not chosen")]));
}

#[test]
fn included_headers_have_no_order_among_themselves() {
    let (a, b) = (HeaderName::from_static("x-a"), HeaderName::from_static("x-b"));
    let there = CacheKeys::private().include_headers([a.clone(), b.clone(), a.clone()]);
    let back = CacheKeys::private().include_headers([b.clone(), a.clone()]);
    let fields = [(b, "2"), (a, "1")];
    assert_eq!(get(&there, &fields), get(&back, &fields));
}

#[test]
fn bytes_cannot_be_shifted_from_one_field_to_the_next() {
    let (a, b) = (HeaderName::from_static("a"), HeaderName::from_static("b"));
    let keys = CacheKeys::private().include_headers([a.clone(), b.clone()]).allow_methods([Method::POST]);
    assert_ne!(
        get(&keys, &[(a.clone(), "xy"), (a.clone(), "z")]),
        get(&keys, &[(a.clone(), "x"), (a.clone(), "yz")])
    );
    assert_ne!(get(&keys, &[(a.clone(), "1"), (b.clone(), "")]), get(&keys, &[(a.clone(), ""), (b, "1")]));
    assert_ne!(get(&keys, &[(a.clone(), "V1:x")]), get(&keys, &[(a.clone(), ""), (a, "x")]));
    let key =
        |url, fields: &[_], content| try_key(&keys, &Method::POST, url, fields, content).expect("a key");
    // A URL may hold every character of the form itself.
    let forged = "http://h/,F1:a,C3:xyz,";
    assert_ne!(key(forged, &[], Content::Empty), key("http://h/", &[], Content::Bytes(b"xyz")));
    assert_ne!(
        key(URL, &[(CONTENT_TYPE, "ab")], Content::Bytes(b"c")),
        key(URL, &[(CONTENT_TYPE, "a")], Content::Bytes(b"bc")),
    );
    assert_ne!(
        key(URL, &[(CONTENT_TYPE, "gzip")], Content::Bytes(b"c")),
        key(URL, &[(CONTENT_ENCODING, "gzip")], Content::Bytes(b"c")),
    );
}

#[test]
fn content_is_part_of_the_key_whatever_the_method() {
    let keys = CacheKeys::private().allow_methods([Method::POST]);
    for method in [Method::GET, Method::QUERY, Method::POST] {
        let key = |content| try_key(&keys, &method, URL, &[], content).expect("a key");
        assert_ne!(key(Content::Bytes(b"a")), key(Content::Bytes(b"b")), "{method}");
        assert_ne!(key(Content::Bytes(b"a")), key(Content::Empty), "{method}");
        assert_eq!(key(Content::Bytes(b"")), key(Content::Empty), "{method}");
    }
}

#[test]
fn content_that_is_not_at_hand_bypasses_the_cache() {
    let keys = CacheKeys::private();
    for (fields, content) in [
        (&[][..], Content::Streamed),
        (&[(CONTENT_LENGTH, "5")], Content::Empty),
        (&[(TRANSFER_ENCODING, "chunked")], Content::Bytes(b"")),
        (&[(CONTENT_LENGTH, "0")], Content::Streamed),
    ] {
        let key = try_key(&keys, &Method::QUERY, URL, fields, content);
        assert_eq!(key, Err(Bypass::ContentNotGiven), "{fields:?} {content:?}");
    }
    let none = try_key(&keys, &Method::QUERY, URL, &[(CONTENT_LENGTH, "0")], Content::Empty);
    assert_eq!(none, try_key(&keys, &Method::QUERY, URL, &[], Content::Empty));
}

#[test]
fn a_method_has_keys_only_if_it_is_allowed() {
    let keys = CacheKeys::private();
    let mut seen = Vec::new();
    for method in [Method::GET, Method::HEAD, Method::QUERY] {
        seen.push(try_key(&keys, &method, URL, &[], Content::Empty).expect("a key"));
    }
    let lower_case = Method::from_bytes(b"get").expect("a method");
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, lower_case] {
        let key = try_key(&keys, &method, URL, &[], Content::Empty);
        assert_eq!(key, Err(Bypass::Method(method.clone())));
        let allowed = keys.clone().allow_methods([method.clone()]);
        seen.push(try_key(&allowed, &method, URL, &[], Content::Empty).expect("a key"));
    }
    let count = seen.len();
    seen.sort_by(|left, right| left.as_str().cmp(right.as_str()));
    seen.dedup();
    assert_eq!(seen.len(), count, "each method has keys of its own");
}

#[test]
fn a_head_is_looked_up_as_a_get() {
    let keys = CacheKeys::private();
    let url: Uri = URL.parse().expect("a URL");
    let head = KeyRequest::new(&Method::HEAD, &url);
    assert_eq!(keys.key(&head.as_get()), keys.key(&KeyRequest::new(&Method::GET, &url)));
    assert_ne!(keys.key(&head.as_get()), keys.key(&head));
}

#[test]
fn the_parts_of_an_http_request_give_the_same_key() {
    let keys = CacheKeys::private();
    let request = Request::builder().uri(URL).header(AUTHORIZATION, "Bearer a").body(()).expect("a request");
    let (parts, ()) = request.into_parts();
    let key = keys.key(&KeyRequest::from_parts(&parts, Content::Empty)).expect("a key");
    assert_eq!(key, get(&keys, &[(AUTHORIZATION, "Bearer a")]));
}

#[test]
fn a_bypass_is_an_error_for_those_who_need_a_key() {
    let bypass =
        try_key(&CacheKeys::private(), &Method::GET, "/a", &[], Content::Empty).expect_err("relative");
    let error = larder_core::Error::from(bypass);
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "the request has no cache key");
    let source = std::error::Error::source(&error).expect("the bypass");
    assert_eq!(source.to_string(), "the url is not absolute");
}

#[test]
fn ignored_parameters_are_left_out_of_the_content() {
    let keys = CacheKeys::private().ignored_params(["ts"]).allow_methods([Method::POST]);
    let key = |content_type, content: &'static str| {
        let content = Content::Bytes(content.as_bytes());
        try_key(&keys, &Method::POST, URL, &[(CONTENT_TYPE, content_type)], content).expect("a key")
    };
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    assert_eq!(key(form, "a=1&ts=2"), key(form, "ts=3&a=1"));
    assert_ne!(key(form, "a=1&ts=2"), key(form, "a=2&ts=2"));
    assert_eq!(key(json, r#"{"a":1,"ts":2}"#), key(json, r#"{"ts": 3, "a": 1}"#));
    assert_ne!(
        key(json, r#"{"a":1,"b":2}"#),
        key(json, r#"{"b":2,"a":1}"#),
        "order may matter to the origin"
    );
    assert_ne!(key(json, r#"{"a":1}"#), key(json, r#"{"a":1.0}"#));
    assert_ne!(key("text/plain", "a=1&ts=2"), key("text/plain", "a=1"));
    assert_ne!(key(form, "a=1"), key("text/plain", "a=1"));
}

#[test]
fn all_headers_are_those_that_may_matter_to_the_response() {
    let keys = CacheKeys::private().include_all_headers().ignored_params(["X-Request-Id"]);
    let plain = get(&keys, &[]);
    let name = HeaderName::from_static;
    for (field, value) in [
        ("host", "other"),
        ("content-length", "0"),
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic a"),
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("x-request-id", "1"),
    ] {
        assert_eq!(get(&keys, &[(name(field), value)]), plain, "{field}");
    }
    for (field, value) in [("accept", "a"), ("cookie", "a=b"), ("x-own", ""), ("authorization", "Bearer a")] {
        assert_ne!(get(&keys, &[(name(field), value)]), plain, "{field}");
    }
    assert_eq!(get(&keys, &[(name("connection"), "x-own"), (name("x-own"), "1")]), plain);
    let (a, b) = ((name("a"), "1"), (name("b"), "2"));
    assert_eq!(get(&keys, &[a.clone(), b.clone()]), get(&keys, &[b.clone(), a.clone()]));
    assert_ne!(get(&keys, &[a, b]), get(&keys, &[(name("a"), "2"), (name("b"), "1")]));
    assert_ne!(get(&keys, &[(ACCEPT, "a"), (ACCEPT, "b")]), get(&keys, &[(ACCEPT, "b"), (ACCEPT, "a")]));
}

#[test]
fn no_option_makes_two_users_share_a_key_of_a_private_cache() {
    let keys = CacheKeys::private().include_all_headers().ignored_params(["authorization"]);
    let key = |token| get(&keys, &[(AUTHORIZATION, token)]);
    assert_ne!(key("Bearer a"), key("Bearer b"));
}
