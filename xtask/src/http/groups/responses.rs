//! What response directives allow and forbid.
//!
//! Staleness and errors have a group of their own; here everything is fresh or never was.

use super::super::case::{Case, case, get, not_reused, reused};
use super::super::reply::{not_modified, ok};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = storing();
    cases.extend(no_cache());
    cases.extend(private());
    cases.extend(others());
    cases
}

fn storing() -> Vec<Case> {
    let section = "9111 5.2.2.5";
    vec![
        not_reused(section, "no-store forbids storing", &["Cache-Control: no-store"]),
        not_reused(
            section,
            "no-store is stronger than max-age and public",
            &["Cache-Control: public, max-age=3600, no-store"],
        ),
        not_reused(
            section,
            "no-store is stronger than Expires",
            &["Cache-Control: no-store", "Expires: {now+3600}"],
        ),
        not_reused(
            section,
            "no-store is stronger than immutable",
            &["Cache-Control: max-age=3600, immutable, no-store"],
        ),
        case(section, "a response with no-store leaves nothing to validate")
            .then(get().answered(ok(&["Cache-Control: no-store", "ETag: \"a\""])))
            .then(get().answered(ok(&[])).misses("If-None-Match")),
        case(section, "a no-store response that comes later does not answer later requests")
            .then(get().answered(ok(&["Cache-Control: max-age=3600"])))
            .then(get().with("Cache-Control: no-cache").answered(ok(&["Cache-Control: no-store"])))
            .then(get().perhaps(ok(&[])).text_in(&["answer 1 of {path}", "answer 3 of {path}"])),
    ]
}

fn no_cache() -> Vec<Case> {
    let section = "9111 5.2.2.4";
    let tagged = &["Cache-Control: no-cache, max-age=3600", "ETag: \"a\""];
    let named = "Cache-Control: no-cache=\"X-Secret, Set-Cookie\", max-age=3600";
    vec![
        not_reused(section, "no-cache is stronger than max-age", &["Cache-Control: no-cache, max-age=3600"]),
        not_reused(
            section,
            "no-cache is stronger than Expires",
            &["Cache-Control: no-cache", "Expires: {now+3600}"],
        ),
        case(section, "a no-cache response is validated every time")
            .then(get().answered(ok(tagged)))
            .then(get().answered(not_modified(&["ETag: \"a\""])).sees("If-None-Match: \"a\""))
            .then(get().answered(not_modified(&["ETag: \"a\""])).sees("If-None-Match: \"a\"")),
        case(section, "no-cache with names withholds these fields until validation")
            .then(get().answered(ok(&[named, "X-Secret: 1", "X-Open: 1"])))
            .then(get().perhaps(ok(&["X-Open: 1"])).lacks("X-Secret").shows("X-Open: 1")),
        case(section, "no-cache with names is read in any case and without quotes")
            .then(get().answered(ok(&["Cache-Control: No-Cache=x-SECRET, max-age=3600", "X-Secret: 1"])))
            .then(get().perhaps(ok(&[])).lacks("X-Secret")),
        case(section, "no-cache with names beside no-cache is no-cache")
            .then(get().answered(ok(&[named, "Cache-Control: no-cache"])))
            .then(get().answered(ok(&[]))),
    ]
}

fn private() -> Vec<Case> {
    let section = "9111 5.2.2.7";
    let named = "Cache-Control: private=\"X-Secret\", max-age=3600";
    vec![
        not_reused(
            section,
            "a private response is not stored by a shared cache",
            &["Cache-Control: private, max-age=3600"],
        )
        .shared(),
        not_reused(
            section,
            "private is stronger than s-maxage in a shared cache",
            &["Cache-Control: private, s-maxage=3600"],
        )
        .shared(),
        case(section, "a shared cache keeps nothing to validate of a private response")
            .then(get().answered(ok(&["Cache-Control: private, max-age=3600", "ETag: \"a\""])))
            .then(get().answered(ok(&[])).misses("If-None-Match"))
            .shared(),
        reused(
            section,
            "a private response is reused by a private cache",
            &["Cache-Control: private, max-age=3600"],
        )
        .private(),
        case(section, "a shared cache does not hand out the fields that private names")
            .then(get().answered(ok(&[named, "X-Secret: 1", "X-Open: 1"])))
            .then(get().perhaps(ok(&["X-Open: 1"])).lacks("X-Secret").shows("X-Open: 1"))
            .shared(),
        case(section, "a private cache hands out the fields that private names")
            .then(get().answered(ok(&[named, "X-Secret: 1"])))
            .then(get().cached().shows("X-Secret: 1"))
            .private(),
    ]
}

fn others() -> Vec<Case> {
    vec![
        reused(
            "9111 5.2.2.2",
            "must-revalidate does not matter while a response is fresh",
            &["Cache-Control: max-age=3600, must-revalidate"],
        ),
        reused(
            "9111 5.2.2.8",
            "proxy-revalidate does not matter while a response is fresh",
            &["Cache-Control: max-age=3600, proxy-revalidate"],
        ),
        reused("9111 5.2.2.9", "public with a lifetime is reused", &["Cache-Control: public, max-age=3600"]),
        not_reused("9111 5.2.2.9", "public alone is no lifetime", &["Cache-Control: public"]),
        reused(
            "9111 5.2.2.6",
            "no-transform does not prevent reuse in responses",
            &["Cache-Control: max-age=3600, no-transform"],
        ),
        reused(
            "8246 2",
            "an immutable response is reused while it is fresh",
            &["Cache-Control: max-age=3600, immutable"],
        ),
        not_reused("8246 2", "immutable is no lifetime", &["Cache-Control: immutable"]),
        reused(
            "8246 2",
            "an argument of immutable is ignored",
            &["Cache-Control: max-age=3600, immutable=\"x\""],
        ),
        case("8246 2", "an immutable response is not reused when it is stale")
            .then(get().answered(ok(&["Cache-Control: max-age=1, immutable", "ETag: \"a\""])))
            .then(get().later().answered(not_modified(&["ETag: \"a\""])).sees("If-None-Match: \"a\"")),
        case("8246 2", "a request with no-cache validates an immutable response")
            .then(get().answered(ok(&["Cache-Control: max-age=3600, immutable"])))
            .then(get().with("Cache-Control: no-cache").answered(ok(&[]))),
        reused(
            "9110 7.6.1",
            "Pragma, Warning and unknown fields do not prevent reuse",
            &["Cache-Control: max-age=3600", "Warning: 110 - \"stale\"", "X-Unknown: no-store"],
        ),
    ]
}
