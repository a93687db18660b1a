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
