//! The canonical form of a URL: RFC 3986, section 6.2.2 and 6.2.3, as RFC 9110, section 4.2.3 applies them.
//!
//! Two URLs get one form only if they are equivalent by these sections. A spelling that is left apart costs a miss;
//! one that is merged wrongly costs a wrong answer. So what is not listed here is kept byte for byte: `%2F`, `//`,
//! `%2B`, a `?` without a query, the order of parameters, a host's final dot, and text that is not ASCII.

use std::collections::BTreeSet;
use std::fmt;

use http::Uri;

use crate::Bypass;

/// Returns the canonical form of `url`: without user information and fragment, and equal for equivalent URLs.
///
/// Scheme and host in lower case, no default port, escapes of unreserved characters decoded and the others in upper
/// case, no dot segments. A path or a query with a malformed escape stays as it is: such text is no URI, and
/// nothing says what it would be equivalent to.
///
/// # Errors
///
/// [`Bypass::RelativeUrl`] and [`Bypass::InvalidAuthority`].
///
/// # Examples
///
/// ```
/// let url = "HTTP://Example.COM:80/a/../%7euser?q=%2f#top".parse()?;
/// assert_eq!(larder_policy::canonical_url(&url)?, "http://example.com/~user?q=%2F");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn canonical_url(url: &Uri) -> Result<String, Bypass> {
    CanonicalUrl::of(url, &BTreeSet::new()).map(|url| url.to_string())
}

/// A URL in canonical form, and the user information that was in it.
pub(crate) struct CanonicalUrl<'a> {
    origin: Origin,
    pub(crate) path: String,
    query: Option<String>,
    /// A credential: it goes into a digest and nowhere else.
    pub(crate) userinfo: Option<&'a str>,
}

/// Scheme, host and port; no port is the scheme's own (RFC 9110, section 4.3.1).
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) host: String,
    port: Option<u16>,
}

impl Origin {
    /// Returns the port that is connected to, if the scheme is known or the URL says it.
    pub(crate) fn effective_port(&self) -> Option<u16> {
        self.port.or_else(|| default_port(&self.scheme))
    }
}

impl<'a> CanonicalUrl<'a> {
    /// Returns `url` without the query's parameters whose names are in `ignored_params`.
    pub(crate) fn of(url: &'a Uri, ignored_params: &BTreeSet<String>) -> Result<Self, Bypass> {
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err(Bypass::RelativeUrl);
        };
        if !url.path().starts_with('/') {
            return Err(Bypass::RelativeUrl);
        }
        let scheme = scheme.to_ascii_lowercase();
        let (userinfo, host_and_port) = match authority.as_str().rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, authority.as_str()),
        };
        let (host, port) = split_port(host_and_port).ok_or(Bypass::InvalidAuthority)?;
        let port = parse_port(port)?.filter(|port| Some(*port) != default_port(&scheme));
        Ok(Self {
            origin: Origin { scheme, host: lower_case_host(host), port },
            path: decode_unreserved(url.path())
                .map_or_else(|| url.path().to_owned(), |path| remove_dot_segments(&path)),
            query: url.query().and_then(|query| canonical_query(query, ignored_params)),
            userinfo,
        })
    }

    pub(crate) fn into_origin(self) -> Origin {
        self.origin
    }
}

impl fmt::Display for CanonicalUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.origin.scheme, self.origin.host)?;
        if let Some(port) = self.origin.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Returns the host, with its brackets if it is an IP literal, and what follows its colon.
pub(crate) fn split_port(host_and_port: &str) -> Option<(&str, &str)> {
    let end = if host_and_port.starts_with('[') {
        host_and_port.find(']')? + 1
    } else {
        host_and_port.find(':').unwrap_or(host_and_port.len())
    };
    let (host, rest) = host_and_port.split_at(end);
    let port = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
    let is_bracketed = host.starts_with('[');
    let is_host = !host.is_empty() && (is_bracketed || !host.contains(['[', ']']));
    is_host.then_some((host, port))
}

/// Returns the port's number; an empty port is none (RFC 3986, section 6.2.3).
fn parse_port(port: &str) -> Result<Option<u16>, Bypass> {
    if port.is_empty() {
        return Ok(None);
    }
    // `parse` alone would also take a sign.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Bypass::InvalidAuthority);
    }
    port.parse().map(Some).map_err(|_| Bypass::InvalidAuthority)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Returns the host in lower case; the zone of an IPv6 address (RFC 6874) is the name of a device and stays.
