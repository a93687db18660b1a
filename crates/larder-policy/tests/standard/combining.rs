//! Parts put together (RFC 9111, section 3.4; RFC 9110, section 15.3.7.3).

use http::Method;
use larder_core::ResponseHead;
use larder_policy::{announced_len, stored_range};
use proptest::prelude::*;

use super::private;
use crate::support::{NOW, Sent, URL, after, headers};

/// Returns a part, as `content_range` says, that was received `age` seconds later.
fn part(content_range: &str, fields: &[&str], age: u64) -> ResponseHead {
    let range = format!("content-range: bytes {content_range}");
    let mut head = Sent::get(&["range: bytes=0-"]).head(206, &[&[&*range], fields].concat());
    (head.requested_at, head.received_at, head.created_at) = (after(age), after(age), after(age));
    head
}

const TAG: &[&str] = &["etag: \"1\""];

#[test]
fn parts_that_overlap_or_adjoin_become_one() {
    for (stored, received, expected, before, after) in [
        ("0-4/10", "5-9/10", "whole", 0..5, 5..5),
        ("0-4/10", "3-9/10", "whole", 0..3, 5..5),
        ("0-4/10", "5-7/10", "bytes 0-7/10", 0..5, 5..5),
        ("5-9/10", "0-4/10", "whole", 0..0, 0..5),
        ("5-9/10", "3-6/10", "bytes 3-9/10", 0..0, 2..5),
        ("2-8/10", "4-5/10", "bytes 2-8/10", 0..2, 4..7),
        ("4-5/10", "2-8/10", "bytes 2-8/10", 0..0, 2..2),
        ("0-4/*", "5-7/*", "bytes 0-7/*", 0..5, 5..5),
        ("0-4/*", "5-9/10", "whole", 0..5, 5..5),
        ("0-4/10", "5-9/*", "whole", 0..5, 5..5),
    ] {
        let combined = private().combine(&part(stored, TAG, 0), &part(received, TAG, 9)).expect("one");
        let range = combined.head.headers.get("content-range").map(|range| range.to_str().expect("text"));
        let status = if expected == "whole" { 200 } else { 206 };
        assert_eq!((combined.head.status.as_u16(), range.unwrap_or("whole")), (status, expected));
        assert_eq!((combined.before, combined.after), (before, after), "{stored} {received}");
    }
}

#[test]
fn parts_of_different_representations_or_far_apart_stay_apart() {
    for (stored, received) in [
        (("0-4/10", TAG), ("6-9/10", TAG)),
        (("6-9/10", TAG), ("0-4/10", TAG)),
        (("0-4/10", TAG), ("5-9/11", TAG)),
        (("0-9/*", TAG), ("0-4/5", TAG)),
        (("0-4/10", TAG), ("5-9/10", &["etag: \"2\""])),
        // Strong validators alone.
        (("0-4/10", &["etag: W/\"1\""]), ("5-9/10", &["etag: W/\"1\""])),
        (("0-4/10", TAG), ("5-9/10", &[])),
        (("0-4/10", &[]), ("5-9/10", &[])),
        (("0-4/10", &["etag: 1"]), ("5-9/10", &["etag: 1"])),
        (("4-0/10", TAG), ("5-9/10", TAG)),
        (("0-4/10", TAG), ("5-10/10", TAG)),
        (("0-4/10", TAG), ("*/10", TAG)),
    ] {
        let (stored, received) = (part(stored.0, stored.1, 0), part(received.0, received.1, 9));
        assert_eq!(private().combine(&stored, &received), None, "{stored:?} {received:?}");
    }
    let mut whole = part("0-9/10", TAG, 0);
    whole.status = http::StatusCode::OK;
    assert_eq!(private().combine(&part("0-4/10", TAG, 0), &whole), None, "a whole needs no part");
}

#[test]
fn the_newer_fields_go_before_the_stored_ones() {
    // 3.4 sends to 3.2: what the new response has replaces what is stored.
    let stored = part("0-4/10", &["etag: \"1\"", "x-old: 1", "x-both: 1", "age: 9", "content-length: 5"], 0);
    let received = part("5-9/10", &["etag: \"1\"", "x-new: 1", "x-both: 2", "content-length: 5"], 100);
    let head = private().combine(&stored, &received).expect("one").head;
    let expected = ["etag: \"1\"", "x-old: 1", "x-both: 2", "x-new: 1", "content-length: 10"];
    assert_eq!(head.headers, headers(&expected));
    assert_eq!((head.created_at, head.received_at), (NOW, after(100)));
}

