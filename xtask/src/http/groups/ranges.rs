//! Parts of a representation: cut from what is complete, kept, combined and completed.
//!
//! What is stored in part answers its part alone, and never a request for the whole.

use super::super::case::{Case, case, get, head};
use super::super::reply::{Reply, not_modified, ok, reply};

const FRESH: &str = "Cache-Control: max-age=3600";
const TAG: &str = "ETag: \"a\"";
const TEN: &str = "0123456789";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = from_complete();
    cases.extend(if_range());
    cases.extend(parts());
    cases.extend(completion());
    cases
}

/// Returns a case where a complete response answers a request with `lines`.
fn cut(name: &str, lines: &[&'static str], status: u16, range: &'static str, text: &'static str) -> Case {
    let asking = lines.iter().fold(get(), |step, line| step.with(*line)).cached().status(status).text(text);
    let asking = if range.is_empty() { asking.lacks("Content-Range") } else { asking.shows(range) };
    complete("9110 14.2", name).then(asking)
}

fn complete(section: &'static str, name: &str) -> Case {
    case(section, name).then(get().answered(ok(&[FRESH, TAG, "Last-Modified: {now-100000}"]).text(TEN)))
}

fn from_complete() -> Vec<Case> {
    let mut cases = vec![
        cut(
            "a stored response answers a range",
            &["Range: bytes=2-4"],
            206,
            "Content-Range: bytes 2-4/10",
            "234",
        ),
        cut(
            "a stored response answers a range of one byte",
            &["Range: bytes=0-0"],
            206,
            "Content-Range: bytes 0-0/10",
            "0",
        ),
        cut(
            "a stored response answers an open range",
            &["Range: bytes=7-"],
            206,
            "Content-Range: bytes 7-9/10",
            "789",
        ),
        cut(
            "a stored response answers a suffix",
            &["Range: bytes=-3"],
            206,
            "Content-Range: bytes 7-9/10",
            "789",
        ),
        cut(
            "a range beyond the end stops there",
            &["Range: bytes=8-100"],
            206,
            "Content-Range: bytes 8-9/10",
            "89",
        ),
        cut(
            "a suffix longer than the whole is the whole",
            &["Range: bytes=-100"],
            206,
            "Content-Range: bytes 0-9/10",
            TEN,
        ),
        cut(
            "a range behind the end is not satisfiable",
            &["Range: bytes=10-20"],
            416,
            "Content-Range: bytes */10",
            "",
        ),
        cut(
            "a suffix of no bytes is not satisfiable",
            &["Range: bytes=-0"],
            416,
            "Content-Range: bytes */10",
            "",
        ),
        cut(
            "the unit of a range is read in any case",
            &["Range: BYTES=2-4"],
            206,
            "Content-Range: bytes 2-4/10",
            "234",
        ),
        cut(
            "a range with huge numbers stops at the end",
            &["Range: bytes=5-99999999999999999999999"],
            206,
            "Content-Range: bytes 5-9/10",
            "56789",
        ),
        cut("a range that ends before it begins is ignored", &["Range: bytes=5-2"], 200, "", TEN),
        cut("a range of letters is ignored", &["Range: bytes=a-b"], 200, "", TEN),
        cut("a range without numbers is ignored", &["Range: bytes=-"], 200, "", TEN),
        cut("a range of another unit is ignored", &["Range: lines=1-2"], 200, "", TEN),
        cut("a range without an equals sign is ignored", &["Range: bytes 2-4"], 200, "", TEN),
        cut("a negative range is ignored", &["Range: bytes=2--4"], 200, "", TEN),
    ];
    cases.extend(with_more_than_a_range());
    cases
}

fn with_more_than_a_range() -> Vec<Case> {
    let part = || get().with("Range: bytes=2-4").cached().status(206).text("234");
    vec![
        complete("9110 14.2", "several ranges are answered together or with the whole")
            .then(get().with("Range: bytes=0-1,4-5").cached().status_in(&[200, 206]).any_text()),
        complete("9110 15.3.7", "a part has the fields and the length that belong to it").then(
            part()
                .shows("Content-Length: 3")
                .shows(TAG)
                .shows(FRESH)
                .shows("Last-Modified: {now-100000}")
                .shows("Age"),
        ),
        complete("9110 15.3.7", "a part that was cut leaves the whole in place")
            .then(part())
            .then(get().cached().text(TEN)),
        complete("9110 14.2", "a range of a HEAD request is ignored")
            .then(head().with("Range: bytes=2-4").cached().status(200).shows("Content-Length: 10")),
        complete("9110 13.2.2", "If-None-Match is answered before the range")
            .then(get().with("Range: bytes=2-4").with("If-None-Match: \"a\"").cached().status(304)),
        case("9111 4.3", "a range of what must be validated is cut after validation")
            .then(get().answered(ok(&["Cache-Control: no-cache", TAG]).text(TEN)))
            .then(
                get()
                    .with("Range: bytes=2-4")
                    .answered(not_modified(&[TAG]))
                    .sees("If-None-Match: \"a\"")
                    .status(206)
                    .shows("Content-Range: bytes 2-4/10")
                    .text("234"),
            ),
        case("9110 14.2", "a range of a stored error is ignored")
            .then(get().answered(reply(404, &[FRESH]).text(TEN)))
            .then(get().with("Range: bytes=2-4").cached().status(404).text(TEN)),
        case("9111 3", "a whole response to a range request is stored whole")
            .then(
                get()
                    .with("Range: bytes=2-4")
                    .answered(ok(&[FRESH, TAG]).text(TEN))
                    .status_in(&[200, 206])
                    .any_text(),
            )
            .then(get().cached().text(TEN)),
        case("9110 14.2", "a range of chunked content is cut from what was stored")
            .then(get().answered(ok(&[FRESH, TAG]).text(TEN).chunked()))
            .then(
                get()
                    .with("Range: bytes=2-4")
                    .cached()
                    .status(206)
                    .shows("Content-Range: bytes 2-4/10")
                    .text("234"),
            ),
        complete("9110 14.1.1", "empty members of a range set mean nothing")
            .then(get().with("Range: bytes=,2-4,").cached().status_in(&[200, 206]).text_in(&["234", TEN])),
        complete("9110 14.2", "a thousand ranges are no attack").then(
            get()
                .with(format!("Range: bytes=0-0{}", ",0-9".repeat(1000)))
                .cached()
                .status_in(&[200, 206, 416])
                .any_text(),
        ),
        complete("9110 14.2", "two Range lines are answered with some part or the whole").then(
            get()
                .with("Range: bytes=0-1")
                .with("Range: bytes=4-5")
                .cached()
                .status_in(&[200, 206])
                .any_text(),
        ),
        complete("9110 14.2", "a range of a stale response is fetched or cut after validation").then(
            get()
                .with("Range: bytes=2-4")
                .with("Cache-Control: no-cache")
                .answered(not_modified(&[TAG]))
                .status(206)
                .text("234"),
        ),
        case("9110 14.2", "a range of content without a byte is not satisfiable")
            .then(get().answered(ok(&[FRESH]).text("")))
            .then(get().with("Range: bytes=0-4").cached().status_in(&[200, 416]).any_text()),
        case("9110 14.2", "a range of a heuristically fresh response is cut")
            .then(get().answered(ok(&["Last-Modified: {now-10000000}"]).text(TEN)))
            .then(get().with("Range: bytes=2-4").cached().status(206).text("234")),
    ]
}

fn if_range() -> Vec<Case> {
    let asked = |name: &str, line: &'static str, is_same: bool| {
        let asking = get().with("Range: bytes=2-4").with(line).cached();
        let asking = if is_same { asking.status(206).text("234") } else { asking.status(200).text(TEN) };
        complete("9110 13.1.5", name).then(asking)
    };
    vec![
        asked("If-Range with the stored strong tag is answered with the part", "If-Range: \"a\"", true),
        asked("If-Range with another tag is answered with the whole", "If-Range: \"b\"", false),
        asked("If-Range with a weak tag is answered with the whole", "If-Range: W/\"a\"", false),
        asked("If-Range with the stored date is answered with the part", "If-Range: {now-100000}", true),
        asked("If-Range with an earlier date is answered with the whole", "If-Range: {now-200000}", false),
        asked("If-Range with a later date is answered with the whole", "If-Range: {now-50}", false),
        asked("If-Range with garbage is answered with the whole", "If-Range: a", false),
        case("9110 13.1.5", "If-Range with the stored weak tag is answered with the whole")
            .then(get().answered(ok(&[FRESH, "ETag: W/\"a\""]).text(TEN)))
            .then(get().with("Range: bytes=2-4").with("If-Range: W/\"a\"").cached().status(200).text(TEN)),
        case("9110 13.1.5", "If-Range without a Range is ignored")
            .then(get().answered(ok(&[FRESH, TAG]).text(TEN)))
            .then(get().with("If-Range: \"a\"").cached().status(200).text(TEN)),
    ]
}

