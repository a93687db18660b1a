//! URL patterns: `[scheme://]host[:port][/path]`, each part compared with the part of the URL of the same name.
//!
//! A pattern is taken apart before anything is matched, so that its host can match in no other place of a URL.

use std::collections::BTreeSet;

use fast_glob::glob_match;
use http::Uri;

use crate::url::{CanonicalUrl, decode_unreserved, remove_dot_segments, split_port};

/// A pattern of URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlPattern {
    scheme: Option<String>,
    /// In the syntax of `fast_glob`, as the path.
    host: String,
    port: Option<u16>,
    path: Option<PathPattern>,
}

/// A pattern of paths, which matches as a prefix of whole segments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PathPattern {
    /// The path itself, unless the pattern ends with a slash.
    exact: Option<String>,
    below: String,
}

/// Why text is no URL pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPattern {
    #[error("it has no host")]
    NoHost,
    #[error("its scheme is not one")]
    Scheme,
    #[error("its host holds a character that no host has; names that are not ASCII are written in punycode")]
    Host,
    #[error("its port is not a number up to 65535")]
    Port,
    #[error("it holds user information")]
    UserInformation,
    #[error("it holds a query or a fragment, which patterns do not compare")]
    Query,
    #[error("it holds white space, a control character or a backslash")]
    Character,
    #[error("`**` in its path is not a whole segment")]
    GlobStar,
}

/// The parts of a URL that patterns compare.
pub(crate) struct Target {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Target {
    /// Returns the parts of `url` in canonical form, `None` if it has none.
    pub(crate) fn of(url: &Uri) -> Option<Self> {
        let url = CanonicalUrl::of(url, &BTreeSet::new()).ok()?;
        let path = url.path.clone();
        let origin = url.into_origin();
        let port = origin.effective_port();
        Some(Self { scheme: origin.scheme, host: origin.host, port, path })
    }
}

impl UrlPattern {
    pub(crate) fn parse(pattern: &str) -> Result<Self, InvalidPattern> {
        if pattern.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(InvalidPattern::Character);
        }
        if pattern.contains(['?', '#']) {
            return Err(InvalidPattern::Query);
        }
        let (scheme, rest) = match pattern.split_once("://") {
            Some((scheme, rest)) => (Some(parse_scheme(scheme)?), rest),
            None => (None, pattern),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidPattern::UserInformation);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(InvalidPattern::NoHost);
        }
        let (host, port) = split_port(authority).ok_or(InvalidPattern::Host)?;
        Ok(Self {
            scheme,
            host: parse_host(host)?,
            port: parse_port(authority, port)?,
            path: (!path.is_empty()).then(|| PathPattern::parse(path)).transpose()?,
        })
    }

    pub(crate) fn matches(&self, target: &Target) -> bool {
        self.scheme.as_ref().is_none_or(|scheme| *scheme == target.scheme)
            && self.port.is_none_or(|port| Some(port) == target.port)
            && glob_match(&self.host, &target.host)
            && self.path.as_ref().is_none_or(|path| path.matches(&target.path))
    }
}

impl PathPattern {
    fn parse(path: &str) -> Result<Self, InvalidPattern> {
        if path.split('/').any(|segment| segment.contains("**") && segment != "**") {
            return Err(InvalidPattern::GlobStar);
        }
        // As the path of a canonical URL, so that each spelling of a pattern matches what it names.
        let path = decode_unreserved(path).map_or_else(|| path.to_owned(), |path| remove_dot_segments(&path));
        let glob = escaped(&path);
        Ok(match glob.strip_suffix('/') {
            Some(directory) => Self { exact: None, below: format!("{directory}/**") },
            None => Self { below: format!("{glob}/**"), exact: Some(glob) },
        })
    }

    fn matches(&self, path: &str) -> bool {
        // `a/**` also matches `a`, and a pattern that ends with a slash does not.
        let is_exact = self.exact.as_ref().is_some_and(|exact| glob_match(exact, path));
        is_exact || (glob_match(&self.below, path) && self.is_below(path))
    }

    fn is_below(&self, path: &str) -> bool {
        let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
        self.below.contains("**/") || slashes(path) >= slashes(&self.below)
    }
}

fn parse_scheme(scheme: &str) -> Result<String, InvalidPattern> {
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if is_scheme { Ok(scheme.to_ascii_lowercase()) } else { Err(InvalidPattern::Scheme) }
}

/// Returns the glob of a host; it has no segments, so that `*` stands for any text.
fn parse_host(host: &str) -> Result<String, InvalidPattern> {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_allowed = |byte: u8| match address {
        Some(_) => byte.is_ascii_hexdigit() || b":.".contains(&byte),
        None => byte.is_ascii_alphanumeric() || b"*.-_~".contains(&byte),
    };
    let text = address.unwrap_or(host);
    if text.is_empty() || !text.bytes().all(is_allowed) {
        return Err(InvalidPattern::Host);
    }
    let mut host = escaped(&host.to_ascii_lowercase());
    while host.contains("**") {
        host = host.replace("**", "*");
    }
    Ok(host)
}

fn parse_port(authority: &str, port: &str) -> Result<Option<u16>, InvalidPattern> {
    if port.is_empty() && !authority.ends_with(':') {
        return Ok(None);
    }
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|_| is_number).map(Some).ok_or(InvalidPattern::Port)
}

/// Returns text whose characters, but for `*`, mean themselves to `fast_glob`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '{' | '}' | '!' | ',' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
