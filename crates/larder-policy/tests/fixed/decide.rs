//! What is done about a request, given what is stored.

use http::{HeaderMap, Method, StatusCode};
use larder_core::{ResponseHead, Timestamp};
use larder_policy::{CacheMode, CacheOptions, Decision, Expiry, Failure, Forward, RequestOptions};

use super::hour;
use crate::support::{Do, Fields, NOW, Sent, URL, after, headers, policy, secs};

const TAG: Fields = &["etag: \"1\""];

/// Returns what is stored of a response to a GET without fields.
fn stored(options: CacheOptions, response: &[&str]) -> ResponseHead {
    let sent = Sent::get(&[]);
    sent.storable(&policy(options), &sent.head(200, response)).expect("storable")
}

/// Checks what is done `age` seconds after a response was stored by the same options.
fn check(options: &CacheOptions, response: &[&str], sent: &Sent, age: u64, expected: Do) {
    let stored = stored(options.clone(), response);
    let decision = sent.decide(&policy(options.clone()), Some(&stored), after(age));
    assert_eq!(Do::from(decision), expected, "{:?} {:?} {response:?} {age}", sent.headers, sent.options);
}

fn mode(mode: CacheMode) -> Sent {
    Sent::get(&[]).with(RequestOptions::default().mode(mode))
}

#[test]
fn a_response_is_used_until_it_expires_and_then_validated() {
    let get = Sent::get(&[]);
    check(&hour(), TAG, &get, 0, Do::Use);
    check(&hour(), TAG, &get, 3599, Do::Use);
    check(&hour(), TAG, &get, 3600, Do::Validate(Forward::Stale));
    check(&hour(), &[], &get, 3600, Do::Fetch(Forward::Stale));
    check(&CacheOptions::fixed(Expiry::Never), &[], &get, u64::MAX, Do::Use);
    check(&CacheOptions::fixed(Expiry::Immediately), TAG, &get, 0, Do::Validate(Forward::Stale));
}

#[test]
fn conditions_are_the_well_formed_validators() {
    let date = "last-modified: Sun, 22 Nov 2026 00:00:00 GMT";
    for (response, expected) in [
        (&["etag: \"1\""][..], &["if-none-match: \"1\""][..]),
        (&["etag: W/\"1\""], &["if-none-match: W/\"1\""]),
        (
            &["etag: \"1\"", date],
            &["if-none-match: \"1\"", "if-modified-since: Sun, 22 Nov 2026 00:00:00 GMT"],
        ),
        (&[date], &["if-modified-since: Sun, 22 Nov 2026 00:00:00 GMT"]),
        (&["etag: *", date], &["if-modified-since: Sun, 22 Nov 2026 00:00:00 GMT"]),
        (&["etag: 1"], &[]),
        (&["etag: \"1\", \"2\""], &[]),
        (&["etag: \"1\"", "etag: \"2\""], &[]),
        (&["last-modified: yesterday"], &[]),
        (&["last-modified: 0"], &[]),
    ] {
        let conditions =
            match mode(CacheMode::NoCache).decide(&policy(hour()), Some(&stored(hour(), response)), NOW) {
                Decision::Validate { conditions, reason: Forward::Request } => conditions,
                Decision::Fetch { reason: Forward::Request } => HeaderMap::new(),
                other => panic!("{other:?}"),
            };
        assert_eq!(conditions, headers(expected), "{response:?}");
    }
    let post = || Sent::new(Method::POST, URL, &[]).with(RequestOptions::default().refresh());
    let allowed = hour().allowed_methods([Method::GET, Method::POST]);
    check(&allowed, TAG, &post(), 0, Do::Fetch(Forward::Request));
}

#[test]
fn nothing_stored_is_fetched_or_refused() {
    for (asked, expected) in [
        (CacheMode::Default, Do::Fetch(Forward::UriMiss)),
        (CacheMode::NoStore, Do::Fetch(Forward::Bypass)),
        (CacheMode::Reload, Do::Fetch(Forward::Request)),
        (CacheMode::NoCache, Do::Fetch(Forward::UriMiss)),
        (CacheMode::ForceCache, Do::Fetch(Forward::UriMiss)),
        (CacheMode::OnlyIfCached, Do::Refuse),
    ] {
        assert_eq!(Do::from(mode(asked).decide(&policy(hour()), None, NOW)), expected, "{asked:?}");
    }
    let sent = Sent::get(&["cache-control: only-if-cached"]);
    assert_eq!(Do::from(sent.decide(&policy(hour().cache_control(true)), None, NOW)), Do::Refuse);
    assert_eq!(Do::from(sent.decide(&policy(hour()), None, NOW)), Do::Fetch(Forward::UriMiss));
}

