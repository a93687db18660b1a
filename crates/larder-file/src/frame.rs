//! The bytes of an entry: a fixed prologue, key, head, body, and the checksums of the body's chunks.
//!
//! Nothing here touches a file. Every length is checked against the file's own before anything is allocated, and
//! every byte is covered by a checksum; `docs/format.md` has the table of fields.

use crc32fast::Hasher;
use larder_core::{CacheKey, Timestamp};

use crate::cause::{Cause, Result};

/// The length of the prologue.
pub(crate) const PROLOGUE_LEN: usize = 80;
/// How much of a stored body one checksum covers.
pub(crate) const CHUNK_LEN: usize = 64 * 1024;
/// The longest head that is written or read.
pub(crate) const MAX_HEAD_LEN: usize = 16 * 1024 * 1024;
/// Where the bodies of large entries begin is a multiple of this, so that file systems can share their blocks.
const ALIGNMENT: usize = 4096;

const MAGIC: [u8; 8] = *b"\x89LARDER\n";
const VERSION: u16 = 1;
const CHECKSUM_AT: usize = 76;

/// What the prologue of an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prologue {
    pub(crate) codec: u8,
    /// 0 is none.
    pub(crate) compression: u8,
    /// Random, new at every write and every update of the head.
    pub(crate) revision: [u8; 16],
    /// Random, new at every write; the chunks' checksums begin with it, so that chunks of two bodies never mix.
    pub(crate) salt: [u8; 8],
    pub(crate) purge_at: Option<Timestamp>,
    /// The length of the body that a reader gets.
    pub(crate) body_len: u64,
    /// The length of the body in the file, which is another when it is compressed.
    pub(crate) stored_len: u64,
    pub(crate) head_len: u32,
    pub(crate) body_offset: u32,
    pub(crate) key_len: u8,
}

impl Prologue {
    /// Returns what the first bytes of a file of `file_len` bytes say; their checksum is not looked at.
    pub(crate) fn parse(bytes: &[u8], file_len: u64) -> Result<Self> {
        let Some(bytes) = bytes.first_chunk::<PROLOGUE_LEN>() else {
            return Err(Cause::Foreign("it is too short"));
        };
        let mut fields = Fields(bytes);
        if fields.take::<8>() != MAGIC {
            return Err(Cause::Foreign("it does not begin as an entry does"));
        }
        let version = u16::from_le_bytes(fields.take());
        if version != VERSION {
            return Err(Cause::Unknown { whole: "the entry", what: "format version", id: version.into() });
        }
        let [codec, compression] = fields.take();
        let flags = u32::from_le_bytes(fields.take());
        let mut prologue = Self {
            codec,
            compression,
            revision: fields.take(),
            salt: fields.take(),
            purge_at: Some(Timestamp::from_millis(i64::from_le_bytes(fields.take()))),
            body_len: u64::from_le_bytes(fields.take()),
            stored_len: u64::from_le_bytes(fields.take()),
            head_len: u32::from_le_bytes(fields.take()),
            body_offset: u32::from_le_bytes(fields.take()),
            key_len: fields.take::<1>()[0],
        };
        let [has_end, reserved @ ..] = fields.take::<3>();
        if flags != 0 || has_end > 1 || reserved != [0; 2] {
            return Err(Cause::Unknown { whole: "the entry", what: "flags", id: flags.into() });
        }
        if has_end == 0 {
            prologue.purge_at = None;
        }
        prologue.check_lengths(file_len)?;
        Ok(prologue)
    }

    fn check_lengths(&self, file_len: u64) -> Result<()> {
        let head_end = PROLOGUE_LEN as u64 + u64::from(self.key_len) + u64::from(self.head_len);
        let padding = u64::from(self.body_offset).checked_sub(head_end);
        let fits = self.head_len as usize <= MAX_HEAD_LEN
            && padding.is_some_and(|padding| padding < ALIGNMENT as u64)
            && (self.compression != 0 || self.body_len == self.stored_len)
            && self.file_len() == Some(file_len);
        if fits { Ok(()) } else { Err(Cause::Damaged("length")) }
    }

