//! What is stored, and what of it.

use http::header::{AUTHORIZATION, COOKIE};
use http::{Method, StatusCode};
use larder_core::Hop;
use larder_policy::{CacheMode, CacheOptions, Expiry, NotStorable, RequestOptions};

use super::hour;
use crate::support::{Fields, NOW, Sent, URL, after, headers, policy, secs};

fn check(
    options: CacheOptions,
    sent: &Sent,
    status: u16,
    response: Fields,
    expected: Result<(), NotStorable>,
) {
    let stored = sent.storable(&policy(options), &sent.head(status, response));
    assert_eq!(stored.err(), expected.err(), "{:?} {status} {response:?}", sent.headers);
}

#[test]
fn status_and_method_must_be_allowed() {
    let get = Sent::get(&[]);
    let status = |code| Err(NotStorable::Status(StatusCode::from_u16(code).expect("a status")));
    check(hour(), &get, 200, &[], Ok(()));
    check(hour(), &get, 404, &[], status(404));
    check(hour(), &get, 304, &[], status(304));
    check(hour(), &get, 103, &[], status(103));
    check(hour(), &get, 206, &[], Err(NotStorable::Partial));
    check(hour().allowed_codes([StatusCode::NOT_FOUND]), &get, 404, &[], Ok(()));
    check(hour().allowed_codes([StatusCode::NOT_FOUND]), &get, 200, &[], status(200));
    let post = Sent::new(Method::POST, URL, &[]);
    check(hour(), &Sent::new(Method::HEAD, URL, &[]), 200, &[], Ok(()));
    check(hour(), &post, 200, &[], Err(NotStorable::Method(Method::POST)));
    check(hour().allowed_methods([Method::POST]), &post, 200, &[], Ok(()));
    check(hour().allowed_methods([Method::POST]), &get, 200, &[], Err(NotStorable::Method(Method::GET)));
}

#[test]
fn no_store_forbids_on_either_side_where_it_is_read() {
    let no_store: Fields = &["cache-control: No-Store, max-age=60"];
    check(hour(), &Sent::get(no_store), 200, no_store, Ok(()));
    check(hour().cache_control(true), &Sent::get(&[]), 200, no_store, Err(NotStorable::NoStore));
    check(hour().cache_control(true), &Sent::get(no_store), 200, &[], Err(NotStorable::RequestNoStore));
    let by_mode = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::NoStore));
    check(hour(), &by_mode, 200, &[], Err(NotStorable::RequestNoStore));
    let reload = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::Reload));
    check(hour(), &reload, 200, &[], Ok(()));
}

#[test]
fn a_response_that_is_never_used_is_not_stored() {
    let at_once = || CacheOptions::fixed(Expiry::Immediately);
    let get = Sent::get(&[]);
    check(at_once(), &get, 200, &[], Err(NotStorable::Expiry));
    check(at_once(), &get, 200, &["etag: \"1\""], Ok(()));
    check(at_once(), &get, 200, &["last-modified: Sun, 22 Nov 2026 00:00:00 GMT"], Ok(()));
    check(at_once(), &get, 200, &["etag: *", "last-modified: yesterday"], Err(NotStorable::Expiry));
    check(at_once().stale_if_error(secs(60)), &get, 200, &[], Ok(()));
    let post = Sent::new(Method::POST, URL, &[]);
    check(at_once().allowed_methods([Method::POST]), &post, 200, &["etag: \"1\""], Err(NotStorable::Expiry));
    let read = || at_once().cache_control(true).stale_if_error(secs(60));
    check(read(), &get, 200, &["cache-control: must-revalidate"], Err(NotStorable::Expiry));
}

#[test]
fn a_shared_cache_keeps_what_is_for_all() {
    let token: Fields = &["authorization: Bearer a"];
    for (request, response, if_read, otherwise) in [
        (&[][..], &["cache-control: private"][..], Err(NotStorable::Private), Err(NotStorable::Private)),
        (&[], &["cache-control: private=\"x\""], Err(NotStorable::Private), Err(NotStorable::Private)),
        (&[], &["set-cookie: a=b"], Err(NotStorable::SetCookie), Err(NotStorable::SetCookie)),
        (&[], &[], Ok(()), Ok(())),
        (token, &[], Err(NotStorable::Credentials), Err(NotStorable::Credentials)),
        (token, &["cache-control: max-age=60"], Err(NotStorable::Credentials), Err(NotStorable::Credentials)),
        (token, &["cache-control: public"], Ok(()), Ok(())),
        (token, &["cache-control: s-maxage=60"], Ok(()), Err(NotStorable::Credentials)),
        (token, &["cache-control: must-revalidate"], Ok(()), Err(NotStorable::Credentials)),
    ] {
        let sent = Sent::get(request);
        check(hour().shared().cache_control(true), &sent, 200, response, if_read);
        check(hour().shared(), &sent, 200, response, otherwise);
        check(hour(), &sent, 200, response, Ok(()));
        check(hour().cache_control(true), &sent, 200, response, Ok(()));
    }
}

