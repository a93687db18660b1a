//! The database's files: what stands in their place, how they are made, how they are set aside.
//!
//! The database itself is never opened here once it has its name, only looked at and renamed: closing any
//! descriptor of it would drop all POSIX locks that SQLite holds on it in this process. A renamed database may
//! still be open, here or elsewhere; who has it open notices by its [`Identity`].

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Cause;

/// The database and what SQLite puts beside it. The database comes first when renaming: a log without a database
/// is discarded, a database without its log would be taken for whole.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Which file a name stands for, as long as somebody has it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Self { device_and_inode: (metadata.dev(), metadata.ino()) }
        }
        #[cfg(not(unix))]
        {
            Self { created: metadata.created().ok() }
        }
    }
}

/// What stands at the path of the database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A regular file, which only its owner may read or write by now.
    Database(Identity),
    /// Nothing.
    Nothing,
    /// A link, a directory or a pipe, here or where SQLite would put a log.
    Obstacle,
}

/// Returns what stands at `path`, without opening or following it.
pub(crate) fn look(path: &Path) -> Result<Found, Cause> {
    let mut found = Found::Nothing;
    for suffix in SUFFIXES {
        let path = with_suffix(path, suffix);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Cause::file("look at", &path, error)),
            Ok(metadata) if !metadata.is_file() => return Ok(Found::Obstacle),
            Ok(metadata) => {
                restrict(&path, &metadata).map_err(|error| Cause::file("restrict", &path, error))?;
                if suffix.is_empty() {
                    found = Found::Database(Identity::of(&metadata));
                }
            }
        }
    }
    Ok(found)
}

/// Returns whether the file at `path` is the one of `identity`. Cheap: one system call.
pub(crate) fn is_at(identity: Identity, path: &Path) -> bool {
    self::identity(path) == Some(identity)
}

/// Returns which file stands at `path`. Cheap: one system call.
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    Some(Identity::of(&fs::symlink_metadata(path).ok()?))
}

/// Returns whether nobody may write to the file at `path`, as far as its permissions tell.
pub(crate) fn is_read_only(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

/// Puts an empty database at `path`, where there is none, and removes what is left of a former one.
///
/// The file is closed before it gets its name, so that nobody's locks are dropped.
pub(crate) fn create(path: &Path, durable: bool) -> Result<Identity, Cause> {
    for suffix in &SUFFIXES[1..] {
        remove_file(&with_suffix(path, suffix))?;
    }
    let temporary = with_suffix(path, ".new");
    remove_file(&temporary)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let create = || {
        let file = options.open(&temporary)?;
        make_private(&file)?;
        let identity = Identity::of(&file.metadata()?);
        drop(file);
        fs::rename(&temporary, path)?;
        if durable {
            sync_directory(path)?;
        }
        Ok(identity)
    };
    create().map_err(|error| Cause::file("create", path, error))
}

/// Renames the database and its logs to `<path>.corrupt`, in place of a former one, and returns that name.
///
/// Where somebody has put a directory that is not empty, the next of nine names is taken.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, Cause> {
    let aside = (1..=9)
        .map(|n| with_suffix(path, &if n == 1 { ".corrupt".to_owned() } else { format!(".corrupt-{n}") }))
        .find(|aside| SUFFIXES.iter().all(|suffix| vacate(&with_suffix(aside, suffix)).is_ok()))
        .ok_or_else(|| Cause::file("set aside", path, io::Error::from(io::ErrorKind::DirectoryNotEmpty)))?;
    for suffix in SUFFIXES {
        match fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Cause::file("set aside", path, error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

/// Creates `directory` and its parents for their owner alone, where they are missing.
pub(crate) fn create_directory(directory: &Path) -> Result<(), Cause> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory).map_err(|error| Cause::file("create", directory, error))
}

/// Lets `options` create files for their owner alone, and neither follow a link nor wait for a pipe.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Gives `file` to its owner alone, whatever the umask has taken or an earlier version has left.
pub(crate) fn make_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata()?;
        if metadata.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// As [`make_private`], by name: the file must not be opened.
fn restrict(path: &Path, metadata: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, metadata);
    Ok(())
}

fn remove_file(path: &Path) -> Result<(), Cause> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Cause::file("remove", path, error)),
        _ => Ok(()),
    }
}

fn vacate(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in the directory of `path` survive a power loss, where the platform can.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}
