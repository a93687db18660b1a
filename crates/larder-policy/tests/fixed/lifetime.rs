//! When a response expires: the order of the sources, and how each is read.

use larder_core::Timestamp;
use larder_policy::{CacheOptions, Expiry, NotStorable, RequestOptions};

use super::hour;
use crate::support::{Fields, NOW, Sent, after, headers, policy, secs};

/// Checks when a response with `response` to a request with `request` expires, NOW at the earliest; it can be validated.
fn check(options: CacheOptions, sent: &Sent, response: Fields, expected: Option<Timestamp>) {
    let shown = format!("{:?} {:?} {response:?} {options:?}", sent.headers, sent.options);
    let mut head = sent.head(200, response);
    head.headers.extend(headers(&["etag: \"1\""]));
    let stored = sent.storable(&policy(options), &head).expect(&shown);
    let expires_at = stored.expires_at.map(|expires_at| expires_at.max(NOW));
    assert_eq!(expires_at, expected, "{shown}");
}

/// Each source gives a lifetime of its own, of as many seconds as its place: 1 is the first that is asked.
#[test]
fn the_first_source_that_says_something_decides() {
    for present in 0..16_u8 {
        let has = |source: u8| present & (1 << (source - 1)) != 0;
        for cache_control in [true, false] {
            let mut options = CacheOptions::fixed(secs(5)).cache_control(cache_control);
            if has(4) {
                options = options.urls_expire_after([("site.com", secs(4))]);
            }
            let mut sent = Sent::get(if has(1) { &["cache-control: max-age=1"] } else { &[] });
            if has(3) {
                sent = sent.with(RequestOptions::default().expire_after(secs(3)));
            }
            let response: Fields = if has(2) { &["cache-control: max-age=2"] } else { &[] };
            let asked = if cache_control { 1..=4 } else { 3..=4 };
            let first = asked.into_iter().find(|source| has(*source)).unwrap_or(5);
            check(options, &sent, response, Some(after(first.into())));
        }
    }
}

#[test]
fn an_expiry_of_the_session_is_what_it_says() {
    let check = |expiry: Expiry, expected| check(CacheOptions::fixed(expiry), &Sent::get(&[]), &[], expected);
    check(Expiry::Never, None);
    check(Expiry::Immediately, Some(NOW));
    check(secs(60).into(), Some(after(60)));
    check(after(60).into(), Some(after(60)));
    check(Timestamp::UNIX_EPOCH.into(), Some(NOW));
}

#[test]
fn the_first_pattern_that_matches_decides() {
    let urls =
        [("site.com/a/b", secs(1)), ("*.site.com", secs(2)), ("site.com/a", secs(3)), ("site.com", secs(4))];
    for (url, expected) in [
        ("http://site.com/a/b/c", 1),
        ("http://www.site.com/a/b", 2),
        ("http://site.com/a/c", 3),
        ("http://site.com/b", 4),
        ("http://evil.org/?site.com", 3600),
    ] {
        let sent = Sent::new(http::Method::GET, url, &[]);
        check(hour().urls_expire_after(urls), &sent, &[], Some(after(expected)));
    }
    let everything = hour().urls_expire_after([("site.com", secs(1))]).urls_expire_after([("*", secs(2))]);
    check(everything, &Sent::new(http::Method::GET, "http://a/", &[]), &[], Some(after(2)));
}

#[test]
fn fields_of_the_response_are_read_if_they_are_to_be() {
    let check = |response, expected| {
        check(hour().cache_control(true), &Sent::get(&[]), response, Some(after(expected)));
        check(hour(), &Sent::get(&[]), response, Some(after(3600)));
    };
    check(&[], 3600);
    check(&["cache-control: public"], 3600);
    check(&["cache-control: max-age=60"], 60);
    check(&["cache-control: max-age=60", "expires: Mon, 23 Nov 2026 01:00:00 GMT"], 60);
    check(&["cache-control: s-maxage=60"], 3600);
    check(&["cache-control: no-cache, max-age=60"], 0);
    check(&["cache-control: max-age=0"], 0);
    check(&["cache-control: max-age=x"], 0);
    check(&["cache-control: max-age=60; public"], 0);
    check(&["cache-control: max-age=9999999999999"], 1 << 31);
    check(&["cache-control: max-age=60", "age: 20"], 40);
    check(&["cache-control: max-age=60", "age: 100"], 0);
    check(&["cache-control: max-age=60", "age: x"], 60);
    check(&["cache-control: max-age=60", "age: 99999999999999999999"], 0);
    check(&["cache-control: max-age=60", "age: 5, 20"], 55);
    check(&["cache-control: max-age=60", "date: Sun, 22 Nov 2026 23:59:30 GMT"], 30);
    check(&["cache-control: max-age=60", "date: Mon, 23 Nov 2026 00:00:30 GMT"], 60);
    check(&["cache-control: max-age=60", "date: yesterday"], 60);
}