/// A 206 response with these bytes of the ten.
fn part(first: usize, last: usize, lines: &[&str]) -> Reply {
    let reply = reply(206, lines).with(format!("Content-Range: bytes {first}-{last}/10"));
    reply.text(&TEN[first..=last])
}

/// Returns a case where the first five bytes are stored under `lines`.
fn stored(section: &'static str, name: &str, lines: &[&str]) -> Case {
    case(section, name)
        .then(get().with("Range: bytes=0-4").answered(part(0, 4, lines)).sees("Range: bytes=0-4"))
}

fn parts() -> Vec<Case> {
    let section = "9111 3.3";
    let tagged = &[FRESH, TAG];
    vec![
        stored(section, "a stored part answers the same range", tagged).then(
            get()
                .with("Range: bytes=0-4")
                .cached()
                .status(206)
                .shows("Content-Range: bytes 0-4/10")
                .text("01234"),
        ),
        stored(section, "a stored part answers a range within it", tagged).then(
            get()
                .with("Range: bytes=1-3")
                .cached()
                .status(206)
                .shows("Content-Range: bytes 1-3/10")
                .text("123"),
        ),
        stored(section, "a stored part does not answer a range beyond it", tagged)
            .then(get().with("Range: bytes=8-9").answered(part(8, 9, tagged))),
        stored(section, "a stored part without a lifetime is not reused", &[TAG])
            .then(get().with("Range: bytes=1-3").answered(part(1, 3, tagged))),
        stored(section, "a stored part does not answer another variant", &[FRESH, TAG, "Vary: X-A"]).then(
            get().with("Range: bytes=1-3").with("X-A: 1").answered(part(1, 3, &[FRESH, TAG, "Vary: X-A"])),
        ),
        stored(section, "a part of no-store is not kept", &["Cache-Control: no-store", TAG])
            .then(get().with("Range: bytes=1-3").answered(part(1, 3, tagged))),
        case(section, "a stored last part answers a suffix within it")
            .then(get().with("Range: bytes=-5").answered(part(5, 9, tagged)))
            .then(
                get()
                    .with("Range: bytes=-2")
                    .cached()
                    .status(206)
                    .shows("Content-Range: bytes 8-9/10")
                    .text("89"),
            ),
        case(section, "a stored last part answers an open range within it")
            .then(get().with("Range: bytes=5-").answered(part(5, 9, tagged)))
            .then(get().with("Range: bytes=7-").cached().status(206).text("789")),
        case(section, "a part that covers the whole answers a range within it")
            .then(get().with("Range: bytes=0-").answered(part(0, 9, tagged)))
            .then(get().with("Range: bytes=4-6").cached().status(206).text("456")),
        stored(section, "a part whose length is not its range is not kept", &[])
            .then(
                get()
                    .with("Range: bytes=1-3")
                    .answered(reply(206, &[FRESH, TAG, "Content-Range: bytes 1-3/10"]).text("12"))
                    .status_in(&[206, 502])
                    .any_text(),
            )
            .then(get().with("Range: bytes=1-3").answered(part(1, 3, tagged))),
        case(section, "a multipart response is passed on and answers nothing else")
            .then(
                get()
                    .with("Range: bytes=0-1,4-5")
                    .answered(
                        reply(206, &[FRESH, TAG, "Content-Type: multipart/byteranges; boundary=x"])
                            .text("--x\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--x--\r\n"),
                    )
                    .shows("Content-Type: multipart/byteranges; boundary=x"),
            )
            .then(get().answered(ok(&[FRESH]).text(TEN))),
    ]
}

