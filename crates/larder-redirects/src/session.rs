//! One connection to the database, and which file it is to.
//!
//! A session never checkpoints or deletes a log when it is dropped: SQLite deletes logs by name, and by then
//! the name may stand for those of another database. Only [`Session::finish`], under the lock, does.

use std::mem;
use std::path::Path;

use larder_core::Durability;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::busy;
use crate::error::Cause;
use crate::files::{self, Identity};
use crate::held::Held;
use crate::lock::DatabaseLock;
use crate::opener::Opener;
use crate::schema;

/// To what size a log is cut back after it has been written into the database, in bytes.
const LOG_LIMIT: i64 = 4 << 20;

/// May be dropped anywhere.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: Held,
    pub(crate) identity: Identity,
}

/// A connection at work, and which file it is to.
#[derive(Debug)]
pub(crate) struct Identified<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) identity: Identity,
}

impl Session {
    /// Opens the database that stands at `path` as `identity`.
    pub(crate) fn open(
        opener: &Opener,
        lock: &DatabaseLock,
        path: &Path,
        identity: Identity,
        durability: Durability,
    ) -> Result<Self, Cause> {
        // If it cannot be set up it is closed here, before anybody sets its database aside.
        let connection = opener.open(lock)?;
        connection.interact_here(|connection| set_up(connection, path, durability))?;
        Ok(Self { connection, identity })
    }

    /// Does `work` on this thread, which may block.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&mut Identified<'_>) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let identity = self.identity;
        self.connection.interact_here(|connection| work(&mut Identified { connection, identity }))
    }

    /// Closes the connection, and if it was the last one leaves a database without a log.
    pub(crate) fn finish(self, _lock: &DatabaseLock) -> Result<(), Cause> {
        self.connection.interact_here(|connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
            // Others may share the wrapper still, and this one shall be closed while the lock is held.
            let connection = mem::replace(connection, Connection::open_in_memory()?);
            connection.close().map_err(|(_, error)| error.into())
        })
    }
}

fn set_up(connection: &mut Connection, path: &Path, durability: Durability) -> Result<(), Cause> {
    connection.busy_handler(Some(busy::wait))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    schema::admit(connection)?;
    if connection.is_readonly("main")? {
        return Err(if files::is_read_only(path) { Cause::ReadOnly } else { Cause::Format });
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Cause::NoWriteAhead { mode });
    }
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_LIMIT, |_| Ok(()))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    set_durability(connection, durability)?;
    schema::bring_up_to_date(connection)
}

/// Syncs the log at each commit only where a write that returned shall survive a power loss.
///
/// At the other levels the log is synced before it is written into the database, so that a power loss takes the
/// latest transactions, each of them whole. `Ordered` asks for no more: nothing leads from an entry to an alias,
/// and an alias without its entry is a miss.
fn set_durability(connection: &Connection, durability: Durability) -> Result<(), Cause> {
    if durability == Durability::Durable {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    } else {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    Ok(())
}
