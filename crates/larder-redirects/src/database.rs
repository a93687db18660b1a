//! The database at its path: opened under the lock, replaced when it is broken.
//!
//! Whoever opens, creates or sets aside a database holds the lock file and looks again under it. So a
//! connection's logs always belong to its database, and no process sets aside what another has just created.

use std::path::{Path, PathBuf};

use larder_core::Durability;

use crate::error::{Cause, Verdict};
use crate::files::{self, Found, Identity};
use crate::lock::DatabaseLock;
use crate::opener::Opener;
use crate::session::Session;

/// How often opening begins again when the database turns out to be broken, or vanishes meanwhile.
const ATTEMPTS: u32 = 3;

#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    durability: Durability,
    opener: Opener,
}

impl Database {
    /// Returns the database at `path`, which is absolute and without links but for its last part.
    pub(crate) fn new(path: PathBuf, durability: Durability, connections: usize) -> Result<Self, Cause> {
        let opener = Opener::new(&path, connections)?;
        Ok(Self { path, durability, opener })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Opens the database, or a new one where there is none or a broken one. Blocks.
    pub(crate) fn connect(&self) -> Result<Session, Cause> {
        let lock = DatabaseLock::acquire(&self.path)?;
        let mut attempts = 1;
        loop {
            let identity = self.find_or_create(&lock)?;
            match Session::open(&self.opener, &lock, &self.path, identity, self.durability) {
                result if attempts == ATTEMPTS => return result,
                // Somebody who does not take the lock has removed or replaced it meanwhile. What was opened then
                // may be another file, even by a link.
                _ if !files::is_at(identity, &self.path) => {}
                Err(cause) if matches!(cause.verdict(), Verdict::Corrupt | Verdict::Stale) => {
                    self.set_aside(&lock, &cause)?;
                }
                result => return result,
            }
            attempts += 1;
        }
    }

    /// Returns whether `session` is one to the file that the path stands for now.
    pub(crate) fn is_current(&self, session: &Session) -> bool {
        files::is_at(session.identity, &self.path)
    }

    /// Returns which file the path stands for now.
    pub(crate) fn identity(&self) -> Option<Identity> {
        files::identity(&self.path)
    }

    /// Sets aside the database that `session` found corrupt, unless that has been done.
    pub(crate) fn replace(&self, session: Session, cause: &Cause) -> Result<(), Cause> {
        let lock = DatabaseLock::acquire(&self.path)?;
        if self.is_current(&session) {
            self.set_aside(&lock, cause)?;
        }
        // Until here the open session has kept its file's number from being given to another file.
        drop(session);
        Ok(())
    }

    /// Closes `sessions`. The last one of all processes leaves the database without logs, if the lock is to be had.
    pub(crate) fn retire(&self, sessions: Vec<Session>) {
        let lock = DatabaseLock::acquire(&self.path).ok();
        for session in sessions {
            if let Some(lock) = &lock
                && self.is_current(&session)
            {
                // What cannot be finished is in the log, where the next one to open the database finds it.
                if let Err(cause) = session.finish(lock) {
                    tracing::debug!(path = %self.path.display(), %cause, "the log of the redirect index stays");
                }
            }
        }
    }

    fn find_or_create(&self, lock: &DatabaseLock) -> Result<Identity, Cause> {
        match files::look(&self.path)? {
            Found::Database(identity) => return Ok(identity),
            Found::Nothing => {}
            Found::Obstacle => self.set_aside(lock, "something other than a regular file is in its place")?,
        }
        files::create(&self.path, self.durability == Durability::Durable)
    }

    fn set_aside(&self, _lock: &DatabaseLock, reason: impl std::fmt::Display) -> Result<(), Cause> {
        let aside = files::set_aside(&self.path)?;
        tracing::warn!(
            path = %self.path.display(), aside = %aside.display(), %reason,
            "the redirect index was broken; it is set aside, and begins anew"
        );
        Ok(())
    }
}
