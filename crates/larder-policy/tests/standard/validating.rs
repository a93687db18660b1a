//! Validation: what is asked, and what a 304 makes of what is stored (RFC 9111, sections 3.2 and 4.3).

use http::{HeaderMap, Method};
use larder_policy::{CacheOptions, Decision, Policy, Refreshed, Upkeep};

use super::{private, shared, stored};
use crate::support::{Fields, NOW, Sent, URL, after, headers, policy, secs};

const OLD: &str = "last-modified: Sun, 22 Nov 2026 00:00:00 GMT";
const NEW: &str = "last-modified: Mon, 23 Nov 2026 00:00:00 GMT";

/// Returns the conditions that a stale response is validated by.
fn conditions(sent: &Sent, response: &[&str]) -> HeaderMap {
    let response = [&["cache-control: max-age=60"], response].concat();
    match sent.decide(&private(), Some(&stored(&private(), &response)), after(60)) {
        Decision::Validate { conditions, .. } => conditions,
        Decision::Fetch { .. } => HeaderMap::new(),
        other => panic!("{other:?}"),
    }
}

/// Returns what a 304 that comes 100 seconds later makes of a stored response.
fn refreshed(policy: &Policy, response: &[&str], not_modified: &[&str]) -> Option<Refreshed> {
    let sent = Sent::get(&["accept: a"]);
    let stored = sent.storable(policy, &sent.head(200, response)).expect("storable");
    let mut answer = sent.head(304, not_modified);
    (answer.requested_at, answer.received_at) = (after(100), after(100));
    policy.refresh(&sent.request(), &sent.options, &stored, &answer, after(100))
}

#[test]
fn a_validation_request_has_all_validators_that_are_well_formed() {
    // 4.3.1: the entity tags must be sent, and the date of the last modification should be.
    let get = Sent::get(&[]);
    let since = "if-modified-since: Sun, 22 Nov 2026 00:00:00 GMT";
    for (response, expected) in [
        (&["etag: \"1\""][..], &["if-none-match: \"1\""][..]),
        (&["etag: W/\"1\""], &["if-none-match: W/\"1\""]),
        (&["etag: \"a,b\""], &["if-none-match: \"a,b\""]),
        (&["etag: \"\""], &["if-none-match: \"\""]),
        (&["etag: \"1\"", OLD], &["if-none-match: \"1\"", since]),
        (&[OLD], &[since]),
        // RFC 9110, 8.8.3: what is no entity tag is not sent as one.
        (&["etag: *", OLD], &[since]),
        (&["etag: 1"], &[]),
        (&["etag: '1'"], &[]),
        (&["etag: w/\"1\""], &[]),
        (&["etag: \"1\", \"2\""], &[]),
        (&["etag: \"1\"", "etag: \"2\""], &[]),
        (&["last-modified: 0"], &[]),
        (&[], &[]),
    ] {
        assert_eq!(conditions(&get, response), headers(expected), "{response:?}");
    }
}

#[test]
fn the_stored_validators_stand_in_for_the_request_s_conditions() {
    for field in ["if-none-match: \"9\"", "if-modified-since: Sat, 21 Nov 2026 00:00:00 GMT"] {
        assert_eq!(conditions(&Sent::get(&[field]), &["etag: \"1\""]), headers(&["if-none-match: \"1\""]));
    }
    let head = Sent::new(Method::HEAD, URL, &[]);
    assert_eq!(conditions(&head, &["etag: \"1\""]), headers(&[]), "it has no content to save");
}

#[test]
fn a_304_is_about_what_has_its_validator() {
    // 4.3.4: a strong validator, else a weak one, else the only stored response without one.
    for (response, not_modified, expected) in [
        (&["etag: \"1\""][..], &["etag: \"1\""][..], true),
        (&["etag: \"1\""], &["etag: \"2\""], false),
        (&["etag: W/\"1\""], &["etag: \"1\""], false),
        (&["etag: \"1\"", OLD], &["etag: \"2\"", OLD], false),
        (&["etag: \"1\"", OLD], &["etag: \"1\"", NEW], true),
        (&["etag: W/\"1\""], &["etag: W/\"1\""], true),
        (&["etag: \"1\""], &["etag: W/\"1\""], true),
        (&["etag: \"1\""], &["etag: W/\"2\""], false),
        (&[OLD], &[OLD], true),
        (&[OLD], &[NEW], false),
        (&["etag: \"1\"", OLD], &[NEW], false),
        (&["etag: \"1\"", OLD], &[OLD], true),
        (&["etag: \"1\""], &[], true),
        (&[OLD], &[], true),
        (&[OLD], &["etag: \"1\""], false),
        (&["etag: \"1\""], &["etag: 1"], false),
    ] {
        let response = [&["cache-control: max-age=60"], response].concat();
        let is_validated = refreshed(&private(), &response, not_modified).is_some();
        assert_eq!(is_validated, expected, "{response:?} {not_modified:?}");
    }
    let sent = Sent::get(&[]);
    let stored = stored(&private(), &["cache-control: max-age=60", "etag: \"1\""]);
    for status in [200, 204, 206, 301, 412, 416, 500] {
        let answer = sent.head(status, &["etag: \"1\""]);
        let head = private().refresh(&sent.request(), &sent.options, &stored, &answer, NOW);
        assert_eq!(head, None, "{status}");
    }
}

