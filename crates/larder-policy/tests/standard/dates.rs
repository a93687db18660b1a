//! Dates (RFC 9110, section 5.6.7; RFC 9111, sections 4.2 and 5.3).

use larder_policy::{Forward, LifetimeSource};

use super::{done, private, stored};
use crate::support::{Do, NOW, Sent, secs};

/// Checks for how long a response with this `Expires` is fresh that was made at midnight.
#[track_caller]
fn check(expires: &str, expected: u64) {
    let response = [
        &format!("expires: {expires}"),
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
        "etag: \"1\"",
        "last-modified: Thu, 23 Nov 2023 00:00:00 GMT",
    ];
    let freshness = private().freshness(&stored(&private(), &response), NOW);
    assert_eq!(freshness.lifetime, Some(secs(expected)), "{expires}");
    assert_eq!(freshness.source, LifetimeSource::Expires, "{expires}");
}

#[test]
fn the_three_formats_are_read() {
    // RFC 9110, 5.6.7.
    check("Mon, 23 Nov 2026 00:01:00 GMT", 60);
    check("Monday, 23-Nov-26 00:01:00 GMT", 60);
    check("Mon Nov 23 00:01:00 2026", 60);
    check("Tue Dec  1 00:00:00 2026", 8 * 86_400);
    check("Tue, 01 Dec 2026 00:00:00 GMT", 8 * 86_400);
}

#[test]
fn the_case_of_a_date_does_not_matter() {
    // RFC 9111, 4.2: "a cache recipient SHOULD match the field value case-insensitively".
    check("mon, 23 nov 2026 00:01:00 gmt", 60);
    check("MON, 23 NOV 2026 00:01:00 GMT", 60);
    check("Mon, 23 NOV 2026 00:01:00 GMT", 60);
    check("Mon, 23 Nov 2026 00:01:00 gmt", 60);
    check("monday, 23-nov-26 00:01:00 gmt", 60);
    check("MON NOV 23 00:01:00 2026", 60);
}

#[test]
fn the_weekday_says_nothing_that_the_rest_does_not() {
    check("Tue, 23 Nov 2026 00:01:00 GMT", 60);
    check("Sunday, 23-Nov-26 00:01:00 GMT", 60);
    check("sat Nov 23 00:01:00 2026", 60);
}

#[test]
fn what_is_no_date_has_passed() {
    // RFC 9111, 5.3: "A cache recipient MUST interpret invalid date formats, especially the value "0", as representing a
    // time in the past".
    for value in [
        "0",
        "-1",
        "",
        "never",
        "1795392060",
        "2026-11-23T00:01:00Z",
        // 4.2: "A cache recipient SHOULD consider a date with a zone abbreviation other than "GMT" to be invalid".
        "Mon, 23 Nov 2026 00:01:00 UTC",
        "Mon, 23 Nov 2026 00:01:00 CET",
        "Mon, 23 Nov 2026 00:01:00 AEST",
        "Mon, 23 Nov 2026 00:01:00 +0000",
        "Mon, 23 Nov 2026 00:01:00",
        "Mon, 23 Nov 2026 0:01:00 GMT",
        "Mon, 23 Nov 2026 00:1:00 GMT",
        "Mon, 23 Nov 26 00:01:00 GMT",
        "Mon, 23-Nov-2026 00:01:00 GMT",
        "Mon, 23 Nov 2026 00.01.00 GMT",
        "Mon 23 Nov 2026 00:01:00 GMT",
        "Mon,  23 Nov 2026 00:01:00 GMT",
        "Mon, 23  Nov 2026 00:01:00 GMT",
        "Mon, 23 Nov 2026  00:01:00 GMT",
        "23 Nov 2026 00:01:00 GMT",
        "Xyz, 23 Nov 2026 00:01:00 GMT",
        "Mon, 23 Xyz 2026 00:01:00 GMT",
        "Mon, 31 Feb 2027 00:01:00 GMT",
        "Mon, 00 Nov 2026 00:01:00 GMT",
        "Mon, 23 Nov 2026 24:01:00 GMT",
        "Mon, 23 Nov 2026 00:60:00 GMT",
        "Mon, 23 Nov 2026 00:01:00 GMT GMT",
        "\"Mon, 23 Nov 2026 00:01:00 GMT\"",
        "é",
    ] {
        check(value, 0);
    }
}

