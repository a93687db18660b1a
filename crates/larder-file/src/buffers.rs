//! The buffers that entries are read into: where their bytes stay, and where it is cheap to copy them to.
//!
//! A longer one is used again: a new one costs as much as the read, because its pages are cleared first. The store
//! keeps few of them, so that what it holds while nobody reads is bounded.
//!
//! They begin at a round address. The kernel copies from the beginning of a page, and with the usual string
//! instructions a copy to an address that is a few bytes further in its page takes up to nine times as long on some
//! processors (Zen 3); the addresses that allocators give out for large blocks are of that kind.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};

/// The shortest buffer that is kept.
const SHORTEST: usize = 64 * 1024;
/// How many buffers are kept.
const MOST: usize = 4;
/// The longest buffer that is kept.
const LONGEST: usize = 2 * 1024 * 1024;
/// What the addresses of short buffers are multiples of: a cache line, which is all that they need.
const LINE: usize = 64;
/// The same of longer ones: a page.
const PAGE: usize = 4096;

/// Bytes that begin at a round address.
#[derive(Debug, Default)]
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new(len: usize) -> Self {
        let alignment = if len < SHORTEST { LINE } else { PAGE };
        // Long ones come from the system as zeros, which nobody has to write again.
        let mut bytes = vec![0; len + alignment - 1];
        let start = bytes.as_ptr().align_offset(alignment).min(alignment - 1);
        bytes.truncate(start + len);
        Self { bytes, start }
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.start
    }
}

/// The buffers that nobody uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<VecDeque<Aligned>>>);

impl Buffers {
    /// Returns a buffer of `len` bytes, whatever they are, and at most a quarter longer.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        if len < SHORTEST {
            return Buffer { aligned: Aligned::new(len), len, by: None };
        }
        let mut kept = self.kept();
        // Whoever keeps a slice of the body keeps all of the buffer: it shall not be much longer.
        let fit = kept.iter().position(|aligned| (len..=len + len / 4).contains(&aligned.len()));
        let fit = fit.and_then(|at| kept.remove(at));
        drop(kept);
        Buffer { aligned: fit.unwrap_or_else(|| Aligned::new(len)), len, by: Some(self.clone()) }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Aligned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer in use; a longer one goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    aligned: Aligned,
    /// How much of it is in use.
    len: usize,
    by: Option<Buffers>,
}

impl Buffer {
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.aligned.bytes[self.aligned.start..][..self.len]
    }

    /// Leaves no more than `len` bytes in use.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Returns the buffer as bytes, which keep it until the last slice of them is dropped.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.by.is_some() {
            return Bytes::from_owner(self);
        }
        let Aligned { bytes, start } = std::mem::take(&mut self.aligned);
        let mut bytes = Bytes::from(bytes);
        bytes.advance(start);
        bytes.truncate(self.len);
        bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.aligned.bytes[self.aligned.start..][..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(by) = self.by.take().filter(|_| self.aligned.len() <= LONGEST) else { return };
        let mut kept = by.kept();
        kept.push_back(std::mem::take(&mut self.aligned));
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
        buffers.kept().iter().map(Aligned::len).collect()
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
    fn every_buffer_begins_at_a_round_address_and_has_its_length() {
        let buffers = Buffers::default();
        for (len, alignment) in [(0, LINE), (1, LINE), (10_000, LINE), (SHORTEST, PAGE), (LONGEST + 1, PAGE)]
        {
            let mut buffer = buffers.take(len);
            assert_eq!(buffer.as_mut().len(), len);
            buffer.truncate(len.saturating_sub(1));
            let bytes = buffer.into_bytes();
            assert_eq!(bytes.len(), len.saturating_sub(1));
            assert!(bytes.is_empty() || bytes.as_ptr().align_offset(alignment) == 0, "{len}");
        }
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
