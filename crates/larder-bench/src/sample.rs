//! What is stored: responses as an API gives them, each with a body that no other has.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, SERVER, VARY,
};
use http::{Method, StatusCode, Uri};
use larder_core::{CacheKey, CachedResponse, ResponseHead, Timestamp};

/// A length of a body, and what a table calls it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Size {
    /// The name.
    pub name: &'static str,
    /// The length in bytes.
    pub bytes: usize,
}

/// The lengths that are measured.
pub const SIZES: [Size; 5] = [
    Size { name: "1 KiB", bytes: 1 << 10 },
    Size { name: "10 KiB", bytes: 10 << 10 },
    Size { name: "100 KiB", bytes: 100 << 10 },
    Size { name: "1 MiB", bytes: 1 << 20 },
    Size { name: "16 MiB", bytes: 16 << 20 },
];

/// Returns the key of number `number`, as the keys of requests are.
#[must_use]
pub fn key(number: usize) -> CacheKey {
    CacheKey::digest(number.to_le_bytes())
}

/// Returns the seven header fields of every sample.
#[must_use]
pub fn fields() -> HeaderMap {
    let fields: [(HeaderName, &'static str); 7] = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CACHE_CONTROL, "public, max-age=86400, stale-while-revalidate=60"),
        (ETAG, "\"5f4dcc3b5aa765d61d8327deb882cf99\""),
        (LAST_MODIFIED, "Mon, 24 Nov 2025 16:00:00 GMT"),
        (DATE, "Mon, 24 Nov 2025 16:00:00 GMT"),
        (SERVER, "example"),
        (VARY, "Accept, Accept-Encoding"),
    ];
    fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// Returns the head of every sample.
#[must_use]
pub fn head() -> ResponseHead {
    let url = Uri::from_static("https://api.example.org/v1/releases?page=2&per_page=100");
    let received = Timestamp::from_millis(1_764_000_000_000);
    let mut head = ResponseHead::new(Method::GET, url, StatusCode::OK, received);
    head.headers = fields();
    head
}

/// Returns the `bytes` bytes of number `number`, which do not compress and differ from those of any other number.
#[must_use]
pub fn body(number: usize, bytes: usize) -> Bytes {
    // The xorshift of George Marsaglia, which a state of zero would not leave.
    let mut state = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut body = Vec::with_capacity(bytes + 8);
    body.extend_from_slice(&(number as u64).to_le_bytes());
    while body.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.extend_from_slice(&state.to_le_bytes());
    }
    body.truncate(bytes);
    Bytes::from(body)
}

/// Returns the number that a body begins with, which is that of its sample.
#[must_use]
pub fn number_of(body: &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*body.first_chunk()?)).ok()
}

/// Returns the response of number `number` with a body of `bytes` bytes.
#[must_use]
pub fn response(number: usize, bytes: usize) -> CachedResponse {
    CachedResponse::new(head(), body(number, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_body_of_its_own() {
        for Size { bytes, .. } in SIZES {
            assert_eq!(body(1, bytes).len(), bytes);
            assert_eq!(body(1, bytes), body(1, bytes));
            assert_ne!(body(1, bytes), body(2, bytes));
            assert_eq!(number_of(&body(7, bytes)), Some(7));
        }
    }
}
