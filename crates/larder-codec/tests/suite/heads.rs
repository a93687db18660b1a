//! Heads through every codec: what goes in comes out, and any bytes are either a head or an error.

use http::uri::{Parts, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use larder_core::{Codec, ErrorKind, Hop, ResponseHead, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{codecs, encode, full_head, heads};

/// Fails unless `head` comes out of `codec` as it went in: the values of each field in their order, too.
fn assert_round_trip(codec: &dyn Codec, head: &ResponseHead) {
    let decoded = codec.decode(&encode(codec, head)).unwrap();
    assert_eq!(decoded, *head, "{}", codec.name());
    let order = |head: &ResponseHead| head.headers.keys().cloned().collect::<Vec<_>>();
    assert_eq!(order(&decoded), order(head), "{}: the order of the names", codec.name());
}

/// Fails if `bytes` make `codec` do anything but return a head that can be encoded again, or call them corrupt.
fn assert_head_or_corrupt(codec: &dyn Codec, bytes: &[u8]) {
    match codec.decode(bytes) {
        Ok(head) => assert_round_trip(codec, &head),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
    }
}

proptest! {
    #[test]
    fn any_head_comes_out_as_it_went_in(head in heads()) {
        for codec in codecs() {
            assert_round_trip(&*codec, &head);
        }
    }

    #[test]
    fn arbitrary_bytes_are_a_head_or_corrupt(bytes in vec(any::<u8>(), 0..300)) {
        for codec in codecs() {
            assert_head_or_corrupt(&*codec, &bytes);
        }
    }

    #[test]
    fn a_mutated_encoding_is_a_head_or_corrupt(
        head in heads(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
        inserted in vec(any::<u8>(), 0..6),
    ) {
        for codec in codecs() {
            let mut bytes = encode(&*codec, &head);
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            assert_head_or_corrupt(&*codec, &bytes);
            let at = cut.index(bytes.len());
            bytes.splice(at..at, inserted.iter().copied());
            assert_head_or_corrupt(&*codec, &bytes);
        }
    }

    #[test]
    fn a_truncated_encoding_is_corrupt(head in heads(), at in any::<Index>()) {
        for codec in codecs() {
            let bytes = encode(&*codec, &head);
            let error = codec.decode(&bytes[..at.index(bytes.len())]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn every_truncation_is_corrupt() {
    for codec in codecs() {
        let bytes = encode(&*codec, &full_head());
        for len in 0..bytes.len() {
            let error = codec.decode(&bytes[..len]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{} of {len} bytes", codec.name());
        }
    }
}

#[test]
fn every_other_value_of_every_byte_is_a_head_or_corrupt() {
    for codec in codecs() {
        let mut bytes = encode(&*codec, &full_head());
        for at in 0..bytes.len() {
            let original = bytes[at];
            for byte in [0, 1, 0x7f, 0x80, 0xc1, 0xff, original ^ 1, original ^ 0x20, original ^ 0x80] {
                bytes[at] = byte;
                assert_head_or_corrupt(&*codec, &bytes);
            }
            bytes[at] = original;
        }
    }
}

#[test]
fn bytes_after_the_head_are_corrupt() {
    for codec in codecs() {
        for rest in [b"\0".as_slice(), b"{}", b"\xc0", b"\xf6", b"\x91"] {
            let bytes = [&encode(&*codec, &full_head()), rest].concat();
            let error = codec.decode(&bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", codec.name());
        }
    }
}

/// An array of values in the order of the fields is no head: a field that is added later would move them.
#[test]
fn values_without_their_names_are_corrupt() {
    let head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
    for codec in codecs() {
        let mut with_hop = encode(&*codec, &head);
        let (nameless_head, nameless_hop): (&[u8], &[u8]) = match codec.name() {
            "json" => {
                with_hop.truncate(with_hop.len() - b"\n}".len());
                (
                    br#"["GET","/",200,"HTTP/1.1",null,1,2,3,null,{},{},[],{}]"#,
                    br#","history":[["GET","/",302,{}]]}"#,
                )
            }
            "msgpack" => {
                with_hop[0] += 1;
                (
                    b"\x9d\xa3GET\xa1/\xcc\xc8\xa8HTTP/1.1\xc0\x01\x02\x03\xc0\x80\x80\x90\x80",
                    b"\xa7history\x91\x94\xa3GET\xa1/\xcd\x01\x2e\x80",
                )
            }
            "cbor" => {
                with_hop[0] += 1;
                (
                    b"\x8d\x63GET\x61/\x18\xc8\x68HTTP/1.1\xf6\x01\x02\x03\xf6\xa0\xa0\x80\xa0",
                    b"\x67history\x81\x84\x63GET\x61/\x19\x01\x2e\xa0",
                )
            }
            other => panic!("no encodings of {other}"),
        };
        with_hop.extend_from_slice(nameless_hop);
        for bytes in [nameless_head, &with_hop] {
            let error = codec.decode(bytes).expect_err(codec.name());
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let source = std::error::Error::source(&error).expect("the reason").to_string();
            assert!(source.contains("expected") && source.contains("map"), "{}: {source}", codec.name());
        }
    }
}

#[test]
fn encoding_appends() {
    for codec in codecs() {
        let mut out = b"before".to_vec();
        codec.encode(&full_head(), &mut out).unwrap();
        assert_eq!(out.strip_prefix(b"before"), Some(encode(&*codec, &full_head()).as_slice()));
    }
}

#[test]
fn a_head_with_nothing_in_it_is_small() {
    let head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
    for codec in codecs() {
        assert_round_trip(&*codec, &head);
        assert!(encode(&*codec, &head).len() < 200, "{}", codec.name());
    }
}

#[test]
fn long_values_and_many_of_them_come_out_as_they_went_in() {
    let mut head = full_head();
    head.url = format!("https://example.org/{}", "a".repeat(60_000)).parse().unwrap();
    head.metadata.insert("k".repeat(70_000), "v".repeat(70_000));
    head.headers.append("x-long", HeaderValue::from_bytes(&vec![0xe9; 70_000]).unwrap());
    let long_name = HeaderName::from_bytes("n".repeat(5000).as_bytes()).unwrap();
    head.headers.append(long_name, HeaderValue::from_static(""));
    for _ in 0..70_000 {
        head.headers.append("x-many", HeaderValue::from_static("v"));
    }
    for codec in codecs() {
        assert_round_trip(&*codec, &head);
    }
}

#[test]
fn as_many_names_as_a_map_holds_come_out_as_they_went_in() {
    let mut head = full_head();
    head.headers = HeaderMap::new();
    for i in 0.. {
        let name = HeaderName::try_from(format!("x-{i}")).unwrap();
        if head.headers.try_append(name, HeaderValue::from_static("")).is_err() {
            break;
        }
    }
    assert!(head.headers.len() > 20_000);
    for codec in codecs() {
        assert_round_trip(&*codec, &head);
    }
}

#[test]
fn a_uri_that_would_be_read_as_another_is_not_written() {
    let too_long = {
        let mut parts = Parts::default();
        parts.scheme = Some("https".parse().unwrap());
        parts.authority = Some("a".repeat(60_000).parse().unwrap());
        parts.path_and_query = Some(format!("/{}", "b".repeat(60_000)).parse().unwrap());
        Uri::from_parts(parts).unwrap()
    };
    let mut bad = vec![too_long];
    if let Ok(no_slash) = "path".parse::<PathAndQuery>() {
        let mut parts = Parts::default();
        parts.path_and_query = Some(no_slash);
        bad.extend(Uri::from_parts(parts));
    }
    for codec in codecs() {
        for url in &bad {
            let mut head = full_head();
            head.url = url.clone();
            let error = codec.encode(&head, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("the url of the response"), "{error}");

            let mut head = full_head();
            head.history.push(Hop::new(Method::GET, url.clone(), StatusCode::FOUND));
            let error = codec.encode(&head, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("the history.url of the response"), "{error}");
        }
    }
}

#[test]
fn an_error_names_the_codec() {
    for codec in codecs() {
        let error = codec.decode(b"").unwrap_err();
        assert_eq!(error.context("codec"), Some(codec.name()));
        let source = std::error::Error::source(&error).expect("what the library says");
        assert!(!error.to_string().contains(&source.to_string()), "{error}: {source}");
    }
}
