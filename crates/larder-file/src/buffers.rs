//! Buffers for larger entries, used again: a new one costs as much as the read, because its pages are cleared first.
//!
//! The store keeps few of them, so that what it holds while nobody reads is bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The shortest buffer that is kept.
const SHORTEST: usize = 64 * 1024;
/// How many buffers are kept.
const MOST: usize = 4;
/// The longest buffer that is kept.
const LONGEST: usize = 2 * 1024 * 1024;

/// The buffers that nobody uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// Returns a buffer of `len` bytes, whatever they are.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        if len < SHORTEST {
            return Buffer::New(vec![0; len]);
        }
        let mut bytes = self.kept().pop().unwrap_or_default();
        if bytes.is_empty() {
            bytes = vec![0; len];
        } else if bytes.len() < len {
            bytes.resize(len, 0);
        }
        Buffer::Kept(Kept { bytes, len, by: self.clone() })
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer in use.
#[derive(Debug)]
pub(crate) enum Buffer {
    New(Vec<u8>),
    Kept(Kept),
}

impl Buffer {
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        match self {
            Self::New(bytes) => bytes,
            Self::Kept(kept) => &mut kept.bytes[..kept.len],
        }
    }

    /// Returns the buffer as bytes, which keep it until the last slice of them is dropped.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::New(bytes) => bytes.into(),
            Self::Kept(kept) => Bytes::from_owner(kept),
        }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::New(bytes) => bytes,
            Self::Kept(kept) => kept.as_ref(),
        }
    }
}

/// A buffer that goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Never shorter than `len`.
    bytes: Vec<u8>,
    len: usize,
    by: Buffers,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut kept = self.by.kept();
        if bytes.len() <= LONGEST && kept.len() < MOST {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(buffers: &Buffers) -> Vec<usize> {
        buffers.kept().iter().map(Vec::len).collect()
    }

    #[test]
    fn a_buffer_is_used_again_when_nobody_reads_it() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(100_000);
        buffer.as_mut().fill(7);
        let bytes = buffer.into_bytes();
        let part = bytes.slice(10..20);
        drop(bytes);
        assert_eq!(kept(&buffers), [0; 0], "a part of it is still in use");
        assert_eq!(part, [7; 10][..]);
        drop(part);
        assert_eq!(kept(&buffers), [100_000]);
        assert_eq!(buffers.take(70_000).as_ref().len(), 70_000);
        assert_eq!(buffers.take(200_000).as_ref().len(), 200_000);
        assert_eq!(kept(&buffers), [200_000]);
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_is_short_or_long() {
        let buffers = Buffers::default();
        for len in [SHORTEST - 1, LONGEST + 1] {
            drop(buffers.take(len).into_bytes());
            assert_eq!(kept(&buffers), [0; 0], "{len}");
        }
        let many: Vec<_> = (0..10).map(|_| buffers.take(SHORTEST)).collect();
        drop(many);
        assert_eq!(kept(&buffers).len(), MOST);
    }
}
