//! What the tests share: every codec and compression that is compiled in, and arbitrary heads.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::{ACCEPT_LANGUAGE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use larder_core::{CacheKey, Codec, Compression, Hop, ResponseHead, Timestamp, Variant};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Every codec that is compiled in.
pub(crate) fn codecs() -> Vec<Arc<dyn Codec>> {
    let codecs: [Arc<dyn Codec>; _] = [
        #[cfg(feature = "msgpack")]
        Arc::new(larder_codec::MessagePack),
        #[cfg(feature = "json")]
        Arc::new(larder_codec::Json),
        #[cfg(feature = "cbor")]
        Arc::new(larder_codec::Cbor),
    ];
    Vec::from(codecs)
}

/// Every compression that is compiled in.
pub(crate) fn compressions() -> Vec<Arc<dyn Compression>> {
    let compressions: [Arc<dyn Compression>; _] = [
        #[cfg(feature = "zstd")]
        Arc::new(larder_codec::Zstd::default()),
        #[cfg(feature = "lz4")]
        Arc::new(larder_codec::Lz4::default()),
    ];
    Vec::from(compressions)
}

/// The bytes that `codec` encodes `head` to.
pub(crate) fn encode(codec: &dyn Codec, head: &ResponseHead) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec.encode(head, &mut bytes).unwrap_or_else(|error| panic!("{}: {error}: {head:?}", codec.name()));
    bytes
}

/// One head with something in every field.
pub(crate) fn full_head() -> ResponseHead {
    let url = Uri::from_static("https://example.org/caf%C3%A9?q=a&q=b");
    let now = Timestamp::from_millis(1_700_000_000_123);
    let mut head = ResponseHead::new(Method::GET, url, StatusCode::OK, now);
    head.version = Version::HTTP_2;
    head.reason = Some("Très bien".to_owned());
    head.requested_at = Timestamp::from_millis(1_699_999_999_999);
    head.created_at = Timestamp::from_millis(-1);
    head.expires_at = Some(Timestamp::from_millis(1_700_003_600_123));
    head.delete_at = Some(Timestamp::from_millis(1_700_086_400_123));
    for (name, value) in [
        ("content-type", b"text/html; charset=utf-8".as_slice()),
        ("set-cookie", b"a=1; Path=/"),
        ("x-latin", b"caf\xe9 \x80\xff\ttab"),
        ("set-cookie", b"b=\"2\""),
        ("x-empty", b""),
        ("set-cookie", b"a=1; Path=/"),
    ] {
        head.headers.append(name, HeaderValue::from_bytes(value).expect("a field value"));
    }
    head.vary_fields.append("accept-language", HeaderValue::from_static("fr, en;q=0.5"));
    for (nominated, key) in
        [(vec![ACCEPT_LANGUAGE], "0f2d.v-de"), (vec![ACCEPT_LANGUAGE, ORIGIN], "0f2d.v-it"), (vec![], "A_")]
    {
        head.variants.push(Variant::new(nominated, CacheKey::new(key).expect("a cache key")));
    }
    for (method, url, status) in [
        (Method::POST, "http://example.org/old", StatusCode::SEE_OTHER),
        (Method::from_bytes(b"FETCH").expect("a token"), "http://example.org/", StatusCode::FOUND),
    ] {
        let mut hop = Hop::new(method, Uri::from_static(url), status);
        hop.headers.append("location", HeaderValue::from_static("/next"));
        head.history.push(hop);
    }
    head.metadata.insert("note".to_owned(), "emoji \u{1F980}, line\nbreak".to_owned());
    head.metadata.insert(String::new(), String::new());
    head
}

/// Any head that the types admit, but for its size.
pub(crate) fn heads() -> impl Strategy<Value = ResponseHead> {
    let request = (methods(), uris(), statuses(), versions(), option::of(any::<String>()));
    let times =
        (any::<i64>(), any::<i64>(), any::<i64>(), option::of(any::<i64>()), option::of(any::<i64>()));
    let rest = (fields(), fields(), vec(variants(), 0..4), vec(hops(), 0..4), metadata());
    (request, times, rest).prop_map(|(request, times, rest)| {
        let (method, url, status, version, reason) = request;
        let mut head = ResponseHead::new(method, Uri::default(), status, Timestamp::from_millis(times.0));
        // The constructors drop user information; a codec does not.
        head.url = url;
        (head.version, head.reason) = (version, reason);
        head.requested_at = Timestamp::from_millis(times.1);
        head.created_at = Timestamp::from_millis(times.2);
        head.expires_at = times.3.map(Timestamp::from_millis);
        head.delete_at = times.4.map(Timestamp::from_millis);
        (head.headers, head.vary_fields, head.variants, head.history, head.metadata) = rest;
        head
    })
}

fn variants() -> impl Strategy<Value = Variant> {
    (vec(names(), 0..4), "[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
        .prop_map(|(nominated, key)| Variant::new(nominated, CacheKey::new(key).expect("a cache key")))
}

fn hops() -> impl Strategy<Value = Hop> {
    (methods(), uris(), statuses(), fields()).prop_map(|(method, url, status, headers)| {
        let mut hop = Hop::new(method, Uri::default(), status);
        (hop.url, hop.headers) = (url, headers);
        hop
    })
}

fn methods() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::GET),
        Just(Method::HEAD),
        Just(Method::PATCH),
        "[A-Za-z!#$%&'*+.^_`|~-]{1,40}"
            .prop_map(|token| Method::from_bytes(token.as_bytes()).expect("a token")),
    ]
}

fn uris() -> impl Strategy<Value = Uri> {
    prop_oneof![
        Just("/".to_owned()),
        Just("*".to_owned()),
        "(http|https|HTTP|foo\\+bar)://([a-z]{1,4}(:[a-z]{0,3})?@)?([a-zA-Z0-9.-]{1,20}|\\[::1\\])(:[0-9]{1,4})?(/[!-~&&[^#]]{0,30})?",
        "[a-z.]{1,20}(:[0-9]{1,4})?",
        "/[!-~&&[^#]]{0,200}",
        "[!-~]{1,20}",
    ]
    .prop_filter_map("not a URI", |text| text.parse().ok())
}

fn statuses() -> impl Strategy<Value = StatusCode> {
    (100_u16..1000).prop_map(|code| StatusCode::from_u16(code).expect("three digits"))
}

fn versions() -> impl Strategy<Value = Version> {
    use Version as V;
    prop::sample::select(vec![V::HTTP_09, V::HTTP_10, V::HTTP_11, V::HTTP_2, V::HTTP_3])
}

fn names() -> impl Strategy<Value = HeaderName> {
    prop_oneof![
        prop::sample::select(vec!["set-cookie", "vary", "etag", "via"]).prop_map(HeaderName::from_static),
        "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
            .prop_map(|name| HeaderName::from_bytes(name.as_bytes()).expect("a token")),
    ]
}

fn fields() -> impl Strategy<Value = HeaderMap> {
    let byte = prop_oneof![4 => 0x20_u8..0x7f, 1 => Just(b'\t'), 1 => 0x80_u8..=0xff];
    let value = prop_oneof![8 => vec(byte.clone(), 0..30), 1 => vec(byte, 250..300)]
        .prop_map(|bytes| HeaderValue::from_bytes(&bytes).expect("a field value"));
    vec((names(), value), 0..12).prop_map(|pairs| {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(name, value);
        }
        fields
    })
}

fn metadata() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(any::<String>(), any::<String>(), 0..4)
}
