//! The file store: the trait's operations, each where it is asked for or one hop to a blocking thread.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use larder_core::{
    BoxStream, CacheKey, CachedResponse, Codecs, Error, ResponseHead, ResponseStore, Result, Revision,
    StoreStats, StoredHead, Timestamp, async_trait,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::coop::consume_budget;

use crate::buffers::Buffers;
use crate::builder::{FileStoreBuilder, Options};
use crate::cause::{self, Cause};
use crate::directory::{self, FanOut, Home};
use crate::entry::NotNow;
use crate::limits::Limits;
use crate::lookups::Lookups;
use crate::prune::{self, Pruned};
use crate::publish::is_absence;
use crate::room::Bounds;
use crate::sys::{Fs, Stat};
use crate::usage::Usage;
use crate::{listing, random, write};

/// A store of one file per response, in a directory that processes may share.
///
/// Cloning is cheap; the clones are the same store. What is in the system's memory is read where it is asked for, on
/// Linux from 5.12 on; else an operation is one hop to the blocking threads of the tokio runtime, and a body that is
/// streamed is one for each half mebibyte. `contains` looks a name up where it is asked for, on every system, and so does
/// a read of a name that Linux does not know yet: that is one `stat`, and no system says beforehand whether it has to wait.
/// Two in a row of more than a millisecond leave those of the next second to the blocking threads.
///
/// If the future of a write is dropped while the file is being published, the write may still take effect.
#[derive(Debug, Clone)]
pub struct FileStore {
    pub(crate) shared: Arc<Shared>,
}

impl FileStore {
    /// Returns the options of a store in the directory `cache_name`, whose entries have the formats `codecs`.
    ///
    /// A relative `cache_name` is relative to the current directory; `~/` at its beginning is the home directory.
    pub fn builder(cache_name: impl Into<PathBuf>, codecs: Codecs) -> FileStoreBuilder {
        FileStoreBuilder::new(cache_name.into(), codecs)
    }

    /// Returns the cache directory: the `cache_name` that was given, as an absolute path.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.shared.path
    }

    /// Returns how the directory's entries are spread.
    #[must_use]
    pub fn fan_out(&self) -> FanOut {
        self.shared.layout
    }

    /// Returns where the file of the entry under `key` is, or would be. It looks at no file.
    #[must_use]
    pub fn path_of(&self, key: &CacheKey) -> PathBuf {
        self.shared.path_of(key)
    }

    /// Returns the path of every entry's file, under the terms of [`ResponseStore::keys`].
    #[must_use]
    pub fn paths(&self) -> BoxStream<'static, Result<PathBuf>> {
        listing::paths(&self.shared)
    }

    /// Reads and verifies all of the entry under `key`; returns whether there is one.
    ///
    /// Unlike a read it says what is wrong with a broken entry, and leaves it where it is. It takes a body of any
    /// length in bounded memory. A dropped future has no effect.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Corrupt`]: the entry is damaged, or what stands in its place is not the entry of `key`.
    /// - [`ErrorKind::Unsupported`]: the entry is in a format that is not compiled in, or of another release.
    /// - Those of the file system, when the entry cannot be read.
    ///
    /// [`ErrorKind::Corrupt`]: larder_core::ErrorKind::Corrupt
    /// [`ErrorKind::Unsupported`]: larder_core::ErrorKind::Unsupported
    pub async fn verify(&self, key: &CacheKey) -> Result<bool> {
        let k = key.clone();
        self.shared.hop(move |shared| shared.verify(&k)).await.map_err(on_entry("verify", key))
    }

    /// Returns how many damaged entries this store has met and removed.
    ///
    /// Each was a miss, or the error that a streamed body ended in.
    #[must_use]
    pub fn damaged_entries(&self) -> u64 {
        self.shared.damaged.load(Ordering::Relaxed)
    }

    /// Evicts the least recently used entries until `limits` hold; `progress` hears now and then how far it is.
    ///
    /// It needs no limits that the store was opened with, and sets none. O(n) for each 65,536 entries that are evicted,
    /// in bounded memory and in steps of some milliseconds beside the traffic. What is written meanwhile may exceed the
    /// limits again. If the future is dropped, what was evicted is gone.
    ///
    /// # Errors
    ///
    /// Those of the file system, when the entries cannot be listed, and [`ErrorKind::Unavailable`] when another process
    /// that evicts was stopped.
    ///
    /// [`ErrorKind::Unavailable`]: larder_core::ErrorKind::Unavailable
    pub async fn prune(&self, limits: Limits, progress: impl FnMut(&Pruned) + Send) -> Result<Pruned> {
        prune::prune(&self.shared, limits, progress).await.map_err(in_operation("prune"))
    }

    /// Removes what dead writers and interrupted clears left behind; returns how many files and directories.
    ///
    /// Opening a store begins the same in the background, so that nobody needs to call this.
    ///
    /// # Errors
    ///
    /// Those of the file system, when the leftovers cannot be listed.
    pub async fn sweep(&self) -> Result<u64> {
        self.shared.hop(|shared| shared.sweep()).await.map_err(in_operation("sweep"))
    }
}

