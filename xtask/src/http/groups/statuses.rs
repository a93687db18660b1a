//! Which status codes are stored when the origin gives them a lifetime.
//!
//! Any final one is, known or not; those that a cache must understand are the exceptions.

use super::super::case::{Case, case, get, not_reused};
use super::super::reply::{ok, reply};

const FRESH: &str = "Cache-Control: max-age=3600";
const STATUSES: &[u16] = &[
    200, 201, 202, 203, 204, 226, 299, 300, 301, 302, 303, 305, 307, 308, 399, 400, 402, 403, 404, 405, 406,
    408, 409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499,
    500, 501, 502, 503, 504, 505, 506, 507, 511, 599,
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = STATUSES
        .iter()
        .map(|status| {
            case("9111 3", format!("a {status} response with explicit freshness is reused"))
                .then(get().answered(reply(*status, &[FRESH, "X-Own: kept"])))
                .then(get().cached().status(*status).shows("X-Own: kept"))
        })
        .collect();
    cases.extend([301, 302, 307, 308].into_iter().map(|status| {
        case("9110 15.4", format!("a {status} redirect is passed on and not followed"))
            .then(get().answered(reply(status, &["Location: {path}/other"])).shows("Location: {path}/other"))
    }));
    cases.extend(STATUSES.iter().map(|status| {
        case("9111 4.2", format!("a {status} response that is stale is not reused"))
            .then(get().answered(reply(*status, &["Cache-Control: max-age=60", "Age: 100"])))
            .then(get().answered(ok(&[])))
    }));
    cases.extend(without_freshness());
    cases.extend(understood());
    cases
}

fn without_freshness() -> Vec<Case> {
    [201, 302, 403, 429, 500, 503, 599]
        .into_iter()
        .map(|status| {
            case("9111 3", format!("a {status} response without a lifetime is not reused"))
                .then(get().answered(reply(status, &[])))
                .then(get().answered(ok(&[])))
        })
        .collect()
}

fn understood() -> Vec<Case> {
    vec![
        case("9111 5.2.2.3", "must-understand overrides no-store for a status that is understood")
            .then(get().answered(ok(&["Cache-Control: must-understand, no-store, max-age=3600"])))
            .then(get().cached()),
        not_reused(
            "9111 5.2.2.3",
            "no-store without must-understand keeps its meaning",
            &["Cache-Control: no-store, max-age=3600"],
        ),
        case("9111 5.2.2.3", "must-understand allows a 404 response")
            .then(get().answered(reply(404, &["Cache-Control: must-understand, no-store, max-age=3600"])))
            .then(get().cached().status(404)),
        case("9111 5.2.2.3", "Must-Understand is read in any case")
            .then(get().answered(reply(599, &["Cache-Control: Must-Understand, max-age=3600"])))
            .then(get().answered(ok(&[]))),
        not_reused(
            "9111 5.2.2.3",
            "must-understand does not overcome private in a shared cache",
            &["Cache-Control: must-understand, private, max-age=3600"],
        )
        .shared(),
        case("9111 5.2.2.3", "must-understand forbids an unknown status")
            .then(get().answered(reply(599, &["Cache-Control: must-understand, max-age=3600"])))
            .then(get().answered(ok(&[]))),
        case("9111 5.2.2.3", "must-understand and no-store forbid an unknown status")
            .then(get().answered(reply(499, &["Cache-Control: must-understand, no-store, max-age=3600"])))
            .then(get().answered(ok(&[]))),
        case("9111 3", "a 304 response that nobody asked for is not stored")
            .then(get().answered(reply(304, &[FRESH, "ETag: \"a\""])).status_in(&[304, 502]).any_text())
            .then(get().answered(ok(&[FRESH])).misses("If-None-Match"))
            .then(get().cached()),
        case("9111 3.3", "a 206 response that nobody asked for never answers a request for the whole")
            .then(
                get().answered(reply(206, &[FRESH, "Content-Range: bytes 0-4/10"]).text("01234")).any_text(),
            )
            .then(get().answered(ok(&[FRESH]).text("0123456789"))),
        case("9110 15.5.17", "a 416 response never answers a request for the whole")
            .then(
                get().with("Range: bytes=50-60").answered(reply(416, &["Content-Range: bytes */10", FRESH])),
            )
            .then(get().answered(ok(&[FRESH]))),
    ]
}
