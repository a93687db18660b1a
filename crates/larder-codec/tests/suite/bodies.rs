//! Bodies through every compression: what goes in comes out, and any bytes are either one frame or an error.

use std::io::{self, Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::Compression;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::compressions;

/// Returns one frame of `chunks`, and fails if output is held back until the end of a long body.
fn compress<'a>(compression: &dyn Compression, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut compressor = compression.compressor().unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        compressor.compress(chunk, &mut out).unwrap();
    }
    compressor.finish(&mut out).unwrap();
    out
}

fn decompressor(compression: &dyn Compression, bytes: Vec<u8>) -> Box<dyn Read + Send> {
    compression.decompressor(Box::new(Cursor::new(bytes))).unwrap()
}

fn decompress(compression: &dyn Compression, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    decompressor(compression, bytes).read_to_end(&mut out).map(|_| out)
}

/// Fails unless `bytes` decompress to `body` or to an error of the two kinds that the contract names.
fn assert_body_or_error(compression: &dyn Compression, bytes: Vec<u8>, body: &[u8]) {
    match decompress(compression, bytes) {
        Ok(out) => assert_eq!(out, body, "{}", compression.name()),
        Err(error) => assert_is_broken(compression, &error),
    }
}

fn assert_is_broken(compression: &dyn Compression, error: &io::Error) {
    let broken = matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof);
    assert!(broken, "{}: {:?}: {error}", compression.name(), error.kind());
}

/// Text that compresses, longer than a block, and noise that does not.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let text =
        (vec("[a-f]{1,6} ", 1..60), 1_usize..400).prop_map(|(words, times)| words.concat().repeat(times));
    prop_oneof![text.prop_map(String::into_bytes), vec(any::<u8>(), 0..2000)]
}

/// A body of more than two blocks, half text and half noise; always the same.
fn long_body() -> Vec<u8> {
    let mut noise = 1_u32;
    let mut body = Vec::new();
    while body.len() < 200_000 {
        body.extend_from_slice(b"All work and no play makes Jack a dull boy.\n");
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        body.extend_from_slice(&noise.to_be_bytes());
    }
    body
}

