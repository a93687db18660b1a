//! What a request asks of the cache (RFC 9111, sections 5.2.1 and 5.4), and the modes that stand for it.

use http::Method;
use larder_policy::{CacheMode, Decision, Forward, RequestOptions};

use super::{done, private, shared, stored};
use crate::support::{Do, NOW, Sent, URL, after};

const REQUEST: Do = Do::Validate(Forward::Request);
const STALE: Do = Do::Validate(Forward::Stale);

/// What is stored: fresh for 60 seconds, 10 of them over.
const RESPONSE: [&str; 3] = ["cache-control: max-age=60", "age: 10", "etag: \"1\""];

/// Checks what is done about a request with this `Cache-Control`, `age` seconds after [`RESPONSE`] was stored.
#[track_caller]
fn check(line: &str, age: u64, expected: Do) {
    for policy in [private(), shared()] {
        let done = done(&policy, &RESPONSE, &[&format!("cache-control: {line}")], age);
        assert_eq!(done, expected, "{line} after {age}");
    }
}

#[test]
fn max_age_limits_the_age() {
    // 5.2.1.1: "the client prefers a response whose age is less than or equal to the specified number of seconds".
    check("max-age=9999", 0, Do::Use);
    check("max-age=30", 19, Do::Use);
    check("max-age=30", 21, REQUEST);
    check("max-age=10", 1, REQUEST);
    check("max-age=0", 0, REQUEST);
    check("MAX-AGE=0", 0, REQUEST);
    check("max-age=\"0\"", 0, REQUEST);
    check("max-age=30, max-age=0", 0, REQUEST);
    // It makes nothing fresher than it is.
    check("max-age=9999", 50, STALE);
    // What is no number is none.
    check("max-age=x", 0, REQUEST);
    check("max-age", 0, REQUEST);
    check("max-age=-1", 0, REQUEST);
}

#[test]
fn max_stale_takes_what_is_not_long_stale() {
    // 5.2.1.2: "a response that has exceeded its freshness lifetime by no more than the specified number of seconds", and
    // without a value one of any age.
    check("max-stale=30", 50, Do::Use);
    check("max-stale=30", 79, Do::Use);
    check("max-stale=30", 81, STALE);
    check("max-stale", 999_999, Do::Use);
    check("Max-Stale", 999_999, Do::Use);
    check("max-stale, max-stale=30", 81, STALE);
    for value in ["0", "x", "-1", "\"\""] {
        check(&format!("max-stale={value}"), 50, STALE);
    }
    check("max-stale=99999999999999999999", 999_999, Do::Use);
}

#[test]
fn what_says_no_lifetime_has_been_stale_for_as_long_as_it_is_old() {
    let response = ["age: 3000", "etag: \"1\""];
    for policy in [private(), shared()] {
        let done = |line: &str| done(&policy, &response, &[&format!("cache-control: {line}")], 10);
        assert_eq!(done("max-stale=3009"), STALE);
        assert_eq!(done("max-stale=3011"), Do::Use);
    }
}

#[test]
fn min_fresh_wants_it_fresh_for_longer() {
    // 5.2.1.3: "whose freshness lifetime is no less than its current age plus the specified time in seconds".
    check("min-fresh=30", 0, Do::Use);
    check("min-fresh=30", 19, Do::Use);
    check("min-fresh=30", 21, REQUEST);
    check("min-fresh=60", 0, REQUEST);
    check("min-fresh=x", 0, REQUEST);
    check("min-fresh", 0, REQUEST);
    check("min-fresh=1, min-fresh=60", 0, REQUEST);
    check("min-fresh=0", 50, STALE);
}

#[test]
fn the_stricter_of_two_decides() {
    check("max-age=30, max-stale", 21, REQUEST);
    check("max-age=30, max-stale", 70, STALE);
    check("min-fresh=1, max-stale", 50, STALE);
    check("max-age=100, max-stale=100", 60, Do::Use);
    check("no-cache, max-stale", 0, REQUEST);
}

#[test]
fn no_cache_wants_it_validated() {
    // 5.2.1.4.
    for line in ["no-cache", "No-Cache", "no-cache, foo", "max-age=99, no-cache", "no-cache=\"x\""] {
        check(line, 0, REQUEST);
    }
    // What cannot be read may have been that.
    for line in ["no cache", "\"no-cache\"", "a=\"b"] {
        check(line, 0, REQUEST);
    }
    let unvalidatable = done(&private(), &["cache-control: max-age=60"], &["cache-control: no-cache"], 0);
    assert_eq!(unvalidatable, Do::Fetch(Forward::Request));
}

