//! `Cache-Control`: how it is read (RFC 9111, sections 1.2.2 and 5.2; RFC 9110, sections 5.3 and 5.6).

use larder_policy::{Forward, NotStorable};

use super::{done, private, shared};
use crate::support::{Do, Fields, NOW, Sent, secs};

const TAG: &str = "etag: \"1\"";

/// Checks for how long a response with these lines of `Cache-Control` is fresh, if it is to be used at all.
#[track_caller]
fn check_lifetime(lines: &[&str], expected: u64) {
    let mut fields: Vec<String> = lines.iter().map(|line| format!("cache-control: {line}")).collect();
    fields.push(TAG.to_owned());
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    if expected > 0 {
        assert_eq!(done(&private(), &fields, &[], expected - 1), Do::Use, "{lines:?}");
    }
    assert_eq!(done(&private(), &fields, &[], expected), Do::Validate(Forward::Stale), "{lines:?}");
}

#[test]
fn the_names_of_directives_have_no_case() {
    // 5.2: "Cache directives are identified by a token, to be compared case-insensitively".
    for line in ["max-age=60", "MAX-AGE=60", "Max-Age=60", "mAx-aGe=60"] {
        check_lifetime(&[line], 60);
    }
    for line in ["no-store", "No-Store", "NO-STORE"] {
        let sent = Sent::get(&[]);
        let response = sent.head(200, &[&format!("cache-control: max-age=60, {line}")]);
        assert_eq!(sent.storable(&private(), &response), Err(NotStorable::NoStore), "{line}");
    }
    for line in ["private", "Private", "PRIVATE", "pRiVaTe=\"X\""] {
        let sent = Sent::get(&[]);
        let response = sent.head(200, &[&format!("cache-control: max-age=60, {line}")]);
        assert_eq!(sent.storable(&shared(), &response), Err(NotStorable::Private), "{line}");
    }
    for line in ["no-cache", "No-Cache", "NO-CACHE"] {
        check_lifetime(&[&format!("max-age=60, {line}")], 0);
    }
}

#[test]
fn lines_are_one_list_and_its_empty_members_nothing() {
    // RFC 9110, 5.3 and 5.6.1.2.
    check_lifetime(&["public", "max-age=60"], 60);
    check_lifetime(&["max-age=60", "no-cache"], 0);
    check_lifetime(&[", ,, max-age=60,,\t, public,"], 60);
    check_lifetime(&["", "max-age=60", " "], 60);
    check_lifetime(&["\tmax-age=60\t,\tpublic\t"], 60);
}

#[test]
fn an_argument_is_a_token_or_a_quoted_string() {
    // 5.2: recipients ought to accept both forms.
    check_lifetime(&["max-age=\"60\""], 60);
    check_lifetime(&["max-age=\"\\60\""], 60);
    // RFC 9110, 5.6.4: what is quoted is text, commas and escaped quotes among it.
    check_lifetime(&["a=\"b, no-cache\", max-age=60"], 60);
    check_lifetime(&["a=\"b\\\", no-cache, \\\\\", max-age=60"], 60);
    check_lifetime(&["a=\"max-age=9\", max-age=60"], 60);
    // An apostrophe is a character of a token, and this token no number.
    check_lifetime(&["max-age='60'"], 0);
}

#[test]
fn unknown_directives_are_ignored() {
    // 5.2.3: "A cache MUST ignore unrecognized cache directives."
    check_lifetime(&["foo, bar=1, max-age=60, baz=\"x\""], 60);
    check_lifetime(&["x-max-age=9, max-age=60, max-agee=9, amax-age=9"], 60);
    check_lifetime(&["foo=max-age, max-age=60"], 60);
    check_lifetime(&["no-cachet, no-caches=1, max-age=60"], 60);
    check_lifetime(&["pre-check=0, post-check=0, max-age=60"], 60);
}

