//! Freshness: where a lifetime comes from, and the arithmetic (RFC 9111, section 4.2).

use larder_policy::{CacheOptions, LifetimeSource, Policy, RequestOptions};

use super::{done, private, shared, stored};
use crate::support::{Do, Fields, NOW, Sent, after, policy, secs};

const EXPIRES: &str = "expires: Mon, 23 Nov 2026 00:00:30 GMT";
const MODIFIED: &str = "last-modified: Sun, 22 Nov 2026 23:50:00 GMT";

/// Checks the lifetime of a stored response and what it comes from.
#[track_caller]
fn check(policy: &Policy, response: &[&str], expected: u64, source: LifetimeSource) {
    let freshness = policy.freshness(&stored(policy, response), NOW);
    assert_eq!((freshness.lifetime, freshness.source), (Some(secs(expected)), source), "{response:?}");
}

#[test]
fn the_first_source_that_says_something_decides() {
    use LifetimeSource::{Expires, Heuristic, MaxAge, SMaxage};
    // 4.2.1: s-maxage in a shared cache, max-age, Expires less Date; 4.2.2: a heuristic.
    let all = ["cache-control: s-maxage=10, max-age=20", EXPIRES, MODIFIED];
    check(&shared(), &all, 10, SMaxage);
    check(&private(), &all, 20, MaxAge);
    check(&shared(), &["cache-control: max-age=20", EXPIRES, MODIFIED], 20, MaxAge);
    check(&private(), &["cache-control: s-maxage=10", EXPIRES, MODIFIED], 30, Expires);
    check(&private(), &["cache-control: public", EXPIRES, MODIFIED], 30, Expires);
    check(&private(), &["cache-control: s-maxage=10", MODIFIED], 60, Heuristic);
    check(&shared(), &[MODIFIED], 60, Heuristic);
    // 5.3: "If a response includes a Cache-Control header field with the max-age directive …, a recipient MUST ignore the
    // Expires header field", also one that is longer or invalid.
    check(&private(), &["cache-control: max-age=20", "expires: 0"], 20, MaxAge);
    check(&private(), &["cache-control: max-age=0", EXPIRES, "etag: \"1\""], 0, MaxAge);
    check(&shared(), &["cache-control: s-maxage=10", "expires: 0"], 10, SMaxage);
    check(&shared(), &["cache-control: max-age=0, s-maxage=10"], 10, SMaxage);
    check(&shared(), &["cache-control: max-age=10, s-maxage=0", "etag: \"1\""], 0, SMaxage);
    check(&shared(), &["cache-control: max-age=10, s-maxage=x", "etag: \"1\""], 0, SMaxage);
}

#[test]
fn a_tenth_of_the_time_since_it_was_modified_is_the_heuristic() {
    use LifetimeSource::Heuristic;
    // 4.2.2: "a typical setting of this fraction might be 10%".
    check(&private(), &["last-modified: Sun, 22 Nov 2026 00:00:00 GMT"], 8640, Heuristic);
    check(&private(), &["last-modified: Sunday, 22-Nov-26 00:00:00 GMT"], 8640, Heuristic);
    // No more than a week.
    check(&private(), &["last-modified: Fri, 23 Nov 1990 00:00:00 GMT"], 7 * 86_400, Heuristic);
    // Counted from when it was made.
    let made = ["date: Sun, 22 Nov 2026 01:00:00 GMT", "last-modified: Sun, 22 Nov 2026 00:00:00 GMT"];
    check(&private(), &made, 360, Heuristic);
}

#[test]
fn without_anything_to_go_by_a_response_is_stale_at_once() {
    use LifetimeSource::Nothing;
    for response in [
        &["etag: \"1\""][..],
        &["etag: \"1\"", "last-modified: yesterday"],
        &["etag: \"1\"", "last-modified: 0"],
        &["etag: \"1\"", "cache-control: public"],
    ] {
        check(&private(), response, 0, Nothing);
    }
    let later: Fields = &["last-modified: Tue, 24 Nov 2026 00:00:00 GMT"];
    assert_eq!(private().freshness(&stored(&private(), later), NOW).lifetime, Some(secs(0)));
}

#[test]
fn an_explicit_lifetime_leaves_no_place_for_a_heuristic() {
    // 4.2.2: "A cache MUST NOT use heuristics to determine freshness when an explicit expiration time is present".
    for line in ["cache-control: max-age=0", "cache-control: max-age=x", "expires: 0", "expires: x"] {
        let freshness = private().freshness(&stored(&private(), &[line, MODIFIED]), NOW);
        assert_eq!(freshness.lifetime, Some(secs(0)), "{line}");
    }
}

