//! How times and sizes are shown.

use std::time::{Duration, SystemTime};

use indicatif::HumanBytes;
use larder::Timestamp;

/// The last second that RFC 3339 can name: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Returns `time` as RFC 3339 has it, in UTC; what lies outside of its years is their first or last second.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let since = Duration::from_millis(time.as_millis().try_into().unwrap_or(0));
    let since = since.min(Duration::from_secs(LAST_SECOND));
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

/// Returns `time`, or `never` if there is none.
pub(crate) fn end(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "never".to_owned(), rfc3339)
}

/// Returns a length in bytes: rounded for a person, else exact.
pub(crate) fn size(bytes: u64, for_person: bool) -> String {
    if for_person { HumanBytes(bytes).to_string() } else { bytes.to_string() }
}

/// Returns `count` and the word for it.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns the time now.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_text() {
        for (millis, expected) in [
            (1_700_000_000_999, "2023-11-14T22:13:20Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1970-01-01T00:00:00Z"),
            (i64::MIN, "1970-01-01T00:00:00Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis)), expected);
        }
        assert_eq!(end(None), "never");
    }

    #[test]
    fn sizes_are_rounded_for_people_only() {
        assert_eq!(size(1_500_000, true), "1.43 MiB");
        assert_eq!(size(1_500_000, false), "1500000");
    }
}
