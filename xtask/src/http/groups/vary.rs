//! Responses that depend on request fields, side by side under one URL.
//!
//! Values are compared as they are written, but for what their grammar says is the same.

use super::super::case::{Case, case, get, head};
use super::super::reply::ok;

const SECTION: &str = "9111 4.1";
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_one_name();
    cases.extend(of_two_names());
    cases.extend(normalised());
    cases.extend(of_known_fields());
    cases.extend(stars());
    cases.extend(variants());
    cases
}

const A: &[&str] = &["Vary: X-A"];
const AB: &[&str] = &["Vary: X-A, X-B"];
const TWO_LINES: &[&str] = &["Vary: X-A", "Vary: X-B"];
const LANGUAGE: &[&str] = &["Vary: Accept-Language"];

/// Returns a case of two requests under these `Vary` lines, where the second reuses the first or asks.
fn pair(
    name: &'static str,
    vary: &'static [&'static str],
    first: &'static [&'static str],
    second: &'static [&'static str],
    is_same: bool,
) -> Case {
    let with = |lines: &[&'static str]| lines.iter().fold(get(), |step, line| step.with(*line));
    let lines: Vec<_> = [FRESH].iter().chain(vary).copied().collect();
    let asking = with(second);
    let asking = if is_same { asking.cached() } else { asking.answered(ok(&lines)) };
    case(SECTION, name).then(with(first).answered(ok(&lines))).then(asking)
}

fn of_one_name() -> Vec<Case> {
    vec![
        pair("the same value of a field in Vary reuses", A, &["X-A: 1"], &["X-A: 1"], true),
        pair("another value of a field in Vary asks", A, &["X-A: 1"], &["X-A: 2"], false),
        pair("a field in Vary that is left out asks", A, &["X-A: 1"], &[], false),
        pair("a field in Vary that was left out before asks", A, &[], &["X-A: 1"], false),
        pair("a field in Vary that both leave out reuses", A, &[], &[], true),
        pair("an empty field is not an absent field", A, &["X-A:"], &[], false),
        pair(
            "a field that is not in Vary does not matter",
            A,
            &["X-A: 1", "X-C: 1"],
            &["X-A: 1", "X-C: 2"],
            true,
        ),
        pair("the names in Vary are read in any case", &["VARY: x-a"], &["X-A: 1"], &["x-A: 1"], true),
        pair(
            "a name in Vary in another case still separates",
            &["vary: X-a"],
            &["X-A: 1"],
            &["X-A: 2"],
            false,
        ),
        pair("the case of an unknown field's value matters", A, &["X-A: v"], &["X-A: V"], false),
        pair("an empty Vary separates nothing", &["Vary:"], &["X-A: 1"], &["X-A: 2"], true),
        pair("empty members of Vary separate nothing", &["Vary: , ,"], &["X-A: 1"], &["X-A: 2"], true),
    ]
}

fn of_two_names() -> Vec<Case> {
    vec![
        pair(
            "two fields in Vary reuse when both are the same",
            AB,
            &["X-A: 1", "X-B: 2"],
            &["X-B: 2", "X-A: 1"],
            true,
        ),
        pair(
            "two fields in Vary ask when the first differs",
            AB,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 2", "X-B: 2"],
            false,
        ),
        pair(
            "two fields in Vary ask when the second differs",
            AB,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 1", "X-B: 3"],
            false,
        ),
        pair(
            "two fields in Vary ask when the values are exchanged",
            AB,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 2", "X-B: 1"],
            false,
        ),
        pair("two fields in Vary ask when one is left out", AB, &["X-A: 1", "X-B: 2"], &["X-A: 1"], false),
        pair(
            "two Vary lines reuse when both are the same",
            TWO_LINES,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 1", "X-B: 2"],
            true,
        ),
        pair(
            "two Vary lines ask when the second differs",
            TWO_LINES,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 1", "X-B: 3"],
            false,
        ),
        pair(
            "two Vary lines ask when the first differs",
            TWO_LINES,
            &["X-A: 1", "X-B: 2"],
            &["X-A: 3", "X-B: 2"],
            false,
        ),
    ]
}

fn normalised() -> Vec<Case> {
    vec![
        pair("white space around a value means nothing", A, &["X-A: 1"], &["X-A: \t 1 \t"], true),
        pair("two lines are the same as one with a comma", A, &["X-A: 1, 2"], &["X-A: 1", "X-A: 2"], true),
        pair("the order of two lines matters", A, &["X-A: 1", "X-A: 2"], &["X-A: 2", "X-A: 1"], false),
        pair(
            "the second line of a field in Vary matters",
            A,
            &["X-A: 1", "X-A: 2"],
            &["X-A: 1", "X-A: 3"],
            false,
        ),
        pair("white space inside a quoted string matters", A, &["X-A: \"a b\""], &["X-A: \"a  b\""], false),
        pair(
            "white space after a comma of Accept means nothing",
            &["Vary: Accept"],
            &["Accept: a/b,c/d"],
            &["Accept: a/b, c/d"],
            true,
        ),
        pair(
            "white space after a comma of Accept-Encoding means nothing",
            &["Vary: Accept-Encoding"],
            &["Accept-Encoding: br, gzip"],
            &["Accept-Encoding: br,gzip"],
            true,
        ),
    ]
}

fn of_known_fields() -> Vec<Case> {
    vec![
        pair(
            "the order of equal languages means nothing",
            LANGUAGE,
            &["Accept-Language: en, de"],
            &["Accept-Language: de, en"],
            true,
        ),
        pair(
            "the order of weighted languages means nothing",
            LANGUAGE,
            &["Accept-Language: en;q=0.5, de"],
            &["Accept-Language: de, en;q=0.5"],
            true,
        ),
        pair(
            "the white space between languages means nothing",
            LANGUAGE,
            &["Accept-Language: en,de"],
            &["Accept-Language: en,  de"],
            true,
        ),
        pair(
            "the case of a language means nothing",
            LANGUAGE,
            &["Accept-Language: en-GB"],
            &["Accept-Language: EN-gb"],
            true,
        ),
        pair(
            "the weight of a language matters",
            LANGUAGE,
            &["Accept-Language: en;q=0.5, de"],
            &["Accept-Language: en, de;q=0.5"],
            false,
        ),
        pair("another language asks", LANGUAGE, &["Accept-Language: en"], &["Accept-Language: fr"], false),
        pair(
            "one language more asks",
            LANGUAGE,
            &["Accept-Language: en"],
            &["Accept-Language: en, fr"],
            false,
        ),
        pair(
            "a value with non-ASCII text reuses when it is the same",
            A,
            &["X-A: café"],
            &["X-A: café"],
            true,
        ),
        pair(
            "Vary on Host and User-Agent reuses for the same client",
            &["Vary: Host, User-Agent"],
            &["User-Agent: x"],
            &["User-Agent: x"],
            true,
        ),
        pair(
            "Vary on Cookie reuses for the same cookie",
            &["Vary: Cookie"],
            &["Cookie: a=1"],
            &["Cookie: a=1"],
            true,
        ),
        pair(
            "Vary on Cookie asks for another cookie",
            &["Vary: Cookie"],
            &["Cookie: a=1"],
            &["Cookie: a=2"],
            false,
        ),
        pair(
            "Vary on Cookie asks for one cookie more",
            &["Vary: Cookie"],
            &["Cookie: a=1"],
            &["Cookie: a=1; b=2"],
            false,
        ),
    ]
}

fn stars() -> Vec<Case> {
    [
        ("Vary: * never reuses", &["Vary: *"][..]),
        ("a star after a name never reuses", &["Vary: X-A, *"]),
        ("a star before a name never reuses", &["Vary: *, X-A"]),
        ("two stars never reuse", &["Vary: *, *"]),
        ("two stars on two lines never reuse", &["Vary: *", "Vary: *"]),
        ("a star after an empty member never reuses", &["Vary: , *"]),
        ("a star on the line after an empty one never reuses", &["Vary:", "Vary: *"]),
        ("a star without white space around it never reuses", &["Vary: X-A,*,X-B"]),
        ("a star on the second Vary line never reuses", &["Vary: X-A", "Vary: *"]),
    ]
    .into_iter()
    .map(|(name, vary)| {
        let lines: Vec<_> = [FRESH].iter().chain(vary).copied().collect();
        case(SECTION, name).then(get().answered(ok(&lines))).then(get().answered(ok(&lines)))
    })
    .collect()
}

fn variants() -> Vec<Case> {
    let (en, fr) = ("Accept-Language: en", "Accept-Language: fr");
    let lines = &[FRESH, "Vary: Accept-Language"];
    let first = "answer 1 of {path}";
    let second = "answer 2 of {path}";
    vec![
        case(SECTION, "English and French asked for in turn six times cost two requests")
            .then(get().with(en).answered(ok(lines)))
            .then(get().with(fr).answered(ok(lines)))
            .then(get().with(en).cached().text(first))
            .then(get().with(fr).cached().text(second))
            .then(get().with(en).cached().text(first))
            .then(get().with(fr).cached().text(second)),
        case(SECTION, "five variants stand side by side")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 3").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 4").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 1").cached().text(first))
            .then(get().with("X-A: 3").cached().text("answer 3 of {path}"))
            .then(get().cached().text("answer 5 of {path}"))
            .then(get().with("X-A: 2").cached().text(second)),
        many_variants(),
        case(SECTION, "variants whose Vary fields differ stand side by side")
            .then(get().with("X-A: 1").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").with("X-B: 1").answered(ok(&[FRESH, "Vary: X-A, X-B"])))
            .then(get().with("X-A: 1").with("X-B: 9").cached().text(first))
            .then(get().with("X-A: 2").with("X-B: 1").cached().text(second))
            .then(get().with("X-A: 2").with("X-B: 2").answered(ok(&[FRESH, "Vary: X-A, X-B"]))),
        case(SECTION, "one variant is replaced and the other kept")
            .then(get().with(en).answered(ok(lines)))
            .then(get().with(fr).answered(ok(lines)))
            .then(get().with(en).with("Cache-Control: no-cache").answered(ok(lines)))
            .then(get().with(en).cached().text("answer 3 of {path}"))
            .then(get().with(fr).cached().text(second)),
        case(SECTION, "one variant becomes stale and the other stays fresh")
            .then(get().with(en).answered(ok(&["Cache-Control: max-age=1", "Vary: Accept-Language"])))
            .then(get().with(fr).answered(ok(lines)))
            .then(get().later().with(en).answered(ok(lines)))
            .then(get().with(fr).cached().text(second)),
        case(SECTION, "a stored variant answers HEAD for the same fields only")
            .then(get().with(en).answered(ok(lines)))
            .then(head().with(en).cached())
            .then(head().with(fr).answered(ok(lines))),
        case(SECTION, "the fields that the Vary of the newer response names decide")
            .then(get().with("X-A: 1").answered(ok(&[FRESH])))
            .then(get().with("X-A: 2").cached().text(first))
            .then(get().with("X-A: 2").with("Cache-Control: no-cache").answered(ok(&[FRESH, "Vary: X-A"])))
            .then(get().with("X-A: 2").cached().text("answer 3 of {path}")),
    ]
}

fn many_variants() -> Case {
    let asking = |at: usize| get().with(format!("X-A: {at}"));
    let stored = case(SECTION, "twelve variants stand side by side");
    let stored = (0..12).fold(stored, |case, at| case.then(asking(at).answered(ok(&[FRESH, "Vary: X-A"]))));
    (0..12).rev().fold(stored, |case, at| {
        case.then(asking(at).cached().text(format!("answer {} of {{path}}", at + 1)))
    })
}
