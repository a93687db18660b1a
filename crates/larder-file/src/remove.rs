//! How an entry loses its name: one key, many keys, a file that turned out broken, everything at once.
//!
//! What is removed on a condition is removed with the key's lock held, or not at all.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder_core::{CacheKey, Error, Timestamp};

use crate::cause::{Cause, Result};
use crate::directory::RESPONSES;
use crate::evict::Evictor;
use crate::limits::Amount;
use crate::publish::is_absence;
use crate::random;
use crate::store::Shared;
use crate::sys::{Dir, Stat};

/// So many of many keys are deleted before that is written down.
const BATCH: usize = 256;

/// The directories of the entries that a batch works on, each opened once.
struct Dirs<'a> {
    shared: &'a Shared,
    open: BTreeMap<PathBuf, Option<Dir>>,
}

impl<'a> Dirs<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, open: BTreeMap::new() }
    }

    /// Returns the directory that the entry of `key` would be in, if it is there.
    fn of(&mut self, key: &CacheKey) -> Result<Option<&Dir>> {
        let dir = match self.open.entry(self.shared.layout.dir_of(key)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(self.shared.existing_dir(key)?),
        };
        Ok(dir.as_ref())
    }

    fn sync_names(&self) -> Result<()> {
        self.open.values().flatten().try_for_each(|dir| self.shared.sync_names(dir))
    }
}

impl Shared {
    /// Deletes the entry of `key` and returns whether there was one.
    pub(crate) fn delete(self: &Arc<Self>, key: &CacheKey) -> Result<bool> {
        let account = self.account();
        let Some(dir) = self.existing_dir(key)? else { return Ok(false) };
        let lock = self.lock(key);
        let removed = self.remove_if(&dir, key, |stat| stat.is_file)?;
        let is_certain = lock.is_some();
        drop(lock);
        let Some(len) = removed else { return Ok(false) };
        // Without the lock, what went may not be what was looked at.
        if is_certain {
            account.removed(Amount::entry(len));
        }
        self.sync_names(&dir)?;
        Ok(true)
    }

    /// Deletes the entries of `keys` and returns how many there were.
    pub(crate) fn bulk_delete(self: &Arc<Self>, keys: &[CacheKey]) -> Result<u64> {
        let mut deleted = 0;
        let mut failure = None;
        for batch in keys.chunks(BATCH) {
            let account = self.account().renewed();
            let mut dirs = Dirs::new(self);
            let mut certain = Amount::ZERO;
            for key in batch {
                let removed = dirs.of(key).and_then(|dir| {
                    let Some(dir) = dir else { return Ok(None) };
                    let lock = self.lock(key);
                    let removed = self.remove_if(dir, key, |stat| stat.is_file)?;
                    Ok(removed.map(|len| if lock.is_some() { Amount::entry(len) } else { Amount::ZERO }))
                });
                match removed {
                    Ok(removed) => {
                        deleted += u64::from(removed.is_some());
                        certain += removed.unwrap_or_default();
                    }
                    Err(cause) => _ = failure.get_or_insert_with(|| Error::from(cause).with_key(key)),
                }
            }
            account.removed(certain);
            if let Err(cause) = dirs.sync_names() {
                failure.get_or_insert_with(|| cause.into());
            }
        }
        failure.map_or(Ok(deleted), |error| Err(error.into()))
    }

    /// Deletes what stands in the place of the entry of `key` if it still is `file`; returns whether it did.
    ///
    /// The open file is what keeps its number from being given to another.
    pub(crate) fn delete_file(self: &Arc<Self>, key: &CacheKey, file: &File) -> Result<bool> {
        let account = self.account();
        let Some(dir) = self.existing_dir(key)? else { return Ok(false) };
        let path = dir.path().join(key.as_str());
        let id = self.fs.stat_file(file, || path.clone()).map_err(Cause::io("inspect the entry", &path))?.id;
        let Some(lock) = self.lock(key) else { return Ok(false) };
        let removed = self.remove_if(&dir, key, |stat| stat.is_file && id.is_some() && stat.id == id)?;
        drop(lock);
        account.removed(removed.map_or(Amount::ZERO, Amount::entry));
        Ok(removed.is_some())
    }