#[test]
fn seconds_are_digits_and_saturate() {
    // 1.2.2: a greater number than can be represented is 2^31.
    check_lifetime(&["max-age=0"], 0);
    check_lifetime(&["max-age=00060"], 60);
    for line in
        ["max-age=2147483648", "max-age=2147483649", "max-age=99999999999999999999", "max-age=4294967297"]
    {
        check_lifetime(&[line], 1 << 31);
    }
    check_lifetime(&["max-age=2147483647"], (1 << 31) - 1);
    // 4.2.1: "Caches are encouraged to consider responses that have invalid freshness information … to be stale."
    for line in [
        "max-age",
        "max-age=",
        "max-age=\"\"",
        "max-age=-60",
        "max-age=+60",
        "max-age=60.0",
        "max-age=6e1",
        "max-age=0x3c",
        "max-age=60s",
        "max-age=a60",
        "max-age=60;foo=bar",
        "max-age=60 60",
        "max-age=\"60\"60",
        "max-age=\" 60\"",
    ] {
        check_lifetime(&[line], 0);
    }
}

#[test]
fn a_directive_that_is_there_twice_is_the_stricter_one() {
    // 4.2.1: "either the first occurrence should be used or the response should be considered stale".
    check_lifetime(&["max-age=60, max-age=1"], 1);
    check_lifetime(&["max-age=1, max-age=60"], 1);
    check_lifetime(&["max-age=60", "max-age=1"], 1);
    check_lifetime(&["max-age=60, max-age=x"], 0);
    check_lifetime(&["max-age=60, max-age=60"], 60);
}

#[test]
fn white_space_where_none_may_be_makes_a_response_stale() {
    for line in ["max-age =60", "max-age= 60", "max-age = 60", "max-age=60 public", "max-age=60\tpublic"] {
        check_lifetime(&[line], 0);
    }
}

#[test]
fn what_cannot_be_read_forbids_and_never_allows() {
    for line in
        ["max-age=60, foo bar", "max-age=60, =1", "max-age=60, \"x\"", "max-age=60, a=\"b", "max-age=60, é"]
    {
        check_lifetime(&[line], 0);
    }
    // What an open quote hides is read all the same.
    let sent = Sent::get(&[]);
    let response = sent.head(200, &["cache-control: max-age=60, a=\"b, no-store"]);
    assert_eq!(sent.storable(&private(), &response), Err(NotStorable::NoStore));
    let response = sent.head(200, &["cache-control: max-age=60, a=\"b", "cache-control: private"]);
    assert_eq!(sent.storable(&shared(), &response), Err(NotStorable::Private));
    // `public` in garbage does not admit a response that had credentials.
    let token = Sent::get(&["authorization: Bearer a"]);
    let response = token.head(200, &["cache-control: max-age=60, \"public\""]);
    assert_eq!(token.storable(&shared(), &response), Err(NotStorable::Credentials));
}

#[test]
fn names_of_fields_do_not_narrow_a_directive() {
    // 5.2.2.4 and 5.2.2.7: most caches read the qualified form as the other, and so does this one.
    for line in ["no-cache=\"set-cookie\"", "no-cache=\"\"", "no-cache=\" x\"", "no-cache=x"] {
        check_lifetime(&[&format!("max-age=60, {line}")], 0);
    }
    for line in ["private=\"set-cookie\"", "private=\"\"", "private=\" x\"", "private=x"] {
        let sent = Sent::get(&[]);
        let response = sent.head(200, &[&format!("cache-control: max-age=60, {line}")]);
        assert_eq!(sent.storable(&shared(), &response), Err(NotStorable::Private), "{line}");
        assert!(sent.storable(&private(), &response).is_ok(), "{line}");
    }
}

#[test]
fn pragma_of_a_response_says_nothing() {
    // 5.4 gives it a meaning in requests alone.
    let response: Fields = &["pragma: no-cache", "cache-control: max-age=60"];
    assert_eq!(done(&private(), response, &[], 59), Do::Use);
    let response: Fields = &["pragma: no-cache", "expires: Mon, 23 Nov 2026 00:01:00 GMT"];
    assert_eq!(done(&private(), response, &[], 59), Do::Use);
}

#[test]
fn a_megabyte_of_anything_is_read() {
    for unit in [",", "\"", "\",", "a=\"b\",", "max-age=1,", "no-cache=\"", "é", "=", "a=\\\","] {
        let line = format!("cache-control: {}", unit.repeat((1 << 20) / unit.len()));
        let sent = Sent::get(&[&line]);
        let lifetime = private().freshness(&sent.head(200, &[&line]), NOW).lifetime;
        assert!(lifetime.is_none_or(|lifetime| lifetime <= secs(1)), "{unit:?}");
        let _ = sent.decide(&private(), None, NOW);
    }
}
