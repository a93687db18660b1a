//! Which stored response a request selects (RFC 9111, section 4.1).

use http::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE};
use http::{HeaderName, Method};
use larder_core::CacheKey;
use larder_policy::{CacheMode, CacheOptions, Forward, NotStorable, RequestOptions};

use super::{private, shared};
use crate::support::{Do, NOW, Sent, URL, policy};

const MISS: Do = Do::Fetch(Forward::VaryMiss);

/// Checks whether a request with `other` selects what was stored for one with `one`, by the stored fields and by the key.
#[track_caller]
fn check(vary: &[&str], one: &[&str], other: &[&str], expected: bool) {
    let mut response: Vec<String> = vary.iter().map(|line| format!("vary: {line}")).collect();
    response.push("cache-control: max-age=60, public".to_owned());
    let response: Vec<&str> = response.iter().map(String::as_str).collect();
    let (one, other) = (Sent::get(one), Sent::get(other));
    for policy in [private(), shared()] {
        let stored = one.storable(&policy, &one.head(200, &response)).expect("storable");
        let shown = format!("{vary:?} {:?} {:?}", one.headers, other.headers);
        let done = Do::from(other.decide(&policy, Some(&stored), NOW));
        assert_eq!(done, if expected { Do::Use } else { MISS }, "{shown}");
        assert_eq!(policy.matches_vary(&other.request(), &stored), expected, "{shown}");
        let (primary, nominated) = (CacheKey::digest("k"), policy.nominated(&stored));
        let key = |sent: &Sent| policy.variant_key(&sent.request(), &primary, &nominated);
        assert_eq!(key(&one) == key(&other), expected, "{shown}");
    }
}

#[test]
fn nominated_fields_must_match_and_others_need_not() {
    check(&[], &["accept: a"], &["accept: b"], true);
    check(&["accept"], &["accept: a"], &["accept: a"], true);
    check(&["accept"], &["accept: a"], &["accept: b"], false);
    check(&["Accept"], &["accept: a"], &["accept: b"], false);
    check(&["accept"], &["accept: a", "foo: 1"], &["accept: a", "foo: 2"], true);
    check(&["accept, foo"], &["accept: a", "foo: 1"], &["accept: a", "foo: 2"], false);
    check(&["accept, foo"], &["accept: a", "foo: 1"], &["accept: a", "foo: 1"], true);
    check(&["foo"], &["foo: 1"], &["foo: 1"], true);
}

#[test]
fn all_lines_of_vary_count_and_its_empty_members_do_not() {
    check(&["accept", "foo"], &["accept: a", "foo: 1"], &["accept: a", "foo: 2"], false);
    check(&["accept", "foo"], &["accept: a", "foo: 1"], &["accept: b", "foo: 1"], false);
    check(&[", accept ,,"], &["accept: a"], &["accept: b"], false);
    check(&["", "accept"], &["accept: a"], &["accept: b"], false);
    check(&[""], &["accept: a"], &["accept: b"], true);
    check(&["accept, Accept, ACCEPT"], &["accept: a"], &["accept: a"], true);
}

#[test]
fn a_field_that_is_absent_matches_where_it_is_absent() {
    // "If (after any normalization that might take place) a header field is absent from a request, it can only match
    // another request if it is also absent there."
    check(&["accept"], &[], &[], true);
    check(&["accept"], &[], &["accept: a"], false);
    check(&["accept"], &["accept: a"], &[], false);
    check(&["accept"], &[], &["accept: "], false);
    check(&["accept, foo"], &["accept: a"], &["accept: a"], true);
    check(&["accept, foo"], &["accept: a"], &["accept: a", "foo: 1"], false);
}