    /// Deletes the entry that is `name` in `dir` if a purge may at `now`; returns whether it did.
    pub(crate) fn purge(self: &Arc<Self>, dir: &Dir, name: &str, now: Timestamp) -> Result<bool> {
        let name = Path::new(name);
        let stat = match self.fs.stat(dir, name) {
            Err(error) if is_absence(&error) => return Ok(false),
            stat => stat.map_err(|error| Cause::io("inspect the entry", &dir.path().join(name))(error))?,
        };
        if stat.modified > now {
            return Ok(false);
        }
        match self.prologue_of(dir, name)? {
            Some(found) if found.prologue.purge_at.is_some_and(|at| at <= now) => {
                let key = CacheKey::new(name.to_string_lossy())?;
                self.delete_file(&key, &found.file)
            }
            _ => Ok(false),
        }
    }

    /// Moves all entries away at once, and removes them behind it.
    pub(crate) fn clear(self: &Arc<Self>) -> Result<()> {
        let name = random::name("cleared")?;
        // What is published from now on may be among the entries afterwards; nothing else is.
        let account = self.account();
        let baseline = account.baseline();
        // By path, a new head that was checked before could be published after; by handle it cannot.
        let locks = if self.fs.is_portable() { self.lock_all() } else { Vec::new() };
        self.with_home(|home| {
            let path = home.root.path().join(RESPONSES);
            self.fs
                .rename(&home.root, RESPONSES, &home.temporaries, &name)
                .map_err(Cause::io("set the entries aside", &path))?;
            self.fs
                .make_dir(&home.root, RESPONSES)
                .map_err(Cause::io("make the directory of entries", &path))?;
            self.sync_names(&home.root)?;
            self.sync_names(&home.temporaries)
        })?;
        drop(locks);
        account.cleared(baseline);
        if let Ok(mut evictor) = self.bounds.evictor.try_lock() {
            // What it has open and remembers is on its way out.
            *evictor = Evictor::default();
        }
        self.in_background(move |shared| shared.remove_any(&shared.home().temporaries, &name));
        Ok(())
    }

    /// Opens the directory that the entry of `key` would be in, if it is there.
    pub(crate) fn existing_dir(&self, key: &CacheKey) -> Result<Option<Dir>> {
        let relative = self.layout.dir_of(key);
        self.with_home(|home| match self.fs.open_dir(&home.root, &relative) {
            // If not even that is there, the whole cache was removed, and perhaps made again by somebody.
            Err(error) if is_absence(&error) && self.fs.stat(&home.root, Path::new(RESPONSES)).is_ok() => {
                Ok(None)
            }
            opened => {
                let path = home.root.path().join(&relative);
                opened.map(Some).map_err(Cause::io("open the directory of entries", &path))
            }
        })
    }

    /// Removes what stands in the place of the entry of `key` if it is `wanted`; returns the length of the file.
    pub(crate) fn remove_if(
        &self,
        dir: &Dir,
        key: &CacheKey,
        wanted: impl Fn(&Stat) -> bool,
    ) -> Result<Option<u64>> {
        let path = dir.path().join(key.as_str());
        let len = match self.fs.stat(dir, Path::new(key.as_str())) {
            Ok(stat) if wanted(&stat) => stat.len,
            Err(error) if !is_absence(&error) => return Err(Cause::io("inspect the entry", &path)(error)),
            _ => return Ok(None),
        };
        match self.fs.unlink(dir, key.as_str()) {
            Err(error) if is_absence(&error) => Ok(None),
            unlinked => unlinked.map(|()| Some(len)).map_err(Cause::io("delete the entry", &path)),
        }
    }

    /// Removes whatever stands under `name`; what cannot be removed now is swept later.
    pub(crate) fn remove_any(&self, dir: &Dir, name: &str) {
        if self.fs.unlink(dir, name).is_ok() {
            return;
        }
        if let Err(error) = self.fs.remove_tree(dir, name)
            && !is_absence(&error)
        {
            let path = dir.path().join(name);
            tracing::warn!(path = %path.display(), %error, "cannot remove what was replaced; it is swept later");
        }
    }
}
