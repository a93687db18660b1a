//! What a request says about the stored responses that it accepts.
//!
//! Every case stores a response and then asks with one directive more than the last case.

use super::super::case::{Case, Step, case, get, method};
use super::super::reply::{not_modified, ok, reply};

const OLD: &[&str] = &["Cache-Control: max-age=3600", "Age: 1000"];
const SHORT: &str = "Cache-Control: max-age=1";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = freshness();
    cases.extend(unreadable());
    cases.extend(staleness());
    cases.extend(only_if_cached());
    cases.extend(pragma());
    cases.extend(storing());
    cases
}

/// Returns a case where what is 1000 seconds old and fresh for 2600 more does, or does not, answer `line`.
fn old(section: &'static str, name: &'static str, line: &'static str, is_enough: bool) -> Case {
    let asking = get().with(line);
    let asking = if is_enough { asking.cached() } else { asking.answered(ok(&[])) };
    case(section, name).then(get().answered(ok(OLD))).then(asking)
}

fn freshness() -> Vec<Case> {
    let (max_age, min_fresh, no_cache) = ("9111 5.2.1.1", "9111 5.2.1.3", "9111 5.2.1.4");
    vec![
        old(max_age, "a request with max-age=0 is answered by the origin", "Cache-Control: max-age=0", false),
        old(
            max_age,
            "a request max-age below the age is answered by the origin",
            "Cache-Control: max-age=500",
            false,
        ),
        old(
            max_age,
            "a request max-age above the age is answered from the cache",
            "Cache-Control: max-age=2000",
            true,
        ),
        old(max_age, "a request max-age is read in any case", "CACHE-CONTROL: Max-Age=0", false),
        old(max_age, "a request max-age may be quoted", "Cache-Control: max-age=\"500\"", false),
        old(
            max_age,
            "a huge request max-age accepts what is fresh",
            "Cache-Control: max-age=99999999999999999999",
            true,
        ),
        old(
            min_fresh,
            "min-fresh below what is left is answered from the cache",
            "Cache-Control: min-fresh=2000",
            true,
        ),
        old(
            min_fresh,
            "min-fresh above what is left is answered by the origin",
            "Cache-Control: min-fresh=3000",
            false,
        ),
        old(
            min_fresh,
            "a huge min-fresh is answered by the origin",
            "Cache-Control: min-fresh=99999999999999999999",
            false,
        ),
        old(no_cache, "a request with no-cache is answered by the origin", "Cache-Control: no-cache", false),
        old(no_cache, "a request with NO-CACHE is answered by the origin", "Cache-Control: NO-CACHE", false),
        old(
            no_cache,
            "a request with no-cache after another directive is noticed",
            "Cache-Control: foo=\"a,b\", no-cache",
            false,
        ),
        old(
            "9111 5.2.3",
            "unknown request directives are ignored",
            "Cache-Control: foo, bar=1, x=\"no-cache\"",
            true,
        ),
        old("9111 5.2.1.6", "no-transform does not prevent reuse", "Cache-Control: no-transform", true),
        case("9110 5.3", "request directives on two lines count together")
            .then(get().answered(ok(OLD)))
            .then(
                get().with("Cache-Control: max-age=2000").with("Cache-Control: no-cache").answered(ok(&[])),
            ),
        case("9111 5.2.1.4", "a request with no-cache validates what is stored")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "ETag: \"a\""])))
            .then(
                get()
                    .with("Cache-Control: no-cache")
                    .answered(not_modified(&["ETag: \"a\""]))
                    .sees("If-None-Match: \"a\""),
            )
            .then(get().cached()),
        case("9111 5.2.1.4", "what a request with no-cache brings replaces what is stored")
            .then(get().answered(ok(&["Cache-Control: max-age=3600"])))
            .then(get().with("Cache-Control: no-cache").answered(ok(&["Cache-Control: max-age=3600"])))
            .then(get().cached()),
    ]
}

