//! The grammar of Cache-Control in responses, and what is made of what it does not allow.
//!
//! What cannot be read falls to the stricter side: it never makes a response more reusable.

use super::super::case::{Case, case, get, not_reused, reused};
use super::super::reply::ok;

const LIST: &str = "9110 5.6.1";
const DIRECTIVES: &str = "9111 5.2";
const LIFETIME: &str = "9111 4.2.1";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = read()
        .into_iter()
        .chain(ignored())
        .map(|(section, name, lines)| reused(section, name, lines))
        .collect();
    cases.extend(
        strict()
            .into_iter()
            .chain(unreadable())
            .map(|(section, name, lines)| not_reused(section, name, lines)),
    );
    cases.extend(private_in_odd_forms());
    cases.extend(bytes());
    cases
}

type Row = (&'static str, &'static str, &'static [&'static str]);

fn read() -> Vec<Row> {
    vec![
        (DIRECTIVES, "MAX-AGE in capitals is max-age", &["Cache-Control: MAX-AGE=3600"]),
        (DIRECTIVES, "MaX-aGe in any case is max-age", &["Cache-Control: MaX-aGe=3600"]),
        ("9110 5.1", "the name of the field is read in any case", &["CACHE-control: max-age=3600"]),
        (DIRECTIVES, "max-age may be a quoted string", &["Cache-Control: max-age=\"3600\""]),
        (
            "9110 5.6.4",
            "an escaped digit in a quoted max-age is that digit",
            &["Cache-Control: max-age=\"3\\600\""],
        ),
        ("9111 1.2.2", "leading zeros do not change max-age", &["Cache-Control: max-age=003600"]),
        ("9111 1.2.2", "a max-age of 2^31 is fresh", &["Cache-Control: max-age=2147483648"]),
        (
            "9111 1.2.2",
            "a max-age beyond any integer is fresh",
            &["Cache-Control: max-age=99999999999999999999999"],
        ),
        (LIST, "empty list members are skipped", &["Cache-Control: , ,max-age=3600,, ,"]),
        (LIST, "white space around commas means nothing", &["Cache-Control: public\t ,\t max-age=3600 \t"]),
        (LIST, "no white space after a comma is needed", &["Cache-Control: public,max-age=3600,foo"]),
        (
            "9110 5.3",
            "directives are found on the second line",
            &["Cache-Control: foo", "Cache-Control: max-age=3600"],
        ),
        ("9110 5.3", "an empty first line hides nothing", &["Cache-Control:", "Cache-Control: max-age=3600"]),
    ]
}

