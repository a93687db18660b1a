//! Asking the origin whether what is stored is still right, and what its answer changes.
//!
//! Most cases store with `no-cache`, so that every request validates.

use super::super::case::{Case, case, get};
use super::super::reply::{Reply, not_modified, ok, reply};

const ASK: &str = "Cache-Control: no-cache";
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(malformed());
    cases.extend(freshening());
    cases.extend(fields());
    cases.extend(unusable());
    cases.extend(other_answers());
    cases
}

fn requests() -> Vec<Case> {
    let section = "9111 4.3.1";
    let stored = |name: &str, lines: &[&str]| case(section, name).then(get().answered(ok(lines)));
    let same = || not_modified(&[]);
    vec![
        stored("a strong entity tag is sent in If-None-Match", &[ASK, "ETag: \"a\""])
            .then(get().answered(same()).sees("If-None-Match: \"a\"").misses("If-Modified-Since")),
        stored("a weak entity tag is sent in If-None-Match", &[ASK, "ETag: W/\"a\""])
            .then(get().answered(same()).sees("If-None-Match: W/\"a\"")),
        stored("an empty entity tag is an entity tag", &[ASK, "ETag: \"\""])
            .then(get().answered(same()).sees("If-None-Match: \"\"")),
        stored("commas in an entity tag are sent as they are", &[ASK, "ETag: \"a,b\""])
            .then(get().answered(same()).sees("If-None-Match: \"a,b\"")),
        stored("a backslash in an entity tag is sent as it is", &[ASK, "ETag: \"a\\b\""])
            .then(get().answered(same()).sees("If-None-Match: \"a\\b\"")),
        stored("Last-Modified is sent in If-Modified-Since", &[ASK, "Last-Modified: {now-1000}"])
            .then(get().answered(same()).sees("If-Modified-Since: {now-1000}").misses("If-None-Match")),
        stored(
            "an entity tag and Last-Modified are sent together",
            &[ASK, "ETag: \"a\"", "Last-Modified: {now-1000}"],
        )
        .then(get().answered(same()).sees("If-None-Match: \"a\"").sees("If-Modified-Since: {now-1000}")),
        stored("without a validator the request is unconditional", &[ASK])
            .then(get().answered(ok(&[])).misses("If-None-Match").misses("If-Modified-Since")),
        stored("what is stale is validated", &["Cache-Control: max-age=1", "ETag: \"a\""])
            .then(get().later().answered(same()).sees("If-None-Match: \"a\"")),
        stored(
            "what was stale on arrival is validated",
            &["Cache-Control: max-age=10", "Age: 20", "ETag: \"a\""],
        )
        .then(get().answered(same()).sees("If-None-Match: \"a\"")),
        stored("what Expires made stale is validated", &["Expires: {now-10}", "Last-Modified: {now-1000}"])
            .then(get().answered(same()).sees("If-Modified-Since: {now-1000}")),
        stored("what has no lifetime but a validator is validated", &["ETag: \"a\""])
            .then(get().answered(same()).sees("If-None-Match: \"a\"")),
        stored("an error with a validator is validated too", &[FRESH])
            .then(get().at("/gone").answered(reply(404, &[ASK, "ETag: \"a\""])))
            .then(get().at("/gone").answered(same()).sees("If-None-Match: \"a\"").status(404)),
        stored("the client's other fields go with the validation", &[ASK, "ETag: \"a\""])
            .then(get().with("X-Own: 1").answered(same()).sees("X-Own: 1").sees("If-None-Match: \"a\"")),
        case("9111 4.3.1", "the validators of the variant that was chosen are sent")
            .then(get().with("X-A: 1").answered(ok(&[ASK, "Vary: X-A", "ETag: \"one\""])))
            .then(get().with("X-A: 2").answered(ok(&[ASK, "Vary: X-A", "ETag: \"two\""])))
            .then(
                get()
                    .with("X-A: 1")
                    .answered(not_modified(&["Vary: X-A", "ETag: \"one\""]))
                    .sees("If-None-Match")
                    .text("answer 1 of {path}"),
            ),
        stored("an entity tag with bytes beyond ASCII is sent as it is", &[ASK, "ETag: \"caf\u{e9}\""])
            .then(get().answered(same()).sees("If-None-Match: \"caf\u{e9}\"")),
        stored(
            "Last-Modified in the format of RFC 850 is sent as it is",
            &[ASK, "Last-Modified: {rfc850:now-1000}"],
        )
        .then(get().answered(same()).sees("If-Modified-Since: {rfc850:now-1000}")),
        case("9111 4.3.1", "the fields that Vary names are sent with a validation")
            .then(get().with("X-A: 1").answered(ok(&[ASK, "Vary: X-A", "ETag: \"a\""])))
            .then(
                get()
                    .with("X-A: 1")
                    .answered(not_modified(&["ETag: \"a\""]))
                    .sees("X-A: 1")
                    .sees("If-None-Match: \"a\""),
            ),
        case("9111 4.3.4", "a 304 for one variant does not freshen another")
            .then(get().with("X-A: 1").answered(ok(&[ASK, "Vary: X-A", "ETag: \"a\""])))
            .then(get().with("X-A: 2").answered(ok(&[ASK, "Vary: X-A", "ETag: \"a\""])))
            .then(
                get()
                    .with("X-A: 1")
                    .answered(not_modified(&[FRESH, "Vary: X-A", "ETag: \"a\""]))
                    .text("answer 1 of {path}"),
            )
            .then(
                get()
                    .with("X-A: 2")
                    .answered(not_modified(&[FRESH, "Vary: X-A", "ETag: \"a\""]))
                    .text("answer 2 of {path}"),
            )
            .then(get().with("X-A: 1").cached().text("answer 1 of {path}"))
            .then(get().with("X-A: 2").cached().text("answer 2 of {path}")),
    ]
}