fn unreadable() -> Vec<Case> {
    let (max_age, min_fresh, no_cache) = ("9111 5.2.1.1", "9111 5.2.1.3", "9111 5.2.1.4");
    vec![
        old(
            max_age,
            "an unreadable request max-age is answered by the origin",
            "Cache-Control: max-age=soon",
            false,
        ),
        old(
            max_age,
            "a request max-age without a value is answered by the origin",
            "Cache-Control: max-age",
            false,
        ),
        old(
            min_fresh,
            "an unreadable min-fresh is answered by the origin",
            "Cache-Control: min-fresh=soon",
            false,
        ),
        old(
            min_fresh,
            "of two min-fresh values the larger counts",
            "Cache-Control: min-fresh=10, min-fresh=3000",
            false,
        ),
        old(
            max_age,
            "of two request max-age values the smaller counts",
            "Cache-Control: max-age=2000, max-age=500",
            false,
        ),
        old(
            no_cache,
            "a request with no-cache and an argument is answered by the origin",
            "Cache-Control: no-cache=\"x\"",
            false,
        ),
        old(max_age, "s-maxage in a request means nothing", "Cache-Control: s-maxage=0", true),
        old(
            no_cache,
            "must-revalidate in a request means nothing",
            "Cache-Control: must-revalidate, private",
            true,
        ),
    ]
}

/// Returns a case where what became stale a second ago is asked for with `step`.
fn stale(section: &'static str, name: &'static str, lines: &[&str], step: Step) -> Case {
    case(section, name).then(get().answered(ok(lines))).then(step)
}

fn staleness() -> Vec<Case> {
    let section = "9111 5.2.1.2";
    let asking = |line: &'static str| get().later().with(line);
    vec![
        stale(
            section,
            "max-stale without a value accepts what is stale",
            &[SHORT],
            asking("Cache-Control: max-stale").cached(),
        ),
        stale(
            section,
            "max-stale accepts what has not been stale for longer",
            &[SHORT],
            asking("Cache-Control: max-stale=1000").cached(),
        ),
        stale(
            section,
            "max-stale is read in any case",
            &[SHORT],
            asking("cache-control: Max-Stale=1000").cached(),
        ),
        stale(
            section,
            "a stale answer shows its Age",
            &["Cache-Control: max-age=100", "Age: 99"],
            asking("Cache-Control: max-stale=1000").cached().age(101),
        ),
        stale(section, "without max-stale the origin answers", &[SHORT], get().later().answered(ok(&[]))),
        stale(
            section,
            "max-stale=0 does not accept what is stale",
            &[SHORT],
            asking("Cache-Control: max-stale=0").answered(ok(&[])),
        ),
        stale(
            section,
            "an unreadable max-stale does not accept what is stale",
            &[SHORT],
            asking("Cache-Control: max-stale=much").answered(ok(&[])),
        ),
        stale(
            section,
            "max-stale does not accept what has been stale for longer",
            &["Cache-Control: max-age=100", "Age: 600"],
            get().with("Cache-Control: max-stale=400").answered(ok(&[])),
        ),
        stale(
            "9111 5.2.2.2",
            "must-revalidate is stronger than max-stale",
            &["Cache-Control: max-age=1, must-revalidate"],
            asking("Cache-Control: max-stale=1000").answered(ok(&[])),
        ),
        stale(
            "9111 5.2.2.4",
            "no-cache in the response is stronger than max-stale",
            &["Cache-Control: no-cache, max-age=3600"],
            get().with("Cache-Control: max-stale").answered(ok(&[])),
        ),
        stale(
            "9111 5.2.2.8",
            "proxy-revalidate is stronger than max-stale in a shared cache",
            &["Cache-Control: max-age=1, proxy-revalidate"],
            asking("Cache-Control: max-stale=1000").answered(ok(&[])),
        )
        .shared(),
        stale(
            "9111 5.2.2.8",
            "proxy-revalidate means nothing to a private cache",
            &["Cache-Control: max-age=1, proxy-revalidate"],
            asking("Cache-Control: max-stale=1000").cached(),
        )
        .private(),
        stale(
            "9111 5.2.2.10",
            "s-maxage is stronger than max-stale in a shared cache",
            &["Cache-Control: s-maxage=1"],
            asking("Cache-Control: max-stale=1000").answered(ok(&[])),
        )
        .shared(),
        stale(
            section,
            "max-stale does not widen the max-age of the request",
            &[SHORT],
            asking("Cache-Control: max-stale=1000, max-age=0").answered(ok(&[])),
        ),
    ]
}