fn completion() -> Vec<Case> {
    let (combining, incomplete) = ("9111 3.4", "9111 3.3");
    let tagged = &[FRESH, TAG];
    let rest = || get().with("Range: bytes=5-9");
    vec![
        stored(incomplete, "a stored part never answers for the whole by itself", &[FRESH])
            .then(get().answered(ok(&[FRESH]).text(TEN)).misses("Range").misses("If-Range")),
        stored(incomplete, "a part is completed by a request for the rest", tagged)
            .then(
                get()
                    .answered(part(5, 9, tagged))
                    .sees("Range: bytes=5-")
                    .sees("If-Range: \"a\"")
                    .status(200)
                    .lacks("Content-Range")
                    .text(TEN),
            )
            .then(get().cached().status(200).text(TEN)),
        stored(incomplete, "a part that has changed is replaced by the whole", tagged)
            .then(
                get()
                    .answered(ok(&[FRESH, "ETag: \"b\""]).text("abcdefghij"))
                    .sees("If-Range: \"a\"")
                    .status(200),
            )
            .then(get().cached().text("abcdefghij")),
        stored(incomplete, "a part with a weak tag is not completed", &[FRESH, "ETag: W/\"a\""])
            .then(get().answered(ok(&[FRESH]).text(TEN)).misses("Range").misses("If-Range")),
        stored(combining, "parts with the same strong tag become the whole", tagged)
            .then(rest().answered(part(5, 9, tagged)))
            .then(get().cached().status(200).lacks("Content-Range").text(TEN)),
        stored(combining, "parts with the same strong tag answer a range across them", tagged)
            .then(rest().answered(part(5, 9, tagged)))
            .then(
                get()
                    .with("Range: bytes=3-6")
                    .cached()
                    .status(206)
                    .shows("Content-Range: bytes 3-6/10")
                    .text("3456"),
            ),
        stored(combining, "parts that overlap are combined", tagged)
            .then(get().with("Range: bytes=3-9").answered(part(3, 9, tagged)))
            .then(get().cached().status(200).text(TEN)),
        stored(combining, "parts with different tags are not combined", tagged)
            .then(rest().answered(part(5, 9, &[FRESH, "ETag: \"b\""])))
            .then(get().with("Range: bytes=3-6").answered(part(3, 6, &[FRESH, "ETag: \"b\""]))),
        stored(combining, "parts with the same weak tag are not combined", &[FRESH, "ETag: W/\"a\""])
            .then(rest().answered(part(5, 9, &[FRESH, "ETag: W/\"a\""])))
            .then(get().answered(ok(&[FRESH]).text(TEN))),
        stored(combining, "parts without a tag are not combined", &[FRESH])
            .then(rest().answered(part(5, 9, &[FRESH])))
            .then(get().answered(ok(&[FRESH]).text(TEN))),
        stored(combining, "the fields of the newer part count", &[FRESH, TAG, "X-Own: old"])
            .then(rest().answered(part(5, 9, &[FRESH, TAG, "X-Own: new"])))
            .then(get().cached().shows_lines("X-Own", &["new"]).text(TEN)),
        stored(combining, "parts with a gap between them do not become the whole", tagged)
            .then(get().with("Range: bytes=7-9").answered(part(7, 9, tagged)))
            .then(get().answered(ok(tagged).text(TEN)).status(200).text(TEN)),
        stored(combining, "parts of different lengths are not combined", tagged)
            .then(rest().answered(reply(206, &[FRESH, TAG, "Content-Range: bytes 5-9/12"]).text("56789")))
            .then(get().answered(ok(tagged).text("0123456789ab")).text("0123456789ab")),
        stored(combining, "three parts become the whole one after the other", tagged)
            .then(get().with("Range: bytes=5-7").answered(part(5, 7, tagged)))
            .then(get().with("Range: bytes=8-9").answered(part(8, 9, tagged)))
            .then(get().cached().status(200).text(TEN)),
        stored(combining, "three parts in any order never become anything but the whole", tagged)
            .then(get().with("Range: bytes=8-9").answered(part(8, 9, tagged)))
            .then(get().with("Range: bytes=5-7").answered(part(5, 7, tagged)))
            .then(get().perhaps(ok(tagged).text(TEN)).status(200).text(TEN)),
    ]
}
