//! The cache directory: where it is, what is in it, and which of its layouts it has.
//!
//! The layout is recorded in the directory when it is made, and never guessed.

use std::io;
use std::path::{Component, Path, PathBuf};

use larder_core::{CacheKey, Durability, Error, ErrorKind};

use crate::cause::{Cause, Result};
use crate::lock::lock_file;
use crate::random;
use crate::sys::{self, Dir, Fs, Owner};
use crate::usage::Usage;

/// The directory of the entries.
pub(crate) const RESPONSES: &str = "responses";
/// The directory of what is being written, and of what is being deleted.
pub(crate) const TEMPORARIES: &str = "tmp";
/// The directory of the lock files.
pub(crate) const LOCKS: &str = "locks";
/// The file that records the layout.
pub(crate) const LAYOUT: &str = "layout";
/// More than any record of a layout is long.
const LONGEST_LAYOUT: usize = 4096;
/// The file by which backup programs know that a directory holds nothing worth keeping.
pub(crate) const TAG: &str = "CACHEDIR.TAG";
/// What that file holds (<https://bford.info/cachedir/>).
pub(crate) const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a cache made by larder; it can be deleted at any time.\n";

/// How the entries are spread over directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FanOut {
    /// All in `responses/`.
    Flat,
    /// In 256 directories `responses/00/` to `responses/ff/`, by the CRC-32 of the key.
    Wide,
}

impl FanOut {
    /// Returns the directory of the entry of `key`, relative to the cache directory.
    pub(crate) fn dir_of(self, key: &CacheKey) -> PathBuf {
        match self {
            Self::Flat => PathBuf::from(RESPONSES),
            Self::Wide => Path::new(RESPONSES).join(shard_name(shard_of(key))),
        }
    }

    /// Returns the file of the entry of `key`, relative to the cache directory.
    pub(crate) fn file_of(self, key: &CacheKey) -> PathBuf {
        match self {
            Self::Flat => format!("{RESPONSES}/{key}").into(),
            Self::Wide => self.dir_of(key).join(key.as_str()),
        }
    }

    /// Returns the text that records this layout.
    pub(crate) fn record(self) -> String {
        let word = match self {
            Self::Flat => "flat",
            Self::Wide => "wide",
        };
        format!("larder layout 1\nfan-out {word}\n")
    }

    /// Returns the layout that `text` records: `None` when it is damaged.
    ///
    /// A record of another version is an error: some other release keeps its entries here.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>> {
        let recorded = [Self::Flat, Self::Wide].into_iter().find(|layout| layout.record() == text);
        let version = text.strip_prefix("larder layout ").and_then(|rest| rest.lines().next());
        match version.and_then(|version| version.parse().ok()) {
            Some(version) if version != 1 => {
                Err(Cause::Unknown { whole: "the cache", what: "directory layout", id: version })
            }
            _ => Ok(recorded),
        }
    }
}

/// Returns which of 256 shards the entry of `key` is in.
pub(crate) fn shard_of(key: &CacheKey) -> u8 {
    key_hash(key).to_le_bytes()[0]
}

pub(crate) fn shard_name(shard: u8) -> String {
    format!("{shard:02x}")
}

/// Returns a number that spreads keys over shards and locks.
pub(crate) fn key_hash(key: &CacheKey) -> u32 {
    name_hash(key.as_str())
}

fn name_hash(name: &str) -> u32 {
    crc32fast::hash(name.as_bytes())
}

/// Returns whether `name` is that of an entry's file in this shard, as [`CacheKey`] and the layout have it.
pub(crate) fn is_entry_name(name: &str, shard: Option<u8>) -> bool {
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=CacheKey::MAX_LEN).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(is_of_key)
        && shard.is_none_or(|shard| shard == name_hash(name).to_le_bytes()[0])
}

/// The handles that operations start from.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) root: Dir,
    pub(crate) temporaries: Dir,
    /// What there is in all, if anybody bounds it.
    pub(crate) usage: Option<Usage>,
}

impl Home {
    /// Opens the cache directory, after making what is missing of it.
    fn open(fs: &Fs, path: &Path) -> Result<Self> {
        let root = fs.open_root(path).map_err(Cause::io("open the cache directory", path))?;
        for name in [RESPONSES, TEMPORARIES, LOCKS] {
            fs.make_dir(&root, name).map_err(Cause::io("make a directory in the cache", &path.join(name)))?;
        }
        let temporaries = fs
            .open_dir(&root, Path::new(TEMPORARIES))
            .map_err(Cause::io("open the directory of temporaries", &path.join(TEMPORARIES)))?;
        Ok(Self { root, temporaries, usage: None })
    }
}

