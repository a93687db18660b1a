//! Parts: ranges answered from the store, and parts that are stored (RFC 9111, sections 3.3 and 3.4; RFC 9110, section 14).

use http::Method;
use larder_core::ResponseHead;
use larder_policy::{Bypass, CacheOptions, Decision, Forward, Presented};

use super::{private, shared, stored};
use crate::support::{Do, NOW, Sent, URL, after, headers, policy};

const MODIFIED: &str = "last-modified: Sun, 22 Nov 2026 00:00:00 GMT";

/// Returns the answer to a GET from a stored response, whose body has 10 bytes.
fn answer(response: &[&str], request: &[&str]) -> Presented {
    let response = [&["cache-control: max-age=60"], response].concat();
    let sent = Sent::get(request);
    let stored = stored(&private(), &response);
    assert_eq!(Do::from(sent.decide(&private(), Some(&stored), NOW)), Do::Use, "{request:?}");
    private().present(&sent.request(), stored, Some(10), NOW)
}

/// Checks the status of an answer to a request for a part, the bytes that it has, and its `Content-Range`.
#[track_caller]
fn check(
    response: &[&str],
    request: &[&str],
    status: u16,
    body: Option<std::ops::Range<u64>>,
    content_range: &str,
) {
    let presented = answer(response, request);
    let shown = format!("{response:?} {request:?}");
    assert_eq!((presented.head.status.as_u16(), presented.body), (status, body), "{shown}");
    let field = presented.head.headers.get("content-range");
    let field = field.map_or("", |field| field.to_str().expect("text"));
    assert_eq!(field, content_range, "{shown}");
}

/// Returns a stored part, as `content-range` says.
fn part(content_range: &str, tag: &str) -> ResponseHead {
    let sent = Sent::get(&["range: bytes=0-"]);
    let range = format!("content-range: bytes {content_range}");
    let response = sent.head(206, &["cache-control: max-age=60", &range, tag]);
    sent.storable(&private(), &response).expect("storable")
}

#[test]
fn a_part_is_answered_from_the_whole() {
    // RFC 9110, 14.1.2 and 15.3.7.
    check(&[], &["range: bytes=0-4"], 206, Some(0..5), "bytes 0-4/10");
    check(&[], &["range: bytes=5-5"], 206, Some(5..6), "bytes 5-5/10");
    check(&[], &["range: bytes=4-"], 206, Some(4..10), "bytes 4-9/10");
    check(&[], &["range: bytes=-3"], 206, Some(7..10), "bytes 7-9/10");
    check(&[], &["range: bytes=-99"], 206, Some(0..10), "bytes 0-9/10");
    check(&[], &["range: bytes=8-99"], 206, Some(8..10), "bytes 8-9/10");
    check(&[], &["range: Bytes=0-0"], 206, Some(0..1), "bytes 0-0/10");
    let date = "date: Mon, 23 Nov 2026 00:00:00 GMT";
    let presented = answer(&["content-length: 10", "content-type: text/plain", date], &["range: bytes=0-4"]);
    let expected = [
        "cache-control: max-age=60",
        date,
        "content-length: 5",
        "content-type: text/plain",
        "content-range: bytes 0-4/10",
        "age: 0",
    ];
    assert_eq!(presented.head.headers, headers(&expected));
}

#[test]
fn what_lies_beyond_the_end_is_answered_with_416() {
    // RFC 9110, 15.5.17.
    for range in ["10-", "10-20", "99999999999999999999-", "-0"] {
        check(&[], &[&format!("range: bytes={range}")], 416, Some(0..0), "bytes */10");
    }
    let presented = answer(&["content-length: 10", "content-type: text/plain"], &["range: bytes=10-"]);
    assert_eq!(presented.head.headers["content-length"], "0");
    assert!(!presented.head.headers.contains_key("content-type"));
}

#[test]
fn a_range_that_is_none_is_answered_with_the_whole() {
    // RFC 9110, 14.2: units that are not understood are ignored, and so may be what will not be served.
    for range in
        ["items=0-4", "bytes=4-0", "bytes=a-b", "bytes=", "bytes", "bytes=0-1,3-4", "0-4", "bytes=+1-2"]
    {
        check(&[], &[&format!("range: {range}")], 200, None, "");
    }
    check(&[], &["range: bytes=0-1", "range: bytes=2-3"], 200, None, "");
    // Of an unknown length.
    let sent = Sent::get(&["range: bytes=0-4"]);
    let whole = stored(&private(), &["cache-control: max-age=60"]);
    let presented = private().present(&sent.request(), whole, None, NOW);
    assert_eq!((presented.head.status.as_u16(), presented.body), (200, None));
}

