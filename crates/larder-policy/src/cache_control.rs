//! `Cache-Control` (RFC 9111, section 5.2), parsed once into what each side may say.
//!
//! Whatever cannot be read counts as the stricter of what it may have meant, and no input makes this panic or take
//! more than linear time.

mod directives;

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use directives::{Directives, Number};

pub(crate) use directives::GREATEST;

/// What a request says (RFC 9111, section 5.2.1; RFC 5861, section 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RequestDirectives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) max_age: Option<Duration>,
    pub(crate) min_fresh: Option<Duration>,
    pub(crate) max_stale: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
}

impl RequestDirectives {
    /// Returns the directives of a request with these fields; `Pragma: no-cache` counts when it is alone.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(CACHE_CONTROL) {
            let pragma = Directives::parse(headers.get_all(PRAGMA));
            return Self { no_cache: pragma.has("no-cache"), ..Self::default() };
        }
        let directives = Directives::parse(headers.get_all(CACHE_CONTROL));
        Self {
            no_store: directives.has("no-store"),
            no_cache: directives.has("no-cache") || directives.is_malformed(),
            only_if_cached: directives.has("only-if-cached"),
            max_age: directives.least("max-age"),
            min_fresh: directives.greatest("min-fresh"),
            max_stale: directives.max_stale(),
            stale_if_error: directives.least("stale-if-error"),
        }
    }
}

/// What a response says (RFC 9111, section 5.2.2; RFC 5861; RFC 8246).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive of its own, present or not")]
pub(crate) struct ResponseDirectives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) private: bool,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) must_understand: bool,
    pub(crate) immutable: bool,
    pub(crate) max_age: Option<Duration>,
    pub(crate) s_maxage: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) stale_while_revalidate: Option<Duration>,
    /// Whether they are those of a targeted field, beside which `Expires` does not count (RFC 9213, section 2.2).
    pub(crate) is_targeted: bool,
}

impl ResponseDirectives {
    /// Returns the directives of a response with these fields.
    ///
    /// `private` and `no-cache` with field names are read as if they had none, which is stricter.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let directives = Directives::parse(headers.get_all(CACHE_CONTROL));
        Self {
            no_store: directives.has("no-store"),
            no_cache: directives.has("no-cache") || directives.is_malformed(),
            private: directives.has("private"),
            public: directives.has_plain("public") && !directives.is_malformed(),
            must_revalidate: directives.has("must-revalidate"),
            proxy_revalidate: directives.has("proxy-revalidate"),
            must_understand: directives.has("must-understand"),
            immutable: directives.has_plain("immutable"),
            max_age: directives.least("max-age"),
            s_maxage: directives.least("s-maxage"),
            stale_if_error: directives.least("stale-if-error"),
            stale_while_revalidate: directives.least("stale-while-revalidate"),
            is_targeted: false,
        }
    }

    /// Returns whether `s-maxage` says that shared caches may use the response for a while; one that is unreadable or zero
    /// does not.
    pub(crate) fn lets_share(&self) -> bool {
        self.s_maxage.is_some_and(|lifetime| !lifetime.is_zero())
    }

    /// Returns whether a response must not be stored; whether its status is understood, is asked elsewhere
    /// (RFC 9111, sections 5.2.2.3 and 5.2.2.5).
    pub(crate) fn forbids_storing(&self) -> bool {
        self.no_store && !self.must_understand
    }

    /// Returns whether a stale response must not be used without validation (RFC 9111, section 4.2.4).
    pub(crate) fn forbids_stale(&self, is_shared: bool) -> bool {
        let forbids_shared = self.proxy_revalidate || self.s_maxage.is_some();
        self.no_cache || self.must_revalidate || (is_shared && forbids_shared)
    }
}

/// Returns a number of seconds, at most 2³¹ (RFC 9111, section 1.2.2).
pub(crate) fn delta_seconds(digits: &[u8]) -> Option<Duration> {
    Number::of(Some(digits)).seconds()
}

impl Directives {
    /// Returns the least of the values; what is no number is zero.
    fn least(&self, name: &str) -> Option<Duration> {
        self.numbers(name).map(|number| number.seconds().unwrap_or(Duration::ZERO)).min()
    }

    /// Returns the greatest of the values; what is no number is as great as can be.
    fn greatest(&self, name: &str) -> Option<Duration> {
        self.numbers(name).map(|number| number.seconds().unwrap_or(GREATEST)).max()
    }

