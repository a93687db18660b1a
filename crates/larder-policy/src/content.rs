//! The content that a key covers: without the ignored parameters of forms and JSON objects.
//!
//! Only what is surely understood is looked into. Everything else counts byte for byte.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::url::form_decode;

/// Returns the content without the ignored parameters.
pub(crate) fn without_ignored<'a>(
    content: &'a [u8],
    headers: Option<&HeaderMap>,
    ignored: &BTreeSet<String>,
) -> Cow<'a, [u8]> {
    if ignored.is_empty() || content.is_empty() {
        return Cow::Borrowed(content);
    }
    let filtered = match Format::of(headers) {
        Some(Format::Form) => Some(form(content, ignored)),
        Some(Format::Json) => json(content, ignored),
        None => None,
    };
    filtered.map_or(Cow::Borrowed(content), Cow::Owned)
}

enum Format {
    Form,
    Json,
}

impl Format {
    /// Returns how the content is to be read, if the fields say so, once and without a coding.
    fn of(headers: Option<&HeaderMap>) -> Option<Self> {
        let headers = headers.filter(|headers| !headers.contains_key(CONTENT_ENCODING))?;
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let (Some(content_type), None) = (types.next(), types.next()) else { return None };
        let essence = content_type.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
        if essence == "application/x-www-form-urlencoded" {
            return Some(Self::Form);
        }
        (essence == "application/json" || essence.ends_with("+json")).then_some(Self::Json)
    }
}

fn form(content: &[u8], ignored: &BTreeSet<String>) -> Vec<u8> {
    let is_kept = |param: &&[u8]| {
        let name = param.split(|byte| *byte == b'=').next().unwrap_or_default();
        !ignored.contains(&form_decode(name))
    };
    content.split(|byte| *byte == b'&').filter(is_kept).collect::<Vec<_>>().join(&b'&')
}

/// Returns the object with the members that are kept, each as it was written; the white space between them, which
/// means nothing (RFC 8259, section 2), goes. `None` if it is not an object.
fn json(content: &[u8], ignored: &BTreeSet<String>) -> Option<Vec<u8>> {
    let members: Members<'_> = serde_json::from_slice(content).ok()?;
    let mut kept = Vec::new();
    for (name, value) in members.0 {
        let decoded: String = serde_json::from_str(name.get()).ok()?;
        if !ignored.contains(&decoded) {
            kept.push(format!("{}:{}", name.get(), value.get()));
        }
    }
    Some(format!("{{{}}}", kept.join(",")).into_bytes())
}

