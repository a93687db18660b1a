//! Removing what is left over: temporaries of dead writers, and directories that were cleared.
//!
//! A writer holds the lock of its temporary from before it has a name, so that a file whose lock is free is nobody's.

use std::path::Path;

use crate::cause::{Cause, Result};
use crate::directory::{RESPONSES, TEMPORARIES};
use crate::publish::is_absence;
use crate::random;
use crate::store::Shared;

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
            let path = dir.path().join(&listed.name);
            let swept = if listed.is_dir {
                self.fs.remove_tree(dir, &listed.name)
            } else if listed.is_file {
                self.fs.open_file(dir, Path::new(&listed.name)).and_then(|file| {
                    if self.fs.try_lock(&file, &path)? { self.fs.unlink(dir, &listed.name) } else { Ok(()) }
                })
            } else {
                self.fs.unlink(dir, &listed.name)
            };
            match swept {
                Err(error) if !is_absence(&error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot sweep a leftover");
                }
                _ => removed += u64::from(self.fs.stat(dir, Path::new(&listed.name)).is_err()),
            }
        }
        Ok(removed)
    }

    /// Moves all entries away at once; returns the name under which they are left to be removed.
    pub(crate) fn set_entries_aside(&self) -> Result<Option<String>> {
        let home = self.home();
        let path = home.root.path().join(RESPONSES);
        let name = random::name("cleared")?;
        match self.fs.rename(&home.root, RESPONSES, &home.temporaries, &name) {
            Err(error) if is_absence(&error) => return Ok(None),
            renamed => renamed.map_err(Cause::io("set the entries aside", &path))?,
        }
        self.fs.make_dir(&home.root, RESPONSES).map_err(Cause::io("make the directory of entries", &path))?;
        self.sync_names(&home.root)?;
        self.sync_names(&home.temporaries)?;
        Ok(Some(name))
    }

    /// Removes entries that were set aside.
    pub(crate) fn remove_aside(&self, name: &str) {
        let home = self.home();
        if let Err(error) = self.fs.remove_tree(&home.temporaries, name)
            && !is_absence(&error)
        {
            let path = Path::new(TEMPORARIES).join(name);
            tracing::warn!(path = %path.display(), %error, "cannot remove cleared entries; they are swept later");
        }
    }
}