    /// Returns how long a file of these lengths is.
    pub(crate) fn file_len(&self) -> Option<u64> {
        u64::from(self.body_offset).checked_add(self.stored_len)?.checked_add(table_len(self.stored_len))
    }

    /// Writes the prologue, with the checksum, over the first bytes of `prefix`, which is the whole file up to the body.
    pub(crate) fn seal(&self, prefix: &mut [u8]) {
        let mut bytes = Vec::with_capacity(PROLOGUE_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[self.codec, self.compression]);
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&self.revision);
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.purge_at.map_or(0, Timestamp::as_millis).to_le_bytes());
        bytes.extend_from_slice(&self.body_len.to_le_bytes());
        bytes.extend_from_slice(&self.stored_len.to_le_bytes());
        bytes.extend_from_slice(&self.head_len.to_le_bytes());
        bytes.extend_from_slice(&self.body_offset.to_le_bytes());
        bytes.extend_from_slice(&[self.key_len, u8::from(self.purge_at.is_some()), 0, 0]);
        prefix[..CHECKSUM_AT].copy_from_slice(&bytes);
        let checksum = prefix_checksum(prefix);
        prefix[CHECKSUM_AT..PROLOGUE_LEN].copy_from_slice(&checksum.to_le_bytes());
    }

    /// Checks `prefix`, the file up to the body, against its checksum and `key`; returns the encoded head in it.
    pub(crate) fn verify<'a>(&self, prefix: &'a [u8], key: &CacheKey) -> Result<&'a [u8]> {
        if prefix[CHECKSUM_AT..PROLOGUE_LEN] != prefix_checksum(prefix).to_le_bytes() {
            return Err(Cause::Damaged("head"));
        }
        let head_at = PROLOGUE_LEN + usize::from(self.key_len);
        if prefix[PROLOGUE_LEN..head_at] != *key.as_str().as_bytes() {
            return Err(Cause::Foreign("it is the entry of another key"));
        }
        Ok(&prefix[head_at..head_at + self.head_len as usize])
    }
}

/// The bytes of the prologue, taken off the front one field at a time; the fields' widths are fixed.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the fields are as long as the prologue");
        self.0 = rest;
        *field
    }
}

/// Begins the file of an entry: room for the prologue, the key, the head, and padding if the body is to be aligned.
///
/// Its length is where the body begins.
pub(crate) fn prefix(key: &CacheKey, head: &[u8], align_body: bool) -> Vec<u8> {
    let unpadded = PROLOGUE_LEN + key.as_str().len() + head.len();
    let len = if align_body { unpadded.next_multiple_of(ALIGNMENT) } else { unpadded };
    let mut prefix = Vec::with_capacity(len);
    prefix.resize(PROLOGUE_LEN, 0);
    prefix.extend_from_slice(key.as_str().as_bytes());
    prefix.extend_from_slice(head);
    prefix.resize(len, 0);
    prefix
}

/// Returns the length of the table of checksums of a stored body.
pub(crate) fn table_len(stored_len: u64) -> u64 {
    stored_len.div_ceil(CHUNK_LEN as u64) * 4
}

/// Returns the checksum of the chunk of number `index` of the body with this salt.
pub(crate) fn chunk_checksum(salt: [u8; 8], index: u64, chunk: &[u8]) -> u32 {
    let mut hasher = begin_chunk(salt, index);
    hasher.update(chunk);
    hasher.finalize()
}

fn begin_chunk(salt: [u8; 8], index: u64) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(&salt);
    hasher.update(&index.to_le_bytes());
    hasher
}

fn prefix_checksum(prefix: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&prefix[..CHECKSUM_AT]);
    hasher.update(&prefix[PROLOGUE_LEN..]);
    hasher.finalize()
}

/// Checks `chunks`, whole chunks of a stored body from number `first` on, against their part of the table.
pub(crate) fn verify_chunks(salt: [u8; 8], first: u64, chunks: &[u8], table: &[u8]) -> Result<()> {
    let (checksums, _) = table.as_chunks::<4>();
    let matches =
        chunks.len().div_ceil(CHUNK_LEN) == checksums.len()
            && chunks.chunks(CHUNK_LEN).zip(checksums).zip(first..).all(|((chunk, checksum), index)| {
                chunk_checksum(salt, index, chunk).to_le_bytes() == *checksum
            });
    if matches { Ok(()) } else { Err(Cause::Damaged("body")) }
}