#[test]
fn if_range_lets_a_part_be_sent_of_the_same_representation_alone() {
    // RFC 9110, 13.1.5: the strong comparison; a date must be exactly that of the last modification, and strong.
    let part = ["range: bytes=0-4"];
    let check = |response: &[&str], condition: &str, expected: bool| {
        let request = [part[0], &format!("if-range: {condition}")];
        if expected {
            check(response, &request, 206, Some(0..5), "bytes 0-4/10");
        } else {
            check(response, &request, 200, None, "");
        }
    };
    let made = "date: Mon, 23 Nov 2026 00:00:00 GMT";
    check(&["etag: \"1\""], "\"1\"", true);
    check(&["etag: \"1\""], "\"2\"", false);
    check(&["etag: W/\"1\""], "W/\"1\"", false);
    check(&["etag: \"1\""], "W/\"1\"", false);
    check(&["etag: \"1\""], "*", false);
    check(&["etag: \"1\""], "\"1\", \"2\"", false);
    check(&[], "\"1\"", false);
    check(&[MODIFIED, made], "Sun, 22 Nov 2026 00:00:00 GMT", true);
    check(&[MODIFIED, made], "Sunday, 22-Nov-26 00:00:00 GMT", true);
    check(&[MODIFIED, made], "Sun, 22 Nov 2026 00:00:01 GMT", false);
    check(&[MODIFIED, made], "Sat, 21 Nov 2026 00:00:00 GMT", false);
    check(&["last-modified: Sun, 22 Nov 2026 23:59:59 GMT", made], "Sun, 22 Nov 2026 23:59:59 GMT", false);
    check(&[made], "Mon, 23 Nov 2026 00:00:00 GMT", false);
    check(&[MODIFIED, made], "yesterday", false);
    // Without a range it means nothing.
    assert_eq!(answer(&["etag: \"1\""], &["if-range: \"2\""]).body, None);
}

#[test]
fn conditions_are_evaluated_before_ranges() {
    // RFC 9110, 13.2.2.
    let request = ["range: bytes=0-4", "if-none-match: \"1\""];
    check(&["etag: \"1\""], &request, 304, Some(0..0), "");
    check(&["etag: \"2\""], &request, 206, Some(0..5), "bytes 0-4/10");
    check(&["etag: \"1\""], &["range: bytes=99-", "if-none-match: \"1\""], 304, Some(0..0), "");
}

#[test]
fn what_has_no_ranges_is_answered_with_the_whole_or_by_the_origin() {
    // RFC 9110, 14.2: "A server MUST ignore a Range header field received with a request method that is unrecognized or for
    // which range handling is not defined."
    let head = Sent::new(Method::HEAD, URL, &["range: bytes=0-1"]);
    let stored_whole = stored(&private(), &["cache-control: max-age=60"]);
    assert_eq!(Do::from(head.decide(&private(), Some(&stored_whole), NOW)), Do::Use);
    let presented = private().present(&head.request(), stored_whole, Some(10), NOW);
    assert_eq!((presented.head.status.as_u16(), presented.body), (200, None));
    let posting = policy(CacheOptions::standard().allowed_methods([Method::POST]));
    let post = Sent::new(Method::POST, URL, &["range: bytes=0-1"]);
    assert_eq!(posting.keys(&post.request(), &post.options), Err(Bypass::Range));
    let (get, plain) = (Sent::get(&["range: bytes=0-1"]), Sent::get(&[]));
    let keys = |sent: &Sent| private().keys(&sent.request(), &sent.options);
    assert_eq!(keys(&get), keys(&plain), "a part is looked up where the whole is");
    // A response of another status has none.
    let stored = get.storable(&private(), &get.head(404, &["cache-control: max-age=60"])).expect("storable");
    assert_eq!(private().present(&get.request(), stored, Some(10), NOW).head.status, 404);
}