/// Opens the cache directory, with all that belongs in it; returns it and its layout.
///
/// If it is to be `bounded`, its usage is kept from now on.
pub(crate) fn prepare(
    fs: &Fs,
    path: &Path,
    wanted: Option<FanOut>,
    durability: Durability,
    bounded: bool,
) -> Result<(Home, FanOut)> {
    let mut home = Home::open(fs, path)?;
    let layout = agree_on_layout(fs, &home, wanted)?;
    home.usage = Usage::open(fs, &home, bounded)?;
    if fs.stat(&home.root, Path::new(TAG)).is_err()
        && let Err(cause) = put_file(fs, &home, TAG, TAG_TEXT.as_bytes())
    {
        tracing::debug!(%cause, "cannot tag the cache directory");
    }
    if durability == Durability::Durable {
        sync(fs, &home)?;
    }
    Ok((home, layout))
}

/// Waits until the cache directory and those above it are on the disk, as far as they are ours to open.
fn sync(fs: &Fs, home: &Home) -> Result<()> {
    let failed = || Cause::io("sync the cache directory", home.root.path());
    fs.sync_dir(&home.root).map_err(failed())?;
    for above in home.root.path().ancestors().skip(1) {
        match fs.open_root(above).and_then(|above| fs.sync_dir(&above)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            synced => synced.map_err(failed())?,
        }
    }
    Ok(())
}

/// Returns the layout of the cache directory, after recording `wanted` if it has none yet.
fn agree_on_layout(fs: &Fs, home: &Home, wanted: Option<FanOut>) -> Result<FanOut> {
    if let Some(recorded) = recorded_layout(fs, home, wanted)? {
        return Ok(recorded);
    }
    let relative = Path::new(LOCKS).join(LAYOUT);
    let path = home.root.path().join(&relative);
    let _lock = lock_file(fs, home, &relative).map_err(Cause::io("lock the layout", &path))?;
    if let Some(recorded) = recorded_layout(fs, home, wanted)? {
        return Ok(recorded);
    }
    refuse_what_is_no_cache(fs, home)?;
    let layout = wanted.unwrap_or(FanOut::Flat);
    put_file(fs, home, LAYOUT, layout.record().as_bytes())?;
    Ok(layout)
}

/// Returns whether there is anything among the entries.
pub(crate) fn has_entries(fs: &Fs, home: &Home) -> Result<bool> {
    let path = home.root.path().join(RESPONSES);
    let failed = || Cause::io("look for entries", &path);
    let responses = fs.open_dir(&home.root, Path::new(RESPONSES)).map_err(failed())?;
    Ok(fs.list(&responses).map_err(failed())?.next().is_some())
}

/// Refuses a directory without a layout that has entries: they are somebody else's, and clearing would delete them.
fn refuse_what_is_no_cache(fs: &Fs, home: &Home) -> Result<()> {
    // A damaged record, which is made anew, shows that it is a cache.
    let is_recorded = fs.stat(&home.root, Path::new(LAYOUT)).is_ok();
    if is_recorded || !has_entries(fs, home)? {
        return Ok(());
    }
    let message = "the directory has files in `responses`, and nothing says that it is a cache";
    Err(Cause::Core(
        Error::new(ErrorKind::Configuration, message).with_context("path", home.root.path().display()),
    ))
}

fn recorded_layout(fs: &Fs, home: &Home, wanted: Option<FanOut>) -> Result<Option<FanOut>> {
    let path = home.root.path().join(LAYOUT);
    let text = match fs.open_file(&home.root, Path::new(LAYOUT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| fs.read(&file, 0, LONGEST_LAYOUT, || path.clone())),
    };
    let text = text.map_err(Cause::io("read the layout", &path))?;
    let recorded = FanOut::parse(&String::from_utf8_lossy(&text))?;
    match (recorded, wanted) {
        (Some(recorded), Some(wanted)) if recorded != wanted => Err(Cause::Core(
            Error::new(
                ErrorKind::Configuration,
                format!("the directory's fan-out is {recorded:?}, and {wanted:?} was asked for"),
            )
            .with_context("path", home.root.path().display()),
        )),
        (None, None) => Err(Cause::Core(
            Error::new(
                ErrorKind::Corrupt,
                "the record of the directory's layout is damaged: name its fan-out to open it",
            )
            .with_context("path", path.display()),
        )),
        (None, Some(_)) => {
            tracing::warn!(path = %path.display(), "the record of the layout is damaged, and is made anew");
            Ok(None)
        }
        (recorded, _) => Ok(recorded),
    }
}

/// Puts a small file into the cache directory, atomically, and waits until it is on the disk.
pub(crate) fn put_file(fs: &Fs, home: &Home, name: &str, bytes: &[u8]) -> Result<()> {
    let path = home.root.path().join(name);
    let temporary = random::name("new")?;
    let put = fs.create_temp(&home.temporaries, &temporary).and_then(|(file, named)| {
        let temporary = named.as_deref().unwrap_or(&temporary);
        fs.write(&file, &[bytes], &path)?;
        fs.sync_file(&file, &path)?;
        if named.is_none() {
            fs.try_lock(&file, &path)?;
            fs.link_unnamed(&file, &home.temporaries, temporary)?;
        }
        fs.rename(&home.temporaries, temporary, &home.root, name)?;
        fs.sync_dir(&home.root)
    });
    put.map_err(Cause::io("put a file into the cache directory", &path))
}

