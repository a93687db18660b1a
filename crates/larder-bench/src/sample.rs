//! What is stored: responses as an API gives them, of four sizes.

use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, SERVER, VARY,
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
pub const SIZES: [Size; 4] = [
    Size { name: "1 KiB", bytes: 1024 },
    Size { name: "10 KiB", bytes: 10 * 1024 },
    Size { name: "100 KiB", bytes: 100 * 1024 },
    Size { name: "1 MiB", bytes: 1024 * 1024 },
];

/// Returns the key of number `number`, as the keys of requests are.
#[must_use]
pub fn key(number: usize) -> CacheKey {
    CacheKey::digest(number.to_le_bytes())
}

/// Returns a response with seven header fields and a body of `bytes`.
#[must_use]
pub fn response(bytes: usize) -> CachedResponse {
    let url = Uri::from_static("https://api.example.org/v1/releases?page=2&per_page=100");
    let received = Timestamp::from_millis(1_764_000_000_000);
    let mut head = ResponseHead::new(Method::GET, url, StatusCode::OK, received);
    let fields: [(HeaderName, &'static str); 7] = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CACHE_CONTROL, "public, max-age=600, stale-while-revalidate=60"),
        (ETAG, "\"5f4dcc3b5aa765d61d8327deb882cf99\""),
        (LAST_MODIFIED, "Mon, 24 Nov 2025 16:00:00 GMT"),
        (DATE, "Mon, 24 Nov 2025 16:00:00 GMT"),
        (SERVER, "example"),
        (VARY, "Accept, Accept-Encoding"),
    ];
    for (name, value) in fields {
        head.headers.insert(name, HeaderValue::from_static(value));
    }
    let body: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
    CachedResponse::new(head, body)
}
