//! What stands in braces in the lines of a case: dates relative to its beginning, and its own addresses.
//!
//! A case has one `now`, taken when it begins, so that a date sent in one exchange can be asked for in the next.

use std::time::{Duration, SystemTime};

/// What the braces of one case stand for.
#[derive(Clone)]
pub(super) struct Braces {
    /// When the case began.
    pub(super) now: SystemTime,
    /// The URL of the origin, without a path.
    pub(super) origin: String,
    /// The URL of the proxy, without a path.
    pub(super) proxy: String,
    /// The case's own path.
    pub(super) path: String,
}

impl Braces {
    /// Returns `line` with `{now-10}`, `{rfc850:now+10}`, `{asctime:now}`, `{origin}`, `{proxy}` and `{path}` filled in.
    ///
    /// Other braces stay as they are.
    pub(super) fn fill(&self, line: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(line.len());
        let mut rest = line;
        while let Some(open) = rest.iter().position(|byte| *byte == b'{') {
            let (before, from_open) = rest.split_at(open);
            filled.extend_from_slice(before);
            let close = from_open.iter().position(|byte| *byte == b'}');
            let value = close.and_then(|close| self.value(std::str::from_utf8(&from_open[1..close]).ok()?));
            if let (Some(close), Some(value)) = (close, value) {
                filled.extend_from_slice(value.as_bytes());
                rest = &from_open[close + 1..];
            } else {
                filled.push(b'{');
                rest = &from_open[1..];
            }
        }
        filled.extend_from_slice(rest);
        filled
    }

    fn value(&self, name: &str) -> Option<String> {
        let (form, name) = name.split_once(':').unwrap_or(("imf", name));
        match name {
            "origin" => return Some(self.origin.clone()),
            "proxy" => return Some(self.proxy.clone()),
            "path" => return Some(self.path.clone()),
            _ => {}
        }
        let offset = name.strip_prefix("now")?;
        let seconds: i64 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let at = if seconds < 0 { self.now - distance } else { self.now + distance };
        in_form(form, &httpdate::fmt_http_date(at))
    }
}

/// Returns a date of the usual format (RFC 9110, 5.6.7) in the format called `form`.
fn in_form(form: &str, date: &str) -> Option<String> {
    let [weekday, day, month, year, time, _] = date.split(' ').collect::<Vec<_>>()[..] else { return None };
    let weekday = weekday.trim_end_matches(',');
    Some(match form {
        "imf" => date.to_owned(),
        "rfc850" => {
            let weekday = DAYS.iter().find(|name| name.starts_with(weekday))?;
            format!("{weekday}, {day}-{month}-{} {time} GMT", &year[2..])
        }
        "asctime" => format!("{weekday} {month} {:>2} {time} {year}", day.trim_start_matches('0')),
        _ => return None,
    })
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_dates_in_three_formats_and_for_addresses() {
        let braces = Braces {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777),
            origin: "http://o".to_owned(),
            proxy: "http://p".to_owned(),
            path: "/c1".to_owned(),
        };
        for (line, expected) in [
            ("Date: {now}", "Date: Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Date: {now+10}", "Date: Sun, 06 Nov 1994 08:49:47 GMT"),
            ("Date: {rfc850:now-37}", "Date: Sunday, 06-Nov-94 08:49:00 GMT"),
            ("Date: {asctime:now}", "Date: Sun Nov  6 08:49:37 1994"),
            ("Location: {origin}{path}/x", "Location: http://o/c1/x"),
            ("X: {other} {", "X: {other} {"),
        ] {
            assert_eq!(braces.fill(line.as_bytes()), expected.as_bytes());
        }
    }
}
