//! The grammars of `Age` and of dates, where they decide about freshness.
//!
//! An unreadable `Age` is ignored; an unreadable `Expires` is a time in the past.

use super::super::case::{Case, not_reused, reused};

const AGE: &str = "9111 5.1";
const EXPIRES: &str = "9111 5.3";
const DATE: &str = "9110 5.6.7";
const ANY_CASE: &str = "9111 4.2";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = ages();
    cases.extend(good_dates());
    cases.extend(BAD_DATES.iter().map(|(section, what, date)| {
        not_reused(section, format!("Expires with {what} has expired"), &[&format!("Expires: {date}")])
    }));
    cases.extend(several());
    cases
}

fn ages() -> Vec<Case> {
    let fresh = "Cache-Control: max-age=3600";
    let ignored = [
        ("a negative Age is ignored", "Age: -7200"),
        ("an Age that is a word is ignored", "Age: old"),
        ("an Age with a fraction is ignored", "Age: 7200.0"),
        ("an Age in quotes is ignored", "Age: \"7200\""),
        ("an Age with a parameter is ignored", "Age: 7200;foo=bar"),
        ("an Age with letters after it is ignored", "Age: 7200s"),
        ("an Age with a plus sign is ignored", "Age: +7200"),
        ("an empty Age is ignored", "Age:"),
        ("of a list of ages the first counts, when it is the smaller", "Age: 0, 7200"),
        ("an unreadable first age of a list is ignored with the rest", "Age: abc, 7200"),
    ];
    let counted = [
        ("an Age beyond any integer is the largest age", "Age: 99999999999999999999"),
        ("an Age of 2^31 is an age", "Age: 2147483648"),
        ("leading zeros do not change Age", "Age: 0007200"),
        ("white space around Age means nothing", "Age: \t 7200 \t"),
        ("of a list of ages the first counts, when it is the larger", "Age: 7200, 0"),
    ];
    let mut cases: Vec<_> = ignored.iter().map(|(name, age)| reused(AGE, *name, &[fresh, age])).collect();
    cases.extend(counted.iter().map(|(name, age)| not_reused(AGE, *name, &[fresh, age])));
    cases.push(not_reused(
        AGE,
        "of two Age lines the first counts, when it is the larger",
        &[fresh, "Age: 7200", "Age: 0"],
    ));
    cases.push(reused(
        AGE,
        "of two Age lines the first counts, when it is the smaller",
        &[fresh, "Age: 0", "Age: 7200"],
    ));
    cases.push(not_reused(
        AGE,
        "an Age larger than 2^31 uses up the largest max-age",
        &["Cache-Control: max-age=99999999999999999999", "Age: 99999999999999999999"],
    ));
    cases
}