#[test]
fn no_store_is_neither_answered_from_the_store_nor_stored() {
    // 5.2.1.5: "a cache MUST NOT store any part of either this request or any response to it".
    check("no-store", 0, Do::Fetch(Forward::Bypass));
    check("NO-STORE", 0, Do::Fetch(Forward::Bypass));
    check("max-age=9, no-store=1", 0, Do::Fetch(Forward::Bypass));
    for line in ["no-store", "No-Store", "foo, NO-STORE", "a=\"b, no-store"] {
        let sent = Sent::get(&[&format!("cache-control: {line}")]);
        for policy in [private(), shared()] {
            let response = sent.head(200, &RESPONSE);
            assert_eq!(
                sent.storable(&policy, &response),
                Err(larder_policy::NotStorable::RequestNoStore),
                "{line}"
            );
        }
    }
}

#[test]
fn only_if_cached_is_answered_from_the_store_or_with_504() {
    // 5.2.1.7.
    check("only-if-cached", 0, Do::Use);
    check("Only-If-Cached", 0, Do::Use);
    check("only-if-cached", 50, Do::Refuse);
    check("only-if-cached, max-stale", 50, Do::Use);
    check("only-if-cached, max-age=0", 0, Do::Refuse);
    check("only-if-cached, no-cache", 0, Do::Refuse);
    check("only-if-cached, no-store", 0, Do::Refuse);
    check("only-if-cached, min-fresh=99", 0, Do::Refuse);
    let sent = Sent::get(&["cache-control: only-if-cached"]);
    assert_eq!(sent.decide(&private(), None, NOW), Decision::Refuse);
    let post = Sent::new(Method::POST, URL, &["cache-control: only-if-cached"]);
    assert_eq!(post.decide(&private(), None, NOW), Decision::Refuse);
}

#[test]
fn no_transform_and_unknown_directives_ask_nothing() {
    // 5.2.1.6 is for those who transform; 5.2.3.
    check("no-transform", 49, Do::Use);
    check("foo, bar=1, baz=\"no-cache\"", 49, Do::Use);
    check("", 49, Do::Use);
    // These are directives of responses.
    check("must-revalidate, private, public, s-maxage=0, immutable", 49, Do::Use);
}

#[test]
fn pragma_counts_where_cache_control_is_not() {
    // 5.4 deprecates it; RFC 7234, 5.4, has it mean no-cache where Cache-Control is not present.
    for policy in [private(), shared()] {
        let with = |fields: &[&str]| done(&policy, &RESPONSE, fields, 0);
        assert_eq!(with(&["pragma: no-cache"]), REQUEST);
        assert_eq!(with(&["pragma: No-Cache"]), REQUEST);
        assert_eq!(with(&["pragma: foo, no-cache"]), REQUEST);
        assert_eq!(with(&["pragma: foo", "pragma: no-cache"]), REQUEST);
        assert_eq!(with(&["pragma: foo"]), Do::Use);
        assert_eq!(with(&["pragma: no-cache", "cache-control: max-age=30"]), Do::Use);
    }
}

#[test]
fn without_anything_stored_the_origin_is_asked_whatever_the_request_says() {
    for line in ["max-age=30", "max-stale", "min-fresh=1", "no-cache", "foo"] {
        let decision = Sent::get(&[&format!("cache-control: {line}")]).decide(&private(), None, NOW);
        assert_eq!(Do::from(decision), Do::Fetch(Forward::UriMiss), "{line}");
    }
}

#[test]
fn a_mode_is_a_request_s_directive_by_another_name() {
    let stored = stored(&private(), &RESPONSE);
    for (mode, fresh, stale) in [
        (CacheMode::Default, Do::Use, STALE),
        (CacheMode::NoStore, Do::Fetch(Forward::Bypass), Do::Fetch(Forward::Bypass)),
        (CacheMode::Reload, Do::Fetch(Forward::Request), Do::Fetch(Forward::Request)),
        (CacheMode::NoCache, REQUEST, REQUEST),
        (CacheMode::ForceCache, Do::Use, Do::Use),
        (CacheMode::OnlyIfCached, Do::Use, Do::Use),
    ] {
        let sent = Sent::get(&[]).with(RequestOptions::default().mode(mode));
        assert_eq!(Do::from(sent.decide(&private(), Some(&stored), NOW)), fresh, "{mode:?}");
        assert_eq!(Do::from(sent.decide(&private(), Some(&stored), after(50))), stale, "{mode:?}");
    }
}
