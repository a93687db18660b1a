//! The client's own conditional requests: answered from the store, or passed on.
//!
//! `If-None-Match` is compared weakly and decides alone; `If-Modified-Since` counts only without it.

use super::super::case::{Case, Step, case, get, head, method};
use super::super::reply::{not_modified, ok, reply};

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";
const MODIFIED: &str = "Last-Modified: {now-1000}";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = tags();
    cases.extend(dates());
    cases.extend(fields());
    cases.extend(passed_on());
    cases
}

/// Returns a case where `lines` in a request for a stored response with `stored` are, or are not, answered 304.
fn asked(section: &'static str, name: &str, stored: &[&str], lines: &[&'static str], is_same: bool) -> Case {
    let stored: Vec<_> = [FRESH].iter().chain(stored).copied().collect();
    let asking = lines.iter().fold(get(), |step, line| step.with(*line)).cached();
    let asking = asking.status(if is_same { 304 } else { 200 });
    case(section, name).then(get().answered(ok(&stored))).then(asking)
}

fn tags() -> Vec<Case> {
    let section = "9110 13.1.2";
    let weak = &["ETag: W/\"a\""];
    vec![
        asked(section, "the stored entity tag is answered 304", &[TAG], &["If-None-Match: \"a\""], true),
        asked(section, "another entity tag is answered in full", &[TAG], &["If-None-Match: \"b\""], false),
        asked(
            section,
            "the stored entity tag in a list is answered 304",
            &[TAG],
            &["If-None-Match: \"x\", \"a\", \"y\""],
            true,
        ),
        asked(
            section,
            "the stored entity tag in a list without spaces is answered 304",
            &[TAG],
            &["If-None-Match: \"x\",\"a\""],
            true,
        ),
        asked(
            section,
            "the stored entity tag on the second line is answered 304",
            &[TAG],
            &["If-None-Match: \"x\"", "If-None-Match: \"a\""],
            true,
        ),
        asked(
            section,
            "a list without the stored entity tag is answered in full",
            &[TAG],
            &["If-None-Match: \"x\", \"y\""],
            false,
        ),
        asked(section, "a star is answered 304", &[TAG], &["If-None-Match: *"], true),
        asked(section, "a star is answered 304 without an entity tag too", &[], &["If-None-Match: *"], true),
        asked(
            section,
            "a weak tag matches the strong one that is stored",
            &[TAG],
            &["If-None-Match: W/\"a\""],
            true,
        ),
        asked(
            section,
            "a strong tag matches the weak one that is stored",
            weak,
            &["If-None-Match: \"a\""],
            true,
        ),
        asked(
            section,
            "a weak tag matches the weak one that is stored",
            weak,
            &["If-None-Match: W/\"a\""],
            true,
        ),
        asked(section, "a weak tag in a list matches", weak, &["If-None-Match: \"x\", W/\"a\""], true),
        asked(
            section,
            "a tag with a comma in it is one tag",
            &["ETag: \"a,b\""],
            &["If-None-Match: \"x\", \"a,b\""],
            true,
        ),
        asked(
            section,
            "a part of a tag with a comma does not match",
            &[TAG],
            &["If-None-Match: \"x,a\""],
            false,
        ),
        asked(section, "a tag in another case does not match", &[TAG], &["If-None-Match: \"A\""], false),
        asked(section, "a tag without quotes does not match", &[TAG], &["If-None-Match: a"], false),
        asked(
            "9110 13.2.2",
            "If-None-Match alone decides when it does not match",
            &[TAG, MODIFIED],
            &["If-None-Match: \"b\"", "If-Modified-Since: {now}"],
            false,
        ),
        asked(
            "9110 13.2.2",
            "If-None-Match alone decides when it matches",
            &[TAG, MODIFIED],
            &["If-None-Match: \"a\"", "If-Modified-Since: {now-9000}"],
            true,
        ),
        case("9110 13.2.1", "a condition is ignored where the stored response is an error")
            .then(get().answered(reply(404, &[FRESH, TAG])))
            .then(get().with("If-None-Match: \"a\"").cached().status(404)),
        case(section, "a HEAD request with the stored entity tag is answered 304")
            .then(get().answered(ok(&[FRESH, TAG])))
            .then(head().with("If-None-Match: \"a\"").cached().status(304)),
        case("9111 4.3.2", "the condition is compared with the variant that was chosen")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, TAG, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "ETag: \"b\"", "Vary: X-A"])))
            .then(get().with("X-A: 1").with("If-None-Match: \"a\"").cached().status(304))
            .then(get().with("X-A: 2").with("If-None-Match: \"a\"").cached().text("answer 2 of {path}")),
    ]
}

