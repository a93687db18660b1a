//! Where this cache and http-cache-semantics 3 differ on purpose, and what both do.
//!
//! | | http-cache-semantics | this cache | by |
//! |---|---|---|---|
//! | the case of directives | matters: `No-Store` is stored | does not | RFC 9111, 5.2 |
//! | quoted strings | end at their first comma | end at their quote | RFC 9110, 5.6.4 |
//! | a directive twice | the first, and `must-revalidate` | the stricter | RFC 9111, 4.2.1 |
//! | `Date` | written anew, and not as HTTP has it | left alone | RFC 9110, 6.6.1 |
//! | `Date` as an age | not counted | counted | RFC 9111, 4.2.3 |
//! | `Age` twice in a line | ignored | the first | RFC 9111, 5.1 |
//! | a huge `Age` | panics | is 2³¹ | RFC 9111, 1.2.2 |
//! | dates | as mail has them, any zone | as HTTP has them | RFC 9110, 5.6.7; RFC 9111, 4.2 |
//! | lines of a field in `Vary` | the first is compared | all are | RFC 9111, 4.1 |
//! | lines of a stored field | all but the last are dropped | all are kept | RFC 9110, 5.3 |
//! | new fields in a 304 | dropped | added | RFC 9111, 3.2 |
//! | a strong tag in a 304 | takes a stored weak one for its own | does not | RFC 9111, 4.3.4 |
//! | `no-cache` and `max-stale` | used | validated | RFC 9111, 5.2.2.4 |
//! | `s-maxage` and `max-stale` | used when stale | validated | RFC 9111, 5.2.2.10 |
//! | `proxy-revalidate` in a shared cache | stale at once | stale when it expires | RFC 9111, 5.2.2.8 |
//! | `Pragma` of a response | means `no-cache` | means nothing | RFC 9111, 5.4 |
//! | `Pragma` beside `Cache-Control` | counts | does not | RFC 9111, 5.4 |
//! | `no-store` of a later request | is answered from the store | goes to the origin | RFC 9111, 5.2.1.5 |
//! | `must-understand` | means nothing | lifts `no-store` | RFC 9111, 5.2.2.3 |
//! | other statuses with a lifetime | not stored | stored | RFC 9111, 3 |
//! | `private` and no lifetime, privately | not stored | stored | RFC 9111, 3 |
//! | another `Cookie`, privately | is answered from the store | is another user, unless `public` | caution |
//! | `Set-Cookie` in a shared cache | stored, stale | not stored | caution |
//! | `immutable` and no lifetime | fresh for a day | says nothing | RFC 8246, 2 |
//! | a heuristic lifetime | without a limit | a week at most | RFC 9111, 4.2.2 |
//! | exactly as old as `max-age` asks | used | validated | the age has milliseconds |
//! | HEAD | not answered from a GET | answered | RFC 9110, 9.3.2 |
//! | stale-while-revalidate | means nothing | answers at once | RFC 5861, 3 |

use std::panic::catch_unwind;

use http::header::{AGE, DATE};
use http::{Method, Response, StatusCode};
use http_cache_semantics::{AfterResponse, BeforeRequest};
use larder_policy::Forward;

use super::differential::{is_used_by_other, other, request, time};
use super::{private, shared};
use crate::support::{Do, NOW, Sent, URL, after};

const STALE: Do = Do::Validate(Forward::Stale);
const NOT_STORED: Option<Do> = None;

/// Checks what the other does, and this cache, with a stored response and a request that comes later: nothing if it is
/// not stored.
#[track_caller]
fn check_exchange(
    (is_shared, status, response): (bool, u16, &[&str]),
    (stored_for, later, age): (&Sent, &Sent, u64),
    by_other: Option<bool>,
    expected: Option<Do>,
) {
    let response = [response, &["etag: \"1\""]].concat();
    let other = other(stored_for, status, &response, is_shared);
    let used = other.is_storable().then(|| is_used_by_other(&other, later, age));
    assert_eq!(used, by_other, "the other: {response:?}");
    let policy = if is_shared { shared() } else { private() };
    let stored = stored_for.storable(&policy, &stored_for.head(status, &response)).ok();
    let done = stored.map(|stored| Do::from(later.decide(&policy, Some(&stored), after(age))));
    assert_eq!(done, expected, "{response:?}");
}

/// The same of status 200 in a private cache, for requests without other fields.
#[track_caller]
fn check(response: &[&str], later: &[&str], age: u64, by_other: Option<bool>, expected: Option<Do>) {
    let (first, later) = (Sent::get(&[]), Sent::get(later));
    check_exchange((false, 200, response), (&first, &later, age), by_other, expected);
}

