//! The pool, as what opens connections.
//!
//! A connection is taken out of the pool when it is opened and never given back, because the pool would try each
//! one with a hop and a query whenever it hands it out again. The pool opens files by any name, follows links and
//! creates what is missing with the umask's mode. So it is given a URI that forbids it to create, and only those
//! who hold the lock, and have looked at the path under it, may ask.

use std::path::Path;

use deadpool_sqlite::{Config, Manager, Pool, PoolError, Runtime};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use tokio::runtime::Builder;

use crate::error::Cause;
use crate::held::Held;
use crate::lock::DatabaseLock;

/// What is not part of a path in a URI: SQLite decodes the rest to the very bytes of the path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug)]
pub(crate) struct Opener {
    pool: Pool,
}

impl Opener {
    /// Returns what opens the database at `path`, which is absolute.
    pub(crate) fn new(path: &Path, connections: usize) -> Result<Self, Cause> {
        let manager = Manager::from_config(&Config::new(uri(path)?), Runtime::Tokio1);
        let pool = Pool::builder(manager).max_size(connections).build();
        Ok(Self { pool: pool.expect("only a pool with timeouts needs a runtime") })
    }

    /// Opens a connection, on which nothing has been set or read yet. Blocks.
    pub(crate) fn open(&self, _lock: &DatabaseLock) -> Result<Held, Cause> {
        // A connection that was given up may still be held by a future that nobody polls. The lanes limit how many
        // there are in use, so that the pool must never wait. Under the lock nobody else changes its size.
        let status = self.pool.status();
        if status.size >= status.max_size {
            self.pool.resize(status.size + 1);
        }
        // The pool opens on a blocking thread. The caller's runtime may have none left: this one of them may be
        // the last, and would wait for itself.
        let runtime = Builder::new_current_thread().build();
        let runtime = runtime.map_err(|source| Cause::Thread { source })?;
        let opened = runtime.block_on(self.pool.get());
        // Nothing is left to do in it, and dropping it would wait until its thread has ended.
        runtime.shutdown_background();
        opened.map(Held::new).map_err(|error| match error {
            PoolError::Backend(error) => error.into(),
            // There are neither timeouts nor hooks that could fail.
            _ => Cause::Closed,
        })
    }
}

/// Returns the URI that lets SQLite open the file at `path` for reading and writing, and never create it.
fn uri(path: &Path) -> Result<String, Cause> {
    if !cfg!(unix) && path.to_str().is_none() {
        let value = path.display().to_string();
        return Err(Cause::Option { option: "path", value, wanted: "in Unicode" });
    }
    let bytes = path.as_os_str().as_encoded_bytes();
    Ok(format!("file:{}?mode=rw", percent_encode(bytes, ESCAPED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_uri_names_every_byte_of_the_path() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let check = |path: &[u8], expected| {
            assert_eq!(uri(Path::new(OsStr::from_bytes(path))).expect("any bytes"), expected);
        };
        check(b"/cache/redirects.sqlite", "file:/cache/redirects.sqlite?mode=rw");
        check(b"/a b/c?mode=rwc#d%20&e", "file:/a%20b/c%3Fmode%3Drwc%23d%2520%26e?mode=rw");
        check(b"/\xff\\\n", "file:/%FF%5C%0A?mode=rw");
    }
}