#[async_trait]
impl ResponseStore for FileStore {
    async fn read(&self, key: &CacheKey) -> Result<Option<CachedResponse>> {
        consume_budget().await;
        let found = if let Ok(found) = self.shared.now(|shared| shared.read_now(key)) {
            found
        } else {
            let k = key.clone();
            self.shared.hop(move |shared| shared.read(&k)).await.map_err(on_entry("read", key))?
        };
        if found.is_some() {
            self.shared.used(key);
        }
        Ok(found)
    }

    async fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        consume_budget().await;
        if let Ok(found) = self.shared.now(|shared| shared.read_head_now(key)) {
            return Ok(found);
        }
        let k = key.clone();
        self.shared.hop(move |shared| shared.read_head(&k)).await.map_err(on_entry("read_head", key))
    }

    async fn write(&self, key: &CacheKey, response: CachedResponse) -> Result<()> {
        write::write(&self.shared, key, response).await.map_err(on_entry("write", key))
    }

    async fn update_head(&self, key: &CacheKey, revision: &Revision, head: ResponseHead) -> Result<bool> {
        let (k, revision) = (key.clone(), revision.clone());
        self.shared
            .hop(move |shared| write::update_head(shared, &k, revision.as_bytes(), &head))
            .await
            .map_err(on_entry("update_head", key))
    }

    async fn contains(&self, key: &CacheKey) -> Result<bool> {
        consume_budget().await;
        let found = if let Ok(found) = self.shared.now(|shared| shared.stat_now(key)) {
            found
        } else {
            let k = key.clone();
            self.shared.hop(move |shared| shared.stat(&k)).await.map_err(on_entry("contains", key))?
        };
        Ok(found.is_some_and(|stat| stat.is_file))
    }

    async fn delete(&self, key: &CacheKey) -> Result<bool> {
        let k = key.clone();
        self.shared.hop(move |shared| shared.delete(&k)).await.map_err(on_entry("delete", key))
    }

    async fn bulk_delete(&self, keys: &[CacheKey]) -> Result<u64> {
        let keys = keys.to_vec();
        let deleted = self.shared.hop(move |shared| shared.bulk_delete(&keys));
        deleted.await.map_err(in_operation("bulk_delete"))
    }

    async fn clear(&self) -> Result<()> {
        self.shared.hop(Shared::clear).await.map_err(in_operation("clear"))
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        listing::delete_expired(&self.shared, now).await.map_err(in_operation("delete_expired"))
    }

    async fn size(&self) -> Result<u64> {
        self.shared.hop(listing::size).await.map_err(in_operation("size"))
    }

    fn keys(&self) -> BoxStream<'static, Result<CacheKey>> {
        listing::keys(&self.shared)
    }

    fn heads(&self) -> BoxStream<'static, Result<(CacheKey, StoredHead)>> {
        listing::heads(&self.shared)
    }

    fn values(&self) -> BoxStream<'static, Result<(CacheKey, CachedResponse)>> {
        listing::values(&self.shared)
    }

    fn stats(&self) -> StoreStats {
        let (home, bounds, limits) = (self.shared.home(), &self.shared.bounds, &self.shared.options.limits);
        let size = home.usage.as_ref().and_then(Usage::last_seen);
        StoreStats::default()
            .with_counts(bounds.evicted.load(Ordering::Relaxed), self.damaged_entries())
            .with_size(size.map(|size| size.entries), size.map(|size| size.bytes))
            .with_limits(limits.max_entries, limits.max_total_bytes)
    }

    async fn close(&self) -> Result<()> {
        // What was used is only a hint, and a store that is closed already has nothing to write down.
        let flushed = self.shared.hop(|shared| {
            shared.flush_recent();
            Ok(())
        });
        let _ = flushed.await;
        // Whoever has all permits is alone: no work is under way, that of dropped futures included.
        if let Ok(_all) = self.shared.permits.acquire_many(PERMITS).await {
            self.shared.permits.close();
        }
        Ok(())
    }
}

fn in_operation(operation: &'static str) -> impl FnOnce(Cause) -> Error {
    move |cause| Error::from(cause).with_operation(operation)
}

fn on_entry<'a>(operation: &'static str, key: &'a CacheKey) -> impl FnOnce(Cause) -> Error + 'a {
    move |cause| Error::from(cause).with_operation(operation).with_key(key)
}

/// More than there will ever be pieces of blocking work at a time.
const PERMITS: u32 = 1 << 24;

