//! The locks that keys share, against other threads and other processes.
//!
//! Nobody waits long: a process that was stopped while it holds a lock must not stop the others.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use larder_core::CacheKey;

use crate::directory::{Home, LOCKS, key_hash};
use crate::store::Shared;
use crate::sys::Fs;

/// How many locks the keys share.
const STRIPES: u32 = 64;
/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// A lock that is held until this is dropped.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock goes with the file's handle")] File);

impl Shared {
    /// Takes the lock of the key's stripe; `None` when that cannot be had in time.
    pub(crate) fn lock(&self, key: &CacheKey) -> Option<Lock> {
        self.lock_stripe(key_hash(key) % STRIPES, Instant::now() + PATIENCE)
    }

    /// Takes the lock of the key's stripe if it is free.
    pub(crate) fn try_lock(&self, key: &CacheKey) -> Option<Lock> {
        self.try_lock_file(&stripe_name(key_hash(key) % STRIPES))
    }

    /// Takes the lock `name` if it is free.
    pub(crate) fn try_lock_file(&self, name: &str) -> Option<Lock> {
        let home = self.home();
        let relative = Path::new(LOCKS).join(name);
        let file = open_lock(&self.fs, &home, &relative).ok()?;
        let locked = self.fs.try_lock(&file, &home.root.path().join(&relative)).ok()?;
        locked.then_some(Lock(file))
    }

    /// Takes the locks of all stripes that can be had in time.
    ///
    /// Whoever holds one lock never asks for another, so that two who ask for all cannot wait for each other for long.
    pub(crate) fn lock_all(&self) -> Vec<Lock> {
        let deadline = Instant::now() + PATIENCE;
        (0..STRIPES).filter_map(|stripe| self.lock_stripe(stripe, deadline)).collect()
    }

    fn lock_stripe(&self, stripe: u32, deadline: Instant) -> Option<Lock> {
        let home = self.home();
        let relative = Path::new(LOCKS).join(stripe_name(stripe));
        let path = home.root.path().join(&relative);
        let locked = open_lock(&self.fs, &home, &relative)
            .and_then(|file| wait_for_lock(&self.fs, &file, &path, deadline).map(|()| Lock(file)));
        match locked {
            Ok(lock) => Some(lock),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot have the lock of an entry");
                None
            }
        }
    }
}

fn stripe_name(stripe: u32) -> String {
    format!("{stripe:02x}")
}

fn open_lock(fs: &Fs, home: &Home, relative: &Path) -> io::Result<File> {
    match fs.open_lock(&home.root, relative) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs.make_dir(&home.root, LOCKS)?;
            fs.open_lock(&home.root, relative)
        }
        opened => opened,
    }
}

/// Takes the lock of a file, and waits for it until `deadline` if need be.
pub(crate) fn wait_for_lock(fs: &Fs, file: &File, path: &Path, deadline: Instant) -> io::Result<()> {
    let mut pause = Duration::from_micros(10);
    while !fs.try_lock(file, path)? {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// Opens a lock file of its own, and takes its lock.
pub(crate) fn lock_file(fs: &Fs, home: &Home, relative: &Path) -> io::Result<Lock> {
    lock_file_for(fs, home, relative, PATIENCE)
}

/// Opens a lock file of its own, and waits up to `patience` for its lock.
pub(crate) fn lock_file_for(fs: &Fs, home: &Home, relative: &Path, patience: Duration) -> io::Result<Lock> {
    let file = open_lock(fs, home, relative)?;
    wait_for_lock(fs, &file, &home.root.path().join(relative), Instant::now() + patience)?;
    Ok(Lock(file))
}
