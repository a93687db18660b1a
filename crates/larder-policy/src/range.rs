//! Byte ranges (RFC 9110, section 14): what a request asks for, and what a partial response is.

use std::ops::Range;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use larder_core::ResponseHead;

/// Returns the length of the content that the fields of a response announce (RFC 9110, sections 8.6 and 14.4).
///
/// `None` if it has no content by its method or status, or does not say.
#[must_use]
pub fn announced_len(head: &ResponseHead) -> Option<u64> {
    let has_content = head.method != Method::HEAD
        && !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !has_content {
        return None;
    }
    if head.status == StatusCode::PARTIAL_CONTENT {
        return ContentRange::of(&head.headers).map(ContentRange::len);
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    head.headers.get(CONTENT_LENGTH)?.to_str().ok().and_then(position)
}

/// Returns which bytes of the representation a stored response has, if it is a part: the first, and the one after the
/// last.
#[must_use]
pub fn stored_range(head: &ResponseHead) -> Option<Range<u64>> {
    let is_part = head.status == StatusCode::PARTIAL_CONTENT;
    ContentRange::of(&head.headers).filter(|_| is_part).map(ContentRange::positions)
}

/// The one range of bytes that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From the first position to the last, both included.
    FromTo(u64, u64),
    /// From the position to the end.
    From(u64),
    /// As many bytes before the end.
    Suffix(u64),
}

impl ByteRange {
    /// Returns the range that is asked for; `None` if there is no `Range`, or one that is not a single range of bytes.
    ///
    /// What is malformed is ignored, and so are several ranges: the whole answers them too (RFC 9110, section 14.2).
    pub(crate) fn of(headers: Option<&HeaderMap>) -> Option<Self> {
        let mut lines = headers?.get_all(RANGE).iter();
        let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
        let (unit, range) = line.split_once('=')?;
        let (first, last) = range.trim_matches([' ', '\t']).split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (first, last) {
            ("", last) => Some(Self::Suffix(position(last)?)),
            (first, "") => Some(Self::From(position(first)?)),
            (first, last) => {
                let (first, last) = (position(first)?, position(last)?);
                (first <= last).then_some(Self::FromTo(first, last))
            }
        }
    }

    /// Returns the positions in a representation of `len` bytes; `None` if it has none of them.
    pub(crate) fn within(self, len: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::FromTo(first, last) => first..last.saturating_add(1).min(len),
            Self::From(first) => first..len,
            Self::Suffix(suffix) => len.saturating_sub(suffix)..len,
        };
        (!range.is_empty()).then_some(range)
    }
}

/// Which bytes of a representation a partial response has (RFC 9110, section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The length of the whole, if it is known.
    pub(crate) complete_len: Option<u64>,
}

impl ContentRange {
    /// Returns the range of the partial response with these fields, if it has one and it is valid.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(CONTENT_RANGE).iter();
        let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
        let (unit, rest) = line.trim().split_once(' ')?;
        let (range, complete) = rest.trim_start().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (position(first)?, position(last)?);
        let complete_len = if complete == "*" { None } else { Some(position(complete)?) };
        let is_valid = unit.eq_ignore_ascii_case("bytes")
            && first <= last
            && last < u64::MAX
            && complete_len.is_none_or(|len| last < len);
        is_valid.then_some(Self { first, last, complete_len })
    }

    /// Returns the positions.
    pub(crate) fn positions(self) -> Range<u64> {
        self.first..self.last.saturating_add(1)
    }

    /// Returns how many bytes there are.
    pub(crate) fn len(self) -> u64 {
        self.last - self.first + 1
    }

    /// Returns the positions of what `range` asks for, if all of that is here.
    pub(crate) fn covers(self, range: ByteRange) -> Option<Range<u64>> {
        let asked = match (range, self.complete_len) {
            (range, Some(len)) => range.within(len)?,
            (ByteRange::FromTo(first, last), None) => first..last.saturating_add(1),
            (_, None) => return None,
        };
        let here = self.positions();
        (here.start <= asked.start && asked.end <= here.end).then_some(asked)
    }

    /// Returns the field's value.
    pub(crate) fn to_value(self) -> HeaderValue {
        let complete = self.complete_len.map_or_else(|| "*".to_owned(), |len| len.to_string());
        ascii(&format!("bytes {}-{}/{complete}", self.first, self.last))
    }
}

/// Returns the value of `Content-Range` that says that a representation of `len` bytes has none of those asked for.
pub(crate) fn unsatisfied(len: u64) -> HeaderValue {
    ascii(&format!("bytes */{len}"))
}

pub(crate) fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits and words are a field value")
}

/// Returns a position, which has digits only.
fn position(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // More than can be counted is beyond any end.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &'static str) -> Option<ByteRange> {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(value))]);
        ByteRange::of(Some(&headers))
    }

    fn part(value: &'static str) -> Option<ContentRange> {
        let headers = HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(value))]);
        ContentRange::of(&headers)
    }

    #[test]
    fn a_single_range_of_bytes_is_read_and_all_else_ignored() {
        assert_eq!(asked("bytes=0-4"), Some(ByteRange::FromTo(0, 4)));
        assert_eq!(asked("Bytes=5-"), Some(ByteRange::From(5)));
        assert_eq!(asked("bytes=-5"), Some(ByteRange::Suffix(5)));
        assert_eq!(asked("bytes=0-99999999999999999999999"), Some(ByteRange::FromTo(0, u64::MAX)));
        for value in [
            "bytes=",
            "bytes=-",
            "bytes=4-0",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "items=0-1",
            "0-1",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(asked(value), None, "{value}");
        }
    }

    #[test]
    fn a_range_ends_with_the_representation() {
        for (range, len, expected) in [
            ("bytes=0-4", 10, Some(0..5)),
            ("bytes=0-4", 3, Some(0..3)),
            ("bytes=3-4", 3, None),
            ("bytes=2-", 3, Some(2..3)),
            ("bytes=3-", 3, None),
            ("bytes=-2", 3, Some(1..3)),
            ("bytes=-9", 3, Some(0..3)),
            ("bytes=-0", 3, None),
            ("bytes=-1", 0, None),
        ] {
            assert_eq!(asked(range).and_then(|range| range.within(len)), expected, "{range} of {len}");
        }
    }

    #[test]
    fn a_part_answers_what_lies_within_it() {
        let known = part("bytes 4-8/10").expect("valid");
        let unknown = part("bytes 4-8/*").expect("valid");
        assert_eq!((known.len(), known.to_value().to_str().ok()), (5, Some("bytes 4-8/10")));
        for (range, of_known, of_unknown) in [
            ("bytes=4-8", Some(4..9), Some(4..9)),
            ("bytes=5-6", Some(5..7), Some(5..7)),
            ("bytes=3-6", None, None),
            ("bytes=6-", None, None),
            ("bytes=-2", None, None),
        ] {
            let range = asked(range).expect("a range");
            assert_eq!((known.covers(range), unknown.covers(range)), (of_known, of_unknown), "{range:?}");
        }
        let end = part("bytes 4-9/10").expect("valid");
        assert_eq!(end.covers(ByteRange::Suffix(2)), Some(8..10));
        assert_eq!(end.covers(ByteRange::FromTo(8, 99)), Some(8..10));
    }

    #[test]
    fn a_part_that_contradicts_itself_is_none() {
        for value in [
            "bytes */10",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "items 0-1/2",
            "bytes 0-1",
            "bytes 0-1/x",
            "0-1/2",
        ] {
            assert_eq!(part(value), None, "{value}");
        }
    }
}
