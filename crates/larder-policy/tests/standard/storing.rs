//! What is stored, and what of it (RFC 9111, section 3).

use http::{HeaderValue, Method, StatusCode};
use larder_policy::{CacheMode, CacheOptions, NotStorable, Policy, RequestOptions};

use super::{private, shared};
use crate::support::{Fields, Sent, URL, headers, policy, secs};

const FRESH: Fields = &["cache-control: max-age=60"];
const MODIFIED: &str = "last-modified: Sun, 22 Nov 2026 00:00:00 GMT";

fn status(code: u16) -> NotStorable {
    NotStorable::Status(StatusCode::from_u16(code).expect("a status"))
}

#[track_caller]
fn check(policy: &Policy, sent: &Sent, code: u16, response: &[&str], expected: Result<(), NotStorable>) {
    let stored = sent.storable(policy, &sent.head(code, response));
    assert_eq!(stored.err(), expected.err(), "{:?} {code} {response:?}", sent.headers);
}

#[test]
fn any_final_status_is_stored_that_says_how_long_it_is_fresh() {
    // 3: "the response status code is final".
    for code in 100..700 {
        let expected = match code {
            206 => Err(NotStorable::Partial),
            // These are about what the client has.
            304 | 416 => Err(status(code)),
            200..600 => Ok(()),
            _ => Err(status(code)),
        };
        for response in [FRESH, &["expires: Mon, 23 Nov 2026 00:01:00 GMT"]] {
            check(&private(), &Sent::get(&[]), code, response, expected.clone());
            check(&shared(), &Sent::get(&[]), code, response, expected.clone());
        }
        check(&shared(), &Sent::get(&[]), code, &["cache-control: s-maxage=60"], expected);
    }
}

#[test]
fn a_status_is_stored_without_a_lifetime_if_it_is_heuristically_cacheable() {
    // 3, the last list, with RFC 9110, 15.1.
    for code in (200..600).filter(|code| ![206, 304, 416].contains(code)) {
        let heuristically = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].contains(&code);
        let expected = if heuristically { Ok(()) } else { Err(status(code)) };
        for policy in [private(), shared()] {
            check(&policy, &Sent::get(&[]), code, &[MODIFIED], expected.clone());
            check(&policy, &Sent::get(&[]), code, &["etag: \"1\""], expected.clone());
            check(&policy, &Sent::get(&[]), code, &["cache-control: public", MODIFIED], Ok(()));
        }
        // "a private response directive, if the cache is not shared"
        check(&private(), &Sent::get(&[]), code, &["cache-control: private", MODIFIED], Ok(()));
        // s-maxage is an explicit lifetime where it is read.
        check(&private(), &Sent::get(&[]), code, &["cache-control: s-maxage=60", MODIFIED], expected);
    }
}

#[test]
fn a_part_is_stored_if_it_was_asked_for_and_says_which_it_is() {
    // 3.3: who stores parts has to support Range and Content-Range, and to understand the unit.
    let part = ["cache-control: max-age=60", "content-range: bytes 0-4/10", "etag: \"1\""];
    let asked = Sent::get(&["range: bytes=0-4"]);
    check(&private(), &asked, 206, &part, Ok(()));
    check(&shared(), &asked, 206, &part, Ok(()));
    check(&private(), &asked, 206, &part[..1], Err(NotStorable::Partial));
    check(&private(), &Sent::get(&[]), 206, &part, Err(NotStorable::Partial));
    let items = ["cache-control: max-age=60", "content-range: items 0-4/10"];
    check(&private(), &asked, 206, &items, Err(NotStorable::Partial));
    let head = Sent::new(Method::HEAD, URL, &["range: bytes=0-4"]);
    check(&private(), &head, 206, &part, Err(NotStorable::Partial));
    let several = Sent::get(&["range: bytes=0-1,3-4"]);
    check(&private(), &several, 206, &part, Err(NotStorable::Partial));
}

#[test]
fn the_methods_that_read_are_stored_and_others_if_the_caller_wants_it() {
    // 3: "the request method is understood by the cache".
    for (method, is_stored) in [
        ("GET", true),
        ("HEAD", true),
        ("POST", false),
        ("PUT", false),
        ("DELETE", false),
        ("PATCH", false),
        ("OPTIONS", false),
        ("QUERY", false),
        ("get", false),
        ("FOO", false),
    ] {
        let method: Method = method.parse().expect("a method");
        let expected = if is_stored { Ok(()) } else { Err(NotStorable::Method(method.clone())) };
        check(&private(), &Sent::new(method.clone(), URL, &[]), 200, FRESH, expected);
        let wanted = policy(CacheOptions::standard().allowed_methods([method.clone()]));
        check(&wanted, &Sent::new(method, URL, &[]), 200, FRESH, Ok(()));
    }
}

