//! `CDN-Cache-Control`: a structured field for shared caches, which takes the place of `Cache-Control`.
//!
//! A field that cannot be parsed is as good as absent; a directive of the wrong type is left out.

use super::super::case::{Case, case, get, not_reused, reused};
use super::super::reply::{ok, reply};

const SYNTAX: &str = "9213 2.1";
const BEHAVIOUR: &str = "9213 2.2";
const SILENT: &str = "Cache-Control: no-store";
const FRESH: &str = "Cache-Control: max-age=3600";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> =
        chosen().into_iter().map(|(section, name, lines)| reused(section, name, lines).shared()).collect();
    cases.extend(
        stricter().into_iter().map(|(section, name, lines)| not_reused(section, name, lines).shared()),
    );
    cases.extend(private());
    cases.extend([
        case("9111 4.2.4", "a targeted must-revalidate forbids a stale answer")
            .then(get().answered(ok(&[FRESH, "CDN-Cache-Control: max-age=1, must-revalidate"])))
            .then(get().later().broken_off().status_in(&[502, 504]).any_text())
            .shared(),
        case("5861 4", "a targeted stale-if-error allows a stale answer")
            .then(get().answered(ok(&[SILENT, "CDN-Cache-Control: max-age=1, stale-if-error=600"])))
            .then(get().later().answered(reply(503, &[])).status(200).text("answer 1 of {path}"))
            .shared(),
        case("9213 3.1", "the field is passed on with what is stored")
            .then(get().answered(ok(&[FRESH, "CDN-Cache-Control: max-age=7200"])))
            .then(get().cached().shows(FRESH))
            .shared(),
    ]);
    cases
}

type Row = (&'static str, &'static str, &'static [&'static str]);

fn chosen() -> Vec<Row> {
    vec![
        (
            BEHAVIOUR,
            "a targeted lifetime is stronger than no-store",
            &[SILENT, "CDN-Cache-Control: max-age=3600"],
        ),
        (
            BEHAVIOUR,
            "a targeted lifetime is stronger than private",
            &["Cache-Control: private", "CDN-Cache-Control: max-age=3600"],
        ),
        (
            BEHAVIOUR,
            "a targeted lifetime is stronger than max-age=0",
            &["Cache-Control: max-age=0", "CDN-Cache-Control: max-age=3600"],
        ),
        (
            BEHAVIOUR,
            "a targeted lifetime is stronger than Expires in the past",
            &["Expires: {now-3600}", "CDN-Cache-Control: max-age=3600"],
        ),
        (BEHAVIOUR, "a targeted lifetime needs no other field", &["CDN-Cache-Control: max-age=3600"]),
        (BEHAVIOUR, "a targeted s-maxage is a lifetime", &[SILENT, "CDN-Cache-Control: s-maxage=3600"]),
        (
            SYNTAX,
            "parameters of a targeted directive are ignored",
            &[SILENT, "CDN-Cache-Control: max-age=3600;x=1, public;y"],
        ),
        (
            SYNTAX,
            "unknown targeted directives are ignored",
            &[SILENT, "CDN-Cache-Control: x=(a b), max-age=3600, y=:aGk=:"],
        ),
        (
            SYNTAX,
            "two targeted lines are one dictionary",
            &[SILENT, "CDN-Cache-Control: public", "CDN-Cache-Control: max-age=3600"],
        ),
        (
            "9651 4.2.2",
            "of a key that comes twice the last counts",
            &[SILENT, "CDN-Cache-Control: max-age=0, max-age=3600"],
        ),
        (SYNTAX, "an empty targeted field is ignored", &[FRESH, "CDN-Cache-Control:"]),
        (
            SYNTAX,
            "a targeted field that ends in a comma is ignored",
            &[FRESH, "CDN-Cache-Control: no-store,"],
        ),
        (
            SYNTAX,
            "a targeted field with an open string is ignored",
            &[FRESH, "CDN-Cache-Control: no-store, x=\"a"],
        ),
        (
            SYNTAX,
            "a targeted field with a semicolon for a comma is read as a parameter",
            &[SILENT, "CDN-Cache-Control: max-age=3600;no-store"],
        ),
        (
            "9651 4.2.3.3",
            "a targeted field with capital keys is ignored",
            &[FRESH, "CDN-Cache-Control: No-Store"],
        ),
        (SYNTAX, "a targeted field that is garbage is ignored", &[FRESH, "CDN-Cache-Control: &&&"]),
        (BEHAVIOUR, "a field for other caches is ignored", &[FRESH, "Other-CDN-Cache-Control: no-store"]),
        (BEHAVIOUR, "Surrogate-Control is ignored", &[FRESH, "Surrogate-Control: no-store"]),
    ]
}