fn lower_case_host(host: &str) -> String {
    let (name, zone) = host.split_at(host.find('%').unwrap_or(host.len()));
    format!("{}{zone}", name.to_ascii_lowercase())
}

/// Returns `text` with the escapes of unreserved characters decoded and the digits of all others in upper case
/// (RFC 3986, sections 6.2.2.1 and 6.2.2.2), or `None` if an escape is malformed.
pub(crate) fn decode_unreserved(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (byte, rest) = split_escape(part)?;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            decoded.push(char::from(byte));
        } else {
            decoded.extend(["%", &format!("{byte:02X}")]);
        }
        decoded.push_str(rest);
    }
    Some(decoded)
}

/// Returns the byte that `part`, which follows a `%`, begins with in two hexadecimal digits, and the rest.
fn split_escape(part: &str) -> Option<(u8, &str)> {
    let (digits, rest) = part.split_at_checked(2)?;
    // `from_str_radix` alone would also take a sign.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten().map(|byte| (byte, rest))
}

/// Returns `path`, which begins with a slash, without its dot segments (RFC 3986, section 5.2.4).
pub(crate) fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment == ".." {
            kept.pop();
        } else if segment != "." {
            kept.push(segment);
            continue;
        }
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Returns the query without the ignored parameters; `None` if there was nothing else in it.
fn canonical_query(query: &str, ignored_params: &BTreeSet<String>) -> Option<String> {
    let is_ignored = |param: &&str| {
        let name = param.split_once('=').map_or(*param, |(name, _)| name);
        ignored_params.contains(&form_decode(name.as_bytes()))
    };
    let canonical = |query: &str| decode_unreserved(query).unwrap_or_else(|| query.to_owned());
    if ignored_params.is_empty() {
        return Some(canonical(query));
    }
    let (ignored, kept): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_ignored);
    if kept.is_empty() && !ignored.is_empty() { None } else { Some(canonical(&kept.join("&"))) }
}

