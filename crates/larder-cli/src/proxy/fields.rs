//! Header fields that a message must gain or lose when it goes on (RFC 9110, section 7.6).
//!
//! All others are passed on as they are, in bytes and in lines.

use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, DATE, Entry, MAX_FORWARDS, TRANSFER_ENCODING, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use larder::policy::http_date;

/// The field of RFC 9211.
pub(crate) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// How many of this program one request may pass, one behind the other.
const MOST_PASSAGES: usize = 8;

/// Adds this program to those who have passed a message on that came in `version` (RFC 9110, section 7.6.3).
pub(crate) fn append_via(headers: &mut HeaderMap, version: Version) {
    let received = if version < Version::HTTP_11 { "1.0 larder" } else { "1.1 larder" };
    headers.append(VIA, HeaderValue::from_static(received));
}

/// Returns whether a request has been here so often, or at others of this name, that it goes round in a circle (RFC 9110,
/// section 7.6).
pub(crate) fn is_loop(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(VIA).into_iter();
    let receivers = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let is_larder = |receiver: &&[u8]| {
        let mut words = receiver.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|name| name.eq_ignore_ascii_case(b"larder"))
    };
    receivers.filter(is_larder).count() >= MOST_PASSAGES
}

/// Returns whether a message's content is as it was, but for `chunked`, which is taken off again (RFC 9112, section
/// 6.1): no other transfer coding is understood here.
pub(crate) fn is_coding_known(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TRANSFER_ENCODING).into_iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.all(|coding| {
        let coding = coding.trim_ascii();
        coding.is_empty()
            || coding.eq_ignore_ascii_case(b"chunked")
            || coding.eq_ignore_ascii_case(b"identity")
    })
}

/// What `Max-Forwards` says about a request (RFC 9110, section 7.6.2).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forwards {
    Allowed,
    /// Whoever has the request now answers it.
    Spent,
}

/// Counts one forwarding of a request, for the methods that count them.
pub(crate) fn count_forward(method: &Method, headers: &mut HeaderMap) -> Forwards {
    if *method != Method::TRACE && *method != Method::OPTIONS {
        return Forwards::Allowed;
    }
    let left = headers.get(MAX_FORWARDS).and_then(|left| left.to_str().ok()?.trim().parse::<u64>().ok());
    match left {
        None => Forwards::Allowed,
        Some(0) => Forwards::Spent,
        Some(left) => {
            headers.insert(MAX_FORWARDS, HeaderValue::from(left - 1));
            Forwards::Allowed
        }
    }
}

/// Says when a response came that does not say when it was made (RFC 9110, section 6.6.1).
pub(crate) fn date(headers: &mut HeaderMap, received: SystemTime) {
    if let Entry::Vacant(date) = headers.entry(DATE)
        && let Some(received) = http_date(received.into()).and_then(|date| HeaderValue::try_from(date).ok())
    {
        date.insert(received);
    }
}

/// Makes `Content-Length` say what a body of `len` bytes has, if it is there (RFC 9112, section 6.3: one valid value in
/// the place of several).
pub(crate) fn correct_length(headers: &mut HeaderMap, len: u64) {
    if headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_chunked_is_taken_off() {
        for (coding, expected) in
            [("chunked", true), ("Chunked", true), ("", true), ("gzip, chunked", false), ("gzip", false)]
        {
            assert_eq!(is_coding_known(&fields(&[("transfer-encoding", coding)])), expected, "{coding}");
        }
        assert!(is_coding_known(&HeaderMap::new()));
        assert!(!is_coding_known(&fields(&[
            ("transfer-encoding", "gzip"),
            ("transfer-encoding", "chunked")
        ])));
    }

    #[test]
    fn forwards_are_counted_where_the_method_says_so() {
        let count = |method: Method, left: &'static str| {
            let mut headers = fields(&[("max-forwards", left)]);
            let forwards = count_forward(&method, &mut headers);
            (forwards, headers[MAX_FORWARDS].to_str().expect("text").to_owned())
        };
        assert_eq!(count(Method::OPTIONS, "0"), (Forwards::Spent, "0".to_owned()));
        assert_eq!(count(Method::TRACE, "10"), (Forwards::Allowed, "9".to_owned()));
        assert_eq!(count(Method::OPTIONS, "many"), (Forwards::Allowed, "many".to_owned()));
        assert_eq!(count(Method::GET, "0"), (Forwards::Allowed, "0".to_owned()));
    }

    #[test]
    fn a_response_has_a_date_when_it_goes_on() {
        let mut headers = HeaderMap::new();
        date(&mut headers, SystemTime::UNIX_EPOCH);
        date(&mut headers, SystemTime::now());
        assert_eq!(headers[DATE], "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_message_says_who_passed_it_on_and_how_it_came() {
        let mut headers = fields(&[("via", "1.0 first")]);
        append_via(&mut headers, Version::HTTP_11);
        append_via(&mut headers, Version::HTTP_10);
        let via: Vec<_> = headers.get_all(VIA).into_iter().collect();
        assert_eq!(via, ["1.0 first", "1.1 larder", "1.0 larder"]);
    }

    #[test]
    fn a_request_goes_round_when_it_has_come_by_eight_times() {
        let once = ("via", "1.1 larder");
        assert!(!is_loop(&fields(&[once; 7])));
        assert!(is_loop(&fields(&[once; 8])));
        let seven = "1.0 Larder (a comment), 1.1 larder,1.1 larder, 1.1 larder, 1.1  larder, , 1.1 larder, 1.1 larder";
        assert!(!is_loop(&fields(&[("via", seven), ("via", "1.1 larder.test, 1.1 a (larder), larder")])));
        assert!(is_loop(&fields(&[("via", seven), once])));
    }
}
