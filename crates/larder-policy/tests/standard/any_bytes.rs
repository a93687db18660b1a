//! Any bytes in any field: nothing panics, nothing takes more than linear time, and what is answered makes sense.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use larder_core::{CacheKey, ResponseHead, Timestamp};
use larder_policy::{
    Decision, Failure, HeadEffect, Policy, cache_groups, invalidated_groups, remove_hop_by_hop,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::properties::{any_age, any_policy};
use super::{private, shared};
use crate::support::{NOW, Sent, URL, after};

const NAMES: [&str; 28] = [
    "accept",
    "accept-language",
    "age",
    "authorization",
    "cache-control",
    "cache-group-invalidation",
    "cache-groups",
    "cdn-cache-control",
    "connection",
    "content-length",
    "content-location",
    "content-range",
    "cookie",
    "date",
    "etag",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "last-modified",
    "location",
    "pragma",
    "range",
    "set-cookie",
    "transfer-encoding",
    "vary",
];

fn any_fields() -> impl Strategy<Value = HeaderMap> {
    let bytes = vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..30);
    let pieces = select(vec![
        "max-age",
        "no-cache",
        "private",
        "=",
        ",",
        ";",
        "\"",
        "\\",
        " ",
        "*",
        "-",
        "0",
        "60",
        "99999999999999999999",
        "\"1\"",
        "W/\"1\"",
        "bytes",
        "bytes=",
        "bytes 0-4/10",
        "0-4",
        "accept",
        "Mon, 23 Nov 2026 00:00:00 GMT",
        "Mon Nov 23 00:00:00 2026",
        "gmt",
        "é",
    ]);
    let pieces = vec(pieces, 0..6).prop_map(|pieces| pieces.concat().into_bytes());
    vec((select(NAMES.to_vec()), prop_oneof![1 => bytes, 3 => pieces]), 0..8).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).expect("a value"));
        }
        headers
    })
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0..100_000_u64).prop_map(after),
        1 => any::<i64>().prop_map(Timestamp::from_millis),
        1 => select(vec![Timestamp::from_millis(i64::MIN), Timestamp::UNIX_EPOCH, Timestamp::MAX]),
    ]
}

fn any_head(method: Method) -> impl Strategy<Value = ResponseHead> {
    let statuses = select(vec![200, 200, 206, 206, 304, 304, 103, 204, 301, 404, 416, 500, 599, 999]);
    (statuses, any_fields(), any_time(), any_time()).prop_map(
        move |(status, fields, sent_at, received_at)| {
            let mut head = Sent::new(method.clone(), URL, &[]).head(status, &[]);
            head.headers = fields;
            (head.requested_at, head.received_at) = (sent_at, received_at);
            head
        },
    )
}

/// Asks every question that there is.
fn ask_all(policy: &Policy, sent: &Sent, old: &ResponseHead, new: &ResponseHead, now: Timestamp) {
    let (request, options) = (sent.request(), &sent.options);
    let _ = policy.keys(&request, options);
    let nominated = policy.nominated(old);
    let _ = policy.variant_key(&request, &CacheKey::digest("k"), &nominated);
    let _ = policy.matches_vary(&request, old);
    let _ = policy.invalidates(&sent.method, old.status);
    let _ = policy.answers_get(&sent.method, old);
    let _ = policy.freshness(old, now);
    let _ = policy.decide(&request, options, Some(old), now);
    let _ = policy.decide(&request, options, None, now);
    let _ = policy.use_stale(&request, options, old, Failure::Unreachable, now);
    let _ = policy.use_stale(&request, options, old, Failure::Status(new.status), now);
    let _ = policy.redirect(&request, options, old, now);
    let _ = policy.refresh(&request, options, old, new, now);
    let _ = policy.refresh_variant(&request, old, new, now);
    let _ = policy.refresh_by_head(&request, options, old, 10, new, now);
    let _ = policy.storable(&request, options, old, now);
    let _ = (cache_groups(&new.headers), invalidated_groups(&new.headers));
    remove_hop_by_hop(&mut new.headers.clone());
}

