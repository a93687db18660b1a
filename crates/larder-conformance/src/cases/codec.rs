//! What one serialization format does: it gives back what it was given, and takes any bytes.

use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use larder_core::{Codec, ErrorKind, ResponseHead, Timestamp};

use crate::failure::{Verdict, ensure, equal};
use crate::samples::{NOW, append, full_head, hop, noise};

fn plain() -> ResponseHead {
    ResponseHead::new(Method::GET, Uri::from_static("https://example.org/"), StatusCode::OK, NOW)
}

fn with(change: impl FnOnce(&mut ResponseHead)) -> ResponseHead {
    let mut head = plain();
    change(&mut head);
    head
}

fn encoded(codec: &dyn Codec, head: &ResponseHead) -> Verdict<Vec<u8>> {
    let mut bytes = Vec::new();
    codec.encode(head, &mut bytes)?;
    Ok(bytes)
}

fn round_trip(codec: &dyn Codec, heads: impl IntoIterator<Item = ResponseHead>, contract: &str) -> Verdict {
    for head in heads {
        let decoded = codec.decode(&encoded(codec, &head)?)?;
        equal(decoded, head, contract)?;
    }
    Ok(())
}

/// Fails unless `bytes` are refused as corrupt, or are a head by chance.
fn refused_or_decoded(codec: &dyn Codec, bytes: &[u8]) -> Verdict {
    match codec.decode(bytes) {
        Ok(_) => Ok(()),
        Err(error) => equal(error.kind(), ErrorKind::Corrupt, "bytes that are no head are Corrupt"),
    }
}

pub(crate) fn a_plain_head_round_trips(codec: &dyn Codec) -> Verdict {
    round_trip(codec, [plain()], "a head is decoded to what was encoded")
}

pub(crate) fn every_field_round_trips(codec: &dyn Codec) -> Verdict {
    round_trip(codec, [full_head()], "every field is decoded to what was encoded")
}

pub(crate) fn field_values_round_trip(codec: &dyn Codec) -> Verdict {
    let obs_text: Vec<u8> = (0x80..=0xff).collect();
    let head = with(|head| {
        append(
            &mut head.headers,
            &[("x-b", &obs_text), ("x-a", b""), ("x-b", b"2"), ("x-b", b""), ("x-a", b"1")],
        );
        append(&mut head.vary_fields, &[("x-b", b"caf\xe9"), ("x-b", b"a\tb")]);
    });
    round_trip(codec, [head], "every field value is kept, in order, whatever bytes it has")
}

pub(crate) fn heads_with_many_fields_round_trip(codec: &dyn Codec) -> Verdict {
    let head = with(|head| {
        for i in 0..500_u32 {
            let name = HeaderName::try_from(format!("x-field-{i}")).expect("a valid name");
            head.headers.append(name, HeaderValue::from(i));
        }
        append(&mut head.headers, &[("x-long", &b"v".repeat(40_000))]);
        head.history = vec![hop("http://example.org/", StatusCode::FOUND, "/next"); 50];
    });
    round_trip(codec, [head], "a head of many and long fields is kept whole")
}

pub(crate) fn methods_statuses_and_versions_round_trip(codec: &dyn Codec) -> Verdict {
    let purge = Method::from_bytes(b"PURGE").expect("a token");
    let heads = [Method::HEAD, Method::POST, purge].map(|method| with(|head| head.method = method));
    let statuses = (100..1_000)
        .map(|status| with(|head| head.status = StatusCode::from_u16(status).expect("three digits")));
    let versions = [Version::HTTP_09, Version::HTTP_10, Version::HTTP_2, Version::HTTP_3];
    let versions = versions.map(|version| with(|head| head.version = version));
    round_trip(
        codec,
        heads.into_iter().chain(statuses).chain(versions),
        "method, status and version are kept",
    )
}

pub(crate) fn times_round_trip(codec: &dyn Codec) -> Verdict {
    let heads = [0, 1, -1, 1_700_000_000_123, i64::MIN, i64::MAX].map(|millis| {
        with(|head| {
            head.requested_at = Timestamp::from_millis(millis);
            head.expires_at = Some(Timestamp::from_millis(millis));
        })
    });
    round_trip(codec, heads, "times are kept to the millisecond")
}

pub(crate) fn text_round_trips(codec: &dyn Codec) -> Verdict {
    let texts = ["", " ", "\"\\\n\r\t\0", "\u{1f9fa}\u{7f}\u{2028}", &"long".repeat(10_000)];
    let heads = texts.map(|text| {
        with(|head| {
            head.reason = Some(text.to_owned());
            head.metadata.insert(text.to_owned(), text.to_owned());
            head.metadata.insert("a".into(), String::new());
        })
    });
    round_trip(codec, heads, "reason and metadata are kept, whatever text they are")
}

pub(crate) fn encoding_appends(codec: &dyn Codec) -> Verdict {
    let alone = encoded(codec, &full_head())?;
    let mut out = b"before".to_vec();
    codec.encode(&full_head(), &mut out)?;
    let contract = "encode appends to what is there";
    ensure(out.starts_with(b"before"), contract, "the bytes that were there are gone")?;
    equal(codec.decode(&out[6..])?, codec.decode(&alone)?, contract)
}

pub(crate) fn truncations_are_refused(codec: &dyn Codec) -> Verdict {
    let bytes = encoded(codec, &full_head())?;
    for len in 0..bytes.len() {
        let kind = codec.decode(&bytes[..len]).err().map(|error| error.kind());
        equal(kind, Some(ErrorKind::Corrupt), "the beginning of an encoding is Corrupt")
            .map_err(|failure| failure.with(format_args!("{len} of {} bytes", bytes.len())))?;
    }
    Ok(())
}

pub(crate) fn what_follows_the_encoding_is_refused(codec: &dyn Codec) -> Verdict {
    let bytes = encoded(codec, &full_head())?;
    for more in [&b"\0"[..], b"x", &bytes] {
        let kind = codec.decode(&[&bytes, more].concat()).err().map(|error| error.kind());
        equal(kind, Some(ErrorKind::Corrupt), "an encoding with more behind it is Corrupt")?;
    }
    Ok(())
}

pub(crate) fn damaged_encodings_do_no_harm(codec: &dyn Codec) -> Verdict {
    let bytes = encoded(codec, &full_head())?;
    for position in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[position] ^= flip;
            refused_or_decoded(codec, &damaged)
                .map_err(|failure| failure.with(format_args!("byte {position} flipped by {flip:#x}")))?;
        }
    }
    Ok(())
}

pub(crate) fn any_bytes_do_no_harm(codec: &dyn Codec) -> Verdict {
    for seed in 0..500 {
        refused_or_decoded(codec, &noise(1 + seed, seed))?;
    }
    for byte in 0..=u8::MAX {
        // Long runs of one byte are deeply nested containers, or huge lengths, in many formats.
        refused_or_decoded(codec, &[byte; 3])?;
        refused_or_decoded(codec, &[byte].repeat(50_000))?;
    }
    Ok(())
}

pub(crate) fn the_format_has_a_name_and_a_number(codec: &dyn Codec) -> Verdict {
    ensure(codec.id() > 0, "a codec's number is 1 to 255", "0")?;
    let name = codec.name();
    let plain = !name.is_empty() && name.to_lowercase() == name;
    ensure(plain, "a codec's name is in lower case", format_args!("{name:?}"))
}
