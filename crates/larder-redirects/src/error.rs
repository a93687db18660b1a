//! What can go wrong underneath, and what it means to a caller.
//!
//! A [`Cause`] becomes a [`larder_core::Error`] in one place, [`Cause::into_error`]. Whether it means that the
//! database must be replaced is decided here too, by SQLite's codes and never by a message.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder_core::{Error, ErrorKind};
use rusqlite::ErrorCode;
use rusqlite::ffi;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("its format is one that this SQLite reads but does not write")]
    Format,
    #[error("it is read-only")]
    ReadOnly,
    #[error("it is not ours: its application id is {application_id:#x} and its version {version}")]
    Foreign { application_id: i64, version: i64 },
    #[error("its schema has version {found}, and this build knows versions up to {known}")]
    Newer { found: i64, known: i64 },
    #[error("it cannot be in write-ahead mode, only in mode {mode:?}")]
    NoWriteAhead { mode: String },
    #[error("{path} is held by another process or index", path = path.display())]
    Locked { path: PathBuf },
    #[error("option {option} is {value}, which is not {wanted}")]
    Option { option: &'static str, value: String, wanted: &'static str },
    #[error("the index was closed")]
    Closed,
    #[error("there is no Tokio runtime to open the index in")]
    NoRuntime,
    #[error("the Tokio runtime has shut down")]
    RuntimeGone,
    #[error("cannot make a runtime to open it in: {source}")]
    Thread { source: io::Error },
    #[error("the operation panicked")]
    Panicked,
}

/// What an operation's failure says about the connection that it ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The database is broken and must be set aside.
    Corrupt,
    /// Path or schema is not what the connection was opened with: open another one and try again. If opening
    /// ends so, the database is not what its header says.
    Stale,
    /// The connection may be in any state; open another one next time.
    Doubtful,
    /// The connection is sound.
    Sound,
}

impl Cause {
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let Some(error) = self.sqlite() else {
            return if matches!(self, Self::Format | Self::Foreign { .. }) {
                Verdict::Corrupt
            } else {
                Verdict::Sound
            };
        };
        match error.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Verdict::Corrupt,
            // The statements are constant and right for the schema, so that an error in one means another schema.
            ErrorCode::Unknown | ErrorCode::SchemaChanged => Verdict::Stale,
            _ if error.extended_code == ffi::SQLITE_READONLY_DBMOVED => Verdict::Stale,
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::InternalMalfunction => {
                Verdict::Doubtful
            }
            _ => Verdict::Sound,
        }
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Sqlite(_) => self.sqlite().map_or(ErrorKind::Other, |error| sqlite_kind(error.code)),
            Self::File { source, .. } | Self::Thread { source } => io_kind(source),
            Self::Format | Self::Foreign { .. } => ErrorKind::Corrupt,
            Self::ReadOnly => ErrorKind::PermissionDenied,
            Self::Newer { .. } | Self::NoWriteAhead { .. } => ErrorKind::Unsupported,
            Self::Locked { .. } => ErrorKind::Unavailable,
            Self::Option { .. } | Self::NoRuntime => ErrorKind::Configuration,
            Self::Closed | Self::RuntimeGone => ErrorKind::Closed,
            Self::Panicked => ErrorKind::Other,
        }
    }

    /// Turns this cause into the public error of `operation` on the database at `path`.
    pub(crate) fn into_error(self, operation: &'static str, path: &Path) -> Error {
        Arc::new(self).into_shared_error(operation, path)
    }

    /// As [`Cause::into_error`], when several operations have failed of it together.
    pub(crate) fn into_shared_error(self: Arc<Self>, operation: &'static str, path: &Path) -> Error {
        Error::new(self.kind(), format!("the redirect index failed: {self}"))
            .with_operation(operation)
            .with_context("path", path.display())
            .with_source(self)
    }

    fn sqlite(&self) -> Option<ffi::Error> {
        match self {
            Self::Sqlite(
                rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. },
            ) => Some(*error),
            _ => None,
        }
    }
}

