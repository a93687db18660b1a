//! Opening an entry: what stands under its name, checked before anything of it is believed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use larder_core::{CacheKey, CachedResponse, ResponseHead, Revision, StoredHead};

use crate::body;
use crate::cause::{Cause, Result};
use crate::frame::{CHUNK_LEN, PROLOGUE_LEN, Prologue, table_len, verify_chunks};
use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::{Dir, Wait};

/// How much of a file is read at first when only its head is wanted.
const FIRST_READ: u64 = 16 * 1024;
/// Up to this length a file that is to be read whole is read at once.
const ONE_READ: u64 = 2 * 1024 * 1024;
/// What an entry that is read whole may hold beside its body.
const AROUND_BODY: u64 = 64 * 1024;
/// Up to this length a compressed body is decompressed where it is asked for.
const DECOMPRESSED_NOW: u64 = 64 * 1024;

/// An entry whose prologue, key and head were verified, and whose body was not read or not verified.
struct Opened {
    head: ResponseHead,
    stored: Stored,
}

/// What an opened entry is but for its head.
pub(crate) struct Stored {
    pub(crate) key: CacheKey,
    pub(crate) file: Arc<File>,
    pub(crate) prologue: Prologue,
    /// The file from its beginning: at least up to the body.
    bytes: Bytes,
}

/// How much of an entry is to be read when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Head,
    /// The body too, if it is to be buffered.
    Whole,
}

/// What is asked for has to wait, or is much work, or went wrong: a blocking thread does it, or finds out what.
pub(crate) struct NotNow;

/// What stands in an entry's place, and what its prologue says.
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) prologue: Prologue,
}

/// A read that failed, and the file that it was on, so that it can be removed if it is still there.
struct Failed {
    cause: Cause,
    file: Option<Arc<File>>,
}

impl From<Cause> for Failed {
    fn from(cause: Cause) -> Self {
        Self { cause, file: None }
    }
}

impl Shared {
    /// Reads the entry of `key`.
    pub(crate) fn read(self: &Arc<Self>, key: &CacheKey) -> Result<Option<CachedResponse>> {
        let read = self.open_entry(key, Extent::Whole).and_then(|opened| {
            let Some(opened) = opened else { return Ok(None) };
            let file = Arc::clone(&opened.stored.file);
            self.response(opened).map(Some).map_err(|cause| Failed { cause, file: Some(file) })
        });
        self.miss_if_broken(key, read)
    }

    /// Reads the entry of `key` if that takes neither waiting, as far as one can tell beforehand, nor much work.
    ///
    /// What is broken, or fails, is left to [`Shared::read`], which may take the time to remove it.
    pub(crate) fn read_now(self: &Arc<Self>, key: &CacheKey) -> Result<Option<CachedResponse>, NotNow> {
        let Some(opened) = self.open_now(key, Extent::Whole)? else { return Ok(None) };
        let Stored { prologue, bytes, .. } = &opened.stored;
        let is_at_hand = bytes.len() as u64 >= prologue.file_len().unwrap_or(u64::MAX)
            && (prologue.compression == 0 || prologue.body_len <= DECOMPRESSED_NOW);
        if prologue.body_len <= self.options.buffer_up_to && !is_at_hand {
            return Err(NotNow);
        }
        self.response(opened).map(Some).map_err(|_| NotNow)
    }

    /// Reads the head of the entry of `key`.
    pub(crate) fn read_head(self: &Arc<Self>, key: &CacheKey) -> Result<Option<StoredHead>> {
        let read = self.open_entry(key, Extent::Head).map(|opened| opened.map(stored_head));
        self.miss_if_broken(key, read)
    }

    /// Reads the head of the entry of `key` under the terms of [`Shared::read_now`].
    pub(crate) fn read_head_now(&self, key: &CacheKey) -> Result<Option<StoredHead>, NotNow> {
        Ok(self.open_now(key, Extent::Head)?.map(stored_head))
    }

