//! One operation on one connection, once more if the database had to be replaced.

use crate::database::Database;
use crate::error::{Cause, Verdict};
use crate::session::{Identified, Session};

/// Does `work`, on the connection that was idle if that is sound. Blocks.
///
/// A connection that may be used again is given to `keep`; one that is not is closed.
pub(crate) fn attempt<T>(
    database: &Database,
    idle: Option<Session>,
    work: impl Fn(&mut Identified<'_>) -> Result<T, Cause>,
    keep: impl Fn(Session),
) -> Result<T, Cause> {
    // A row written to a database that has lost its name would be lost, and nobody would see it.
    let session = match idle {
        Some(session) if database.is_current(&session) => session,
        _ => database.connect()?,
    };
    let cause = match session.run(&work) {
        Ok(value) => {
            keep(session);
            return Ok(value);
        }
        Err(cause) => cause,
    };
    match cause.verdict() {
        Verdict::Corrupt => database.replace(session, &cause)?,
        Verdict::Stale => drop(session),
        // What a connection says whose database has lost its name or its logs does not matter.
        Verdict::Doubtful if !database.is_current(&session) => drop(session),
        Verdict::Doubtful => return Err(cause),
        Verdict::Sound => {
            keep(session);
            return Err(cause);
        }
    }
    let session = database.connect()?;
    let result = session.run(&work);
    keep(session);
    result
}
