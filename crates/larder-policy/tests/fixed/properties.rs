//! What holds of any response: nothing panics, and who forbids more gets less reuse.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use larder_policy::{CacheMode, CacheOptions, Decision, Failure, RequestOptions};
use proptest::collection::vec;
use proptest::prelude::*;

use super::hour;
use crate::support::{Sent, after, policy, secs};

const NAMES: [&str; 12] = [
    "cache-control",
    "expires",
    "age",
    "date",
    "vary",
    "etag",
    "last-modified",
    "connection",
    "pragma",
    "content-type",
    "set-cookie",
    "authorization",
];

fn any_fields() -> impl Strategy<Value = HeaderMap> {
    let value = prop_oneof![
        vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..30),
        "(max-age|no-cache|\\*|\"1\"|Mon, 23 Nov 2026 0|=|,|-1|99999999999|\"| ){0,6}"
            .prop_map(String::into_bytes),
    ];
    vec((prop::sample::select(NAMES.to_vec()), value), 0..6).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).expect("a value"));
        }
        headers
    })
}

fn directives() -> impl Strategy<Value = Vec<&'static str>> {
    let known = vec![
        "max-age=60",
        "max-age=600",
        "s-maxage=60",
        "immutable",
        "public",
        "stale-if-error=60",
        "stale-if-error=9",
        "foo=bar",
    ];
    vec(prop::sample::select(known), 0..4)
}

/// How freely a response is reused by a request: 0 is not stored, 3 is used.
fn reuse(options: &CacheOptions, directives: &[&str], request: &Sent, age: u64, by_failure: bool) -> u8 {
    let policy = policy(options.clone());
    let line = format!("cache-control: {}", directives.join(", "));
    let sent = Sent::get(&[]);
    let Ok(stored) = sent.storable(&policy, &sent.head(200, &[&line, "etag: \"1\""])) else { return 0 };
    if by_failure {
        return u8::from(policy.use_stale(
            &request.request(),
            &request.options,
            &stored,
            Failure::Unreachable,
            after(age),
        ));
    }
    match request.decide(&policy, Some(&stored), after(age)) {
        Decision::Use => 3,
        Decision::Validate { .. } => 2,
        _ => 1,
    }
}

proptest! {
    #[test]
    fn any_fields_are_decided_about(request in any_fields(), response in any_fields(), is_shared in any::<bool>()) {
        let options = hour().cache_control(true).include_all_headers().stale_if_error(secs(5));
        let policy = policy(if is_shared { options.shared() } else { options });
        let mut sent = Sent::get(&[]);
        sent.headers = request;
        let mut head = sent.head(200, &[]);
        head.headers = response;
        let with = |status| {
            let mut head = head.clone();
            head.status = status;
            head
        };
        let (asked, own) = (sent.request(), RequestOptions::default());
        let _ = policy.keys(&asked, &own);
        let _ = policy.redirect(&asked, &own, &with(StatusCode::FOUND), after(1));
        let _ = policy.decide(&asked, &own, Some(&head), after(1));
        let _ = policy.use_stale(&asked, &own, &head, Failure::Unreachable, after(1));
        if let Ok(stored) = policy.storable(&asked, &own, &head, after(1)) {
            let again = policy.storable(&asked, &own, &stored, after(1)).expect("what is stored is storable");
            prop_assert_eq!(&again, &stored);
            let answer = with(StatusCode::NOT_MODIFIED);
            let _ = policy.refresh(&asked, &own, &stored, &answer, after(2));
        }
    }

    #[test]
    fn a_stricter_directive_never_makes_a_response_more_reusable(
        directives in directives(),
        stricter in prop::sample::select(vec![
            "no-store", "no-cache", "must-revalidate", "private", "proxy-revalidate", "max-age=0", "max-age=x",
            "no-cache=\"x\"", "foo bar", "\"", "stale-if-error=0",
        ]),
        place in 0..5_usize,
        request in prop::sample::select(vec![
            "", "max-stale", "max-stale=60", "max-age=100", "min-fresh=9", "no-cache", "only-if-cached", "stale-if-error=60",
        ]),
        mode in prop::sample::select(vec![CacheMode::Default, CacheMode::NoCache, CacheMode::ForceCache]),
        age in prop::sample::select(vec![0, 30, 59, 60, 61, 300, 700]),
        (is_shared, by_failure) in any::<(bool, bool)>(),
    ) {
        let options = CacheOptions::fixed(secs(30)).cache_control(true).stale_if_error(secs(90));
        let options = if is_shared { options.shared() } else { options };
        let request = format!("cache-control: {request}");
        let request = Sent::get(&[&request]).with(RequestOptions::default().mode(mode));
        let mut more = directives.clone();
        more.insert(place.min(directives.len()), stricter);
        let (before, then) = (
            reuse(&options, &directives, &request, age, by_failure),
            reuse(&options, &more, &request, age, by_failure),
        );
        prop_assert!(then <= before, "{directives:?} is {before}, {more:?} is {then}");
    }
}