#[test]
fn the_options_say_how_long_where_the_response_does_not() {
    let by_url = || CacheOptions::standard().urls_expire_after([("site.com", secs(50))]);
    check(&policy(by_url()), &[], 50, LifetimeSource::Options);
    check(&policy(by_url()), &[MODIFIED], 50, LifetimeSource::Options);
    check(&policy(by_url()), &["cache-control: max-age=20"], 20, LifetimeSource::MaxAge);
    check(&policy(by_url()), &[EXPIRES], 30, LifetimeSource::Expires);
    let sent = Sent::get(&[]).with(RequestOptions::default().expire_after(secs(40)));
    let head = sent.storable(&private(), &sent.head(200, &[])).expect("storable");
    let freshness = private().freshness(&head, NOW);
    assert_eq!((freshness.lifetime, freshness.source), (Some(secs(40)), LifetimeSource::Options));
}

#[test]
fn no_request_says_how_long_a_response_is_fresh() {
    // 5.2.1.1: the request's max-age is a limit for that request.
    let sent = Sent::get(&["cache-control: max-age=9999"]);
    let head = sent.storable(&private(), &sent.head(200, &["cache-control: max-age=20"])).expect("storable");
    assert_eq!(private().freshness(&head, NOW).lifetime, Some(secs(20)));
}

#[test]
fn the_numbers_add_up() {
    // 4.2: response_is_fresh = (freshness_lifetime > current_age).
    let mut head = Sent::get(&[]).head(200, &["cache-control: max-age=60", "age: 10"]);
    head.requested_at = NOW.saturating_sub(secs(5));
    let head = Sent::get(&[]).storable(&private(), &head).expect("storable");
    let at = |seconds| private().freshness(&head, after(seconds));
    assert_eq!((at(0).age, at(0).lifetime, at(0).expires_at), (secs(15), Some(secs(60)), Some(after(45))));
    assert_eq!((at(44).age, at(44).expires_at), (secs(59), Some(after(45))));
    assert_eq!((at(100).age, at(100).expires_at), (secs(115), Some(after(45))));
    // One that came too late became stale before it came.
    let head = stored(&private(), &["cache-control: max-age=60", "age: 100", "etag: \"1\""]);
    let freshness = private().freshness(&head, NOW);
    assert_eq!((freshness.age, freshness.lifetime), (secs(100), Some(secs(60))));
    assert_eq!(freshness.expires_at, Some(NOW.saturating_sub(secs(40))));
}

#[test]
fn a_heuristic_lifetime_is_told_also_when_it_is_over() {
    let head = stored(&private(), &[MODIFIED, "age: 100"]);
    let freshness = private().freshness(&head, NOW);
    assert_eq!((freshness.lifetime, freshness.source), (Some(secs(60)), LifetimeSource::Heuristic));
    assert_eq!(freshness.expires_at, Some(NOW.saturating_sub(secs(40))));
}

#[test]
fn a_heuristic_lifetime_is_told_as_what_it_is_whenever_the_response_came() {
    let late = NOW.saturating_add(std::time::Duration::from_millis(567));
    let sent = Sent::get(&[]);
    let mut head = sent.head(200, &[MODIFIED]);
    (head.requested_at, head.received_at) = (late, late);
    let head = policy(CacheOptions::standard()).storable(&sent.request(), &sent.options, &head, late);
    let freshness = private().freshness(&head.expect("storable"), late);
    assert_eq!((freshness.lifetime, freshness.source), (Some(secs(60)), LifetimeSource::Heuristic));
}

#[test]
fn fresh_is_less_than_the_lifetime_to_the_second() {
    for (response, lifetime) in [
        (&["cache-control: max-age=60"][..], 60),
        (&[EXPIRES], 30),
        (&["last-modified: Sun, 22 Nov 2026 00:00:00 GMT"], 8640),
    ] {
        for policy in [private(), shared()] {
            assert_eq!(done(&policy, response, &[], 0), Do::Use, "{response:?}");
            assert_eq!(done(&policy, response, &[], lifetime - 1), Do::Use, "{response:?}");
            assert_ne!(done(&policy, response, &[], lifetime), Do::Use, "{response:?}");
        }
    }
}
