//! The body as JSON.

use serde::de::DeserializeOwned;

use super::CachedResponse;
use crate::{Error, ErrorKind, Result};

impl CachedResponse {
    /// Returns what the body deserializes to, and keeps the body, so that it can be asked for again.
    ///
    /// A dropped future loses the body, as that of [`CachedResponse::bytes`] does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the body is not JSON of that shape, and those of
    /// [`CachedResponse::bytes`].
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, format!("the body is not the expected JSON: {error}"))
                .with_context("url", self.url())
                .with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{CachedResponse, ErrorKind, ResponseHead, Timestamp};
    use futures_executor::block_on;
    use http::{Method, StatusCode, Uri};

    #[test]
    fn a_body_deserializes_or_says_why_not() {
        let head = ResponseHead::new(Method::GET, Uri::default(), StatusCode::OK, Timestamp::UNIX_EPOCH);
        let mut response = CachedResponse::new(head, "[1, 2]");
        assert_eq!(block_on(response.json::<Vec<u8>>()).expect("an array"), [1, 2]);
        let error = block_on(response.json::<String>()).expect_err("not a string");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
