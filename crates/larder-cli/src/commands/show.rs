//! `larder show`: the head of an entry, and where its file is.

use std::path::{Path, PathBuf};

use http::HeaderMap;
use larder::{CacheKey, StoredHead, Timestamp};
use serde::Serialize;

use crate::arguments::Show;
use crate::cache::Cache;
use crate::output::{Output, field_text};
use crate::record::Record;
use crate::show_as::{end, now, rfc3339, size};
use crate::status::{Failure, Result, Status};

pub(crate) async fn run(dir: Option<PathBuf>, arguments: Show, output: &mut Output) -> Result {
    let cache = Cache::open_existing(dir).await?;
    let found = arguments.target.find(&cache.backend).await?;
    if found.is_empty() {
        cache.close().await?;
        return Err(Failure::not_in_cache(format!("{} is not in the cache", arguments.target)));
    }
    for (i, (key, stored)) in found.iter().enumerate() {
        let path = cache.files.path_of(key);
        if arguments.json {
            output.json(&Shown::new(key, stored, &path, now()))?;
            continue;
        }
        if i > 0 {
            output.line("")?;
        }
        print(key, stored, &path, output)?;
    }
    cache.close().await?;
    Ok(Status::Done)
}

fn print(key: &CacheKey, stored: &StoredHead, path: &Path, output: &mut Output) -> Result<()> {
    let head = &stored.head;
    let reason = head.reason.as_deref().or(head.status.canonical_reason()).unwrap_or_default();
    let expired = if head.is_expired(now()) { " (expired)" } else { "" };
    output.line(format!("URL       {}", head.url))?;
    output.line(format!("Key       {key}"))?;
    output.line(format!("File      {}", path.display()))?;
    output.line(format!("Method    {}", head.method))?;
    output.line(format!("Status    {} {reason}", head.status.as_str()))?;
    output.line(format!("Body      {}", size_in_bytes(stored.body_len, output.is_terminal())))?;
    output.line(format!("Stored    {}", rfc3339(head.created_at)))?;
    output.line(format!("Received  {}", rfc3339(head.received_at)))?;
    output.line(format!("Expires   {}{expired}", end(head.expires_at)))?;
    output.line(format!("Deleted   {}", end(head.purge_at())))?;
    for hop in &head.history {
        output.line(format!("Through   {} {} {}", hop.status.as_str(), hop.method, hop.url))?;
    }
    for (name, value) in &head.metadata {
        output.line(format!("Metadata  {name}={value}"))?;
    }
    for (name, value) in fields(&head.vary_fields) {
        output.line(format!("Vary      {name}: {value}"))?;
    }
    for variant in &head.variants {
        output.line(format!("Variant   {} by {}", variant.key, names(&variant.nominated)))?;
    }
    output.line("")?;
    for (name, value) in fields(&head.headers) {
        output.line(format!("{name}: {value}"))?;
    }
    Ok(())
}

fn size_in_bytes(bytes: u64, for_person: bool) -> String {
    let exact = size(bytes, false);
    if for_person { format!("{} ({exact} bytes)", size(bytes, true)) } else { format!("{exact} bytes") }
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), field_text(value.as_bytes()).into_owned())
    };
    headers.iter().map(field).collect()
}

/// What `--json` says of an entry.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: Record,
    path: String,
    version: String,
    reason: Option<&'a str>,
    requested_at: String,
    /// Name and value of each field, in order.
    headers: Vec<(String, String)>,
    vary_fields: Vec<(String, String)>,
    /// The keys of the responses beside it, and what selects them.
    variants: Vec<(String, String)>,
    history: Vec<ShownHop>,
    metadata: &'a std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct ShownHop {
    method: String,
    url: String,
    status: u16,
    headers: Vec<(String, String)>,
}

impl<'a> Shown<'a> {
    fn new(key: &CacheKey, stored: &'a StoredHead, path: &Path, now: Timestamp) -> Self {
        let head = &stored.head;
        let hops = head.history.iter().map(|hop| ShownHop {
            method: hop.method.to_string(),
            url: hop.url.to_string(),
            status: hop.status.as_u16(),
            headers: fields(&hop.headers),
        });
        Self {
            record: Record::new(key, stored, now),
            path: path.display().to_string(),
            version: format!("{:?}", head.version),
            reason: head.reason.as_deref(),
            requested_at: rfc3339(head.requested_at),
            headers: fields(&head.headers),
            vary_fields: fields(&head.vary_fields),
            variants: head
                .variants
                .iter()
                .map(|variant| (variant.key.to_string(), names(&variant.nominated)))
                .collect(),
            history: hops.collect(),
            metadata: &head.metadata,
        }
    }
}

/// Returns the names as one line of `Vary` has them.
fn names(nominated: &[http::HeaderName]) -> String {
    nominated.iter().map(http::HeaderName::as_str).collect::<Vec<_>>().join(", ")
}
