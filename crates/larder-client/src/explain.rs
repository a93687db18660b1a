//! What the cache would do about a request, and why, without doing it.

use std::fmt;

use http::{Method, Request, Uri};
use larder_core::{CacheKey, ResponseHead, Timestamp};
use larder_policy::{Bypass, Decision, Freshness, RequestOptions, http_date};

use crate::cache::key_request;
use crate::trail::Trail;
use crate::{RequestBody, ResponseCache};

/// What is stored for a request, and what would be done about it; [`fmt::Display`] says it in a few lines.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The request's method.
    pub method: Method,
    /// The request's target.
    pub url: Uri,
    /// When it was asked.
    pub now: Timestamp,
    /// What the request is looked up under, or why it is not.
    pub key: Result<CacheKey, Bypass>,
    /// What is stored for it: what its fields select, else what they do not.
    pub stored: Option<StoredEntry>,
    /// What would be done.
    pub decision: Decision,
}

/// What is stored for a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The key that it is stored under.
    pub key: CacheKey,
    /// Its head.
    pub head: ResponseHead,
    /// The length of its body in bytes, if that is known.
    pub body_len: Option<u64>,
    /// Whether it was found by skipping redirects.
    pub is_aliased: bool,
    /// Whether the request's fields select it (RFC 9111, section 4.1).
    pub is_selected: bool,
    /// How fresh it is.
    pub freshness: Freshness,
}

impl ResponseCache {
    /// Returns what is stored for `request`, and what would be done about it. Nothing is, and the origin is not asked.
    ///
    /// A [`RequestOptions`] among the request's extensions is heeded. A failure of the cache is a miss. A dropped
    /// future has no effect.
    pub async fn explain(&self, request: &Request<RequestBody>) -> Explanation {
        let options = request.extensions().get::<RequestOptions>().cloned().unwrap_or_default();
        let policy = &self.inner.policy;
        let now = self.inner.clock.now();
        let asked = key_request(request);
        let keys = policy.keys(&asked, &options);
        let (found, decision) = match &keys {
            Ok(keys) => {
                let chosen = self.choose(request, &options, keys, &Trail::default(), now).await;
                (chosen.stored, chosen.decision)
            }
            Err(_) => (None, policy.decide(&asked, &options, None, now)),
        };
        let stored = found.map(|stored| StoredEntry {
            key: stored.entry().clone(),
            body_len: stored.body_len(),
            is_aliased: stored.is_aliased(),
            is_selected: policy.matches_vary(&asked, stored.head()),
            freshness: policy.freshness(stored.head(), now),
            head: stored.head().clone(),
        });
        Explanation {
            method: request.method().clone(),
            url: request.uri().clone(),
            now,
            key: keys.map(|keys| keys.primary),
            stored,
            decision,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.url)?;
        match &self.key {
            Ok(key) => writeln!(f, "key: {key}")?,
            Err(bypass) => writeln!(f, "key: none, since {bypass}")?,
        }
        match &self.stored {
            Some(stored) => write!(f, "{stored}")?,
            None => writeln!(f, "stored: nothing")?,
        }
        f.write_str("decision: ")?;
        match &self.decision {
            Decision::Use => f.write_str("answer with what is stored"),
            Decision::UseWhileValidating { .. } => {
                f.write_str("answer with what is stored, and validate it behind the answer")
            }
            Decision::Validate { conditions, reason } => {
                write!(f, "ask the origin ({reason}) whether it is still valid:")?;
                conditions.iter().try_for_each(|(name, value)| {
                    write!(f, " {name}: {}", String::from_utf8_lossy(value.as_bytes()))
                })
            }
            Decision::Complete { .. } => f.write_str("ask the origin (partial) for the rest"),
            Decision::Fetch { reason } => write!(f, "ask the origin ({reason})"),
            Decision::Refuse => f.write_str("answer 504, since the origin is not to be asked"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for StoredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stored: {} of {}", self.head.status, self.head.url)?;
        if let Some(len) = self.body_len {
            write!(f, ", {len} {}", if len == 1 { "byte" } else { "bytes" })?;
        }
        writeln!(f, ", under {}", self.key)?;
        if self.is_aliased {
            writeln!(f, "        found by skipping redirects")?;
        }
        if !self.is_selected {
            writeln!(f, "        for requests with other fields, by its Vary")?;
        }
        if !self.head.variants.is_empty() {
            writeln!(f, "        {} more beside it, by its Vary", self.head.variants.len())?;
        }
        let Freshness { age, lifetime, source, expires_at, .. } = &self.freshness;
        let Some(lifetime) = lifetime else {
            return writeln!(f, "age: {} s; fresh for ever by {source}", age.as_secs());
        };
        let left = i128::from(lifetime.as_secs()) - i128::from(age.as_secs());
        // The seconds are rounded, and what decides is not.
        let is_fresh = *lifetime > *age;
        let verdict = if is_fresh { "fresh" } else { "stale" };
        write!(f, "age: {} s; lifetime: {} s by {source}", age.as_secs(), lifetime.as_secs())?;
        write!(f, "; {} - {} = {left} s, {verdict}", lifetime.as_secs(), age.as_secs())?;
        match expires_at.and_then(http_date) {
            Some(date) if is_fresh => writeln!(f, " until {date}"),
            Some(date) => writeln!(f, " since {date}"),
            None => writeln!(f),
        }
    }
}