    /// Reads all of the entry of `key` and keeps none of it; a broken entry is an error, and stays.
    pub(crate) fn verify(self: &Arc<Self>, key: &CacheKey) -> Result<bool> {
        let Some(opened) = self.open_entry(key, Extent::Head).map_err(|failed| failed.cause)? else {
            return Ok(false);
        };
        body::verify(self, opened.stored).map(|()| true)
    }

    /// Opens the entry of `key` to copy its body.
    pub(crate) fn open_to_copy(self: &Arc<Self>, key: &CacheKey) -> Result<Option<Stored>> {
        let opened = self.open_entry(key, Extent::Head);
        let opened = opened.map(|opened| opened.map(|opened| opened.stored));
        self.miss_if_broken(key, opened)
    }

    /// Returns the entry under `relative` and its prologue, without verifying what that says; broken ones are `None`.
    pub(crate) fn prologue_of(&self, dir: &Dir, relative: &Path) -> Result<Option<Found>> {
        let path = dir.path().join(relative);
        let file = match self.fs.open_file(dir, relative) {
            Err(error) if is_absence(&error) || error.kind() == std::io::ErrorKind::InvalidInput => {
                return Ok(None);
            }
            opened => opened.map_err(Cause::io("open the entry", &path))?,
        };
        let stat =
            self.fs.stat_file(&file, || path.clone()).map_err(Cause::io("inspect the entry", &path))?;
        if !stat.is_file {
            return Ok(None);
        }
        let read = self.fs.read(&file, 0, PROLOGUE_LEN, || path.clone());
        let bytes = read.map_err(Cause::io("read the entry", &path))?;
        Ok(Prologue::parse(&bytes, stat.len).ok().map(|prologue| Found { file, prologue }))
    }

    /// Says that the entry of `key` cannot be used, and removes it if it is damaged.
    pub(crate) fn give_up(self: &Arc<Self>, key: &CacheKey, cause: &Cause, file: Option<&File>) {
        tracing::warn!(%key, %cause, "an entry cannot be used");
        if !cause.is_damage() {
            return;
        }
        self.damaged.fetch_add(1, Ordering::Relaxed);
        if let Some(file) = file
            && let Err(cause) = self.delete_file(key, file)
        {
            tracing::warn!(%key, %cause, "a broken entry cannot be removed; the next write replaces it");
        }
    }

    /// Reads `len` bytes, or fewer at the end of the file; fails if it may not wait and would have to.
    fn read_at(&self, file: &File, offset: u64, len: u64, key: &CacheKey, wait: Wait) -> Result<Bytes> {
        let len = usize::try_from(len).map_err(|_| Cause::Damaged("length"))?;
        let mut buffer = self.buffers.take(len);
        let (bytes, path) = (buffer.as_mut(), || self.path_of(key));
        let read = match wait {
            Wait::Allowed => self.fs.read_into(file, offset, bytes, path),
            Wait::Never => self.fs.read_cached(file, offset, bytes, path).map(|()| len),
        };
        buffer.truncate(read.map_err(self.failed_to("read the entry", key))?);
        Ok(buffer.into_bytes())
    }

