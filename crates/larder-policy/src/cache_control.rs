//! `Cache-Control` (RFC 9111, section 5.2), parsed once into what each side may say.
//!
//! Whatever cannot be read counts as the stricter of what it may have meant, and no input makes this panic or take
//! more than linear time.

mod directives;

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use directives::{Directives, Number};

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

/// What a response says (RFC 9111, section 5.2.2; RFC 5861, section 4; RFC 8246).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a directive of its own, present or not")]
pub(crate) struct ResponseDirectives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) private: bool,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) immutable: bool,
    pub(crate) max_age: Option<Duration>,
    pub(crate) s_maxage: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
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
            immutable: directives.has_plain("immutable"),
            max_age: directives.least("max-age"),
            s_maxage: directives.least("s-maxage"),
            stale_if_error: directives.least("stale-if-error"),
        }
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
        self.numbers(name).map(|number| number.seconds().unwrap_or(directives::GREATEST)).max()
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