proptest! {
    #[test]
    fn any_body_in_any_chunks_comes_out_as_it_went_in(
        body in bodies(),
        cuts in vec(any::<Index>(), 0..6),
        read_len in 1_usize..5000,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        for compression in compressions() {
            let chunks = cuts.windows(2).map(|ends| &body[ends[0]..ends[1]]);
            let mut reader = decompressor(&*compression, compress(&*compression, chunks));
            let (mut out, mut buf) = (Vec::new(), vec![0; read_len]);
            loop {
                let n = reader.read(&mut buf).unwrap();
                if n == 0 {
                    break;
                }
                out.extend_from_slice(&buf[..n]);
            }
            prop_assert_eq!(&out, &body, "{}", compression.name());
            prop_assert_eq!(reader.read(&mut buf).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn arbitrary_bytes_are_broken(bytes in vec(any::<u8>(), 0..300)) {
        for compression in compressions() {
            assert_is_broken(&*compression, &decompress(&*compression, bytes.clone()).unwrap_err());
        }
    }

    #[test]
    fn arbitrary_bytes_after_the_start_of_a_frame_are_broken(
        body in bodies(),
        keep in 4_usize..20,
        rest in vec(any::<u8>(), 0..300),
    ) {
        for compression in compressions() {
            let mut bytes = compress(&*compression, [body.as_slice()]);
            bytes.truncate(keep);
            bytes.extend_from_slice(&rest);
            assert_body_or_error(&*compression, bytes, &body);
        }
    }

    #[test]
    fn a_mutated_frame_never_gives_another_body(
        body in bodies(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
        inserted in vec(any::<u8>(), 0..6),
    ) {
        for compression in compressions() {
            let mut bytes = compress(&*compression, [body.as_slice()]);
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            assert_body_or_error(&*compression, bytes.clone(), &body);
            let at = cut.index(bytes.len());
            bytes.splice(at..at, inserted.iter().copied());
            assert_body_or_error(&*compression, bytes, &body);
        }
    }
}

#[test]
fn every_truncation_is_an_error() {
    for compression in compressions() {
        for body in [Vec::new(), b"short".to_vec(), long_body()] {
            let bytes = compress(&*compression, [body.as_slice()]);
            let step = (bytes.len() / 500).max(1);
            let near_the_end = bytes.len().saturating_sub(20)..bytes.len();
            for len in (0..bytes.len()).step_by(step).chain(near_the_end) {
                let error = decompress(&*compression, bytes[..len].to_vec()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{} of {len} bytes", compression.name());
            }
        }
    }
}

#[test]
fn a_truncation_between_two_blocks_is_an_error() {
    let body = vec![b'a'; 3 * 64 * 1024];
    for compression in compressions() {
        let bytes = compress(&*compression, [body.as_slice()]);
        for len in 0..bytes.len() {
            let error = decompress(&*compression, bytes[..len].to_vec()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{} of {len} bytes", compression.name());
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_means_nothing() {
    let body = b"to be, or not to be, that is the question: to be".repeat(3);
    for compression in compressions() {
        let bytes = compress(&*compression, [body.as_slice()]);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_body_or_error(&*compression, bytes, &body);
        }
    }
}

#[test]
fn bytes_after_the_frame_are_an_error_and_so_is_another_frame() {
    for compression in compressions() {
        for body in [b"".as_slice(), &long_body()] {
            let frame = compress(&*compression, [body]);
            for rest in [b"\0", frame.as_slice()] {
                let error = decompress(&*compression, [&frame, rest].concat()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", compression.name());
            }
        }
    }
}

#[test]
fn frames_that_hold_nothing_are_not_bodies() {
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &4_u32.to_le_bytes(), b"skip"].concat();
    let legacy_lz4 = [&0x184C_2102_u32.to_le_bytes()[..], &0_u32.to_le_bytes()].concat();
    for compression in compressions() {
        for bytes in [&skippable, &legacy_lz4] {
            let error = decompress(&*compression, bytes.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", compression.name());
        }
    }
}

#[test]
fn an_error_is_not_followed_by_an_end() {
    for compression in compressions() {
        let mut bytes = compress(&*compression, [long_body().as_slice()]);
        *bytes.last_mut().expect("a frame is not empty") ^= 1;
        let mut reader = decompressor(&*compression, bytes);
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{}", compression.name());
        assert_is_broken(&*compression, &reader.read(&mut [0; 10]).unwrap_err());
    }
}

/// Fails where `bytes` end, and counts what was read of them.
struct Source {
    bytes: Cursor<Vec<u8>>,
    read: Arc<AtomicU64>,
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(buf)? {
            0 => Err(io::Error::new(ErrorKind::PermissionDenied, "from the source")),
            n => {
                self.read.fetch_add(n as u64, Ordering::Relaxed);
                Ok(n)
            }
        }
    }
}

#[test]
fn an_error_of_the_source_is_passed_on_wherever_it_comes() {
    let body = long_body();
    for compression in compressions() {
        let bytes = compress(&*compression, [body.as_slice()]);
        for len in (0..bytes.len()).step_by(997).chain(bytes.len() - 9..=bytes.len()) {
            let source = Source { bytes: Cursor::new(bytes[..len].to_vec()), read: Arc::default() };
            let mut reader = compression.decompressor(Box::new(source)).unwrap();
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{} of {len}", compression.name());
        }
    }
}

#[test]
fn a_bomb_yields_what_is_asked_for_and_takes_no_more_input() {
    let zeros = vec![0; 1 << 20];
    for compression in compressions() {
        let bytes = compress(&*compression, std::iter::repeat_n(zeros.as_slice(), 256));
        assert!(bytes.len() < 2 << 20, "{}: {} bytes", compression.name(), bytes.len());
        let read = Arc::new(AtomicU64::new(0));
        let source = Source { bytes: Cursor::new(bytes), read: Arc::clone(&read) };
        let mut reader = compression.decompressor(Box::new(source)).unwrap();
        let mut buf = [1; 100];
        for _ in 0..1000 {
            reader.read_exact(&mut buf).unwrap();
        }
        assert_eq!(buf, [0; 100]);
        assert!(read.load(Ordering::Relaxed) <= 64 * 1024, "{}", compression.name());
    }
}

#[test]
fn a_long_body_is_compressed_as_it_comes() {
    let body = long_body();
    for compression in compressions() {
        let mut compressor = compression.compressor().unwrap();
        let mut out = Vec::new();
        for _ in 0..20 {
            compressor.compress(&body, &mut out).unwrap();
        }
        assert!(out.len() > 10_000, "{}: {} bytes", compression.name(), out.len());
        compressor.finish(&mut out).unwrap();
        assert!(out.len() < 20 * body.len() / 2, "{}: {} bytes", compression.name(), out.len());
        assert_eq!(decompress(&*compression, out).unwrap(), body.repeat(20), "{}", compression.name());
    }
}

/// A frame by another program: a window of 16 MiB, larger than any that is written here.
#[cfg(feature = "zstd")]
#[test]
fn a_zstd_frame_with_a_huge_window_is_refused() {
    // Magic; a descriptor without single segment, content size or checksum; a window of 1 << (10 + 14); one
    // empty last block.
    for (window, refused) in [(13 << 3, false), (13 << 3 | 1, true), (14 << 3, true), (0xff, true)] {
        let frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, window, 1, 0, 0];
        let result = decompress(&larder_codec::Zstd::default(), frame);
        assert_eq!(result.is_err(), refused, "window descriptor {window:#x}: {result:?}");
    }
}

#[cfg(feature = "zstd")]
#[test]
fn every_zstd_level_is_read_back() {
    let body = long_body();
    for level in [i32::MIN, 1, 9, 19, 22, i32::MAX] {
        let zstd = larder_codec::Zstd::default().level(level);
        // More than its window, so that the window is as large as the level makes it.
        let frame = compress(&zstd, std::iter::repeat_n(body.as_slice(), if level < 10 { 50 } else { 2 }));
        assert!(decompress(&zstd, frame).unwrap().starts_with(&body), "level {level}");
    }
}

#[cfg(feature = "lz4")]
#[test]
fn an_lz4_block_that_holds_nothing_is_broken() {
    let lz4 = larder_codec::Lz4::default();
    let header = compress(&lz4, [b"".as_slice()])[..7].to_vec();
    let end = [0; 8];
    let empty = [0, 0, 0, 0x80];
    let empty_when_decompressed = [1, 0, 0, 0, 0];
    for frame in
        [[&header, &empty[..], &end].concat(), [&header, &empty_when_decompressed[..], &end].concat()]
    {
        assert_is_broken(&lz4, &decompress(&lz4, frame).unwrap_err());
    }
}
