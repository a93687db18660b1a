//! Stale answers: when the origin fails, while it is asked behind the answer, and when neither is allowed.
//!
//! Most cases wait until `max-age=1` is over, because what is stale on arrival need not be stored.

use super::super::case::{Case, Step, Verdict, case, get, program};
use super::super::reply::{not_modified, ok, reply};
use super::super::stage::{Stage, exchange, told};

const SHORT: &str = "Cache-Control: max-age=1";
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = unreachable();
    cases.extend(on_errors());
    cases.extend(while_validating());
    cases
}

fn stored(section: &'static str, name: impl Into<String>, lines: &[&str], step: Step) -> Case {
    case(section, name).then(get().answered(ok(lines))).then(step)
}

/// A request for what has become stale, which the origin breaks off.
fn failing() -> Step {
    get().later().broken_off()
}

fn unreachable() -> Vec<Case> {
    let section = "9111 4.2.4";
    let stale = || failing().status(200).text("answer 1 of {path}");
    let refused = || failing().status_in(&[502, 504]).any_text();
    vec![
        stored(section, "a stale response answers when the origin breaks the connection", &[SHORT], stale()),
        stored(
            section,
            "a stale response that answers for the origin shows its Age",
            &[SHORT],
            stale().age(2),
        ),
        stored(
            section,
            "a response of heuristic freshness answers when the origin breaks the connection",
            &["Last-Modified: {now-10}"],
            stale(),
        ),
        stored(
            "9111 5.2.2.2",
            "must-revalidate forbids a stale answer when the origin fails",
            &["Cache-Control: max-age=1, must-revalidate"],
            refused(),
        ),
        stored(
            "9111 5.2.2.2",
            "Must-Revalidate is read in any case",
            &["Cache-Control: max-age=1, Must-Revalidate"],
            refused(),
        ),
        stored(
            "9111 5.2.2.4",
            "no-cache forbids a stale answer when the origin fails",
            &["Cache-Control: max-age=1, no-cache", "ETag: \"a\""],
            refused(),
        ),
        stored(
            "9111 5.2.2.8",
            "proxy-revalidate forbids a shared cache a stale answer",
            &["Cache-Control: max-age=1, proxy-revalidate"],
            refused(),
        )
        .shared(),
        stored(
            "9111 5.2.2.8",
            "proxy-revalidate forbids a private cache nothing",
            &["Cache-Control: max-age=1, proxy-revalidate"],
            stale(),
        )
        .private(),
        stored(
            "9111 5.2.2.10",
            "s-maxage forbids a shared cache a stale answer",
            &["Cache-Control: s-maxage=1"],
            refused(),
        )
        .shared(),
        stored(
            "9111 5.2.2.10",
            "s-maxage forbids a private cache nothing",
            &["Cache-Control: max-age=1, s-maxage=1"],
            stale(),
        )
        .private(),
        stored(
            "5861 4",
            "must-revalidate is stronger than stale-if-error when the origin fails",
            &["Cache-Control: max-age=1, must-revalidate, stale-if-error=600"],
            refused(),
        ),
        stored(
            "9111 5.2.1.4",
            "a request with no-cache is not answered with what is stored when the origin fails",
            &[FRESH],
            get().with("Cache-Control: no-cache").broken_off().status_in(&[502, 504]).any_text(),
        ),
        stored(
            section,
            "an error that comes from the proxy itself is not stored",
            &["Cache-Control: max-age=1, must-revalidate"],
            refused(),
        )
        .then(get().answered(ok(&[FRESH])))
        .then(get().cached().text("answer 3 of {path}")),
        case(
            "9110 15.6.3",
            "without a stored response a broken origin is answered 502 or 504, and asked once",
        )
        .then(get().broken_off().status_in(&[502, 504]).any_text())
        .then(get().answered(ok(&[]))),
    ]
}

fn on_errors() -> Vec<Case> {
    let section = "5861 4";
    let window = &["Cache-Control: max-age=1, stale-if-error=600", "ETag: \"a\""];
    let failing = |status| get().later().answered(reply(status, &[]));
    let stale = |status| failing(status).status(200).text("answer 1 of {path}");
    let mut cases: Vec<_> = [500, 502, 503, 504]
        .into_iter()
        .map(|status| {
            stored(
                section,
                format!("stale-if-error answers for a {status} within its window"),
                window,
                stale(status),
            )
        })
        .collect();
    cases.extend([500, 502, 503, 504].into_iter().map(|status| {
        stored(
            "9111 4.2.4",
            format!("a {status} is passed on where nothing allows a stale answer"),
            &[SHORT, "ETag: \"a\""],
            failing(status),
        )
    }));
    cases.extend([
        stored(section, "stale-if-error does not answer for a 404", window, failing(404)),
        stored(section, "stale-if-error does not answer for a 501", window, failing(501)),
        stored(
            section,
            "stale-if-error answers when the origin breaks the connection",
            window,
            get().later().broken_off().text("answer 1 of {path}").status(200),
        ),
        stored(
            section,
            "stale-if-error ends with its window",
            &["Cache-Control: max-age=100, stale-if-error=100", "Age: 250"],
            get().answered(reply(503, &[])),
        ),
        stored(
            section,
            "an unreadable stale-if-error allows nothing",
            &["Cache-Control: max-age=1, stale-if-error=long"],
            failing(503),
        ),
        stored(
            section,
            "must-revalidate is stronger than stale-if-error for a 503",
            &["Cache-Control: max-age=1, must-revalidate, stale-if-error=600"],
            failing(503),
        ),
        stored(
            section,
            "no-cache is stronger than stale-if-error",
            &["Cache-Control: no-cache, stale-if-error=600"],
            get().answered(reply(503, &[])),
        ),
        stored(
            section,
            "proxy-revalidate is stronger than stale-if-error in a shared cache",
            &["Cache-Control: max-age=1, proxy-revalidate, stale-if-error=600"],
            failing(503),
        )
        .shared(),
        stored(
            section,
            "stale-if-error in a request allows a stale answer",
            &[SHORT],
            stale(503).with("Cache-Control: stale-if-error=600"),
        ),
        stored(
            section,
            "Stale-If-Error is read in any case",
            &["Cache-Control: max-age=1, Stale-If-Error=600"],
            stale(500),
        ),
        stored(
            section,
            "what stale-if-error answered with is validated again the next time",
            window,
            stale(503),
        )
        .then(
            get()
                .answered(not_modified(&["ETag: \"a\"", FRESH]))
                .sees("If-None-Match: \"a\"")
                .text("answer 1 of {path}"),
        )
        .then(get().cached().text("answer 1 of {path}")),
        stored(
            section,
            "stale-if-error does not matter while a response is fresh",
            &["Cache-Control: max-age=3600, stale-if-error=600"],
            get().cached(),
        ),
    ]);
    cases
}

