//! The seam to the file system: every file operation of the store goes through [`Fs`].
//!
//! There are two flavours, chosen when a store is opened: [`linux`], relative to directory handles, and
//! [`portable`], by path with the standard library alone. With the feature `fault-injection` each operation asks a
//! plan first; without it that question is an empty function.

mod fault;
#[cfg(target_os = "linux")]
mod linux;
mod listing;
mod portable;
mod space;

use std::fs::{File, FileTimes, TryLockError};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use larder_core::Timestamp;

#[cfg(not(feature = "fault-injection"))]
pub(crate) use self::fault::FaultPlan;
#[cfg(not(feature = "fault-injection"))]
use self::fault::Op;
#[cfg(feature = "fault-injection")]
pub use self::fault::{Call, Fault, FaultPlan, Op};
pub(crate) use self::listing::{Kind, Listed, Listing};
pub(crate) use self::space::boot;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) is_file: bool,
    pub(crate) is_dir: bool,
    pub(crate) len: u64,
    pub(crate) modified: Timestamp,
    /// When it was last used, in nanoseconds since 1970.
    pub(crate) used: u64,
    /// Device and number, where the platform has them: the same only for the same file, while somebody has it open.
    pub(crate) id: Option<(u64, u64)>,
}

/// Whether an operation may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It may, so that it belongs on a blocking thread.
    Allowed,
    /// It may not: it fails with [`io::ErrorKind::WouldBlock`] when it would have to, or when nobody can tell.
    Never,
}

/// A directory: a handle on Linux, a path elsewhere.
#[derive(Debug)]
pub(crate) enum Dir {
    #[cfg(target_os = "linux")]
    Linux(linux::Dir),
    Portable(portable::Dir),
}

/// Calls the same method on whichever flavour a directory is.
macro_rules! on {
    ($dir:expr, $inner:ident => $call:expr) => {
        match $dir {
            #[cfg(target_os = "linux")]
            Dir::Linux($inner) => $call,
            Dir::Portable($inner) => $call,
        }
    };
}

impl Dir {
    /// Returns where the directory was when it was opened.
    pub(crate) fn path(&self) -> &Path {
        on!(self, dir => dir.path())
    }
}

/// The file system, with what the flavour and the tests need to know.
#[derive(Debug)]
pub(crate) struct Fs {
    portable: bool,
    /// How files can be made without a name and linked in later; `None` where they cannot.
    #[cfg(target_os = "linux")]
    linking: Option<linux::Linking>,
    faults: FaultPlan,
}

impl Fs {
    pub(crate) fn new(portable: bool, faults: FaultPlan) -> Self {
        let portable = portable || cfg!(not(target_os = "linux"));
        Self {
            portable,
            #[cfg(target_os = "linux")]
            linking: None,
            faults,
        }
    }

