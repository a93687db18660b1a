//! Linux: operations relative to directory handles, files without a name, exchange of names.
//!
//! Nothing is opened through a symbolic link below the cache directory.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use larder_core::Timestamp;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::{Errno, ReadWriteFlags};

use super::Stat;

const TO_READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Set once `openat2` was found missing (before Linux 5.6, or filtered).
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);
/// Set once opening from memory alone was found missing (before Linux 5.12).
static NO_CACHED_OPEN: AtomicBool = AtomicBool::new(false);

/// How a file without a name is given one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Linking {
    /// By its handle alone; before Linux 6.10 that needs privilege.
    ByHandle,
    /// By its path in `/proc`.
    ByPath,
}

#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
    fd: OwnedFd,
}

impl Dir {
    pub(super) fn open_root(path: &Path) -> io::Result<Self> {
        let fd = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { path: path.to_owned(), fd })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) fn make_dir(&self, name: &str) -> io::Result<()> {
        fs::mkdirat(&self.fd, name, Mode::RWXU)?;
        // A umask may have taken our own bits away.
        Ok(fs::chmodat(&self.fd, name, Mode::RWXU, AtFlags::empty())?)
    }

    pub(super) fn open_dir(&self, relative: &Path) -> io::Result<Self> {
        let fd = self.open(relative, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Self { path: self.path.join(relative), fd })
    }

    pub(super) fn open_file(&self, relative: &Path) -> io::Result<File> {
        // Without NONBLOCK, opening a FIFO would wait for a writer. NOATIME: that time is when an entry was last used.
        let opened = match self.open(relative, TO_READ | OFlags::NOATIME, Mode::empty()) {
            // Only a file's owner may leave its access time alone.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.open(relative, TO_READ, Mode::empty())
            }
            opened => opened,
        };
        match opened {
            // A symbolic link, or a socket.
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NXIO)) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
            }
            opened => Ok(opened?.into()),
        }
    }

    /// Opens a file if the names on the way to it are in memory; else it fails with `WouldBlock`, or, where the system
    /// cannot tell, with `Unsupported`.
    pub(super) fn open_cached(&self, relative: &Path) -> io::Result<File> {
        if NO_OPENAT2.load(Ordering::Relaxed) || NO_CACHED_OPEN.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let flags = TO_READ | OFlags::NOATIME | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat2(&self.fd, relative, flags, Mode::empty(), BENEATH | ResolveFlags::CACHED) {
            Ok(fd) => Ok(fd.into()),
            Err(Errno::NOENT) => Err(io::ErrorKind::NotFound.into()),
            Err(error) => {
                if error == Errno::INVAL {
                    NO_CACHED_OPEN.store(true, Ordering::Relaxed);
                }
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
    }

    pub(super) fn stat(&self, relative: &Path) -> io::Result<Stat> {
        Ok(stat_of(&fs::statat(&self.fd, relative, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    pub(super) fn create_unnamed(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        private(fs::openat(&self.fd, ".", flags, PRIVATE_FILE)?)
    }

    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        private(fs::openat(&self.fd, name, flags, PRIVATE_FILE)?)
    }

    pub(super) fn open_lock(&self, relative: &Path) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK;
        private(self.open(relative, flags, PRIVATE_FILE)?)
    }

    pub(super) fn link_unnamed(&self, file: &File, name: &str, way: Linking) -> io::Result<()> {
        match way {
            Linking::ByHandle => Ok(fs::linkat(file, "", &self.fd, name, AtFlags::EMPTY_PATH)?),
            Linking::ByPath => {
                let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
                Ok(fs::linkat(fs::CWD, handle, &self.fd, name, AtFlags::SYMLINK_FOLLOW)?)
            }
        }
    }

    pub(super) fn rename(&self, name: &str, to: &Self, to_name: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.fd, name, &to.fd, to_name)?)
    }

    pub(super) fn exchange(&self, name: &str, to: &Self, to_name: &str) -> io::Result<()> {
        match fs::renameat_with(&self.fd, name, &to.fd, to_name, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
            exchanged => Ok(exchanged?),
        }
    }

    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.fd)?)
    }

    /// Opens what is under `relative`, where no component may be a symbolic link.
    fn open(&self, relative: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        if !NO_OPENAT2.load(Ordering::Relaxed) {
            match fs::openat2(&self.fd, relative, flags, mode, BENEATH) {
                // What `NOATIME` is refused with, too.
                Err(Errno::PERM) if flags.contains(OFlags::NOATIME) => return Err(Errno::PERM.into()),
                // EPERM also comes from sandboxes that filter unknown system calls.
                Err(Errno::NOSYS | Errno::PERM) => NO_OPENAT2.store(true, Ordering::Relaxed),
                opened => return Ok(opened?),
            }
        }
        let parent = relative.parent().filter(|parent| !parent.as_os_str().is_empty());
        let name = relative.file_name().ok_or(Errno::INVAL)?;
        let mut held = None;
        for component in parent.into_iter().flat_map(Path::components) {
            let from = held.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd);
            let through = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            held = Some(fs::openat(from, component.as_os_str(), through, Mode::empty())?);
        }
        let from = held.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd);
        Ok(fs::openat(from, name, flags, mode)?)
    }
}

/// Says what an open file is.
pub(super) fn stat_file(file: &File) -> io::Result<Stat> {
    Ok(stat_of(&fs::fstat(file)?))
}

fn stat_of(stat: &fs::Stat) -> Stat {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let millis = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
    let nanos = i64::try_from(stat.st_atime_nsec).unwrap_or(0);
    let used = stat.st_atime.saturating_mul(1_000_000_000).saturating_add(nanos);
    Stat {
        is_file: kind == FileType::RegularFile,
        is_dir: kind == FileType::Directory,
        len: u64::try_from(stat.st_size).unwrap_or(0),
        modified: Timestamp::from_millis(stat.st_mtime.saturating_mul(1000).saturating_add(millis)),
        used: u64::try_from(used).unwrap_or(0),
        id: Some((stat.st_dev, stat.st_ino)),
    }
}

/// Fills `buffer` with the bytes from `offset` on if all are in memory; else it fails with `WouldBlock`.
pub(super) fn read_cached(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    let len = buffer.len();
    match rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT) {
        Ok(read) if read == len => Ok(()),
        // Some of it is not in memory; or the kernel, or this file system, does not know the flag.
        _ => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// Gives back the permissions that a strange umask took from ourselves.
fn private(fd: OwnedFd) -> io::Result<File> {
    let mode = fs::fstat(&fd)?.st_mode;
    if mode & 0o777 != PRIVATE_FILE.as_raw_mode() {
        fs::fchmod(&fd, PRIVATE_FILE)?;
    }
    Ok(fd.into())
}
