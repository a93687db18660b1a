//! Which bodies are worth compressing: those that are long enough, and that nobody has compressed before.
//!
//! The answer decides what a write costs, never whether a body can be read back.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use larder_core::ResponseHead;

/// The length below which a body is left alone unless told otherwise: it would not save a block on the disk.
pub(crate) const DEFAULT_MIN_LEN: u64 = 1024;

/// Returns whether a body of this head, of `body_len` bytes if known, is worth compressing.
pub(crate) fn is_worthwhile(head: &ResponseHead, body_len: Option<u64>, min_len: u64) -> bool {
    body_len.is_none_or(|len| len >= min_len) && !is_encoded(&head.headers) && !is_dense(&head.headers)
}

/// Returns whether the body has a content coding (RFC 9110, section 8.4) other than `identity`.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    })
}

/// Returns whether the media type (RFC 9110, section 8.3) is one whose format is compressed in itself.
///
/// `application/octet-stream` counts as one: what is served under it is mostly archives and installers. A type
/// that is missing, not text or not known does not count.
fn is_dense(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    match subtype.rsplit_once('+').map(|(_, suffix)| suffix) {
        Some("xml" | "json") => return false,
        Some("zip" | "gzip" | "zstd") => return true,
        _ => {}
    }
    match kind {
        "image" => !matches!(
            subtype,
            "bmp"
                | "x-ms-bmp"
                | "x-icon"
                | "vnd.microsoft.icon"
                | "x-portable-anymap"
                | "x-portable-bitmap"
                | "x-portable-graymap"
                | "x-portable-pixmap"
        ),
        "video" | "audio" => true,
        "font" => matches!(subtype, "woff" | "woff2"),
        "binary" => subtype == "octet-stream",
        "application" => is_dense_application(subtype),
        _ => false,
    }
}

fn is_dense_application(subtype: &str) -> bool {
    subtype.starts_with("vnd.openxmlformats-officedocument.")
        || subtype.starts_with("vnd.oasis.opendocument.")
        || matches!(
            subtype,
            "octet-stream"
                | "zip"
                | "x-zip-compressed"
                | "gzip"
                | "x-gzip"
                | "zstd"
                | "x-bzip"
                | "x-bzip2"
                | "x-xz"
                | "x-lzma"
                | "x-compress"
                | "x-7z-compressed"
                | "vnd.rar"
                | "x-rar-compressed"
                | "pdf"
                | "font-woff"
                | "font-woff2"
                | "x-font-woff"
                | "java-archive"
                | "vnd.android.package-archive"
                | "vnd.debian.binary-package"
                | "x-rpm"
        )
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, StatusCode, Uri};
    use larder_core::Timestamp;

    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> ResponseHead {
        let mut head =
            ResponseHead::new(Method::GET, Uri::from_static("/"), StatusCode::OK, Timestamp::UNIX_EPOCH);
        for (name, value) in fields {
            head.headers.append(*name, HeaderValue::from_static(value));
        }
        head
    }

    fn check(fields: &[(&'static str, &'static str)], expected: bool) {
        assert_eq!(is_worthwhile(&head(fields), Some(5000), DEFAULT_MIN_LEN), expected, "{fields:?}");
    }

    #[test]
    fn media_types_decide() {
        for content_type in [
            "text/html; charset=utf-8",
            "text/event-stream",
            "application/json",
            "application/problem+json",
            "application/wasm",
            "application/x-tar",
            "application/javascript",
            "multipart/byteranges; boundary=x",
            "image/svg+xml",
            "image/bmp",
            "image/x-icon",
            "font/ttf",
            "font/otf",
            "made/up",
            "nonsense",
            "",
        ] {
            check(&[("content-type", content_type)], true);
        }
        for content_type in [
            "image/png",
            "IMAGE/JPEG",
            "image/webp ; q=1",
            "image/avif",
            "video/mp4",
            "audio/ogg",
            "font/woff",
            "font/woff2",
            "application/zip",
            "application/gzip",
            "application/x-7z-compressed",
            "application/zstd",
            "application/pdf",
            "application/epub+zip",
            "application/octet-stream",
            "binary/octet-stream",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ] {
            check(&[("content-type", content_type)], false);
        }
    }

    #[test]
    fn an_encoded_body_is_left_alone() {
        check(&[], true);
        check(&[("content-encoding", "identity")], true);
        check(&[("content-encoding", "Identity, identity")], true);
        check(&[("content-encoding", "")], true);
        check(&[("content-encoding", "gzip")], false);
        check(&[("content-encoding", "identity, br")], false);
        check(&[("content-encoding", "identity"), ("content-encoding", "zstd")], false);
        check(&[("content-encoding", "gzip"), ("content-type", "text/html")], false);
    }

    #[test]
    fn a_short_body_is_left_alone_and_an_unknown_length_is_not_short() {
        for (body_len, min_len, expected) in [
            (Some(0), 1024, false),
            (Some(1023), 1024, false),
            (Some(1024), 1024, true),
            (Some(0), 0, true),
            (Some(u64::MAX), u64::MAX, true),
            (None, u64::MAX, true),
        ] {
            assert_eq!(is_worthwhile(&head(&[]), body_len, min_len), expected, "{body_len:?} of {min_len}");
        }
    }
}
