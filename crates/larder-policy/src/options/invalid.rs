//! What is wrong with options: one cause each, turned into an error of kind `Configuration`.

use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use larder_core::{Error, ErrorKind};

use super::CacheOptions;
use crate::Expiry;
use crate::pattern::{InvalidPattern, UrlPattern};

/// Why options make no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the url pattern {pattern:?} is not valid: {reason}")]
    Pattern { pattern: String, reason: InvalidPattern },
    #[error("no status code is allowed, so that nothing would be stored")]
    NoCodes,
    #[error("status {0} is not one of a whole response, which is from 200 to 599 and neither 206 nor 304")]
    Code(StatusCode),
    #[error("no method is allowed, so that nothing would be stored")]
    NoMethods,
    #[error("responses to {0} can never be stored")]
    Method(Method),
    #[error("expiring after no time is either `Immediately` or `DoNotStore`")]
    ZeroExpiry,
    #[error("expiring after no time, for {pattern:?}, is either `Immediately` or `DoNotStore`")]
    ZeroExpiryOf { pattern: String },
    #[error("the standard options read `Cache-Control`; without it, a fixed expiry is needed")]
    NothingIsRead,
    #[error("`stale_if_error` for no time has no effect")]
    ZeroStaleIfError,
    #[error("`stale_if_error` is longer than `keep_expired`, after which there is nothing left to use")]
    StaleOutlivesKept,
    #[error("a key function takes no note of `{0}`")]
    KeyFunctionBeside(&'static str),
    #[error("`include_headers` adds nothing to `include_all_headers`")]
    IncludedTwice,
    #[error("the header field {0} is both included and ignored")]
    IncludedAndIgnored(String),
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::new(ErrorKind::Configuration, "the cache options are not valid").with_source(invalid)
    }
}

/// Checks everything but the patterns.
pub(super) fn check(options: &CacheOptions) -> Result<(), Invalid> {
    check_allowed(options)?;
    check_times(options)?;
    check_keys(options)
}

/// Returns the patterns with their expiries, in order.
pub(super) fn patterns(expiries: &[(String, Expiry)]) -> Result<Vec<(UrlPattern, Expiry)>, Invalid> {
    let parse = |(pattern, expiry): &(String, Expiry)| match UrlPattern::parse(pattern) {
        _ if *expiry == Expiry::After(Duration::ZERO) => {
            Err(Invalid::ZeroExpiryOf { pattern: pattern.clone() })
        }
        Ok(parsed) => Ok((parsed, *expiry)),
        Err(reason) => Err(Invalid::Pattern { pattern: pattern.clone(), reason }),
    };
    expiries.iter().map(parse).collect()
}

fn check_allowed(options: &CacheOptions) -> Result<(), Invalid> {
    let codes = options.allowed_codes.as_deref();
    if codes.is_some_and(<[_]>::is_empty) {
        return Err(Invalid::NoCodes);
    }
    if options.allowed_methods.is_empty() {
        return Err(Invalid::NoMethods);
    }
    let is_whole = |code: &StatusCode| {
        (200..600).contains(&code.as_u16())
            && !matches!(*code, StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED)
    };
    if let Some(code) = codes.unwrap_or_default().iter().find(|code| !is_whole(code)) {
        return Err(Invalid::Code(*code));
    }
    let never = |method: &&Method| matches!(**method, Method::CONNECT | Method::TRACE);
    options.allowed_methods.iter().find(never).map_or(Ok(()), |method| Err(Invalid::Method(method.clone())))
}

fn check_times(options: &CacheOptions) -> Result<(), Invalid> {
    if options.expire_after == Some(Expiry::After(Duration::ZERO)) {
        return Err(Invalid::ZeroExpiry);
    }
    if options.expire_after.is_none() && !options.cache_control {
        return Err(Invalid::NothingIsRead);
    }
    match options.stale_if_error {
        Some(window) if window.is_zero() => Err(Invalid::ZeroStaleIfError),
        Some(window) if window > options.keep_expired => Err(Invalid::StaleOutlivesKept),
        _ => Ok(()),
    }
}

fn check_keys(options: &CacheOptions) -> Result<(), Invalid> {
    let of_keys = [
        ("ignored_params", !options.ignored_params.is_empty()),
        ("include_headers", !options.included_headers.is_empty()),
        ("include_all_headers", options.includes_all_headers),
    ];
    if options.key_fn.is_some()
        && let Some((name, _)) = of_keys.iter().find(|(_, is_set)| *is_set)
    {
        return Err(Invalid::KeyFunctionBeside(name));
    }
    if options.includes_all_headers && !options.included_headers.is_empty() {
        return Err(Invalid::IncludedTwice);
    }
    let is_ignored = |name: &&HeaderName| {
        options.ignored_params.iter().any(|ignored| ignored.eq_ignore_ascii_case(name.as_str()))
    };
    let both = options.included_headers.iter().find(is_ignored);
    both.map_or(Ok(()), |name| Err(Invalid::IncludedAndIgnored(name.to_string())))
}