#[test]
fn a_stored_part_answers_what_lies_within_it() {
    // 3.3: "A cache MUST NOT use an incomplete response to answer requests unless the response has been made complete, or
    // the request is partial and specifies a range wholly within the incomplete response."
    for (stored, range, expected) in [
        ("4-8/10", "4-8", Some((0..5, "bytes 4-8/10"))),
        ("4-8/10", "5-6", Some((1..3, "bytes 5-6/10"))),
        ("4-8/*", "5-6", Some((1..3, "bytes 5-6/*"))),
        ("4-9/10", "-2", Some((4..6, "bytes 8-9/10"))),
        ("4-9/10", "5-", Some((1..6, "bytes 5-9/10"))),
        ("4-9/10", "8-99", Some((4..6, "bytes 8-9/10"))),
        ("4-8/10", "3-6", None),
        ("4-8/10", "5-9", None),
        ("4-8/10", "5-", None),
        ("4-8/10", "-2", None),
        ("4-8/*", "-2", None),
        ("4-8/*", "5-", None),
    ] {
        let head = part(stored, "etag: \"1\"");
        let sent = Sent::get(&[&format!("range: bytes={range}")]);
        for policy in [private(), shared()] {
            let done = Do::from(sent.decide(&policy, Some(&head), NOW));
            let Some((body, content_range)) = &expected else {
                assert_eq!(done, Do::Fetch(Forward::Partial), "{stored} {range}");
                continue;
            };
            assert_eq!(done, Do::Use, "{stored} {range}");
            let presented = policy.present(&sent.request(), head.clone(), Some(head_len(&head)), NOW);
            assert_eq!(presented.head.status, 206);
            assert_eq!(presented.head.headers["content-range"], content_range, "{stored} {range}");
            assert_eq!(presented.body.as_ref(), Some(body), "{stored} {range}");
        }
    }
}

/// Returns the length of the body of a stored part.
fn head_len(head: &ResponseHead) -> u64 {
    let range = head.headers["content-range"].to_str().expect("text");
    let (first, rest) = range.trim_start_matches("bytes ").split_once('-').expect("a range");
    let (last, _) = rest.split_once('/').expect("a length");
    last.parse::<u64>().expect("a number") - first.parse::<u64>().expect("a number") + 1
}

#[test]
fn a_stored_part_never_answers_for_the_whole() {
    let not_asked = Sent::get(&[]);
    for (stored, tag) in [("4-8/10", "etag: \"1\""), ("0-4/10", "etag: W/\"1\""), ("0-4/10", "x: 1")] {
        let head = part(stored, tag);
        let done = Do::from(not_asked.decide(&private(), Some(&head), NOW));
        assert_eq!(done, Do::Fetch(Forward::Partial), "{stored} {tag}");
    }
    let offline = Sent::get(&["cache-control: only-if-cached"]);
    assert_eq!(offline.decide(&private(), Some(&part("0-4/10", "etag: \"1\"")), NOW), Decision::Refuse);
    let head = Sent::new(Method::HEAD, URL, &[]);
    let done = Do::from(head.decide(&private(), Some(&part("0-4/10", "etag: \"1\"")), NOW));
    assert_eq!(done, Do::Fetch(Forward::Partial));
    let other = Sent::get(&["range: bytes=1-2", "if-range: \"2\""]);
    let done = Do::from(other.decide(&private(), Some(&part("0-4/10", "etag: \"1\"")), NOW));
    assert_eq!(done, Do::Fetch(Forward::Partial));
}

#[test]
fn a_part_that_is_all_of_it_is_stored_as_the_whole() {
    // RFC 9110, 15.3.7: a 206 may have the whole representation, and then nothing is missing.
    let head = part("0-9/10", "etag: \"1\"");
    assert_eq!((head.status.as_u16(), head.headers.contains_key("content-range")), (200, false));
    assert_eq!(head.headers["content-length"], "10");
    assert_eq!(Do::from(Sent::get(&[]).decide(&private(), Some(&head), NOW)), Do::Use);
    assert_eq!(part("0-9/*", "etag: \"1\"").status, 206, "nobody says that this is all");
}

#[test]
fn the_beginning_of_a_representation_is_completed() {
    // 3.4: by a request for the rest, "If-Range" that it is of the same.
    for (stored, age) in [("0-4/10", 0), ("0-4/*", 0), ("0-4/10", 100)] {
        let decision = Sent::get(&[]).decide(&private(), Some(&part(stored, "etag: \"1\"")), after(age));
        let conditions = headers(&["range: bytes=5-", "if-range: \"1\""]);
        assert_eq!(decision, Decision::Complete { conditions }, "{stored}");
    }
    for field in ["if-none-match: \"2\"", "if-modified-since: Sun, 22 Nov 2026 00:00:00 GMT"] {
        let decision = Sent::get(&[field]).decide(&private(), Some(&part("0-4/10", "etag: \"1\"")), NOW);
        assert_eq!(Do::from(decision), Do::Fetch(Forward::Partial), "{field}");
    }
}