/// The same in a shared cache.
#[track_caller]
fn check_shared(response: &[&str], later: &[&str], age: u64, by_other: Option<bool>, expected: Option<Do>) {
    let (first, later) = (Sent::get(&[]), Sent::get(later));
    check_exchange((true, 200, response), (&first, &later, age), by_other, expected);
}

#[test]
fn directives_and_quoted_strings_are_read_as_the_grammar_has_them() {
    check(&["cache-control: No-Store, max-age=60"], &[], 0, Some(true), NOT_STORED);
    check(
        &["cache-control: max-age=60"],
        &["cache-control: No-Cache"],
        0,
        Some(true),
        Some(Do::Validate(Forward::Request)),
    );
    check(&["cache-control: a=\"b, no-cache\", max-age=60"], &[], 0, Some(true), Some(Do::Use));
    check(&["cache-control: a=\"b, no-cache, c\", max-age=60"], &[], 0, Some(false), Some(Do::Use));
    check(&["cache-control: max-age=60, max-age=1"], &[], 1, Some(true), Some(STALE));
}

#[test]
fn date_is_left_alone_and_tells_an_age() {
    let date = "date: Sun, 22 Nov 2026 23:59:00 GMT";
    check(&["cache-control: max-age=60", date], &[], 0, Some(true), Some(STALE));
    let (sent, response) = (Sent::get(&[]), ["cache-control: max-age=600", date]);
    let by_other = other(&sent, 200, &response, false);
    let BeforeRequest::Fresh(parts) = by_other.before_request(&request(&sent), time(NOW)) else {
        panic!("it is fresh")
    };
    assert_eq!(parts.headers[DATE], "Mon, 23 Nov 2026 00:00:00 +0000");
    let stored = sent.storable(&private(), &sent.head(200, &response)).expect("storable");
    let presented = private().present(&sent.request(), stored, Some(0), NOW);
    assert_eq!(presented.head.headers[DATE], date["date: ".len()..]);
}

#[test]
fn an_age_may_be_a_list_and_huge() {
    check(&["cache-control: max-age=60", "age: 90, 0"], &[], 0, Some(true), Some(STALE));
    let huge = format!("age: {}", u64::MAX);
    let response = ["cache-control: max-age=60", &huge, "etag: \"1\""];
    let sent = Sent::get(&[]);
    let by_other = other(&sent, 200, &response, false);
    assert!(catch_unwind(|| by_other.age(time(after(1)))).is_err(), "the other panics");
    let stored = sent.storable(&private(), &sent.head(200, &response)).expect("storable");
    let presented = private().present(&sent.request(), stored, Some(0), after(1));
    assert_eq!(presented.head.headers[AGE], "2147483648");
}

#[test]
fn dates_are_those_of_http() {
    check(&["expires: Mon, 23 Nov 2026 00:01:00 +0000"], &[], 0, Some(true), Some(STALE));
    check(&["expires: Monday, 23-Nov-26 00:01:00 GMT"], &[], 0, Some(false), Some(Do::Use));
    check(&["expires: Mon Nov 23 00:01:00 2026"], &[], 0, Some(false), Some(Do::Use));
}