    /// Returns a function for `map_err` that says what was attempted on the entry of `key`.
    fn failed_to<'a>(
        &'a self,
        action: &'static str,
        key: &'a CacheKey,
    ) -> impl FnOnce(std::io::Error) -> Cause + 'a {
        move |source| Cause::Io { action, path: self.path_of(key), source }
    }

    /// Opens the entry of `key`, and reads it up to its body, or whole if that is wanted and it is small.
    fn open_entry(&self, key: &CacheKey, extent: Extent) -> Result<Option<Opened>, Failed> {
        let home = self.home();
        let file = match self.fs.open_file(&home.root, &self.layout.file_of(key)) {
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                return Err(Cause::Foreign("it is not a regular file").into());
            }
            opened => opened.map_err(self.failed_to("open the entry", key))?,
        };
        let stat = self.fs.stat_file(&file, || self.path_of(key));
        let stat = stat.map_err(self.failed_to("inspect the entry", key))?;
        if !stat.is_file {
            return Err(Cause::Foreign("it is not a regular file").into());
        }
        let file = Arc::new(file);
        let opened = self.read_beginning(key, &file, stat.len, extent).and_then(|(prologue, bytes)| {
            self.decode(Stored { key: key.clone(), file: Arc::clone(&file), prologue, bytes })
        });
        opened.map(Some).map_err(|cause| Failed { cause, file: Some(file) })
    }

    fn read_beginning(
        &self,
        key: &CacheKey,
        file: &File,
        file_len: u64,
        extent: Extent,
    ) -> Result<(Prologue, Bytes)> {
        let whole = extent == Extent::Whole && self.is_read_whole(file_len);
        // Nothing large is read before the prologue says that it is there.
        let first = if whole && file_len <= ONE_READ { file_len } else { file_len.min(FIRST_READ) };
        let mut bytes = self.read_at(file, 0, first, key, Wait::Allowed)?;
        let prologue = Prologue::parse(&bytes, file_len)?;
        let wanted = if whole { file_len } else { u64::from(prologue.body_offset) };
        if wanted > bytes.len() as u64 {
            bytes = self.read_at(file, 0, wanted, key, Wait::Allowed)?;
        }
        Ok((prologue, bytes))
    }

    /// Opens the entry of `key` as [`Shared::open_entry`] does, if nothing has to be waited for.
    ///
    /// The bytes go where they stay: to copy a few thousand of them costs as much as a system call.
    fn open_now(&self, key: &CacheKey, extent: Extent) -> Result<Option<Opened>, NotNow> {
        let home = self.home();
        let file = match self.fs.open_cached(&home.root, &self.layout.file_of(key)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            // A name that nobody has asked for is not in memory, even where its whole directory is.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && self.stat_now(key)?.is_none() => {
                return Ok(None);
            }
            opened => opened.map_err(|_| NotNow)?,
        };
        let stat = self.fs.stat_file(&file, || self.path_of(key)).map_err(|_| NotNow)?;
        let whole = extent == Extent::Whole && self.is_read_whole(stat.len);
        let wanted = if whole { stat.len } else { stat.len.min(FIRST_READ) };
        if !stat.is_file || wanted > ONE_READ {
            return Err(NotNow);
        }
        let bytes = self.read_at(&file, 0, wanted, key, Wait::Never).map_err(|_| NotNow)?;
        let prologue = Prologue::parse(&bytes, stat.len).map_err(|_| NotNow)?;
        let stored = Stored { key: key.clone(), file: Arc::new(file), prologue, bytes };
        self.decode(stored).map(Some).map_err(|_| NotNow)
    }

    /// Returns whether a file of this length is read whole when its body is wanted.
    fn is_read_whole(&self, file_len: u64) -> bool {
        file_len <= self.options.buffer_up_to.saturating_add(AROUND_BODY)
    }

    /// Verifies what was read up to the body, and decodes the head.
    fn decode(&self, stored: Stored) -> Result<Opened> {
        let Stored { key, prologue, bytes, .. } = &stored;
        let prefix = bytes.get(..prologue.body_offset as usize).ok_or(Cause::Damaged("length"))?;
        let head = prologue.verify(prefix, key)?;
        let unknown = |what| Cause::Unknown { whole: "the entry", what, id: prologue.codec.into() };
        let codec = self.codecs.codec(prologue.codec).ok_or_else(|| unknown("codec"))?;
        // The bytes are those that were written: another version wrote what this one cannot decode.
        let head = codec.decode(head).map_err(|_| unknown("another version of codec"))?;
        Ok(Opened { head, stored })
    }

    fn response(self: &Arc<Self>, Opened { head, stored }: Opened) -> Result<CachedResponse> {
        let revision = Revision::new(stored.prologue.revision.to_vec());
        Ok(CachedResponse::new(head, body::of_entry(self, stored)?).at_revision(revision))
    }

    /// Turns a broken entry into a miss, and removes it if it is ours.
    fn miss_if_broken<T>(
        self: &Arc<Self>,
        key: &CacheKey,
        read: Result<Option<T>, Failed>,
    ) -> Result<Option<T>> {
        match read {
            Ok(found) => Ok(found),
            Err(Failed { cause, file }) if cause.is_miss() => {
                self.give_up(key, &cause, file.as_deref());
                Ok(None)
            }
            Err(Failed { cause, .. }) => Err(cause),
        }
    }
}