fn stricter() -> Vec<Row> {
    vec![
        (BEHAVIOUR, "a targeted no-store is stronger than max-age", &[FRESH, "CDN-Cache-Control: no-store"]),
        (BEHAVIOUR, "a targeted no-cache is stronger than max-age", &[FRESH, "CDN-Cache-Control: no-cache"]),
        (
            BEHAVIOUR,
            "a targeted private is stronger than public",
            &["Cache-Control: public, max-age=3600", "CDN-Cache-Control: private"],
        ),
        (
            BEHAVIOUR,
            "a targeted max-age=0 is stronger than max-age",
            &[FRESH, "CDN-Cache-Control: max-age=0"],
        ),
        (
            BEHAVIOUR,
            "a targeted max-age is stronger than s-maxage",
            &["Cache-Control: s-maxage=3600", "CDN-Cache-Control: max-age=0"],
        ),
        (
            BEHAVIOUR,
            "a targeted field without a lifetime leaves max-age out of account",
            &[FRESH, "CDN-Cache-Control: public"],
        ),
        (
            BEHAVIOUR,
            "a targeted lifetime is used up by Age",
            &["CDN-Cache-Control: max-age=3600", "Age: 4000"],
        ),
        (
            SYNTAX,
            "a targeted max-age that is a string is left out",
            &[FRESH, "CDN-Cache-Control: max-age=\"3600\""],
        ),
        (
            SYNTAX,
            "a targeted max-age that is a decimal is left out",
            &[FRESH, "CDN-Cache-Control: max-age=3600.5"],
        ),
        (SYNTAX, "a targeted max-age that is a token is left out", &[FRESH, "CDN-Cache-Control: max-age=a"]),
        (SYNTAX, "a negative targeted max-age is no lifetime", &[FRESH, "CDN-Cache-Control: max-age=-1"]),
        (
            SYNTAX,
            "an unparseable targeted field does not undo no-store",
            &[SILENT, "CDN-Cache-Control: max-age=3600, ,"],
        ),
        (
            SYNTAX,
            "a targeted number beyond 15 digits makes the field unparseable",
            &[SILENT, "CDN-Cache-Control: max-age=9999999999999999"],
        ),
        (
            SYNTAX,
            "capital letters in a targeted key do not undo no-store",
            &[SILENT, "CDN-Cache-Control: Max-Age=3600"],
        ),
        (
            SYNTAX,
            "white space around the equals sign makes a targeted field unparseable",
            &[SILENT, "CDN-Cache-Control: max-age = 3600"],
        ),
        (
            SYNTAX,
            "a targeted directive on the second line counts",
            &[FRESH, "CDN-Cache-Control: max-age=3600", "CDN-Cache-Control: no-store"],
        ),
    ]
}

fn private() -> Vec<Case> {
    vec![
        reused(
            BEHAVIOUR,
            "a private cache ignores a targeted no-store",
            &[FRESH, "CDN-Cache-Control: no-store"],
        )
        .private(),
        not_reused(
            BEHAVIOUR,
            "a private cache ignores a targeted lifetime",
            &[SILENT, "CDN-Cache-Control: max-age=3600"],
        )
        .private(),
        not_reused(
            BEHAVIOUR,
            "a private cache takes no lifetime from a targeted field alone",
            &["CDN-Cache-Control: max-age=3600"],
        )
        .private(),
    ]
}