#[test]
fn what_is_normalised_means_the_same() {
    // "adding or removing whitespace, where allowed in the header field's syntax"
    check(&["foo"], &["foo: 1, 2"], &["foo: 1,2"], true);
    check(&["foo"], &["foo:  1,\t2 "], &["foo: 1 ,2"], true);
    check(&["foo"], &["foo: \"1, 2\""], &["foo: \"1,2\""], false);
    check(&["foo"], &["foo: 1 2"], &["foo: 12"], false);
    // "combining multiple header field lines with the same field name"
    check(&["foo"], &["foo: 1", "foo: 2"], &["foo: 1, 2"], true);
    check(&["foo"], &["foo: 1", "foo: 2"], &["foo: 2", "foo: 1"], false);
    // "normalizing both header field values in a way that is known to have identical semantics"
    check(&["accept-language"], &["accept-language: en, de"], &["accept-language: de, EN"], true);
    check(
        &["accept-language"],
        &["accept-language: en;q=0.5, de"],
        &["accept-language: de, en; q=0.5"],
        true,
    );
    check(
        &["accept-language"],
        &["accept-language: en;q=0.5, de"],
        &["accept-language: en, de;q=0.5"],
        false,
    );
    check(&["accept-encoding"], &["accept-encoding: gzip, br"], &["accept-encoding: br,gzip"], true);
    // An order that may matter is kept, and so is the case of what may have one.
    check(&["foo"], &["foo: 1, 2"], &["foo: 2, 1"], false);
    check(&["foo"], &["foo: a"], &["foo: A"], false);
    check(&["accept"], &["accept: text/html"], &["accept: text/HTML"], false);
}

#[test]
fn a_star_never_matches_and_is_not_stored() {
    // "A stored response with a Vary header field value containing a member "*" always fails to match."
    let get = Sent::get(&[]);
    for vary in [&["vary: *"][..], &["vary: *, accept"], &["vary: accept", "vary: *"], &["vary: ,*"]] {
        for policy in [private(), shared()] {
            let mut response = get.head(200, &["cache-control: max-age=60", "etag: \"1\""]);
            response.headers.extend(crate::support::headers(vary));
            assert_eq!(get.storable(&policy, &response), Err(NotStorable::VaryAny), "{vary:?}");
            // Were it stored by another, it would not be used.
            assert_eq!(Do::from(get.decide(&policy, Some(&response), NOW)), MISS, "{vary:?}");
        }
    }
    // A list of names that cannot be read may nominate anything.
    for vary in ["vary: a b", "vary: \"accept\"", "vary: accept; x", "vary: é"] {
        let response = get.head(200, &["cache-control: max-age=60", vary]);
        assert_eq!(get.storable(&private(), &response), Err(NotStorable::VaryAny), "{vary}");
    }
}

#[test]
fn another_variant_is_used_in_no_mode_and_not_validated() {
    let german = Sent::get(&["accept-language: de"]);
    let response = german.head(200, &["cache-control: max-age=60", "vary: accept-language", "etag: \"1\""]);
    let stored = german.storable(&private(), &response).expect("storable");
    for (mode, expected) in [
        (CacheMode::Default, MISS),
        (CacheMode::NoCache, MISS),
        (CacheMode::ForceCache, MISS),
        (CacheMode::OnlyIfCached, Do::Refuse),
    ] {
        let sent = Sent::get(&["accept-language: en"]).with(RequestOptions::default().mode(mode));
        assert_eq!(Do::from(sent.decide(&private(), Some(&stored), NOW)), expected, "{mode:?}");
    }
    let head = Sent::new(Method::HEAD, URL, &["accept-language: en"]);
    assert_eq!(Do::from(head.decide(&private(), Some(&stored), NOW)), MISS);
}