#[test]
fn all_lines_of_a_field_count() {
    let (one, two) = (Sent::get(&["foo: 1", "foo: 2"]), Sent::get(&["foo: 1", "foo: 3"]));
    let response = &["cache-control: max-age=60", "vary: foo"];
    check_exchange((false, 200, response), (&one, &two, 0), Some(true), Some(Do::Fetch(Forward::VaryMiss)));
    let combined = Sent::get(&["foo: 1, 2"]);
    check_exchange((false, 200, response), (&one, &combined, 0), Some(false), Some(Do::Use));
    let (sent, response) = (Sent::get(&[]), ["cache-control: max-age=60", "x: 1", "x: 2"]);
    let BeforeRequest::Fresh(parts) =
        other(&sent, 200, &response, false).before_request(&request(&sent), time(NOW))
    else {
        panic!("it is fresh")
    };
    assert_eq!(parts.headers.get_all("x").iter().collect::<Vec<_>>(), ["2"]);
    let stored = sent.storable(&private(), &sent.head(200, &response)).expect("storable");
    assert_eq!(stored.headers.get_all("x").iter().collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_304_brings_new_fields_and_its_strong_tag_is_no_weak_one() {
    for (tag, other_takes_it, expected) in [("etag: \"1\"", true, true), ("etag: W/\"1\"", true, false)] {
        let (sent, response) = (Sent::get(&[]), ["cache-control: max-age=60", tag]);
        let answer = sent.head(304, &["etag: \"1\"", "x-new: 1"]);
        let mut not_modified = Response::new(());
        *not_modified.status_mut() = StatusCode::NOT_MODIFIED;
        *not_modified.headers_mut() = answer.headers.clone();
        let by_other = other(&sent, 200, &response, false);
        match by_other.after_response(&request(&sent), &not_modified, time(after(9))) {
            AfterResponse::NotModified(_, parts) => {
                assert!(other_takes_it && !parts.headers.contains_key("x-new"), "{tag}");
            }
            AfterResponse::Modified(..) => assert!(!other_takes_it, "{tag}"),
        }
        let stored = sent.storable(&private(), &sent.head(200, &response)).expect("storable");
        let refreshed = private().refresh(&sent.request(), &sent.options, &stored, &answer, after(9));
        let has_new = refreshed.is_some_and(|refreshed| refreshed.head.headers.contains_key("x-new"));
        assert_eq!(has_new, expected, "{tag}");
    }
}

#[test]
fn no_request_lifts_what_the_response_forbids() {
    let stale = &["cache-control: max-stale"];
    check(&["cache-control: max-age=60, no-cache"], stale, 0, Some(true), Some(STALE));
    check_shared(&["cache-control: s-maxage=60"], stale, 99, Some(true), Some(STALE));
    check_shared(&["cache-control: max-age=60, proxy-revalidate"], &[], 0, Some(false), Some(Do::Use));
}

#[test]
fn pragma_is_of_requests_without_cache_control() {
    check(
        &["expires: Mon, 23 Nov 2026 00:01:00 GMT", "pragma: no-cache"],
        &[],
        0,
        Some(false),
        Some(Do::Use),
    );
    let later = &["pragma: no-cache", "cache-control: max-age=30"];
    check(&["cache-control: max-age=60"], later, 0, Some(false), Some(Do::Use));
}

#[test]
fn no_store_of_a_request_is_for_this_request_too() {
    let later = &["cache-control: no-store"];
    check(&["cache-control: max-age=60"], later, 0, Some(true), Some(Do::Fetch(Forward::Bypass)));
}

#[test]
fn more_is_stored_that_may_be() {
    let get = Sent::get(&[]);
    let once = (&get, &get, 0);
    check(&["cache-control: max-age=60, no-store, must-understand"], &[], 0, None, Some(Do::Use));
    for status in [201, 400, 403, 500, 503] {
        check_exchange((false, status, &["cache-control: max-age=60"]), once, None, Some(Do::Use));
    }
    check_exchange((false, 302, &["cache-control: private"]), once, None, Some(STALE));
}

#[test]
fn a_cookie_is_not_for_all() {
    let users = (&Sent::get(&["cookie: sid=a"]), &Sent::get(&["cookie: sid=b"]), 0);
    let miss = Some(Do::Fetch(Forward::VaryMiss));
    check_exchange((false, 200, &["cache-control: max-age=60"]), users, Some(true), miss);
    check_exchange((false, 200, &["cache-control: max-age=60, public"]), users, Some(true), Some(Do::Use));
    let response = &["cache-control: max-age=60", "set-cookie: sid=a"];
    check_shared(response, &[], 0, Some(false), NOT_STORED);
}

#[test]
fn a_lifetime_is_no_longer_than_it_is_known_to_be() {
    check(&["cache-control: immutable"], &[], 60, Some(true), Some(STALE));
    let old = &["last-modified: Fri, 23 Nov 1990 00:00:00 GMT"];
    check(old, &[], 8 * 86_400, Some(true), Some(STALE));
    let later = &["cache-control: max-age=30"];
    check(&["cache-control: max-age=60"], later, 30, Some(true), Some(Do::Validate(Forward::Request)));
    let later = &["cache-control: min-fresh=30"];
    check(&["cache-control: max-age=60"], later, 30, Some(true), Some(Do::Validate(Forward::Request)));
}

#[test]
fn head_and_who_would_be_answered_at_once_are() {
    let (get, head) = (Sent::get(&[]), Sent::new(Method::HEAD, URL, &[]));
    let response = &["cache-control: max-age=60"];
    check_exchange((false, 200, response), (&get, &head, 0), Some(false), Some(Do::Use));
    let response = &["cache-control: max-age=60, stale-while-revalidate=60"];
    check(response, &[], 60, Some(false), Some(Do::UseWhileValidating));
}
