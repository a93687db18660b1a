//! Dates in header fields (RFC 9110, section 5.6.7): three formats, whose words may be in any case (RFC 9111, section 4.2).
//!
//! A date that the grammar allows is read, though its weekday be wrong or its second a leap second: the rest says which
//! moment it is. What the grammar does not allow is no date.

use larder_core::Timestamp;

/// The two-digit years up to this one are of this century: no more than 50 years ahead.
const LAST_OF_THIS_CENTURY: i64 = 76;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Returns the moment that a date names, if it is one.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // None is longer than `Wednesday, 06-Nov-94 08:49:37 GMT`.
    if text.len() > 33 || !text.is_ascii() {
        return None;
    }
    let text = text.to_ascii_lowercase();
    imf_fixdate(&text).or_else(|| rfc850(&text)).or_else(|| asctime(&text))
}

/// Returns the time as header fields have it, if they can: from 1970 to 9999 (RFC 9110, section 5.6.7).
#[must_use]
pub fn http_date(at: Timestamp) -> Option<String> {
    const LAST: i64 = 253_402_300_799_999;
    let at = Some(at).filter(|at| (0..=LAST).contains(&at.as_millis()))?;
    at.to_system_time().map(httpdate::fmt_http_date)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(text: &str) -> Option<Timestamp> {
    let (weekday, rest) = text.split_once(", ")?;
    let rest = rest.strip_suffix(" gmt")?;
    let (day, rest) = split(rest, 2)?;
    let (month, rest) = split(rest.strip_prefix(' ')?, 3)?;
    let (year, time) = split(rest.strip_prefix(' ')?, 4)?;
    is_short(weekday)?;
    moment(number(year)?, month, number(day)?, time.strip_prefix(' ')?)
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`.
fn rfc850(text: &str) -> Option<Timestamp> {
    let (weekday, rest) = text.split_once(", ")?;
    let rest = rest.strip_suffix(" gmt")?;
    let (day, rest) = split(rest, 2)?;
    let (month, rest) = split(rest.strip_prefix('-')?, 3)?;
    let (year, time) = split(rest.strip_prefix('-')?, 2)?;
    WEEKDAYS.contains(&weekday).then_some(())?;
    let year = number(year)?;
    let century = if year <= LAST_OF_THIS_CENTURY { 2000 } else { 1900 };
    moment(century + year, month, number(day)?, time.strip_prefix(' ')?)
}

/// `Sun Nov  6 08:49:37 1994`.
fn asctime(text: &str) -> Option<Timestamp> {
    let (weekday, rest) = split(text, 3)?;
    let (month, rest) = split(rest.strip_prefix(' ')?, 3)?;
    let (day, rest) = split(rest.strip_prefix(' ')?, 2)?;
    let (time, rest) = split(rest.strip_prefix(' ')?, 8)?;
    let year = rest.strip_prefix(' ').filter(|year| year.len() == 4)?;
    is_short(weekday)?;
    let day = day.strip_prefix(' ').unwrap_or(day);
    moment(number(year)?, month, number(day)?, time)
}

fn is_short(weekday: &str) -> Option<()> {
    WEEKDAYS.iter().any(|name| &name[..3] == weekday).then_some(())
}

/// Returns the moment, if there is such a day and time.
fn moment(year: i64, month: &str, day: i64, time: &str) -> Option<Timestamp> {
    let month = MONTHS.iter().position(|name| *name == month)?;
    let mut parts = time.split(':');
    let mut part = || parts.next().filter(|part| part.len() == 2).and_then(number);
    let (hour, minute, second) = (part()?, part()?, part()?);
    let is_time = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    if !is_time || day < 1 || day > days_in(year, month) {
        return None;
    }
    let days = days_before_year(year) + days_before_month(year, month) + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000))
}

/// Returns the days from 1970 to the beginning of `year`, fewer than none before it.
fn days_before_year(year: i64) -> i64 {
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

fn days_before_month(year: i64, month: usize) -> i64 {
    (0..month).map(|month| days_in(year, month)).sum()
}

fn days_in(year: i64, month: usize) -> i64 {
    match month {
        1 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn split(text: &str, at: usize) -> Option<(&str, &str)> {
    text.split_at_checked(at)
}

fn number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text).map(|at| at.as_millis() / 1000), expected, "{text}");
    }

    #[test]
    fn each_format_is_read_in_any_case() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
            "SUN, 06 NOV 1994 08:49:37 gmt",
            "sunday, 06-nOV-94 08:49:37 Gmt",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            check(text, Some(784_111_777));
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_read() {
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1));
        check("Mon, 01 Jan 1900 00:00:00 GMT", Some(-2_208_988_800));
        check("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400));
        check("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799));
        check("Tuesday, 01-Jan-74 00:00:00 GMT", Some(3_281_990_400));
        check("Friday, 01-Jan-77 00:00:00 GMT", Some(220_924_800));
    }

    #[test]
    fn what_the_grammar_does_not_allow_is_no_date() {
        for text in [
            "",
            "0",
            "06 Nov 1994 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06  Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 19940",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_300_800_u64) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            let millis = i64::try_from(seconds * 1000).expect("before the year 10000");
            prop_assert_eq!(parse(&text), Some(Timestamp::from_millis(millis)));
        }

        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
