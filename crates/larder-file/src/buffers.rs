//! Buffers for larger entries, used again: a new one costs as much as the read, because its pages are cleared first.
//!
//! The store keeps few of them, so that what it holds while nobody reads is bounded.

use std::collections::VecDeque;
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
pub(crate) struct Buffers(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Buffers {
    /// Returns a buffer of `len` bytes, whatever they are, and at most a quarter longer.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        if len < SHORTEST {
            return Buffer::New(vec![0; len]);
        }
        let mut kept = self.kept();
        // Whoever keeps a slice of the body keeps all of the buffer: it shall not be much longer.
        let fit = kept.iter().position(|bytes| (len..=len + len / 4).contains(&bytes.len()));
        let fit = fit.and_then(|at| kept.remove(at));
        drop(kept);
        Buffer::Kept(Kept { bytes: fit.unwrap_or_else(|| vec![0; len]), len, by: self.clone() })
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
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
        if self.bytes.len() > LONGEST {
            return;
        }
        let mut kept = self.by.kept();
        kept.push_back(std::mem::take(&mut self.bytes));
        // The one that nobody wanted for longest goes.
        let excess = if kept.len() > MOST { kept.pop_front() } else { None };
        drop(kept);
        drop(excess);
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
        let again = buffers.take(90_000);
        assert_eq!((again.as_ref().len(), kept(&buffers).len()), (90_000, 0));
        drop(again.into_bytes());
        assert_eq!(kept(&buffers), [100_000]);
    }

    #[test]
    fn a_short_body_does_not_keep_a_long_buffer() {
        let buffers = Buffers::default();
        drop(buffers.take(LONGEST).into_bytes());
        let short = buffers.take(SHORTEST);
        assert_eq!(kept(&buffers), [LONGEST]);
        drop(short.into_bytes());
        assert_eq!(kept(&buffers), [LONGEST, SHORTEST]);
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
