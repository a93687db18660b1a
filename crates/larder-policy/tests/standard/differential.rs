//! The same questions to another implementation: http-cache-semantics, where that is right.
//!
//! Requests and responses are made of well-formed directives in lower case, each there once, and of fields that are there
//! once. Within that both must say the same of what is stored and of what is used without validation; where they do
//! not, and on purpose, is in `differences.rs`, and what would lead there is left out here.

use std::time::SystemTime;

use http::{Request, Response};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use larder_core::Timestamp;
use larder_policy::Decision;
use proptest::collection::hash_set;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{private, shared};
use crate::support::{NOW, Sent, URL, after};

pub(super) fn time(at: Timestamp) -> SystemTime {
    at.to_system_time().expect("a time")
}

pub(super) fn request(sent: &Sent) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = sent.method.clone();
    *request.uri_mut() = URL.parse().expect("a URL");
    *request.headers_mut() = sent.headers.clone();
    request
}

/// Returns what the other implementation makes of a response that came now.
pub(super) fn other(sent: &Sent, status: u16, fields: &[&str], is_shared: bool) -> CachePolicy {
    let head = sent.head(status, fields);
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    let options = CacheOptions { shared: is_shared, ..CacheOptions::default() };
    CachePolicy::new_options(&request(sent), &response, time(NOW), options)
}

/// Returns whether the other implementation uses a stored response.
pub(super) fn is_used_by_other(policy: &CachePolicy, sent: &Sent, age: u64) -> bool {
    matches!(policy.before_request(&request(sent), time(after(age))), BeforeRequest::Fresh(_))
}

/// One exchange that stores, or not, and a request that comes later.
#[derive(Debug, Clone)]
struct Case {
    is_shared: bool,
    stored_for: Vec<String>,
    status: u16,
    response: Vec<String>,
    request: Vec<String>,
    age: u64,
}

/// A number of seconds, none of which is the age of another and the lifetime of a third at once.
fn seconds() -> impl Strategy<Value = u64> {
    select(vec![0, 1, 60, 600, 86_400, 31_536_000])
}

fn response() -> impl Strategy<Value = Vec<String>> {
    let numbers = (seconds(), seconds(), any::<bool>()).prop_map(|(max_age, s_maxage, is_quoted)| {
        let quote = if is_quoted { "\"" } else { "" };
        [format!("max-age={quote}{max_age}{quote}"), format!("s-maxage={s_maxage}")]
    });
    let plain = ["no-store", "no-cache", "private", "public", "must-revalidate", "no-transform", "foo=bar"];
    let directives = (numbers, subsequence(plain.to_vec(), 0..3), 0..4_u8, any::<usize>()).prop_map(
        |(numbers, plain, which, turn)| {
            let mut directives: Vec<String> = plain.into_iter().map(str::to_owned).collect();
            directives.extend(
                numbers.into_iter().enumerate().filter(|(at, _)| which >> at & 1 == 1).map(|(_, n)| n),
            );
            let turn = turn.checked_rem(directives.len()).unwrap_or_default();
            directives.rotate_left(turn);
            directives.join(", ")
        },
    );
    let fields = [
        "expires: Mon, 23 Nov 2026 00:01:00 GMT",
        "expires: Sun, 22 Nov 2026 00:00:00 GMT",
        "expires: 0",
        "date: Mon, 23 Nov 2026 00:00:00 GMT",
        "last-modified: Sun, 22 Nov 2026 23:50:00 GMT",
        "last-modified: Sun, 01 Nov 2026 00:00:00 GMT",
        "age: 30",
        "age: 3000",
        "vary: accept",
        "vary: accept, foo",
        "content-type: text/plain",
    ];
    (directives, hash_set(select(fields.to_vec()), 0..5)).prop_map(|(directives, fields)| {
        let mut response = vec!["etag: \"1\"".to_owned()];
        if !directives.is_empty() {
            response.push(format!("cache-control: {directives}"));
        }
        for field in fields {
            let name = field.split(':').next().expect("a name");
            if !response.iter().any(|other| other.starts_with(name)) {
                response.push(field.to_owned());
            }
        }
        response
    })
}

/// Ends in 7 where the others are round, so that nothing is decided by what both call equal.
fn asked() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        1 => Just("no-cache".to_owned()),
        1 => Just("max-stale".to_owned()),
        1 => select(vec![7, 97, 9_997]).prop_map(|seconds| format!("max-age={seconds}")),
        1 => select(vec![7, 97, 9_997]).prop_map(|seconds| format!("min-fresh={seconds}")),
        1 => select(vec![7, 97, 9_997]).prop_map(|seconds| format!("max-stale={seconds}")),
        1 => Just("max-stale=97, max-age=9997".to_owned()),
    ]
}

fn fields(directives: &str, others: Vec<&str>) -> Vec<String> {
    let mut fields: Vec<String> = others.into_iter().map(str::to_owned).collect();
    if !directives.is_empty() {
        fields.push(format!("cache-control: {directives}"));
    }
    fields
}

fn case() -> impl Strategy<Value = Case> {
    let others = || subsequence(vec!["accept: a", "foo: 1"], 0..=2);
    let stored_for = (select(vec!["", "", "no-store", "max-age=7"]), others(), any::<bool>()).prop_map(
        |(directives, mut others, is_authorized)| {
            if is_authorized {
                others.push("authorization: Bearer a");
            }
            fields(directives, others)
        },
    );
    let statuses =
        select(vec![200, 200, 200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501]);
    let ages = select(vec![0, 1, 29, 30, 59, 60, 61, 599, 600, 3000, 90_000, 200_000, 40_000_000]);
    let request = (asked(), others()).prop_map(|(directives, others)| fields(&directives, others));
    (any::<bool>(), stored_for, statuses, response(), request, ages).prop_map(
        |(is_shared, stored_for, status, response, request, age)| Case {
            is_shared,
            stored_for,
            status,
            response,
            request,
            age,
        },
    )
}

impl Case {
    fn says(&self, directive: &str) -> bool {
        self.response.iter().any(|field| field.starts_with("cache-control") && field.contains(directive))
    }

    /// Returns whether the case is one of those in which the two differ on purpose.
    fn is_different(&self) -> bool {
        let takes_stale = self.request.iter().any(|field| field.contains("max-stale"));
        let is_explicit =
            self.says("max-age") || self.response.iter().any(|field| field.starts_with("expires"));
        let is_private_alone = self.says("private") && !self.is_shared && !is_explicit;
        (self.says("no-cache") && takes_stale)
            || (self.is_shared && self.says("s-maxage") && takes_stale)
            || (is_private_alone && matches!(self.status, 302 | 303 | 307))
    }
}

fn refs(fields: &[String]) -> Vec<&str> {
    fields.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_store_and_use_the_same(case in case().prop_filter("they differ", |case| !case.is_different())) {
        let policy = if case.is_shared { shared() } else { private() };
        let (stored_for, later) = (Sent::get(&refs(&case.stored_for)), Sent::get(&refs(&case.request)));
        let response = refs(&case.response);
        let other = other(&stored_for, case.status, &response, case.is_shared);
        let stored = stored_for.storable(&policy, &stored_for.head(case.status, &response));
        prop_assert_eq!(stored.is_ok(), other.is_storable(), "{:?}", stored);
        let Ok(stored) = stored else { return Ok(()) };
        let decision = later.decide(&policy, Some(&stored), after(case.age));
        let is_used_by_other = is_used_by_other(&other, &later, case.age);
        prop_assert_eq!(decision == Decision::Use, is_used_by_other, "{:?}", decision);
    }
}