/// Returns the directory that `cache_name` names.
///
/// A relative name is relative to the current directory, or, with `use_temp`, to a directory of this user's own in
/// the system's directory of temporary files; `~/` is the home directory.
pub(crate) fn resolve(cache_name: &Path, use_temp: bool) -> larder_core::Result<PathBuf> {
    let refuse = |reason: &str| {
        Error::new(ErrorKind::Configuration, format!("cache_name {}: {reason}", cache_name.display()))
    };
    if cache_name.as_os_str().is_empty() {
        return Err(refuse("it is empty"));
    }
    let tilde = cache_name.strip_prefix("~").ok();
    if use_temp {
        let inside =
            cache_name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if tilde.is_some() || !inside {
            return Err(refuse("with use_temp it must be a relative path without `..` and `~`"));
        }
        return private_temp(&std::env::temp_dir()).map(|dir| dir.join(cache_name));
    }
    if let Some(rest) = tilde {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        return home.map(|home| home.join(rest)).ok_or_else(|| refuse("there is no home directory"));
    }
    std::path::absolute(cache_name).map_err(|error| refuse(&error.to_string()).with_source(error))
}

// Bits of a file's mode (POSIX, <sys/stat.h>).
const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// Makes, or checks, this user's own directory in `base`, where nobody else can write.
fn private_temp(base: &Path) -> larder_core::Result<PathBuf> {
    let path = base.join(sys::private_name());
    match sys::make_private_dir(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::from(error).with_operation("open").with_context("path", path.display()));
        }
        _ => {}
    }
    let inspect = |path: &Path| {
        sys::ownership(path).map_err(|error| Error::from(error).with_context("path", path.display()))
    };
    let refuse = |path: &Path, reason: &str| {
        Err(Error::new(ErrorKind::PermissionDenied, format!("a temporary cache would not be safe: {reason}"))
            .with_operation("open")
            .with_context("path", path.display()))
    };
    if let Some((owner, mode)) = inspect(&path)? {
        if mode & KIND != DIRECTORY {
            return refuse(&path, "something else than a directory stands there");
        }
        if owner != Owner::Me {
            return refuse(&path, "the directory belongs to somebody else");
        }
        if mode & OTHERS_WRITE != 0 {
            return refuse(&path, "somebody else may write in the directory");
        }
        // The base may be a link that the system set up; what counts is where it leads.
        let base = std::fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
        if let Some((owner, mode)) = inspect(&base)?
            && (owner == Owner::Other || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0))
        {
            return refuse(&base, "somebody else may rename what is in the directory");
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_where_users_expect() {
        let home = std::env::home_dir().expect("a home");
        let here = std::env::current_dir().expect("a directory");
        for (name, expected) in
            [("http_cache", here.join("http_cache")), ("~/c", home.join("c")), ("/var/c", "/var/c".into())]
        {
            assert_eq!(resolve(Path::new(name), false).expect(name), expected);
        }
    }

    #[test]
    fn the_name_of_an_entry_is_what_a_key_is() {
        let long = "x".repeat(CacheKey::MAX_LEN);
        for name in ["a", "A.b_c-9", "-", ".", "..", ".a", "", "a b", "a/b", "é", &long, &format!("{long}x")]
        {
            assert_eq!(is_entry_name(name, None), CacheKey::new(name).is_ok(), "{name:?}");
        }
        let key = CacheKey::new("a").expect("valid");
        for shard in 0..=u8::MAX {
            assert_eq!(is_entry_name("a", Some(shard)), shard == shard_of(&key));
        }
    }

    #[test]
    fn names_that_contradict_use_temp_are_refused() {
        for name in ["/var/c", "~/c", "../c", "a/../../c"] {
            let error = resolve(Path::new(name), true).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Configuration, "{name}");
        }
        assert_eq!(resolve(Path::new(""), false).expect_err("empty").kind(), ErrorKind::Configuration);
    }

    #[test]
    fn a_layout_is_what_was_recorded() {
        for layout in [FanOut::Flat, FanOut::Wide] {
            assert_eq!(FanOut::parse(&layout.record()).expect("version 1"), Some(layout));
        }
        for damaged in ["", "larder layout 1\nfan-out", "larder layout x", "\0\0"] {
            assert_eq!(FanOut::parse(damaged).expect("not a version"), None, "{damaged:?}");
        }
        assert!(FanOut::parse("larder layout 2\nfan-out flat\n").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_temporary_directory_where_others_can_write_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let base = tempfile::tempdir().expect("a directory");
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
        };
        let private = private_temp(base.path()).expect("made");
        assert_eq!(private_temp(base.path()).expect("again"), private);
        let refused = |why: &str| {
            let error = private_temp(base.path()).expect_err(why);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{why}");
            assert!(error.context("path").is_some(), "{why}");
        };
        mode(&private, 0o770);
        refused("the group may write");
        mode(&private, 0o700);
        mode(base.path(), 0o777);
        refused("anybody may rename it");
        mode(base.path(), 0o1777);
        private_temp(base.path()).expect("sticky");
        std::fs::remove_dir(&private).expect("empty");
        symlink("/", &private).expect("made");
        refused("it is a link");
    }
}
