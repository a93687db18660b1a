//! What a bounded store asks of the file system beside its entries: when they were used, and how much room is left.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use larder_core::CacheKey;

use super::{Dir, Fs, Op};
#[cfg(unix)]
use crate::publish::is_absence;

impl Fs {
    /// Sets when the entry of `key` in `dir` was last used; nothing is opened or followed where the system can do so.
    pub(crate) fn touch(&self, dir: &Dir, key: &CacheKey, used: SystemTime) -> io::Result<()> {
        let name = key.as_str();
        self.faults.check(Op::SetTimes, || dir.path().join(name))?;
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => touch_at(dir.fd(), Path::new(name), used),
            #[cfg(unix)]
            Dir::Portable(dir) => touch_at(rustix::fs::CWD, &dir.path().join(name), used),
            #[cfg(not(unix))]
            Dir::Portable(dir) => {
                let file = File::options().write(true).open(dir.path().join(name))?;
                file.set_times(std::fs::FileTimes::new().set_accessed(used))
            }
        }
    }

    /// Returns how many bytes are left for this user on the file system of `dir`.
    pub(crate) fn free(&self, dir: &Dir) -> io::Result<u64> {
        if let Some(free) = self.faults.check_room(|| dir.path().to_owned())? {
            return Ok(free);
        }
        match dir {
            #[cfg(target_os = "linux")]
            Dir::Linux(dir) => {
                let stat = rustix::fs::fstatvfs(dir.fd())?;
                Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
            }
            #[cfg(unix)]
            Dir::Portable(dir) => {
                let stat = rustix::fs::statvfs(dir.path())?;
                Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
            }
            #[cfg(not(unix))]
            Dir::Portable(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Returns whether `path` is no longer the name of the open `file`; where nobody can tell, it is.
    ///
    /// By handle, it is enough that the file has a name; by path, it must be that one.
    pub(crate) fn has_lost_name(&self, file: &File, path: &Path) -> io::Result<bool> {
        self.faults.check(Op::Stat, || path.to_owned())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let open = file.metadata()?;
            if !self.portable {
                return Ok(open.nlink() == 0);
            }
            match std::fs::symlink_metadata(path) {
                Ok(named) => Ok((named.dev(), named.ino()) != (open.dev(), open.ino())),
                Err(error) if is_absence(&error) => Ok(true),
                Err(error) => Err(error),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = file;
            Ok(false)
        }
    }

    /// Gives the lock of a file back.
    #[expect(clippy::unused_self, reason = "every operation goes through the seam")]
    pub(crate) fn unlock(&self, file: &File) -> io::Result<()> {
        file.unlock()
    }
}

#[cfg(unix)]
fn touch_at(dir: impl rustix::fd::AsFd, path: &Path, used: SystemTime) -> io::Result<()> {
    use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT, utimensat};
    let since = used.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let last_access = Timespec::try_from(since).map_err(io::Error::other)?;
    let last_modification = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let times = Timestamps { last_access, last_modification };
    Ok(utimensat(dir, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Returns a number of this start of the machine, another after each one; 0 where nobody can tell.
pub(crate) fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        u64::from_str_radix(&digits, 16).unwrap_or(0)
    })
}
