//! The file backend: a file store and a redirect index in one directory, under one set of options.
//!
//! It decides nothing but which option goes to which part. Each part checks its own; what is checked here is what
//! only both options together can contradict, and what must be found out before the store makes its directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use larder_core::{
    CacheBackend, Codec, Codecs, Compression, Durability, Error, ErrorKind, ResponseStore, Result,
};
use larder_file::{FanOut, FileStore};
use larder_redirects::SqliteRedirects;
#[cfg(feature = "tier")]
use larder_tier::MemoryTier;

/// The longest `busy_timeout` that the redirect index takes.
const LONGEST_BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The name of the redirect index in the cache directory.
const REDIRECTS: &str = "redirects.sqlite";

/// The options of a cache in a directory: `responses/` and, beside it, `redirects.sqlite`.
///
/// Any number of processes may open one directory at the same time, on a local file system.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "msgpack")] {
/// use larder::{Durability, FileBackend, file::FanOut};
///
/// # let directory = tempfile::tempdir()?;
/// # let cache_name = directory.path().join("http_cache");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let cache = FileBackend::new(cache_name)
///     .durability(Durability::Durable)
///     .fan_out(FanOut::Wide)
///     .max_entry_bytes(100 << 20)
///     .open()
///     .await?;
/// assert_eq!(cache.size().await?, 0);
/// # Ok::<(), larder::Error>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct FileBackend {
    cache_name: PathBuf,
    use_temp: bool,
    codec: Option<Arc<dyn Codec>>,
    compression: Option<Arc<dyn Compression>>,
    durability: Durability,
    fan_out: Option<FanOut>,
    buffer_up_to: Option<u64>,
    max_entry_bytes: Option<u64>,
    max_total_bytes: Option<u64>,
    max_entries: Option<u64>,
    min_free_bytes: Option<u64>,
    busy_timeout: Option<Duration>,
    max_redirects_in_memory: Option<usize>,
    portable: bool,
    #[cfg(feature = "tier")]
    memory_tier: Option<u64>,
}

impl FileBackend {
    /// Returns the options of a cache in the directory `cache_name`.
    ///
    /// A relative name is relative to the current directory; `~/` at its beginning is the home directory.
    pub fn new(cache_name: impl Into<PathBuf>) -> Self {
        Self {
            cache_name: cache_name.into(),
            use_temp: false,
            codec: None,
            compression: None,
            durability: Durability::default(),
            fan_out: None,
            buffer_up_to: None,
            max_entry_bytes: None,
            max_total_bytes: None,
            max_entries: None,
            min_free_bytes: None,
            busy_timeout: None,
            max_redirects_in_memory: None,
            portable: false,
            #[cfg(feature = "tier")]
            memory_tier: None,
        }
    }

    /// Puts the cache in this user's own directory under the system's directory for temporary files.
    ///
    /// `cache_name` must then be relative. Off by default.
    pub fn use_temp(mut self, use_temp: bool) -> Self {
        self.use_temp = use_temp;
        self
    }

