//! Targeted fields (RFC 9213).

use http::HeaderName;
use larder_policy::{CacheOptions, Forward, LifetimeSource, NotStorable, Policy};

use super::{done, private, shared, stored};
use crate::support::{Do, NOW, Sent, policy, secs};

const OWN: HeaderName = HeaderName::from_static("larder-cache-control");
const CDN: HeaderName = HeaderName::from_static("cdn-cache-control");

/// A shared cache that heeds a field of its own before the one of all caches that are shared.
fn own() -> Policy {
    policy(CacheOptions::standard().shared().targeted([OWN, CDN]))
}

#[track_caller]
fn check(policy: &Policy, response: &[&str], expected: u64, source: LifetimeSource) {
    let response = [response, &["etag: \"1\""]].concat();
    let freshness = policy.freshness(&stored(policy, &response), NOW);
    assert_eq!((freshness.lifetime, freshness.source), (Some(secs(expected)), source), "{response:?}");
}

#[test]
fn a_shared_cache_heeds_cdn_cache_control_and_a_private_one_does_not() {
    // 3.1.
    let response = ["cache-control: max-age=10", "cdn-cache-control: max-age=60"];
    check(&shared(), &response, 60, LifetimeSource::MaxAge);
    check(&private(), &response, 10, LifetimeSource::MaxAge);
    let none = policy(CacheOptions::standard().shared().targeted([]));
    check(&none, &response, 10, LifetimeSource::MaxAge);
    let heeding = policy(CacheOptions::standard().targeted([CDN]));
    check(&heeding, &response, 60, LifetimeSource::MaxAge);
}

#[test]
fn the_first_of_the_target_list_that_is_valid_and_not_empty_decides() {
    // 2.2.
    let (own_field, cdn) = ("larder-cache-control: max-age=30", "cdn-cache-control: max-age=60");
    let plain = "cache-control: max-age=10";
    check(&own(), &[plain, cdn, own_field], 30, LifetimeSource::MaxAge);
    check(&own(), &[plain, cdn], 60, LifetimeSource::MaxAge);
    check(&own(), &[plain], 10, LifetimeSource::MaxAge);
    check(&own(), &[plain, cdn, "larder-cache-control: "], 60, LifetimeSource::MaxAge);
    check(&own(), &[plain, cdn, "larder-cache-control: max-age=30, &"], 60, LifetimeSource::MaxAge);
    check(&own(), &[plain, "larder-cache-control: &", "cdn-cache-control: "], 10, LifetimeSource::MaxAge);
}

#[test]
fn what_a_targeted_field_says_cache_control_and_expires_do_not() {
    // 2.2: Cache-Control and Expires are ignored in such a response.
    let expires = "expires: Mon, 23 Nov 2026 00:00:30 GMT";
    check(&shared(), &["cache-control: max-age=10", "cdn-cache-control: foo"], 0, LifetimeSource::Nothing);
    check(&shared(), &[expires, "cdn-cache-control: foo"], 0, LifetimeSource::Nothing);
    check(&shared(), &[expires, "cdn-cache-control: max-age=60"], 60, LifetimeSource::MaxAge);
    let modified = "last-modified: Sun, 22 Nov 2026 23:50:00 GMT";
    check(&shared(), &[expires, modified, "cdn-cache-control: foo"], 60, LifetimeSource::Heuristic);
    let get = Sent::get(&[]);
    let is_stored = |response: &[&str]| get.storable(&shared(), &get.head(200, response)).map(|_| ());
    assert_eq!(is_stored(&["cache-control: no-store", "cdn-cache-control: max-age=60"]), Ok(()));
    assert_eq!(is_stored(&["cache-control: private", "cdn-cache-control: max-age=60"]), Ok(()));
    let forbidden = is_stored(&["cache-control: max-age=60", "cdn-cache-control: no-store"]);
    assert_eq!(forbidden, Err(NotStorable::NoStore));
    let forbidden = is_stored(&["cache-control: public, max-age=60", "cdn-cache-control: private"]);
    assert_eq!(forbidden, Err(NotStorable::Private));
    let response = ["cache-control: max-age=60, no-cache", "cdn-cache-control: max-age=60"];
    assert_eq!(done(&shared(), &response, &[], 59), Do::Use);
}

#[test]
fn what_does_not_parse_as_a_dictionary_is_ignored_as_a_whole() {
    // 2.1: it is a dictionary of structured fields, or it is not there.
    for value in [
        "max-age=60,",
        "max-age=60, &&",
        "MAX-AGE=60",
        "max-age =60",
        "max-age=60 foo",
        "max-age=\"60",
        "max-age=60; =",
        "max-age=é",
        "",
    ] {
        let response = ["cache-control: max-age=10", &format!("cdn-cache-control: {value}")];
        check(&shared(), &response, 10, LifetimeSource::MaxAge);
    }
}

#[test]
fn a_member_of_another_type_is_read_the_stricter_way() {
    for value in ["max-age=\"60\"", "max-age=60.5", "max-age", "max-age=-1", "max-age=(60)", "max-age=a"] {
        let response = ["cache-control: max-age=10", &format!("cdn-cache-control: {value}")];
        check(&shared(), &response, 0, LifetimeSource::MaxAge);
    }
    check(&shared(), &["cdn-cache-control: max-age=60;a=b;c"], 60, LifetimeSource::MaxAge);
    check(&shared(), &["cdn-cache-control: no-store=?0, max-age=60"], 60, LifetimeSource::MaxAge);
    // The last of those with one name is the one.
    check(&shared(), &["cdn-cache-control: max-age=1, max-age=60"], 60, LifetimeSource::MaxAge);
    check(
        &shared(),
        &["cdn-cache-control: max-age=1", "cdn-cache-control: max-age=60"],
        60,
        LifetimeSource::MaxAge,
    );
}

#[test]
fn a_targeted_field_has_the_directives_of_responses() {
    let stale = Do::Validate(Forward::Stale);
    for (value, age, expected) in [
        ("max-age=60, stale-while-revalidate=30", 60, Do::UseWhileValidating),
        ("max-age=60, stale-while-revalidate=30, must-revalidate", 60, stale),
        ("max-age=60, no-cache", 0, stale),
        ("s-maxage=60, max-age=10", 59, Do::Use),
        ("max-age=60, must-revalidate", 60, stale),
    ] {
        let response = [&*format!("cdn-cache-control: {value}"), "etag: \"1\""];
        assert_eq!(done(&shared(), &response, &[], age), expected, "{value}");
    }
    let token = Sent::get(&["authorization: Bearer a"]);
    for (value, expected) in [
        ("max-age=60", Err(NotStorable::Credentials)),
        ("max-age=60, public", Ok(())),
        ("max-age=60, must-revalidate", Ok(())),
    ] {
        let response = token.head(200, &["cache-control: public", &format!("cdn-cache-control: {value}")]);
        assert_eq!(token.storable(&shared(), &response).map(|_| ()), expected, "{value}");
    }
}
