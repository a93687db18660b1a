//! Which redirects are skipped, and until when (RFC 9110, sections 15.1 and 15.4; RFC 9111, section 4.2).

use http::{Method, StatusCode};
use larder_policy::{CacheMode, NotStorable, Policy, RequestOptions};

use super::{private, shared};
use crate::support::{Fields, NOW, Sent, URL, after};

/// Checks for how many seconds a redirect is skipped.
#[track_caller]
fn check(policy: &Policy, sent: &Sent, status: u16, response: &[&str], expected: Result<u64, NotStorable>) {
    let hop = policy.redirect(&sent.request(), &sent.options, &sent.head(status, response), NOW);
    assert_eq!(hop, expected.map(|seconds| Some(after(seconds))), "{status} {response:?}");
}

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

#[test]
fn a_redirect_that_says_how_long_it_is_fresh_is_skipped_for_as_long() {
    let get = Sent::get(&[]);
    for status in STATUSES {
        for policy in [private(), shared()] {
            check(&policy, &get, status, &["cache-control: max-age=60"], Ok(60));
            check(&policy, &get, status, &["cache-control: max-age=60", "age: 20"], Ok(40));
            check(&policy, &get, status, &["expires: Mon, 23 Nov 2026 00:01:00 GMT"], Ok(60));
            check(&policy, &get, status, &["cache-control: max-age=0"], Err(NotStorable::Expiry));
            check(&policy, &get, status, &["cache-control: max-age=60, no-cache"], Err(NotStorable::Expiry));
            check(&policy, &get, status, &["cache-control: max-age=60, no-store"], Err(NotStorable::NoStore));
            check(&policy, &get, status, &[], Err(NotStorable::Expiry));
        }
    }
}

#[test]
fn a_permanent_redirect_is_skipped_by_a_heuristic_and_no_other() {
    let modified: Fields = &["last-modified: Sun, 22 Nov 2026 23:50:00 GMT"];
    for status in STATUSES {
        let expected = if matches!(status, 301 | 308) { Ok(60) } else { Err(NotStorable::Expiry) };
        check(&private(), &Sent::get(&[]), status, modified, expected);
    }
}

#[test]
fn what_reads_is_redirected_from_memory_and_nothing_else() {
    let response = &["cache-control: max-age=60"];
    check(&private(), &Sent::new(Method::HEAD, URL, &[]), 301, response, Ok(60));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let sent = Sent::new(method.clone(), URL, &[]);
        check(&private(), &sent, 301, response, Err(NotStorable::Method(method)));
    }
    for status in [200, 300, 304, 305, 306, 404] {
        let code = StatusCode::from_u16(status).expect("a status");
        check(&private(), &Sent::get(&[]), status, response, Err(NotStorable::Status(code)));
    }
    let no_store = Sent::get(&["cache-control: no-store"]);
    check(&private(), &no_store, 301, response, Err(NotStorable::RequestNoStore));
    let by_mode = Sent::get(&[]).with(RequestOptions::default().mode(CacheMode::NoStore));
    check(&private(), &by_mode, 301, response, Err(NotStorable::RequestNoStore));
}

#[test]
fn a_redirect_for_one_user_is_skipped_for_nobody() {
    let get = Sent::get(&[]);
    let private_hop = &["cache-control: max-age=60, private"];
    check(&shared(), &get, 301, private_hop, Err(NotStorable::Private));
    check(&private(), &get, 301, private_hop, Err(NotStorable::VaryingRedirect));
    let cookie = &["cache-control: max-age=60", "set-cookie: sid=a"];
    check(&shared(), &get, 301, cookie, Err(NotStorable::SetCookie));
    check(&private(), &get, 301, cookie, Err(NotStorable::VaryingRedirect));
    let token = Sent::get(&["authorization: Bearer a"]);
    check(&shared(), &token, 301, &["cache-control: max-age=60"], Err(NotStorable::Credentials));
    check(&shared(), &token, 301, &["cache-control: max-age=60, public"], Ok(60));
}

#[test]
fn a_redirect_that_varies_is_not_skipped_unless_the_key_covers_it() {
    let get = Sent::get(&[]);
    let varying = |vary: &str| ["cache-control: max-age=60".to_owned(), format!("vary: {vary}")];
    for (vary, expected) in [
        ("accept-language", Err(NotStorable::VaryingRedirect)),
        ("cookie", Err(NotStorable::VaryingRedirect)),
        ("*", Err(NotStorable::VaryAny)),
        ("accept-encoding", Ok(60)),
        ("authorization", Ok(60)),
    ] {
        let response = varying(vary);
        check(&private(), &get, 301, &response.each_ref().map(String::as_str), expected);
    }
}
