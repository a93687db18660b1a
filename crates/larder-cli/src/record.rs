//! An entry as JSON has it; the names are an interface that scripts depend on.

use larder::{CacheKey, StoredHead, Timestamp};
use serde::Serialize;

use crate::show_as::rfc3339;

/// What `ls --json` says of an entry, and `show --json` with more.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) method: String,
    pub(crate) status: u16,
    pub(crate) body_bytes: u64,
    pub(crate) created_at: String,
    pub(crate) received_at: String,
    pub(crate) expires_at: Option<String>,
    pub(crate) delete_at: Option<String>,
    pub(crate) expired: bool,
    /// How many redirects led here.
    pub(crate) redirects: usize,
}

impl Record {
    pub(crate) fn new(key: &CacheKey, stored: &StoredHead, now: Timestamp) -> Self {
        let head = &stored.head;
        Self {
            url: head.url.to_string(),
            key: key.to_string(),
            method: head.method.to_string(),
            status: head.status.as_u16(),
            body_bytes: stored.body_len,
            created_at: rfc3339(head.created_at),
            received_at: rfc3339(head.received_at),
            expires_at: head.expires_at.map(rfc3339),
            delete_at: head.delete_at.map(rfc3339),
            expired: head.is_expired(now),
            redirects: head.history.len(),
        }
    }
}