fn dates() -> Vec<Case> {
    let section = "9110 13.1.3";
    let modified = &[MODIFIED];
    vec![
        asked(
            section,
            "the stored Last-Modified is answered 304",
            modified,
            &["If-Modified-Since: {now-1000}"],
            true,
        ),
        asked(
            section,
            "a time after Last-Modified is answered 304",
            modified,
            &["If-Modified-Since: {now-500}"],
            true,
        ),
        asked(
            section,
            "a time before Last-Modified is answered in full",
            modified,
            &["If-Modified-Since: {now-2000}"],
            false,
        ),
        asked(
            section,
            "a time in the format of RFC 850 after Last-Modified is answered 304",
            modified,
            &["If-Modified-Since: {rfc850:now-500}"],
            true,
        ),
        asked(
            section,
            "a time in the format of RFC 850 before Last-Modified is answered in full",
            modified,
            &["If-Modified-Since: {rfc850:now-2000}"],
            false,
        ),
        asked(
            section,
            "a time in the format of asctime after Last-Modified is answered 304",
            modified,
            &["If-Modified-Since: {asctime:now-500}"],
            true,
        ),
        asked(
            section,
            "a time in the format of asctime before Last-Modified is answered in full",
            modified,
            &["If-Modified-Since: {asctime:now-2000}"],
            false,
        ),
        asked(
            section,
            "a Last-Modified in the format of RFC 850 is compared",
            &["Last-Modified: {rfc850:now-1000}"],
            &["If-Modified-Since: {now-1000}"],
            true,
        ),
        asked(
            section,
            "an unreadable If-Modified-Since is ignored",
            modified,
            &["If-Modified-Since: today"],
            false,
        ),
        asked(
            section,
            "an If-Modified-Since with another zone is ignored",
            modified,
            &["If-Modified-Since: Thu, 18 Aug 2050 02:01:18 CET"],
            false,
        ),
        asked(
            "9111 4.3.2",
            "without Last-Modified the Date is compared, and a later time is answered 304",
            &["Date: {now-100}"],
            &["If-Modified-Since: {now-50}"],
            true,
        ),
        asked(
            "9111 4.3.2",
            "without Last-Modified the Date is compared, and an earlier time is answered in full",
            &["Date: {now-100}"],
            &["If-Modified-Since: {now-200}"],
            false,
        ),
    ]
}