#[test]
fn a_304_s_fields_are_added_and_replace_what_is_stored() {
    // 3.2: "the cache MUST add each header field in the provided response to the stored response, replacing field values
    // that are already present", but for those of 3.1, Content-Length and what the stored body depends on.
    let stored = [
        "cache-control: max-age=60",
        "etag: \"1\"",
        "content-length: 5",
        "content-encoding: gzip",
        "content-type: text/plain",
        "x-old: 1",
        "x-many: 1",
        "x-many: 2",
    ];
    let not_modified = [
        "cache-control: max-age=30",
        "etag: \"1\"",
        "date: Mon, 23 Nov 2026 00:01:40 GMT",
        "content-length: 0",
        "content-encoding: br",
        "content-range: bytes 0-1/2",
        "content-type: text/html",
        "x-many: 3",
        "x-new: 1",
        "x-new: 2",
        "connection: x-own",
        "x-own: 1",
        "keep-alive: timeout=5",
        "transfer-encoding: chunked",
    ];
    let expected = [
        "cache-control: max-age=30",
        "etag: \"1\"",
        "date: Mon, 23 Nov 2026 00:01:40 GMT",
        "content-length: 5",
        "content-encoding: gzip",
        "content-type: text/html",
        "x-old: 1",
        "x-many: 3",
        "x-new: 1",
        "x-new: 2",
    ];
    for policy in [private(), shared()] {
        let head = refreshed(&policy, &stored, &not_modified).expect("validated").head;
        assert_eq!(head.headers, headers(&expected));
        assert_eq!(head.status, 200);
    }
}

#[test]
fn a_304_makes_fresh_again_by_its_own_age_and_lifetime() {
    for (response, not_modified, age, lifetime) in [
        (&["cache-control: max-age=60"][..], &[][..], 0, 60),
        (&["cache-control: max-age=60"], &["cache-control: max-age=30"], 0, 30),
        (&["cache-control: max-age=60"], &["cache-control: public"], 0, 0),
        (&["cache-control: max-age=60", "age: 50"], &[], 0, 60),
        (&["cache-control: max-age=60"], &["age: 50"], 50, 60),
        (&["cache-control: max-age=60", "date: Mon, 23 Nov 2026 00:00:00 GMT"], &[], 0, 60),
        (&["cache-control: max-age=60"], &["date: Mon, 23 Nov 2026 00:01:30 GMT"], 10, 60),
        (&["cache-control: max-age=60"], &["expires: 0"], 0, 60),
        (
            &["expires: Mon, 23 Nov 2026 00:01:00 GMT"],
            &["expires: Mon, 23 Nov 2026 00:02:00 GMT", "date: Mon, 23 Nov 2026 00:01:40 GMT"],
            0,
            20,
        ),
    ] {
        let response = [response, &["etag: \"1\""]].concat();
        let head = refreshed(&private(), &response, not_modified).expect("validated").head;
        let freshness = private().freshness(&head, after(100));
        let shown = format!("{response:?} {not_modified:?}");
        assert_eq!((freshness.age, freshness.lifetime), (secs(age), Some(secs(lifetime))), "{shown}");
        assert_eq!((head.created_at, head.received_at), (NOW, after(100)), "{shown}");
    }
}

#[test]
fn a_304_that_forbids_to_store_ends_what_is_stored() {
    let response = ["cache-control: max-age=60", "etag: \"1\""];
    for (policy, not_modified, expected) in [
        (private(), "cache-control: max-age=60", Upkeep::Replace),
        (private(), "cache-control: no-store", Upkeep::Delete),
        (shared(), "cache-control: No-Store, max-age=60", Upkeep::Delete),
        (private(), "cache-control: no-store, must-understand, max-age=60", Upkeep::Replace),
        (private(), "vary: *", Upkeep::Delete),
        (private(), "cache-control: private", Upkeep::Replace),
    ] {
        let refreshed = refreshed(&policy, &response, &[not_modified]).expect("validated");
        assert_eq!(refreshed.upkeep, expected, "{not_modified}");
    }
}