fn while_validating() -> Vec<Case> {
    let section = "5861 3";
    let window = &["Cache-Control: max-age=1, stale-while-revalidate=600", "ETag: \"a\""];
    let old = "answer 1 of {path}";
    let waiting =
        |section, name, lines: &[&str]| stored(section, name, lines, get().later().answered(ok(&[])));
    vec![
        stored(
            section,
            "stale-while-revalidate answers at once and replaces behind",
            window,
            get().later().behind(ok(&[FRESH])).text(old),
        )
        .then(get().later().cached().text("answer 2 of {path}")),
        stored(
            section,
            "stale-while-revalidate validates behind",
            window,
            get()
                .later()
                .behind(not_modified(&["ETag: \"a\"", FRESH, "X-New: 1"]))
                .sees("If-None-Match: \"a\"")
                .text(old),
        )
        .then(get().later().cached().shows("X-New: 1").text(old)),
        stored(
            section,
            "an answer that is validated behind shows its Age",
            window,
            get().later().behind(ok(&[FRESH])).age(2),
        ),
        stored(
            section,
            "stale-while-revalidate ends with its window",
            &["Cache-Control: max-age=100, stale-while-revalidate=100", "Age: 250"],
            get().answered(ok(&[])),
        ),
        stored(
            section,
            "an unreadable stale-while-revalidate allows nothing",
            &["Cache-Control: max-age=1, stale-while-revalidate=x"],
            get().later().answered(ok(&[])),
        ),
        stored(
            section,
            "a failure behind an answer leaves what is stored",
            window,
            get().later().behind(reply(503, &[])).text(old),
        )
        .then(get().later().behind(ok(&[FRESH])).text(old))
        .then(get().later().cached().text("answer 3 of {path}")),
        waiting(
            "9111 5.2.2.2",
            "must-revalidate is stronger than stale-while-revalidate",
            &["Cache-Control: max-age=1, must-revalidate, stale-while-revalidate=600"],
        ),
        waiting(
            "9111 5.2.2.4",
            "no-cache is stronger than stale-while-revalidate",
            &["Cache-Control: max-age=1, no-cache, stale-while-revalidate=600"],
        ),
        waiting(
            "9111 5.2.2.10",
            "s-maxage is stronger than stale-while-revalidate in a shared cache",
            &["Cache-Control: s-maxage=1, proxy-revalidate, stale-while-revalidate=600"],
        )
        .shared(),
        stored(
            section,
            "a request with max-age=0 does not take a stale answer",
            window,
            get().later().with("Cache-Control: max-age=0").answered(ok(&[])),
        ),
        program(section, "eight requests for a stale response cost one validation behind them", |stage| {
            Box::pin(one_validation(stage))
        }),
        waiting(
            section,
            "stale-while-revalidate of no seconds allows nothing",
            &["Cache-Control: max-age=1, stale-while-revalidate=0"],
        ),
        waiting(
            section,
            "of two stale-while-revalidate windows the smaller counts",
            &["Cache-Control: max-age=1, stale-while-revalidate=600, stale-while-revalidate=0"],
        ),
        stored(
            section,
            "Stale-While-Revalidate is read in any case, quoted and huge",
            &["Cache-Control: max-age=1, Stale-While-Revalidate=\"99999999999999999999\""],
            get().later().behind(ok(&[FRESH])).text(old),
        ),
    ]
}

async fn one_validation(mut stage: Stage) -> Verdict {
    let window = ok(&["Cache-Control: max-age=1, stale-while-revalidate=600"]).text("old");
    let request = stage.request_bytes("GET", "", &[]);
    let first = tokio::spawn(exchange(stage.proxy, "GET", request.clone()));
    let asked = stage.next_asked().await?;
    window.answer(asked, b"", &stage.braces).await.map_err(told)?;
    first.await.map_err(|error| error.to_string())??;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let clients: Vec<_> =
        (0..8).map(|_| tokio::spawn(exchange(stage.proxy, "GET", request.clone()))).collect();
    for client in clients {
        let response = client.await.map_err(|error| error.to_string())??;
        if response.content != b"old" {
            return Err(format!("an answer was {:?}", String::from_utf8_lossy(&response.content)));
        }
    }
    let asked = stage.next_asked().await?;
    if stage.asked.try_recv().is_ok() {
        return Err("there were two validations".to_owned());
    }
    ok(&[FRESH]).answer(asked, b"new", &stage.braces).await.map_err(told)
}
