//! Removing what is left over: temporaries of dead writers, and directories that were cleared.
//!
//! A writer holds the lock of its temporary, so that a file whose lock is free is nobody's.

use std::io;
use std::path::Path;

use crate::cause::{Cause, Result};
use crate::publish::is_absence;
use crate::random;
use crate::store::Shared;
use crate::sys::{Dir, Listed};

impl Shared {
    /// Removes every leftover; returns how many there were.
    pub(crate) fn sweep(&self) -> Result<u64> {
        let home = self.home();
        let dir = &home.temporaries;
        let listing = match self.fs.list(dir) {
            Err(error) if is_absence(&error) => return Ok(0),
            listing => listing.map_err(Cause::io("list the temporaries", dir.path()))?,
        };
        let mut removed = 0;
        for listed in listing {
            let listed = listed.map_err(Cause::io("list the temporaries", dir.path()))?;
            if !random::is_name(&listed.name) {
                continue;
            }
            match self.sweep_one(dir, &listed) {
                Ok(was_leftover) => removed += u64::from(was_leftover),
                Err(error) if is_absence(&error) => {}
                Err(error) => {
                    let path = dir.path().join(&listed.name);
                    tracing::warn!(path = %path.display(), %error, "cannot sweep a leftover");
                }
            }
        }
        Ok(removed)
    }

    fn sweep_one(&self, dir: &Dir, listed: &Listed) -> io::Result<bool> {
        if listed.is_dir {
            return self.fs.remove_tree(dir, &listed.name).map(|()| true);
        }
        // The handle holds the lock until the name is gone.
        let file = listed.is_file.then(|| self.fs.open_file(dir, Path::new(&listed.name))).transpose()?;
        if let Some(file) = &file
            && !self.fs.try_lock(file, &dir.path().join(&listed.name))?
        {
            return Ok(false);
        }
        self.fs.unlink(dir, &listed.name).map(|()| true)
    }
}
