//! What a response says about its reuse (RFC 9111, section 5.2.2; RFC 8246).

use larder_policy::{CacheMode, Forward, Policy, RequestOptions};

use super::{done, private, shared, stored};
use crate::support::{Do, Sent, after};

const STALE: Do = Do::Validate(Forward::Stale);

/// Checks what is done about a plain GET, `age` seconds after a response with this `Cache-Control` was stored.
#[track_caller]
fn check(policy: &Policy, line: &str, age: u64, expected: Do) {
    let response = [&*format!("cache-control: {line}"), "etag: \"1\""];
    assert_eq!(done(policy, &response, &[], age), expected, "{line} after {age}");
}

#[test]
fn each_directive_does_its_own() {
    for (section, line, fresh, expired) in [
        ("5.2.2.1", "max-age=60", Do::Use, STALE),
        ("5.2.2.2", "max-age=60, must-revalidate", Do::Use, STALE),
        ("5.2.2.3", "max-age=60, must-understand", Do::Use, STALE),
        ("5.2.2.4", "max-age=60, no-cache", STALE, STALE),
        ("5.2.2.4", "max-age=60, no-cache=\"x\"", STALE, STALE),
        ("5.2.2.6", "max-age=60, no-transform", Do::Use, STALE),
        ("5.2.2.8", "max-age=60, proxy-revalidate", Do::Use, STALE),
        ("5.2.2.9", "max-age=60, public", Do::Use, STALE),
        // Those of requests mean nothing here.
        ("5.2.1", "max-age=60, only-if-cached, max-stale, min-fresh=99", Do::Use, STALE),
        ("5.2.3", "max-age=60, community=\"UCI\"", Do::Use, STALE),
    ] {
        for policy in [private(), shared()] {
            let response = [&*format!("cache-control: {line}"), "etag: \"1\""];
            for (age, expected) in [(0, fresh), (59, fresh), (60, expired)] {
                assert_eq!(done(&policy, &response, &[], age), expected, "{section}: {line} after {age}");
            }
        }
    }
    // 5.2.2.7.
    check(&private(), "max-age=60, private", 59, Do::Use);
    // 5.2.2.10: "The s-maxage response directive indicates that, for a shared cache".
    check(&shared(), "max-age=10, s-maxage=60", 59, Do::Use);
    check(&private(), "max-age=10, s-maxage=60", 10, STALE);
    check(&shared(), "max-age=60, s-maxage=10", 10, STALE);
}

#[test]
fn what_a_private_cache_stored_is_not_used_by_a_shared_one_in_its_place() {
    for response in [
        ["cache-control: private, max-age=60", "etag: \"1\""],
        ["cache-control: max-age=60", "set-cookie: sid=a"],
    ] {
        let stored = stored(&private(), &response);
        let done = Do::from(Sent::get(&[]).decide(&shared(), Some(&stored), after(1)));
        assert_eq!(done, Do::Fetch(Forward::Miss), "{response:?}");
    }
}

#[test]
fn an_immutable_response_is_not_refreshed_while_it_is_fresh() {
    // RFC 8246, 2: "clients SHOULD NOT issue a conditional request during the response's freshness lifetime (e.g., upon a
    // reload) unless explicitly overridden by the user".
    let response = ["cache-control: max-age=60, Immutable", "etag: \"1\""];
    let with = |mode: CacheMode, age| {
        let sent = Sent::get(&[]).with(RequestOptions::default().mode(mode));
        Do::from(sent.decide(&private(), Some(&stored(&private(), &response)), after(age)))
    };
    assert_eq!(with(CacheMode::NoCache, 59), Do::Use);
    assert_eq!(with(CacheMode::NoCache, 60), Do::Validate(Forward::Request));
    assert_eq!(with(CacheMode::Reload, 0), Do::Fetch(Forward::Request));
    // A request that says so is validated all the same.
    for line in ["no-cache", "max-age=0"] {
        let done = done(&private(), &response, &[&format!("cache-control: {line}")], 1);
        assert_eq!(done, Do::Validate(Forward::Request), "{line}");
    }
    // It is no lifetime, and with an argument it is unknown.
    check(&private(), "immutable", 0, STALE);
    let argued = ["cache-control: max-age=60, immutable=1", "etag: \"1\""];
    let sent = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::NoCache));
    let done = Do::from(sent.decide(&private(), Some(&stored(&private(), &argued)), after(1)));
    assert_eq!(done, Do::Validate(Forward::Request));
}

#[test]
fn what_its_fields_say_is_asked_at_each_use() {
    // Whoever stored it may have known of a reason to expire earlier, and of none to expire later.
    let mut head = stored(&private(), &["cache-control: max-age=60", "etag: \"1\""]);
    for (expires_at, lifetime) in [(None, 60), (Some(after(9999)), 60), (Some(after(30)), 30)] {
        head.expires_at = expires_at;
        let at = |age| Do::from(Sent::get(&[]).decide(&private(), Some(&head), after(age)));
        assert_eq!((at(lifetime - 1), at(lifetime)), (Do::Use, STALE), "{expires_at:?}");
    }
}