#[test]
fn a_mode_decides_about_what_is_stored() {
    use Forward::{Bypass, Request, Stale};
    for (asked, fresh, stale) in [
        (CacheMode::Default, Do::Use, Do::Validate(Stale)),
        (CacheMode::NoStore, Do::Fetch(Bypass), Do::Fetch(Bypass)),
        (CacheMode::Reload, Do::Fetch(Request), Do::Fetch(Request)),
        (CacheMode::NoCache, Do::Validate(Request), Do::Validate(Request)),
        (CacheMode::ForceCache, Do::Use, Do::Use),
        (CacheMode::OnlyIfCached, Do::Use, Do::Use),
    ] {
        for options in [hour(), hour().cache_control(true)] {
            check(&options, TAG, &mode(asked), 0, fresh);
            check(&options, TAG, &mode(asked), 9999, stale);
        }
    }
}

#[test]
fn what_a_response_forbids_no_mode_allows_where_it_is_read() {
    let read = hour().cache_control(true);
    for line in ["cache-control: no-cache", "cache-control: foo bar"] {
        let response = ["etag: \"1\"", line];
        check(&read, &response, &mode(CacheMode::Default), 0, Do::Validate(Forward::Stale));
        check(&read, &response, &mode(CacheMode::ForceCache), 0, Do::Validate(Forward::Stale));
        check(&read, &response, &mode(CacheMode::OnlyIfCached), 0, Do::Refuse);
        check(&hour(), &response, &mode(CacheMode::Default), 0, Do::Use);
    }
    let revalidated = ["etag: \"1\"", "cache-control: must-revalidate"];
    check(&read, &revalidated, &mode(CacheMode::ForceCache), 0, Do::Use);
    check(&read, &revalidated, &mode(CacheMode::ForceCache), 3600, Do::Validate(Forward::Stale));
    check(&read, &revalidated, &mode(CacheMode::OnlyIfCached), 3600, Do::Refuse);
    check(&hour(), &revalidated, &mode(CacheMode::ForceCache), 3600, Do::Use);
    let by_proxies = ["cache-control: proxy-revalidate"];
    check(&read, &by_proxies, &mode(CacheMode::ForceCache), 3600, Do::Use);
    check(&read.clone().shared(), &by_proxies, &mode(CacheMode::ForceCache), 3600, Do::Fetch(Forward::Stale));
}

#[test]
fn an_immutable_response_is_not_refreshed_while_it_is_fresh() {
    let read = hour().cache_control(true);
    let immutable = ["etag: \"1\"", "cache-control: max-age=60, immutable"];
    check(&read, &immutable, &mode(CacheMode::NoCache), 59, Do::Use);
    check(&read, &immutable, &mode(CacheMode::NoCache), 60, Do::Validate(Forward::Request));
    check(&read, &immutable, &mode(CacheMode::Reload), 0, Do::Fetch(Forward::Request));
    check(&read, &immutable, &Sent::get(&["cache-control: no-cache"]), 0, Do::Validate(Forward::Request));
    check(&hour(), &immutable, &mode(CacheMode::NoCache), 0, Do::Validate(Forward::Request));
}