/// The members of an object, repeated names and all, in order.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn filtered(content_type: &str, content: &[u8]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a value"));
        let ignored = BTreeSet::from(["ts".to_owned(), "a b".to_owned()]);
        without_ignored(content, Some(&headers), &ignored).into_owned()
    }

    fn check(content_type: &str, content: &str, expected: &str) {
        let found = filtered(content_type, content.as_bytes());
        assert_eq!(String::from_utf8_lossy(&found), expected, "{content} as {content_type}");
        assert_eq!(filtered(content_type, &found), found, "the filtered form of {content} is its own");
    }

    #[test]
    fn parameters_of_a_form_are_left_out() {
        check(FORM, "b=1&ts=2&c=3&ts", "b=1&c=3");
        check("Application/X-WWW-Form-URLEncoded; charset=utf-8", "ts=2&b=%7e", "b=%7e");
        check(FORM, "t%73=1&a+b=1&a%20b=2&a%2Bb=3", "a%2Bb=3");
        check(FORM, "TS=1&tsx=2&q=ts=1", "TS=1&tsx=2&q=ts=1");
        check(FORM, "ts=1", "");
        check(FORM, "b=1&&c=%zz&", "b=1&&c=%zz&");
    }

    #[test]
    fn members_of_an_object_are_left_out_and_the_others_stay_as_they_are() {
        let json = "application/json";
        check(json, r#"{"b":1,"ts":2,"c":3}"#, r#"{"b":1,"c":3}"#);
        check(json, r#"{"ts":{"b":[1,2]},"b":1}"#, r#"{"b":1}"#);
        check(json, r#"{"ts":1}"#, "{}");
        check(json, " { \"b\" : 1 , \"ts\" : 2 }\n", r#"{"b":1}"#);
        check(
            json,
            r#"{"b":1.0e2,"c":0.10,"d":12345678901234567890123}"#,
            r#"{"b":1.0e2,"c":0.10,"d":12345678901234567890123}"#,
        );
        check(json, r#"{"c":1,"b":2,"c":3}"#, r#"{"c":1,"b":2,"c":3}"#);
        check(json, r#"{"\u0074s":1,"b":"\u0041"}"#, r#"{"b":"\u0041"}"#);
        check(json, r#"{"b":{"ts": 1}}"#, r#"{"b":{"ts": 1}}"#);
        check("application/problem+JSON; charset=utf-8", r#"{"ts":1}"#, "{}");
    }

    #[test]
    fn what_is_not_surely_understood_counts_as_it_is() {
        for content in
            [r#"{"ts":1"#, r#"[{"ts":1}]"#, r#"{"ts":1} x"#, "{ts:1}", "\"ts\"", r#"{"\ud800":1,"ts":1}"#]
        {
            check("application/json", content, content);
        }
        for content_type in
            ["text/plain", "multipart/form-data; boundary=ts", "application/jsonl", "application/xml"]
        {
            check(content_type, r#"{"ts":1}"#, r#"{"ts":1}"#);
            check(content_type, "ts=1&b=2", "ts=1&b=2");
        }
        let not_utf_8 = b"{\"b\":\"\xff\",\"ts\":1}";
        assert_eq!(filtered("application/json", not_utf_8), not_utf_8);
    }

    #[test]
    fn encoded_content_and_content_of_two_types_is_not_looked_into() {
        let ignored = BTreeSet::from(["ts".to_owned()]);
        let mut headers = HeaderMap::new();
        assert_eq!(without_ignored(b"ts=1", None, &ignored), &b"ts=1"[..]);
        assert_eq!(without_ignored(b"ts=1", Some(&headers), &ignored), &b"ts=1"[..]);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        assert_eq!(without_ignored(b"ts=1", Some(&headers), &ignored), &b""[..]);
        assert_eq!(without_ignored(b"ts=1", Some(&headers), &BTreeSet::new()), &b"ts=1"[..]);
        let mut encoded = headers.clone();
        encoded.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(without_ignored(b"ts=1", Some(&encoded), &ignored), &b"ts=1"[..]);
        headers.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(without_ignored(b"ts=1", Some(&headers), &ignored), &b"ts=1"[..]);
    }

    #[test]
    fn deep_nesting_is_no_recursion() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let content = format!("{{\"ts\":1,\"b\":{deep}}}");
        let found = filtered("application/json", content.as_bytes());
        assert!(found.len() >= deep.len(), "{}", found.len());
    }

    proptest! {
        #[test]
        fn contents_are_equal_without_the_ignored_exactly_if_their_members_are(
            left in members(),
            right in members(),
        ) {
            let kept = |members: &[(&'static str, &'static str)]| {
                let kept = members.iter().filter(|(name, _)| *name != "ts");
                kept.copied().collect::<Vec<_>>()
            };
            let is_same = kept(&left) == kept(&right);
            let json = |members: &[(&str, &str)]| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                filtered("application/json", format!("{{{}}}", members.join(" ,")).as_bytes())
            };
            prop_assert_eq!(json(&left) == json(&right), is_same);
        }

        #[test]
        fn any_content_is_filtered(content in proptest::collection::vec(any::<u8>(), 0..40)) {
            for content_type in [FORM, "application/json"] {
                let once = filtered(content_type, &content);
                prop_assert_eq!(filtered(content_type, &once), once);
            }
        }
    }

    fn members() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
        let name = prop::sample::select(vec!["a", "b", "ts"]);
        let value = prop::sample::select(vec!["1", "1.0", "\"1\"", "{\"ts\":1}", "[1,2]", "null"]);
        proptest::collection::vec((name, value), 0..4)
    }
}