#[test]
fn credentials_select_and_are_not_kept() {
    for name in ["cookie", "authorization"] {
        let (one, two) = (format!("{name}: hunter2"), format!("{name}: hunter3"));
        check(&[name], &[&one], &[&one], true);
        check(&[name], &[&one], &[&two], false);
        check(&[name], &[&one], &[], false);
        let sent = Sent::get(&[&one]);
        let head = sent.head(200, &["cache-control: max-age=60, public", &format!("vary: {name}")]);
        let stored = sent.storable(&private(), &head).expect("storable");
        let kept = stored.vary_fields[name].to_str().expect("text");
        assert!(!kept.contains("hunter2"), "{kept}");
    }
}

#[test]
fn a_private_cache_keeps_apart_what_does_not_say_that_it_is_for_all() {
    let own = "larder-cache-control".parse::<HeaderName>().expect("a name");
    let heeding = policy(CacheOptions::standard().targeted([own]));
    let (one, two) = (Sent::get(&["cookie: sid=a"]), Sent::get(&["cookie: sid=b"]));
    for (policy, response, is_for_all) in [
        (private(), &["cache-control: max-age=60"][..], false),
        (private(), &["cache-control: max-age=60, private"], false),
        (private(), &["cache-control: max-age=60, PRIVATE=\"x\"", "vary: accept"], false),
        (private(), &["cache-control: max-age=60, public, private"], false),
        (private(), &["cache-control: max-age=60", "set-cookie: sid=a"], false),
        (private(), &["cache-control: max-age=60, public"], true),
        (private(), &["cache-control: max-age=60, s-maxage=9"], true),
        // RFC 9213, 2.2: a private cache may heed a targeted field.
        (heeding.clone(), &["larder-cache-control: private, max-age=60"], false),
        (heeding.clone(), &["larder-cache-control: max-age=60", "cache-control: public"], false),
        (heeding, &["larder-cache-control: max-age=60, public"], true),
        // In a shared one all is for all that is stored.
        (shared(), &["cache-control: max-age=60"], true),
        (shared(), &["cache-control: max-age=60, public"], true),
    ] {
        let stored = one.storable(&policy, &one.head(200, response)).expect("storable");
        assert_eq!(policy.nominated(&stored).contains(&COOKIE), !is_for_all, "{response:?}");
        let done = |sent: &Sent| Do::from(sent.decide(&policy, Some(&stored), NOW));
        let other = if is_for_all { Do::Use } else { MISS };
        assert_eq!((done(&one), done(&two), done(&Sent::get(&[]))), (Do::Use, other, other), "{response:?}");
    }
}

#[test]
fn the_nominated_names_are_each_there_once_and_in_one_order() {
    let head = |vary: &[&str]| Sent::get(&[]).head(200, vary);
    let foo = HeaderName::from_static("foo");
    for vary in [
        &["vary: accept, accept-language, foo"][..],
        &["vary: FOO, accept-language", "vary: Accept, foo,"],
        &["vary: foo", "vary: accept", "vary: accept-language"],
    ] {
        let (accept, language) = (ACCEPT, ACCEPT_LANGUAGE);
        assert_eq!(shared().nominated(&head(vary)), [&accept, &language, &foo], "{vary:?}");
        assert_eq!(private().nominated(&head(vary)), [&accept, &language, &COOKIE, &foo], "{vary:?}");
    }
    assert!(shared().nominated(&head(&[])).is_empty());
    assert!(shared().nominated(&head(&["vary: *"])).is_empty());
}

#[test]
fn a_variant_s_key_is_of_its_response_and_its_fields_alone() {
    let request = Sent::get(&["accept: a", "foo: 1"]);
    let key = |primary: &str, names: &[HeaderName]| {
        private().variant_key(&request.request(), &CacheKey::digest(primary), names)
    };
    let foo = HeaderName::from_static("foo");
    assert_eq!(key("k", &[ACCEPT]), key("k", &[ACCEPT]));
    assert_ne!(key("k", &[ACCEPT]), key("l", &[ACCEPT]));
    assert_ne!(key("k", &[ACCEPT]), key("k", &[foo]));
    assert_ne!(key("k", &[]), CacheKey::digest("k"));
}
