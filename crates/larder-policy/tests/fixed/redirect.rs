//! Which redirects are skipped, and until when.

use http::header::ACCEPT_LANGUAGE;
use http::{Method, StatusCode};
use larder_policy::{CacheMode, CacheOptions, Expiry, NotStorable, RequestOptions};

use super::hour;
use crate::support::{Fields, NOW, Sent, URL, after, policy, secs};

fn check(
    options: CacheOptions,
    sent: &Sent,
    status: u16,
    response: Fields,
    expected: Result<Option<u64>, NotStorable>,
) {
    let hop = policy(options).redirect(&sent.request(), &sent.options, &sent.head(status, response), NOW);
    assert_eq!(hop, expected.map(|seconds| seconds.map(after)), "{status} {response:?}");
}

#[test]
fn a_redirect_is_skipped_for_as_long_as_its_url_is_fresh() {
    let get = Sent::get(&[]);
    for status in [301, 302, 303, 307, 308] {
        check(hour(), &get, status, &[], Ok(Some(3600)));
    }
    check(CacheOptions::fixed(Expiry::Never), &get, 302, &[], Ok(None));
    check(hour().urls_expire_after([("site.com", secs(5))]), &get, 302, &[], Ok(Some(5)));
    check(hour().urls_expire_after([("other.com", secs(5))]), &get, 302, &[], Ok(Some(3600)));
    let own = get.clone().with(RequestOptions::default().expire_after(secs(7)));
    check(hour(), &own, 302, &[], Ok(Some(7)));
    check(hour().cache_control(true), &own, 302, &["cache-control: max-age=9"], Ok(Some(9)));
    check(hour(), &Sent::new(Method::HEAD, URL, &[]), 302, &[], Ok(Some(3600)));
}

#[test]
fn no_store_is_followed_anew_whatever_the_options_say() {
    for options in [hour(), hour().cache_control(true), CacheOptions::fixed(Expiry::Never)] {
        let no_store: Fields = &["cache-control: max-age=60, NO-STORE"];
        check(options, &Sent::get(&[]), 302, no_store, Err(NotStorable::NoStore));
    }
}

#[test]
fn other_methods_and_statuses_have_no_alias() {
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let options = hour().allowed_methods([Method::GET, method.clone()]);
        let sent = Sent::new(method.clone(), URL, &[]);
        check(options, &sent, 303, &[], Err(NotStorable::Method(method)));
    }
    let only_head = hour().allowed_methods([Method::HEAD]);
    check(only_head, &Sent::get(&[]), 302, &[], Err(NotStorable::Method(Method::GET)));
    for status in [200, 300, 304, 305, 404] {
        let code = StatusCode::from_u16(status).expect("a status");
        check(hour(), &Sent::get(&[]), status, &[], Err(NotStorable::Status(code)));
    }
}

#[test]
fn what_expires_at_once_is_followed_anew() {
    let get = Sent::get(&[]);
    check(CacheOptions::fixed(Expiry::Immediately), &get, 302, &["etag: \"1\""], Err(NotStorable::Expiry));
    check(CacheOptions::fixed(Expiry::DoNotStore), &get, 302, &[], Err(NotStorable::Expiry));
    let dont = hour().urls_expire_after([("site.com", Expiry::DoNotStore)]);
    check(dont, &get, 302, &[], Err(NotStorable::Expiry));
    check(hour().cache_control(true), &get, 302, &["cache-control: no-cache"], Err(NotStorable::Expiry));
    check(hour(), &get, 302, &["cache-control: no-cache"], Ok(Some(3600)));
    let no_store = get.with(RequestOptions::default().mode(CacheMode::NoStore));
    check(hour(), &no_store, 302, &[], Err(NotStorable::RequestNoStore));
}

#[test]
fn a_redirect_that_varies_has_no_alias_unless_the_key_covers_it() {
    let get = Sent::get(&[]);
    let language: Fields = &["vary: accept-language"];
    check(hour(), &get, 302, language, Err(NotStorable::VaryingRedirect));
    check(hour().include_headers([ACCEPT_LANGUAGE]), &get, 302, language, Ok(Some(3600)));
    check(hour().include_all_headers(), &get, 302, language, Ok(Some(3600)));
    let ignored = hour().include_all_headers().ignored_params(["Accept-Language"]);
    check(ignored, &get, 302, language, Err(NotStorable::VaryingRedirect));
    check(hour(), &get, 302, &["vary: authorization, accept-encoding"], Ok(Some(3600)));
    let token: Fields = &["vary: authorization"];
    check(hour().key_fn(|_| None), &get, 302, token, Err(NotStorable::VaryingRedirect));
    let key = larder_core::CacheKey::new("mine").expect("a key");
    let own = get.clone().with(RequestOptions::default().key(key));
    check(hour(), &own, 302, token, Err(NotStorable::VaryingRedirect));
    check(hour().shared(), &get, 302, &["vary: authorization"], Err(NotStorable::VaryingRedirect));
    check(hour(), &get, 302, &["vary: *"], Err(NotStorable::VaryAny));
}

#[test]
fn a_shared_cache_skips_no_redirect_of_one_user() {
    let private: Fields = &["cache-control: private"];
    check(hour().shared(), &Sent::get(&[]), 302, private, Err(NotStorable::Private));
    check(hour().shared(), &Sent::get(&[]), 302, &["set-cookie: a=b"], Err(NotStorable::SetCookie));
    let token = Sent::get(&["authorization: Bearer a"]);
    check(hour().shared(), &token, 302, &[], Err(NotStorable::Credentials));
    check(hour(), &token, 302, private, Ok(Some(3600)));
}
