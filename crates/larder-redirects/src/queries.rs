//! The statements: each function is one step of an operation, on one connection, in the caller's transaction if any.
//!
//! A row whose text is not a cache key, or whose expiry is not a number, was put there by somebody else; it is
//! as good as absent. Keys hold no character that JSON escapes, so that many of them travel as one argument.

use larder_core::{Alias, CacheKey, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::error::Cause;

/// How many keys one statement handles.
pub(crate) const BATCH: u16 = 8192;
/// How many rows a listing holds in memory.
const PAGE: u16 = 512;

const READ: &str = "SELECT value, expires_at FROM redirects WHERE key = ?1";
const WRITE: &str = "INSERT INTO redirects (key, value, expires_at)
    SELECT value, ?2, ?3 FROM json_each(?1) WHERE true
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const WRITE_ONE: &str = "INSERT INTO redirects (key, value, expires_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const DELETE: &str = "DELETE FROM redirects WHERE key = ?1";
const DELETE_EXPIRED: &str = "DELETE FROM redirects WHERE key IN
    (SELECT key FROM redirects WHERE expires_at <= ?1 LIMIT ?2)";
const CLEAR: &str = "DELETE FROM redirects";
const ALIASES_OF: &str = "SELECT key FROM redirects WHERE value IN (SELECT value FROM json_each(?1))";
const ALL: &str = "SELECT value, expires_at, key FROM redirects";
const MORE_THAN: &str = "SELECT count(*) > ?1 FROM (SELECT 1 FROM redirects LIMIT ?1 + 1)";
const VERSION: &str = "PRAGMA data_version";
const SIZE: &str = "SELECT count(*) FROM redirects";
/// Text comes before every blob, and a key that is a blob is none. The cursor is bound as a blob because it need
/// not be UTF-8 either.
const LIST: &str = "SELECT value, expires_at, key FROM redirects
    WHERE key > CAST(?1 AS TEXT) AND key < x'' ORDER BY key LIMIT ?2";

/// Which column a bulk deletion matches.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Key,
    Value,
}

impl Column {
    fn bulk_delete(self) -> &'static str {
        match self {
            Self::Key => "DELETE FROM redirects WHERE key IN (SELECT value FROM json_each(?1))",
            Self::Value => "DELETE FROM redirects WHERE value IN (SELECT value FROM json_each(?1))",
        }
    }
}

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<(CacheKey, Alias)>,
    /// Where the next page begins; `None` after the last one.
    pub(crate) next: Option<Vec<u8>>,
}

pub(crate) fn read(connection: &Connection, from: &CacheKey) -> Result<Option<Alias>, Cause> {
    let row = connection.prepare_cached(READ)?.query_row([from.as_str()], alias).optional()?;
    Ok(row.flatten())
}

/// Makes all of `from` aliases, at most [`BATCH`] at a time.
pub(crate) fn write(
    connection: &Connection,
    from: &[CacheKey],
    target: &CacheKey,
    expires_at: Option<Timestamp>,
) -> Result<(), Cause> {
    for batch in from.chunks(BATCH.into()) {
        let (target, expires_at) = (target.as_str(), expires_at.map(Timestamp::as_millis));
        match batch {
            [key] => connection.prepare_cached(WRITE_ONE)?.execute((key.as_str(), target, expires_at))?,
            _ => connection.prepare_cached(WRITE)?.execute((json(batch), target, expires_at))?,
        };
    }
    Ok(())
}

/// Deletes the rows with any of `keys`, at most [`BATCH`], in `column`.
pub(crate) fn delete(connection: &Connection, column: Column, keys: &[CacheKey]) -> Result<u64, Cause> {
    let deleted = match (column, keys) {
        (Column::Key, [key]) => connection.prepare_cached(DELETE)?.execute([key.as_str()])?,
        _ => connection.prepare_cached(column.bulk_delete())?.execute([json(keys)])?,
    };
    Ok(count(deleted))
}