fn malformed() -> Vec<Case> {
    let tags = [
        ("an entity tag without quotes", "ETag: abc"),
        ("an entity tag without its closing quote", "ETag: \"abc"),
        ("an entity tag without its opening quote", "ETag: abc\""),
        ("a weak entity tag without quotes", "ETag: W/abc"),
        ("a weak entity tag with a small w", "ETag: w/\"abc\""),
        ("an entity tag in single quotes", "ETag: 'abc'"),
        ("an entity tag with a space in it", "ETag: \"a b\""),
        ("an empty ETag field", "ETag:"),
        ("a list of entity tags", "ETag: \"a\", \"b\""),
    ];
    let dates = [
        ("a Last-Modified that is a word", "Last-Modified: yesterday"),
        ("a Last-Modified of ISO 8601", "Last-Modified: 2020-01-01T00:00:00Z"),
        ("a Last-Modified with another zone", "Last-Modified: Wed, 01 Jan 2020 00:00:00 CET"),
    ];
    let case = |section, what, line, name| {
        case(section, format!("{what} is not sent"))
            .then(get().answered(ok(&[ASK, line])))
            .then(get().answered(ok(&[])).misses(name))
    };
    let tags = tags.into_iter().map(|(what, line)| case("9110 8.8.3", what, line, "If-None-Match"));
    tags.chain(dates.into_iter().map(|(what, line)| case("9110 8.8.2", what, line, "If-Modified-Since")))
        .collect()
}

/// Returns a case where a response with `lines` is confirmed by a 304 with `fields`.
fn confirmed(section: &'static str, name: &str, lines: &[&str], fields: &[&str]) -> Case {
    let stored: Vec<_> = lines.iter().chain(&["ETag: \"a\""]).copied().collect();
    let fields: Vec<_> = fields.iter().chain(&["ETag: \"a\""]).copied().collect();
    case(section, name).then(get().answered(ok(&stored))).then(get().answered(not_modified(&fields)))
}