#[test]
fn expires_is_read_in_three_formats_and_is_past_in_any_other() {
    let check = |response, expected| {
        check(hour().cache_control(true), &Sent::get(&[]), response, Some(after(expected)));
    };
    check(&["expires: Mon, 23 Nov 2026 00:01:00 GMT"], 60);
    check(&["expires: Monday, 23-Nov-26 00:01:00 GMT"], 60);
    check(&["expires: Mon Nov 23 00:01:00 2026"], 60);
    check(&["expires: Sun, 22 Nov 2026 00:00:00 GMT"], 0);
    check(&["expires: 0"], 0);
    check(&["expires: -1"], 0);
    check(&["expires: Mon, 23 Nov 2026 00:01:00 CET"], 0);
    check(&["expires: Mon, 23 Nov 2026 00:01:00 GMT", "expires: 0"], 0);
    check(&["expires: Mon, 23 Nov 2026 01:00:00 GMT", "expires: Mon, 23 Nov 2026 00:01:00 GMT"], 60);
    // A clock that is behind: what counts is how long the origin means.
    check(&["date: Sun, 22 Nov 2026 00:00:00 GMT", "expires: Sun, 22 Nov 2026 00:01:00 GMT"], 0);
    check(&["date: Mon, 23 Nov 2026 00:10:00 GMT", "expires: Mon, 23 Nov 2026 00:11:00 GMT"], 60);
}

#[test]
fn s_maxage_is_for_a_shared_cache() {
    let response: Fields = &["cache-control: s-maxage=20, max-age=60"];
    check(hour().cache_control(true), &Sent::get(&[]), response, Some(after(60)));
    check(hour().cache_control(true).shared(), &Sent::get(&[]), response, Some(after(20)));
}

#[test]
fn no_request_says_how_long_the_others_of_a_shared_cache_are_content() {
    let sent = Sent::get(&["cache-control: max-age=9999"]);
    check(hour().cache_control(true).shared(), &sent, &[], Some(after(3600)));
    check(hour().cache_control(true).shared(), &sent, &["cache-control: max-age=60"], Some(after(60)));
    check(hour().cache_control(true), &sent, &["cache-control: max-age=60"], Some(after(9999)));
}

#[test]
fn time_on_the_way_counts_as_age() {
    let sent = Sent::get(&[]);
    let mut head = sent.head(200, &["cache-control: max-age=60", "age: 10"]);
    head.requested_at = NOW.saturating_sub(secs(5));
    let stored = sent.storable(&policy(hour().cache_control(true)), &head).expect("storable");
    assert_eq!(stored.expires_at, Some(after(45)));
}

#[test]
fn what_came_too_late_has_expired_before() {
    for (response, seconds) in [
        (&["cache-control: max-age=60", "age: 100"][..], 40),
        (&["date: Sun, 22 Nov 2026 00:00:00 GMT", "expires: Sun, 22 Nov 2026 00:01:00 GMT"], 86_340),
    ] {
        let sent = Sent::get(&[]);
        let mut head = sent.head(200, response);
        head.headers.extend(headers(&["etag: \"1\""]));
        let stored = sent.storable(&policy(hour().cache_control(true)), &head).expect("storable");
        assert_eq!(stored.expires_at, Some(NOW.saturating_sub(secs(seconds))), "{response:?}");
    }
}

#[test]
fn what_is_not_to_be_stored_is_not_unless_the_response_asks_for_it_against_the_session() {
    let check = |options: CacheOptions, sent: &Sent, response, expected: Result<u64, NotStorable>| {
        let stored = sent.storable(&policy(options), &sent.head(200, response));
        assert_eq!(
            stored.map(|head| head.expires_at),
            expected.map(|seconds| Some(after(seconds))),
            "{response:?}"
        );
    };
    let never: Expiry = Expiry::DoNotStore;
    let explicit: Fields = &["cache-control: max-age=60"];
    let plain = Sent::get(&[]);
    let own = plain.clone().with(RequestOptions::default().expire_after(never));
    let of_url = || hour().urls_expire_after([("site.com", never)]);
    check(CacheOptions::fixed(never), &plain, explicit, Err(NotStorable::Expiry));
    check(CacheOptions::fixed(never).cache_control(true), &plain, explicit, Ok(60));
    check(CacheOptions::fixed(never).cache_control(true), &plain, &[], Err(NotStorable::Expiry));
    check(CacheOptions::fixed(never).urls_expire_after([("site.com", secs(5))]), &plain, &[], Ok(5));
    check(of_url(), &plain, &[], Err(NotStorable::Expiry));
    check(of_url().cache_control(true), &plain, explicit, Err(NotStorable::Expiry));
    check(hour().cache_control(true), &own, explicit, Err(NotStorable::Expiry));
    check(of_url(), &plain.clone().with(RequestOptions::default().expire_after(secs(5))), &[], Ok(5));
}