fn good_dates() -> Vec<Case> {
    let mut cases: Vec<_> = [
        (DATE, "Expires in the format of RFC 850 is read", "{rfc850:now+3600}"),
        (DATE, "Expires in the format of asctime is read", "{asctime:now+3600}"),
        (ANY_CASE, "Expires with a month in capitals is read", "Thu, 18 AUG 2050 02:01:18 GMT"),
        (ANY_CASE, "Expires with a weekday in small letters is read", "thu, 18 Aug 2050 02:01:18 GMT"),
        (ANY_CASE, "Expires with a zone in small letters is read", "Thu, 18 Aug 2050 02:01:18 gmt"),
        (ANY_CASE, "Expires all in capitals is read", "THU, 18 AUG 2050 02:01:18 GMT"),
        (ANY_CASE, "Expires of RFC 850 in small letters is read", "thursday, 18-aug-50 02:01:18 gmt"),
        (ANY_CASE, "Expires of asctime in capitals is read", "THU AUG 18 02:01:18 2050"),
        (DATE, "Expires of asctime with a one-digit day is read", "Mon Aug  8 02:01:18 2050"),
        (DATE, "Expires of asctime with a two-digit day is read", "Thu Aug 18 02:01:18 2050"),
        (DATE, "Expires on a leap day is read", "Tue, 29 Feb 2052 02:01:18 GMT"),
        (DATE, "Expires in a leap second is read", "Sat, 31 Dec 2050 23:59:60 GMT"),
        (DATE, "Expires beyond 2^31 seconds is read", "Fri, 01 Jan 2044 00:00:00 GMT"),
        (DATE, "Expires with white space around it is read", " \t Thu, 18 Aug 2050 02:01:18 GMT \t "),
        (DATE, "Expires far in the future is read", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ]
    .iter()
    .map(|(section, name, date)| reused(section, *name, &[&format!("Expires: {date}")]))
    .collect();
    cases.extend([
        not_reused(DATE, "Expires before 1970 has expired", &["Expires: Mon, 01 Jan 1900 00:00:00 GMT"]),
        not_reused(DATE, "Expires in the year 1 has expired", &["Expires: Mon, 01 Jan 0001 00:00:00 GMT"]),
        not_reused(
            "9111 4.2.3",
            "a Date before 1970 is an apparent age",
            &["Cache-Control: max-age=3600", "Date: Mon, 01 Jan 1900 00:00:00 GMT"],
        ),
        not_reused(DATE, "Expires of RFC 850 in the past has expired", &["Expires: {rfc850:now-3600}"]),
        not_reused(DATE, "Expires of asctime in the past has expired", &["Expires: {asctime:now-3600}"]),
        not_reused(
            DATE,
            "a two-digit year more than 50 years ahead is in the past",
            &["Expires: Saturday, 06-Nov-94 08:49:37 GMT"],
        ),
        not_reused(
            DATE,
            "a Date in the format of RFC 850 is an apparent age",
            &["Cache-Control: max-age=3600", "Date: {rfc850:now-7200}"],
        ),
        not_reused(
            DATE,
            "a Date in the format of asctime is an apparent age",
            &["Cache-Control: max-age=3600", "Date: {asctime:now-7200}"],
        ),
        reused(
            "9110 6.6.1",
            "an unreadable Date is the time of arrival",
            &["Cache-Control: max-age=3600", "Date: now"],
        ),
        reused(
            ANY_CASE,
            "Expires counts from arrival when there is no readable Date",
            &["Expires: {now+3600}", "Date: now"],
        ),
    ]);
    cases
}

const BAD_DATES: &[(&str, &str, &str)] = &[
    (EXPIRES, "a word", "tomorrow"),
    (EXPIRES, "a number of seconds", "3600"),
    (EXPIRES, "a number of seconds since 1970", "4102444800"),
    (EXPIRES, "nothing", ""),
    (EXPIRES, "a date of ISO 8601", "2050-08-18T02:01:18Z"),
    (ANY_CASE, "the zone UTC", "Thu, 18 Aug 2050 02:01:18 UTC"),
    (ANY_CASE, "the zone EST", "Thu, 18 Aug 2050 02:01:18 EST"),
    (ANY_CASE, "a zone of four letters", "Thu, 18 Aug 2050 02:01:18 AEST"),
    (ANY_CASE, "a numeric zone", "Thu, 18 Aug 2050 02:01:18 +0000"),
    (DATE, "no zone", "Thu, 18 Aug 2050 02:01:18"),
    (DATE, "a zone that runs on", "Thu, 18 Aug 2050 02:01:18 GMT+1"),
    (DATE, "hyphens in the common format", "Thu, 18-Aug-2050 02:01:18 GMT"),
    (DATE, "a two-digit year in the common format", "Thu, 18 Aug 50 02:01:18 GMT"),
    (DATE, "a four-digit year in the format of RFC 850", "Thursday, 18-Aug-2050 02:01:18 GMT"),
    (DATE, "a five-digit year", "Thu, 18 Aug 20500 02:01:18 GMT"),
    (DATE, "a one-digit hour", "Thu, 18 Aug 2050 2:01:18 GMT"),
    (DATE, "a one-digit day in the common format", "Mon, 8 Aug 2050 02:01:18 GMT"),
    (DATE, "no seconds", "Thu, 18 Aug 2050 02:01 GMT"),
    (DATE, "dots in the time", "Thu, 18 Aug 2050 02.01.18 GMT"),
    (DATE, "no comma", "Thu 18 Aug 2050 02:01:18 GMT"),
    (DATE, "no space after the comma", "Thu,18 Aug 2050 02:01:18 GMT"),
    (DATE, "two spaces", "Thu, 18  Aug  2050 02:01:18 GMT"),
    (DATE, "no weekday", "18 Aug 2050 02:01:18 GMT"),
    (DATE, "the whole name of the month", "Thu, 18 August 2050 02:01:18 GMT"),
    (DATE, "an unknown month", "Thu, 18 Foo 2050 02:01:18 GMT"),
    (DATE, "a 32nd day", "Thu, 32 Aug 2050 02:01:18 GMT"),
    (DATE, "a 25th hour", "Thu, 18 Aug 2050 25:01:18 GMT"),
    (DATE, "a 61st minute", "Thu, 18 Aug 2050 02:61:18 GMT"),
    (DATE, "a 30th of February", "Wed, 30 Feb 2050 02:01:18 GMT"),
    (DATE, "a 29th of February in a common year", "Wed, 29 Feb 2051 02:01:18 GMT"),
    (DATE, "a day nought", "Wed, 00 Aug 2050 02:01:18 GMT"),
    (DATE, "a 62nd second", "Thu, 18 Aug 2050 02:01:62 GMT"),
    (DATE, "a short weekday in the format of RFC 850", "Thu, 18-Aug-50 02:01:18 GMT"),
    (DATE, "a zone after the format of asctime", "Thu Aug 18 02:01:18 2050 GMT"),
    (DATE, "one space before the one-digit day of asctime", "Mon Aug 8 02:01:18 2050"),
    (DATE, "letters in the year", "Thu, 18 Aug 20x0 02:01:18 GMT"),
    (DATE, "a sign before the year", "Thu, 18 Aug +050 02:01:18 GMT"),
    (DATE, "a fraction of a second", "Thu, 18 Aug 2050 02:01:18.5 GMT"),
    (DATE, "words after it", "Thu, 18 Aug 2050 02:01:18 GMT or so"),
    (DATE, "another date after it", "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT"),
    (DATE, "quotes around it", "\"Thu, 18 Aug 2050 02:01:18 GMT\""),
];

fn several() -> Vec<Case> {
    vec![
        not_reused(
            "9111 4.2.1",
            "of two Expires lines an expired first one counts",
            &["Expires: {now-3600}", "Expires: {now+3600}"],
        ),
        not_reused(
            "9111 4.2.1",
            "of two Expires lines an expired second one counts",
            &["Expires: {now+3600}", "Expires: 0"],
        ),
    ]
}
