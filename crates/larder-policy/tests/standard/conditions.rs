//! The client's own conditions, answered from the store (RFC 9111, section 4.3.2; RFC 9110, section 13).

use http::Method;
use larder_policy::{Bypass, Decision, Presented};

use super::{private, shared, stored};
use crate::support::{Do, Fields, NOW, Sent, URL, after, headers};

const TAG: &str = "etag: \"1\"";
const OLD: &str = "Sun, 22 Nov 2026 00:00:00 GMT";
const MODIFIED: &str = "last-modified: Sun, 22 Nov 2026 00:00:00 GMT";

/// Returns the answer to a request from a stored response, whose body has 10 bytes, 7 seconds later.
fn answer(sent: &Sent, response: &[&str]) -> Presented {
    let response = [&["cache-control: max-age=60"], response].concat();
    let stored = stored(&private(), &response);
    assert_eq!(Do::from(sent.decide(&private(), Some(&stored), after(7))), Do::Use, "{:?}", sent.headers);
    private().present(&sent.request(), stored, Some(10), after(7))
}

/// Checks whether a GET with `request` is told that nothing has changed.
#[track_caller]
fn check(response: &[&str], request: &[&str], expected: bool) {
    for method in [Method::GET, Method::HEAD] {
        let presented = answer(&Sent::new(method, URL, request), response);
        let (status, body) = if expected { (304, Some(0..0)) } else { (200, None) };
        let shown = format!("{response:?} {request:?}");
        assert_eq!((presented.head.status.as_u16(), presented.body), (status, body), "{shown}");
    }
}

#[test]
fn entity_tags_are_compared_weakly() {
    // RFC 9110, 13.1.2: "A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match".
    check(&[TAG], &["if-none-match: \"1\""], true);
    check(&[TAG], &["if-none-match: W/\"1\""], true);
    check(&["etag: W/\"1\""], &["if-none-match: \"1\""], true);
    check(&["etag: W/\"1\""], &["if-none-match: W/\"1\""], true);
    check(&[TAG], &["if-none-match: \"2\""], false);
    check(&[TAG], &["if-none-match: 1"], false);
    check(&["etag: \"a\""], &["if-none-match: \"A\""], false);
    check(&[], &["if-none-match: \"1\""], false);
}

#[test]
fn any_of_several_entity_tags_will_do() {
    check(&[TAG], &["if-none-match: \"2\", \"1\""], true);
    check(&[TAG], &["if-none-match: \"2\",\"1\", \"3\""], true);
    check(&[TAG], &["if-none-match: ,, W/\"1\" ,"], true);
    check(&[TAG], &["if-none-match: \"2\"", "if-none-match: \"1\""], true);
    check(&["etag: \"a, b\""], &["if-none-match: \"x\", \"a, b\""], false);
    check(&["etag: \"a,b\""], &["if-none-match: \"x\", \"a,b\""], true);
    check(&[TAG], &["if-none-match: \"2\", \"3\""], false);
    check(&[TAG], &["if-none-match: "], false);
}

#[test]
fn a_star_is_any_representation() {
    // RFC 9110, 13.1.2.
    check(&[TAG], &["if-none-match: *"], true);
    check(&[], &["if-none-match: *"], true);
    check(&[TAG], &["if-none-match: \"*\""], false);
}

#[test]
fn entity_tags_go_before_dates() {
    // RFC 9110, 13.1.3: "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field".
    let since = &*format!("if-modified-since: {OLD}");
    check(&[TAG, MODIFIED], &["if-none-match: \"2\"", since], false);
    check(&[TAG, MODIFIED], &["if-none-match: \"1\"", since], true);
    let before = "if-modified-since: Sat, 21 Nov 2026 00:00:00 GMT";
    check(&[TAG, MODIFIED], &["if-none-match: \"1\"", before], true);
    check(&[MODIFIED], &["if-none-match: \"1\"", since], false);
    check(&[TAG, MODIFIED], &["if-none-match: garbage", since], false);
}

#[test]
fn dates_are_compared_in_all_formats_and_cases() {
    // RFC 9110, 13.1.3: false "if the selected representation's last modification date is earlier or equal".
    for (since, expected) in [
        (OLD, true),
        ("Sunday, 22-Nov-26 00:00:00 GMT", true),
        ("Sun Nov 22 00:00:00 2026", true),
        ("sun, 22 nov 2026 00:00:00 gmt", true),
        ("Sun, 22 Nov 2026 00:00:01 GMT", true),
        ("Mon, 23 Nov 2026 00:00:00 GMT", true),
        ("Sat, 21 Nov 2026 23:59:59 GMT", false),
        // "A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date".
        ("0", false),
        ("yesterday", false),
        ("Sun, 22 Nov 2026 00:00:00 CET", false),
        ("", false),
    ] {
        check(&[MODIFIED], &[&format!("if-modified-since: {since}")], expected);
    }
    for stored in ["sunday, 22-nov-26 00:00:00 gmt", "Sun Nov 22 00:00:00 2026"] {
        check(&[&format!("last-modified: {stored}")], &[&format!("if-modified-since: {OLD}")], true);
    }
    let twice = format!("if-modified-since: {OLD}");
    check(&[MODIFIED], &[&twice, &twice], false);
}

