//! How a file store is opened.

use std::path::PathBuf;
use std::sync::Arc;

use larder_core::{Codecs, Durability, Error, ErrorKind, Result};
use tokio::runtime::Handle;

use crate::cause::Cause;
use crate::directory::{self, FanOut};
use crate::limits::Limits;
use crate::store::{FileStore, Shared};
use crate::sys::{FaultPlan, Fs};

/// What a store was opened with.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) durability: Durability,
    pub(crate) buffer_up_to: u64,
    pub(crate) max_entry_bytes: Option<u64>,
    pub(crate) limits: Limits,
}

impl Options {
    fn check(&self) -> Result<()> {
        let Limits { max_total_bytes, max_entries, .. } = self.limits;
        let named = [
            ("max_entry_bytes", self.max_entry_bytes),
            ("max_total_bytes", max_total_bytes),
            ("max_entries", max_entries),
        ];
        if let Some((name, _)) = named.into_iter().find(|(_, limit)| *limit == Some(0)) {
            let message = format!("{name} is 0, so nothing could be stored");
            return Err(Error::new(ErrorKind::Configuration, message).with_operation("open"));
        }
        if let (Some(entry), Some(total)) = (self.max_entry_bytes, max_total_bytes)
            && entry > total
        {
            let message =
                format!("max_entry_bytes is {entry}, and max_total_bytes is {total} for all entries");
            return Err(Error::new(ErrorKind::Configuration, message).with_operation("open"));
        }
        Ok(())
    }

    /// Returns the longest file that an entry may have.
    pub(crate) fn longest_entry(&self) -> u64 {
        let limits = [self.max_entry_bytes, self.limits.max_total_bytes];
        limits.into_iter().flatten().min().unwrap_or(u64::MAX)
    }
}

/// The options of a [`FileStore`]; made by [`FileStore::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct FileStoreBuilder {
    cache_name: PathBuf,
    use_temp: bool,
    fan_out: Option<FanOut>,
    portable: bool,
    codecs: Codecs,
    options: Options,
    faults: FaultPlan,
}

impl FileStoreBuilder {
    pub(crate) fn new(cache_name: PathBuf, codecs: Codecs) -> Self {
        Self {
            cache_name,
            use_temp: false,
            fan_out: None,
            portable: false,
            codecs,
            options: Options {
                durability: Durability::default(),
                buffer_up_to: 1024 * 1024,
                max_entry_bytes: None,
                limits: Limits::default(),
            },
            faults: FaultPlan::none(),
        }
    }

    /// Puts the cache in a directory of this user's own under the system's directory for temporary files.
    ///
    /// `cache_name` must then be relative. Off by default.
    pub fn use_temp(mut self, use_temp: bool) -> Self {
        self.use_temp = use_temp;
        self
    }

    /// Sets what a write has done for the case of a power loss; [`Durability::Relaxed`] by default.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Sets how entries are spread over directories.
    ///
    /// The directory records it when it is made, and another choice later is an error. Without one, a new
    /// directory is [`FanOut::Flat`] and an existing one is taken as it is.
    pub fn fan_out(mut self, fan_out: FanOut) -> Self {
        self.fan_out = Some(fan_out);
        self
    }

    /// Sets up to what length, in bytes, a body is read and verified whole before a read returns.
    ///
    /// Longer ones are streamed, and verified as they are. 1 MiB by default.
    pub fn buffer_up_to(mut self, bytes: u64) -> Self {
        self.options.buffer_up_to = bytes;
        self
    }

    /// Sets the longest entry that is stored, in bytes of its file; there is no limit by default.
    ///
    /// A body that is streamed is counted as it arrives, and given up with [`ErrorKind::TooLarge`] when it is too long.
    pub fn max_entry_bytes(mut self, bytes: u64) -> Self {
        self.options.max_entry_bytes = Some(bytes);
        self
    }

    /// Sets the most bytes that the files of all entries may have together; there is no limit by default.
    ///
    /// The limit holds at every instant. When an entry does not fit, those that were used least lately are evicted; if
    /// room cannot be made within some tens of milliseconds, the write fails with [`ErrorKind::StorageFull`]. What was
    /// used is known approximately: uses in another process for about a second not at all, and of more than some
    /// thousand entries, those that go are the oldest of a sample.
    ///
    /// All stores that are open on a directory account for what they write once one of them has a limit; each keeps
    /// its own limits alone. Files that other programs put there, or that earlier releases write, are not counted. The
    /// first store with a limit counts what there is, behind [`FileStoreBuilder::open`]; until then entries that need
    /// room are refused.
    pub fn max_total_bytes(mut self, bytes: u64) -> Self {
        self.options.limits.max_total_bytes = Some(bytes);
        self
    }

    /// Sets the most entries that there may be, under the terms of [`FileStoreBuilder::max_total_bytes`].
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.options.limits.max_entries = Some(entries);
        self
    }

    /// Sets the fewest bytes that must be left on the file system; there is no such limit by default.
    ///
    /// Entries are evicted to keep to it: as many as there is too little, and in the end all of them if somebody else
    /// fills the disk. Where the file system shows late what was given back to it, writes fail with
    /// [`ErrorKind::StorageFull`] for some seconds. What writers have in flight is on the disk already: the limit holds
    /// within one entry for each, of which a streamed one is given up when it comes to that.
    pub fn min_free_bytes(mut self, bytes: u64) -> Self {
        self.options.limits.min_free_bytes = Some(bytes);
        self
    }

    /// Uses nothing but what the standard library offers on every platform; off by default.
    ///
    /// It is for file systems that lack what the store uses on Linux, where it is slower. The files are the same.
    pub fn portable(mut self, portable: bool) -> Self {
        self.portable = portable;
        self
    }

    /// Lets `plan` decide about every operation on the file system.
    #[cfg(feature = "fault-injection")]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// Opens the store, and makes its directory if it is not there.
    ///
    /// It looks at a fixed number of files, however many entries there are; leftovers are removed behind it.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Configuration`]: the options contradict each other, or the directory's layout.
    /// - [`ErrorKind::PermissionDenied`]: with `use_temp`, when somebody else could write there.
    /// - [`ErrorKind::Unsupported`]: the directory has the layout of another release, or, with limits, its account; or
    ///   `min_free_bytes` is set on a platform that does not say how much is free.
    /// - Those of the file system, when the directory cannot be made or opened.
    pub async fn open(self) -> Result<FileStore> {
        self.options.check()?;
        let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime)?;
        let opened = runtime.spawn_blocking(move || self.open_blocking()).await.map_err(Cause::Task)?;
        let shared = opened.map_err(|error| error.with_operation("open"))?;
        shared.in_background(|shared| {
            if let Err(cause) = shared.sweep() {
                tracing::warn!(%cause, "cannot sweep leftovers");
            }
            shared.tend_home();
        });
        Ok(FileStore { shared })
    }

    fn open_blocking(self) -> Result<Arc<Shared>> {
        let path = directory::resolve(&self.cache_name, self.use_temp)?;
        let fs = Fs::new(self.portable, self.faults);
        Ok(Shared::open(fs, path, self.fan_out, self.codecs, self.options)?)
    }
}
