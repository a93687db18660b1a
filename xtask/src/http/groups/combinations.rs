//! Rules that meet: a range of what is stale, a condition on what cannot be validated, an invalidation in mid-flight.
//!
//! Each rule has its own cases elsewhere; here two of them have to give way to each other.

use super::super::case::{Case, Step, Verdict, case, get, head, method, program};
use super::super::reply::{not_modified, ok, reply};
use super::super::stage::{PATIENCE, Stage, exchange, told};

const FRESH: &str = "Cache-Control: max-age=3600";
const SHORT: &str = "Cache-Control: max-age=1";
const TAG: &str = "ETag: \"a\"";
const TEN: &str = "0123456789";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = without_the_origin();
    cases.extend(behind());
    cases.extend(updates());
    cases.extend(parts());
    cases.extend(preconditions());
    cases.extend(principals());
    cases.extend([
        case("9111 2", "a Content-Location does not make a response answer for that URL")
            .then(get().answered(ok(&[FRESH, "Content-Location: {path}/other"])))
            .then(get().at("/other").answered(ok(&[FRESH]))),
        program("9111 4.4", "a response asked for before an invalidation is not stored after it", |stage| {
            Box::pin(invalidated_meanwhile(stage))
        }),
    ]);
    cases
}

/// Returns a case where ten bytes are stored with `line` and then asked for with `step`.
fn ten(section: &'static str, name: &str, line: &str, step: Step) -> Case {
    case(section, name).then(get().answered(ok(&[line, TAG]).text(TEN))).then(step)
}

fn without_the_origin() -> Vec<Case> {
    let section = "9111 4.2.4";
    let window = "Cache-Control: max-age=1, stale-if-error=600";
    let failing = || get().later().broken_off();
    let error = || get().later().answered(reply(503, &[]));
    vec![
        ten(section, "a stale response answers a range when the origin fails", SHORT, {
            failing().with("Range: bytes=2-4").status(206).text("234")
        }),
        ten(section, "a stale response answers HEAD when the origin fails", SHORT, {
            head().later().broken_off().status(200).text("")
        }),
        ten(section, "a stale response answers a condition when the origin fails", SHORT, {
            failing().with("If-None-Match: \"a\"").status(304)
        }),
        ten("5861 4", "stale-if-error answers a range", window, {
            error().with("Range: bytes=2-4").status(206).text("234")
        }),
        ten("5861 4", "stale-if-error answers a condition", window, {
            error().with("If-None-Match: \"a\"").status(304)
        }),
        ten(section, "a stale response does not answer POST when the origin fails", SHORT, {
            method("POST").later().broken_off().status_in(&[502, 504]).any_text()
        }),
        case(section, "another variant does not answer when the origin fails")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").broken_off().status_in(&[502, 504]).any_text()),
        case(section, "another user's response does not answer when the origin fails")
            .then(get().with("Authorization: a").answered(ok(&[SHORT])))
            .then(get().later().with("Authorization: b").broken_off().status_in(&[502, 504]).any_text()),
        case("5861 4", "another variant does not answer for a 503")
            .then(get().with("X-A: 1").answered(ok(&[window, "Vary: X-A"])))
            .then(get().later().with("X-A: 2").answered(reply(503, &[]))),
    ]
}