#[test]
fn the_request_s_directives_are_read_if_they_are_to_be() {
    use Forward::{Bypass, Request, Stale};
    let revalidated = ["etag: \"1\"", "cache-control: must-revalidate"];
    let read = hour().cache_control(true);
    let check = |fields: &[&str], age, expected| {
        check(&read, TAG, &Sent::get(fields), age, expected);
        let otherwise = if age < 3600 { Do::Use } else { Do::Validate(Stale) };
        check(&hour(), TAG, &Sent::get(fields), age, otherwise);
    };
    check(&["cache-control: no-store"], 0, Do::Fetch(Bypass));
    check(&["cache-control: no-cache"], 0, Do::Validate(Request));
    check(&["pragma: no-cache"], 0, Do::Validate(Request));
    check(&["cache-control: max-age=60"], 59, Do::Use);
    check(&["cache-control: max-age=60"], 60, Do::Validate(Request));
    check(&["cache-control: max-age=0"], 0, Do::Validate(Request));
    check(&["cache-control: max-age=x"], 0, Do::Validate(Request));
    check(&["cache-control: max-age=9999"], 3600, Do::Validate(Stale));
    check(&["cache-control: min-fresh=60"], 3539, Do::Use);
    check(&["cache-control: min-fresh=60"], 3540, Do::Validate(Request));
    check(&["cache-control: max-stale"], 99_999_999, Do::Use);
    check(&["cache-control: max-stale=60"], 3659, Do::Use);
    check(&["cache-control: max-stale=60"], 3660, Do::Validate(Stale));
    check(&["cache-control: max-stale=60, max-age=10"], 3601, Do::Validate(Stale));
    check(&["cache-control: max-stale, min-fresh=9"], 3601, Do::Validate(Stale));
    check(&["cache-control: max-stale, no-cache"], 0, Do::Validate(Request));
    check(&["cache-control: only-if-cached"], 0, Do::Use);
    check(&["cache-control: only-if-cached"], 3600, Do::Refuse);
    check(&["cache-control: only-if-cached, max-stale"], 3600, Do::Use);
    check(&["cache-control: only-if-cached, no-cache"], 0, Do::Refuse);
    super::decide::check(
        &read,
        &revalidated,
        &Sent::get(&["cache-control: max-stale"]),
        3600,
        Do::Validate(Stale),
    );
}

#[test]
fn a_request_may_want_less_than_is_stored_and_not_more() {
    let own = |expiry: Expiry| Sent::get(&[]).with(RequestOptions::default().expire_after(expiry));
    let minute: Expiry = secs(60).into();
    check(&hour(), TAG, &own(minute), 59, Do::Use);
    check(&hour(), TAG, &own(minute), 60, Do::Validate(Forward::Request));
    check(&hour(), TAG, &own(Expiry::Immediately), 0, Do::Validate(Forward::Request));
    check(&hour(), TAG, &own(after(10).into()), 10, Do::Validate(Forward::Request));
    check(&hour(), TAG, &own(Expiry::Never), 3600, Do::Validate(Forward::Stale));
    check(&hour(), TAG, &own(Expiry::DoNotStore), 0, Do::Fetch(Forward::Bypass));
    let explicit = ["cache-control: max-age=600"];
    check(&hour().cache_control(true), &explicit, &own(minute), 60, Do::Use);
    check(&hour(), &explicit, &own(minute), 60, Do::Fetch(Forward::Request));
}

#[test]
fn another_variant_is_not_used_in_any_mode() {
    let german = Sent::get(&["accept-language: de"]);
    let policy = policy(hour());
    let response = german.head(200, &["vary: accept-language, cookie", "etag: \"1\""]);
    let stored = german.storable(&policy, &response).expect("storable");
    for (fields, expected) in [
        (&["accept-language: de"][..], Do::Use),
        (&["accept-language:  de "], Do::Use),
        (&["accept-language: de", "accept: a"], Do::Use),
        (&["accept-language: en"], Do::Fetch(Forward::VaryMiss)),
        (&["accept-language: de", "accept-language: en"], Do::Fetch(Forward::VaryMiss)),
        (&["accept-language: de", "cookie: a=b"], Do::Fetch(Forward::VaryMiss)),
        (&[], Do::Fetch(Forward::VaryMiss)),
    ] {
        assert_eq!(Do::from(Sent::get(fields).decide(&policy, Some(&stored), NOW)), expected, "{fields:?}");
    }
    let forced = |mode| Sent::get(&[]).with(RequestOptions::default().mode(mode));
    let decision = forced(CacheMode::ForceCache).decide(&policy, Some(&stored), NOW);
    assert_eq!(Do::from(decision), Do::Fetch(Forward::VaryMiss));
    let decision = forced(CacheMode::OnlyIfCached).decide(&policy, Some(&stored), NOW);
    assert_eq!(Do::from(decision), Do::Refuse);
}

#[test]
fn one_cookie_s_variant_is_for_that_cookie() {
    let (a, b) = (Sent::get(&["cookie: sid=a"]), Sent::get(&["cookie: sid=b"]));
    let policy = policy(hour());
    let stored = a.storable(&policy, &a.head(200, &["vary: cookie"])).expect("storable");
    assert_eq!(Do::from(a.decide(&policy, Some(&stored), NOW)), Do::Use);
    assert_eq!(Do::from(b.decide(&policy, Some(&stored), NOW)), Do::Fetch(Forward::VaryMiss));
}

