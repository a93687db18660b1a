//! The one schema that every codec serializes: a flat map of named fields.
//!
//! It holds nothing that nests in itself, so that no input can make a decoder recurse; and it is the only way
//! from bytes to a [`ResponseHead`], so that every value is validated here, once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version};
use larder_core::{BoxError, CacheKey, Hop, ResponseHead, Timestamp, Variant};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::Cause;
use crate::fields;

/// How deep an encoding nests: head, history, hop, fields, values; and some room for fields of later versions.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
pub(crate) const MAX_DEPTH: usize = 16;

/// The protocol versions and their names, as `version` holds them.
const VERSIONS: [(Version, &str); 5] = [
    (Version::HTTP_11, "HTTP/1.1"),
    (Version::HTTP_2, "HTTP/2"),
    (Version::HTTP_3, "HTTP/3"),
    (Version::HTTP_10, "HTTP/1.0"),
    (Version::HTTP_09, "HTTP/0.9"),
];

/// A head as it is serialized; its order is the order in which JSON shows it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Wire<'a> {
    method: Cow<'a, str>,
    url: Cow<'a, str>,
    status: u16,
    version: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    requested_at: i64,
    received_at: i64,
    created_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delete_at: Option<i64>,
    #[serde(serialize_with = "fields::serialize", deserialize_with = "fields::headers")]
    headers: Cow<'a, HeaderMap>,
    #[serde(
        default,
        skip_serializing_if = "fields::is_empty",
        serialize_with = "fields::serialize",
        deserialize_with = "fields::vary_fields"
    )]
    vary_fields: Cow<'a, HeaderMap>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "maps")]
    variants: Vec<WireVariant<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "maps")]
    history: Vec<WireHop<'a>>,
    #[serde(default, skip_serializing_if = "no_metadata")]
    metadata: Cow<'a, BTreeMap<String, String>>,
}

/// A variant as it is serialized.
#[derive(Serialize, Deserialize)]
struct WireVariant<'a> {
    nominated: Vec<Cow<'a, str>>,
    key: Cow<'a, str>,
}

/// A hop as it is serialized.
#[derive(Serialize, Deserialize)]
struct WireHop<'a> {
    method: Cow<'a, str>,
    url: Cow<'a, str>,
    status: u16,
    #[serde(serialize_with = "fields::serialize", deserialize_with = "fields::history_headers")]
    headers: Cow<'a, HeaderMap>,
}

/// What a map of named fields is deserialized to.
///
/// The derived code alone would also take an array of the fields in their order, which a later field would move.
pub(crate) struct FromMap<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedFields(PhantomData)).map(Self)
    }
}

struct NamedFields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedFields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of named fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn maps<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let maps = Vec::<FromMap<T>>::deserialize(deserializer)?;
    Ok(maps.into_iter().map(|FromMap(map)| map).collect())
}

impl<'a> Wire<'a> {
    /// Returns what to serialize of `head`; it fails on values that would not be read back the same.
    pub(crate) fn from_head(head: &'a ResponseHead) -> Result<Self, Cause> {
        let (_, version) = VERSIONS
            .iter()
            .find(|(version, _)| *version == head.version)
            .ok_or(Cause::Inexpressible("version"))?;
        Ok(Self {
            method: Cow::Borrowed(head.method.as_str()),
            url: Cow::Owned(uri_text(&head.url, "url")?),
            status: head.status.as_u16(),
            version: Cow::Borrowed(version),
            reason: head.reason.as_deref().map(Cow::Borrowed),
            requested_at: head.requested_at.as_millis(),
            received_at: head.received_at.as_millis(),
            created_at: head.created_at.as_millis(),
            expires_at: head.expires_at.map(Timestamp::as_millis),
            delete_at: head.delete_at.map(Timestamp::as_millis),
            headers: Cow::Borrowed(&head.headers),
            vary_fields: Cow::Borrowed(&head.vary_fields),
            variants: head.variants.iter().map(WireVariant::from_variant).collect(),
            history: head.history.iter().map(WireHop::from_hop).collect::<Result<_, _>>()?,
            metadata: Cow::Borrowed(&head.metadata),
        })
    }

