//! The canonical form of a request: typed, length-prefixed text, and nothing that must stay secret.
//!
//! The form is injective because each field says its length before its content. It is stored (as [`CacheKey`] or
//! in full) and so it is frozen: another form is another version.

use std::fmt;

use larder_core::CacheKey;

/// The first word of every canonical key of this version.
const VERSION: &str = "larder-key-1,";

/// The canonical form of a request, from which its [`CacheKey`] is computed.
///
/// Two requests have the same canonical key exactly if they have the same [`CacheKey`], unless SHA-256 collides.
/// It holds no credential, but all of the URL's query; therefore its `Debug` form shows its digest alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CanonicalKey(String);

impl CanonicalKey {
    pub(crate) fn new() -> Self {
        Self(VERSION.to_owned())
    }

    pub(crate) fn push(&mut self, tag: char, content: &str) {
        self.0.push(tag);
        self.0.extend([&content.len().to_string(), ":", content, ","]);
    }

    /// Returns the key that the response is stored under: the SHA-256 of this text.
    #[must_use]
    pub fn to_cache_key(&self) -> CacheKey {
        CacheKey::digest(&self.0)
    }

    /// Returns the canonical text, to store beside the response and compare, or to look at.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CanonicalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalKey({})", self.to_cache_key())
    }
}

/// Several typed byte strings on their way into one digest; each says its length, so that none can be shifted
/// into its neighbour.
#[derive(Default)]
pub(crate) struct DigestInput(Vec<u8>);

impl DigestInput {
    pub(crate) fn push(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the SHA-256 in hexadecimal digits.
    pub(crate) fn digest(&self) -> CacheKey {
        CacheKey::digest(&self.0)
    }
}