    /// Finds out, by making a file in `dir`, whether files can be made without a name.
    pub(crate) fn probe(&mut self, dir: &Dir, name: &str) {
        #[cfg(target_os = "linux")]
        if let Dir::Linux(linux) = dir {
            let file = linux.create_unnamed().ok();
            self.linking = file.and_then(|file| {
                let ways = [linux::Linking::ByHandle, linux::Linking::ByPath];
                ways.into_iter().find(|way| linux.link_unnamed(&file, name, *way).is_ok())
            });
            // A sweeper may have been here first.
            let _ = linux.unlink(name);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (dir, name);
    }

    /// Returns whether directories are paths, and not handles.
    pub(crate) fn is_portable(&self) -> bool {
        self.portable
    }

    /// Makes `path` and what is missing above it; opens it. A symbolic link to a directory is followed.
    pub(crate) fn open_root(&self, path: &Path) -> io::Result<Dir> {
        self.faults.check(Op::MakeDir, || path.to_owned())?;
        portable::make_dir_all(path)?;
        #[cfg(target_os = "linux")]
        if !self.portable {
            return linux::Dir::open_root(path).map(Dir::Linux);
        }
        Ok(Dir::Portable(portable::Dir::new(path)))
    }

    /// Makes the directory `name`, for this user alone, if it is not there.
    pub(crate) fn make_dir(&self, dir: &Dir, name: &str) -> io::Result<()> {
        self.faults.check(Op::MakeDir, || dir.path().join(name))?;
        match on!(dir, dir => dir.make_dir(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Opens the directory under `relative`; no symbolic link is followed.
    pub(crate) fn open_dir(&self, dir: &Dir, relative: &Path) -> io::Result<Dir> {
        self.faults.check(Op::OpenDir, || dir.path().join(relative))?;
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => dir.open_dir(relative).map(Dir::Linux),
            Dir::Portable(dir) => dir.open_dir(relative).map(Dir::Portable),
        }
    }

    /// Opens the file under `relative` to read; no symbolic link is followed, and no writer is waited for.
    pub(crate) fn open_file(&self, dir: &Dir, relative: &Path) -> io::Result<File> {
        self.faults.check(Op::OpenFile, || dir.path().join(relative))?;
        on!(dir, dir => dir.open_file(relative))
    }

    /// Opens the file under `relative` as [`Fs::open_file`] does, if nothing has to be waited for.
    pub(crate) fn open_cached(&self, dir: &Dir, relative: &Path) -> io::Result<File> {
        self.faults.check(Op::OpenCached, || dir.path().join(relative))?;
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => dir.open_cached(relative),
            Dir::Portable(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Says what stands under `relative`; the last component is not followed.
    pub(crate) fn stat(&self, dir: &Dir, relative: &Path) -> io::Result<Stat> {
        self.faults.check(Op::Stat, || dir.path().join(relative))?;
        on!(dir, dir => dir.stat(relative))
    }

    /// Says what an open file is.
    pub(crate) fn stat_file(&self, file: &File, path: impl FnOnce() -> PathBuf) -> io::Result<Stat> {
        self.faults.check(Op::Stat, path)?;
        #[cfg(target_os = "linux")]
        if !self.portable {
            return linux::stat_file(file);
        }
        file.metadata().map(|metadata| portable::stat_of(&metadata))
    }

    /// Makes a new file to write, readable by this user alone: without a name if possible, else as `name`.
    ///
    /// Returns it, and the name that it has, if any; then it is locked, as proof that its writer lives.
    pub(crate) fn create_temp(&self, dir: &Dir, name: &str) -> io::Result<(File, Option<String>)> {
        self.faults.check(Op::Create, || dir.path().join(name))?;
        #[cfg(target_os = "linux")]
        if let (Dir::Linux(dir), Some(_)) = (dir, self.linking) {
            return Ok((dir.create_unnamed()?, None));
        }
        for attempt in 0_u32.. {
            let name = format!("{name}.{attempt}");
            let file = on!(dir, dir => dir.create_file(&name))?;
            // Before the lock is ours, a sweeper may take the file for a dead writer's, and remove it.
            let locked = file.try_lock().is_ok();
            let named = on!(dir, dir => dir.stat(Path::new(&name)));
            if locked && named.is_ok_and(|named| named.id == portable::id_of(&file)) {
                return Ok((file, Some(name)));
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Gives a file that has no name the name `name`, unless that is taken.
    pub(crate) fn link_unnamed(&self, file: &File, dir: &Dir, name: &str) -> io::Result<()> {
        self.faults.check(Op::Link, || dir.path().join(name))?;
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => dir.link_unnamed(file, name, self.linking.unwrap_or(linux::Linking::ByHandle)),
            Dir::Portable(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Renames `name` to `to_name` in `to`, in place of what is there.
    pub(crate) fn rename(&self, dir: &Dir, name: &str, to: &Dir, to_name: &str) -> io::Result<()> {
        self.faults.check(Op::Rename, || to.path().join(to_name))?;
        match (dir, to) {
            #[cfg(target_os = "linux")]
            (Dir::Linux(dir), Dir::Linux(to)) => dir.rename(name, to, to_name),
            _ => std::fs::rename(dir.path().join(name), to.path().join(to_name)),
        }
    }

    /// Swaps what `name` and `to_name` name; [`io::ErrorKind::Unsupported`] where that cannot be done.
    pub(crate) fn exchange(&self, dir: &Dir, name: &str, to: &Dir, to_name: &str) -> io::Result<()> {
        self.faults.check(Op::Exchange, || to.path().join(to_name))?;
        match (dir, to) {
            #[cfg(target_os = "linux")]
            (Dir::Linux(dir), Dir::Linux(to)) => dir.exchange(name, to, to_name),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Removes the file `name`.
    pub(crate) fn unlink(&self, dir: &Dir, name: &str) -> io::Result<()> {
        self.faults.check(Op::Unlink, || dir.path().join(name))?;
        on!(dir, dir => dir.unlink(name))
    }

    /// Removes the directory `name` and all that is in it; no symbolic link in it is followed.
    pub(crate) fn remove_tree(&self, dir: &Dir, name: &str) -> io::Result<()> {
        let path = dir.path().join(name);
        self.faults.check(Op::RemoveTree, || path.clone())?;
        std::fs::remove_dir_all(path)
    }

    /// Lists a directory: each entry's name, and whether it is a regular file, from the listing alone if possible.
    pub(crate) fn list(&self, dir: &Dir) -> io::Result<Listing> {
        self.faults.check(Op::List, || dir.path().to_owned())?;
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => listing::linux::Names::open(dir.fd()).map(Listing::Linux),
            Dir::Portable(dir) => listing::portable::Names::open(dir.path()).map(Listing::Portable),
        }
    }

    /// Returns up to `len` bytes from `offset` on, fewer only at the end of the file.
    pub(crate) fn read(
        &self,
        file: &File,
        offset: u64,
        len: usize,
        path: impl FnOnce() -> PathBuf,
    ) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; len];
        let read = self.read_into(file, offset, &mut buffer, path)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Fills `buffer` with the bytes from `offset` on; returns how many there were, less only at the end of the file.
    pub(crate) fn read_into(
        &self,
        file: &File,
        offset: u64,
        buffer: &mut [u8],
        path: impl FnOnce() -> PathBuf,
    ) -> io::Result<usize> {
        let flip = self.faults.check_read(Op::Read, path)?;
        let read = portable::read_at(file, offset, buffer)?;
        flip_in(&mut buffer[..read], flip);
        Ok(read)
    }

    /// Fills `buffer` with the bytes from `offset` on, if all of them are in memory.
    pub(crate) fn read_cached(
        &self,
        file: &File,
        offset: u64,
        buffer: &mut [u8],
        path: impl FnOnce() -> PathBuf,
    ) -> io::Result<()> {
        let flip = self.faults.check_read(Op::ReadCached, path)?;
        #[cfg(target_os = "linux")]
        {
            linux::read_cached(file, offset, buffer)?;
            flip_in(buffer, flip);
            Ok(())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (file, offset, buffer, flip);
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    /// Writes `parts` one after another, where the file stands.
    pub(crate) fn write(&self, file: &File, parts: &[&[u8]], path: &Path) -> io::Result<()> {
        let allowed = self.faults.check_write(parts.iter().map(|part| part.len()).sum(), path)?;
        if let Some(allowed) = allowed {
            let cut: Vec<u8> = parts.concat().into_iter().take(allowed).collect();
            (&mut { file }).write_all(&cut)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut slices = &mut slices[..];
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match (&mut { file }).write_vectored(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes `bytes` at the beginning of the file.
    pub(crate) fn write_first(&self, file: &File, bytes: &[u8], path: &Path) -> io::Result<()> {
        (&mut { file }).rewind()?;
        self.write(file, &[bytes], path)
    }

    /// Appends `len` bytes of `from`, from `offset` on, where `to` stands; the system copies, or shares blocks.
    pub(crate) fn copy(&self, from: &File, offset: u64, len: u64, to: &File, path: &Path) -> io::Result<()> {
        self.faults.check(Op::Copy, || path.to_owned())?;
        let mut from = from;
        from.seek(SeekFrom::Start(offset))?;
        let copied = io::copy(&mut from.take(len), &mut { to })?;
        if copied == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Sets the time that a purge goes by without opening the file, and that of its last use, which is now.
    pub(crate) fn set_times(&self, file: &File, purge_at: SystemTime, path: &Path) -> io::Result<()> {
        self.faults.check(Op::SetTimes, || path.to_owned())?;
        file.set_times(FileTimes::new().set_modified(purge_at).set_accessed(SystemTime::now()))
    }

    /// Waits until the file's bytes are on the disk.
    pub(crate) fn sync_file(&self, file: &File, path: &Path) -> io::Result<()> {
        self.faults.check(Op::Sync, || path.to_owned())?;
        file.sync_data()
    }

    /// Waits until the directory's names are on the disk.
    pub(crate) fn sync_dir(&self, dir: &Dir) -> io::Result<()> {
        self.faults.check(Op::Sync, || dir.path().to_owned())?;
        on!(dir, dir => dir.sync())
    }

    /// Opens the lock file `relative`, and makes it if it is not there.
    pub(crate) fn open_lock(&self, dir: &Dir, relative: &Path) -> io::Result<File> {
        self.faults.check(Op::Lock, || dir.path().join(relative))?;
        on!(dir, dir => dir.open_lock(relative))
    }

    /// Takes the lock of a file until it is closed, and returns whether it was free.
    pub(crate) fn try_lock(&self, file: &File, path: &Path) -> io::Result<bool> {
        self.faults.check(Op::Lock, || path.to_owned())?;
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Flips the lowest bit of the byte that a fault plan names.
fn flip_in(buffer: &mut [u8], flip: Option<usize>) {
    if let Some(byte) = flip.and_then(|at| buffer.get_mut(at)) {
        *byte ^= 1;
    }
}

/// Returns the name of a directory that is this user's own among everybody's.
pub(crate) fn private_name() -> String {
    #[cfg(unix)]
    return format!("larder-{}", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    return "larder".to_owned();
}

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Me,
    Root,
    Other,
}

/// Returns whose what stands under `path` is, and its mode, where there are such things.
pub(crate) fn ownership(path: &Path) -> io::Result<Option<(Owner, u32)>> {
    let metadata = std::fs::symlink_metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = match metadata.uid() {
            uid if uid == rustix::process::geteuid().as_raw() => Owner::Me,
            0 => Owner::Root,
            _ => Owner::Other,
        };
        Ok(Some((owner, metadata.mode())))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok(None)
    }
}

/// Makes one directory for this user alone, outside any store.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    portable::make_dir(path)
}
