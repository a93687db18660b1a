//! Header fields as a map of each name to its value, or to an array of its values when there are several.
//!
//! Formats for machines hold a value as bytes. Formats for people hold it as text whose characters are its
//! bytes (ISO-8859-1), which is plain text for nearly every value and loses nothing for the others.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

pub(crate) fn is_empty(fields: &HeaderMap) -> bool {
    fields.is_empty()
}

pub(crate) fn serialize<S: Serializer>(fields: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.keys_len()))?;
    for name in fields.keys() {
        map.serialize_entry(name.as_str(), &Values { fields, name })?;
    }
    map.end()
}

/// The values of the field `name`.
struct Values<'a> {
    fields: &'a HeaderMap,
    name: &'a HeaderName,
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.fields.get_all(self.name);
        let mut first = values.iter();
        if let (Some(only), None) = (first.next(), first.next()) {
            return Value(only).serialize(serializer);
        }
        let mut seq = serializer.serialize_seq(Some(values.iter().count()))?;
        for value in values {
            seq.serialize_element(&Value(value))?;
        }
        seq.end()
    }
}

struct Value<'a>(&'a HeaderValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.as_bytes();
        if !serializer.is_human_readable() {
            serializer.serialize_bytes(bytes)
        } else if let Ok(ascii) = self.0.to_str() {
            serializer.serialize_str(ascii)
        } else {
            serializer.serialize_str(&bytes.iter().copied().map(char::from).collect::<String>())
        }
    }
}

/// Deserializes the fields of the response.
pub(crate) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, HeaderMap>, D::Error> {
    deserialize("headers", deserializer)
}

/// Deserializes the fields of the request that `Vary` nominates.
pub(crate) fn vary_fields<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, HeaderMap>, D::Error> {
    deserialize("vary_fields", deserializer)
}

/// Deserializes the fields of a redirect.
pub(crate) fn history_headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, HeaderMap>, D::Error> {
    deserialize("history.headers", deserializer)
}

fn deserialize<'de, D: Deserializer<'de>>(
    within: &'static str,
    deserializer: D,
) -> Result<Cow<'static, HeaderMap>, D::Error> {
    let text = deserializer.is_human_readable();
    deserializer.deserialize_map(Fields { within, text }).map(Cow::Owned)
}

/// More fields than most responses have.
const USUAL: usize = 32;

/// Builds the map; its capacity follows what was read, and a length that the input claims only if that is usual.
struct Fields {
    within: &'static str,
    text: bool,
}

impl<'de> Visitor<'de> for Fields {
    type Value = HeaderMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a map of field names to values", self.within)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderMap, A::Error> {
        let mut fields = HeaderMap::with_capacity(map.size_hint().unwrap_or(0).min(USUAL));
        while let Some(name) = map.next_key_seed(Name { within: self.within })? {
            map.next_value_seed(Append {
                fields: &mut fields,
                name: &name,
                within: self.within,
                text: self.text,
                in_list: false,
            })?;
        }
        Ok(fields)
    }
}

/// Takes the name of a field.
struct Name {
    within: &'static str,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = HeaderName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderName, D::Error> {
        deserializer.deserialize_string(self)
    }
}

impl Visitor<'_> for Name {
    type Value = HeaderName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a field name", self.within)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<HeaderName, E> {
        HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| E::custom(format_args!("{}: invalid field name", self.within)))
    }
}

/// Takes one value, or an array of them, and appends to `fields`.
///
/// An array within an array is refused, so that the values cannot nest.
struct Append<'a> {
    fields: &'a mut HeaderMap,
    name: &'a HeaderName,
    within: &'static str,
    text: bool,
    in_list: bool,
}

impl Append<'_> {
    fn append<E: de::Error>(self, value: &[u8]) -> Result<(), E> {
        let Self { fields, name, within, .. } = self;
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| E::custom(format_args!("{within}: invalid value of `{name}`")))?;
        match fields.try_append(name.clone(), value) {
            Ok(_) => Ok(()),
            Err(_) => Err(E::custom(format_args!("{within}: too many fields"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Append<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text { "text" } else { "bytes" };
        write!(f, "{}: the value of `{}` as {kind}", self.within, self.name)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        if !self.text {
            return Err(E::invalid_type(de::Unexpected::Str(value), &self));
        }
        if value.is_ascii() {
            return self.append(value.as_bytes());
        }
        match value.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>() {
            Ok(bytes) => self.append(&bytes),
            Err(_) => Err(E::custom(format_args!(
                "{}: a character above U+00FF in the value of `{}`",
                self.within, self.name
            ))),
        }
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<(), E> {
        self.append(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { fields, name, within, text, in_list } = self;
        if in_list {
            return Err(de::Error::custom(format_args!("{within}: an array in the values of `{name}`")));
        }
        let mut count = 0_usize;
        while let Some(()) =
            seq.next_element_seed(Append { fields: &mut *fields, name, within, text, in_list: true })?
        {
            count += 1;
        }
        if count == 0 {
            return Err(de::Error::custom(format_args!("{within}: no value of `{name}`")));
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<HeaderMap, String> {
        headers(&mut serde_json::Deserializer::from_str(json))
            .map(Cow::into_owned)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_value_is_itself_and_several_are_an_array() {
        let mut fields = HeaderMap::new();
        fields.append("set-cookie", HeaderValue::from_static("a=1"));
        fields.append("vary", HeaderValue::from_static("accept"));
        fields.append("set-cookie", HeaderValue::from_static("b=2"));
        let mut json = Vec::new();
        serialize(&fields, &mut serde_json::Serializer::new(&mut json)).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, r#"{"set-cookie":["a=1","b=2"],"vary":"accept"}"#);
        assert_eq!(parse(&json).unwrap(), fields);
    }

    #[test]
    fn bytes_beyond_ascii_are_the_characters_of_their_number() {
        let mut fields = HeaderMap::new();
        fields.append("x", HeaderValue::from_bytes(b"caf\xe9 \x80\xff").unwrap());
        let mut json = Vec::new();
        serialize(&fields, &mut serde_json::Serializer::new(&mut json)).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, "{\"x\":\"caf\u{e9} \u{80}\u{ff}\"}");
        assert_eq!(parse(&json).unwrap(), fields);
    }

    #[test]
    fn what_is_not_a_field_is_named() {
        for (json, complaint) in [
            (r#"{"a b":"x"}"#, "headers: invalid field name"),
            (r#"{"":"x"}"#, "headers: invalid field name"),
            (r#"{"a":"x\ny"}"#, "headers: invalid value of `a`"),
            (r#"{"a":"\u0100"}"#, "headers: a character above U+00FF in the value of `a`"),
            (r#"{"a":[]}"#, "headers: no value of `a`"),
            (r#"{"a":[["x"]]}"#, "headers: an array in the values of `a`"),
            (r#"{"a":1}"#, "headers: the value of `a` as text"),
            ("[]", "headers: a map of field names to values"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(complaint), "{json}: {error}");
        }
    }
}
