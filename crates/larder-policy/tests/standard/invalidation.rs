//! Invalidation, by unsafe methods and by groups (RFC 9111, section 4.4; RFC 9875).

use http::{Method, StatusCode};
use larder_policy::{cache_groups, invalidated_groups};

use super::{private, shared};
use crate::support::headers;

#[test]
fn an_unsafe_method_that_did_not_fail_invalidates() {
    // 4.4: "A cache MUST invalidate the target URI … when it receives a non-error status code in response to an unsafe
    // request method (including methods whose safety is unknown)", and "a 'non-error response' is one with a 2xx
    // (Successful) or 3xx (Redirection) status code".
    for (method, is_unsafe) in [
        ("POST", true),
        ("PUT", true),
        ("DELETE", true),
        ("PATCH", true),
        ("M-SEARCH", true),
        ("FOO", true),
        ("get", true),
        ("GET", false),
        ("HEAD", false),
        ("OPTIONS", false),
        ("TRACE", false),
    ] {
        let method: Method = method.parse().expect("a method");
        for code in 100..700 {
            let status = StatusCode::from_u16(code).expect("a status");
            let expected = is_unsafe && (200..400).contains(&code);
            for policy in [private(), shared()] {
                assert_eq!(policy.invalidates(&method, status), expected, "{method} {code}");
            }
        }
    }
}

#[test]
fn groups_are_strings_of_a_list() {
    // RFC 9875, 2 and 3: both fields are lists of strings, whose case matters.
    for (lines, expected) in [
        (&[][..], &[][..]),
        (&["\"a\""], &["a"]),
        (&["\"a\", \"b c\"", "\"A\""], &["a", "b c", "A"]),
        (&["\"a\\\"b\\\\\""], &["a\"b\\"]),
        (&["\"a\";x=1;y"], &["a"]),
        (&[" \"a\" ,\t\"b\" "], &["a", "b"]),
        (&["\"\""], &[""]),
        // What is not that is nothing.
        (&["a"], &[]),
        (&["\"a\", b"], &[]),
        (&["\"a\", 1"], &[]),
        (&["(\"a\")"], &[]),
        (&["\"a\","], &[]),
        (&["\"a"], &[]),
        (&["\"é\""], &[]),
        (&["\"a\"", "b"], &[]),
        (&[""], &[]),
    ] {
        let with = |name: &str| {
            let fields: Vec<String> = lines.iter().map(|line| format!("{name}: {line}")).collect();
            headers(&fields.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(cache_groups(&with("cache-groups")), expected, "{lines:?}");
        assert_eq!(invalidated_groups(&with("cache-group-invalidation")), expected, "{lines:?}");
        assert!(cache_groups(&with("cache-group-invalidation")).is_empty());
        assert!(invalidated_groups(&with("cache-groups")).is_empty());
    }
}
