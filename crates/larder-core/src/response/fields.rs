//! Header fields parsed: `Link` (RFC 8288), `Set-Cookie` (RFC 6265), `Content-Disposition` (RFC 6266).
//!
//! A field that does not parse is left out: these are conveniences, and the raw fields are there.

use std::collections::BTreeMap;

use http::{HeaderName, header};
use nom_rfc8288::complete::{LinkDataOwned, LinkParamOwned, link_lenient};
use percent_encoding::percent_decode_str;

use super::CachedResponse;

/// One link of a `Link` field (RFC 8288, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The target, as sent; it may be relative to the response's URL.
    pub target: String,
    /// The relation types of `rel`, in lower case.
    pub rels: Vec<String>,
    /// The parameters, by name in lower case; the first of a repeated one.
    pub params: BTreeMap<String, String>,
}

/// One cookie of a `Set-Cookie` field, as the server sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The `Domain` attribute.
    pub domain: Option<String>,
    /// The `Path` attribute.
    pub path: Option<String>,
    /// Whether the `Secure` attribute is there.
    pub secure: bool,
    /// Whether the `HttpOnly` attribute is there.
    pub http_only: bool,
}

/// A `Content-Disposition` field (RFC 6266).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentDisposition {
    /// The disposition type, in lower case: `inline`, `attachment` or another.
    pub kind: String,
    /// The file name; `filename*` goes before `filename`. Anybody's text: it may hold path separators.
    pub filename: Option<String>,
    /// The parameters, by name in lower case, as sent.
    pub params: BTreeMap<String, String>,
}

impl CachedResponse {
    /// Returns the links of every `Link` field, in order (RFC 8288).
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.texts(header::LINK)
            .filter_map(|text| link_lenient(text).ok())
            .flatten()
            .flatten()
            .map(|link| Link::from_parsed(link.to_owned()))
            .collect()
    }

    /// Returns the cookies of every `Set-Cookie` field, in order (RFC 6265, section 4.1).
    #[must_use]
    pub fn cookies(&self) -> Vec<Cookie> {
        self.texts(header::SET_COOKIE)
            .filter_map(|text| cookie::Cookie::parse(text).ok())
            .map(|cookie| Cookie {
                name: cookie.name().to_owned(),
                value: cookie.value().to_owned(),
                domain: cookie.domain().map(str::to_owned),
                path: cookie.path().map(str::to_owned),
                secure: cookie.secure().unwrap_or(false),
                http_only: cookie.http_only().unwrap_or(false),
            })
            .collect()
    }

    /// Returns the `Content-Disposition` field, if there is one (RFC 6266).
    #[must_use]
    pub fn content_disposition(&self) -> Option<ContentDisposition> {
        let text = self.texts(header::CONTENT_DISPOSITION).next()?;
        let (kind, params) = text.split_once(';').unwrap_or((text, ""));
        // Its parameters have the grammar of a link's (RFC 6266, section 4.1; RFC 8288, section 3).
        let params = link_lenient(&format!("<>;{params}"))
            .ok()
            .and_then(|links| links.into_iter().flatten().next().map(|link| by_name(link.to_owned().params)))
            .unwrap_or_default();
        let filename = params
            .get("filename*")
            .and_then(|value| decode_extended(value))
            .or_else(|| params.get("filename").cloned());
        Some(ContentDisposition { kind: kind.trim().to_ascii_lowercase(), filename, params })
    }

    fn texts(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.head.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    }
}

impl Link {
    fn from_parsed(link: LinkDataOwned) -> Self {
        let params = by_name(link.params);
        let rels = params.get("rel").map_or("", String::as_str).to_ascii_lowercase();
        Self { target: link.url, rels: rels.split_ascii_whitespace().map(str::to_owned).collect(), params }
    }
}

fn by_name(params: Vec<LinkParamOwned>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for param in params {
        map.entry(param.key.to_ascii_lowercase()).or_insert(param.val.unwrap_or_default());
    }
    map
}

/// Decodes an extended parameter value in UTF-8, the one charset that must be understood (RFC 8187, section 3.2).
fn decode_extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    percent_decode_str(encoded).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, ResponseHead, Timestamp};
    use http::{HeaderValue, Method, StatusCode, Uri};

    fn with_fields(name: &HeaderName, values: &[&'static str]) -> CachedResponse {
        let mut head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        for value in values {
            head.headers.append(name, HeaderValue::from_static(value));
        }
        CachedResponse::new(head, Body::empty())
    }

    #[test]
    fn links_of_every_field_are_parsed() {
        let fields =
            [r#"</a?b=1,2>; rel="next Last"; title="x, y", </b>; rel=prev"#, "no link at all", "</c>"];
        let links = with_fields(&header::LINK, &fields).links();
        let targets: Vec<_> = links.iter().map(|link| link.target.as_str()).collect();
        assert_eq!(targets, ["/a?b=1,2", "/b", "/c"]);
        assert_eq!(links[0].rels, ["next", "last"]);
        assert_eq!(links[0].params["title"], "x, y");
    }

    #[test]
    fn cookies_keep_their_attributes() {
        let cookies = with_fields(
            &header::SET_COOKIE,
            &["a=1; Path=/x; Secure; HttpOnly", "b=2; Domain=example.org", "="],
        );
        let cookies = cookies.cookies();
        assert_eq!(cookies.len(), 2);
        assert_eq!(
            (cookies[0].path.as_deref(), cookies[0].secure, cookies[0].http_only),
            (Some("/x"), true, true)
        );
        assert_eq!(cookies[1].domain.as_deref(), Some("example.org"));
    }

    #[test]
    fn a_content_disposition_gives_its_file_name() {
        #[track_caller]
        fn check(value: &'static str, kind: &str, filename: Option<&str>) {
            let parsed = with_fields(&header::CONTENT_DISPOSITION, &[value]).content_disposition();
            let parsed = parsed.expect("a disposition");
            assert_eq!((parsed.kind.as_str(), parsed.filename.as_deref()), (kind, filename), "{value}");
        }
        check("inline", "inline", None);
        check("Attachment; filename=a.txt", "attachment", Some("a.txt"));
        check(r#"attachment; filename="a; \"b\".txt""#, "attachment", Some(r#"a; "b".txt"#));
        check(
            "attachment; filename=plain; filename*=UTF-8''na%C3%AFve%20file",
            "attachment",
            Some("naïve file"),
        );
        check("attachment; filename=plain; filename*=unknown''x", "attachment", Some("plain"));
    }
}
