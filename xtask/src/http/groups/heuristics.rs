//! Heuristic freshness: what is fresh for a while although nobody said so.
//!
//! It rests on `Last-Modified` alone, and needs a status that allows it or `public`.

use super::super::case::{Case, case, get, not_reused};
use super::super::reply::{ok, reply};

const SECTION: &str = "9111 4.2.2";
const LONG_AGO: &str = "Last-Modified: {now-10000000}";

pub(super) fn cases() -> Vec<Case> {
    let allowed = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
    let others = [
        201, 202, 302, 303, 307, 400, 403, 406, 409, 412, 415, 422, 429, 451, 500, 502, 503, 504, 299, 499,
        599,
    ];
    let mut cases: Vec<_> =
        allowed.into_iter().map(|status| status_case(status, &[LONG_AGO], true)).collect();
    cases.extend(others.into_iter().map(|status| status_case(status, &[LONG_AGO], false)));
    cases.extend([201, 302, 403, 500, 599].into_iter().map(|status| {
        case(SECTION, format!("public allows a {status} response heuristic freshness"))
            .then(get().answered(reply(status, &[LONG_AGO, "Cache-Control: public"])))
            .then(get().cached().status(status))
    }));
    cases.extend(limits());
    cases
}

fn status_case(status: u16, lines: &[&str], is_reused: bool) -> Case {
    let first = get().answered(reply(status, lines));
    if is_reused {
        let name = format!("a {status} response with an old Last-Modified is fresh by heuristics");
        case(SECTION, name).then(first).then(get().cached().status(status))
    } else {
        let name = format!("a {status} response has no heuristic freshness");
        case(SECTION, name).then(first).then(get().answered(ok(&[])))
    }
}

fn limits() -> Vec<Case> {
    vec![
        not_reused(
            SECTION,
            "heuristics do not prolong an Expires in the past",
            &[LONG_AGO, "Expires: {now-10}"],
        ),
        not_reused(SECTION, "heuristics do not prolong max-age=0", &[LONG_AGO, "Cache-Control: max-age=0"]),
        not_reused(SECTION, "heuristics do not mend an invalid Expires", &[LONG_AGO, "Expires: 0"]),
        not_reused(SECTION, "heuristics do not overcome no-cache", &[LONG_AGO, "Cache-Control: no-cache"]),
        not_reused(SECTION, "heuristics do not overcome no-store", &[LONG_AGO, "Cache-Control: no-store"]),
        not_reused(
            SECTION,
            "heuristics do not overcome private in a shared cache",
            &[LONG_AGO, "Cache-Control: private"],
        )
        .shared(),
        case(SECTION, "a private response may be heuristically fresh in a private cache")
            .then(get().answered(ok(&[LONG_AGO, "Cache-Control: private"])))
            .then(get().cached())
            .private(),
        not_reused(
            SECTION,
            "a Last-Modified in the future gives no freshness",
            &["Last-Modified: {now+100000}"],
        ),
        not_reused(
            SECTION,
            "a Last-Modified of this moment gives no freshness",
            &["Last-Modified: {now}", "Date: {now}"],
        ),
        not_reused(SECTION, "an unreadable Last-Modified gives no freshness", &["Last-Modified: long ago"]),
        not_reused(
            SECTION,
            "heuristic freshness is a fraction of the time since Last-Modified",
            &["Last-Modified: {now-10000}", "Age: 6000"],
        ),
        case(SECTION, "Last-Modified in the format of RFC 850 serves heuristics")
            .then(get().answered(ok(&["Last-Modified: {rfc850:now-10000000}"])))
            .then(get().cached()),
        case(SECTION, "Last-Modified in the format of asctime serves heuristics")
            .then(get().answered(ok(&["Last-Modified: {asctime:now-10000000}"])))
            .then(get().cached()),
        case(SECTION, "a heuristically fresh response shows its Age")
            .then(get().answered(ok(&[LONG_AGO, "Age: 100"])))
            .then(get().cached().age(100)),
        case("9111 4.3.1", "a response whose heuristic freshness has ended is validated")
            .then(get().answered(ok(&["Last-Modified: {now-10}"])))
            .then(get().later().answered(ok(&[])).sees("If-Modified-Since: {now-10}")),
        case("9111 4.3.1", "a Last-Modified before 1970 is sent back as it is")
            .then(
                get().answered(ok(&[
                    "Cache-Control: no-cache",
                    "Last-Modified: Mon, 01 Jan 1900 00:00:00 GMT",
                ])),
            )
            .then(get().answered(ok(&[])).sees("If-Modified-Since: Mon, 01 Jan 1900 00:00:00 GMT")),
    ]
}