proptest! {
    #[test]
    fn any_fields_are_decided_about(
        policy in any_policy(),
        request in any_fields(),
        method in select(vec![Method::GET, Method::HEAD, Method::POST]),
        (old, new) in (any_head(Method::GET), any_head(Method::GET)),
        now in any_time(),
    ) {
        let mut sent = Sent::new(method, URL, &[]);
        sent.headers = request;
        ask_all(&policy, &sent, &old, &new, now);
        if let Ok(stored) = policy.storable(&sent.request(), &sent.options, &old, now) {
            let again = policy.storable(&sent.request(), &sent.options, &stored, now);
            prop_assert_eq!(again.as_ref(), Ok(&stored), "what is stored is storable");
            ask_all(&policy, &sent, &stored, &new, now);
        }
    }

    #[test]
    fn what_is_presented_lies_within_the_body(
        policy in any_policy(),
        request in any_fields(),
        stored in any_head(Method::GET),
        body_len in prop_oneof![Just(None), (0..20_u64).prop_map(Some), any::<u64>().prop_map(Some)],
    ) {
        let mut sent = Sent::get(&[]);
        sent.headers = request;
        // The body of a part has the length that its fields say.
        prop_assume!(stored.status != StatusCode::PARTIAL_CONTENT);
        let presented = policy.present(&sent.request(), stored, body_len, NOW);
        if let Some(body) = presented.body {
            prop_assert!(body.start <= body.end && body_len.is_none_or(|len| body.end <= len), "{body:?}");
        }
        prop_assert_eq!(presented.head.headers.get_all("age").iter().count(), 1);
    }

    #[test]
    fn parts_of_any_fields_are_put_together_within_the_stored_one(
        (old, new) in (any_head(Method::GET), any_head(Method::GET)),
    ) {
        if let Some(combined) = private().combine(&old, &new) {
            prop_assert!(combined.before.end <= combined.after.start.max(combined.before.end));
            prop_assert!(combined.before.start <= combined.before.end);
            prop_assert!(combined.after.start <= combined.after.end);
        }
    }

    #[test]
    fn a_head_of_any_fields_leaves_a_get(old in any_head(Method::GET), new in any_head(Method::HEAD)) {
        let sent = Sent::new(Method::HEAD, URL, &[]);
        let effect = private().refresh_by_head(&sent.request(), &sent.options, &old, 10, &new, NOW);
        if let HeadEffect::Refreshed(head) = effect {
            prop_assert_eq!((&head.method, head.status), (&old.method, old.status));
        }
    }

    #[test]
    fn what_is_used_without_being_asked_for_stale_is_fresh(
        policy in any_policy(),
        fields in any_fields(),
        age in any_age(),
    ) {
        let sent = Sent::get(&[]);
        let mut response = sent.head(200, &[]);
        response.headers = fields;
        let Ok(stored) = sent.storable(&policy, &response) else { return Ok(()) };
        if sent.decide(&policy, Some(&stored), after(age)) == Decision::Use {
            let freshness = policy.freshness(&stored, after(age));
            prop_assert!(freshness.lifetime.is_some_and(|lifetime| freshness.age < lifetime), "{freshness:?}");
            prop_assert!(freshness.expires_at.is_some_and(|expires_at| after(age) < expires_at), "{freshness:?}");
        }
    }
}

#[test]
fn a_megabyte_of_any_field_is_read() {
    for (name, unit) in [
        ("vary", "accept-language,"),
        ("vary", ","),
        ("connection", "x-hop-by-hop, "),
        ("if-none-match", "\"a\","),
        ("if-none-match", "\""),
        ("etag", "\""),
        ("cache-groups", "\"a\","),
        ("cdn-cache-control", "max-age=60;a=b, "),
        ("cdn-cache-control", "("),
        ("accept-language", "b,a,"),
        ("accept-language", "\""),
        ("range", "-"),
        ("content-range", "bytes "),
        ("date", "9"),
        ("age", "9"),
        ("host", "a"),
    ] {
        let field = format!("{name}: {}", unit.repeat((1 << 20) / unit.len()));
        let sent = Sent::get(&[&field]);
        let response = ["etag: \"1\"", "cache-control: max-age=60", "vary: accept-language", &field];
        let old = sent.head(200, &response);
        // A quadratic reader takes minutes.
        let _ = shared().decide(&sent.request(), &sent.options, Some(&old), NOW);
        let _ = shared().storable(&sent.request(), &sent.options, &old, NOW);
        let _ = shared().refresh(&sent.request(), &sent.options, &old, &sent.head(304, &response), NOW);
        let _ = shared().present(&sent.request(), old, Some(10), NOW);
        let _ = cache_groups(&sent.headers);
    }
}
