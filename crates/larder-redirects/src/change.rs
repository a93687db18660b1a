//! The operations that write: what each does to the database, and then to the copy in memory.
//!
//! A change that *fits* is one statement, which SQLite does whole or not at all. Any number of those share a
//! transaction; another has its own, or several.

use std::mem;

use larder_core::{Alias, CacheKey, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::Cause;
use crate::mirror::{Mirror, Rows};
use crate::queries::{self, BATCH, Column};
use crate::session::Identified;

/// How many keys of one transaction the copy in memory follows; after more it is made anew when it pays.
const MOST_FOLLOWED: usize = 1024;

#[derive(Debug)]
pub(crate) enum Change {
    Write { from: Vec<CacheKey>, alias: Alias },
    Delete(Column, Vec<CacheKey>),
    DeleteExpired(Timestamp),
    Clear,
}

impl Change {
    /// Returns whether it may share a transaction with others.
    pub(crate) fn fits(&self) -> bool {
        self.weight() <= BATCH.into()
    }

    /// Returns how many keys it names; more than any that fits if it takes several transactions.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Write { from: keys, .. } | Self::Delete(_, keys) => keys.len(),
            Self::DeleteExpired(_) => usize::MAX,
            Self::Clear => 1,
        }
    }

    fn apply(&self, connection: &Connection) -> Result<u64, Cause> {
        match self {
            Self::Write { from, alias } => {
                queries::write(connection, from, &alias.target, alias.expires_at)?;
                Ok(0)
            }
            Self::Delete(column, keys) => queries::delete(connection, *column, keys),
            Self::DeleteExpired(now) => queries::delete_expired(connection, *now),
            Self::Clear => queries::clear(connection).map(|()| 0),
        }
    }

    /// Does what takes several transactions, so that others come to the database in between.
    fn apply_in_steps(&self, connection: &mut Connection) -> Result<u64, Cause> {
        let mut deleted = 0;
        match self {
            Self::Delete(column, keys) => {
                for batch in keys.chunks(BATCH.into()) {
                    let transaction = begin(connection)?;
                    deleted += queries::delete(&transaction, *column, batch)?;
                    transaction.commit()?;
                }
            }
            Self::DeleteExpired(now) => loop {
                let transaction = begin(connection)?;
                let batch = queries::delete_expired(&transaction, *now)?;
                transaction.commit()?;
                deleted += batch;
                if batch < BATCH.into() {
                    break;
                }
            },
            Self::Write { .. } | Self::Clear => {
                let transaction = begin(connection)?;
                deleted += self.apply(&transaction)?;
                transaction.commit()?;
            }
        }
        Ok(deleted)
    }
}

/// Does `changes` in their order, in one transaction if they are several; returns how many rows each deleted.
///
/// An error is one of them all: then none is done, unless it is a single one that does not fit.
pub(crate) fn commit(
    session: &mut Identified<'_>,
    changes: &[Change],
    mirror: &Mirror,
) -> Result<Vec<u64>, Cause> {
    if let [change] = changes
        && !change.fits()
    {
        return Ok(vec![change.apply_in_steps(session.connection)?]);
    }
    let transaction = begin(session.connection)?;
    let expected = mirror.expect(&transaction, session.identity);
    let mut effects = Vec::new();
    let mut deleted = Vec::with_capacity(changes.len());
    for change in changes {
        if expected.is_some() {
            effects.push(Effect::of(change, &transaction)?);
        }
        deleted.push(change.apply(&transaction)?);
    }
    transaction.commit()?;
    if let Some(expected) = expected
        && effects.iter().map(Effect::weight).sum::<usize>() <= MOST_FOLLOWED
    {
        let mut garbage = Vec::new();
        expected.adopt(session.connection, |rows| {
            for effect in &effects {
                effect.apply(rows, &mut garbage);
            }
        });
    }
    Ok(deleted)
}

/// What a change that fits does to the copy in memory.
enum Effect<'a> {
    Set(&'a [CacheKey], &'a Alias),
    Unset(&'a [CacheKey]),
    UnsetFound(Vec<CacheKey>),
    Clear,
    Unknown,
}

impl<'a> Effect<'a> {
    /// Returns what `change` is about to do.
    fn of(change: &'a Change, connection: &Connection) -> Result<Self, Cause> {
        Ok(match change {
            Change::Write { from, alias } => Self::Set(from, alias),
            Change::Delete(Column::Key, keys) => Self::Unset(keys),
            Change::Delete(Column::Value, targets) => {
                Self::UnsetFound(queries::aliases_of(connection, targets)?)
            }
            Change::Clear => Self::Clear,
            Change::DeleteExpired(_) => Self::Unknown,
        })
    }

    fn weight(&self) -> usize {
        match self {
            Self::Set(keys, _) | Self::Unset(keys) => keys.len(),
            Self::UnsetFound(keys) => keys.len(),
            Self::Clear => 1,
            Self::Unknown => MOST_FOLLOWED + 1,
        }
    }

    /// Changes `rows`; what is then to be freed without the lock goes to `garbage`.
    fn apply(&self, rows: &mut Rows, garbage: &mut Vec<Rows>) {
        match self {
            Self::Set(keys, alias) => keys.iter().for_each(|key| rows.set(key.clone(), (*alias).clone())),
            Self::Unset(keys) => keys.iter().for_each(|key| rows.unset(key)),
            Self::UnsetFound(keys) => keys.iter().for_each(|key| rows.unset(key)),
            Self::Clear => garbage.push(mem::take(rows)),
            Self::Unknown => {}
        }
    }
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, Cause> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}