    /// Returns the head that was serialized, its values validated.
    pub(crate) fn into_head(self) -> Result<ResponseHead, Cause> {
        let (version, _) = VERSIONS
            .iter()
            .find(|(_, name)| *name == self.version)
            .ok_or_else(|| invalid("version", "no such version of HTTP"))?;
        let method = method(&self.method, "method")?;
        let url = uri(self.url, "url")?;
        let status = status(self.status, "status")?;
        let received_at = Timestamp::from_millis(self.received_at);
        let mut head = ResponseHead::new(method, Uri::default(), status, received_at);
        // Set, because the constructor drops user information: what was encoded is what is decoded.
        head.url = url;
        head.version = *version;
        head.reason = self.reason.map(Cow::into_owned);
        head.headers = self.headers.into_owned();
        head.vary_fields = self.vary_fields.into_owned();
        head.variants = self.variants.into_iter().map(WireVariant::into_variant).collect::<Result<_, _>>()?;
        head.history = self.history.into_iter().map(WireHop::into_hop).collect::<Result<_, _>>()?;
        head.requested_at = Timestamp::from_millis(self.requested_at);
        head.created_at = Timestamp::from_millis(self.created_at);
        head.expires_at = self.expires_at.map(Timestamp::from_millis);
        head.delete_at = self.delete_at.map(Timestamp::from_millis);
        head.metadata = self.metadata.into_owned();
        Ok(head)
    }
}

impl<'a> WireVariant<'a> {
    fn from_variant(variant: &'a Variant) -> Self {
        Self {
            nominated: variant.nominated.iter().map(|name| Cow::Borrowed(name.as_str())).collect(),
            key: Cow::Borrowed(variant.key.as_str()),
        }
    }

    fn into_variant(self) -> Result<Variant, Cause> {
        let nominated = self.nominated.iter().map(|name| field_name(name, "variants.nominated"));
        let key = CacheKey::new(self.key).map_err(|error| invalid("variants.key", error))?;
        Ok(Variant::new(nominated.collect::<Result<_, _>>()?, key))
    }
}

impl<'a> WireHop<'a> {
    fn from_hop(hop: &'a Hop) -> Result<Self, Cause> {
        Ok(Self {
            method: Cow::Borrowed(hop.method.as_str()),
            url: Cow::Owned(uri_text(&hop.url, "history.url")?),
            status: hop.status.as_u16(),
            headers: Cow::Borrowed(&hop.headers),
        })
    }

    fn into_hop(self) -> Result<Hop, Cause> {
        let method = method(&self.method, "history.method")?;
        let url = uri(self.url, "history.url")?;
        let mut hop = Hop::new(method, Uri::default(), status(self.status, "history.status")?);
        hop.url = url;
        hop.headers = self.headers.into_owned();
        Ok(hop)
    }
}

/// Returns the text of `uri`, if that text is a URI again, and the same one.
///
/// A `Uri` that was put together from parts need not be: its path may lack the slash, its text may exceed what
/// the parser takes.
fn uri_text(uri: &Uri, field: &'static str) -> Result<String, Cause> {
    let text = uri.to_string();
    match text.parse::<Uri>() {
        Ok(parsed) if parsed == *uri => Ok(text),
        _ => Err(Cause::Inexpressible(field)),
    }
}

fn uri(text: Cow<'_, str>, field: &'static str) -> Result<Uri, Cause> {
    Uri::try_from(text.into_owned()).map_err(|error| invalid(field, error))
}

fn method(text: &str, field: &'static str) -> Result<Method, Cause> {
    Method::from_bytes(text.as_bytes()).map_err(|error| invalid(field, error))
}

fn field_name(text: &str, field: &'static str) -> Result<HeaderName, Cause> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|error| invalid(field, error))
}

fn status(code: u16, field: &'static str) -> Result<StatusCode, Cause> {
    StatusCode::from_u16(code).map_err(|error| invalid(field, error))
}