#[test]
fn without_a_date_of_modification_that_of_the_response_counts() {
    // 4.3.2: the stored response's Date stands in for a Last-Modified that is not there, and for both the time that it was
    // received.
    let made = "date: Sun, 22 Nov 2026 23:59:50 GMT";
    check(&[made], &["if-modified-since: Sun, 22 Nov 2026 23:59:50 GMT"], true);
    check(&[made], &["if-modified-since: Sun, 22 Nov 2026 23:59:49 GMT"], false);
    check(&[], &["if-modified-since: Mon, 23 Nov 2026 00:00:00 GMT"], true);
    check(&[], &["if-modified-since: Sun, 22 Nov 2026 23:59:59 GMT"], false);
}

#[test]
fn a_304_has_the_fields_that_a_200_would_have_and_none_of_the_content() {
    // RFC 9110, 15.4.5.
    let response = [
        TAG,
        MODIFIED,
        "content-location: /b",
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
        "expires: Mon, 23 Nov 2026 00:01:00 GMT",
        "vary: accept",
        "content-length: 10",
        "content-type: text/plain",
        "content-encoding: gzip",
        "content-language: de",
        "x-other: 1",
    ];
    let presented = answer(&Sent::get(&["if-none-match: \"1\""]), &response);
    let mut expected = headers(&response[..6]);
    expected.extend(headers(&["cache-control: max-age=60", "x-other: 1", "age: 7"]));
    assert_eq!(presented.head.headers, expected);
}

#[test]
fn what_is_stored_of_another_status_is_answered_as_it_is() {
    // RFC 9110, 13.2.1: preconditions are ignored where the answer without them would be neither a 2xx nor a 412; 203 is
    // left alone as well.
    let sent = Sent::get(&["if-none-match: \"1\""]);
    for status in [203, 301, 404, 410] {
        let response = sent.head(status, &["cache-control: max-age=60", TAG]);
        let stored = sent.storable(&private(), &response).expect("storable");
        let presented = private().present(&sent.request(), stored, Some(10), NOW);
        assert_eq!((presented.head.status.as_u16(), presented.body), (status, None));
    }
}

#[test]
fn every_answer_has_its_age() {
    // 4: "When a stored response is used to satisfy a request without validation, a cache MUST generate an Age header
    // field … replacing any present in the response".
    for (fields, response, expected) in [
        (&[][..], &[][..], "7"),
        (&[], &["age: 5"], "12"),
        (&[], &["age: 5", "age: 9"], "12"),
        (&["if-none-match: \"1\""], &[TAG, "age: 5"], "12"),
        (&["range: bytes=0-1"], &["age: 5"], "12"),
        (&["range: bytes=90-"], &["age: 5"], "12"),
    ] {
        let presented = answer(&Sent::get(fields), response);
        let ages: Vec<_> = presented.head.headers.get_all("age").iter().collect();
        assert_eq!(ages, [expected], "{fields:?} {response:?}");
    }
    let old: Fields = &["cache-control: max-age=60", TAG, "age: 99999999999999999999"];
    let presented =
        private().present(&Sent::get(&[]).request(), stored(&private(), old), Some(10), after(99));
    assert_eq!(presented.head.headers["age"], "2147483648", "1.2.2");
}

#[test]
fn conditions_that_are_the_origin_s_to_evaluate_go_to_the_origin() {
    // 4.3.2: "A cache MUST NOT evaluate conditional header fields that only apply to an origin server", If-Match and
    // If-Unmodified-Since among them.
    for policy in [private(), shared()] {
        for field in ["if-match: \"1\"", "if-match: *", "if-unmodified-since: Sun, 22 Nov 2026 00:00:00 GMT"]
        {
            let sent = Sent::get(&[field]);
            assert_eq!(policy.keys(&sent.request(), &sent.options), Err(Bypass::Conditional), "{field}");
            let stored = stored(&policy, &["cache-control: max-age=60", TAG]);
            assert!(matches!(sent.decide(&policy, Some(&stored), NOW), Decision::Fetch { .. }), "{field}");
        }
    }
}
