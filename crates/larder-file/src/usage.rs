//! The usage file: what a cache directory holds in all, as far as all its stores together know.
//!
//! Whoever reads or changes it holds its lock, for as long as one read and one write take. What cannot be written
//! down now is owed, and written with the next change: until then the file says too much, and never too little.

mod record;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use larder_core::Timestamp;

use crate::cause::{Cause, Result};
use crate::directory::{Home, LOCKS, has_entries, put_file};
use crate::limits::{Amount, Limits};
use crate::lock::lock_file;
use crate::publish::is_absence;
use crate::random;
use crate::sys::{self, Fs};

pub(crate) use self::record::{Baseline, Generation, Record, Reservation};

/// The file's name in the cache directory; that of its maker's lock, too.
pub(crate) const USAGE: &str = "usage";
/// How long the file's lock is waited for: whoever holds it has it for microseconds, unless somebody stopped them.
const PATIENCE: Duration = Duration::from_millis(100);
/// The same for what can be owed.
const LITTLE_PATIENCE: Duration = Duration::from_millis(25);
/// The shortest pause between two attempts to have the lock, and how much longer one may be. Pauses do not grow: who has
/// waited for long must not be the one that asks least often.
const PAUSE_MICROS: (u64, u64) = (20, 180);
/// The most changes that are owed; what is beyond is never taken off, until a walk over all entries finds out.
const MOST_OWED: usize = 1024;

/// The usage file, open.
#[derive(Debug)]
pub(crate) struct Usage {
    file: File,
    path: PathBuf,
    /// The changes that are still to be written down; whoever has this may ask for the file's lock.
    owed: Mutex<Vec<Owed>>,
    seen: Seen,
    /// Whether the file has lost its name, so that whoever opens the directory anew accounts in another.
    gone: AtomicBool,
    /// Whether this is what made it, so that nothing was there before.
    is_new: bool,
}

/// A change that is still to be written down.
#[derive(Debug, Clone, Copy)]
enum Owed {
    Settled { reservation: Reservation, was_published: bool },
    Removed { amount: Amount, since: Generation },
}

/// What the file said when it was last read; it may be of any age.
#[derive(Debug, Default)]
struct Seen {
    counted: AtomicBool,
    bytes: AtomicU64,
    entries: AtomicU64,
    generation: Mutex<Generation>,
}

impl Usage {
    /// Opens the usage file of a cache directory; with `make`, makes it if it is not there.
    ///
    /// A file from before the machine last started, and one that is damaged, counts for nothing until somebody counts.
    ///
    /// Without `make` it does without one that may not be written, because it is read-only or of another release.
    pub(crate) fn open(fs: &Fs, home: &Home, make: bool) -> Result<Option<Self>> {
        Self::open_strictly(fs, home, make).or_else(|cause| {
            let is_forbidden = match &cause {
                Cause::Unknown { .. } => true,
                Cause::Io { source, .. } => {
                    matches!(
                        source.kind(),
                        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
                    )
                }
                _ => false,
            };
            if make || !is_forbidden {
                return Err(cause);
            }
            tracing::debug!(path = %home.root.path().display(), %cause, "the usage of the cache is not kept");
            Ok(None)
        })
    }

    fn open_strictly(fs: &Fs, home: &Home, make: bool) -> Result<Option<Self>> {
        let path = home.root.path().join(USAGE);
        let mut is_new = false;
        let file = match open_existing(fs, home, &path)? {
            Some(file) => file,
            None if make => {
                let relative = Path::new(LOCKS).join(USAGE);
                let _lock = lock_file(fs, home, &relative).map_err(Cause::io("lock the usage", &path))?;
                if let Some(file) = open_existing(fs, home, &path)? {
                    file
                } else {
                    let record = Record::new(series()?, sys::boot(), !has_entries(fs, home)?);
                    put_file(fs, home, USAGE, &record.to_bytes())?;
                    is_new = true;
                    open_existing(fs, home, &path)?.ok_or(Cause::Busy)?
                }
            }
            None => return Ok(None),
        };
        let (owed, seen, gone) = (Mutex::default(), Seen::default(), AtomicBool::new(false));
        let usage = Self { file, path, owed, seen, gone, is_new };
        match usage.record(fs) {
            // Whoever has the lock now does not have it for ever.
            Ok(_) | Err(Cause::Busy) => Ok(Some(usage)),
            Err(cause) => Err(cause),
        }
    }

    /// Returns whether the file was found to have lost its name: removed, or replaced by another.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Returns whether what the store did while it had `before` may be missing here.
    pub(crate) fn may_lack_what_was_done(&self, fs: &Fs, before: Option<&Self>) -> bool {
        let id =
            |usage: &Self| fs.stat_file(&usage.file, || usage.path.clone()).ok().and_then(|stat| stat.id);
        !self.is_new && before.is_none_or(|before| id(before).is_none_or(|before| id(self) != Some(before)))
    }

    /// Returns what the file says.
    pub(crate) fn record(&self, fs: &Fs) -> Result<Record> {
        self.update(fs, |record| *record)
    }

    /// Returns how much there is, as far as was last seen, if it was counted.
    pub(crate) fn last_seen(&self) -> Option<Amount> {
        let amount = Amount {
            bytes: self.seen.bytes.load(Ordering::Relaxed),
            entries: self.seen.entries.load(Ordering::Relaxed),
        };
        self.seen.counted.load(Ordering::Relaxed).then_some(amount)
    }