/// Deletes at most [`BATCH`] rows that have ended at `now`.
pub(crate) fn delete_expired(connection: &Connection, now: Timestamp) -> Result<u64, Cause> {
    Ok(count(connection.prepare_cached(DELETE_EXPIRED)?.execute((now.as_millis(), BATCH))?))
}

pub(crate) fn clear(connection: &Connection) -> Result<(), Cause> {
    connection.prepare_cached(CLEAR)?.execute([])?;
    Ok(())
}

/// Returns the aliases of all of `targets`.
pub(crate) fn aliases_of(connection: &Connection, targets: &[CacheKey]) -> Result<Vec<CacheKey>, Cause> {
    let mut statement = connection.prepare_cached(ALIASES_OF)?;
    let keys = statement.query_map([json(targets)], |row| cache_key(row, 0))?;
    Ok(keys.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

/// Returns a number that changes when, and only when, another connection has committed a change.
pub(crate) fn data_version(connection: &Connection) -> Result<i64, Cause> {
    Ok(connection.prepare_cached(VERSION)?.query_row([], |row| row.get(0))?)
}

/// Gives every alias to `visit`, if there are at most `most` rows; returns whether that is so.
pub(crate) fn all(
    connection: &Connection,
    most: usize,
    mut visit: impl FnMut(CacheKey, Alias),
) -> Result<bool, Cause> {
    let most = i64::try_from(most).unwrap_or(i64::MAX - 1);
    if connection.prepare_cached(MORE_THAN)?.query_row([most], |row| row.get(0))? {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached(ALL)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if let (Some(key), Some(alias)) = (cache_key(row, 2)?, alias(row)?) {
            visit(key, alias);
        }
    }
    Ok(true)
}

pub(crate) fn size(connection: &Connection) -> Result<u64, Cause> {
    let rows: i64 = connection.prepare_cached(SIZE)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Returns the rows whose keys come after `after`, which is empty at first.
pub(crate) fn page(connection: &Connection, after: &[u8]) -> Result<Page, Cause> {
    let mut statement = connection.prepare_cached(LIST)?;
    let mut found = statement.query((after, PAGE))?;
    let mut page = Page { rows: Vec::with_capacity(PAGE.into()), next: None };
    let mut seen = 0;
    let mut last = Vec::new();
    while let Some(row) = found.next()? {
        seen += 1;
        if let ValueRef::Text(key) = row.get_ref(2)? {
            last.clear();
            last.extend_from_slice(key);
        }
        if let (Some(key), Some(alias)) = (cache_key(row, 2)?, alias(row)?) {
            page.rows.push((key, alias));
        }
    }
    // In a database that is corrupt the order may be too; the listing goes forward or ends.
    page.next = (seen == PAGE && last.as_slice() > after).then_some(last);
    Ok(page)
}

/// Returns the alias in the columns `value, expires_at`.
fn alias(row: &Row<'_>) -> rusqlite::Result<Option<Alias>> {
    let expires_at = match row.get_ref(1)? {
        ValueRef::Null => None,
        ValueRef::Integer(millis) => Some(Timestamp::from_millis(millis)),
        _ => return Ok(None),
    };
    Ok(cache_key(row, 0)?.map(|target| Alias::new(target, expires_at)))
}

fn cache_key(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<CacheKey>> {
    let text = row.get_ref(column)?;
    Ok(text.as_str().ok().and_then(|text| CacheKey::new(text).ok()))
}

fn json(keys: &[CacheKey]) -> String {
    let mut text = String::with_capacity(2 + keys.iter().map(|key| key.as_str().len() + 3).sum::<usize>());
    text.push('[');
    for (i, key) in keys.iter().enumerate() {
        text.push_str(if i == 0 { "\"" } else { ",\"" });
        text.push_str(key.as_str());
        text.push('"');
    }
    text.push(']');
    text
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