/// Returns the name of a parameter as its author meant it: escapes decoded, and `+` as a space.
pub(crate) fn form_decode(name: &[u8]) -> String {
    let spaced: Vec<u8> = name.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let mut parts = spaced.split(|byte| *byte == b'%');
    let mut bytes = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = part.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some((byte, _)) = digits.and_then(split_escape) {
            bytes.push(byte);
            bytes.extend_from_slice(&part[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(url: &str) -> String {
        canonical_url(&url.parse().expect(url)).expect(url)
    }

    fn check(url: &str, expected: &str) {
        assert_eq!(canonical(url), expected, "of {url}");
        assert_eq!(canonical(expected), expected, "the canonical form of {url} is its own");
    }

    fn check_apart(left: &str, right: &str) {
        assert_ne!(canonical(left), canonical(right), "{left} and {right}");
    }

    fn check_without(ignored: &[&str], url: &str, expected: &str) {
        let ignored = ignored.iter().map(|name| (*name).to_owned()).collect();
        let url: Uri = url.parse().expect(url);
        assert_eq!(CanonicalUrl::of(&url, &ignored).expect("a URL").to_string(), expected, "of {url}");
    }

    #[test]
    fn equivalent_urls_have_one_form() {
        check("HTTP://Example.COM:80/%7Ea", "http://example.com/~a");
        check("http://example.com", "http://example.com/");
        check("https://EXAMPLE.com:443/A", "https://example.com/A");
        check("http://example.com:/", "http://example.com/");
        check("http://example.com:0080/", "http://example.com/");
        check("http://example.com:8080/", "http://example.com:8080/");
        check("https://example.com:80/", "https://example.com:80/");
        check("http://example.com?q", "http://example.com/?q");
        check("http://example.com/a#b", "http://example.com/a");
        check("http://example.com#b", "http://example.com/");
        check("http://example.com/%41%2d%2E%5f%7e%30?%41=%7a", "http://example.com/A-._~0?A=z");
        check("http://example.com/%c3%a9%2f", "http://example.com/%C3%A9%2F");
        check("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/");
        check("http://[FE80::1%25Eth0]/", "http://[fe80::1%25Eth0]/");
        check("http://user:secret@example.com/", "http://example.com/");
        check("http://a@b@example.com/", "http://example.com/");
        check("Unix+HTTP://Host:80/", "unix+http://host:80/");
    }

    #[test]
    fn dot_segments_are_removed_after_their_escapes_are_decoded() {
        check("http://h/a/./b", "http://h/a/b");
        check("http://h/a/../b", "http://h/b");
        check("http://h/../../b", "http://h/b");
        check("http://h/a/b/..", "http://h/a/");
        check("http://h/a/.", "http://h/a/");
        check("http://h/.", "http://h/");
        check("http://h/a/%2e%2E/b", "http://h/b");
        check("http://h/a//../b", "http://h/a/b");
        check("http://h//..", "http://h/");
        check("http://h/a/...", "http://h/a/...");
        check("http://h/a/..%2Fb", "http://h/a/..%2Fb");
        check("http://h/?a=/../b", "http://h/?a=/../b");
    }

    #[test]
    fn urls_that_are_not_equivalent_stay_apart() {
        for (left, right) in [
            ("http://h/a%2Fb", "http://h/a/b"),
            ("http://h/a//b", "http://h/a/b"),
            ("http://h//", "http://h/"),
            ("http://h/a/", "http://h/a"),
            ("http://h/%2B", "http://h/+"),
            ("http://h/?q=%2B", "http://h/?q=+"),
            ("http://h/?q=%20", "http://h/?q=+"),
            ("http://h/?q=a%26b", "http://h/?q=a&b"),
            ("http://h/?q=a%3Db", "http://h/?q=a=b"),
            ("http://h/?", "http://h/"),
            ("http://h/?a", "http://h/?a="),
            ("http://h/?a=1&b=2", "http://h/?b=2&a=1"),
            ("http://h/?a=1&a=2", "http://h/?a=2&a=1"),
            ("http://h/?a=1&", "http://h/?a=1"),
            ("http://h/%3Fa", "http://h/?a"),
            ("http://h/%23", "http://h/"),
            ("http://h/a;b", "http://h/a%3Bb"),
            ("http://h/A", "http://h/a"),
            ("http://h./", "http://h/"),
            ("http://h/", "https://h/"),
            ("http://h:8080/", "http://h/"),
            ("http://h:80/", "https://h:80/"),
            ("http://h/%2541", "http://h/A"),
            ("http://h/é", "http://h/%C3%A9"),
            ("http://[fe80::1%25eth0]/", "http://[fe80::1%25ETH0]/"),
            ("http://127.0.0.1/", "http://localhost/"),
        ] {
            check_apart(left, right);
        }
    }

    #[test]
    fn text_with_a_malformed_escape_is_kept() {
        for url in
            ["http://h/%", "http://h/%7", "http://h/%+1/../%7e", "http://h/a?%zz=%7e", "http://h/%%37e"]
        {
            assert_eq!(canonical(url), url);
        }
        check("http://h/%7e?%", "http://h/~?%");
    }

    #[test]
    fn ignored_parameters_are_dropped_and_the_others_keep_their_order() {
        let utm = &["utm_source", "utm id"];
        check_without(utm, "http://h/?b=1&utm_source=x&a=2&utm_source", "http://h/?b=1&a=2");
        check_without(utm, "http://h/?utm_source=x", "http://h/");
        check_without(utm, "http://h/?utm%5Fsource=x&utm+id=1&utm%20id=2", "http://h/");
        check_without(utm, "http://h/?UTM_SOURCE=x", "http://h/?UTM_SOURCE=x");
        check_without(utm, "http://h/?utm_source2=x", "http://h/?utm_source2=x");
        check_without(utm, "http://h/?q=utm_source=x", "http://h/?q=utm_source=x");
        check_without(utm, "http://h/?", "http://h/?");
        check_without(utm, "http://h/?%7e&utm_source", "http://h/?~");
        check_without(utm, "http://h/?%", "http://h/?%");
    }

    #[test]
    fn what_is_not_an_absolute_url_with_a_host_has_no_form() {
        for (url, expected) in [
            ("/a", Bypass::RelativeUrl),
            ("*", Bypass::RelativeUrl),
            ("example.com:80", Bypass::RelativeUrl),
            ("http://:80/", Bypass::InvalidAuthority),
            ("http://user@:80/", Bypass::InvalidAuthority),
            ("http://h:80x/", Bypass::InvalidAuthority),
            ("http://h:+80/", Bypass::InvalidAuthority),
            ("http://h:65536/", Bypass::InvalidAuthority),
            ("http://[::1]x:80/", Bypass::InvalidAuthority),
            ("http://x[::1]/", Bypass::InvalidAuthority),
        ] {
            match url.parse::<Uri>() {
                Ok(parsed) => assert_eq!(canonical_url(&parsed), Err(expected), "{url}"),
                Err(error) => panic!("{url} is not even a `Uri`: {error}"),
            }
        }
    }
}