#[test]
fn an_answer_to_post_answers_get_if_it_says_how_long_it_is_fresh() {
    // RFC 9110, 9.3.3; that its Content-Location is the request's own URL is the caller's to see.
    for (method, code, response, expected) in [
        (Method::POST, 200, FRESH, true),
        (Method::POST, 200, &["expires: Mon, 23 Nov 2026 00:01:00 GMT"], true),
        (Method::POST, 200, &[MODIFIED], false),
        (Method::POST, 201, FRESH, false),
        (Method::PUT, 200, FRESH, false),
        (Method::GET, 200, FRESH, false),
    ] {
        let head = Sent::new(method.clone(), URL, &[]).head(code, response);
        assert_eq!(private().answers_get(&method, &head), expected, "{method} {code} {response:?}");
    }
}

#[test]
fn no_store_forbids_on_either_side() {
    // 5.2.2.5 and 5.2.1.5.
    for policy in [private(), shared()] {
        let response = ["cache-control: no-store, max-age=60, public"];
        check(&policy, &Sent::get(&[]), 200, &response, Err(NotStorable::NoStore));
        let twice = ["cache-control: max-age=60", "cache-control: no-store"];
        check(&policy, &Sent::get(&[]), 200, &twice, Err(NotStorable::NoStore));
        let sent = Sent::get(&["cache-control: no-store"]);
        check(&policy, &sent, 200, FRESH, Err(NotStorable::RequestNoStore));
        let by_mode = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::NoStore));
        check(&policy, &by_mode, 200, FRESH, Err(NotStorable::RequestNoStore));
    }
}

#[test]
fn must_understand_lifts_no_store_where_the_status_is_understood() {
    // 5.2.2.3: who understands the status code and does what it requires of caches is to ignore no-store.
    for line in ["no-store, must-understand, max-age=60", "Must-Understand, No-Store, max-age=60"] {
        let response = [&*format!("cache-control: {line}")];
        for code in [200, 203, 204, 301, 404, 410, 503] {
            check(&private(), &Sent::get(&[]), code, &response, Ok(()));
        }
        for code in [299, 418, 499, 599] {
            check(&private(), &Sent::get(&[]), code, &response, Err(status(code)));
        }
    }
    // 3: where must-understand is present, the status code has to be understood.
    let alone = ["cache-control: must-understand, max-age=60"];
    check(&private(), &Sent::get(&[]), 200, &alone, Ok(()));
    check(&private(), &Sent::get(&[]), 599, &alone, Err(status(599)));
    // The request's is not lifted by it.
    let sent = Sent::get(&["cache-control: no-store"]);
    let response = ["cache-control: no-store, must-understand, max-age=60"];
    check(&private(), &sent, 200, &response, Err(NotStorable::RequestNoStore));
}

#[test]
fn a_shared_cache_stores_nothing_private() {
    // 5.2.2.7.
    for line in ["private", "private, max-age=60", "private, s-maxage=60", "private, public", "private=\"a\""]
    {
        let response = [&*format!("cache-control: {line}"), "etag: \"1\""];
        check(&shared(), &Sent::get(&[]), 200, &response, Err(NotStorable::Private));
        check(&private(), &Sent::get(&[]), 200, &response, Ok(()));
    }
}

#[test]
fn a_shared_cache_stores_answers_to_credentials_if_they_say_that_it_may() {
    // 3.5: must-revalidate, public and s-maxage have that effect.
    let token = Sent::get(&["authorization: Bearer a"]);
    for (line, is_stored) in [
        ("max-age=60", false),
        ("max-age=60, must-understand", false),
        ("max-age=60, proxy-revalidate", false),
        ("max-age=60, immutable", false),
        ("max-age=60, public=x", false),
        ("max-age=60, public", true),
        ("max-age=60, PUBLIC", true),
        ("max-age=60, must-revalidate", true),
        ("s-maxage=60", true),
        ("max-age=60, s-maxage=0", true),
    ] {
        let response = [&*format!("cache-control: {line}"), "etag: \"1\""];
        let expected = if is_stored { Ok(()) } else { Err(NotStorable::Credentials) };
        check(&shared(), &token, 200, &response, expected);
        check(&private(), &token, 200, &response, Ok(()));
        check(&shared(), &Sent::get(&[]), 200, &response, Ok(()));
    }
}

