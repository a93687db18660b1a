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

/// A pattern of paths, which matches as a prefix of whole segments: the globs of which any may match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PathPattern(Vec<String>);

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
        let directory = glob.strip_suffix('/').unwrap_or(&glob);
        // `/**` alone would also match nothing at all, and `site.com/a/` is not to match `/a`.
        let below = [format!("{directory}/*"), format!("{directory}/*/**")];
        Ok(Self(below.into_iter().chain([glob]).collect()))
    }

    fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|glob| glob_match(glob, path))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_match(pattern: &str, url: &str) -> bool {
        let target = Target::of(&url.parse().expect(url)).expect("a canonical form");
        UrlPattern::parse(pattern).expect(pattern).matches(&target)
    }

    /// Checks that the pattern matches each of the first URLs and none of the others.
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        for url in matching {
            assert!(is_match(pattern, url), "{pattern} matches {url}");
        }
        for url in others {
            assert!(!is_match(pattern, url), "{pattern} does not match {url}");
        }
    }

    #[test]
    fn a_host_matches_as_a_host_and_nowhere_else() {
        check(
            "site.com",
            &["http://site.com/", "https://SITE.com:8080/a?b", "http://u:p@site.com/"],
            &[
                "http://evil.org/?site.com",
                "http://evil.org/site.com",
                "http://evil.org/#site.com",
                "http://evil.org/?http://site.com/",
                "http://notsite.com/",
                "http://site.com.evil.org/",
                "http://www.site.com/",
                "http://siteXcom/",
                "http://site.com@evil.org/",
                "http://site.com:site.com@evil.org/",
            ],
        );
        check(
            "*.site.com",
            &["http://a.site.com/", "http://a.b.site.com/x"],
            &[
                "http://site.com/",
                "http://notsite.com/",
                "http://a.site.com.evil.org/",
                "http://evil.org/a.site.com",
            ],
        );
        check(
            "api-*.site.com",
            &["http://api-1.site.com/"],
            &["http://api.site.com/", "http://x/api-1.site.com"],
        );
        check("[2001:DB8::1]", &["http://[2001:db8::1]/"], &["http://[2001:db8::2]/", "http://2/"]);
        check("127.0.0.1", &["http://127.0.0.1:8080/"], &["http://127.0.0.10/", "http://127x0.0.1/"]);
    }

    #[test]
    fn scheme_and_port_match_if_they_are_given() {
        check("HTTPS://site.com", &["https://site.com/", "https://site.com:8443/"], &["http://site.com/"]);
        check(
            "site.com:443",
            &["https://site.com/", "http://site.com:443/"],
            &["http://site.com/", "https://site.com:8443/"],
        );
        check(
            "http://site.com:80/a",
            &["http://site.com/a/b"],
            &["http://site.com:8080/a", "https://site.com/a"],
        );
        check("[::1]:8080", &["http://[::1]:8080/"], &["http://[::1]/"]);
    }

    #[test]
    fn a_path_matches_as_a_prefix_of_whole_segments() {
        check(
            "site.com/static",
            &[
                "http://site.com/static",
                "http://site.com/static/",
                "http://site.com/static/a/b.css",
                "http://site.com/static?x",
                "http://site.com/x/../%73tatic",
            ],
            &[
                "http://site.com/",
                "http://site.com/statics",
                "http://site.com/a/static",
                "http://site.com/Static",
            ],
        );
        check(
            "site.com/static/",
            &["http://site.com/static/", "http://site.com/static/a"],
            &["http://site.com/static", "http://site.com/statics/a"],
        );
        check("site.com/", &["http://site.com", "http://site.com/a/b?c"], &["http://site.org/"]);
        check("site.com/%73tatic/../a", &["http://site.com/a"], &["http://site.com/static"]);
    }

    #[test]
    fn a_star_stays_in_its_segment_and_two_do_not() {
        check(
            "site.com/u/*/posts",
            &["http://site.com/u/1/posts", "http://site.com/u/1/posts/2"],
            &["http://site.com/u/1/2/posts", "http://site.com/u/posts", "http://site.com/u/1/postscript"],
        );
        check(
            "site.com/*.css",
            &["http://site.com/a.css", "http://site.com/a.css?v=1"],
            &["http://site.com/a/b.css"],
        );
        check(
            "site.com/**/*.css",
            &["http://site.com/a.css", "http://site.com/a/b/c.css"],
            &["http://site.com/a/b/c.js", "http://site.com/a.css.map"],
        );
        check("site.com/a/**", &["http://site.com/a/b", "http://site.com/a/"], &["http://site.com/ab"]);
        check(
            "site.com/**/",
            &["http://site.com/", "http://site.com/a", "http://site.com/a/b/"],
            &["http://site.org/"],
        );
        check(
            "site.com/*/",
            &["http://site.com/a/", "http://site.com/a/b"],
            &["http://site.com/a", "http://site.com/"],
        );
        check(
            "site.com/a/**/b/",
            &["http://site.com/a/b/", "http://site.com/a/x/y/b/c/d"],
            &["http://site.com/a/b", "http://site.com/a/x/b"],
        );
        check("site.com/a", &["http://site.com/a//b", "http://site.com/a//"], &["http://site.com//a"]);
        check("*/static", &["http://a.org/static", "http://b.org/static/x"], &["http://a.org/x/static"]);
        check("*", &["http://a/", "https://[::1]:8080/x/y?z"], &[]);
        check("**", &["http://a/"], &[]);
    }

    #[test]
    fn other_characters_mean_themselves() {
        check("site.com/[a]", &["http://site.com/[a]"], &["http://site.com/a"]);
        check("site.com/{a,b}", &["http://site.com/{a,b}"], &["http://site.com/a"]);
        check("site.com/!a", &["http://site.com/!a"], &["http://site.com/b"]);
        check("site.com/a%3fb", &["http://site.com/a%3Fb"], &["http://site.com/a?b", "http://site.com/axb"]);
        check("site.com/a.b", &["http://site.com/a.b"], &["http://site.com/axb"]);
        check("site.com/né", &["http://site.com/né"], &["http://site.com/n"]);
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (pattern, expected) in [
            ("", InvalidPattern::NoHost),
            ("/static", InvalidPattern::NoHost),
            ("http://", InvalidPattern::NoHost),
            (":80/", InvalidPattern::NoHost),
            ("://site.com", InvalidPattern::Scheme),
            ("*://site.com", InvalidPattern::Scheme),
            ("site.com/?a", InvalidPattern::Query),
            ("site.com?", InvalidPattern::Query),
            ("site.com#a", InvalidPattern::Query),
            ("u:p@site.com", InvalidPattern::UserInformation),
            ("münchen.de", InvalidPattern::Host),
            ("[site.com]", InvalidPattern::Host),
            ("[::1", InvalidPattern::Host),
            ("{a,b}.com", InvalidPattern::Host),
            ("site.com:", InvalidPattern::Port),
            ("site.com:x", InvalidPattern::Port),
            ("site.com:*", InvalidPattern::Port),
            ("site.com:65536", InvalidPattern::Port),
            ("site.com/a b", InvalidPattern::Character),
            ("site.com\\a", InvalidPattern::Character),
            ("site.com/a**", InvalidPattern::GlobStar),
            ("site.com/***", InvalidPattern::GlobStar),
        ] {
            assert_eq!(UrlPattern::parse(pattern), Err(expected), "{pattern:?}");
        }
    }

    proptest! {
        #[test]
        fn the_host_of_a_pattern_matches_no_other_host(
            is_wild in any::<bool>(),
            label in "[a-z]{1,6}",
            before in "[a-z.-]{0,6}",
            after in "[a-z.-]{0,6}",
            elsewhere in "[a-z./?=&-]{0,12}",
        ) {
            let site = format!("{label}.com");
            let pattern = if is_wild { format!("*.{site}") } else { site.clone() };
            let host = format!("{before}{site}{after}");
            let is_meant = if is_wild { host.ends_with(&format!(".{site}")) } else { host == site };
            let url = format!("http://{host}/");
            prop_assert_eq!(is_match(&pattern, &url), is_meant, "{}", url);
            for url in [
                format!("http://evil.org/{elsewhere}{site}"),
                format!("http://evil.org/?{elsewhere}//{site}/"),
                format!("http://{site}@evil.org/{elsewhere}"),
                format!("http://{site}.evil.org/{elsewhere}"),
            ] {
                prop_assert!(!is_match(&pattern, &url), "{pattern} {url}");
            }
        }

        #[test]
        fn a_path_without_stars_is_a_prefix_of_segments(
            pattern in "(/[ab]{0,2}){0,3}",
            path in "(/[ab]{0,2}){1,4}",
        ) {
            let url = format!("http://h{path}");
            let expected = match pattern.strip_suffix('/') {
                Some(_) => path.starts_with(&pattern),
                None => pattern.is_empty() || path == pattern || path.starts_with(&format!("{pattern}/")),
            };
            prop_assert_eq!(is_match(&format!("h{pattern}"), &url), expected, "{} {}", pattern, url);
        }

        #[test]
        fn any_text_is_a_pattern_or_an_error(pattern in "\\PC{0,30}", path in "[!-~]{0,20}") {
            if let (Ok(pattern), Ok(url)) = (UrlPattern::parse(&pattern), format!("http://h/{path}").parse())
                && let Some(target) = Target::of(&url)
            {
                let _ = pattern.matches(&target);
            }
        }
    }
}