fn freshening() -> Vec<Case> {
    let section = "9111 4.3.4";
    vec![
        confirmed(section, "a 304 with a lifetime makes the stored response fresh", &[ASK], &[FRESH])
            .then(get().cached().text("answer 1 of {path}")),
        confirmed(
            section,
            "a 304 with Expires makes the stored response fresh",
            &["Expires: {now-10}"],
            &["Expires: {now+3600}"],
        )
        .then(get().cached()),
        case(section, "a 304 without a lifetime begins the stored one again")
            .then(get().answered(ok(&["Cache-Control: max-age=100", "ETag: \"a\"", "Age: 100"])))
            .then(get().answered(not_modified(&["ETag: \"a\""])))
            .then(get().cached()),
        case(section, "the age of a response that a 304 confirmed begins again")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "Age: 1000", "Date: {now-1000}"])))
            .then(get().answered(not_modified(&["ETag: \"a\"", FRESH])))
            .then(get().cached().age(0)),
        case(section, "an Age in a 304 is the age of the response that it confirms")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""])))
            .then(get().answered(not_modified(&["ETag: \"a\"", FRESH, "Age: 500"])))
            .then(get().cached().age(500)),
        confirmed(
            section,
            "a 304 can make the stored response stale at once",
            &["Cache-Control: max-age=1, must-revalidate", "Age: 5"],
            &["Cache-Control: max-age=0"],
        )
        .then(get().answered(not_modified(&["ETag: \"a\""])).sees("If-None-Match: \"a\"")),
        confirmed(section, "a 304 keeps the status of what is stored", &[ASK], &[FRESH])
            .then(get().cached().status(200)),
        case(section, "a 304 keeps a stored 404 as it is")
            .then(get().answered(reply(404, &[ASK, "ETag: \"a\""])))
            .then(get().answered(not_modified(&["ETag: \"a\"", FRESH])).status(404))
            .then(get().cached().status(404)),
        case(section, "a 304 with the same weak entity tag confirms")
            .then(get().answered(ok(&[ASK, "ETag: W/\"a\""])))
            .then(get().answered(not_modified(&["ETag: W/\"a\"", FRESH])))
            .then(get().cached().text("answer 1 of {path}")),
        case(section, "a 304 with the same Last-Modified confirms")
            .then(get().answered(ok(&[ASK, "Last-Modified: {now-1000}"])))
            .then(get().answered(not_modified(&["Last-Modified: {now-1000}", FRESH])))
            .then(get().cached().text("answer 1 of {path}")),
        case("9111 4.3.3", "a 304 without a validator confirms what was asked about")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""])))
            .then(get().answered(not_modified(&[FRESH])))
            .then(get().cached().text("answer 1 of {path}")),
    ]
}

fn fields() -> Vec<Case> {
    let section = "9111 3.2";
    let kept = |name: &str, stored: &'static str, sent: &'static str| {
        case(section, name)
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", stored])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\"", sent])).shows(stored))
            .then(get().cached().shows(stored))
    };
    let mut cases: Vec<_> = [
        "X-Own",
        "Cache-Control",
        "Content-Language",
        "Content-Location",
        "Content-Disposition",
        "Content-Type",
        "Clear-Site-Data",
        "Server",
        "X-Frame-Options",
        "Link",
        "Expires",
        "Content-Security-Policy",
    ]
    .into_iter()
    .map(|name| {
        let (old, new) = match name {
            "Cache-Control" => {
                ("Cache-Control: no-cache, x=1".to_owned(), "Cache-Control: max-age=3600, x=2".to_owned())
            }
            "Expires" => ("Expires: {now-1}".to_owned(), "Expires: {now+3600}".to_owned()),
            _ => (format!("{name}: old"), format!("{name}: new")),
        };
        let (before, with) =
            if name == "Cache-Control" { ("X-Other: 1", "X-Other: 2") } else { (ASK, FRESH) };
        case(section, format!("a 304 replaces {name}"))
            .then(get().answered(ok(&[before, &old, "ETag: \"a\""])))
            .then(get().answered(not_modified(&[with, &new, "ETag: \"a\""])).shows(new.as_str()))
            .then(get().cached().shows(new.as_str()))
    })
    .collect();
    cases.extend([
        case(section, "a 304 adds a field that was not stored")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\"", "X-New: 1"])).shows("X-New: 1"))
            .then(get().cached().shows("X-New: 1")),
        case(section, "a field that a 304 leaves out is kept")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "X-Old: 1", "Content-Type: text/plain"])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\""])).shows("X-Old: 1"))
            .then(get().cached().shows("X-Old: 1").shows("Content-Type: text/plain")),
        case(section, "one line in a 304 replaces all lines of its name")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "X-Own: 1", "X-Own: 2"])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\"", "X-Own: 3"])))
            .then(get().cached().shows_lines("X-Own", &["3"])),
        case(section, "several lines in a 304 replace one")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "X-Own: 1"])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\"", "X-Own: 2", "X-Own: 3"])))
            .then(get().cached().shows_lines("X-Own", &["2", "3"])),
        case(section, "a 304 replaces Date")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "Date: {now-500}"])))
            .then(get().answered(not_modified(&[FRESH, "ETag: \"a\"", "Date: {now-5}"])))
            .then(get().cached().shows_lines("Date", &["{now-5}"])),
        kept(
            "a Content-Encoding in a 304 changes nothing",
            "Content-Encoding: x-own",
            "Content-Encoding: x-other",
        ),
        kept("a Content-Range in a 304 changes nothing", "X-Own: 1", "Content-Range: bytes 0-1/2"),
        case(section, "a Content-Length in a 304 changes nothing")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""]).text("0123456789")))
            .then(
                get()
                    .answered(not_modified(&[FRESH, "ETag: \"a\"", "Content-Length: 3"]))
                    .shows("Content-Length: 10"),
            )
            .then(get().cached().shows("Content-Length: 10")),
        case("9111 3.1", "the fields of the connection that a 304 came on are not stored")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""])))
            .then(get().answered(not_modified(&[
                FRESH,
                "ETag: \"a\"",
                "Connection: X-Hop",
                "X-Hop: 1",
                "Keep-Alive: timeout=5",
            ])))
            .then(get().cached().lacks("X-Hop").lacks("Keep-Alive")),
    ]);
    cases
}