#[test]
fn a_shared_cache_stores_no_cookie_that_is_not_for_all() {
    // 7.3 leaves it to the origin to say so; this cache does not wait for that.
    let get = Sent::get(&[]);
    for (line, is_stored) in [
        ("max-age=60", false),
        ("max-age=60, public", true),
        ("s-maxage=60", true),
        ("immutable, max-age=60", false),
    ] {
        let response = [&*format!("cache-control: {line}"), "set-cookie: sid=a", "etag: \"1\""];
        check(&shared(), &get, 200, &response, if is_stored { Ok(()) } else { Err(NotStorable::SetCookie) });
        let stored = get.storable(&private(), &get.head(200, &response)).expect("storable");
        assert_eq!(stored.headers["set-cookie"], "sid=a", "a private cache keeps it");
    }
}

#[test]
fn what_would_never_be_used_is_not_stored() {
    let get = Sent::get(&[]);
    for response in [&[][..], &["cache-control: max-age=0"], &["expires: 0"], &["cache-control: no-cache"]] {
        check(&private(), &get, 200, response, Err(NotStorable::Expiry));
        let validatable: Vec<&str> = response.iter().copied().chain(["etag: \"1\""]).collect();
        check(&private(), &get, 200, &validatable, Ok(()));
        let validatable: Vec<&str> = response.iter().copied().chain([MODIFIED]).collect();
        check(&private(), &get, 200, &validatable, Ok(()));
    }
    check(&private(), &get, 200, &["cache-control: stale-if-error=60"], Ok(()));
    check(&private(), &get, 200, &["cache-control: max-age=0, stale-while-revalidate=60"], Ok(()));
    let by_options = policy(CacheOptions::standard().urls_expire_after([("site.com", secs(60))]));
    check(&by_options, &get, 200, &[], Ok(()));
    check(&by_options, &get, 201, &[], Ok(()));
}

#[test]
fn fields_of_the_connection_and_the_proxy_are_not_stored() {
    // 3.1, with RFC 9110, 7.6.1.
    let get = Sent::get(&[]);
    let response = [
        "cache-control: max-age=60",
        "connection: close, X-Own",
        "connection: x-two",
        "x-own: 1",
        "x-two: 1",
        "keep-alive: timeout=5",
        "proxy-connection: close",
        "proxy-authenticate: Basic",
        "proxy-authentication-info: a",
        "proxy-authorization: Basic a",
        "te: trailers",
        "transfer-encoding: chunked",
        "upgrade: h2c",
        "x-unknown: 1",
        "x-unknown: 2",
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
    ];
    for policy in [private(), shared()] {
        let stored = get.storable(&policy, &get.head(200, &response)).expect("storable");
        let kept = headers(&[response[0], response[13], response[14], response[15]]);
        assert_eq!(stored.headers, kept, "3.1: unrecognised fields are stored");
    }
}

#[test]
fn more_fields_than_anybody_needs_are_not_stored() {
    let sent = Sent::get(&[]);
    for (number, expected) in [(9_999, Ok(())), (10_000, Err(NotStorable::Fields(10_001)))] {
        let mut response = sent.head(200, FRESH);
        for _ in 0..number {
            response.headers.append("x", HeaderValue::from_static("1"));
        }
        assert_eq!(sent.storable(&private(), &response).err(), expected.err(), "{number}");
    }
}

#[test]
fn nobody_makes_a_response_more_reusable_by_naming_what_restricts_it() {
    // RFC 9110, 7.6.1: "MUST NOT send a connection option corresponding to a field that is intended for all recipients".
    let response = [
        "connection: cache-control, vary, expires, age, date, etag, last-modified, set-cookie, content-length",
        "connection: cache-groups, cdn-cache-control",
        "cache-control: max-age=60",
        "vary: accept",
        "expires: 0",
        "age: 5",
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
        "etag: \"1\"",
        "last-modified: Sun, 22 Nov 2026 00:00:00 GMT",
        "set-cookie: sid=a",
        "content-length: 5",
        "cache-groups: \"a\"",
        "cdn-cache-control: max-age=60",
    ];
    let get = Sent::get(&[]);
    let stored = get.storable(&private(), &get.head(200, &response)).expect("storable");
    assert_eq!(stored.headers, headers(&response[2..]));
}
