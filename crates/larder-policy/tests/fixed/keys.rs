//! Which keys a policy gives a request, and when none.

use http::Method;
use larder_core::CacheKey;
use larder_policy::{
    Bypass, CacheKeys, CacheMode, CacheOptions, Content, Expiry, KeyRequest, RequestKeys, RequestOptions,
};

use super::hour;
use crate::support::{Sent, URL, policy, secs};

fn keys(options: CacheOptions, sent: &Sent) -> Result<RequestKeys, Bypass> {
    policy(options).keys(&sent.request(), &sent.options)
}

fn own(text: &str) -> CacheKey {
    CacheKey::new(text).expect("a key")
}

#[test]
fn the_key_is_that_of_the_cache_keys() {
    let sent = Sent::get(&["authorization: Bearer a"]);
    let expected = |keys: CacheKeys| keys.key(&sent.request()).expect("a key").to_cache_key();
    let found = |options| keys(options, &sent).expect("keys");
    assert_eq!(found(hour()).primary, expected(CacheKeys::private()));
    assert_eq!(found(hour()).get, None);
    assert_eq!(found(hour().shared()).primary, expected(CacheKeys::shared()));
    assert_ne!(found(hour()), found(hour().shared()));
    let ignored = Sent::new(Method::GET, "http://site.com/a?utm=1", &["authorization: Bearer a"]);
    assert_eq!(keys(hour().ignored_params(["utm"]), &ignored), Ok(found(hour())));
}

#[test]
fn a_head_looks_where_the_get_is_and_is_stored_elsewhere() {
    let (get, head) = (Sent::get(&[]), Sent::new(Method::HEAD, URL, &[]));
    let by_own_key = RequestOptions::default().key(own("mine"));
    for (options, own) in [
        (hour(), RequestOptions::default()),
        (hour(), by_own_key),
        (hour().key_fn(|_| Some(own("all"))), RequestOptions::default()),
    ] {
        let of_get = keys(options.clone(), &get.clone().with(own.clone())).expect("keys");
        let of_head = keys(options, &head.clone().with(own)).expect("keys");
        assert_eq!(of_head.get.as_ref(), Some(&of_get.primary));
        assert_ne!(of_head.primary, of_get.primary);
    }
}

#[test]
fn a_key_of_one_s_own_goes_before_the_others() {
    let by_path = hour().key_fn(|request| CacheKey::new(request.url().path().trim_start_matches('/')).ok());
    assert_eq!(keys(by_path.clone(), &Sent::get(&[])).expect("keys").primary, own("a"));
    assert_eq!(keys(by_path.clone(), &Sent::new(Method::GET, "http://h/", &[])), Err(Bypass::KeyFunction));
    let sent = Sent::get(&[]).with(RequestOptions::default().key(own("mine")));
    assert_eq!(keys(by_path.clone(), &sent).expect("keys").primary, own("mine"));
    let post = Sent::new(Method::POST, URL, &[]).with(RequestOptions::default().key(own("mine")));
    assert_eq!(keys(by_path, &post), Err(Bypass::Method(Method::POST)), "no key makes a method safe");
}

#[test]
fn a_request_that_has_nothing_to_do_with_the_cache_has_no_key() {
    let check = |options: CacheOptions, sent: &Sent, expected: Bypass| {
        assert_eq!(keys(options, sent), Err(expected), "{:?} {:?}", sent.headers, sent.options);
    };
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::QUERY] {
        check(hour(), &Sent::new(method.clone(), URL, &[]), Bypass::Method(method));
    }
    let no_store = Sent::get(&["cache-control: no-store"]);
    check(hour().cache_control(true), &no_store, Bypass::NoStore);
    assert!(keys(hour(), &no_store).is_ok());
    let mode = |mode| Sent::get(&[]).with(RequestOptions::default().mode(mode));
    check(hour(), &mode(CacheMode::NoStore), Bypass::NoStore);
    assert!(keys(hour(), &mode(CacheMode::Reload)).is_ok());
    check(hour(), &Sent::get(&["host: elsewhere"]), Bypass::Host);
    let by_post = || hour().allowed_methods([Method::GET, Method::POST]);
    check(by_post(), &Sent::new(Method::POST, URL, &["range: bytes=0-1"]), Bypass::Range);
    for name in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"] {
        check(by_post(), &Sent::new(Method::POST, URL, &[&format!("{name}: x")]), Bypass::Conditional);
    }
    for name in ["if-match", "if-unmodified-since"] {
        check(hour(), &Sent::get(&[&format!("{name}: x")]), Bypass::Conditional);
    }
    check(hour(), &Sent::new(Method::GET, "/a", &[]), Bypass::RelativeUrl);
}

#[test]
fn a_request_for_a_part_or_a_change_has_the_key_of_the_whole() {
    let plain = keys(hour(), &Sent::get(&[]));
    for field in [
        "range: bytes=0-1",
        "if-none-match: \"1\"",
        "if-modified-since: Mon, 23 Nov 2026 00:00:00 GMT",
        "if-range: \"1\"",
    ] {
        assert_eq!(keys(hour(), &Sent::get(&[field])), plain, "{field}");
    }
}

#[test]
fn what_is_not_to_be_stored_has_no_key() {
    let dont = Expiry::DoNotStore;
    let check = |options, sent: &Sent, is_cached| {
        let found = keys(options, sent);
        assert_eq!(found.is_ok(), is_cached, "{:?}", sent.options);
        assert!(is_cached || found == Err(Bypass::Expiry));
    };
    let plain = Sent::get(&[]);
    let own = |expiry: Expiry| plain.clone().with(RequestOptions::default().expire_after(expiry));
    check(hour(), &plain, true);
    check(CacheOptions::fixed(dont), &plain, false);
    check(CacheOptions::fixed(dont).cache_control(true), &plain, true);
    check(CacheOptions::fixed(dont), &own(secs(5).into()), true);
    check(hour(), &own(dont), false);
    check(hour().cache_control(true), &own(dont), false);
    check(hour().urls_expire_after([("site.com/a", dont)]), &plain, false);
    check(hour().urls_expire_after([("site.com/b", dont)]), &plain, true);
    check(CacheOptions::fixed(dont).urls_expire_after([("site.com", secs(5))]), &plain, true);
}

#[test]
fn an_allowed_method_has_keys_that_cover_its_content() {
    let policy = policy(hour().allowed_methods([Method::POST, Method::QUERY]));
    let url = URL.parse().expect("a URL");
    for method in [Method::POST, Method::QUERY] {
        let key = |content: &[u8]| {
            let request = KeyRequest::new(&method, &url).with_content(Content::Bytes(content));
            policy.keys(&request, &RequestOptions::default()).expect("keys").primary
        };
        assert_ne!(key(b"a"), key(b"b"));
        let streamed = KeyRequest::new(&method, &url).with_content(Content::Streamed);
        assert_eq!(policy.keys(&streamed, &RequestOptions::default()), Err(Bypass::ContentNotGiven));
    }
}