fn invalid(field: &'static str, source: impl Into<BoxError>) -> Cause {
    Cause::Invalid { field, source: source.into() }
}

fn no_metadata(metadata: &BTreeMap<String, String>) -> bool {
    metadata.is_empty()
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The smallest head, with `changes` made to it; null takes a field away.
    fn decode(changes: &Value) -> Result<ResponseHead, String> {
        let mut head = json!({
            "method": "GET", "url": "https://example.org/", "status": 200, "version": "HTTP/1.1",
            "requested_at": 1, "received_at": 2, "created_at": 3, "headers": {},
        });
        for (name, value) in changes.as_object().expect("changes are an object") {
            match value {
                Value::Null => head.as_object_mut().expect("a head is an object").remove(name),
                _ => head.as_object_mut().expect("a head is an object").insert(name.clone(), value.clone()),
            };
        }
        let FromMap::<Wire<'_>>(wire) = serde_json::from_value(head).map_err(|error| error.to_string())?;
        wire.into_head().map_err(|cause| cause.to_string())
    }

    #[test]
    fn absent_optional_fields_are_empty_and_unknown_ones_ignored() {
        let head = decode(&json!({})).unwrap();
        assert_eq!((head.reason, head.expires_at, head.delete_at), (None, None, None));
        assert!(
            head.vary_fields.is_empty()
                && head.variants.is_empty()
                && head.history.is_empty()
                && head.metadata.is_empty()
        );
        decode(&json!({"later": [{"nested": [1, 2.5, true]}]})).unwrap();
    }

    #[test]
    fn an_invalid_field_is_named() {
        let hop = |name: &str, value: Value| {
            let mut hop = json!({"method": "GET", "url": "/", "status": 302, "headers": {}});
            hop[name] = value;
            json!({ "history": [hop] })
        };
        let variant = |name: &str, value: Value| {
            let mut variant = json!({"nominated": ["accept"], "key": "k"});
            variant[name] = value;
            json!({ "variants": [variant] })
        };
        for (changes, complaint) in [
            (json!({"method": ""}), "the encoded method is not valid"),
            (json!({"method": "A B"}), "the encoded method is not valid"),
            (json!({"url": ""}), "the encoded url is not valid"),
            (json!({"url": "http://["}), "the encoded url is not valid"),
            (json!({"status": 99}), "the encoded status is not valid"),
            (json!({"status": 1000}), "the encoded status is not valid"),
            (json!({"version": "HTTP/4"}), "the encoded version is not valid"),
            (json!({"headers": {"": "x"}}), "headers: invalid field name"),
            (json!({"vary_fields": {"a": "\n"}}), "vary_fields: invalid value of `a`"),
            (variant("nominated", json!(["a", "a b"])), "the encoded variants.nominated is not valid"),
            (variant("nominated", json!([""])), "the encoded variants.nominated is not valid"),
            (variant("nominated", json!("accept")), "invalid type"),
            (variant("key", json!("../k")), "the encoded variants.key is not valid"),
            (variant("key", json!("")), "the encoded variants.key is not valid"),
            (variant("key", Value::Null), "invalid type"),
            (json!({"variants": [{"key": "k"}]}), "missing field"),
            (json!({"variants": [[["accept"], "k"]]}), "a map of named fields"),
            (hop("method", json!("é")), "the encoded history.method is not valid"),
            (hop("url", json!(" ")), "the encoded history.url is not valid"),
            (hop("status", json!(0)), "the encoded history.status is not valid"),
            (hop("headers", json!({"a b": ""})), "history.headers: invalid field name"),
        ] {
            let error = decode(&changes).unwrap_err();
            assert!(error.contains(complaint), "{changes}: {error}");
        }
    }

    #[test]
    fn a_head_needs_its_required_fields_and_their_types() {
        for name in
            ["method", "url", "status", "version", "requested_at", "received_at", "created_at", "headers"]
        {
            assert!(decode(&json!({ name: null })).unwrap_err().contains("missing field"), "{name}");
            assert!(decode(&json!({ name: 1.5 })).unwrap_err().contains("invalid type"), "{name}");
        }
    }
}
