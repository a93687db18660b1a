//! What an unsafe request throws out of the cache.
//!
//! Only an answer that is no error does so, and only for the same origin.

use super::super::case::{Case, Step, case, get, head, method};
use super::super::reply::{ok, reply};

const SECTION: &str = "9111 4.4";
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = by_method();
    cases.extend(by_status());
    cases.extend(elsewhere());
    for name in ["PUT", "DELETE", "PATCH", "FROB"] {
        for field in ["Location", "Content-Location"] {
            let line = format!("{field}: {{path}}/other");
            cases.push(
                case(SECTION, format!("the {field} of a response to {name} is invalidated"))
                    .then(get().at("/other").answered(ok(&[FRESH])))
                    .then(method(name).answered(reply(200, &[&line])))
                    .then(get().at("/other").answered(ok(&[FRESH]))),
            );
        }
    }
    cases.extend(extent());
    cases
}

fn stored(name: impl Into<String>) -> Case {
    case(SECTION, name).then(get().answered(ok(&[FRESH])))
}

fn again() -> Step {
    get().answered(ok(&[FRESH]))
}

fn by_method() -> Vec<Case> {
    let mut cases: Vec<_> = ["POST", "PUT", "DELETE", "PATCH", "FROB", "LOCK"]
        .into_iter()
        .map(|name| {
            stored(format!("{name} invalidates what is stored for its URL"))
                .then(method(name).answered(ok(&[])))
                .then(again())
        })
        .collect();
    cases.extend(["OPTIONS", "TRACE"].into_iter().map(|name| {
        stored(format!("{name} is safe and invalidates nothing"))
            .then(method(name).answered(ok(&[])))
            .then(get().cached())
    }));
    cases
}

fn by_status() -> Vec<Case> {
    let posting = |status| method("POST").answered(reply(status, &[]));
    let mut cases: Vec<_> = [201, 202, 204, 302, 303, 399]
        .into_iter()
        .map(|status| {
            stored(format!("a {status} response to POST invalidates")).then(posting(status)).then(again())
        })
        .collect();
    cases.extend([400, 403, 404, 409, 412, 500, 503].into_iter().map(|status| {
        stored(format!("a {status} response to POST invalidates nothing"))
            .then(posting(status))
            .then(get().cached())
    }));
    cases.push(
        stored("a POST request that the origin breaks off invalidates nothing")
            .then(method("POST").broken_off().status_in(&[502, 504]).any_text())
            .then(get().cached()),
    );
    cases
}

/// Returns a case where what is stored below the path is, or is not, invalidated by POST with `line` in the answer.
fn other(name: &str, line: &'static str, is_gone: bool) -> Case {
    let other = || get().at("/other");
    let after = if is_gone { other().answered(ok(&[FRESH])) } else { other().cached() };
    case(SECTION, name)
        .then(other().answered(ok(&[FRESH])))
        .then(method("POST").answered(reply(201, &[line])))
        .then(after)
}

fn elsewhere() -> Vec<Case> {
    vec![
        other("a relative Location is invalidated", "Location: {path}/other", true),
        other("a relative Content-Location is invalidated", "Content-Location: {path}/other", true),
        other(
            "an absolute Location of the same origin is invalidated",
            "Location: {origin}{path}/other",
            true,
        ),
        other(
            "an absolute Content-Location of the same origin is invalidated",
            "Content-Location: {origin}{path}/other",
            true,
        ),
        other(
            "a Location of another host is not invalidated",
            "Location: http://other.example{path}/other",
            false,
        ),
        other(
            "a Content-Location of another host is not invalidated",
            "Content-Location: http://other.example{path}/other",
            false,
        ),
        other(
            "a Location of another scheme is not invalidated",
            "Location: ftp://127.0.0.1{path}/other",
            false,
        ),
        other(
            "a Location of another port is not invalidated",
            "Location: http://127.0.0.1:1{path}/other",
            false,
        ),
        other("a Location that cannot be read invalidates nothing", "Location: http://[{path}/other", false),
        other("a Link is not invalidated", "Link: <{path}/other>", false),
        case(SECTION, "the Location of an error is not invalidated")
            .then(get().at("/other").answered(ok(&[FRESH])))
            .then(method("POST").answered(reply(500, &["Location: {path}/other"])))
            .then(get().at("/other").cached()),
        case(SECTION, "the Location of a response to GET is not invalidated")
            .then(get().at("/other").answered(ok(&[FRESH])))
            .then(get().answered(reply(302, &["Location: {path}/other"])))
            .then(get().at("/other").cached()),
    ]
}

fn extent() -> Vec<Case> {
    vec![
        case(SECTION, "all variants are invalidated")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(method("POST").answered(ok(&[])))
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "Vary: X-A"]))),
        case(SECTION, "another query is another URL")
            .then(get().at("?a=1").answered(ok(&[FRESH])))
            .then(method("POST").answered(ok(&[])))
            .then(get().at("?a=1").cached()),
        case(SECTION, "a path below is another URL")
            .then(get().at("/below").answered(ok(&[FRESH])))
            .then(method("DELETE").answered(ok(&[])))
            .then(get().at("/below").cached()),
        stored("what is stored after an invalidation is reused")
            .then(method("POST").answered(ok(&[])))
            .then(again())
            .then(get().cached().text("answer 3 of {path}")),
        case(SECTION, "what must be validated is invalidated too")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "ETag: \"a\""])))
            .then(method("PUT").answered(reply(204, &[])))
            .then(get().answered(ok(&["ETag: \"b\"", FRESH])).text("answer 3 of {path}"))
            .then(get().cached().shows("ETag: \"b\"")),
        stored("an invalidated response does not answer only-if-cached")
            .then(method("POST").answered(ok(&[])))
            .then(get().with("Cache-Control: only-if-cached").cached().status(504).any_text()),
        case(SECTION, "a stored HEAD response is invalidated too")
            .then(head().answered(ok(&[FRESH])))
            .then(method("DELETE").answered(reply(204, &[])))
            .then(head().answered(ok(&[FRESH]))),
        case(SECTION, "a stored part is invalidated too")
            .then(
                get()
                    .with("Range: bytes=0-1")
                    .answered(reply(206, &[FRESH, "ETag: \"a\"", "Content-Range: bytes 0-1/4"]).text("01")),
            )
            .then(method("PUT").answered(reply(204, &[])))
            .then(
                get()
                    .with("Range: bytes=0-1")
                    .answered(reply(206, &[FRESH, "ETag: \"b\"", "Content-Range: bytes 0-1/4"]).text("ab")),
            ),
        case(SECTION, "an unsafe request reaches the origin with its content")
            .then(method("PUT").sending("new state").answered(reply(204, &[]))),
    ]
}