fn fields() -> Vec<Case> {
    let section = "9110 15.4.5";
    let stored = &[
        FRESH,
        TAG,
        "Date: {now-100}",
        "Expires: {now+3600}",
        "Vary: X-A",
        "Content-Location: {path}/x",
        "Content-Type: text/plain",
    ];
    vec![
        case(section, "a 304 from the store has the fields that a 200 would have")
            .then(get().answered(ok(stored)))
            .then(
                get()
                    .with("If-None-Match: \"a\"")
                    .cached()
                    .status(304)
                    .shows(FRESH)
                    .shows(TAG)
                    .shows("Date: {now-100}")
                    .shows("Expires: {now+3600}")
                    .shows("Vary: X-A")
                    .shows("Content-Location: {path}/x")
                    .age(100)
                    .text(""),
            ),
        case(section, "a 304 from the store leaves what is stored in place")
            .then(get().answered(ok(stored)))
            .then(get().with("If-None-Match: \"a\"").cached().status(304))
            .then(get().cached().shows("Content-Type: text/plain")),
        case("9111 4.3.2", "a condition on a stale response is answered after validation")
            .then(get().answered(ok(&["Cache-Control: max-age=1", TAG])))
            .then(
                get()
                    .later()
                    .with("If-None-Match: \"a\"")
                    .answered(not_modified(&[TAG, FRESH]))
                    .sees("If-None-Match")
                    .status(304),
            )
            .then(get().cached().text("answer 1 of {path}")),
        case("9111 4.3.2", "another entity tag is answered in full after validation")
            .then(get().answered(ok(&["Cache-Control: no-cache", TAG])))
            .then(
                get()
                    .with("If-None-Match: \"b\"")
                    .answered(not_modified(&[TAG]))
                    .sees("If-None-Match")
                    .status(200)
                    .text("answer 1 of {path}"),
            ),
        case("9111 4.3.2", "an If-Modified-Since on a stale response is answered after validation")
            .then(get().answered(ok(&["Cache-Control: max-age=10", "Age: 20", MODIFIED])))
            .then(
                get()
                    .with("If-Modified-Since: {now-1000}")
                    .answered(not_modified(&[MODIFIED, FRESH]))
                    .sees("If-Modified-Since")
                    .status(304),
            )
            .then(get().cached().text("answer 1 of {path}")),
        case("9111 4.3.2", "what replaces a stale response is compared with the condition")
            .then(get().answered(ok(&["Cache-Control: no-cache", TAG])))
            .then(
                get()
                    .with("If-None-Match: \"a\"")
                    .answered(ok(&["ETag: \"b\"", FRESH]))
                    .text("answer 2 of {path}"),
            )
            .then(get().with("If-None-Match: \"b\"").cached().status(304)),
    ]
}

fn passed_on() -> Vec<Case> {
    let section = "9111 4.3.2";
    let miss = |name, step: Step| case(section, name).then(step);
    vec![
        miss(
            "If-None-Match is passed on when nothing is stored",
            get().with("If-None-Match: \"a\"").answered(ok(&[FRESH])).sees("If-None-Match: \"a\""),
        )
        .then(get().cached()),
        miss(
            "If-Modified-Since is passed on when nothing is stored",
            get().with("If-Modified-Since: {now-100}").answered(ok(&[])).sees("If-Modified-Since: {now-100}"),
        ),
        miss(
            "a 304 to the client's own condition is passed on and not stored",
            get().with("If-None-Match: \"a\"").answered(not_modified(&[TAG, FRESH])).status(304).shows(TAG),
        )
        .then(get().answered(ok(&[TAG, FRESH])).misses("If-None-Match"))
        .then(get().cached()),
        miss(
            "If-Match is passed on",
            get().with("If-Match: \"a\"").answered(reply(412, &[])).sees("If-Match: \"a\"").status(412),
        )
        .then(get().answered(ok(&[]))),
        miss(
            "If-Unmodified-Since is passed on",
            get()
                .with("If-Unmodified-Since: {now-100}")
                .answered(reply(412, &[]))
                .sees("If-Unmodified-Since: {now-100}"),
        ),
        case(section, "If-Match is for the origin even when a response is stored")
            .then(get().answered(ok(&[FRESH, TAG])))
            .then(get().with("If-Match: \"b\"").answered(reply(412, &[])).sees("If-Match: \"b\"").status(412))
            .then(get().cached()),
        case("9110 13.1.2", "the condition of an unsafe request is for the origin")
            .then(get().answered(ok(&[FRESH, TAG])))
            .then(
                method("PUT")
                    .with("If-None-Match: *")
                    .answered(reply(412, &[]))
                    .sees("If-None-Match: *")
                    .status(412),
            )
            .then(get().cached()),
    ]
}