#[test]
fn what_varies_on_anything_is_not_stored() {
    for vary in [&["vary: *"][..], &["vary: accept, *"], &["vary: accept", "vary: *"], &["vary: a b"]] {
        let sent = Sent::get(&[]);
        let stored = sent.storable(&policy(hour()), &sent.head(200, vary));
        assert_eq!(stored.map(|_| ()), Err(NotStorable::VaryAny), "{vary:?}");
    }
    check(hour(), &Sent::get(&[]), 200, &["vary: , accept ,"], Ok(()));
}

#[test]
fn the_fields_that_vary_nominates_are_kept_and_no_credential_in_the_clear() {
    let sent = Sent::get(&[
        "accept: a",
        "accept:  b",
        "accept-language: de",
        "cookie: sid=hunter2",
        "authorization: Bearer hunter2",
        "x-other: c",
    ]);
    let response = sent.head(200, &["vary: Accept, Cookie", "vary: authorization, x-absent"]);
    let stored = sent.storable(&policy(hour()), &response).expect("storable");
    let mut names: Vec<&str> = stored.vary_fields.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "cookie"]);
    assert_eq!(stored.vary_fields.get_all("accept").iter().collect::<Vec<_>>(), ["a", "b"]);
    for name in [COOKIE, AUTHORIZATION] {
        let value = stored.vary_fields[&name].to_str().expect("text");
        assert!(value.starts_with("sha-256 ") && !value.contains("hunter2"), "{value}");
    }
}

#[test]
fn fields_of_the_connection_are_not_stored() {
    let sent = Sent::get(&[]);
    let mut response = sent.head(
        200,
        &[
            "connection: close, X-Own",
            "connection: cache-control",
            "x-own: 1",
            "keep-alive: timeout=5",
            "proxy-connection: close",
            "te: trailers",
            "transfer-encoding: chunked",
            "upgrade: h2c",
            "proxy-authenticate: Basic",
            "proxy-authentication-info: a",
            "proxy-authorization: Basic a",
            "cache-control: max-age=60",
            "set-cookie: a=b",
            "x-kept: 1",
            "x-kept: 2",
        ],
    );
    let mut hop = Hop::new(Method::GET, "http://site.com/from".parse().expect("a URL"), StatusCode::FOUND);
    hop.headers = headers(&["connection: x", "x: 1", "location: /a", "set-cookie: a=b"]);
    response.history = vec![hop];
    let stored = sent.storable(&policy(hour()), &response).expect("storable");
    assert_eq!(
        stored.headers,
        headers(&["cache-control: max-age=60", "set-cookie: a=b", "x-kept: 1", "x-kept: 2"])
    );
    assert_eq!(stored.history[0].headers, headers(&["location: /a", "set-cookie: a=b"]));
    response.headers.remove("set-cookie");
    let shared = sent.storable(&policy(hour().shared()), &response).expect("storable");
    assert_eq!(shared.history[0].headers, headers(&["location: /a"]));
}

#[test]
fn an_entry_is_kept_past_its_expiry_until_its_delete_time() {
    let day = 86_400;
    let check = |options: CacheOptions, sent: &Sent, response: Fields, expected: Option<u64>| {
        let stored = sent.storable(&policy(options), &sent.head(200, response)).expect("storable");
        assert_eq!(stored.delete_at, expected.map(after), "{response:?}");
        assert_eq!((stored.created_at, stored.received_at), (NOW, NOW));
    };
    let get = Sent::get(&[]);
    check(hour(), &get, &[], Some(3600 + 30 * day));
    check(hour().keep_expired(secs(60)), &get, &[], Some(3660));
    check(hour().keep_expired(secs(0)), &get, &[], Some(3600));
    check(CacheOptions::fixed(Expiry::Never), &get, &[], None);
    let own = get.clone().with(RequestOptions::default().stale_if_error(secs(90)));
    check(hour().keep_expired(secs(60)), &own, &[], Some(3690));
    let read = || hour().keep_expired(secs(60)).cache_control(true);
    check(read(), &get, &["cache-control: stale-if-error=90"], Some(3690));
}
