//! Everywhere else, or when asked for: operations by path, with what the standard library offers.
//!
//! A name is looked at before it is opened, so that a link or a FIFO in an entry's place is not followed; only
//! somebody with the same user id could change it in between.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Stat;

#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
}

impl Dir {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn make_dir(&self, name: &str) -> io::Result<()> {
        make_dir(&self.path.join(name))
    }

    pub(super) fn open_dir(&self, relative: &Path) -> io::Result<Self> {
        let path = self.path.join(relative);
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self { path })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    pub(super) fn open_file(&self, relative: &Path) -> io::Result<File> {
        let path = self.path.join(relative);
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        File::open(path)
    }

    pub(super) fn stat(&self, relative: &Path) -> io::Result<Stat> {
        fs::symlink_metadata(self.path.join(relative)).map(|metadata| stat_of(&metadata))
    }

    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        let file =
            private(OpenOptions::new().read(true).write(true).create_new(true)).open(self.path.join(name))?;
        restore_mode(&file)?;
        Ok(file)
    }

    pub(super) fn open_lock(&self, relative: &Path) -> io::Result<File> {
        if fs::symlink_metadata(self.path.join(relative)).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(self.path.join(relative))?;
        restore_mode(&file)?;
        Ok(file)
    }

    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "directories are synced only on Unix"))]
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }
}

/// Makes one directory for this user alone, whatever the umask.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    private_dir().create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a directory and those above it that are missing, for this user alone.
pub(super) fn make_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_dir_all(parent)?;
    }
    match make_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Fills `buffer` with the bytes from `offset` on; returns how many there were, less only at the end of the file.
pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some_at(file, &mut buffer[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_some_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}

/// Returns a time as nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns what an open file is known by, where the platform has it.
pub(super) fn id_of(file: &File) -> Option<(u64, u64)> {
    file.metadata().ok().and_then(|metadata| stat_of(&metadata).id)
}

pub(super) fn stat_of(metadata: &Metadata) -> Stat {
    #[cfg(unix)]
    let id = {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    };
    #[cfg(not(unix))]
    let id = None;
    Stat {
        is_file: metadata.is_file(),
        is_dir: metadata.is_dir(),
        len: metadata.len(),
        modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH).into(),
        used: nanoseconds(metadata.accessed().unwrap_or(SystemTime::UNIX_EPOCH)),
        id,
    }
}

fn private_dir() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Gives back the permissions that a strange umask took from ourselves.
fn restore_mode(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
