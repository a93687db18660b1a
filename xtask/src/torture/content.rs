//! Bytes that can be computed at any offset, so that a body of any length is checked without keeping it.

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::random::{Random, mix};

/// The bytes of one version of one entry, without an end.
#[derive(Clone, Copy)]
pub(crate) struct Content {
    seed: u64,
    compressible: bool,
}

impl Content {
    /// Returns the bytes of `version` of `key`, which look random.
    pub(crate) fn new(key: &str, version: u64) -> Self {
        let key = key.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        Self { seed: mix(key ^ version), compressible: false }
    }

    /// Makes every other 32 bytes zeros, so that half of it compresses to nothing.
    pub(crate) fn compressible(mut self) -> Self {
        self.compressible = true;
        self
    }

    /// Returns the bytes from `offset` on.
    pub(crate) fn bytes(self, offset: u64, len: usize) -> Vec<u8> {
        let before = usize::try_from(offset % 8).expect("below 8");
        let mut bytes = Vec::with_capacity(len + 16);
        let mut word = offset / 8;
        while bytes.len() < before + len {
            bytes.extend_from_slice(&self.word(word).to_le_bytes());
            word += 1;
        }
        bytes.truncate(before + len);
        bytes.drain(..before);
        bytes
    }

    /// Returns whether `bytes` are those from `offset` on.
    pub(crate) fn matches(self, offset: u64, bytes: &[u8]) -> bool {
        self.bytes(offset, bytes.len()) == bytes
    }

    /// Returns the first `len` bytes in chunks of up to 70,000 bytes.
    pub(crate) fn chunks(self, len: u64) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<> {
        let sizes = Random::new(self.seed);
        stream::unfold((0, sizes), move |(offset, mut sizes)| async move {
            let size = (1 + sizes.below(70_000)).min(len - offset);
            let chunk = self.bytes(offset, usize::try_from(size).expect("at most 70,000"));
            (size > 0).then(|| (Ok(Bytes::from(chunk)), (offset + size, sizes)))
        })
    }

    fn word(self, index: u64) -> u64 {
        if self.compressible && (index / 4) % 2 == 1 { 0 } else { mix(self.seed ^ index) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    #[test]
    fn bytes_depend_on_key_version_and_offset_alone() {
        let content = Content::new("a", 1);
        let whole = content.bytes(0, 100);
        for offset in 0..50 {
            let part = &whole[offset..offset + 40];
            assert!(content.matches(offset as u64, part), "{offset}");
            assert!(!content.matches(offset as u64 + 1, part), "{offset}");
        }
        for other in [Content::new("b", 1), Content::new("a", 2)] {
            assert!(!other.matches(0, &whole));
        }
    }

    #[tokio::test]
    async fn chunks_are_the_bytes_in_order() {
        for len in [0, 1, 200_001] {
            let content = Content::new("a", len).compressible();
            let chunks: Vec<_> = content.chunks(len).map(|chunk| chunk.expect("no error")).collect().await;
            assert!(content.bytes(0, usize::try_from(len).expect("small")) == chunks.concat(), "{len}");
        }
    }
}