#[test]
fn a_304_for_one_user_changes_nothing_that_is_for_all() {
    // 3.5.
    let response = ["cache-control: max-age=60", "etag: \"1\""];
    let private_304 = refreshed(&shared(), &response, &["cache-control: private"]).expect("validated");
    assert_eq!(private_304.upkeep, Upkeep::Leave);
    let token = Sent::get(&["authorization: Bearer a"]);
    let stored = stored(&shared(), &response);
    for (line, expected) in [
        ("max-age=60", Upkeep::Leave),
        ("max-age=60, public", Upkeep::Replace),
        ("s-maxage=60", Upkeep::Replace),
        ("max-age=60, must-revalidate", Upkeep::Replace),
    ] {
        let answer = token.head(304, &["etag: \"1\"", &format!("cache-control: {line}")]);
        let refreshed = shared().refresh(&token.request(), &token.options, &stored, &answer, after(1));
        assert_eq!(refreshed.expect("validated").upkeep, expected, "{line}");
    }
}

#[test]
fn a_304_may_change_what_selects_the_response_and_sets_no_cookie_for_all() {
    let response = ["cache-control: max-age=60", "etag: \"1\""];
    let head = refreshed(&private(), &response, &["vary: accept"]).expect("validated").head;
    assert_eq!(head.vary_fields, headers(&["accept: a"]));
    let cookie: Fields = &["set-cookie: a=b"];
    let cookies = |policy: &Policy| {
        refreshed(policy, &response, cookie).expect("validated").head.headers.contains_key("set-cookie")
    };
    assert!(cookies(&private()) && !cookies(&shared()));
}

#[test]
fn a_304_freshens_the_other_variants_with_its_strong_tag() {
    // 4.3.4: all stored responses with the same strong validator are to be updated.
    let sent = Sent::get(&["accept: a"]);
    for (tag, answered, expected) in [
        ("etag: \"1\"", "etag: \"1\"", true),
        ("etag: \"2\"", "etag: \"1\"", false),
        ("etag: W/\"1\"", "etag: W/\"1\"", false),
        ("etag: \"1\"", "etag: W/\"1\"", false),
        (OLD, OLD, false),
    ] {
        let response = sent.head(200, &["cache-control: max-age=60, public", "vary: accept", tag]);
        let stored = sent.storable(&private(), &response).expect("storable");
        let mut answer = sent.head(304, &[answered, "x-new: 1"]);
        (answer.requested_at, answer.received_at) = (after(100), after(100));
        let head = private().refresh_variant(&sent.request(), &stored, &answer, after(100));
        assert_eq!(head.is_some(), expected, "{tag} {answered}");
        if let Some(head) = head {
            assert_eq!(head.vary_fields, stored.vary_fields);
            assert_eq!(
                (&head.headers["x-new"], head.received_at),
                (&"1".parse().expect("a value"), after(100))
            );
        }
    }
}

#[test]
fn a_304_for_one_user_says_nothing_about_other_variants() {
    let sent = Sent::get(&["accept: a", "cookie: sid=a"]);
    let (same, other) = (["accept: a", "cookie: sid=a"], ["accept: a", "cookie: sid=b"]);
    let elsewhere = ["accept: b", "cookie: sid=a"];
    for (policy, line, asked, not_modified, expected) in [
        (private(), "max-age=60, public", other, "x-new: 1", true),
        (private(), "max-age=60, public", other, "set-cookie: sid=b", false),
        (private(), "max-age=60", same, "x-new: 1", true),
        (private(), "max-age=60", same, "set-cookie: sid=b", false),
        (private(), "max-age=60", other, "x-new: 1", false),
        (private(), "max-age=60", elsewhere, "x-new: 1", false),
        (private(), "private", same, "x-new: 1", true),
        (private(), "private", other, "x-new: 1", false),
        (shared(), "max-age=60", other, "x-new: 1", true),
        (shared(), "max-age=60", other, "cache-control: private", false),
    ] {
        let response = [&*format!("cache-control: {line}"), "vary: accept", "etag: \"1\""];
        let stored = sent.storable(&policy, &sent.head(200, &response)).expect("storable");
        let answer = sent.head(304, &["etag: \"1\"", not_modified]);
        let head = policy.refresh_variant(&Sent::get(&asked).request(), &stored, &answer, after(1));
        assert_eq!(head.is_some(), expected, "{line} {asked:?} {not_modified}");
    }
}

#[test]
fn what_is_validated_is_kept_past_its_expiry_until_its_delete_time() {
    let keeping = policy(CacheOptions::standard().keep_expired(secs(50)));
    let head =
        refreshed(&keeping, &["cache-control: max-age=60", "etag: \"1\""], &[]).expect("validated").head;
    assert_eq!((head.expires_at, head.delete_at), (Some(after(160)), Some(after(210))));
}