/// Makes the table of checksums while a stored body goes by, in pieces of any size.
pub(crate) struct Table {
    salt: [u8; 8],
    bytes: Vec<u8>,
    hasher: Hasher,
    filled: usize,
}

impl Table {
    pub(crate) fn new(salt: [u8; 8]) -> Self {
        Self { salt, bytes: Vec::new(), hasher: begin_chunk(salt, 0), filled: 0 }
    }

    /// Takes the next piece of the stored body.
    pub(crate) fn update(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(CHUNK_LEN - self.filled));
            self.hasher.update(now);
            self.filled += now.len();
            piece = later;
            if self.filled == CHUNK_LEN {
                self.end_chunk();
            }
        }
    }

    /// Returns the table.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.filled > 0 {
            self.end_chunk();
        }
        self.bytes
    }

    fn end_chunk(&mut self) {
        let next = (self.bytes.len() / 4 + 1) as u64;
        let hasher = std::mem::replace(&mut self.hasher, begin_chunk(self.salt, next));
        self.bytes.extend_from_slice(&hasher.finalize().to_le_bytes());
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed(key: &CacheKey, head: &[u8], body_len: u64, align_body: bool) -> (Prologue, Vec<u8>) {
        let mut bytes = prefix(key, head, align_body);
        let prologue = Prologue {
            codec: 1,
            compression: 0,
            revision: [7; 16],
            salt: [9; 8],
            purge_at: Some(Timestamp::from_millis(-5)),
            body_len,
            stored_len: body_len,
            head_len: u32::try_from(head.len()).expect("short"),
            body_offset: u32::try_from(bytes.len()).expect("short"),
            key_len: u8::try_from(key.as_str().len()).expect("short"),
        };
        prologue.seal(&mut bytes);
        (prologue, bytes)
    }

    proptest! {
        #[test]
        fn a_prefix_round_trips(head in prop::collection::vec(any::<u8>(), 0..300), body_len in 0_u64..1 << 40, align: bool) {
            let key = CacheKey::new("a-key").expect("valid");
            let (prologue, bytes) = sealed(&key, &head, body_len, align);
            let file_len = prologue.file_len().expect("small");
            let parsed = Prologue::parse(&bytes, file_len).expect("sealed");
            prop_assert_eq!(&parsed, &prologue);
            prop_assert_eq!(parsed.verify(&bytes, &key).expect("intact"), &head[..]);
            prop_assert!(Prologue::parse(&bytes, file_len + 1).is_err());
            prop_assert!(parsed.verify(&bytes, &CacheKey::new("b-key").expect("valid")).is_err());
        }

        #[test]
        fn any_bytes_are_a_prologue_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), file_len: u64) {
            let _ = Prologue::parse(&bytes, file_len);
            let mut ours = MAGIC.to_vec();
            ours.extend_from_slice(&[1, 0]);
            ours.extend_from_slice(&bytes);
            let _ = Prologue::parse(&ours, file_len);
        }

        #[test]
        fn a_table_does_not_depend_on_the_pieces(
            len in 0..3 * CHUNK_LEN, pieces in prop::collection::vec(1_usize..100_000, 1..9),
        ) {
            let body: Vec<u8> = (0_u8..251).cycle().take(len).collect();
            let mut table = Table::new([3; 8]);
            let mut rest = &body[..];
            for len in pieces.iter().cycle() {
                let (piece, later) = rest.split_at(rest.len().min(*len));
                table.update(piece);
                rest = later;
                if rest.is_empty() { break; }
            }
            let table = table.finish();
            prop_assert_eq!(table.len() as u64, table_len(body.len() as u64));
            prop_assert!(verify_chunks([3; 8], 0, &body, &table).is_ok());
            prop_assert!(body.is_empty() || verify_chunks([4; 8], 0, &body, &table).is_err());
        }
    }
}