    /// Returns the state that something is about to be removed from; ask before its directory is opened.
    pub(crate) fn generation(&self) -> Generation {
        *self.seen.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for `new` in the place of `old`, if there is.
    pub(crate) fn reserve(
        &self,
        fs: &Fs,
        new: Amount,
        old: Amount,
        limits: &Limits,
    ) -> Result<Option<Reservation>> {
        self.update(fs, |record| record.reserve(new, old, limits, now()))
    }

    /// Ends a reservation.
    pub(crate) fn settle(&self, fs: &Fs, reservation: Reservation, was_published: bool) -> Option<Record> {
        self.owe(fs, Owed::Settled { reservation, was_published })
    }

    /// Takes off what was removed from the state `since`.
    pub(crate) fn removed(&self, fs: &Fs, amount: Amount, since: Generation) -> Option<Record> {
        if amount == Amount::ZERO {
            return None;
        }
        self.owe(fs, Owed::Removed { amount, since })
    }

    /// Corrects the total by what a walk saw that began at `baseline`.
    pub(crate) fn correct(&self, fs: &Fs, seen: Amount, baseline: &Baseline) -> Result<Record> {
        self.update(fs, |record| {
            record.turn(now());
            record.correct(seen, baseline);
            *record
        })
    }

    /// Says that nobody knows how much there is.
    pub(crate) fn forget(&self, fs: &Fs) -> Result<()> {
        self.update(fs, |record| record.counted = false)
    }

    /// Writes a change down, with all that was owed before; returns what the file says then, if that went well.
    fn owe(&self, fs: &Fs, change: Owed) -> Option<Record> {
        let deadline = Instant::now() + LITTLE_PATIENCE;
        let mut owed = self.owed();
        if owed.len() < MOST_OWED {
            owed.push(change);
        }
        match self.update_with(fs, &mut owed, deadline, |record| *record) {
            Ok(record) => Some(record),
            Err(cause) => {
                tracing::debug!(%cause, "the usage of the cache is written down later");
                None
            }
        }
    }

    fn update<T>(&self, fs: &Fs, change: impl FnOnce(&mut Record) -> T) -> Result<T> {
        // Who had to wait for others of this process has waited.
        let deadline = Instant::now() + PATIENCE;
        self.update_with(fs, &mut self.owed(), deadline, change)
    }

    fn update_with<T>(
        &self,
        fs: &Fs,
        owed: &mut Vec<Owed>,
        deadline: Instant,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T> {
        self.lock(fs, deadline)?;
        let changed = self.update_locked(fs, owed, change);
        if let Err(error) = fs.unlock(&self.file) {
            tracing::warn!(path = %self.path.display(), %error, "cannot give back the lock of the usage");
        }
        changed
    }

    fn lock(&self, fs: &Fs, deadline: Instant) -> Result<()> {
        while !fs.try_lock(&self.file, &self.path).map_err(Cause::io("lock the usage", &self.path))? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Cause::Busy);
            }
            let (shortest, spread) = PAUSE_MICROS;
            // Any number does that is not the same for all who wait.
            std::thread::sleep(Duration::from_micros(shortest + u64::from(left.subsec_nanos()) % spread));
        }
        Ok(())
    }

    fn update_locked<T>(
        &self,
        fs: &Fs,
        owed: &mut Vec<Owed>,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T> {
        let gone = fs.has_lost_name(&self.file, &self.path);
        if gone.map_err(Cause::io("inspect the usage", &self.path))? {
            self.gone.store(true, Ordering::Relaxed);
            return Err(Cause::io("find the usage", &self.path)(io::ErrorKind::NotFound.into()));
        }
        let read = fs.read(&self.file, 0, record::LEN, || self.path.clone());
        let bytes = read.map_err(Cause::io("read the usage", &self.path))?;
        let old = Record::parse(&bytes)?;
        if old.is_none() {
            tracing::warn!(path = %self.path.display(), "the usage is damaged, and is counted anew");
        }
        let mut record = match old.filter(|old| old.boot() == sys::boot()) {
            Some(record) => record,
            None => Record::new(series()?, sys::boot(), false),
        };
        for change in &*owed {
            match change {
                Owed::Settled { reservation, was_published } => record.settle(reservation, *was_published),
                Owed::Removed { amount, since } => record.remove(*amount, *since),
            }
        }
        let changed = change(&mut record);
        if old != Some(record) {
            let written = fs.write_first(&self.file, &record.to_bytes(), &self.path);
            written.map_err(Cause::io("write the usage", &self.path))?;
        }
        owed.clear();
        self.seen.counted.store(record.counted, Ordering::Relaxed);
        self.seen.bytes.store(record.total.bytes, Ordering::Relaxed);
        self.seen.entries.store(record.total.entries, Ordering::Relaxed);
        *self.seen.generation.lock().unwrap_or_else(PoisonError::into_inner) = record.generation();
        Ok(changed)
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Owed>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_existing(fs: &Fs, home: &Home, path: &Path) -> Result<Option<File>> {
    match fs.stat(&home.root, Path::new(USAGE)) {
        Err(error) if is_absence(&error) => return Ok(None),
        stat => _ = stat.map_err(Cause::io("look for the usage", path))?,
    }
    // It is opened as lock files are: to be read and written, and never through a link.
    let opened = fs.open_lock(&home.root, Path::new(USAGE));
    opened.map(Some).map_err(Cause::io("open the usage", path))
}

fn series() -> Result<u64> {
    random::bytes().map(u64::from_le_bytes)
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