/// What the clones of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fs: Fs,
    pub(crate) path: PathBuf,
    pub(crate) layout: FanOut,
    pub(crate) codecs: Codecs,
    pub(crate) options: Options,
    pub(crate) damaged: AtomicU64,
    pub(crate) buffers: Buffers,
    pub(crate) bounds: Bounds,
    pub(crate) lookups: Lookups,
    home: RwLock<Arc<Home>>,
    /// Each piece of blocking work holds one; closed when the store is.
    permits: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn open(
        mut fs: Fs,
        path: PathBuf,
        fan_out: Option<FanOut>,
        codecs: Codecs,
        options: Options,
    ) -> cause::Result<Arc<Self>> {
        let bounds = Bounds::default();
        let (home, layout) =
            directory::prepare(&fs, &path, fan_out, options.durability, options.limits.any())?;
        bounds.note_home(&home);
        if options.limits.min_free_bytes.is_some() {
            fs.free(&home.root).map_err(Cause::io("ask how much room is left", &path))?;
        }
        fs.probe(&home.temporaries, &random::name("probe")?);
        Ok(Arc::new(Self {
            fs,
            path,
            layout,
            codecs,
            options,
            damaged: AtomicU64::new(0),
            buffers: Buffers::default(),
            bounds,
            lookups: Lookups::default(),
            home: RwLock::new(Arc::new(home)),
            permits: Arc::new(Semaphore::new(PERMITS as usize)),
        }))
    }

    /// Returns the handles that operations start from.
    pub(crate) fn home(&self) -> Arc<Home> {
        Arc::clone(&self.home.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `operation`; if it finds that the cache directory is gone, makes it again and runs it once more.
    pub(crate) fn with_home<T>(
        &self,
        operation: impl Fn(&Arc<Home>) -> cause::Result<T>,
    ) -> cause::Result<T> {
        match operation(&self.home()) {
            // Making a file in a directory that was removed fails in either way.
            Err(Cause::Io { source, .. })
                if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) =>
            {
                operation(&self.reopen_home()?)
            }
            done => done,
        }
    }

    /// Opens the cache directory again, and makes what is missing of it.
    pub(crate) fn reopen_home(&self) -> cause::Result<Arc<Home>> {
        let (layout, durability) = (Some(self.layout), self.options.durability);
        let (home, _) =
            directory::prepare(&self.fs, &self.path, layout, durability, self.options.limits.any())?;
        if let Some(usage) = &home.usage
            && usage.may_lack_what_was_done(&self.fs, self.home().usage.as_ref())
        {
            // What this store wrote before it knew of this usage is not in it.
            usage.forget(&self.fs)?;
        }
        self.bounds.note_home(&home);
        let home = Arc::new(home);
        *self.home.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&home);
        Ok(home)
    }

    /// Returns where the file of the entry under `key` is, or would be.
    pub(crate) fn path_of(&self, key: &CacheKey) -> PathBuf {
        self.path.join(self.layout.file_of(key))
    }

    /// Does `work` here, if the store is open.
    fn now<T>(self: &Arc<Self>, work: impl FnOnce(&Arc<Self>) -> Result<T, NotNow>) -> Result<T, NotNow> {
        if self.permits.is_closed() { Err(NotNow) } else { work(self) }
    }

    /// Runs `work` on a blocking thread.
    pub(crate) async fn hop<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> cause::Result<T> + Send + 'static,
    ) -> cause::Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Cause::Closed)?;
        let runtime = Handle::try_current().map_err(|_| Cause::NoRuntime)?;
        let shared = Arc::clone(self);
        // The permit goes with what is returned, which nobody may be there to take, and whose end is work too.
        let task = runtime.spawn_blocking(move || (work(&shared), permit));
        let (done, _permit) = task.await.map_err(Cause::Task)?;
        done
    }

    /// Runs `work` on a blocking thread that nobody but [`ResponseStore::close`] waits for.
    ///
    /// It is dropped when the store is closed, or there is no runtime.
    pub(crate) fn in_background(self: &Arc<Self>, work: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let (Ok(permit), Ok(runtime)) = (permit, Handle::try_current()) else { return };
        let shared = Arc::clone(self);
        runtime.spawn_blocking(move || {
            let _permit = permit;
            work(&shared);
        });
    }

    /// Says what stands in the place of the entry of `key`, if that is found out here.
    pub(crate) fn stat_now(&self, key: &CacheKey) -> Result<Option<Stat>, NotNow> {
        self.lookups.now(|| self.stat(key))?.map_err(|_| NotNow)
    }

    fn stat(&self, key: &CacheKey) -> cause::Result<Option<Stat>> {
        let home = self.home();
        let relative = self.layout.file_of(key);
        match self.fs.stat(&home.root, &relative) {
            Err(error) if is_absence(&error) => Ok(None),
            stat => {
                let path = home.root.path().join(&relative);
                stat.map(Some).map_err(Cause::io("inspect the entry", &path))
            }
        }
    }
}
