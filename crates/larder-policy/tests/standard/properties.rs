//! Who forbids more gets less reuse: a response, a request, and a cache that is shared.

use http::StatusCode;
use larder_policy::{CacheMode, CacheOptions, Decision, Failure, Policy, RequestOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{private, shared};
use crate::support::{Sent, after, policy, secs};

/// How freely a response is reused, from not being stored to being used.
fn reuse(policy: &Policy, response: &[&str], request: &Sent, age: u64) -> u8 {
    let sent = Sent::get(&[]);
    let Ok(stored) = sent.storable(policy, &sent.head(200, response)) else { return 0 };
    match request.decide(policy, Some(&stored), after(age)) {
        Decision::Use => 4,
        Decision::UseWhileValidating { .. } => 3,
        Decision::Validate { .. } => 2,
        _ => 1,
    }
}

/// Returns whether the response is used when the origin fails.
fn stands_in(policy: &Policy, response: &[&str], request: &Sent, failure: Failure, age: u64) -> bool {
    let sent = Sent::get(&[]);
    sent.storable(policy, &sent.head(200, response)).is_ok_and(|stored| {
        policy.use_stale(&request.request(), &request.options, &stored, failure, after(age))
    })
}

fn response_directives() -> impl Strategy<Value = Vec<&'static str>> {
    let known = vec![
        "max-age=60",
        "max-age=600",
        "s-maxage=60",
        "immutable",
        "public",
        "no-transform",
        "stale-if-error=60",
        "stale-while-revalidate=60",
        "foo=\"a, b\"",
    ];
    vec(select(known), 0..4)
}

fn request_directives() -> impl Strategy<Value = Vec<&'static str>> {
    let known = vec!["max-stale", "max-stale=60", "max-age=100", "min-fresh=9", "stale-if-error=60", "foo"];
    vec(select(known), 0..3)
}

fn other_field() -> impl Strategy<Value = &'static str> {
    select(vec![
        "foo: bar",
        "expires: Mon, 23 Nov 2026 00:01:00 GMT",
        "last-modified: Sun, 22 Nov 2026 23:50:00 GMT",
        "age: 50",
        "date: Sun, 22 Nov 2026 23:59:30 GMT",
    ])
}

fn any_mode() -> impl Strategy<Value = CacheMode> {
    select(vec![CacheMode::Default, CacheMode::NoCache, CacheMode::ForceCache, CacheMode::OnlyIfCached])
}

fn any_failure() -> impl Strategy<Value = Failure> {
    select(vec![Failure::Unreachable, Failure::Status(StatusCode::BAD_GATEWAY)])
}

pub(super) fn any_age() -> impl Strategy<Value = u64> {
    select(vec![0, 9, 10, 30, 51, 59, 60, 61, 119, 120, 300, 599, 600, 659, 660, 9999])
}

fn line(directives: &[&str]) -> String {
    format!("cache-control: {}", directives.join(", "))
}

/// Returns the directives with one more at a place among them.
fn with<'a>(directives: &[&'a str], more: &'a str, place: usize) -> Vec<&'a str> {
    let mut all = directives.to_vec();
    all.insert(place.min(all.len()), more);
    all
}

pub(super) fn any_policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>()).prop_map(|(is_shared, is_kept)| {
        let options = if is_shared { CacheOptions::standard().shared() } else { CacheOptions::standard() };
        policy(if is_kept { options.stale_if_error(secs(90)) } else { options })
    })
}

proptest! {
    #[test]
    fn a_stricter_response_is_never_reused_more_freely(
        policy in any_policy(),
        directives in response_directives(),
        stricter in select(vec![
            "no-store", "no-cache", "must-revalidate", "private", "proxy-revalidate", "max-age=0", "max-age=x",
            "s-maxage=0", "no-cache=\"x\"", "stale-if-error=0", "stale-while-revalidate=0", "foo bar", "\"", "=",
        ]),
        place in 0..5_usize,
        (other, request, mode, age) in (other_field(), request_directives(), any_mode(), any_age()),
        failure in any_failure(),
    ) {
        let request = Sent::get(&[&line(&request)]).with(RequestOptions::default().mode(mode));
        let (before, then) = (line(&directives), line(&with(&directives, stricter, place)));
        let (before, then) = (["etag: \"1\"", other, &before], ["etag: \"1\"", other, &then]);
        let both = [&before, &then].map(|response| reuse(&policy, response, &request, age));
        prop_assert!(both[1] <= both[0], "{before:?} is {}, {then:?} is {}", both[0], both[1]);
        let both = [&before, &then].map(|response| stands_in(&policy, response, &request, failure, age));
        prop_assert!(both[1] <= both[0], "{before:?} {then:?} when the origin fails");
    }

    #[test]
    fn a_stricter_request_is_never_answered_more_freely(
        policy in any_policy(),
        directives in request_directives(),
        stricter in select(vec![
            "no-store", "no-cache", "max-age=0", "max-age=30", "max-age=x", "min-fresh=1", "min-fresh=30", "min-fresh=x",
            "max-age=99", "stale-if-error=0", "foo bar", "\"",
        ]),
        place in 0..3_usize,
        (other, response, mode, age) in (other_field(), response_directives(), any_mode(), any_age()),
        failure in any_failure(),
    ) {
        let response = line(&response);
        let response = ["etag: \"1\"", other, &response];
        let sent = |directives: &[&str]| {
            Sent::get(&[&line(directives)]).with(RequestOptions::default().mode(mode))
        };
        let (before, then) = (sent(&directives), sent(&with(&directives, stricter, place)));
        let both = [&before, &then].map(|request| reuse(&policy, &response, request, age));
        prop_assert!(both[1] <= both[0], "{directives:?} is {}, with {stricter} {}", both[0], both[1]);
        let both = [&before, &then].map(|request| stands_in(&policy, &response, request, failure, age));
        prop_assert!(both[1] <= both[0], "{directives:?}, with {stricter}, when the origin fails");
    }

    /// But for `s-maxage` and targeted fields, which are for it alone.
    #[test]
    fn a_shared_cache_reuses_nothing_that_a_private_one_would_not(
        directives in response_directives(),
        more in select(vec!["private", "public", "no-cache", "must-revalidate", "proxy-revalidate", "no-store", "foo"]),
        is_authorized in any::<bool>(),
        (other, request, mode, age) in (other_field(), request_directives(), any_mode(), any_age()),
        failure in any_failure(),
    ) {
        prop_assume!(!directives.contains(&"s-maxage=60"));
        let mut request = vec![line(&request)];
        request.extend(is_authorized.then(|| "authorization: Bearer a".to_owned()));
        let request: Vec<&str> = request.iter().map(String::as_str).collect();
        let request = Sent::get(&request).with(RequestOptions::default().mode(mode));
        let response = line(&with(&directives, more, 0));
        let response = ["etag: \"1\"", other, &response];
        let both = [private(), shared()].map(|policy| reuse(&policy, &response, &request, age));
        prop_assert!(both[1] <= both[0], "{response:?} is {} privately, {} shared", both[0], both[1]);
        let both = [private(), shared()].map(|policy| stands_in(&policy, &response, &request, failure, age));
        prop_assert!(both[1] <= both[0], "{response:?} when the origin fails");
    }
}
