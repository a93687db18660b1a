//! How a file store is opened.

use std::path::PathBuf;
use std::sync::Arc;

use larder_core::{Codecs, Durability, Error, ErrorKind, Result};
use tokio::runtime::Handle;

use crate::cause::Cause;
use crate::directory::{self, FanOut};
use crate::store::{FileStore, Shared};
use crate::sys::{FaultPlan, Fs};

/// What a store was opened with.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) durability: Durability,
    pub(crate) buffer_up_to: u64,
    pub(crate) max_entry_bytes: u64,
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
                max_entry_bytes: u64::MAX,
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
    pub fn max_entry_bytes(mut self, bytes: u64) -> Self {
        self.options.max_entry_bytes = bytes;
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
    /// - [`ErrorKind::Unsupported`]: the directory has the layout of another release.
    /// - Those of the file system, when the directory cannot be made or opened.
    pub async fn open(self) -> Result<FileStore> {
        if self.options.max_entry_bytes == 0 {
            return Err(Error::new(
                ErrorKind::Configuration,
                "max_entry_bytes is 0, so nothing could be stored",
            ));
        }
        let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime)?;
        let opened = runtime.spawn_blocking(move || self.open_blocking()).await.map_err(Cause::Task)?;
        let shared = opened.map_err(|error| error.with_operation("open"))?;
        shared.in_background(|shared| {
            if let Err(cause) = shared.sweep() {
                tracing::warn!(%cause, "cannot sweep leftovers");
            }
        });
        Ok(FileStore { shared })
    }

    fn open_blocking(self) -> Result<Arc<Shared>> {
        let path = directory::resolve(&self.cache_name, self.use_temp)?;
        let fs = Fs::new(self.portable, self.faults);
        Ok(Shared::open(fs, path, self.fan_out, self.codecs, self.options)?)
    }
}