#[test]
fn the_length_that_is_announced_is_that_of_the_content() {
    // RFC 9110, 8.6: of a HEAD and a 304 it is that of another; 14.4: a part has its own.
    for (method, status, fields, expected) in [
        (Method::GET, 200, &["content-length: 5"][..], Some(5)),
        (Method::GET, 404, &["content-length: 0"], Some(0)),
        (Method::GET, 200, &[], None),
        (Method::GET, 200, &["content-length: x"], None),
        (Method::GET, 200, &["content-length: 5", "transfer-encoding: chunked"], None),
        (Method::GET, 206, &["content-range: bytes 2-4/10", "content-length: 3"], Some(3)),
        (Method::GET, 206, &["content-range: bytes 2-4/*"], Some(3)),
        (Method::GET, 206, &["content-length: 3"], None),
        (Method::GET, 204, &["content-length: 5"], None),
        (Method::GET, 304, &["content-length: 5"], None),
        (Method::HEAD, 200, &["content-length: 5"], None),
    ] {
        let head = Sent::new(method.clone(), URL, &[]).head(status, fields);
        assert_eq!(announced_len(&head), expected, "{method} {status} {fields:?}");
    }
}

#[test]
fn the_range_of_a_stored_part_is_what_its_field_says() {
    for (status, fields, expected) in [
        (206, &["content-range: bytes 2-4/10"][..], Some(2..5)),
        (206, &["content-range: bytes 0-0/*"], Some(0..1)),
        (206, &["content-range: bytes */10"], None),
        (206, &[], None),
        (200, &["content-range: bytes 2-4/10"], None),
        (416, &["content-range: bytes 2-4/10"], None),
    ] {
        assert_eq!(stored_range(&Sent::get(&[]).head(status, fields)), expected, "{status} {fields:?}");
    }
}

const REPRESENTATION: &[u8] = b"0123456789abcdefghij";

/// Positions in the representation: the first, the last, and whether its length is told.
fn positions() -> impl Strategy<Value = (usize, usize, bool)> {
    (0..REPRESENTATION.len(), 0..REPRESENTATION.len(), any::<bool>())
        .prop_map(|(one, other, is_told)| (one.min(other), one.max(other), is_told))
}

proptest! {
    /// The bytes before, the new ones and the bytes after are what the head says that they are.
    #[test]
    fn what_is_put_together_is_the_representation(stored in positions(), received in positions()) {
        let head = |(first, last, is_told): (usize, usize, bool)| {
            let len = if is_told { REPRESENTATION.len().to_string() } else { "*".to_owned() };
            part(&format!("{first}-{last}/{len}"), TAG, 0)
        };
        let bytes = |(first, last, _): (usize, usize, bool)| &REPRESENTATION[first..=last];
        let adjoin = stored.0 <= received.1 + 1 && received.0 <= stored.1 + 1;
        let combined = private().combine(&head(stored), &head(received));
        prop_assert_eq!(combined.is_some(), adjoin);
        let Some(combined) = combined else { return Ok(()) };
        let of_stored = |range: std::ops::Range<u64>| {
            let index = |position| usize::try_from(position).expect("small");
            bytes(stored).get(index(range.start)..index(range.end)).expect("within what is stored")
        };
        let body = [of_stored(combined.before), bytes(received), of_stored(combined.after)].concat();
        let (first, last) = (stored.0.min(received.0), stored.1.max(received.1));
        prop_assert_eq!(&body, &REPRESENTATION[first..=last]);
        prop_assert_eq!(combined.head.headers["content-length"].to_str().expect("text"), body.len().to_string());
        let is_known = stored.2 || received.2;
        let is_whole = is_known && body.len() == REPRESENTATION.len();
        prop_assert_eq!(combined.head.status.as_u16(), if is_whole { 200 } else { 206 });
        let len = if is_known { REPRESENTATION.len().to_string() } else { "*".to_owned() };
        let content_range = combined.head.headers.get("content-range").map(|range| range.to_str().expect("text"));
        let expected = format!("bytes {first}-{last}/{len}");
        prop_assert_eq!(content_range, (!is_whole).then_some(&*expected));
    }
}
