//! The tables, and how a database of an older version gets them.
//!
//! `application_id` says that a database is ours and `user_version` which tables it has. Nothing is written
//! to a database of another program, which is set aside, or of a newer version, which stays. A migration after which this version's statements must not run
//! any more renames the table, so that a process that has it open fails, looks again and finds the newer version.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Cause;

/// "lrdr", in the header of every database of ours.
pub(crate) const APPLICATION_ID: i64 = 0x6c72_6472;

/// The step at index `n` leads from version `n` to `n + 1`; released steps never change.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE redirects (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        expires_at INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX redirects_value ON redirects (value);
    CREATE INDEX redirects_expires_at ON redirects (expires_at) WHERE expires_at IS NOT NULL;
"];

/// What a database says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    application_id: i64,
    version: i64,
    is_empty: bool,
}

/// Refuses a database that is not ours or too new, before anything in it is changed.
pub(crate) fn admit(connection: &Connection) -> Result<(), Cause> {
    check(&header(connection)?, MIGRATIONS).map(drop)
}

/// Brings an admitted database to the current version and checks that its table is there.
pub(crate) fn bring_up_to_date(connection: &mut Connection) -> Result<(), Cause> {
    migrate(connection, MIGRATIONS)?;
    Ok(connection.prepare("SELECT key, value, expires_at FROM redirects LIMIT 0").map(drop)?)
}

fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Cause> {
    if check(&header(connection)?, steps)? == steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have come first.
    let version = check(&header(&transaction)?, steps)?;
    for step in &steps[version..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known(steps))?;
    Ok(transaction.commit()?)
}

/// Returns how many of `steps` the database has had.
fn check(header: &Header, steps: &[&str]) -> Result<usize, Cause> {
    let Header { application_id, version, is_empty } = *header;
    if is_empty {
        return Ok(0);
    }
    // No version is negative; a damaged one is.
    let Ok(steps_done) = usize::try_from(version) else {
        return Err(Cause::Foreign { application_id, version });
    };
    if application_id != APPLICATION_ID {
        return Err(Cause::Foreign { application_id, version });
    }
    if steps_done > steps.len() {
        return Err(Cause::Newer { found: version, known: known(steps) });
    }
    Ok(steps_done)
}

fn header(connection: &Connection) -> Result<Header, Cause> {
    let number =
        |pragma| -> rusqlite::Result<i64> { connection.pragma_query_value(None, pragma, |row| row.get(0)) };
    let (application_id, version) = (number("application_id")?, number("user_version")?);
    // Whose the database is is known before its schema is read, which may be in a format of the future.
    let is_empty = application_id == 0
        && version == 0
        && connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(Header { application_id, version, is_empty })
}

fn known(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Verdict;
    use larder_core::ErrorKind;

    /// A second step such as a later version may have.
    const NEXT: &[&str] = &[MIGRATIONS[0], "ALTER TABLE redirects ADD COLUMN signature BLOB"];

    fn version(connection: &Connection) -> i64 {
        header(connection).expect("readable").version
    }

    #[test]
    fn an_empty_database_gets_every_step_and_our_application_id() -> Result<(), Cause> {
        let mut connection = Connection::open_in_memory()?;
        admit(&connection)?;
        bring_up_to_date(&mut connection)?;
        let expected = Header { application_id: APPLICATION_ID, version: 1, is_empty: false };
        assert_eq!(header(&connection)?, expected);
        bring_up_to_date(&mut connection)?;
        assert_eq!(header(&connection)?, expected);
        Ok(())
    }

    #[test]
    fn an_older_database_gets_the_missing_steps_and_keeps_its_rows() -> Result<(), Cause> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, MIGRATIONS)?;
        connection.execute("INSERT INTO redirects VALUES ('a', 'b', 7)", [])?;
        migrate(&mut connection, NEXT)?;
        assert_eq!(version(&connection), 2);
        let row = connection.query_row("SELECT value, signature IS NULL FROM redirects", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?;
        assert_eq!(row, ("b".to_owned(), true));
        Ok(())
    }

    #[test]
    fn a_step_that_fails_leaves_the_older_version() -> Result<(), Cause> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, MIGRATIONS)?;
        let steps = &[MIGRATIONS[0], "CREATE TABLE half (x); CREATE TABLE redirects (x)"];
        migrate(&mut connection, steps).expect_err("the table is there already");
        assert_eq!(version(&connection), 1);
        let halves: i64 =
            connection
                .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", [], |row| row.get(0))?;
        assert_eq!(halves, 0);
        Ok(())
    }

    #[test]
    fn a_newer_database_is_refused() -> Result<(), Cause> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, NEXT)?;
        let cause = admit(&connection).expect_err("newer");
        assert_eq!(cause.kind(), ErrorKind::Unsupported);
        assert!(matches!(cause, Cause::Newer { found: 2, known: 1 }));
        Ok(())
    }

    #[test]
    fn a_database_of_another_program_or_with_a_damaged_header_is_to_be_set_aside() -> Result<(), Cause> {
        for foreign in [
            "CREATE TABLE redirects (key, value)",
            "PRAGMA application_id = 77",
            "PRAGMA user_version = 1",
            "PRAGMA application_id = 77; PRAGMA user_version = 2",
            "PRAGMA application_id = 0x6c726472; PRAGMA user_version = -1",
        ] {
            let connection = Connection::open_in_memory()?;
            connection.execute_batch(foreign)?;
            let cause = admit(&connection).expect_err(foreign);
            assert!(matches!(cause, Cause::Foreign { .. }), "{foreign}: {cause}");
            assert_eq!((cause.kind(), cause.verdict()), (ErrorKind::Corrupt, Verdict::Corrupt));
        }
        Ok(())
    }

    #[test]
    fn a_database_of_ours_without_its_table_is_not_what_its_version_says() -> Result<(), Cause> {
        let mut connection = Connection::open_in_memory()?;
        bring_up_to_date(&mut connection)?;
        connection.execute_batch("DROP TABLE redirects")?;
        admit(&connection)?;
        let cause = bring_up_to_date(&mut connection).expect_err("no table");
        assert_eq!((cause.kind(), cause.verdict()), (ErrorKind::Corrupt, Verdict::Stale));
        Ok(())
    }
}
