//! How an entry gets its name: atomically, whoever else is at it.
//!
//! A new name is linked without a lock: that can only succeed where there is no entry. Whatever ends an entry (a
//! replacement, a deletion, a new head) holds the lock of the key's stripe, so that what was checked still holds.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use larder_core::{CacheKey, Durability};

use crate::cause::{Cause, Result};
use crate::directory::Home;
use crate::limits::Amount;
use crate::random;
use crate::room::{Account, Patience};
use crate::store::Shared;
use crate::sys::Dir;

/// How many clears in a row may get in the way of one write.
const MOST_CLEARS: u32 = 16;

/// A file that is being written, with no place among the entries yet.
///
/// Dropping it leaves nothing behind.
pub(crate) struct Draft {
    pub(crate) file: File,
    /// Its name among the temporaries: none while it has no name at all, and once it is published.
    name: Option<String>,
    home: Arc<Home>,
    shared: Arc<Shared>,
}

/// What a draft may be put in the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Anything,
    /// Something that is there.
    Entry,
}

impl Draft {
    /// Begins a file; makes the cache directory again if somebody removed it.
    pub(crate) fn create(shared: &Arc<Shared>) -> Result<Self> {
        shared.with_home(|home| {
            let (file, name) = shared
                .fs
                .create_temp(&home.temporaries, &random::name("new")?)
                .map_err(Cause::io("make a temporary file", home.temporaries.path()))?;
            Ok(Self { file, name, home: Arc::clone(home), shared: Arc::clone(shared) })
        })
    }

    /// Returns where the draft is, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.home.temporaries.path().join(self.name.as_deref().unwrap_or_default())
    }

    /// Makes this the entry of `key`, in place of what is there.
    pub(crate) fn publish(mut self, key: &CacheKey) -> Result<()> {
        self.sync_bytes()?;
        let mut patience = Patience::default();
        for _ in 0..MOST_CLEARS {
            match self.try_publish(key, &mut patience) {
                // What it was to be published in was cleared, or removed.
                Err(Cause::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    self.home = self.shared.reopen_home()?;
                }
                published => return published,
            }
        }
        self.try_publish(key, &mut patience)
    }

    fn try_publish(&mut self, key: &CacheKey, patience: &mut Patience) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let (account, dir) = loop {
            let account = shared.account();
            let dir = shared.entry_dir(key)?;
            // If the directory had to be made again, so has its account.
            if account.is_current() {
                break (account, dir);
            }
        };
        let new = self.amount(&account)?;
        // With limits, what is there is looked at first: room for all of a replacement need not be made.
        if self.name.is_none() && (!account.is_active() || shared.amount_of(&dir, key)? == Amount::ZERO) {
            let room = account.take(new, patience)?;
            match shared.fs.link_unnamed(&self.file, &dir, key.as_str()) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => drop(room),
                linked => {
                    linked.map_err(Cause::io("give the entry its name", dir.path()))?;
                    room.settle(Amount::ZERO);
                    return shared.sync_names(&dir);
                }
            }
        }
        loop {
            let lock = shared.lock(key);
            // Without the lock, what is there now may be gone before it is replaced.
            let is_certain = account.is_active() && lock.is_some();
            let old = if is_certain { shared.amount_of(&dir, key)? } else { Amount::ZERO };
            let Some(room) = account.try_take(new, old)? else {
                drop(lock);
                shared.make_room(new.less(old), patience)?;
                continue;
            };
            let replaced = self.replace(&dir, key, Over::Anything)?;
            drop(lock);
            room.settle(old.less(new));
            self.remove_old(replaced);
            return shared.sync_names(&dir);
        }
    }

    /// Makes this the entry of `key` if that is still at `revision`; returns whether it was.
    pub(crate) fn publish_over(mut self, key: &CacheKey, revision: &[u8]) -> Result<bool> {
        self.sync_bytes()?;
        let shared = Arc::clone(&self.shared);
        let mut patience = Patience::default();
        loop {
            let account = shared.account();
            let new = self.amount(&account)?;
            let lock = shared.lock(key).ok_or(Cause::Locked)?;
            // What is checked and what is replaced are in the same directory, whatever is cleared meanwhile.
            let Some(dir) = shared.existing_dir(key)? else { return Ok(false) };
            if !account.is_current() {
                continue;
            }
            let current = shared.prologue_of(&dir, Path::new(key.as_str()))?;
            if current.is_none_or(|current| current.prologue.revision != *revision) {
                return Ok(false);
            }
            let old = if account.is_active() { shared.amount_of(&dir, key)? } else { Amount::ZERO };
            let room = match account.try_take(new, old) {
                Err(_) if account.is_gone() => {
                    drop(lock);
                    shared.reopen_home()?;
                    continue;
                }
                room => room?,
            };
            let Some(room) = room else {
                drop(lock);
                shared.make_room(new.less(old), &mut patience)?;
                continue;
            };
            let replaced = match self.replace(&dir, key, Over::Entry) {
                Err(Cause::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    return Ok(false);
                }
                replaced => replaced?,
            };
            drop(lock);
            room.settle(old.less(new));
            self.remove_old(replaced);
            shared.sync_names(&dir)?;
            return Ok(true);
        }
    }

    /// Returns what this entry takes, if anybody accounts for it.
    fn amount(&self, account: &Account) -> Result<Amount> {
        if !account.is_active() {
            return Ok(Amount::ZERO);
        }
        let stat = self.shared.fs.stat_file(&self.file, || self.path());
        stat.map(|stat| Amount::entry(stat.len)).map_err(Cause::io("inspect the entry", &self.path()))
    }

    fn sync_bytes(&self) -> Result<()> {
        if self.shared.options.durability == Durability::Relaxed {
            return Ok(());
        }
        let path = self.path();
        self.shared.fs.sync_file(&self.file, &path).map_err(Cause::io("sync the entry", &path))
    }

    /// Puts this in the place of what is there; returns the name that the old one now has among the temporaries.
    fn replace(&mut self, dir: &Dir, key: &CacheKey, over: Over) -> Result<Option<String>> {
        let shared = Arc::clone(&self.shared);
        let home = Arc::clone(&self.home);
        let (fs, temporaries) = (&shared.fs, &home.temporaries);
        let name = self.ensure_name()?;
        let target = dir.path().join(key.as_str());
        let failed = || Cause::io("replace the entry", &target);
        let old = match fs.exchange(temporaries, &name, dir, key.as_str()) {
            Ok(()) => Some(name),
            Err(error) if is_absence(&error) && over == Over::Entry => return Err(failed()(error)),
            Err(error) if is_absence(&error) || error.kind() == io::ErrorKind::Unsupported => {
                match fs.rename(temporaries, &name, dir, key.as_str()) {
                    Err(_) if fs.stat(dir, Path::new(key.as_str())).is_ok_and(|stat| stat.is_dir) => {
                        let aside = random::name("aside")?;
                        fs.rename(dir, key.as_str(), temporaries, &aside).map_err(failed())?;
                        fs.rename(temporaries, &name, dir, key.as_str()).map_err(failed())?;
                        Some(aside)
                    }
                    renamed => {
                        renamed.map_err(failed())?;
                        None
                    }
                }
            }
            Err(error) => return Err(failed()(error)),
        };
        self.name = None;
        Ok(old)
    }

    fn remove_old(&self, old: Option<String>) {
        if let Some(name) = old {
            self.shared.remove_any(&self.home.temporaries, &name);
        }
    }

    /// Returns the name that the draft has among the temporaries, after giving it one if need be.
    fn ensure_name(&mut self) -> Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let name = random::name("new")?;
        let path = self.home.temporaries.path().join(&name);
        // The lock comes before the name, so that no sweeper ever sees the one without the other.
        let locked = self.shared.fs.try_lock(&self.file, &path);
        locked.map_err(Cause::io("lock a temporary file", &path))?;
        let linked = self.shared.fs.link_unnamed(&self.file, &self.home.temporaries, &name);
        linked.map_err(Cause::io("name a temporary file", &path))?;
        self.name = Some(name.clone());
        Ok(name)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What cannot be removed now is swept later.
            let _ = self.shared.fs.unlink(&self.home.temporaries, name);
        }
    }
}

