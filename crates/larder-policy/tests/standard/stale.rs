//! Stale answers: what forbids them, and who asks for them (RFC 9111, section 4.2.4; RFC 5861).

use http::StatusCode;
use larder_core::Timestamp;
use larder_policy::{CacheMode, CacheOptions, Failure, Forward, Policy, RequestOptions};

use super::{done, private, shared, stored};
use crate::support::{Do, Sent, after, policy, secs};

const STALE: Do = Do::Validate(Forward::Stale);

/// Returns whether what is stored answers a request when the origin fails, `age` seconds later.
fn is_used(policy: &Policy, response: &[&str], sent: &Sent, failure: Failure, now: Timestamp) -> bool {
    let stored = stored(policy, response);
    policy.use_stale(&sent.request(), &sent.options, &stored, failure, now)
}

fn status(status: u16) -> Failure {
    Failure::Status(StatusCode::from_u16(status).expect("a status"))
}

#[test]
fn what_forbids_stale_answers_outweighs_who_would_take_them() {
    // 4.2.4: "A cache MUST NOT generate a stale response if it is prohibited by an explicit in-protocol directive".
    for (section, line, in_private, in_shared) in [
        ("4.2.4", "max-age=60", true, true),
        ("5.2.2.2", "max-age=60, must-revalidate", false, false),
        ("5.2.2.4", "max-age=60, no-cache", false, false),
        ("5.2.2.8", "max-age=60, proxy-revalidate", true, false),
        ("5.2.2.10", "max-age=60, s-maxage=60", true, false),
        (
            "5.2.2.2",
            "max-age=60, must-revalidate, stale-while-revalidate=900, stale-if-error=900",
            false,
            false,
        ),
    ] {
        let response = [&format!("cache-control: {line}"), "etag: \"1\""];
        for (policy, expected) in [(private(), in_private), (shared(), in_shared)] {
            let done = done(&policy, &response, &["cache-control: max-stale"], 100);
            assert_eq!(done, if expected { Do::Use } else { STALE }, "{section}: {line}");
            let forced = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::ForceCache));
            let done = Do::from(forced.decide(&policy, Some(&stored(&policy, &response)), after(100)));
            assert_eq!(done, if expected { Do::Use } else { STALE }, "{section}: {line}");
            let by_failure = is_used(&policy, &response, &Sent::get(&[]), Failure::Unreachable, after(100));
            assert_eq!(by_failure, expected, "{section}: {line}");
        }
    }
}

#[test]
fn an_origin_that_cannot_be_reached_is_stood_in_for() {
    // 4.2.4: "unless it is disconnected or doing so is explicitly permitted by the client or origin server".
    let get = Sent::get(&[]);
    for response in [
        &["cache-control: max-age=60"][..],
        &["expires: Mon, 23 Nov 2026 00:01:00 GMT"],
        &["last-modified: Sun, 22 Nov 2026 00:00:00 GMT"],
        &["etag: \"1\""],
    ] {
        for policy in [private(), shared()] {
            assert!(is_used(&policy, response, &get, Failure::Unreachable, after(99_999)), "{response:?}");
            // It answered: that is not being disconnected.
            assert!(!is_used(&policy, response, &get, status(503), after(99_999)), "{response:?}");
        }
    }
}

#[test]
fn who_insists_on_the_origin_gets_no_stale_answer() {
    let response = ["cache-control: max-age=60, stale-if-error=900", "etag: \"1\""];
    for (section, line, expected) in [
        ("5.2.1", "foo", true),
        ("5.2.1.1", "max-age=100", false),
        ("5.2.1.1", "max-age=101", true),
        ("5.2.1.2", "max-stale=1", true),
        ("5.2.1.3", "min-fresh=1", false),
        ("5.2.1.4", "no-cache", false),
        ("5.2.1.5", "no-store", false),
    ] {
        let sent = Sent::get(&[&format!("cache-control: {line}")]);
        for failure in [Failure::Unreachable, status(502)] {
            assert_eq!(
                is_used(&private(), &response, &sent, failure, after(100)),
                expected,
                "{section}: {line}"
            );
        }
    }
    for (mode, expected) in [
        (CacheMode::Default, true),
        (CacheMode::ForceCache, true),
        (CacheMode::OnlyIfCached, true),
        (CacheMode::NoCache, false),
        (CacheMode::Reload, false),
        (CacheMode::NoStore, false),
    ] {
        let sent = Sent::get(&[]).with(RequestOptions::default().mode(mode));
        assert_eq!(is_used(&private(), &response, &sent, status(502), after(100)), expected, "{mode:?}");
    }
}