    /// Sets the format that heads are written in; MessagePack by default, if the feature `msgpack` is on.
    ///
    /// Entries of every format that is compiled in are read, whichever is written.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Some(Arc::new(codec));
        self
    }

    /// Sets the compression of bodies that are worth it; none by default.
    pub fn compression(mut self, compression: impl Compression) -> Self {
        self.compression = Some(Arc::new(compression));
        self
    }

    /// Sets what survives a power loss, of entries and of redirects; [`Durability::Relaxed`] by default.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how entries are spread over directories; see [`FileStoreBuilder::fan_out`].
    ///
    /// [`FileStoreBuilder::fan_out`]: larder_file::FileStoreBuilder::fan_out
    pub fn fan_out(mut self, fan_out: FanOut) -> Self {
        self.fan_out = Some(fan_out);
        self
    }

    /// Sets up to what length, in bytes, a body is read whole; see [`FileStoreBuilder::buffer_up_to`].
    ///
    /// [`FileStoreBuilder::buffer_up_to`]: larder_file::FileStoreBuilder::buffer_up_to
    pub fn buffer_up_to(mut self, bytes: u64) -> Self {
        self.buffer_up_to = Some(bytes);
        self
    }

    /// Sets the longest entry that is stored, in bytes; there is no limit by default.
    pub fn max_entry_bytes(mut self, bytes: u64) -> Self {
        self.max_entry_bytes = Some(bytes);
        self
    }

    /// Sets the most bytes that all entries may take; see [`FileStoreBuilder::max_total_bytes`].
    ///
    /// The redirects and what is being written are not counted.
    ///
    /// [`FileStoreBuilder::max_total_bytes`]: larder_file::FileStoreBuilder::max_total_bytes
    pub fn max_total_bytes(mut self, bytes: u64) -> Self {
        self.max_total_bytes = Some(bytes);
        self
    }

    /// Sets the most entries that there may be; see [`FileStoreBuilder::max_entries`].
    ///
    /// [`FileStoreBuilder::max_entries`]: larder_file::FileStoreBuilder::max_entries
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// Sets the fewest bytes that must be left on the file system; see [`FileStoreBuilder::min_free_bytes`].
    ///
    /// [`FileStoreBuilder::min_free_bytes`]: larder_file::FileStoreBuilder::min_free_bytes
    pub fn min_free_bytes(mut self, bytes: u64) -> Self {
        self.min_free_bytes = Some(bytes);
        self
    }

    /// Sets how long an operation on redirects waits for other processes: above zero, at most a minute; see
    /// [`SqliteRedirectsBuilder::busy_timeout`].
    ///
    /// [`SqliteRedirectsBuilder::busy_timeout`]: larder_redirects::SqliteRedirectsBuilder::busy_timeout
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = Some(timeout);
        self
    }

    /// Sets up to how many redirects a copy in memory answers; with more of them each miss asks SQLite. See
    /// [`SqliteRedirectsBuilder::max_rows_in_memory`].
    ///
    /// [`SqliteRedirectsBuilder::max_rows_in_memory`]: larder_redirects::SqliteRedirectsBuilder::max_rows_in_memory
    pub fn max_redirects_in_memory(mut self, redirects: usize) -> Self {
        self.max_redirects_in_memory = Some(redirects);
        self
    }

    /// Uses nothing of the file system but what the standard library offers on every platform; off by default.
    pub fn portable(mut self, portable: bool) -> Self {
        self.portable = portable;
        self
    }

    /// Keeps up to `bytes` of recent responses in memory, in front of the file store; none by default.
    ///
    /// What other processes change in the directory is then seen up to a second later, and this cache's own changes at
    /// once, as [`MemoryTier`] promises. For other bounds, and to ask the tier what it holds or have it forget that, put one
    /// in front of what [`open_parts`](FileBackend::open_parts) returns, which has none.
    ///
    /// [`MemoryTier`]: crate::tier::MemoryTier
    #[cfg(feature = "tier")]
    pub fn memory_tier(mut self, bytes: u64) -> Self {
        self.memory_tier = Some(bytes);
        self
    }

    /// Opens the cache, and makes its directory if it is not there. O(1), however many entries there are.
    ///
    /// Call it in a Tokio runtime. If the future is dropped, an empty cache may have been made.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Configuration`]: the options contradict each other or what the directory records, or no
    ///   codec is compiled in and none was given.
    /// - [`ErrorKind::PermissionDenied`]: with `use_temp`, when somebody else could write there.
    /// - [`ErrorKind::Unsupported`]: the directory is of a newer release or another program, or its redirects are
    ///   of a newer release.
    /// - Those of the file system and of SQLite, when directory or redirects cannot be made or opened.
    pub async fn open(self) -> Result<CacheBackend> {
        #[cfg(feature = "tier")]
        let memory_tier = self.memory_tier;
        let (store, redirects) = self.open_parts().await?;
        let responses: Arc<dyn ResponseStore> = Arc::new(store);
        #[cfg(feature = "tier")]
        let responses = match memory_tier {
            Some(bytes) => Arc::new(MemoryTier::builder(responses).max_bytes(bytes).build()?),
            None => responses,
        };
        Ok(CacheBackend::new(responses, Arc::new(redirects)))
    }

    /// Opens the two parts of the cache, for what only they have, such as [`FileStore::paths`].
    ///
    /// [`CacheBackend::new`] puts them together.
    ///
    /// # Errors
    ///
    /// Those of [`FileBackend::open`].
    pub async fn open_parts(self) -> Result<(FileStore, SqliteRedirects)> {
        self.check()?;
        let mut store = FileStore::builder(&self.cache_name, self.codecs()?)
            .use_temp(self.use_temp)
            .durability(self.durability)
            .portable(self.portable);
        if let Some(fan_out) = self.fan_out {
            store = store.fan_out(fan_out);
        }
        if let Some(bytes) = self.buffer_up_to {
            store = store.buffer_up_to(bytes);
        }
        if let Some(bytes) = self.max_entry_bytes {
            store = store.max_entry_bytes(bytes);
        }
        if let Some(bytes) = self.max_total_bytes {
            store = store.max_total_bytes(bytes);
        }
        if let Some(entries) = self.max_entries {
            store = store.max_entries(entries);
        }
        if let Some(bytes) = self.min_free_bytes {
            store = store.min_free_bytes(bytes);
        }
        let store = store.open().await?;

        let path = store.directory().join(REDIRECTS);
        let mut redirects = SqliteRedirects::builder(path).durability(self.durability);
        if let Some(timeout) = self.busy_timeout {
            redirects = redirects.busy_timeout(timeout);
        }
        if let Some(rows) = self.max_redirects_in_memory {
            redirects = redirects.max_rows_in_memory(rows);
        }
        Ok((store, redirects.open().await?))
    }

    fn check(&self) -> Result<()> {
        let limits = [("max_entry_bytes", self.max_entry_bytes), ("max_total_bytes", self.max_total_bytes)];
        for (name, limit) in limits {
            if let (Some(buffer), Some(limit)) = (self.buffer_up_to, limit)
                && buffer > limit
            {
                let message =
                    format!("buffer_up_to is {buffer} bytes, and {name} allows no entry above {limit}");
                return Err(Error::new(ErrorKind::Configuration, message).with_operation("open"));
            }
        }
        // The index and the tier would say so too, but only after the store has made its directory.
        if let Some(timeout) = self.busy_timeout
            && (timeout.is_zero() || timeout > LONGEST_BUSY_TIMEOUT)
        {
            let message = format!(
                "busy_timeout is {timeout:?}, and must be above zero and at most {LONGEST_BUSY_TIMEOUT:?}"
            );
            return Err(Error::new(ErrorKind::Configuration, message).with_operation("open"));
        }
        #[cfg(feature = "tier")]
        if self.memory_tier == Some(0) {
            let message = "memory_tier is 0 bytes, and must be above zero";
            return Err(Error::new(ErrorKind::Configuration, message).with_operation("open"));
        }
        Ok(())
    }

    fn codecs(&self) -> Result<Codecs> {
        let codecs = match &self.codec {
            Some(codec) => larder_codec::codecs(Arc::clone(codec)),
            None => default_codecs()?,
        };
        Ok(match &self.compression {
            Some(compression) => codecs.compress_with(Arc::clone(compression)),
            None => codecs,
        })
    }
}

#[cfg(feature = "msgpack")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is no default")]
fn default_codecs() -> Result<Codecs> {
    Ok(larder_codec::default_codecs())
}

#[cfg(not(feature = "msgpack"))]
fn default_codecs() -> Result<Codecs> {
    let message = "no codec was chosen, and the feature `msgpack` of the default one is off";
    Err(Error::new(ErrorKind::Configuration, message).with_operation("open"))
}