    /// Returns the least of the values; without a value it is any time (RFC 9111, section 5.2.1.2).
    fn max_stale(&self) -> Option<Duration> {
        let seconds = |number| match number {
            Number::Absent => Duration::MAX,
            number => number.seconds().unwrap_or(Duration::ZERO),
        };
        self.numbers("max-stale").map(seconds).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fields(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
        let value = |line: &&[u8]| HeaderValue::from_bytes(line).expect("a value");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, value(line));
        }
        headers
    }

    fn check_response(lines: &[&str], expected: &ResponseDirectives) {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(ResponseDirectives::of(&fields(&CACHE_CONTROL, &lines)), *expected, "{lines:?}");
    }

    fn check_request(line: &str, expected: &RequestDirectives) {
        let headers = fields(&CACHE_CONTROL, &[line.as_bytes()]);
        assert_eq!(RequestDirectives::of(&headers), *expected, "{line}");
    }

    #[test]
    fn directives_are_read_in_any_spelling() {
        let none = ResponseDirectives::default();
        let max_age = |n| ResponseDirectives { max_age: Some(secs(n)), ..none };
        check_response(&[], &none);
        check_response(&["", " , ,\t,"], &none);
        check_response(&["No-Store"], &ResponseDirectives { no_store: true, ..none });
        check_response(&["max-age=60"], &max_age(60));
        check_response(&["MAX-AGE=\"60\""], &max_age(60));
        check_response(&["max-age=\"\\6\\0\""], &max_age(60));
        check_response(&["max-age=0060"], &max_age(60));
        check_response(&["max-age=99999999999999999999999999"], &max_age(1 << 31));
        check_response(&["foo=\"a, no-store\", max-age=60"], &max_age(60));
        check_response(&["foo=\"a\\\", no-store\", max-age=60"], &max_age(60));
        check_response(&["foo, bar=baz, max-age=60"], &max_age(60));
        let both = ResponseDirectives { private: true, must_revalidate: true, ..max_age(60) };
        check_response(&["private,\t max-age=60", "must-revalidate"], &both);
    }

    #[test]
    fn fields_names_of_a_directive_do_not_narrow_it() {
        let none = ResponseDirectives::default();
        for line in ["private=\"\"", "private=\"set-cookie, x\"", "private=x"] {
            check_response(&[line], &ResponseDirectives { private: true, ..none });
        }
        for line in ["no-cache=\" x\"", "no-cache=\"set-cookie\""] {
            check_response(&[line], &ResponseDirectives { no_cache: true, ..none });
        }
        check_response(&["public=x, immutable=x"], &none);
    }

    #[test]
    fn duplicates_are_read_the_stricter_way() {
        let none = ResponseDirectives::default();
        check_response(&["max-age=60, max-age=5"], &ResponseDirectives { max_age: Some(secs(5)), ..none });
        check_response(
            &["s-maxage=5", "s-maxage=60"],
            &ResponseDirectives { s_maxage: Some(secs(5)), ..none },
        );
        check_response(&["max-age=60, max-age=x"], &ResponseDirectives { max_age: Some(secs(0)), ..none });
        let none = RequestDirectives::default();
        check_request("min-fresh=1, min-fresh=9", &RequestDirectives { min_fresh: Some(secs(9)), ..none });
        check_request("max-stale, max-stale=9", &RequestDirectives { max_stale: Some(secs(9)), ..none });
    }

    #[test]
    fn what_is_no_number_is_the_strictest_one() {
        let none = ResponseDirectives::default();
        for line in ["max-age", "max-age=x", "max-age=-1", "max-age=+1", "max-age=1.5", "max-age=\"\""] {
            check_response(&[line], &ResponseDirectives { max_age: Some(secs(0)), ..none });
        }
        let none = RequestDirectives::default();
        check_request("min-fresh=x", &RequestDirectives { min_fresh: Some(secs(1 << 31)), ..none });
        check_request("max-stale=x", &RequestDirectives { max_stale: Some(secs(0)), ..none });
        check_request("max-stale", &RequestDirectives { max_stale: Some(Duration::MAX), ..none });
        check_request("stale-if-error", &RequestDirectives { stale_if_error: Some(secs(0)), ..none });
    }

    #[test]
    fn garbage_forbids_use_without_validation_and_hides_nothing() {
        for line in [
            "max-age=60; public",
            "max-age =60",
            "max-age= 60",
            "max-age=",
            "max-age=60 public",
            "max-age=\"60",
            "max-age=\"60\"x",
            "foo bar",
            "=60",
            "\"no-store\"",
            "é",
        ] {
            let read = ResponseDirectives::of(&fields(&CACHE_CONTROL, &[line.as_bytes()]));
            assert!(read.no_cache, "{line}: {read:?}");
        }
        for lines in [&["foo=\"a, no-store"][..], &["foo=\"a", "no-store"], &["foo=\"\\", "no-store"]] {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            let read = ResponseDirectives::of(&fields(&CACHE_CONTROL, &lines));
            assert!(read.no_store && read.no_cache, "{lines:?}: {read:?}");
        }
        let read = ResponseDirectives::of(&fields(&CACHE_CONTROL, &[b"foo=\"public, public"]));
        assert!(!read.public, "garbage grants nothing");
    }

    #[test]
    fn pragma_counts_when_it_is_alone() {
        let mut headers = fields(&PRAGMA, &[b"No-Cache"]);
        assert!(RequestDirectives::of(&headers).no_cache);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-stale"));
        assert!(!RequestDirectives::of(&headers).no_cache);
        assert_eq!(ResponseDirectives::of(&fields(&PRAGMA, &[b"no-cache"])), ResponseDirectives::default());
    }

    #[test]
    fn a_megabyte_is_read_in_linear_time() {
        for unit in ["x\"\\\",", "\",", "a=\"b\",", ",,,,", "max-age=1,"] {
            let line = unit.repeat((1 << 20) / unit.len());
            let headers = fields(&CACHE_CONTROL, &[line.as_bytes()]);
            // A quadratic reader takes minutes.
            let _ = ResponseDirectives::of(&headers);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(lines in proptest::collection::vec("[ -~\t\u{80}-\u{ff}]{0,40}", 0..4)) {
            let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
            let headers = fields(&CACHE_CONTROL, &lines);
            let _ = (RequestDirectives::of(&headers), ResponseDirectives::of(&headers));
        }

        #[test]
        fn a_prohibition_is_found_whatever_stands_beside_it(
            before in "[a-z=\", \\\\]{0,20}",
            is_line in any::<bool>(),
        ) {
            let joined = format!("{before}, no-store");
            let lines: &[&[u8]] =
                if is_line { &[before.as_bytes(), b"no-store"] } else { &[joined.as_bytes()] };
            let read = ResponseDirectives::of(&fields(&CACHE_CONTROL, lines));
            // Between two quotes it is text.
            prop_assert!(read.no_store || (!is_line && before.contains('"')), "{lines:?}");
        }
    }
}
