//! What the quickstart prints: each request, the files that it left, and the rows of the redirect index.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use larder::{CacheBackend, CacheStatus};
use reqwest::{StatusCode, Url};
use rusqlite::{Connection, OpenFlags};

use crate::BoxError;

/// One request, answered.
pub(crate) struct Fetched {
    pub(crate) url: String,
    pub(crate) final_url: String,
    pub(crate) cache_status: CacheStatus,
    pub(crate) status: StatusCode,
    /// How many redirects led to the response.
    pub(crate) redirects: usize,
    pub(crate) body_len: usize,
    pub(crate) took: Duration,
}

/// How many requests were answered from where.
#[derive(Default)]
pub(crate) struct Summary {
    misses: usize,
    hits: usize,
    alias_hits: usize,
}

impl Summary {
    /// Prints and counts one request.
    pub(crate) fn add(&mut self, fetched: &Fetched) {
        let Fetched { url, final_url, cache_status, status, redirects, body_len, took } = fetched;
        let (count, word) = match cache_status {
            CacheStatus { hit: true, alias: true, .. } => (&mut self.alias_hits, "alias hit"),
            CacheStatus { hit: true, .. } => (&mut self.hits, "hit"),
            CacheStatus { stored: true, .. } => (&mut self.misses, "miss"),
            _ => (&mut self.misses, "miss, not stored"),
        };
        *count += 1;
        let took = took.as_secs_f64() * 1000.0;
        print!("{word:<9} {took:>9.3} ms  {} {body_len:>8} bytes  {url}", status.as_u16());
        match redirects {
            _ if cache_status.alias => println!("  -> {final_url}  (one lookup)"),
            0 => println!(),
            _ => println!("  -> {final_url}  (redirects: {redirects})"),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} misses, {} hits, {} alias hits", self.misses, self.hits, self.alias_hits)
    }
}

/// Prints the tree of files in `directory`, and beside each entry the URL that it is of.
pub(crate) async fn print_entries(cache: &CacheBackend, directory: &Path) -> Result<(), BoxError> {
    let urls: HashMap<String, String> = cache
        .responses()
        .heads()
        .map_ok(|(key, stored)| (key.to_string(), stored.head.url.to_string()))
        .try_collect()
        .await?;
    println!("\n{}/", directory.display());
    print_tree(directory, 1, &urls)
}

fn print_tree(directory: &Path, depth: usize, urls: &HashMap<String, String>) -> Result<(), BoxError> {
    let mut entries = std::fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let indent = "  ".repeat(depth);
        if entry.file_type()?.is_dir() {
            println!("{indent}{name}/");
            print_tree(&entry.path(), depth + 1, urls)?;
        } else {
            let bytes = entry.metadata()?.len();
            let url = urls.get(&name).map(|url| format!("  {url}")).unwrap_or_default();
            println!("{indent}{name}  {bytes} bytes{url}");
        }
    }
    Ok(())
}

/// Prints the rows of the redirect index as SQLite has them.
pub(crate) fn print_aliases(directory: &Path) -> Result<(), BoxError> {
    let path = directory.join("redirects.sqlite");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut rows = database.prepare(
        "SELECT key, value, coalesce(datetime(expires_at / 1000, 'unixepoch'), 'never') FROM redirects",
    )?;
    let mut rows = rows.query([])?;
    println!("\nredirects.sqlite: key -> value, expires_at (UTC)");
    while let Some(row) = rows.next()? {
        let (key, value, expires_at): (String, String, String) = row.try_into()?;
        println!("  {key} -> {value}, {expires_at}");
    }
    Ok(())
}

/// Returns `url` as it may be shown.
pub(crate) fn without_user_information(url: &str) -> Result<String, BoxError> {
    let mut shown = Url::parse(url)?;
    // They fail on URLs without a host, which have no user information.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    Ok(shown.to_string())
}
