//! Which options make a policy, and what is said of those that do not.

use std::error::Error as _;

use futures_executor::block_on;
use http::header::ACCEPT;
use http::{Method, StatusCode};
use larder_core::ErrorKind;
use larder_policy::{CacheOptions, Expiry, Filter};

use super::hour;
use crate::support::{Sent, policy, secs};

fn check(options: CacheOptions, expected: &str) {
    let error = options.build().expect_err(expected);
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.contains(expected), "{cause:?} says {expected:?}");
}

#[test]
fn what_allows_nothing_is_refused() {
    check(hour().allowed_codes([]), "no status code");
    check(hour().allowed_methods([]), "no method");
}

#[test]
fn codes_and_methods_that_are_never_stored_are_refused() {
    for code in [100, 103, 206, 304, 600, 999] {
        let code = StatusCode::from_u16(code).expect("a status");
        check(hour().allowed_codes([StatusCode::OK, code]), code.as_str());
    }
    for code in [200, 204, 301, 404, 500, 599] {
        assert!(hour().allowed_codes([StatusCode::from_u16(code).expect("a status")]).build().is_ok());
    }
    for method in [Method::CONNECT, Method::TRACE] {
        check(hour().allowed_methods([Method::GET, method.clone()]), method.as_str());
    }
}

#[test]
fn a_pattern_that_is_none_is_named() {
    for pattern in ["", "/a", "site.com/?a", "http:// /"] {
        check(hour().urls_expire_after([("ok.com", secs(1)), (pattern, secs(1))]), &format!("{pattern:?}"));
    }
}

#[test]
fn no_time_at_all_is_refused_where_it_says_nothing() {
    check(CacheOptions::fixed(secs(0)), "DoNotStore");
    check(hour().urls_expire_after([("site.com", secs(0))]), "site.com");
    check(hour().stale_if_error(secs(0)), "stale_if_error");
    assert!(hour().keep_expired(secs(0)).build().is_ok());
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    check(hour().keep_expired(secs(5)).stale_if_error(secs(6)), "keep_expired");
    assert!(hour().keep_expired(secs(5)).stale_if_error(secs(5)).build().is_ok());
    let own = || hour().key_fn(|_| None);
    check(own().ignored_params(["a"]), "ignored_params");
    check(own().include_headers([ACCEPT]), "include_headers");
    check(own().include_all_headers(), "include_all_headers");
    check(hour().include_headers([ACCEPT]).include_all_headers(), "include_all_headers");
    check(hour().include_headers([ACCEPT]).ignored_params(["Accept"]), "accept");
}

#[test]
fn filters_are_asked_when_they_are_there() {
    let head = Sent::get(&[]).head(200, &["x-secret: 1"]);
    let asks = |name: &'static str| Filter::new(move |head| !head.headers.contains_key(name));
    let waits = Filter::new_async(async |head: larder_core::ResponseHead| head.status == 404);
    for (options, on_write, on_read) in [
        (hour(), true, true),
        (hour().filter_on_write(asks("x-secret")), false, true),
        (hour().filter_on_write(asks("x-other")).filter_on_read(waits), true, false),
    ] {
        let policy = policy(options);
        assert_eq!(block_on(policy.admits_write(&head)), on_write);
        assert_eq!(block_on(policy.admits_read(&head)), on_read);
    }
}

#[test]
fn a_policy_may_be_shared_between_threads() {
    fn is_shareable<T: Clone + Send + Sync + 'static + std::fmt::Debug>(_: &T) {}
    let policy = policy(CacheOptions::fixed(Expiry::Never).shared());
    is_shareable(&policy);
    is_shareable(&hour());
    assert!(policy.is_shared());
}