fn sqlite_kind(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown => ErrorKind::Corrupt,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationInterrupted
        | ErrorCode::SchemaChanged => ErrorKind::Unavailable,
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied => {
            ErrorKind::PermissionDenied
        }
        ErrorCode::DiskFull => ErrorKind::StorageFull,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => ErrorKind::Io,
        ErrorCode::TooBig => ErrorKind::TooLarge,
        ErrorCode::NoLargeFileSupport => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    }
}

/// Returns the kind that [`larder_core::Error`] gives to an I/O error.
fn io_kind(error: &io::Error) -> ErrorKind {
    Error::from(io::Error::from(error.kind())).kind()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, OpenFlags};

    fn check(code: i32, kind: ErrorKind, verdict: Verdict) {
        let cause = Cause::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert_eq!((cause.kind(), cause.verdict()), (kind, verdict), "code {code}");
    }

    #[test]
    fn every_code_of_sqlite_has_a_kind_and_a_verdict() {
        check(ffi::SQLITE_CORRUPT, ErrorKind::Corrupt, Verdict::Corrupt);
        check(ffi::SQLITE_CORRUPT_INDEX, ErrorKind::Corrupt, Verdict::Corrupt);
        check(ffi::SQLITE_NOTADB, ErrorKind::Corrupt, Verdict::Corrupt);
        check(ffi::SQLITE_ERROR, ErrorKind::Corrupt, Verdict::Stale);
        check(ffi::SQLITE_SCHEMA, ErrorKind::Unavailable, Verdict::Stale);
        check(ffi::SQLITE_READONLY, ErrorKind::PermissionDenied, Verdict::Sound);
        check(ffi::SQLITE_READONLY_DBMOVED, ErrorKind::PermissionDenied, Verdict::Stale);
        check(ffi::SQLITE_BUSY, ErrorKind::Unavailable, Verdict::Sound);
        check(ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::Unavailable, Verdict::Sound);
        check(ffi::SQLITE_FULL, ErrorKind::StorageFull, Verdict::Sound);
        check(ffi::SQLITE_IOERR_WRITE, ErrorKind::Io, Verdict::Doubtful);
        check(ffi::SQLITE_CANTOPEN, ErrorKind::Io, Verdict::Doubtful);
        check(ffi::SQLITE_PERM, ErrorKind::PermissionDenied, Verdict::Sound);
        check(ffi::SQLITE_TOOBIG, ErrorKind::TooLarge, Verdict::Sound);
        check(ffi::SQLITE_NOMEM, ErrorKind::Other, Verdict::Sound);
    }

    #[test]
    fn a_full_database_is_storage_full() -> rusqlite::Result<()> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("CREATE TABLE t(x); PRAGMA max_page_count = 2")?;
        let error = connection.execute("INSERT INTO t VALUES (zeroblob(100000))", []).expect_err("full");
        assert_eq!(Cause::from(error).kind(), ErrorKind::StorageFull);
        Ok(())
    }

    #[test]
    fn a_read_only_database_is_permission_denied() -> Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("t.sqlite");
        Connection::open(&path)?.execute_batch("CREATE TABLE t(x)")?;
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let error = connection.execute("INSERT INTO t VALUES (1)", []).expect_err("read-only");
        assert_eq!(Cause::from(error).kind(), ErrorKind::PermissionDenied);
        Ok(())
    }

    #[test]
    fn a_missing_table_is_a_stale_schema() -> rusqlite::Result<()> {
        let error = Connection::open_in_memory()?.prepare("SELECT 1 FROM t").map(drop).expect_err("missing");
        assert_eq!(Cause::from(error).verdict(), Verdict::Stale);
        Ok(())
    }

    #[test]
    fn the_public_error_names_operation_and_path_and_keeps_its_cause() {
        let error = Cause::Closed.into_error("read", Path::new("a/redirects.sqlite"));
        assert_eq!(
            error.to_string(),
            "read: the redirect index failed: the index was closed (path: a/redirects.sqlite)"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}