fn ignored() -> Vec<Row> {
    vec![
        ("9111 5.2.3", "an unknown directive is ignored", &["Cache-Control: foobar, max-age=3600"]),
        (
            "9111 5.2.3",
            "an unknown directive with a value is ignored",
            &["Cache-Control: foo=bar, max-age=3600"],
        ),
        (
            "9111 5.2.3",
            "an unknown directive with a strict value is ignored",
            &["Cache-Control: foo=no-store, max-age=3600"],
        ),
        (
            "9111 5.2.3",
            "a name that begins with no-store is another name",
            &["Cache-Control: no-storefront, max-age=3600"],
        ),
        (
            "9111 5.2.3",
            "a name that ends with no-store is another name",
            &["Cache-Control: x-no-store, max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "no-store in a quoted string is not a directive",
            &["Cache-Control: x=\"no-store\", max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "commas in a quoted string do not end it",
            &["Cache-Control: x=\"a, no-store, b\", max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "an escaped quote does not end a quoted string",
            &["Cache-Control: x=\"a\\\", no-store\", max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "an escaped backslash does not escape the quote",
            &["Cache-Control: x=\"a\\\\\", max-age=3600"],
        ),
        (LIFETIME, "the same max-age twice is that max-age", &["Cache-Control: max-age=3600, max-age=3600"]),
        ("9111 1.2.2", "a max-age just below 2^31 is fresh", &["Cache-Control: max-age=2147483647"]),
        ("9111 1.2.2", "a max-age of eleven digits is fresh", &["Cache-Control: max-age=99999999999"]),
        (
            "9111 1.2.2",
            "a max-age just beyond 2^64 is fresh",
            &["Cache-Control: max-age=18446744073709551617"],
        ),
        (
            "9111 5.2.3",
            "a directive whose name has odd characters is ignored",
            &["Cache-Control: !#$%&'*+.^_`|~=1, max-age=3600"],
        ),
        (
            "9111 5.2.3",
            "a directive called max-age-other is another directive",
            &["Cache-Control: max-age-other=0, max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "an unknown directive with an empty quoted string is ignored",
            &["Cache-Control: x=\"\", max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "an equals sign in a quoted string means nothing",
            &["Cache-Control: x=\"a=b, max-age=0\", max-age=3600"],
        ),
        (
            "9110 5.3",
            "directives on five lines count together",
            &[
                "Cache-Control: a",
                "Cache-Control: b=1",
                "Cache-Control: c=\"d\"",
                "Cache-Control: ,",
                "Cache-Control: max-age=3600",
            ],
        ),
    ]
}

fn strict() -> Vec<Row> {
    vec![
        (DIRECTIVES, "No-Store is no-store", &["Cache-Control: No-Store, max-age=3600"]),
        (DIRECTIVES, "NO-STORE is no-store", &["Cache-Control: max-age=3600, NO-STORE"]),
        (DIRECTIVES, "No-Cache is no-cache", &["Cache-Control: No-Cache, max-age=3600"]),
        (
            "9110 5.3",
            "no-store counts on the second line",
            &["Cache-Control: max-age=3600", "Cache-Control: no-store"],
        ),
        (
            "9110 5.3",
            "no-store counts on a line between others",
            &["Cache-Control: public", "Cache-Control: no-store", "Cache-Control: max-age=3600"],
        ),
        (LIST, "no-store counts among empty members", &["Cache-Control: max-age=3600,,,no-store,,"]),
        (LIST, "no-store counts without white space", &["Cache-Control: max-age=3600,no-store,public"]),
        (DIRECTIVES, "no-store counts with an argument", &["Cache-Control: no-store=1, max-age=3600"]),
        (
            DIRECTIVES,
            "no-store counts with a quoted argument",
            &["Cache-Control: no-store=\"x\", max-age=3600"],
        ),
        (
            DIRECTIVES,
            "no-cache with an empty list of names is no-cache",
            &["Cache-Control: no-cache=\"\", max-age=3600"],
        ),
        (
            DIRECTIVES,
            "no-cache with a blank list of names is no-cache",
            &["Cache-Control: no-cache=\" \", max-age=3600"],
        ),
        (
            DIRECTIVES,
            "no-cache with a list of commas is no-cache",
            &["Cache-Control: no-cache=\",,\", max-age=3600"],
        ),
    ]
}

fn unreadable() -> Vec<Row> {
    vec![
        (
            "9110 5.6.4",
            "max-age in a quoted string is not a directive",
            &["Cache-Control: x=\"max-age=3600\""],
        ),
        (
            "9110 5.6.4",
            "max-age between commas in a quoted string is not a directive",
            &["Cache-Control: x=\"a, max-age=3600, b\""],
        ),
        (
            "9110 5.6.4",
            "a quoted string that never ends gives no freshness",
            &["Cache-Control: x=\"a, max-age=3600"],
        ),
        (
            "9110 5.6.4",
            "a quoted string that never ends does not hide no-store",
            &["Cache-Control: max-age=3600, x=\"a, no-store"],
        ),
        (LIFETIME, "a max-age in single quotes is stale", &["Cache-Control: max-age='3600'"]),
        (LIFETIME, "a negative max-age is stale", &["Cache-Control: max-age=-3600"]),
        (LIFETIME, "a max-age with a plus sign is stale", &["Cache-Control: max-age=+3600"]),
        (LIFETIME, "a max-age that is a word is stale", &["Cache-Control: max-age=forever"]),
        (LIFETIME, "a max-age with letters after it is stale", &["Cache-Control: max-age=3600s"]),
        (LIFETIME, "a max-age with letters before it is stale", &["Cache-Control: max-age=x3600"]),
        (LIFETIME, "a max-age with a fraction is stale", &["Cache-Control: max-age=3600.5"]),
        (LIFETIME, "a max-age with an exponent is stale", &["Cache-Control: max-age=3e3"]),
        (LIFETIME, "a hexadecimal max-age is stale", &["Cache-Control: max-age=0xE10"]),
        (LIFETIME, "a max-age without a value is stale", &["Cache-Control: max-age"]),
        (LIFETIME, "a max-age with an empty value is stale", &["Cache-Control: max-age="]),
        (LIFETIME, "a max-age with an empty quoted value is stale", &["Cache-Control: max-age=\"\""]),
        (
            LIFETIME,
            "a garbage max-age is not mended by Expires",
            &["Cache-Control: max-age=soon", "Expires: {now+3600}"],
        ),
        (
            LIFETIME,
            "white space before the equals sign makes max-age unreadable",
            &["Cache-Control: max-age =3600"],
        ),
        (
            LIFETIME,
            "white space after the equals sign makes max-age unreadable",
            &["Cache-Control: max-age= 3600"],
        ),
        (LIFETIME, "a semicolon does not separate directives", &["Cache-Control: max-age=3600; no-store"]),
        (
            LIFETIME,
            "of two max-age values the smaller counts when it comes last",
            &["Cache-Control: max-age=3600, max-age=0"],
        ),
        (
            LIFETIME,
            "of two max-age values the smaller counts when it comes first",
            &["Cache-Control: max-age=0, max-age=3600"],
        ),
        (
            LIFETIME,
            "of two max-age lines the smaller counts",
            &["Cache-Control: max-age=3600", "Cache-Control: max-age=0"],
        ),
        (
            LIFETIME,
            "of a good and a garbage max-age the garbage counts",
            &["Cache-Control: max-age=3600, max-age=abc"],
        ),
        (
            LIFETIME,
            "directives without a comma between them are stale",
            &["Cache-Control: max-age=3600 public"],
        ),
        (LIFETIME, "a max-age with two equals signs is stale", &["Cache-Control: max-age==3600"]),
        (LIFETIME, "a max-age with a second value is stale", &["Cache-Control: max-age=3600=1"]),
        (LIFETIME, "a max-age with text after its quotes is stale", &["Cache-Control: max-age=\"3600\"x"]),
        (
            LIFETIME,
            "a max-age with white space in its quotes is stale",
            &["Cache-Control: max-age=\" 3600\""],
        ),
        (LIFETIME, "a max-age with a thousands separator is stale", &["Cache-Control: max-age=3_600"]),
        (LIFETIME, "a max-age in full-width digits is stale", &["Cache-Control: max-age=３６００"]),
        (LIFETIME, "a max-age with a colon for an equals sign is stale", &["Cache-Control: max-age:3600"]),
        (
            LIFETIME,
            "of a quoted and a plain max-age the smaller counts",
            &["Cache-Control: max-age=\"0\", max-age=3600"],
        ),
        (LIFETIME, "a max-age of minus nothing is stale", &["Cache-Control: max-age=-0"]),
        (
            LIFETIME,
            "of three max-age values the smallest counts",
            &["Cache-Control: max-age=3600, max-age=0, max-age=7200"],
        ),
    ]
}

fn private_in_odd_forms() -> Vec<Case> {
    let rows: &[Row] = &[
        (DIRECTIVES, "PRIVATE is private", &["Cache-Control: PRIVATE, max-age=3600"]),
        (
            DIRECTIVES,
            "private with an empty list of names is private",
            &["Cache-Control: private=\"\", max-age=3600"],
        ),
        (
            DIRECTIVES,
            "private with a blank list of names is private",
            &["Cache-Control: private=\"  \", max-age=3600"],
        ),
        (
            DIRECTIVES,
            "private on the second line is private",
            &["Cache-Control: max-age=3600", "Cache-Control: Private"],
        ),
        (DIRECTIVES, "private counts beside public", &["Cache-Control: public, private, max-age=3600"]),
    ];
    rows.iter().map(|(section, name, lines)| not_reused(section, *name, lines).shared()).collect()
}

fn bytes() -> Vec<Case> {
    let commas = ",".repeat(300_000);
    vec![
        reused(
            LIST,
            "300 kB of commas before max-age are skipped",
            &[&format!("Cache-Control: {commas}max-age=3600")],
        ),
        reused(
            LIST,
            "300 kB of commas after max-age are skipped",
            &[&format!("Cache-Control: max-age=3600{commas}")],
        ),
        not_reused(
            LIST,
            "300 kB of commas do not hide no-store",
            &[&format!("Cache-Control: max-age=3600{commas}no-store")],
        ),
        reused(
            "9110 5.6.4",
            "300 kB of commas in a quoted string are skipped",
            &[&format!("Cache-Control: x=\"{commas}\", max-age=3600")],
        ),
        not_reused(
            LIFETIME,
            "300 kB of nines and a letter are no max-age",
            &[&format!("Cache-Control: max-age={}x", commas.replace(',', "9"))],
        ),
        case("9110 5.5", "bytes beyond ASCII in a quoted string mean nothing")
            .then(get().answered(ok(&[]).with(b"Cache-Control: x=\"caf\xe9\xff\", max-age=3600".to_vec())))
            .then(get().cached()),
        case("9110 5.5", "bytes beyond ASCII do not hide no-store")
            .then(
                get()
                    .answered(ok(&[]).with(b"Cache-Control: \xff\xfe=\xe9, no-store, max-age=3600".to_vec())),
            )
            .then(get().answered(ok(&[]))),
        case("9110 5.5", "bytes beyond ASCII in max-age are stale")
            .then(get().answered(ok(&[]).with(b"Cache-Control: max-age=3600\xe9".to_vec())))
            .then(get().answered(ok(&[]))),
        not_reused(
            LIFETIME,
            "an unreadable s-maxage is stale in a shared cache",
            &["Cache-Control: max-age=3600, s-maxage=x"],
        )
        .shared(),
        reused(
            LIFETIME,
            "an unreadable s-maxage means nothing to a private cache",
            &["Cache-Control: max-age=3600, s-maxage=x"],
        )
        .private(),
        not_reused(
            LIFETIME,
            "of two s-maxage values the smaller counts",
            &["Cache-Control: s-maxage=3600, s-maxage=0"],
        )
        .shared(),
        reused("9111 5.2", "S-MAXAGE in capitals is s-maxage", &["Cache-Control: max-age=0, S-MAXAGE=3600"])
            .shared(),
        reused("9111 5.2", "a quoted s-maxage is s-maxage", &["Cache-Control: max-age=0, s-maxage=\"3600\""])
            .shared(),
    ]
}