/// Returns the head of an opened entry, without the bytes that it was read with.
fn stored_head(Opened { head, stored: Stored { prologue, .. } }: Opened) -> StoredHead {
    StoredHead::new(head, Revision::new(prologue.revision.to_vec()), prologue.body_len)
}

impl Stored {
    /// Returns the stored body, verified, if it was read with the rest of the file.
    pub(crate) fn body_in_memory(&self) -> Result<Option<Bytes>> {
        let body_at = self.prologue.body_offset as usize;
        let table_at = body_at.saturating_add(in_memory(self.prologue.stored_len));
        let end = table_at.saturating_add(in_memory(table_len(self.prologue.stored_len)));
        if self.bytes.len() < end {
            return Ok(None);
        }
        let body = self.bytes.slice(body_at..table_at);
        verify_chunks(self.prologue.salt, 0, &body, &self.bytes[table_at..])?;
        Ok(Some(body))
    }
}

/// Returns a length as one of something in memory; one that cannot be is longer than anything is.
fn in_memory(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Reads a stored body from its file in order, and verifies each chunk before it is handed out.
pub(crate) struct Chunks {
    shared: Arc<Shared>,
    key: CacheKey,
    file: Arc<File>,
    prologue: Prologue,
    /// How much of the stored body was handed out; a multiple of the chunk's length until the end.
    position: u64,
    /// The part of the table that begins with the checksum of chunk `table_from`.
    table: Bytes,
    table_from: u64,
}

/// How much of the table is held at a time.
const TABLE_WINDOW: u64 = 64 * 1024;

impl Chunks {
    pub(crate) fn new(shared: Arc<Shared>, stored: Stored) -> Self {
        let Stored { key, file, prologue, .. } = stored;
        Self { shared, key, file, prologue, position: 0, table: Bytes::new(), table_from: 0 }
    }

    /// Returns the next whole chunks, up to `len` bytes of them but at least one; nothing at the end.
    ///
    /// After an error it is where it was.
    pub(crate) fn next(&mut self, len: usize, wait: Wait) -> Result<Bytes> {
        let left = self.prologue.stored_len - self.position;
        let whole = (len / CHUNK_LEN).max(1) * CHUNK_LEN;
        let len = left.min(whole as u64);
        if len == 0 {
            return Ok(Bytes::new());
        }
        let first = self.position / CHUNK_LEN as u64;
        let body_at = u64::from(self.prologue.body_offset);
        let bytes = self.shared.read_at(&self.file, body_at + self.position, len, &self.key, wait)?;
        if bytes.len() as u64 != len {
            return Err(Cause::Damaged("length"));
        }
        let salt = self.prologue.salt;
        verify_chunks(salt, first, &bytes, self.table_of(first, table_len(len), wait)?)?;
        self.position += len;
        Ok(bytes)
    }

    /// Returns `len` bytes of the table, from the checksum of chunk `first` on.
    fn table_of(&mut self, first: u64, len: u64, wait: Wait) -> Result<&[u8]> {
        let held = self.table_from..self.table_from + self.table.len() as u64 / 4;
        if first < held.start || first + len / 4 > held.end {
            let all = table_len(self.prologue.stored_len);
            let table_at = u64::from(self.prologue.body_offset) + self.prologue.stored_len;
            let window = (all - first * 4).min(TABLE_WINDOW.max(len));
            self.table = self.shared.read_at(&self.file, table_at + first * 4, window, &self.key, wait)?;
            self.table_from = first;
        }
        let at = in_memory((first - self.table_from) * 4);
        self.table.get(at..at + in_memory(len)).ok_or(Cause::Damaged("length"))
    }
}