impl Shared {
    /// Returns what the file in the place of the entry of `key` takes: nothing, if there is none.
    fn amount_of(&self, dir: &Dir, key: &CacheKey) -> Result<Amount> {
        match self.fs.stat(dir, Path::new(key.as_str())) {
            Ok(stat) if stat.is_file => Ok(Amount::entry(stat.len)),
            Err(error) if !is_absence(&error) => {
                Err(Cause::io("inspect the entry", &dir.path().join(key.as_str()))(error))
            }
            _ => Ok(Amount::ZERO),
        }
    }

    /// Opens the directory that the entry of `key` belongs in, and makes it if it is not there.
    fn entry_dir(&self, key: &CacheKey) -> Result<Dir> {
        let relative = self.layout.dir_of(key);
        self.with_home(|home| {
            let path = home.root.path().join(&relative);
            match self.fs.open_dir(&home.root, &relative) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return opened.map_err(Cause::io("open the directory of entries", &path)),
            }
            let failed = || Cause::io("make the directory of entries", &path);
            let mut above = None;
            for component in &relative {
                let name = component.to_str().expect("our directories have names of ASCII");
                let parent = above.as_ref().unwrap_or(&home.root);
                self.fs.make_dir(parent, name).map_err(failed())?;
                self.sync_names(parent)?;
                above = Some(self.fs.open_dir(parent, Path::new(name)).map_err(failed())?);
            }
            Ok(above.expect("the relative path has a component"))
        })
    }

    /// Waits until the names in `dir` are on the disk, at the level of durability that promises it.
    pub(crate) fn sync_names(&self, dir: &Dir) -> Result<()> {
        if self.options.durability != Durability::Durable {
            return Ok(());
        }
        self.fs.sync_dir(dir).map_err(Cause::io("sync the directory", dir.path()))
    }
}

/// Returns whether an error says that there is nothing under a name.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
