//! `Vary` (RFC 9111, section 4.1): which fields of the request a response was selected by, and whether they are equal.
//!
//! A credential among them is kept as a digest, for what is stored is not the place for it.

use http::header::{
    ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, VARY,
};
use http::{HeaderMap, HeaderValue};
use larder_core::CacheKey;

use crate::canonical::DigestInput;
use crate::fields::{list_members, values};

const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// How many names `Vary` may nominate before it counts as `*`.
const MOST_NAMES: usize = 64;

/// The response varies on something else than fields of the request, or nobody can say on what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VariesOnAny;

/// Returns the names that the response's `Vary` nominates, each once.
pub(crate) fn nominated(response: &HeaderMap) -> Result<Vec<HeaderName>, VariesOnAny> {
    let mut names = Vec::new();
    for member in list_members(response.get_all(VARY)) {
        if member == b"*" {
            return Err(VariesOnAny);
        }
        if names.len() == MOST_NAMES {
            return Err(VariesOnAny);
        }
        names.push(HeaderName::from_bytes(member).map_err(|_| VariesOnAny)?);
    }
    in_order(&mut names);
    Ok(names)
}

/// Brings names into the one order that they are compared in, each once.
pub(crate) fn in_order(names: &mut Vec<HeaderName>) {
    names.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
    names.dedup();
}

/// Returns the request's fields of these names, as they are stored.
pub(crate) fn selecting(request: Option<&HeaderMap>, names: &[HeaderName]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for name in names {
        for value in stored_values(request, name) {
            fields.append(name.clone(), value);
        }
    }
    fields
}

/// Returns whether `request` has the same fields of these names as the request that a response was selected by.
pub(crate) fn matches(request: Option<&HeaderMap>, names: &[HeaderName], stored: &HeaderMap) -> bool {
    names.iter().all(|name| {
        let sent = normalised(name, stored_values(request, name).iter().map(HeaderValue::as_bytes));
        normalised(name, values(Some(stored), name)) == sent
    })
}

/// Returns the key of the response that is selected by the request's fields of these names, beside `primary`.
pub(crate) fn variant_key(primary: &CacheKey, request: Option<&HeaderMap>, names: &[HeaderName]) -> CacheKey {
    let mut input = DigestInput::default();
    input.push(b'K', primary.as_str().as_bytes());
    for name in names {
        input.push(b'N', name.as_str().as_bytes());
        let sent = stored_values(request, name);
        if let Some(value) = normalised(name, sent.iter().map(HeaderValue::as_bytes)) {
            input.push(b'V', &value);
        }
    }
    input.digest()
}

fn stored_values(request: Option<&HeaderMap>, name: &HeaderName) -> Vec<HeaderValue> {
    let sent = values(request, name);
    if !CREDENTIALS.contains(name) {
        return sent.filter_map(|value| HeaderValue::from_bytes(value).ok()).collect();
    }
    let mut input = DigestInput::default();
    for value in sent {
        input.push(b'V', value);
    }
    let digest = || HeaderValue::from_str(&format!("sha-256 {}", input.digest())).ok();
    if input.is_empty() { Vec::new() } else { digest().into_iter().collect() }
}

/// Returns the field in a form in which what means the same is the same, `None` if it was not sent: its lines combined,
/// without white space around commas, and languages and codings in alphabetical order, since theirs means nothing
/// (RFC 9111, section 4.1; RFC 9110, sections 5.3 and 12.5).
fn normalised<'a>(name: &HeaderName, lines: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut lines = lines.peekable();
    lines.peek()?;
    let mut members: Vec<Vec<u8>> = lines.flat_map(members).map(<[u8]>::to_vec).collect();
    if matches!(*name, ACCEPT_LANGUAGE | ACCEPT_ENCODING) {
        for member in &mut members {
            member.make_ascii_lowercase();
            member.retain(|byte| !matches!(byte, b' ' | b'\t'));
        }
        members.retain(|member| !member.is_empty());
        members.sort_unstable();
    }
    Some(members.join(&b','))
}

/// Splits a line at its commas that are not in quotes, and drops the white space around the parts.
fn members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_end = move |byte: &u8| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b',' => return !is_quoted,
            _ => {}
        }
        false
    };
    line.split(is_end).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &HeaderName, one: &[&'static str], other: &[&'static str], expected: bool) {
        let mut headers = (HeaderMap::new(), HeaderMap::new());
        for (headers, lines) in [(&mut headers.0, one), (&mut headers.1, other)] {
            for line in lines {
                headers.append(name, HeaderValue::from_static(line));
            }
        }
        let names = [name.clone()];
        let stored = selecting(Some(&headers.0), &names);
        assert_eq!(matches(Some(&headers.1), &names, &stored), expected, "{name}: {one:?} {other:?}");
        let key = |headers| variant_key(&CacheKey::digest("k"), Some(headers), &names);
        assert_eq!(key(&headers.0) == key(&headers.1), expected, "{name}: {one:?} {other:?}");
    }

    #[test]
    fn fields_that_mean_the_same_select_the_same() {
        let foo = HeaderName::from_static("foo");
        check(&foo, &["1, 2"], &["1,2"], true);
        check(&foo, &["1, 2"], &["1", "2"], true);
        check(&foo, &["\"a, b\""], &["\"a,b\""], false);
        check(&foo, &["\"a\\\", b\", c"], &["\"a\\\", b\",c"], true);
        check(&foo, &["1 2"], &["12"], false);
        check(&foo, &["a"], &["A"], false);
        check(&foo, &["1, 2"], &["2, 1"], false);
        check(&foo, &[""], &[], false);
        check(&foo, &[], &[], true);
        check(&ACCEPT_LANGUAGE, &["en, de"], &["DE,en"], true);
        check(&ACCEPT_LANGUAGE, &["en;q=0.5, de"], &["de", "en; q=0.5"], true);
        check(&ACCEPT_LANGUAGE, &["en;q=0.5, de"], &["en, de;q=0.5"], false);
        check(&ACCEPT_ENCODING, &["gzip, br"], &["br, gzip"], true);
        check(&COOKIE, &["a=1"], &["a=2"], false);
    }
}