fn behind() -> Vec<Case> {
    let section = "5861 3";
    let window = "Cache-Control: max-age=1, stale-while-revalidate=600";
    vec![
        ten(section, "a range is answered at once, and the whole is validated behind", window, {
            let whole = ok(&[FRESH, "ETag: \"b\""]).text("abcdefghij");
            get().later().with("Range: bytes=2-4").behind(whole).misses("Range").status(206).text("234")
        })
        .then(get().later().cached().text("abcdefghij")),
        ten(section, "a condition is answered at once, and the stored tag validated behind", window, {
            let same = not_modified(&[TAG, FRESH]);
            get().later().with("If-None-Match: \"a\"").behind(same).sees("If-None-Match: \"a\"").status(304)
        })
        .then(get().later().cached().text(TEN)),
        ten(section, "another condition is answered in full at once", window, {
            let same = not_modified(&[TAG, FRESH]);
            get().later().with("If-None-Match: \"x\"").behind(same).sees("If-None-Match: \"a\"").text(TEN)
        }),
        ten(section, "HEAD of what may be validated behind is answered", window, {
            head().later().perhaps(ok(&[TAG]).text(TEN)).status(200).text("")
        }),
        case(section, "a variant is validated behind with its own fields")
            .then(get().with("X-A: 1").answered(ok(&[window, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(
                get()
                    .later()
                    .with("X-A: 1")
                    .behind(ok(&[FRESH, "Vary: X-A"]))
                    .sees("X-A: 1")
                    .text("answer 1 of {path}"),
            )
            .then(get().later().with("X-A: 1").cached().text("answer 3 of {path}"))
            .then(get().with("X-A: 2").cached().text("answer 2 of {path}")),
        ten(section, "what fails behind with a break leaves what is stored", window, {
            get().later().behind(reply(500, &[]).cut()).text(TEN)
        })
        .then(get().later().behind(ok(&[FRESH])).text(TEN)),
    ]
}

fn updates() -> Vec<Case> {
    let section = "9111 3.2";
    let ask = "Cache-Control: no-cache";
    let updated = |name: &str, lines: &[&str]| {
        let lines: Vec<_> = [TAG].iter().chain(lines).copied().collect();
        case(section, name)
            .then(get().answered(ok(&[ask, TAG])))
            .then(get().answered(not_modified(&lines)).text("answer 1 of {path}"))
    };
    vec![
        updated(
            "a 304 with private ends what a shared cache holds",
            &["Cache-Control: private, max-age=3600"],
        )
        .then(get().answered(ok(&[])))
        .shared(),
        updated("a 304 with no-store ends what may be reused", &["Cache-Control: no-store"])
            .then(get().answered(ok(&[]))),
        updated(
            "a Set-Cookie in a 304 is not handed out again by a shared cache",
            &[FRESH, "Set-Cookie: a=1"],
        )
        .then(get().perhaps(ok(&[])).lacks("Set-Cookie").any_text())
        .shared(),
        updated(
            "a 304 with must-revalidate binds what is stored",
            &["Cache-Control: max-age=1, must-revalidate"],
        )
        .then(get().later().broken_off().status_in(&[502, 504]).any_text()),
        updated(
            "a 304 with stale-if-error opens a window",
            &["Cache-Control: max-age=1, stale-if-error=600"],
        )
        .then(get().later().answered(reply(503, &[])).status(200).text("answer 1 of {path}")),
        case(section, "a 304 with a shorter lifetime shortens it")
            .then(get().answered(ok(&[FRESH, TAG])))
            .then(
                get()
                    .with("Cache-Control: no-cache")
                    .answered(not_modified(&[TAG, "Cache-Control: max-age=0"])),
            )
            .then(
                get().answered(not_modified(&[TAG])).sees("If-None-Match: \"a\"").text("answer 1 of {path}"),
            ),
        case("9111 4.3.4", "a 304 that comes to a range request updates what is stored whole")
            .then(get().answered(ok(&[ask, TAG]).text(TEN)))
            .then(
                get().with("Range: bytes=2-4").answered(not_modified(&[TAG, FRESH])).status(206).text("234"),
            )
            .then(get().cached().text(TEN)),
        case("9111 4.3.3", "a new whole for a range request replaces what is stored")
            .then(get().answered(ok(&[ask, TAG]).text(TEN)))
            .then(
                get()
                    .with("Range: bytes=2-4")
                    .answered(ok(&[FRESH, "ETag: \"b\""]).text("abcdefghij"))
                    .status_in(&[200, 206])
                    .text_in(&["abcdefghij", "cde"]),
            )
            .then(get().cached().text("abcdefghij")),
    ]
}

fn parts() -> Vec<Case> {
    let lines = &[FRESH, TAG, "Content-Range: bytes 0-4/10"];
    let stored = |section, name: &str| {
        case(section, name).then(get().with("Range: bytes=0-4").answered(reply(206, lines).text("01234")))
    };
    let only = || get().with("Cache-Control: only-if-cached");
    vec![
        stored("9111 5.2.1.7", "only-if-cached is answered with a part that is stored")
            .then(only().with("Range: bytes=1-3").cached().status(206).text("123")),
        stored("9111 5.2.1.7", "only-if-cached for the whole is answered 504 where a part is stored")
            .then(only().cached().status(504).any_text()),
        stored("9111 5.2.1.7", "only-if-cached for another part is answered 504")
            .then(only().with("Range: bytes=6-8").cached().status(504).any_text()),
        stored("9111 3.3", "a part does not answer for the whole when the origin fails")
            .then(get().broken_off().status_in(&[502, 504]).any_text()),
        stored("9110 13.1.2", "a condition on the whole is not answered with a part").then(
            get().with("If-None-Match: \"x\"").perhaps(ok(&[FRESH, TAG]).text(TEN)).status(200).text(TEN),
        ),
        stored("9110 13.1.5", "a part answers If-Range with its own tag")
            .then(get().with("Range: bytes=1-3").with("If-Range: \"a\"").cached().status(206).text("123")),
        stored("9110 13.1.5", "a part does not answer If-Range with another tag").then(
            get()
                .with("Range: bytes=1-3")
                .with("If-Range: \"b\"")
                .answered(ok(&[FRESH, "ETag: \"c\""]).text("abcdefghij"))
                .status(200)
                .text("abcdefghij"),
        ),
        case("9110 13.1.5", "a Last-Modified that equals Date is too weak for If-Range")
            .then(get().answered(ok(&[FRESH, "Date: {now-100}", "Last-Modified: {now-100}"]).text(TEN)))
            .then(get().with("Range: bytes=2-4").with("If-Range: {now-100}").cached().status(200).text(TEN)),
    ]
}

fn preconditions() -> Vec<Case> {
    let stored = |name: &str, lines: &[&'static str], status, text| {
        let asking =
            lines.iter().fold(get(), |step, line| step.with(*line)).cached().status(status).text(text);
        let lines = &[FRESH, TAG, "Last-Modified: {now-100000}"];
        case("9110 13.2.2", name).then(get().answered(ok(lines).text(TEN))).then(asking)
    };
    let many = format!("If-None-Match: {}\"a\"", "\"x\", ".repeat(2000));
    vec![
        stored(
            "a range is cut where If-None-Match does not match",
            &["Range: bytes=2-4", "If-None-Match: \"b\""],
            206,
            "234",
        ),
        stored(
            "a range is cut where If-Modified-Since is earlier",
            &["Range: bytes=2-4", "If-Modified-Since: {now-200000}"],
            206,
            "234",
        ),
        stored(
            "a condition that matches is stronger than If-Range",
            &["Range: bytes=2-4", "If-Range: \"a\"", "If-None-Match: \"a\""],
            304,
            "",
        ),
        stored(
            "a range behind the end with another If-Range is answered with the whole",
            &["Range: bytes=50-60", "If-Range: \"b\""],
            200,
            TEN,
        ),
        stored(
            "a range behind the end with its own If-Range is not satisfiable",
            &["Range: bytes=50-60", "If-Range: \"a\""],
            416,
            "",
        ),
        stored("an empty If-None-Match matches nothing", &["If-None-Match:"], 200, TEN),
        ten("9110 13.1.2", "two thousand tags are compared", FRESH, {
            get().with(many).cached().status(304)
        }),
        ten("9111 4.3.2", "If-Unmodified-Since is for the origin even when a response is stored", FRESH, {
            get().with("If-Unmodified-Since: {now-500}").answered(reply(412, &[])).sees("If-Unmodified-Since")
        }),
        case("9110 14.2", "a range far into a megabyte is cut")
            .then(get().answered(ok(&[FRESH]).text("0123456789abcdef".repeat(1 << 16))))
            .then(get().with("Range: bytes=524293-524300").cached().status(206).text("56789abc")),
        case("9110 15.4.2", "a stored redirect answers HEAD")
            .then(get().answered(reply(301, &[FRESH, "Location: {path}/other"])))
            .then(head().cached().status(301).shows("Location: {path}/other")),
        case("9111 5.2.1.2", "max-stale accepts what was stale on arrival")
            .then(get().answered(ok(&["Cache-Control: max-age=10", "Age: 60"])))
            .then(get().with("Cache-Control: max-stale=1000").cached().age(60)),
        case("9111 5.4", "Pragma in a response does not prevent heuristic freshness")
            .then(get().answered(ok(&["Pragma: no-cache", "Last-Modified: {now-10000000}"])))
            .then(get().cached()),
    ]
}

/// What one user's response leaves behind must not show in the requests of another.
fn principals() -> Vec<Case> {
    let section = "9111 3.5";
    let as_user = |line: &'static str| get().with(line);
    vec![
        case(section, "a shared cache keeps no validator of what a user got")
            .then(as_user("Authorization: a").answered(ok(&[FRESH, TAG])))
            .then(as_user("Authorization: a").answered(ok(&[FRESH, TAG])).misses("If-None-Match"))
            .shared(),
        case(section, "a private cache sends no user's validator for another")
            .then(as_user("Authorization: a").answered(ok(&["Cache-Control: no-cache", TAG])))
            .then(
                as_user("Authorization: b")
                    .answered(ok(&["Cache-Control: no-cache", TAG]))
                    .misses("If-None-Match"),
            )
            .then(
                as_user("Authorization: a")
                    .answered(not_modified(&[TAG]))
                    .sees("If-None-Match: \"a\"")
                    .text("answer 1 of {path}"),
            )
            .private(),
        case("9111 7.3", "no validator of a private response is sent with another cookie")
            .then(as_user("Cookie: a=1").answered(ok(&["Cache-Control: private, no-cache", TAG])))
            .then(
                as_user("Cookie: a=2")
                    .answered(ok(&["Cache-Control: private, no-cache", TAG]))
                    .misses("If-None-Match"),
            ),
        case(section, "an unsafe request of one user is not answered with what another stored")
            .then(as_user("Authorization: a").answered(ok(&[FRESH])))
            .then(method("POST").with("Authorization: b").answered(ok(&[])))
            .then(as_user("Authorization: b").answered(ok(&[FRESH]))),
    ]
}

async fn invalidated_meanwhile(mut stage: Stage) -> Verdict {
    let reading = tokio::spawn(exchange(stage.proxy, "GET", stage.request_bytes("GET", "", &[])));
    let read = stage.next_asked().await?;
    let writing = tokio::spawn(exchange(stage.proxy, "POST", stage.request_bytes("POST", "", &[])));
    let written = stage.next_asked().await?;
    ok(&[]).answer(written, b"written", &stage.braces).await.map_err(told)?;
    writing.await.map_err(|error| error.to_string())??;
    ok(&[FRESH]).answer(read, b"old", &stage.braces).await.map_err(told)?;
    reading.await.map_err(|error| error.to_string())??;
    let again = tokio::spawn(exchange(stage.proxy, "GET", stage.request_bytes("GET", "", &[])));
    let asked = tokio::time::timeout(PATIENCE / 4, stage.asked.recv()).await.ok().flatten();
    let Some(asked) = asked else { return Err("what was there before POST was stored after it".to_owned()) };
    ok(&[FRESH]).answer(asked, b"new", &stage.braces).await.map_err(told)?;
    let response = again.await.map_err(|error| error.to_string())??;
    if response.content == b"new" { Ok(()) } else { Err(format!("the response is {response:?}")) }
}
