//! The name of an entry: text that is a file name, a Redis key and an object name alike.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind, Result};

/// A validated, path-safe name of one stored response.
///
/// 1 to 128 bytes of `A-Z a-z 0-9 . _ -`, not beginning with a dot. A store keeps the key inside the entry
/// and compares it when it reads, so that no two keys are ever confused (say, on a file system that ignores
/// case). Cloning is cheap.
///
/// # Examples
///
/// ```
/// use larder_core::CacheKey;
///
/// let key = CacheKey::new("releases-2026.11")?;
/// assert_eq!(key.as_str(), "releases-2026.11");
/// assert!(CacheKey::new("../etc/passwd").is_err());
/// assert_eq!(CacheKey::digest(b"GET https://example.org/").as_str().len(), 64);
/// # Ok::<(), larder_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Returns `text` as a key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when `text` is empty, longer than [`CacheKey::MAX_LEN`], begins with a dot
    /// or holds another character.
    pub fn new(text: impl AsRef<str>) -> Result<Self> {
        let text = text.as_ref();
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > Self::MAX_LEN {
            "it is longer than 128 bytes"
        } else if text.starts_with('.') {
            "it begins with a dot"
        } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
            "it holds a character other than A-Z, a-z, 0-9, '.', '_' and '-'"
        } else {
            return Ok(Self(text.into()));
        };
        let shown: String = text.chars().take(Self::MAX_LEN).collect();
        Err(Error::new(ErrorKind::InvalidInput, format!("{shown:?} is not a cache key: {reason}")))
    }

    /// Returns the SHA-256 of `bytes` as a key of 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(bytes: impl AsRef<[u8]>) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let text: String = Sha256::digest(bytes.as_ref())
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xf])
            .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
            .collect();
        Self(text.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for CacheKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for CacheKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_that_is_not_path_safe_is_refused() {
        for text in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "é", "a\0", "a:b", &"x".repeat(129)] {
            let error = CacheKey::new(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}");
        }
        for text in ["a", "A.b_c-9", "-", "_", &"x".repeat(128)] {
            assert_eq!(CacheKey::new(text).expect("valid").as_str(), text);
        }
    }

    #[test]
    fn a_digest_is_the_sha_256_of_its_input() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(CacheKey::digest(b"").as_str(), empty);
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_an_error(text in ".*") {
            if let Ok(key) = CacheKey::new(&text) {
                prop_assert_eq!(key.as_str(), text);
            }
        }
    }
}
