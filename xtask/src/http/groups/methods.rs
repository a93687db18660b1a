//! Which methods are stored, and which stored responses answer which methods.
//!
//! A method that changes something always reaches the origin.

use super::super::case::{Case, Step, case, get, head, method};
use super::super::reply::{Reply, ok, reply};

const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(head_updates());
    cases.extend(posts());
    cases.extend(["PUT", "DELETE", "PATCH", "OPTIONS", "FROB"].into_iter().map(|name| {
        case("9111 3", format!("the response to {name} answers neither {name} nor GET"))
            .then(method(name).answered(ok(&[FRESH])))
            .then(method(name).answered(ok(&[FRESH])))
            .then(get().answered(ok(&[FRESH])))
    }));
    cases.extend(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FROB"].into_iter().map(|name| {
        case("9110 9.2", format!("a stored GET response does not answer {name}"))
            .then(get().answered(ok(&[FRESH])))
            .then(method(name).answered(ok(&[])))
    }));
    cases.push(
        case("9110 9.1", "the name of a method is read as it is written")
            .then(get().answered(ok(&[FRESH])))
            .then(method("get").answered(ok(&[])).status_in(&[200, 400, 405, 501]).any_text()),
    );
    cases
}

fn heads() -> Vec<Case> {
    vec![
        case("9110 9.3.2", "a stored GET response answers HEAD, without content")
            .then(get().answered(ok(&[FRESH, "ETag: \"a\"", "X-Own: 1"]).text("twelve bytes")))
            .then(
                head()
                    .cached()
                    .shows("ETag: \"a\"")
                    .shows("X-Own: 1")
                    .shows("Content-Length: 12")
                    .shows("Age")
                    .text(""),
            ),
        case("9110 9.3.2", "a HEAD response does not answer GET")
            .then(head().answered(ok(&[FRESH])))
            .then(get().answered(ok(&[FRESH]))),
        case("9110 9.3.2", "a HEAD response answers HEAD")
            .then(head().answered(ok(&[FRESH, "X-Own: 1"])))
            .then(head().cached().shows("X-Own: 1")),
        case("9110 9.3.2", "a HEAD response is passed with the length that GET would have").then(
            head().answered(ok(&[FRESH, "Content-Length: 1000"])).shows("Content-Length: 1000").text(""),
        ),
        case("9111 4.2", "a stale GET response does not answer HEAD")
            .then(get().answered(ok(&["Cache-Control: max-age=1"])))
            .then(head().later().answered(ok(&[]))),
        case("9111 5.2.2.4", "a HEAD request for what must be validated reaches the origin")
            .then(get().answered(ok(&["Cache-Control: no-cache", "ETag: \"a\""])))
            .then(head().answered(ok(&["ETag: \"a\"", "X-Own: 2"])).shows("X-Own: 2").text("")),
    ]
}

fn head_updates() -> Vec<Case> {
    let case = |name| case("9111 4.3.5", name).then(get().answered(stored()));
    let asking = || head().with("Cache-Control: no-cache");
    vec![
        case("a HEAD response with the same validator updates the stored GET response")
            .then(asking().answered(ok(&[FRESH, "ETag: \"a\"", "X-Own: new"]).text("twelve bytes")))
            .then(get().cached().shows("X-Own: new").text("twelve bytes")),
        case("a HEAD response with another entity tag makes the stored GET response stale")
            .then(asking().answered(ok(&[FRESH, "ETag: \"b\""]).text("twelve bytes")))
            .then(validated_or_new()),
        case("a HEAD response with another length makes the stored GET response stale")
            .then(asking().answered(ok(&[FRESH, "ETag: \"a\"", "Content-Length: 13"])))
            .then(validated_or_new()),
        case("a HEAD response with another Last-Modified makes the stored GET response stale")
            .then(asking().answered(ok(&[FRESH, "Last-Modified: {now-50}"]).text("twelve bytes")))
            .then(validated_or_new()),
        case("fields that a HEAD response leaves out are kept")
            .then(asking().answered(ok(&[FRESH, "ETag: \"a\""]).text("twelve bytes")))
            .then(get().cached().shows("X-Own: old").text("twelve bytes")),
        case("a HEAD request that is answered 410 does not change the content of what is stored")
            .then(asking().answered(reply(410, &["Cache-Control: no-store"])))
            .then(get().perhaps(ok(&[FRESH]).text("other bytes")).text_in(&["twelve bytes", "other bytes"])),
    ]
}

fn stored() -> Reply {
    ok(&[FRESH, "ETag: \"a\"", "Last-Modified: {now-500}", "X-Own: old"]).text("twelve bytes")
}

fn validated_or_new() -> Step {
    get().answered(ok(&["ETag: \"b\"", FRESH]))
}

fn posts() -> Vec<Case> {
    let post = || method("POST").sending("content");
    let own = "Content-Location: {path}";
    vec![
        case("9110 9.3.3", "a POST response with a lifetime and its own Content-Location answers GET")
            .then(post().answered(ok(&[FRESH, own])))
            .then(get().cached().text("answer 1 of {path}")),
        case("9110 9.3.3", "a POST response never answers POST")
            .then(post().answered(ok(&[FRESH, own])))
            .then(post().answered(ok(&[FRESH, own]))),
        case("9110 9.3.3", "a POST response without Content-Location does not answer GET")
            .then(post().answered(ok(&[FRESH])))
            .then(get().answered(ok(&[FRESH]))),
        case("9110 9.3.3", "a POST response with another Content-Location does not answer GET")
            .then(post().answered(ok(&[FRESH, "Content-Location: {path}/other"])))
            .then(get().answered(ok(&[FRESH]))),
        case("9110 9.3.3", "a POST response without explicit freshness does not answer GET")
            .then(post().answered(ok(&[own, "Last-Modified: {now-10000000}"])))
            .then(get().answered(ok(&[FRESH]))),
        case("9110 9.3.3", "a POST response with no-store does not answer GET")
            .then(post().answered(ok(&[own, "Cache-Control: no-store, max-age=3600"])))
            .then(get().answered(ok(&[FRESH]))),
        case("9110 9.3", "the content of a POST request reaches the origin")
            .then(post().with("Content-Type: text/plain").answered(ok(&[])).sees("Content-Type: text/plain")),
    ]
}
