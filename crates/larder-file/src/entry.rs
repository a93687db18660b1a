//! Opening an entry: what stands under its name, checked before anything of it is believed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use larder_core::{CacheKey, CachedResponse, ResponseHead, Revision, StoredHead};

use crate::body;
use crate::cause::{Cause, Result};
use crate::frame::{CHUNK_LEN, PROLOGUE_LEN, Prologue, table_len, verify_chunks};
use crate::publish::is_absence;
use crate::store::Shared;
use crate::sys::Dir;

/// How much of a file is read at first when only its head is wanted.
const FIRST_READ: u64 = 16 * 1024;
/// Up to this length a file that is to be read whole is read at once.
const ONE_READ: u64 = 2 * 1024 * 1024;
/// What an entry that is read whole may hold beside its body.
const AROUND_BODY: u64 = 64 * 1024;

/// An entry whose prologue, key and head were verified, and whose body was not read or not verified.
pub(crate) struct Opened {
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    pub(crate) prologue: Prologue,
    pub(crate) head: ResponseHead,
    /// The file from its beginning: at least up to the body.
    bytes: Bytes,
}

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
        let read = self.open_entry(key, true).and_then(|opened| {
            let Some(opened) = opened else { return Ok(None) };
            let (file, revision) =
                (Arc::clone(&opened.file), Revision::new(opened.prologue.revision.to_vec()));
            let head = opened.head.clone();
            let body =
                body::of_entry(self, key, opened).map_err(|cause| Failed { cause, file: Some(file) })?;
            Ok(Some(CachedResponse::new(head, body).at_revision(revision)))
        });
        self.miss_if_broken(key, read)
    }

    /// Reads the head of the entry of `key`.
    pub(crate) fn read_head(&self, key: &CacheKey) -> Result<Option<StoredHead>> {
        let read = self.open_entry(key, false).map(|opened| {
            opened.map(|Opened { prologue, head, .. }| {
                StoredHead::new(head, Revision::new(prologue.revision.to_vec()), prologue.body_len)
            })
        });
        self.miss_if_broken(key, read)
    }

    /// Reads all of the entry of `key` and keeps none of it; a broken entry is an error, and stays.
    pub(crate) fn verify(self: &Arc<Self>, key: &CacheKey) -> Result<bool> {
        let Some(opened) = self.open_entry(key, false).map_err(|failed| failed.cause)? else {
            return Ok(false);
        };
        body::verify(self, opened).map(|()| true)
    }

    /// Opens the entry of `key` to copy its body.
    pub(crate) fn open_to_copy(&self, key: &CacheKey) -> Result<Option<Opened>> {
        let opened = self.open_entry(key, false);
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
        let stat = self.fs.stat_file(&file, &path).map_err(Cause::io("inspect the entry", &path))?;
        if !stat.is_file {
            return Ok(None);
        }
        let bytes = self.read_at(&file, 0, PROLOGUE_LEN as u64, &path)?;
        Ok(Prologue::parse(&bytes, stat.len).ok().map(|prologue| Found { file, prologue }))
    }

    /// Says that the entry of `key` cannot be used, and removes it if it is damaged.
    pub(crate) fn give_up(&self, key: &CacheKey, cause: &Cause, file: Option<&File>) {
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

    pub(crate) fn read_at(&self, file: &File, offset: u64, len: u64, path: &Path) -> Result<Vec<u8>> {
        let len = usize::try_from(len).map_err(|_| Cause::Damaged("length"))?;
        self.fs.read(file, offset, len, path).map_err(Cause::io("read the entry", path))
    }

    /// Opens the entry of `key`; reads it whole if it is small and `whole` is set, else up to its body.
    fn open_entry(&self, key: &CacheKey, whole: bool) -> Result<Option<Opened>, Failed> {
        let home = self.home();
        let relative = self.layout.file_of(key);
        let path = home.root.path().join(&relative);
        let file = match self.fs.open_file(&home.root, &relative) {
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                return Err(Cause::Foreign("it is not a regular file").into());
            }
            opened => opened.map_err(Cause::io("open the entry", &path))?,
        };
        let stat = self.fs.stat_file(&file, &path).map_err(Cause::io("inspect the entry", &path))?;
        if !stat.is_file {
            return Err(Cause::Foreign("it is not a regular file").into());
        }
        let whole = whole && stat.len <= self.options.buffer_up_to.saturating_add(AROUND_BODY);
        let file = Arc::new(file);
        match self.verify_head(key, &file, &path, stat.len, whole) {
            Ok((prologue, head, bytes)) => Ok(Some(Opened { file, path, prologue, head, bytes })),
            Err(cause) => Err(Failed { cause, file: Some(file) }),
        }
    }

    fn verify_head(
        &self,
        key: &CacheKey,
        file: &File,
        path: &Path,
        file_len: u64,
        whole: bool,
    ) -> Result<(Prologue, ResponseHead, Bytes)> {
        // Nothing large is read before the prologue says that it is there.
        let first = if whole && file_len <= ONE_READ { file_len } else { file_len.min(FIRST_READ) };
        let mut bytes = self.read_at(file, 0, first, path)?;
        let prologue = Prologue::parse(&bytes, file_len)?;
        let body_at = prologue.body_offset as usize;
        let wanted = if whole { file_len } else { u64::from(prologue.body_offset) };
        if let Some(missing @ 1..) = wanted.checked_sub(bytes.len() as u64) {
            bytes.extend(self.read_at(file, bytes.len() as u64, missing, path)?);
        }
        let prefix = bytes.get(..body_at).ok_or(Cause::Damaged("length"))?;
        let head = prologue.verify(prefix, key)?;
        let unknown = |what| move || Cause::Unknown { what, id: prologue.codec.into() };
        let codec = self.codecs.codec(prologue.codec).ok_or_else(unknown("codec"))?;
        // The bytes are those that were written: another version wrote what this one cannot decode.
        let head = codec.decode(head).map_err(|_| unknown("another version of codec")())?;
        Ok((prologue, head, bytes.into()))
    }

    /// Turns a broken entry into a miss, and removes it if it is ours.
    fn miss_if_broken<T>(&self, key: &CacheKey, read: Result<Option<T>, Failed>) -> Result<Option<T>> {
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

impl Opened {
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
    file: Arc<File>,
    path: PathBuf,
    prologue: Prologue,
    /// How much of the stored body was handed out; a multiple of the chunk's length until the end.
    position: u64,
    /// The part of the table that begins with the checksum of chunk `table_from`.
    table: Vec<u8>,
    table_from: u64,
}

/// How much of the table is held at a time.
const TABLE_WINDOW: u64 = 64 * 1024;

impl Chunks {
    pub(crate) fn new(shared: Arc<Shared>, opened: Opened) -> Self {
        let Opened { file, path, prologue, .. } = opened;
        Self { shared, file, path, prologue, position: 0, table: Vec::new(), table_from: 0 }
    }

    /// Returns the next whole chunks, up to `len` bytes of them but at least one; nothing at the end.
    pub(crate) fn next(&mut self, len: usize) -> Result<Vec<u8>> {
        let left = self.prologue.stored_len - self.position;
        let whole = (len / CHUNK_LEN).max(1) * CHUNK_LEN;
        let len = left.min(whole as u64);
        if len == 0 {
            return Ok(Vec::new());
        }
        let first = self.position / CHUNK_LEN as u64;
        let body_at = u64::from(self.prologue.body_offset);
        let bytes = self.shared.read_at(&self.file, body_at + self.position, len, &self.path)?;
        if bytes.len() as u64 != len {
            return Err(Cause::Damaged("length"));
        }
        let salt = self.prologue.salt;
        verify_chunks(salt, first, &bytes, self.table_of(first, table_len(len))?)?;
        self.position += len;
        Ok(bytes)
    }

    /// Returns `len` bytes of the table, from the checksum of chunk `first` on.
    fn table_of(&mut self, first: u64, len: u64) -> Result<&[u8]> {
        let held = self.table_from..self.table_from + self.table.len() as u64 / 4;
        if first < held.start || first + len / 4 > held.end {
            let all = table_len(self.prologue.stored_len);
            let table_at = u64::from(self.prologue.body_offset) + self.prologue.stored_len;
            let window = (all - first * 4).min(TABLE_WINDOW.max(len));
            self.table = self.shared.read_at(&self.file, table_at + first * 4, window, &self.path)?;
            self.table_from = first;
        }
        let at = in_memory((first - self.table_from) * 4);
        self.table.get(at..at + in_memory(len)).ok_or(Cause::Damaged("length"))
    }
}
