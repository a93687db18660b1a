//! The body as text, by the charset that the response names.

use encoding_rs::{Encoding, UTF_8};

use super::CachedResponse;
use crate::Result;

impl CachedResponse {
    /// Returns the body as text, and keeps the body, so that it can be asked for again.
    ///
    /// The encoding is that of a byte order mark, else the `charset` of `Content-Type`, else UTF-8. What is
    /// malformed is replaced by U+FFFD. A dropped future loses the body, as that of [`CachedResponse::bytes`] does.
    ///
    /// # Errors
    ///
    /// Those of [`CachedResponse::bytes`].
    pub async fn text(&mut self) -> Result<String> {
        self.text_with_charset("utf-8").await
    }

    /// Returns the body as text as [`CachedResponse::text`] does, with another encoding than UTF-8 to fall back to.
    ///
    /// `default` is a label of the Encoding Standard, for instance `"windows-1252"`; an unknown one is UTF-8. A dropped
    /// future loses the body.
    ///
    /// # Errors
    ///
    /// Those of [`CachedResponse::bytes`].
    pub async fn text_with_charset(&mut self, default: &str) -> Result<String> {
        let encoding = self.charset().or_else(|| Encoding::for_label(default.as_bytes())).unwrap_or(UTF_8);
        let bytes = self.bytes().await?;
        Ok(encoding.decode(&bytes).0.into_owned())
    }

    fn charset(&self) -> Option<&'static Encoding> {
        let content_type: mime::Mime = self.content_type()?.parse().ok()?;
        Encoding::for_label(content_type.get_param(mime::CHARSET)?.as_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Body, CachedResponse, ResponseHead, Timestamp};
    use futures_executor::block_on;
    use http::{HeaderValue, Method, StatusCode, Uri, header};

    #[track_caller]
    fn check(content_type: Option<&'static str>, body: &'static [u8], expected: &str) {
        let mut head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        if let Some(value) = content_type {
            head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        let text = block_on(CachedResponse::new(head, Body::from(body)).text()).expect("in memory");
        assert_eq!(text, expected, "{content_type:?}");
    }

    #[test]
    fn the_charset_decides_how_a_body_reads() {
        check(None, "é".as_bytes(), "é");
        check(Some("text/plain"), "é".as_bytes(), "é");
        check(Some("text/plain; charset=ISO-8859-1"), b"\xe9", "é");
        check(Some("text/plain; charset=\"shift_jis\""), b"\x82\xa0", "あ");
        check(Some("text/plain; charset=unheard-of"), "é".as_bytes(), "é");
        check(Some("not a media type"), b"a\xffb", "a\u{fffd}b");
        check(Some("text/plain; charset=iso-8859-1"), b"\xef\xbb\xbf\xc3\xa9", "é");
    }
}
