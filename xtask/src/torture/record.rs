//! An entry that says what it must hold: its key, its versions and its length stand in its head.

use larder::{Body, CacheKey, CachedResponse, ResponseHead, Timestamp};

use super::content::Content;
use super::random::Random;

/// The lengths of bodies: none, small, around the file store's chunks, several chunks.
const LENGTHS: &[u64] = &[0, 1, 10, 900, 4096, 30_000, 65_535, 65_536, 65_537, 200_000];

/// What one write, and perhaps updates of its head, have stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the write; the body depends on it.
    pub(super) version: u64,
    /// The length of the body.
    pub(super) len: u64,
    /// The number of the last update of the head, or of the write.
    pub(super) head: u64,
}

impl Record {
    /// Returns the record of a write with a body of a random length.
    pub(super) fn new(version: u64, random: &mut Random) -> Self {
        Self { version, len: *random.pick(LENGTHS), head: version }
    }

    /// Returns the head that says so.
    pub(super) fn head(self, key: &CacheKey) -> ResponseHead {
        let url = format!("http://localhost/{key}").parse().expect("a key is a path");
        let mut head = ResponseHead::new(http::Method::GET, url, http::StatusCode::OK, Timestamp::UNIX_EPOCH);
        head.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
        for (name, value) in [("version", self.version), ("len", self.len), ("head", self.head)] {
            head.metadata.insert(name.to_owned(), value.to_string());
        }
        head
    }

    /// Returns the response, buffered or streamed with or without a known length, whichever `random` says.
    pub(super) fn response(self, key: &CacheKey, random: &mut Random) -> CachedResponse {
        let content = Content::new(key.as_str(), self.version).compressible();
        let body = match random.below(4) {
            0 => Body::from_stream(content.chunks(self.len)),
            1 => Body::from_sized_stream(content.chunks(self.len), self.len),
            _ => Body::from(content.bytes(0, usize::try_from(self.len).expect("small"))),
        };
        CachedResponse::new(self.head(key), body)
    }

    /// Returns what `head` says that the entry holds.
    ///
    /// # Errors
    ///
    /// What is wrong, when it is not the head of any record of `key`.
    pub(super) fn of_head(key: &CacheKey, head: &ResponseHead) -> Result<Self, String> {
        let number = |name| head.metadata.get(name).and_then(|text| text.parse().ok());
        let (Some(version), Some(len), Some(last)) = (number("version"), number("len"), number("head"))
        else {
            return Err(format!("{key}: a head without a record: {head:?}"));
        };
        let record = Self { version, len, head: last };
        if *head == record.head(key) {
            Ok(record)
        } else {
            Err(format!("{key}: a head that nobody wrote: {head:?}"))
        }
    }

    /// Reads all of `response` and returns what it holds.
    ///
    /// # Errors
    ///
    /// What is wrong, when a byte differs from what its head says, or the body fails.
    pub(super) async fn of(key: &CacheKey, response: CachedResponse) -> Result<Self, String> {
        let record = Self::of_head(key, &response.head)?;
        let content = Content::new(key.as_str(), record.version).compressible();
        let mut body = response.body;
        let mut offset = 0;
        loop {
            match body.chunk().await {
                Ok(Some(chunk)) if content.matches(offset, &chunk) => offset += chunk.len() as u64,
                Ok(Some(_)) => return Err(format!("{key}: wrong bytes after {offset} of {record:?}")),
                Ok(None) if offset == record.len => return Ok(record),
                Ok(None) => return Err(format!("{key}: {offset} bytes of {record:?}")),
                Err(error) => return Err(format!("{key}: after {offset} bytes of {record:?}: {error}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_record_is_recognised_and_a_wrong_byte_noticed() {
        let key = CacheKey::new("a").expect("a key");
        let mut random = Random::new(1);
        for version in 1..20 {
            let record = Record::new(version, &mut random);
            assert_eq!(Record::of(&key, record.response(&key, &mut random)).await, Ok(record));
        }
        let record = Record { version: 1, len: 10, head: 1 };
        for body in ["0123456789", "short", ""] {
            let response = CachedResponse::new(record.head(&key), body);
            assert!(Record::of(&key, response).await.is_err(), "{body}");
        }
        let other = CacheKey::new("b").expect("a key");
        assert!(Record::of(&other, record.response(&key, &mut random)).await.is_err());
    }
}
