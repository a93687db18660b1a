//! How an entry gets its name, loses it, or passes it on: atomically, whoever else is at it.
//!
//! A new name is linked without a lock: that can only succeed where there is no entry. Whatever ends an entry (a
//! replacement, a deletion, a new head) holds the lock of the key's stripe, so that what was checked still holds.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use larder_core::{CacheKey, Durability};

use crate::cause::{Cause, Result};
use crate::directory::{Home, LOCKS, key_hash};
use crate::random;
use crate::store::Shared;
use crate::sys::{Dir, Fs, Stat};

/// How many locks the keys share.
pub(crate) const STRIPES: usize = 64;
/// How long another process's lock is waited for; then a write or a deletion goes on without it.
const PATIENCE: Duration = Duration::from_secs(1);

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

impl Draft {
    /// Begins a file; makes the cache directory again if somebody removed it.
    pub(crate) fn create(shared: &Arc<Shared>) -> Result<Self> {
        shared.with_home(|home| {
            let name = random::name("new")?;
            let (file, named) = shared
                .fs
                .create_temp(&home.temporaries, &name)
                .map_err(Cause::io("make a temporary file", home.temporaries.path()))?;
            let name = named.then_some(name);
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
        unless_cleared(|| {
            let dir = self.shared.entry_dir(key)?;
            if self.name.is_none() {
                match self.shared.fs.link_unnamed(&self.file, &dir, key.as_str()) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    linked => {
                        linked.map_err(Cause::io("give the entry its name", dir.path()))?;
                        return self.shared.sync_names(&dir);
                    }
                }
            }
            let shared = Arc::clone(&self.shared);
            let _lock = shared.lock(key);
            self.replace(&dir, key)
        })
    }

    /// Makes this the entry of `key` if that is still at `revision`; returns whether it was.
    pub(crate) fn publish_over(mut self, key: &CacheKey, revision: &[u8]) -> Result<bool> {
        self.sync_bytes()?;
        let shared = Arc::clone(&self.shared);
        let _lock = shared.lock(key).ok_or(Cause::Locked)?;
        unless_cleared(|| {
            if shared.revision_of(key)?.is_none_or(|current| current != revision) {
                return Ok(false);
            }
            let dir = shared.entry_dir(key)?;
            self.replace(&dir, key)?;
            Ok(true)
        })
    }

    fn sync_bytes(&self) -> Result<()> {
        if self.shared.options.durability == Durability::Relaxed {
            return Ok(());
        }
        let path = self.path();
        self.shared.fs.sync_file(&self.file, &path).map_err(Cause::io("sync the entry", &path))
    }

    fn replace(&mut self, dir: &Dir, key: &CacheKey) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let home = Arc::clone(&self.home);
        let (fs, temporaries) = (&shared.fs, &home.temporaries);
        let name = self.ensure_name()?;
        let target = dir.path().join(key.as_str());
        let failed = || Cause::io("replace the entry", &target);
        match fs.exchange(temporaries, &name, dir, key.as_str()) {
            Ok(()) => shared.remove_any(temporaries, &name),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) => {
                match fs.rename(temporaries, &name, dir, key.as_str()) {
                    Err(_) if fs.stat(dir, Path::new(key.as_str())).is_ok_and(|stat| stat.is_dir) => {
                        let aside = random::name("aside")?;
                        fs.rename(dir, key.as_str(), temporaries, &aside).map_err(failed())?;
                        fs.rename(temporaries, &name, dir, key.as_str()).map_err(failed())?;
                        shared.remove_any(temporaries, &aside);
                    }
                    renamed => renamed.map_err(failed())?,
                }
            }
            Err(error) => return Err(failed()(error)),
        }
        self.name = None;
        shared.sync_names(dir)
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

/// Publishes, and again in a new directory if the one that it began in was cleared meanwhile.
fn unless_cleared<T>(mut publish: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..MOST_CLEARS {
        match publish() {
            Err(Cause::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            published => return published,
        }
    }
    publish()
}

/// The lock of a stripe of keys, against other threads and other processes.
pub(crate) struct StripeLock<'a> {
    _threads: MutexGuard<'a, ()>,
    _processes: File,
}

impl Shared {
    /// Takes the lock of the key's stripe; `None` when that cannot be had in time.
    pub(crate) fn lock(&self, key: &CacheKey) -> Option<StripeLock<'_>> {
        let stripe = key_hash(key) as usize % STRIPES;
        let threads = self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner);
        let home = self.home();
        let relative = Path::new(LOCKS).join(format!("{stripe:02x}"));
        let path = home.root.path().join(&relative);
        let opened = match self.fs.open_lock(&home.root, &relative) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fs.make_dir(&home.root, LOCKS).and_then(|()| self.fs.open_lock(&home.root, &relative))
            }
            opened => opened,
        };
        match opened.and_then(|file| wait_for_lock(&self.fs, &file, &path).map(|()| file)) {
            Ok(processes) => Some(StripeLock { _threads: threads, _processes: processes }),
            Err(error) => {
                tracing::warn!(%key, path = %path.display(), %error, "going on without the lock of an entry");
                None
            }
        }
    }

    /// Deletes the entry of `key` and returns whether there was one.
    pub(crate) fn delete(&self, key: &CacheKey) -> Result<bool> {
        self.delete_if(key, |stat| stat.is_file)
    }

    /// Deletes what stands in the place of the entry of `key` if it is the file known by `id`.
    pub(crate) fn delete_file(&self, key: &CacheKey, id: (u64, u64)) -> Result<bool> {
        self.delete_if(key, |stat| stat.id == Some(id))
    }

    fn delete_if(&self, key: &CacheKey, wanted: impl Fn(&Stat) -> bool) -> Result<bool> {
        let home = self.home();
        let path = home.root.path().join(self.layout.file_of(key));
        let failed = || Cause::io("delete the entry", &path);
        let dir = match self.fs.open_dir(&home.root, &self.layout.dir_of(key)) {
            Err(error) if is_absence(&error) => return Ok(false),
            opened => opened.map_err(failed())?,
        };
        let _lock = self.lock(key);
        match self.fs.stat(&dir, Path::new(key.as_str())) {
            Ok(stat) if wanted(&stat) => {}
            Err(error) if !is_absence(&error) => return Err(failed()(error)),
            _ => return Ok(false),
        }
        match self.fs.unlink(&dir, key.as_str()) {
            Err(error) if is_absence(&error) => return Ok(false),
            unlinked => unlinked.map_err(failed())?,
        }
        self.sync_names(&dir)?;
        Ok(true)
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

    /// Removes whatever stands under `name`; what cannot be removed now is swept later.
    pub(crate) fn remove_any(&self, dir: &Dir, name: &str) {
        if self.fs.unlink(dir, name).is_err() {
            let _ = self.fs.remove_tree(dir, name);
        }
    }
}

/// Takes the lock of a file, and waits for it if need be, but not for long.
pub(crate) fn wait_for_lock(fs: &Fs, file: &File, path: &Path) -> io::Result<()> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(20);
    while !fs.try_lock(file, path)? {
        if begun.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    Ok(())
}

/// Returns whether an error says that there is nothing under a name.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
