//! What a 304 makes of what is stored.

use larder_core::Timestamp;
use larder_policy::{CacheOptions, Expiry, Refreshed, Upkeep};

use super::hour;
use crate::support::{Fields, NOW, Sent, after, headers, policy, secs};

/// Returns what a 304 that comes `age` seconds later makes of a stored response.
fn refreshed(options: CacheOptions, stored: &[&str], not_modified: &[&str], age: u64) -> Option<Refreshed> {
    let (policy, sent) = (policy(options), Sent::get(&["accept: a"]));
    let stored = sent.storable(&policy, &sent.head(200, stored)).expect("storable");
    let mut answer = sent.head(304, not_modified);
    (answer.requested_at, answer.received_at) = (after(age), after(age));
    policy.refresh(&sent.request(), &sent.options, &stored, &answer, after(age))
}

#[test]
fn a_304_validates_what_has_its_validator() {
    let (old, new) =
        ("last-modified: Sun, 22 Nov 2026 00:00:00 GMT", "last-modified: Mon, 23 Nov 2026 00:00:00 GMT");
    for (stored, not_modified, expected) in [
        (&["etag: \"1\""][..], &["etag: \"1\""][..], true),
        (&["etag: \"1\""], &["etag: \"2\""], false),
        (&["etag: \"1\""], &["etag: W/\"1\""], true),
        (&["etag: \"1\""], &["etag: W/\"2\""], false),
        (&["etag: W/\"1\""], &["etag: W/\"1\""], true),
        (&["etag: W/\"1\""], &["etag: \"1\""], false),
        (&["etag: \"1\""], &[], true),
        (&["etag: \"1\""], &["etag: *"], false),
        (&["etag: \"1\"", old], &["etag: \"1\"", new], true),
        (&["etag: \"1\"", old], &["etag: \"2\"", old], false),
        (&["etag: \"1\"", old], &[new], false),
        (&[old], &[], true),
        (&[old], &[old], true),
        (&[old], &[new], false),
        (&[old], &["etag: \"1\""], false),
        (&[old], &["etag: \"1\"", old], true),
    ] {
        let is_validated = refreshed(hour(), stored, not_modified, 9).is_some();
        assert_eq!(is_validated, expected, "{stored:?} {not_modified:?}");
    }
}

#[test]
fn only_a_304_validates() {
    let (policy, sent) = (policy(hour()), Sent::get(&[]));
    let stored = sent.head(200, &["etag: \"1\""]);
    for status in [200, 206, 412, 500] {
        let answer = sent.head(status, &["etag: \"1\""]);
        assert_eq!(policy.refresh(&sent.request(), &sent.options, &stored, &answer, NOW), None, "{status}");
    }
}

#[test]
fn fields_are_replaced_and_added_but_for_those_of_body_and_connection() {
    let stored = [
        "etag: \"1\"",
        "content-length: 5",
        "content-encoding: gzip",
        "content-type: text/plain",
        "x-old: 1",
        "x-many: 1",
        "x-many: 2",
        "age: 7",
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
    ];
    let not_modified = [
        "etag: \"1\"",
        "content-length: 0",
        "content-encoding: br",
        "content-range: bytes 0-1/2",
        "content-type: text/html",
        "x-many: 3",
        "x-new: 1",
        "x-new: 2",
        "connection: x-own",
        "x-own: 1",
        "transfer-encoding: chunked",
    ];
    let head = refreshed(hour(), &stored, &not_modified, 9).expect("validated").head;
    let expected = [
        "etag: \"1\"",
        "content-length: 5",
        "content-encoding: gzip",
        "content-type: text/html",
        "x-old: 1",
        "x-many: 3",
        "x-new: 1",
        "x-new: 2",
    ];
    assert_eq!(head.headers, headers(&expected));
}

#[test]
fn a_304_makes_what_is_stored_fresh_again_and_keeps_when_it_was_created() {
    let head = refreshed(hour(), &["etag: \"1\""], &[], 5000).expect("validated").head;
    assert_eq!(head.status, 200);
    assert_eq!((head.created_at, head.received_at, head.requested_at), (NOW, after(5000), after(5000)));
    assert_eq!(head.expires_at, Some(after(8600)));
    assert_eq!(head.delete_at, Some(after(8600 + 30 * 86_400)));
    let never =
        refreshed(CacheOptions::fixed(Expiry::Never), &["etag: \"1\""], &[], 5).expect("validated").head;
    assert_eq!((never.expires_at, never.delete_at), (None, None));
}

#[test]
fn a_304_s_own_lifetime_and_age_count_where_they_are_read() {
    let read = || hour().cache_control(true).keep_expired(secs(0));
    let check = |stored: Fields, not_modified: Fields, expected: Timestamp| {
        let head = refreshed(read(), stored, not_modified, 100).expect("validated").head;
        assert_eq!(head.expires_at, Some(expected), "{stored:?} {not_modified:?}");
    };
    check(&["cache-control: max-age=60"], &[], after(160));
    check(&["cache-control: max-age=60"], &["cache-control: max-age=30"], after(130));
    check(&["cache-control: max-age=60"], &["cache-control: no-cache"], after(100));
    check(&["cache-control: max-age=60", "age: 50"], &[], after(160));
    check(&["cache-control: max-age=60", "date: Mon, 23 Nov 2026 00:00:00 GMT"], &[], after(160));
    check(&["cache-control: max-age=60"], &["age: 50"], after(110));
}

#[test]
fn what_would_no_longer_be_stored_is_deleted() {
    for (options, not_modified) in
        [(hour().cache_control(true), &["cache-control: no-store"][..]), (hour(), &["vary: *"])]
    {
        let refreshed = refreshed(options, &["etag: \"1\""], not_modified, 9).expect("validated");
        assert_eq!(refreshed.upkeep, Upkeep::Delete, "{not_modified:?}");
    }
}

#[test]
fn a_304_may_change_what_the_response_varies_on() {
    let head = refreshed(hour(), &["etag: \"1\""], &["vary: accept"], 9).expect("validated").head;
    assert_eq!(head.vary_fields, headers(&["accept: a"]));
}

#[test]
fn a_shared_cache_takes_no_cookie_from_a_304() {
    let cookie: Fields = &["set-cookie: a=b"];
    let head = refreshed(hour().shared(), &["etag: \"1\""], cookie, 9).expect("validated").head;
    assert!(!head.headers.contains_key("set-cookie"));
    let head = refreshed(hour(), &["etag: \"1\""], cookie, 9).expect("validated").head;
    assert_eq!(head.headers["set-cookie"], "a=b");
}