#[test]
fn of_several_the_first_to_come_counts() {
    // RFC 9111, 4.2.1: the first occurrence, or stale at once; the earliest is neither longer than the one nor shorter than
    // the other.
    for (lines, expected) in [
        (["Mon, 23 Nov 2026 00:01:00 GMT", "Mon, 23 Nov 2026 01:00:00 GMT"], 60),
        (["Mon, 23 Nov 2026 01:00:00 GMT", "Mon, 23 Nov 2026 00:01:00 GMT"], 60),
        (["Mon, 23 Nov 2026 01:00:00 GMT", "0"], 0),
    ] {
        let fields = lines.map(|line| format!("expires: {line}"));
        let head = stored(&private(), &[&fields[0], &fields[1], "etag: \"1\""]);
        assert_eq!(private().freshness(&head, NOW).lifetime, Some(secs(expected)), "{lines:?}");
    }
}

#[test]
fn a_lifetime_is_what_lies_between_date_and_expires() {
    // RFC 9111, 4.2.1: the value of Expires minus the value of Date, or the time that it was received if there is none.
    for (date, expires, lifetime, age) in [
        ("Mon, 23 Nov 2026 00:00:00 GMT", "Mon, 23 Nov 2026 00:01:00 GMT", 60, 0),
        // A clock ahead.
        ("Mon, 23 Nov 2026 00:10:00 GMT", "Mon, 23 Nov 2026 00:11:00 GMT", 60, 0),
        // A clock behind, or a slow way: it counts as age.
        ("Sun, 22 Nov 2026 23:00:00 GMT", "Mon, 23 Nov 2026 00:01:00 GMT", 3660, 3600),
        ("Mon, 23 Nov 2026 00:10:00 GMT", "Mon, 23 Nov 2026 00:05:00 GMT", 0, 0),
        // 5.3 with 4.2.1: without a date that can be read it is as if made when received.
        ("yesterday", "Mon, 23 Nov 2026 00:01:00 GMT", 60, 0),
    ] {
        let response = [&format!("date: {date}"), &format!("expires: {expires}"), "etag: \"1\""];
        let freshness = private().freshness(&stored(&private(), &response), NOW);
        assert_eq!(
            (freshness.lifetime, freshness.age),
            (Some(secs(lifetime)), secs(age)),
            "{date} {expires}"
        );
    }
}

#[test]
fn the_century_of_two_digits_is_the_near_one() {
    // RFC 9110, 5.6.7: "MUST interpret a timestamp that appears to be more than 50 years in the future as representing the
    // most recent year in the past that had the same last two digits".
    let fresh = ["expires: Thursday, 18-Aug-50 02:01:18 GMT", "etag: \"1\""];
    assert_eq!(done(&private(), &fresh, &[], 99_999), Do::Use);
    let past = ["expires: Thursday, 18-Aug-94 02:01:18 GMT", "etag: \"1\""];
    assert_eq!(done(&private(), &past, &[], 0), Do::Validate(Forward::Stale));
}

#[test]
fn a_date_at_either_end_of_time_is_no_panic() {
    for value in [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 99999 00:00:00 GMT",
    ] {
        for name in ["date", "expires", "last-modified", "if-modified-since"] {
            let field = format!("{name}: {value}");
            let head = Sent::get(&[]).head(200, &[&field, "etag: \"1\""]);
            let _ = private().freshness(&head, NOW);
            let asked = Sent::get(&[&field]);
            let _ = asked.decide(&private(), Some(&head), NOW);
            let _ = private().present(&asked.request(), head, Some(5), NOW);
        }
    }
}