fn only_if_cached() -> Vec<Case> {
    let section = "9111 5.2.1.7";
    let asking = || get().with("Cache-Control: only-if-cached");
    vec![
        case(section, "only-if-cached without a stored response is answered 504")
            .then(asking().cached().status(504).any_text()),
        case(section, "Only-If-Cached is read in any case")
            .then(get().with("Cache-Control: Only-If-Cached").cached().status(504).any_text()),
        case(section, "only-if-cached with a fresh response is answered from the cache")
            .then(get().answered(ok(OLD)))
            .then(asking().cached()),
        case(section, "only-if-cached with a stale response is answered 504")
            .then(get().answered(ok(&[SHORT])))
            .then(asking().later().cached().status(504).any_text()),
        case(section, "only-if-cached and max-stale accept what is stale")
            .then(get().answered(ok(&[SHORT])))
            .then(get().later().with("Cache-Control: only-if-cached, max-stale").cached()),
        case(section, "only-if-cached and no-cache are answered 504")
            .then(get().answered(ok(OLD)))
            .then(get().with("Cache-Control: only-if-cached, no-cache").cached().status(504).any_text()),
        case(section, "only-if-cached with another variant stored is answered 504")
            .then(get().with("X-V: 1").answered(ok(&["Cache-Control: max-age=3600", "Vary: X-V"])))
            .then(asking().with("X-V: 2").cached().status(504).any_text()),
        case(section, "a 504 for only-if-cached is not stored")
            .then(asking().cached().status(504).any_text())
            .then(get().answered(ok(OLD))),
    ]
}

fn pragma() -> Vec<Case> {
    let section = "9111 5.4";
    vec![
        old(section, "Pragma: no-cache alone is no-cache", "Pragma: no-cache", false),
        old(section, "Pragma: NO-CACHE is read in any case", "PRAGMA: NO-CACHE", false),
        old(section, "other pragmas mean nothing", "Pragma: foo", true),
        case(section, "Pragma beside Cache-Control means nothing")
            .then(get().answered(ok(OLD)))
            .then(get().with("Pragma: no-cache").with("Cache-Control: max-age=2000").cached()),
        case(section, "Pragma in a response means nothing")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Pragma: no-cache"])))
            .then(get().cached()),
    ]
}

fn storing() -> Vec<Case> {
    let section = "9111 5.2.1.5";
    let silent = || get().with("Cache-Control: no-store");
    vec![
        case(section, "the response to a request with no-store is not stored")
            .then(silent().answered(ok(OLD)))
            .then(get().answered(ok(OLD))),
        case(section, "No-Store in a request is read in any case")
            .then(get().with("Cache-Control: No-Store").answered(ok(OLD)))
            .then(get().answered(ok(OLD))),
        case(section, "a request with no-store leaves what is stored in place")
            .then(get().answered(ok(OLD)))
            .then(silent().perhaps(ok(&["X-Own: unstored"])).any_text())
            .then(get().cached().lacks("X-Own").text("answer 1 of {path}")),
        case("9111 4.4", "a request directive does not keep a POST from the origin")
            .then(method("POST").with("Cache-Control: max-stale").answered(reply(201, &[]))),
    ]
}
