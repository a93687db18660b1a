//! Linux: operations relative to directory handles, files without a name, exchange of names.
//!
//! Nothing is opened through a symbolic link below the cache directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use larder_core::Timestamp;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use super::Stat;

const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Set once `openat2` was found missing (before Linux 5.6, or filtered).
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);
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
        // Without NONBLOCK, opening a FIFO would wait for a writer.
        match self.open(relative, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty()) {
            // A symbolic link, or a socket.
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NXIO)) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
            }
            opened => Ok(opened?.into()),
        }
    }

    pub(super) fn stat(&self, relative: &Path) -> io::Result<Stat> {
        let stat = fs::statat(&self.fd, relative, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let millis = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
        Ok(Stat {
            is_file: kind == FileType::RegularFile,
            is_dir: kind == FileType::Directory,
            len: u64::try_from(stat.st_size).unwrap_or(0),
            modified: Timestamp::from_millis(stat.st_mtime.saturating_mul(1000).saturating_add(millis)),
            id: Some((stat.st_dev, stat.st_ino)),
        })
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
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
            match fs::openat2(&self.fd, relative, flags, mode, resolve) {
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

/// Gives back the permissions that a strange umask took from ourselves.
fn private(fd: OwnedFd) -> io::Result<File> {
    let mode = fs::fstat(&fd)?.st_mode;
    if mode & 0o777 != PRIVATE_FILE.as_raw_mode() {
        fs::fchmod(&fd, PRIVATE_FILE)?;
    }
    Ok(fd.into())
}