#[test]
fn stale_if_error_replaces_an_error_for_as_long_as_it_says() {
    // RFC 5861, 4: "an error is any situation that would result in a 500, 502, 503, or 504 HTTP response status code".
    let response = ["cache-control: max-age=60, stale-if-error=30"];
    let get = Sent::get(&[]);
    for (code, expected) in [
        (500, true),
        (502, true),
        (503, true),
        (504, true),
        (501, false),
        (505, false),
        (404, false),
        (400, false),
    ] {
        for policy in [private(), shared()] {
            assert_eq!(is_used(&policy, &response, &get, status(code), after(80)), expected, "{code}");
        }
    }
    for failure in [Failure::Unreachable, status(500)] {
        assert!(is_used(&private(), &response, &get, failure, after(89)));
        assert!(!is_used(&private(), &response, &get, failure, after(90)));
    }
}

#[test]
fn the_request_s_window_goes_before_the_response_s_and_that_before_the_options() {
    let kept = policy(CacheOptions::standard().stale_if_error(secs(90)));
    for (request, response, window) in [
        ("foo", "max-age=60", 90),
        ("foo", "max-age=60, stale-if-error=30", 30),
        ("stale-if-error=10", "max-age=60, stale-if-error=30", 10),
        ("stale-if-error=50", "max-age=60, stale-if-error=30", 50),
        ("stale-if-error=10", "max-age=60", 10),
        ("foo", "max-age=60, stale-if-error=30, stale-if-error=20", 20),
    ] {
        let sent = Sent::get(&[&format!("cache-control: {request}")]);
        let response = [&*format!("cache-control: {response}")];
        for failure in [Failure::Unreachable, status(500)] {
            assert!(is_used(&kept, &response, &sent, failure, after(59 + window)), "{request} {response:?}");
            assert!(!is_used(&kept, &response, &sent, failure, after(60 + window)), "{request} {response:?}");
        }
    }
}

#[test]
fn no_time_at_all_and_garbage_are_no_window() {
    let get = Sent::get(&[]);
    for value in ["0", "x", "-1", "\"\""] {
        let response = [&*format!("cache-control: max-age=60, stale-if-error={value}"), "etag: \"1\""];
        let kept = policy(CacheOptions::standard().stale_if_error(secs(90)));
        for policy in [private(), kept] {
            for failure in [Failure::Unreachable, status(500)] {
                assert!(!is_used(&policy, &response, &get, failure, after(60)), "{value} {failure:?}");
            }
        }
    }
}

#[test]
fn stale_while_revalidate_answers_at_once_for_as_long_as_it_says() {
    // RFC 5861, 3.
    let response = ["cache-control: max-age=60, stale-while-revalidate=30", "etag: \"1\""];
    for policy in [private(), shared()] {
        assert_eq!(done(&policy, &response, &[], 59), Do::Use);
        assert_eq!(done(&policy, &response, &[], 60), Do::UseWhileValidating);
        assert_eq!(done(&policy, &response, &[], 89), Do::UseWhileValidating);
        assert_eq!(done(&policy, &response, &[], 90), STALE);
    }
    let lines = ["cache-control: max-age=60", "cache-control: stale-while-revalidate=30", "etag: \"1\""];
    assert_eq!(done(&private(), &lines, &[], 60), Do::UseWhileValidating);
    for value in ["0", "x", "-1", "\"\""] {
        let response =
            [&*format!("cache-control: max-age=60, stale-while-revalidate={value}"), "etag: \"1\""];
        assert_eq!(done(&private(), &response, &[], 60), STALE, "{value}");
    }
}

#[test]
fn stale_while_revalidate_yields_to_what_the_request_asks() {
    let response = ["cache-control: max-age=60, stale-while-revalidate=90", "etag: \"1\""];
    for (section, line, expected) in [
        ("5.2.1.1", "max-age=70", Do::Validate(Forward::Stale)),
        ("5.2.1.1", "max-age=71", Do::UseWhileValidating),
        ("5.2.1.2", "max-stale=100", Do::Use),
        ("5.2.1.3", "min-fresh=1", Do::Validate(Forward::Stale)),
        ("5.2.1.4", "no-cache", Do::Validate(Forward::Request)),
        // Nothing is asked behind the answer to who wants nothing to be asked.
        ("5.2.1.7", "only-if-cached", Do::Use),
    ] {
        let done = done(&private(), &response, &[&format!("cache-control: {line}")], 70);
        assert_eq!(done, expected, "{section}: {line}");
    }
}

#[test]
fn another_variant_stands_in_for_none() {
    let response = ["cache-control: max-age=60, stale-if-error=900", "vary: accept"];
    let other = Sent::get(&["accept: text/html"]);
    for failure in [Failure::Unreachable, status(500)] {
        assert!(!is_used(&private(), &response, &other, failure, after(100)));
        assert!(is_used(&private(), &response, &Sent::get(&[]), failure, after(100)));
    }
}
