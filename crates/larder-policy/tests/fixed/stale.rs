//! When a stale response answers because the origin failed.

use http::StatusCode;
use larder_policy::{CacheMode, CacheOptions, Failure, RequestOptions};

use super::hour;
use crate::support::{Fields, Sent, after, policy, secs};

/// Checks whether what is stored is used `age` seconds later, when the origin fails.
fn check(options: CacheOptions, response: Fields, sent: &Sent, age: u64, expected: bool) {
    let policy = policy(options);
    let plain = Sent::get(&[]);
    let stored = plain.storable(&policy, &plain.head(200, response)).expect("storable");
    for failure in [Failure::Unreachable, Failure::Status(StatusCode::BAD_GATEWAY)] {
        let is_used = policy.use_stale(&sent.request(), &sent.options, &stored, failure, after(age));
        assert_eq!(is_used, expected, "{:?} {:?} {response:?} {age} {failure:?}", sent.headers, sent.options);
    }
}

fn kept() -> CacheOptions {
    hour().stale_if_error(secs(60))
}

#[test]
fn a_stale_response_is_used_within_the_window() {
    let get = Sent::get(&[]);
    check(hour(), &[], &get, 3600, false);
    check(kept(), &[], &get, 3600, true);
    check(kept(), &[], &get, 3659, true);
    check(kept(), &[], &get, 3660, false);
    let own = |window| Sent::get(&[]).with(RequestOptions::default().stale_if_error(secs(window)));
    check(hour(), &[], &own(90), 3689, true);
    check(kept(), &[], &own(30), 3630, false);
    check(kept(), &[], &own(0), 3600, false);
}

#[test]
fn directives_go_before_the_options_where_they_are_read() {
    let read = || kept().cache_control(true);
    let get = Sent::get(&[]);
    let response: Fields = &["cache-control: stale-if-error=90"];
    check(kept(), response, &get, 3680, false);
    check(read(), response, &get, 3680, true);
    let request = Sent::get(&["cache-control: stale-if-error=10"]);
    check(read(), response, &request, 3611, false);
    check(kept(), response, &request, 3611, true);
    check(read(), &["cache-control: stale-if-error=x"], &get, 3601, false);
}

#[test]
fn what_must_be_validated_is_not_used() {
    let read = || kept().cache_control(true);
    for line in [&["cache-control: must-revalidate"][..], &["etag: \"1\"", "cache-control: no-cache"]] {
        check(read(), line, &Sent::get(&[]), 3600, false);
        check(kept(), line, &Sent::get(&[]), 3600, true);
    }
    let proxies: Fields = &["cache-control: proxy-revalidate"];
    check(read(), proxies, &Sent::get(&[]), 3600, true);
    check(read().shared(), proxies, &Sent::get(&[]), 3600, false);
}

#[test]
fn who_insists_on_the_origin_gets_its_failure() {
    for (mode, expected) in [
        (CacheMode::Default, true),
        (CacheMode::ForceCache, true),
        (CacheMode::Reload, false),
        (CacheMode::NoCache, false),
        (CacheMode::NoStore, false),
    ] {
        check(kept(), &[], &Sent::get(&[]).with(RequestOptions::default().mode(mode)), 3600, expected);
    }
    check(kept().cache_control(true), &[], &Sent::get(&["cache-control: no-cache"]), 3600, false);
}

#[test]
fn another_variant_does_not_stand_in() {
    check(kept(), &["vary: accept"], &Sent::get(&[]), 3600, true);
    check(kept(), &["vary: accept"], &Sent::get(&["accept: a"]), 3600, false);
}

#[test]
fn only_an_answer_that_says_that_the_origin_failed_is_replaced() {
    let (policy, sent) = (policy(kept()), Sent::get(&[]));
    let stored = sent.storable(&policy, &sent.head(200, &[])).expect("storable");
    for (status, expected) in
        [(500, true), (501, false), (502, true), (503, true), (504, true), (404, false), (505, false)]
    {
        let failure = Failure::Status(StatusCode::from_u16(status).expect("a status"));
        let is_used = policy.use_stale(&sent.request(), &sent.options, &stored, failure, after(3600));
        assert_eq!(is_used, expected, "{status}");
    }
}