#[test]
fn what_cannot_answer_the_request_is_not_used() {
    let policy = policy(hour().allowed_methods([Method::GET, Method::HEAD]));
    let decide = |sent: &Sent, stored: &ResponseHead| Do::from(sent.decide(&policy, Some(stored), NOW));
    let (get, head) = (Sent::get(&[]), Sent::new(Method::HEAD, URL, &[]));
    assert_eq!(decide(&head, &stored(hour(), &[])), Do::Use, "a HEAD is answered from a GET");
    assert_eq!(decide(&get, &head.head(200, &[])), Do::Fetch(Forward::Miss), "a GET is not from a HEAD");
    let mut part = stored(hour(), &[]);
    part.status = StatusCode::PARTIAL_CONTENT;
    assert_eq!(decide(&get, &part), Do::Fetch(Forward::Partial));
    let mut any = stored(hour(), &[]);
    any.headers = headers(&["vary: *"]);
    assert_eq!(decide(&get, &any), Do::Fetch(Forward::VaryMiss));
}

#[test]
fn requests_that_bypass_the_cache_are_not_answered_by_it() {
    let post = Sent::new(Method::POST, URL, &[]);
    check(&hour(), TAG, &post, 0, Do::Fetch(Forward::Method));
    check(&hour(), TAG, &Sent::get(&["if-match: \"1\""]), 0, Do::Fetch(Forward::Bypass));
    let unmodified = Sent::get(&["if-unmodified-since: Mon, 23 Nov 2026 00:00:00 GMT"]);
    check(&hour(), TAG, &unmodified, 0, Do::Fetch(Forward::Bypass));
    let offline =
        |method| Sent::new(method, URL, &[]).with(RequestOptions::default().mode(CacheMode::OnlyIfCached));
    check(&hour(), TAG, &offline(Method::POST), 0, Do::Refuse);
}

#[test]
fn requests_for_a_part_or_a_change_are_answered_from_the_whole() {
    let policy = policy(hour());
    let stored = stored(hour(), TAG);
    for (fields, status, body) in [
        (&["range: bytes=0-1"][..], 206, Some(0..2)),
        (&["range: bytes=9-"], 416, Some(0..0)),
        (&["if-none-match: \"1\""], 304, Some(0..0)),
        (&["if-none-match: \"2\""], 200, None),
        (&["range: bytes=0-1", "if-range: \"1\""], 206, Some(0..2)),
        (&["range: bytes=0-1", "if-range: \"2\""], 200, None),
    ] {
        let sent = Sent::get(fields);
        assert_eq!(Do::from(sent.decide(&policy, Some(&stored), NOW)), Do::Use, "{fields:?}");
        let answer = policy.present(&sent.request(), stored.clone(), Some(5), NOW);
        assert_eq!((answer.head.status.as_u16(), answer.body), (status, body), "{fields:?}");
        assert!(!answer.head.headers.contains_key("age"), "its age is no matter here");
    }
}

#[test]
fn the_ends_of_time_are_no_panic() {
    for now in [Timestamp::from_millis(i64::MIN), Timestamp::MAX] {
        for expiry in [Expiry::Never, Expiry::Immediately, secs(u64::MAX).into(), Timestamp::MAX.into()] {
            let policy = policy(CacheOptions::fixed(expiry).cache_control(true).stale_if_error(secs(1)));
            let sent = Sent::get(&["cache-control: max-stale, stale-if-error=1"]);
            let stored = sent.storable(&policy, &sent.head(200, TAG)).expect("storable");
            let _ = sent.decide(&policy, Some(&stored), now);
            let _ = policy.use_stale(&sent.request(), &sent.options, &stored, Failure::Unreachable, now);
            let response = ResponseHead::new(Method::GET, sent.url.clone(), StatusCode::OK, now);
            let _ = policy.storable(&sent.request(), &sent.options, &response, NOW);
            let _ = policy.storable(&sent.request(), &sent.options, &response, now);
        }
    }
}

#[test]
fn reasons_are_the_tokens_of_cache_status() {
    use Forward::{Bypass, Method, Miss, Partial, Request, Stale, UriMiss, VaryMiss};
    let all = [Bypass, Method, UriMiss, VaryMiss, Miss, Request, Stale, Partial];
    let tokens = ["bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"];
    assert_eq!(all.map(|reason| reason.to_string()), tokens);
}
