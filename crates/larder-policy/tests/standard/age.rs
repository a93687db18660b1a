//! The age of a response (RFC 9111, sections 4.2.3 and 5.1).

use larder_policy::Forward;

use super::{done, private, shared};
use crate::support::{Do, NOW, Sent, after, secs};

/// Checks the age of a response with `fields` at the moment it is received.
#[track_caller]
fn check(fields: &[&str], expected: u64) {
    let head = Sent::get(&[]).head(200, fields);
    for policy in [private(), shared()] {
        assert_eq!(policy.freshness(&head, NOW).age, secs(expected), "{fields:?}");
    }
}

#[test]
fn the_field_counts_if_it_is_a_number() {
    check(&[], 0);
    // 5.1: `Age = delta-seconds`.
    check(&["age: 0"], 0);
    check(&["age: 60"], 60);
    check(&["age: 0060"], 60);
    check(&["age:  60 "], 60);
    // 5.1: what is invalid is ignored.
    for value in
        ["x", "-60", "+60", "60.0", "60x", "x60", "60;a=b", "\"60\"", "60 60", "0x3c", "", "é", "60;", "6 0"]
    {
        check(&[&format!("age: {value}")], 0);
    }
}

#[test]
fn the_first_of_several_values_counts() {
    // 5.1: "a cache encountering a message with a list-based Age field value SHOULD use the first member".
    check(&["age: 60, 0"], 60);
    check(&["age: 0, 60"], 0);
    check(&["age: 60,x"], 60);
    check(&["age: x, 60"], 0);
    check(&["age: 60", "age: 0"], 60);
    check(&["age: 0", "age: 60"], 0);
}

#[test]
fn a_huge_value_is_two_to_the_31() {
    // 1.2.2.
    check(&["age: 2147483647"], (1 << 31) - 1);
    for value in ["2147483648", "2147483649", "4294967296", "99999999999999999999"] {
        check(&[&format!("age: {value}")], 1 << 31);
    }
    let response = ["age: 99999999999999999999", "cache-control: max-age=3600", "etag: \"1\""];
    assert_eq!(done(&private(), &response, &[], 0), Do::Validate(Forward::Stale));
}

#[test]
fn the_way_and_the_stay_count() {
    // 4.2.3: response_delay = response_time - request_time; resident_time = now - response_time.
    let mut head = Sent::get(&[]).head(200, &["age: 10"]);
    head.requested_at = NOW.saturating_sub(secs(5));
    assert_eq!(private().freshness(&head, NOW).age, secs(15));
    assert_eq!(private().freshness(&head, after(100)).age, secs(115));
}

#[test]
fn date_tells_the_apparent_age_and_the_greater_counts() {
    // 4.2.3: apparent_age = max(0, response_time - date_value);
    // corrected_initial_age = max(apparent_age, corrected_age_value).
    check(&["date: Sun, 22 Nov 2026 23:59:00 GMT"], 60);
    check(&["date: Sun, 22 Nov 2026 23:59:00 GMT", "age: 30"], 60);
    check(&["date: Sun, 22 Nov 2026 23:59:00 GMT", "age: 90"], 90);
    // A clock that is ahead makes nobody younger.
    check(&["date: Mon, 23 Nov 2026 00:10:00 GMT"], 0);
    check(&["date: Mon, 23 Nov 2026 00:10:00 GMT", "age: 7"], 7);
    check(&["date: yesterday"], 0);
    check(&["date: 0"], 0);
    check(&[""; 0], 0);
}

#[test]
fn age_is_taken_from_the_lifetime() {
    let response = ["cache-control: max-age=60", "age: 50", "etag: \"1\""];
    for policy in [private(), shared()] {
        assert_eq!(done(&policy, &response, &[], 9), Do::Use);
        assert_eq!(done(&policy, &response, &[], 10), Do::Validate(Forward::Stale));
    }
    let response = ["cache-control: max-age=60", "date: Sun, 22 Nov 2026 23:59:10 GMT", "etag: \"1\""];
    assert_eq!(done(&private(), &response, &[], 9), Do::Use);
    assert_eq!(done(&private(), &response, &[], 10), Do::Validate(Forward::Stale));
}
