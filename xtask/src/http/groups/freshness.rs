//! How long a response is fresh, and how old it is.
//!
//! Time is sent rather than waited for: `Age` and `Date` make a response as old as the case needs.

use super::super::case::{Case, case, get, not_reused, reused};
use super::super::reply::ok;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = lifetimes();
    cases.extend(ages());
    cases
}

fn lifetimes() -> Vec<Case> {
    vec![
        reused("9111 4.2.1", "max-age makes a response fresh", &["Cache-Control: max-age=3600"]),
        not_reused("9111 4.2.1", "max-age=0 is stale at once", &["Cache-Control: max-age=0"]),
        not_reused("9111 4.2.1", "a response without any lifetime is not reused by chance", &[]),
        reused(
            "9111 5.2.2.10",
            "s-maxage alone makes a response fresh for a shared cache",
            &["Cache-Control: s-maxage=3600"],
        )
        .shared(),
        not_reused(
            "9111 5.2.2.10",
            "s-maxage=0 is stronger than max-age for a shared cache",
            &["Cache-Control: max-age=3600, s-maxage=0"],
        )
        .shared(),
        reused(
            "9111 5.2.2.10",
            "s-maxage is longer than max-age=0 for a shared cache",
            &["Cache-Control: max-age=0, s-maxage=3600"],
        )
        .shared(),
        reused(
            "9111 5.2.2.10",
            "s-maxage=0 means nothing to a private cache",
            &["Cache-Control: max-age=3600, s-maxage=0"],
        )
        .private(),
        not_reused(
            "9111 5.2.2.10",
            "s-maxage does not prolong what a private cache holds",
            &["Cache-Control: max-age=0, s-maxage=3600"],
        )
        .private(),
        reused("9111 5.3", "Expires in the future makes a response fresh", &["Expires: {now+3600}"]),
        not_reused("9111 5.3", "Expires in the past is stale", &["Expires: {now-3600}"]),
        not_reused("9111 4.2.1", "Expires that equals Date is stale", &["Date: {now}", "Expires: {now}"]),
        not_reused("9111 5.3", "Expires: 0 is already expired", &["Expires: 0"]),
        not_reused("9111 5.3", "Expires: -1 is already expired", &["Expires: -1"]),
        reused(
            "9111 5.3",
            "max-age is stronger than an Expires in the past",
            &["Cache-Control: max-age=3600", "Expires: {now-3600}"],
        ),
        not_reused(
            "9111 5.3",
            "max-age=0 is stronger than an Expires in the future",
            &["Cache-Control: max-age=0", "Expires: {now+3600}"],
        ),
        reused(
            "9111 5.3",
            "max-age is stronger than an invalid Expires",
            &["Cache-Control: max-age=3600", "Expires: 0"],
        ),
        reused(
            "9111 5.3",
            "s-maxage is stronger than an Expires in the past",
            &["Cache-Control: s-maxage=3600", "Expires: {now-10}"],
        )
        .shared(),
        not_reused(
            "9111 5.3",
            "a private cache reads Expires beside s-maxage",
            &["Cache-Control: s-maxage=3600", "Expires: {now-10}"],
        )
        .private(),
        reused(
            "9111 5.2",
            "unknown directives do not disturb Expires",
            &["Cache-Control: unknown=1", "Expires: {now+3600}"],
        ),
    ]
}

fn ages() -> Vec<Case> {
    vec![
        not_reused(
            "9111 4.2.3",
            "Age as large as max-age is stale",
            &["Cache-Control: max-age=3600", "Age: 3600"],
        ),
        not_reused(
            "9111 4.2.3",
            "Age larger than max-age is stale",
            &["Cache-Control: max-age=3600", "Age: 12000"],
        ),
        not_reused(
            "9111 4.2.3",
            "Age uses up the lifetime that Expires gives",
            &["Expires: {now+600}", "Age: 1200"],
        ),
        not_reused(
            "9111 4.2.3",
            "Age uses up the lifetime that s-maxage gives",
            &["Cache-Control: s-maxage=600", "Age: 1200"],
        )
        .shared(),
        case("9111 4.2.3", "Age below max-age leaves a response fresh, and counts on")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Age: 1000"])))
            .then(get().cached().age(1000)),
        case("9111 4.2.3", "a Date in the past is the apparent age")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Date: {now-1000}"])))
            .then(get().cached().age(1000)),
        not_reused(
            "9111 4.2.3",
            "a Date before the whole lifetime is stale",
            &["Cache-Control: max-age=3600", "Date: {now-3700}"],
        ),
        case("9111 4.2.3", "the larger of Age and apparent age counts when Age is larger")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Date: {now-50}", "Age: 2000"])))
            .then(get().cached().age(2000)),
        case("9111 4.2.3", "the larger of Age and apparent age counts when Date is older")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Date: {now-2000}", "Age: 50"])))
            .then(get().cached().age(2000)),
        case("9111 4.2.3", "a Date in the future is an apparent age of zero")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Date: {now+1000}"])))
            .then(get().cached().age(0)),
        not_reused(
            "9111 4.2.1",
            "Expires is measured from Date, not from the cache's clock",
            &["Date: {now+1000}", "Expires: {now+500}"],
        ),
        case("9111 4.2.3", "Age counts the time in the cache")
            .then(get().answered(ok(&["Cache-Control: max-age=3600", "Age: 7"])))
            .then(get().later().cached().age(9)),
        case("9111 4.2", "a response becomes stale while it is stored")
            .then(get().answered(ok(&["Cache-Control: max-age=1"])))
            .then(get().later().answered(ok(&[]))),
        case("9110 6.6.1", "a response without Date is reused within its max-age")
            .then(get().answered(ok(&["Cache-Control: max-age=3600"]).undated()))
            .then(get().cached().shows("Date")),
    ]
}
