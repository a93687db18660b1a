//! A length that an encoding claims does not make a decoder allocate it.
//!
//! The measure is the peak of this process' address space, so that this test has a process of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;

/// Returns the peak of this process' address space in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).expect("Linux reports the peak");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("the peak is a number")
}

/// Prefixes of encodings, each of which claims some `0xffff_ffff` elements or bytes at some place.
fn claims() -> Vec<Vec<u8>> {
    let msgpack_name = |name: &str| [&[0xa0 | u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let cbor_name = |name: &str| [&[0x60 | u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let (array, map, bin, text) = (0xdd, 0xdf, 0xc6, 0xdb);
    let mut claims = Vec::new();
    for start in [array, map, bin, text, 0xc9] {
        let mut claim = vec![start];
        claim.extend([0xff; 4]);
        claims.push(claim.clone());
        for name in ["method", "headers", "history", "metadata", "unknown"] {
            claims.push([&[0x81], msgpack_name(name).as_slice(), &claim].concat());
        }
        let field = [&[0x81][..], &msgpack_name("headers"), &[0x81], &msgpack_name("x")].concat();
        claims.push([field.as_slice(), &claim].concat());
    }
    for start in [0x5a, 0x7a, 0x9a, 0xba, 0x5b, 0x7b, 0x9b, 0xbb] {
        let mut claim = vec![start];
        claim.extend(if start & 0x1f == 0x1a {
            vec![0xff; 4]
        } else {
            vec![0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff]
        });
        claims.push(claim.clone());
        for name in ["method", "headers", "history", "metadata", "unknown"] {
            claims.push([&[0xa1], cbor_name(name).as_slice(), &claim].concat());
        }
        let field = [&[0xa1][..], &cbor_name("headers"), &[0xa1], &cbor_name("x")].concat();
        claims.push([field.as_slice(), &claim].concat());
    }
    for nested in
        [&[0x91][..], &[0x81, 0xa1, b'x'], &[0x81], &[0xa1, 0x61, b'x'], &[0xd8, 0x20], b"[", b"{\"x\":"]
    {
        claims.push(nested.repeat(100_000));
        claims.push([&[0x81][..], &msgpack_name("unknown"), &nested.repeat(100_000)].concat());
        claims.push([&[0xa1][..], &cbor_name("unknown"), &nested.repeat(100_000)].concat());
        claims.push([b"{\"unknown\":", nested.repeat(100_000).as_slice()].concat());
    }
    claims
}

#[test]
fn a_claimed_length_is_not_allocated() {
    let codecs: [&dyn larder_core::Codec; _] = [
        #[cfg(feature = "msgpack")]
        &larder_codec::MessagePack,
        #[cfg(feature = "json")]
        &larder_codec::Json,
        #[cfg(feature = "cbor")]
        &larder_codec::Cbor,
    ];
    let claims = claims();
    let before = peak_kib();
    for codec in codecs {
        for claim in &claims {
            assert!(codec.decode(claim).is_err(), "{}: {claim:x?}", codec.name());
        }
    }
    let grown = peak_kib() - before;
    assert!(grown < 16 * 1024, "the decoders took {grown} KiB");
}
