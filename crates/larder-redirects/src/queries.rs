//! The statements: each function is one operation on one connection.
//!
//! A row whose text is not a cache key, or whose expiry is not a number, was put there by somebody else; it is
//! as good as absent. Keys hold no character that JSON escapes, so that many of them travel as one argument.

use larder_core::{Alias, CacheKey, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use crate::error::Cause;

/// How many keys one statement handles; bulk deletions release the database to others after each batch.
const BATCH: u16 = 8192;
/// How many rows a listing holds in memory.
const PAGE: u16 = 512;

const READ: &str = "SELECT value, expires_at FROM redirects WHERE key = ?1";
const WRITE: &str = "INSERT INTO redirects (key, value, expires_at)
    SELECT value, ?2, ?3 FROM json_each(?1) WHERE true
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const DELETE: &str = "DELETE FROM redirects WHERE key = ?1";
const DELETE_EXPIRED: &str = "DELETE FROM redirects WHERE key IN
    (SELECT key FROM redirects WHERE expires_at <= ?1 LIMIT ?2)";
const CLEAR: &str = "DELETE FROM redirects";
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

pub(crate) fn write(
    connection: &mut Connection,
    from: &[CacheKey],
    target: &CacheKey,
    expires_at: Option<Timestamp>,
) -> Result<(), Cause> {
    let transaction = begin(connection)?;
    for batch in from.chunks(BATCH.into()) {
        let row = (json(batch), target.as_str(), expires_at.map(Timestamp::as_millis));
        transaction.prepare_cached(WRITE)?.execute(row)?;
    }
    Ok(transaction.commit()?)
}

pub(crate) fn delete(connection: &mut Connection, from: &CacheKey) -> Result<bool, Cause> {
    let transaction = begin(connection)?;
    let deleted = transaction.prepare_cached(DELETE)?.execute([from.as_str()])?;
    transaction.commit()?;
    Ok(deleted > 0)
}

pub(crate) fn bulk_delete(
    connection: &mut Connection,
    column: Column,
    keys: &[CacheKey],
) -> Result<u64, Cause> {
    let mut deleted = 0;
    for batch in keys.chunks(BATCH.into()) {
        let transaction = begin(connection)?;
        deleted += count(transaction.prepare_cached(column.bulk_delete())?.execute([json(batch)])?);
        transaction.commit()?;
    }
    Ok(deleted)
}

pub(crate) fn delete_expired(connection: &mut Connection, now: Timestamp) -> Result<u64, Cause> {
    let mut deleted = 0;
    loop {
        let transaction = begin(connection)?;
        let batch = transaction.prepare_cached(DELETE_EXPIRED)?.execute((now.as_millis(), BATCH))?;
        transaction.commit()?;
        deleted += count(batch);
        if batch < BATCH.into() {
            return Ok(deleted);
        }
    }
}

pub(crate) fn clear(connection: &mut Connection) -> Result<(), Cause> {
    let transaction = begin(connection)?;
    transaction.prepare_cached(CLEAR)?.execute([])?;
    Ok(transaction.commit()?)
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

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, Cause> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
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
