//! HEAD: answered from a stored GET, and what its own answer says about that (RFC 9111, section 4.3.5).

use http::Method;
use larder_policy::{Forward, HeadEffect, Policy};

use super::{private, shared, stored};
use crate::support::{Do, NOW, Sent, URL, after, headers};

const RESPONSE: [&str; 3] =
    ["cache-control: max-age=60", "etag: \"1\"", "last-modified: Sun, 22 Nov 2026 00:00:00 GMT"];

fn head(fields: &[&str]) -> Sent {
    Sent::new(Method::HEAD, URL, fields)
}

/// Returns what a response to HEAD that comes 100 seconds later says about [`RESPONSE`], whose body has 5 bytes.
fn effect(policy: &Policy, request: &[&str], status: u16, response: &[&str]) -> HeadEffect {
    let sent = head(request);
    let mut answer = sent.head(status, response);
    (answer.requested_at, answer.received_at) = (after(100), after(100));
    let stored = stored(policy, &RESPONSE);
    policy.refresh_by_head(&sent.request(), &sent.options, &stored, 5, &answer, after(100))
}

#[test]
fn a_head_is_answered_from_a_get_and_no_get_from_a_head() {
    // 4: the request method of the stored response "allows it to be used for the presented request".
    for policy in [private(), shared()] {
        let of_get = stored(&policy, &RESPONSE);
        assert_eq!(Do::from(head(&[]).decide(&policy, Some(&of_get), NOW)), Do::Use);
        // It has no content to save by a condition.
        assert_eq!(Do::from(head(&[]).decide(&policy, Some(&of_get), after(60))), Do::Fetch(Forward::Stale));
        let of_head = head(&[]).storable(&policy, &head(&[]).head(200, &RESPONSE)).expect("storable");
        assert_eq!(Do::from(head(&[]).decide(&policy, Some(&of_head), NOW)), Do::Use);
        assert_eq!(Do::from(Sent::get(&[]).decide(&policy, Some(&of_head), NOW)), Do::Fetch(Forward::Miss));
    }
}

#[test]
fn a_head_is_looked_up_under_the_key_of_its_get_and_stored_under_its_own() {
    for policy in [private(), shared()] {
        let of_get = policy.keys(&Sent::get(&[]).request(), &Sent::get(&[]).options).expect("keys");
        let of_head = policy.keys(&head(&[]).request(), &head(&[]).options).expect("keys");
        assert_eq!((of_get.get, of_head.get), (None, Some(of_get.primary.clone())));
        assert_ne!(of_head.primary, of_get.primary);
    }
}

#[test]
fn a_head_that_agrees_freshens_what_is_stored() {
    // Its validators match, and its Content-Length if it has one: what is stored is updated.
    for response in [
        &["etag: \"1\"", "x-new: 1"][..],
        &["x-new: 1"],
        &["content-length: 5", "x-new: 1"],
        &["last-modified: Sun, 22 Nov 2026 00:00:00 GMT", "x-new: 1"],
        &["etag: \"1\"", "content-length: 5", "x-new: 1", "cache-control: max-age=30"],
    ] {
        let HeadEffect::Refreshed(head) = effect(&private(), &[], 200, response) else {
            panic!("{response:?}")
        };
        assert_eq!((head.method.clone(), head.status.as_u16()), (Method::GET, 200));
        assert_eq!(head.headers["x-new"], "1");
        assert_eq!((head.created_at, head.received_at), (NOW, after(100)));
        let lifetime = if response.len() == 4 { 30 } else { 60 };
        assert_eq!(head.expires_at, Some(after(100 + lifetime)), "{response:?}");
        assert_eq!(head.vary_fields, headers(&[]));
    }
}

#[test]
fn a_head_that_disagrees_outdates_what_is_stored() {
    // Otherwise what is stored is to be taken for stale.
    for response in [
        &["etag: \"2\""][..],
        &["etag: W/\"1\""],
        &["last-modified: Mon, 23 Nov 2026 00:00:00 GMT"],
        &["etag: \"1\"", "last-modified: Mon, 23 Nov 2026 00:00:00 GMT"],
        &["content-length: 6"],
        &["etag: \"1\"", "content-length: 0"],
    ] {
        for policy in [private(), shared()] {
            assert_eq!(effect(&policy, &[], 200, response), HeadEffect::Outdated, "{response:?}");
        }
    }
}

#[test]
fn a_head_of_another_status_or_another_variant_says_nothing() {
    for status in [204, 206, 301, 304, 404, 500] {
        assert_eq!(effect(&private(), &[], status, &["etag: \"2\""]), HeadEffect::None, "{status}");
    }
    let sent = Sent::get(&["accept: a"]);
    let response = sent.head(200, &["cache-control: max-age=60", "etag: \"1\"", "vary: accept"]);
    let stored = sent.storable(&private(), &response).expect("storable");
    for (accept, expected) in [("accept: a", HeadEffect::Outdated), ("accept: b", HeadEffect::None)] {
        let asked = head(&[accept]);
        let answer = asked.head(200, &["etag: \"2\""]);
        let effect =
            private().refresh_by_head(&asked.request(), &asked.options, &stored, 5, &answer, after(1));
        assert_eq!(effect, expected, "{accept}");
    }
    // Nor does it say anything about what is stored of another status.
    let missing = sent.storable(&private(), &sent.head(404, &RESPONSE)).expect("storable");
    let answer = head(&[]).head(200, &["etag: \"2\""]);
    let asked = head(&[]);
    let effect = private().refresh_by_head(&asked.request(), &asked.options, &missing, 5, &answer, after(1));
    assert_eq!(effect, HeadEffect::None);
}