fn unusable() -> Vec<Case> {
    let section = "9111 4.3.4";
    let other = |lines: &[&str]| get().answered(not_modified(lines)).sees("If-None-Match");
    vec![
        case(section, "a 304 with another strong entity tag is followed by one unconditional request")
            .then(get().answered(ok(&[ASK, "ETag: \"a\""])))
            .then(
                other(&["ETag: \"b\"", FRESH]).answered(ok(&["ETag: \"b\"", FRESH])).misses("If-None-Match"),
            )
            .then(get().cached().text("answer 2 of {path}")),
        case(section, "a 304 without a stored response to match is not answered with 304")
            .then(get().answered(ok(&[ASK, "ETag: \"a\"", "Last-Modified: {now-1000}"])))
            .then(
                other(&["ETag: \"b\""])
                    .answered(ok(&["ETag: \"b\""]))
                    .misses("If-Modified-Since")
                    .misses("If-None-Match")
                    .status(200),
            ),
    ]
}

fn other_answers() -> Vec<Case> {
    let stored = |section, name: &str| case(section, name).then(get().answered(ok(&[ASK, "ETag: \"a\""])));
    let failing = |reply: Reply| get().answered(reply).sees("If-None-Match: \"a\"");
    vec![
        stored("9111 4.3.3", "a full response to a validation replaces what is stored")
            .then(failing(ok(&[FRESH, "ETag: \"b\""])))
            .then(get().cached().shows("ETag: \"b\"").text("answer 2 of {path}")),
        stored("9111 4.3.3", "a 404 in answer to a validation is passed on").then(failing(reply(404, &[]))),
        stored("9111 4.3.3", "a 410 with a lifetime in answer to a validation is stored")
            .then(failing(reply(410, &[FRESH])))
            .then(get().cached().status(410)),
        stored("9111 4.3.3", "a 500 in answer to a validation is passed on").then(failing(reply(500, &[]))),
        stored("9111 4.3.3", "a 503 in answer to a validation leaves what is stored")
            .then(failing(reply(503, &[])))
            .then(failing(not_modified(&[FRESH, "ETag: \"a\""])).text("answer 1 of {path}"))
            .then(get().cached().text("answer 1 of {path}")),
        stored("9111 4.3.3", "a 302 in answer to a validation is passed on")
            .then(failing(reply(302, &["Location: {path}/other"])).shows("Location")),
    ]
}
